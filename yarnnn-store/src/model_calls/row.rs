//! A call as a row.

use serde::Serialize;
use serde::de::DeserializeOwned;
use yarnnn_core::StoreError;
use yarnnn_core::id::{DeliverableId, ModelCallId, PassId, UserId, VersionId};
use yarnnn_core::llm::{CallAccount, CallState, LedgerCall, Usage};

use crate::columns::{Id, Instant};
use crate::error::unreadable;

#[derive(sqlx::FromRow)]
pub(super) struct CallRow {
    id: Id,
    user_id: Id,
    deliverable_id: Option<Id>,
    version_id: Option<Id>,
    pass_id: Option<Id>,
    purpose: String,
    model: String,
    state: String,
    ceiling_micro_usd: i64,
    spent_micro_usd: i64,
    calls: i64,
    input_tokens: i64,
    output_tokens: i64,
    cache_read_tokens: i64,
    cache_write_tokens: i64,
    searches: i64,
    request_sha256: String,
    request: Option<String>,
    response: Option<String>,
    error: Option<String>,
    reserved_at: Instant,
    ended_at: Option<Instant>,
}

impl CallRow {
    fn account(&self) -> CallAccount {
        CallAccount {
            user: UserId::from_uuid(self.user_id.0),
            deliverable: self.deliverable_id.map(|it| DeliverableId::from_uuid(it.0)),
            version: self.version_id.map(|it| VersionId::from_uuid(it.0)),
            pass: self.pass_id.map(|it| PassId::from_uuid(it.0)),
        }
    }

    fn usage(&self) -> Option<Usage> {
        Some(Usage {
            calls: u32::try_from(self.calls).ok()?,
            input_tokens: u64::try_from(self.input_tokens).ok()?,
            output_tokens: u64::try_from(self.output_tokens).ok()?,
            cache_read_tokens: u64::try_from(self.cache_read_tokens).ok()?,
            cache_write_tokens: u64::try_from(self.cache_write_tokens).ok()?,
            searches: u32::try_from(self.searches).ok()?,
            cost_micro_usd: u64::try_from(self.spent_micro_usd).ok()?,
        })
    }
}

impl TryFrom<CallRow> for LedgerCall {
    type Error = StoreError;

    fn try_from(row: CallRow) -> Result<Self, StoreError> {
        let what = || format!("model call {}", row.id.0);
        let bad = |field: &str| unreadable(what(), format!("{field} cannot be read"));
        Ok(Self {
            id: ModelCallId::from_uuid(row.id.0),
            account: row.account(),
            state: CallState::parse(&row.state).ok_or_else(|| bad("state"))?,
            ceiling: u64::try_from(row.ceiling_micro_usd).map_err(|_| bad("ceiling_micro_usd"))?,
            usage: row.usage().ok_or_else(|| bad("what it used"))?,
            request_sha256: row.request_sha256.parse().map_err(|_| bad("request_sha256"))?,
            request: row.request.as_deref().map(|it| json(it, what)).transpose()?,
            response: row.response.as_deref().map(|it| json(it, what)).transpose()?,
            reserved_at: row.reserved_at.0,
            ended_at: row.ended_at.map(|it| it.0),
            purpose: row.purpose,
            model: row.model,
            error: row.error,
        })
    }
}

/// An unsigned number as it is stored. Nothing that is counted comes near the end of the range.
pub(super) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Reads stored JSON.
pub(super) fn json<T: DeserializeOwned>(text: &str, what: impl Fn() -> String) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| unreadable(what(), error))
}

/// JSON as it is stored: text, so that fields keep their order. What control characters it has are escapes there.
pub(super) fn json_text(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| unreadable("what a model was asked or answered", error))
}
