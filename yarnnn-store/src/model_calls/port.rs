//! The port over model calls, and what is read of them.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::QueryBuilder;
use yarnnn_core::StoreError;
use yarnnn_core::hash::Sha256;
use yarnnn_core::id::{ModelCallId, PassId, UserId, VersionId};
use yarnnn_core::llm::{CallEnd, CallQuery, LedgerCall, ModelLedger, ModelResponse, Reservation, ReserveError};

use super::row::{CallRow, json};
use super::{reserve, settle};
use crate::SqlStore;
use crate::columns::{Id, Instant};
use crate::db::on_pool;
use crate::error::Doing as _;

const CALLS: &str = "select id, user_id, deliverable_id, version_id, pass_id, purpose, model, state, ceiling_micro_usd, spent_micro_usd, \
    calls, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, searches, request_sha256, error, reserved_at, \
    ended_at, ";
const WITH_BODIES: &str = "request, response from model_calls where true";
const WITHOUT_BODIES: &str = "cast(null as text) as request, cast(null as text) as response from model_calls where true";
const ANSWERED: &str = "select response from model_calls where version_id = $1 and user_id = $2 and request_sha256 = $3 \
    and state = 'answered' and response is not null order by ended_at, reserved_at, id limit 1";
const ANSWERED_IN_PASS: &str = "select response from model_calls where pass_id = $1 and user_id = $2 \
    and state = 'answered' and response is not null order by ended_at, reserved_at, id limit 1";

#[async_trait]
impl ModelLedger for SqlStore {
    async fn reserve(&self, reservation: Reservation) -> Result<(), ReserveError> {
        let mut tx = self.db.begin().await?;
        reserve::check(&mut tx, &reservation).await?;
        reserve::insert(&mut tx, reservation).await?;
        Ok(tx.commit().await?)
    }

    async fn settle(&self, user: UserId, call: ModelCallId, end: CallEnd, at: DateTime<Utc>) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        settle::end(&mut tx, (user, call), end, at).await?;
        tx.commit().await
    }

    async fn answered(&self, user: UserId, version: VersionId, request: Sha256) -> Result<Option<ModelResponse>, StoreError> {
        let text: Option<String> = on_pool!(&self.db, pool => sqlx::query_scalar(ANSWERED)
            .bind(Id(version.as_uuid())).bind(Id(user.as_uuid())).bind(request.to_string()).fetch_optional(pool).await)
        .doing("the answer to a request")?;
        text.map(|it| json(&it, || format!("the answer of version {version} to {request}"))).transpose()
    }

    async fn answered_in_pass(&self, user: UserId, pass: PassId) -> Result<Option<ModelResponse>, StoreError> {
        let text: Option<String> = on_pool!(&self.db, pool => sqlx::query_scalar(ANSWERED_IN_PASS)
            .bind(Id(pass.as_uuid())).bind(Id(user.as_uuid())).fetch_optional(pool).await)
        .doing("the answer to a pass")?;
        text.map(|it| json(&it, || format!("the answer of pass {pass}"))).transpose()
    }

    async fn calls(&self, query: &CallQuery) -> Result<Vec<LedgerCall>, StoreError> {
        let bodies = if query.version.is_some() { WITH_BODIES } else { WITHOUT_BODIES };
        let rows: Vec<CallRow> = on_pool!(&self.db, pool => {
            let mut builder = QueryBuilder::new(CALLS);
            builder.push(bodies);
            if let Some(user) = query.user {
                builder.push(" and user_id = ").push_bind(Id(user.as_uuid()));
            }
            if let Some(deliverable) = query.deliverable {
                builder.push(" and deliverable_id = ").push_bind(Id(deliverable.as_uuid()));
            }
            if let Some(version) = query.version {
                builder.push(" and version_id = ").push_bind(Id(version.as_uuid()));
            }
            if let Some(from) = query.from {
                builder.push(" and reserved_at >= ").push_bind(Instant(from));
            }
            if let Some(to) = query.to {
                builder.push(" and reserved_at < ").push_bind(Instant(to));
            }
            builder.push(" order by reserved_at, id");
            builder.build_query_as().fetch_all(pool).await
        })
        .doing("the calls of models")?;
        rows.into_iter().map(LedgerCall::try_from).collect()
    }
}
