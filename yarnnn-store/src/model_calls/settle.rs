//! Settling: a reserved call ends once.

use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;
use yarnnn_core::StoreError;
use yarnnn_core::id::{ModelCallId, UserId};
use yarnnn_core::llm::{CallEnd, CallState, Usage};

use super::row::{json_text, number};
use crate::columns::{Id, Instant};
use crate::db::{Tx, on_tx};
use crate::error::{DbError, Doing as _};
use crate::text::cleaned;

/// The pass that a call belongs to, if it is open. Nobody ends it until the transaction has: its end forgets what was answered before,
/// and what comes after it must not be kept.
const OPEN_PASS: &str = "select id from signal_passes where outcome is null and id = \
    (select pass_id from model_calls where id = $1 and user_id = $2)";
/// What is not given counts as it was reserved. The answer is kept only where the request still is: for calls of versions, unless
/// what they were told was forgotten while they were under way. Of a pass it is kept while the pass is open.
const SETTLE: &str = "update model_calls set state = $3, spent_micro_usd = coalesce($4, spent_micro_usd), calls = $5, \
    input_tokens = $6, output_tokens = $7, cache_read_tokens = $8, cache_write_tokens = $9, searches = $10, \
    response = case when request is null and $14 is null then null else $11 end, error = $12, ended_at = $13 \
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
    let pass = open_pass(tx, (user, call)).await?;
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
            .bind(Instant(at))
            .bind(pass);
        query.execute(connection).await.map(|it| it.rows_affected() == 1)
    })
    .doing(format!("model call {call}"))
}

async fn open_pass(tx: &mut Tx, (user, call): (UserId, ModelCallId)) -> Result<Option<Id>, DbError> {
    let sql = format!("{OPEN_PASS}{}", tx.dialect().for_share());
    on_tx!(tx, connection => sqlx::query_scalar(AssertSqlSafe(sql))
        .bind(Id(call.as_uuid())).bind(Id(user.as_uuid())).fetch_optional(connection).await)
    .doing(format!("the pass of model call {call}"))
}
