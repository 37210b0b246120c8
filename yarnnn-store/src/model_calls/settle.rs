//! Settling: a reserved call ends once.

use chrono::{DateTime, Utc};
use yarnnn_core::StoreError;
use yarnnn_core::id::{ModelCallId, UserId};
use yarnnn_core::llm::{CallEnd, CallState, Usage};

use super::row::{json_text, number};
use crate::columns::{Id, Instant};
use crate::db::{Tx, on_tx};
use crate::error::{DbError, Doing as _};
use crate::text::cleaned;

/// What is not given counts as it was reserved. The answer is kept only where the request still is: for calls of versions, unless
/// what they were told was forgotten while they were under way. Of passes it is kept until they end.
const SETTLE: &str = "update model_calls set state = $3, spent_micro_usd = coalesce($4, spent_micro_usd), calls = $5, \
    input_tokens = $6, output_tokens = $7, cache_read_tokens = $8, cache_write_tokens = $9, searches = $10, \
    response = case when request is null and pass_id is null then null else $11 end, error = $12, ended_at = $13 \
    where id = $1 and user_id = $2 and state = 'reserved'";
const EXISTS: &str = "select count(*) from model_calls where id = $1 and user_id = $2";

/// What an end changes.
struct Change {
    state: CallState,
    /// None: what was reserved.
    spent: Option<u64>,
    usage: Usage,
    response: Option<String>,
    error: Option<String>,
}

impl Change {
    fn of(end: CallEnd) -> Result<Self, StoreError> {
        let none = Self { state: CallState::Lost, spent: None, usage: Usage::default(), response: None, error: None };
        Ok(match end {
            CallEnd::Answered { response } => Self {
                state: CallState::Answered,
                spent: Some(response.usage.cost_micro_usd),
                usage: response.usage,
                response: Some(json_text(&response)?),
                error: None,
            },
            CallEnd::Refused { error } => Self { state: CallState::Refused, spent: Some(0), error: Some(cleaned(error)), ..none },
            CallEnd::Lost { error } => Self { error: Some(cleaned(error)), ..none },
        })
    }
}

/// Ends a call, or answers why it cannot be ended.
pub(super) async fn end(
    tx: &mut Tx,
    (user, call): (UserId, ModelCallId),
    end: CallEnd,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    if changed(tx, (user, call), Change::of(end)?, at).await? {
        return Ok(());
    }
    let what = format!("model call {call}");
    let count: i64 = on_tx!(tx, connection => sqlx::query_scalar(EXISTS)
        .bind(Id(call.as_uuid())).bind(Id(user.as_uuid())).fetch_one(connection).await)
    .doing("a model call")?;
    Err(if count == 0 { StoreError::NotFound { what } } else { StoreError::Conflict { what } })
}

async fn changed(tx: &mut Tx, (user, call): (UserId, ModelCallId), change: Change, at: DateTime<Utc>) -> Result<bool, DbError> {
    let Change { state, spent, usage, response, error } = change;
    on_tx!(tx, connection => {
        let query = sqlx::query(SETTLE)
            .bind(Id(call.as_uuid()))
            .bind(Id(user.as_uuid()))
            .bind(state.as_str())
            .bind(spent.map(number))
            .bind(i64::from(usage.calls))
            .bind(number(usage.input_tokens))
            .bind(number(usage.output_tokens))
            .bind(number(usage.cache_read_tokens))
            .bind(number(usage.cache_write_tokens))
            .bind(i64::from(usage.searches))
            .bind(response)
            .bind(error)
            .bind(Instant(at));
        query.execute(connection).await.map(|it| it.rows_affected() == 1)
    })
    .doing(format!("model call {call}"))
}
