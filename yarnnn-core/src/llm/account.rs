//! On whose account a call is made, and what delimits data in it.

use serde::{Deserialize, Serialize};

use crate::hash::Sha256;
use crate::id::{DeliverableId, PassId, UserId, VersionId};

/// On whose account a call is made. Caps and the ledger go by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CallAccount {
    /// Whose.
    pub user: UserId,
    /// For which report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deliverable: Option<DeliverableId>,
    /// For which version of it. The calls of one version are one run: a cap on runs goes by it, and a question that it asked
    /// before is answered from the ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<VersionId>,
    /// For which look at the user's content. It asks one question, and is a run as a version is: the cap on runs goes by it, and what
    /// it was answered is known from the ledger when it goes on after a crash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pass: Option<PassId>,
}

impl CallAccount {
    /// A call that belongs to no report.
    pub const fn of(user: UserId) -> Self {
        Self { user, deliverable: None, version: None, pass: None }
    }
}

/// What delimits synced content in a request: a word that no author of content can know beforehand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Boundary(String);

impl Boundary {
    /// Made from something that is random and kept, so that a repeated request reads the same: the id of a version.
    pub fn of(seed: impl AsRef<[u8]>) -> Self {
        let digest = Sha256::of(seed).to_string();
        Self(digest.get(..16).unwrap_or_default().to_owned())
    }

    /// The word.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
