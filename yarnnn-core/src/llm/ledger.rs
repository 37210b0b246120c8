//! The port of the ledger of model calls: reserved before a call is made, settled after.

use async_trait::async_trait;
use chrono::{DateTime, NaiveTime, Utc};
use serde::{Deserialize, Serialize};

use super::{CallAccount, LlmError, ModelResponse, Usage};
use crate::error::StoreError;
use crate::hash::Sha256;
use crate::id::{DeliverableId, ModelCallId, PassId, UserId, VersionId};

/// Money caps, in millionths of a US dollar. None: no cap.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SpendingCaps {
    /// Of all calls of one version, or of one look for signals.
    pub run: Option<u64>,
    /// Of all calls of one user in one UTC day.
    pub user_day: Option<u64>,
    /// Of all calls of the installation in one UTC day.
    pub installation_day: Option<u64>,
}

impl SpendingCaps {
    /// The setting that holds the cap on one run.
    pub const RUN: &'static str = "YARNNN_CAP_RUN_USD";
    /// The setting that holds the cap on a user's day.
    pub const USER_DAY: &'static str = "YARNNN_CAP_USER_DAY_USD";
    /// The setting that holds the cap on the installation's day.
    pub const INSTALLATION_DAY: &'static str = "YARNNN_CAP_INSTALLATION_DAY_USD";

    /// The caps that are set, with what of each counts as spent before a run that is yet to begin: in the order in which a
    /// reservation is held against them.
    ///
    /// # Errors
    /// Those of the ledger.
    pub async fn before_a_run(
        self,
        ledger: &dyn ModelLedger,
        user: UserId,
        at: DateTime<Utc>,
    ) -> Result<Vec<CapLeft>, StoreError> {
        let mut caps: Vec<CapLeft> = self.run.map(|limit| CapLeft { cap: Self::RUN, limit, spent: 0 }).into_iter().collect();
        let days = [(Self::USER_DAY, self.user_day, Some(user)), (Self::INSTALLATION_DAY, self.installation_day, None)];
        for (cap, limit, user) in days {
            let Some(limit) = limit else { continue };
            let from = at.date_naive().and_time(NaiveTime::MIN).and_utc();
            let calls = ledger.calls(&CallQuery { user, from: Some(from), ..CallQuery::default() }).await?;
            let spent = calls.iter().fold(0, |sum: u64, it| sum.saturating_add(it.usage.cost_micro_usd));
            caps.push(CapLeft { cap, limit, spent });
        }
        Ok(caps)
    }
}

/// A cap, and what of it is used up. Amounts are millionths of a US dollar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CapLeft {
    /// The name of its setting.
    pub cap: &'static str,
    /// Its amount.
    pub limit: u64,
    /// What counts as spent of it.
    pub spent: u64,
}

impl CapLeft {
    /// What may still be spent.
    pub const fn left(&self) -> u64 {
        self.limit.saturating_sub(self.spent)
    }

    /// Why a call that may cost so much is not made, if it is not: as a reservation decides it.
    pub fn refusal(&self, ceiling: u64) -> Option<LlmError> {
        let Self { cap, limit, spent } = *self;
        (ceiling > 0 && spent.saturating_add(ceiling) > limit).then_some(LlmError::OverCap { cap, limit, spent, ceiling })
    }
}

/// A call that is about to be made.
#[derive(Debug, Clone)]
pub struct Reservation {
    /// Id of its row.
    pub id: ModelCallId,
    /// On whose account.
    pub account: CallAccount,
    /// What it is for, as `feature.verb`.
    pub purpose: String,
    /// The model, as `provider/model`.
    pub model: String,
    /// Digest of the rendered request.
    pub request_sha256: Sha256,
    /// The request as JSON; kept for the calls of versions, so that they can be repeated offline.
    pub request: Option<serde_json::Value>,
    /// What it can cost at most, in millionths of a US dollar.
    pub ceiling: u64,
    /// What must not be exceeded.
    pub caps: SpendingCaps,
    /// Now; its UTC day is the day of the call.
    pub at: DateTime<Utc>,
}

/// Why nothing was reserved.
#[derive(Debug, thiserror::Error)]
pub enum ReserveError {
    /// A cap does not leave enough.
    #[error("the cap {cap} does not leave enough")]
    OverCap {
        /// Which: `run`, `user_day` or `installation_day`.
        cap: &'static str,
        /// Its amount.
        limit: u64,
        /// What is spent or reserved of it.
        spent: u64,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq)]
