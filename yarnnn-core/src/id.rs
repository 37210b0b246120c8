//! Identifiers as types of their own, and the source of fresh ones.
//!
//! Every identifier is a UUID, shown hyphenated in lower case. A `UserId` cannot be passed where a `ContentId` is meant.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Makes fresh identifiers. Features take one instead of calling a generator, so that runs can be repeated exactly.
pub trait IdGen: Send + Sync + fmt::Debug + 'static {
    /// A UUID that was never handed out before.
    fn uuid(&self) -> Uuid;
}

/// Time-ordered random identifiers (UUID version 7): unique without coordination, and kind to index pages.
#[derive(Debug, Clone, Copy, Default)]
pub struct RandomIds;

impl IdGen for RandomIds {
    #[expect(clippy::disallowed_methods, reason = "the one place that makes random ids")]
    fn uuid(&self) -> Uuid {
        Uuid::now_v7()
    }
}

macro_rules! id_types {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Gives an existing UUID its meaning.
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// A fresh identifier.
            pub fn fresh(ids: &dyn IdGen) -> Self {
                Self(ids.uuid())
            }

            /// The bare UUID, for storage.
            pub const fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )+};
}

id_types! {
    /// A person; owns everything else.
    UserId,
    /// One stored revision of one item.
    ContentId,
    /// A standing report configuration.
    DeliverableId,
    /// One written report.
    VersionId,
    /// One message on its way out.
    MessageId,
    /// One call of a language model.
    ModelCallId,
    /// One look at a user's content for what calls for a report.
    PassId,
    /// One line of the activity log.
    ActivityId,
    /// A connection to a provider.
    ConnectionId,
    /// One background job.
    JobId,
    /// One claim of one job: every write of its worker carries it, and a later claim makes it worthless.
    RunToken,
    /// One leased right to call a provider.
    PermitId,
}

impl UserId {
    /// The user that every installation has: made by the first migration, `local@localhost`, tier `pro`.
    pub const LOCAL: Self = Self(Uuid::from_u128(0x0000_0000_0000_4000_8000_0000_0000_0001));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_back_what_they_show() {
        let id = ContentId::fresh(&RandomIds);
        assert_eq!(id.to_string().parse::<ContentId>().unwrap(), id);
        assert_eq!(UserId::LOCAL.to_string(), "00000000-0000-4000-8000-000000000001");
    }
}