pub enum CallEnd {
    /// The provider answered.
    Answered {
        /// The answer, with what it used and cost.
        response: ModelResponse,
    },
    /// The provider refused, and charged nothing.
    Refused {
        /// Why.
        error: String,
    },
    /// The answer was lost on its way. What was reserved counts as spent.
    Lost {
        /// How.
        error: String,
    },
}

/// How far a call has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CallState {
    /// It is being made, or its process died. What was reserved counts as spent.
    Reserved,
    /// It was answered.
    Answered,
    /// It was refused and cost nothing.
    Refused,
    /// Its answer was lost. What was reserved counts as spent.
    Lost,
}

impl CallState {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reserved => "reserved",
            Self::Answered => "answered",
            Self::Refused => "refused",
            Self::Lost => "lost",
        }
    }

    /// Reads the stored name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Reserved, Self::Answered, Self::Refused, Self::Lost].into_iter().find(|it| it.as_str() == text)
    }
}

/// A call as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct LedgerCall {
    /// Id of its row.
    pub id: ModelCallId,
    /// On whose account.
    pub account: CallAccount,
    /// What it was for.
    pub purpose: String,
    /// The model.
    pub model: String,
    /// How far it came.
    pub state: CallState,
    /// What was reserved for it.
    pub ceiling: u64,
    /// What it used. Its cost is what counts as spent: the ceiling while the call is reserved or lost.
    pub usage: Usage,
    /// Digest of the rendered request.
    pub request_sha256: Sha256,
    /// The request as JSON, where it is kept.
    pub request: Option<serde_json::Value>,
    /// The answer, where it is kept.
    pub response: Option<ModelResponse>,
    /// Why it was not answered.
    pub error: Option<String>,
    /// When it was reserved.
    pub reserved_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

/// Which calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallQuery {
    /// Whose.
    pub user: Option<UserId>,
    /// Of one report.
    pub deliverable: Option<DeliverableId>,
    /// Of one version.
    pub version: Option<VersionId>,
    /// Reserved at or after.
    pub from: Option<DateTime<Utc>>,
    /// Reserved before.
    pub to: Option<DateTime<Utc>>,
}

/// Every model call, before and after it is made.
///
/// # Contract
/// - `reserve` adds a row if the report, its version and the pass are the user's (otherwise `NotFound`), the id is not taken (`Conflict`),
///   and, with its ceiling, no cap is exceeded: per cap, what answered calls cost and what reserved and lost ones may have cost,
///   together with the ceiling, is at most the cap. A call counts on the UTC day on which it was reserved. All or nothing. A call
///   whose ceiling is 0 always fits.
/// - `settle` ends a reserved call once; a call that has ended, or another user's, is a `Conflict` or `NotFound`. The request is
///   kept only for calls of a version, and the answer only where the request still is; for a call of a pass the answer alone, and
///   only while the pass is open.
/// - What was asked and answered is forgotten when the version goes away, and, with all calls of the version, when an item that
///   one of them was told of goes away with its account ([`ConnectionStore`](crate::connections::ConnectionStore)). Model,
///   tokens, cost and times stay.
/// - `answered` is the answer that a version had to the same request, if one is kept; of several the one that was settled first,
///   so that it never becomes another.
/// - `answered_in_pass` is the same for a pass, whatever the request was: a pass asks one question.
/// - `calls` are in the order in which they were reserved, then by id, without requests and answers unless a version is named.
///   Without a user: of all users (for the installation's operator).
///
/// # Errors
/// `NotFound`, `Conflict`, `Unavailable`, `Corrupt`.
///
/// # Concurrency
/// Reservations of any number of processes that have the same caps never exceed one together.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait ModelLedger: Send + Sync + 'static {
    /// Reserves what a call may cost.
    async fn reserve(&self, reservation: Reservation) -> Result<(), ReserveError>;

    /// Ends a call.
    async fn settle(&self, user: UserId, call: ModelCallId, end: CallEnd, at: DateTime<Utc>) -> Result<(), StoreError>;

    /// What a version was answered to the same request.
    async fn answered(&self, user: UserId, version: VersionId, request: Sha256) -> Result<Option<ModelResponse>, StoreError>;

    /// What a pass was answered.
    async fn answered_in_pass(&self, user: UserId, pass: PassId) -> Result<Option<ModelResponse>, StoreError>;

    /// Calls.
    async fn calls(&self, query: &CallQuery) -> Result<Vec<LedgerCall>, StoreError>;
}
