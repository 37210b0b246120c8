//! The port of permits: asking and giving back per driver, limits and their use in one text.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{AssertSqlSafe, FromRow};
use yarnnn_core::StoreError;
use yarnnn_core::id::PermitId;
use yarnnn_core::jobs::{Admission, Capacity, CapacityLimits, CapacityUse, Endpoint, PermitRequest};

#[cfg(feature = "postgres")]
use super::postgres;
#[cfg(feature = "sqlite")]
use super::sqlite;
use crate::SqlStore;
use crate::columns::Instant;
use crate::db::{on_driver, on_pool, on_tx};
use crate::error::Doing as _;
use crate::text::clean;

/// Ends with what becomes of the state of an endpoint that is there.
const SET_LIMITS: &str = "insert into api_rate_limits (provider_name, api_endpoint, requests_per_second, requests_per_minute, \
    requests_per_hour, tokens_per_minute, tokens_per_hour, concurrent_requests, min_interval_ms, status) \
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict (provider_name, api_endpoint) do update set \
    requests_per_second = excluded.requests_per_second, requests_per_minute = excluded.requests_per_minute, \
    requests_per_hour = excluded.requests_per_hour, tokens_per_minute = excluded.tokens_per_minute, \
    tokens_per_hour = excluded.tokens_per_hour, concurrent_requests = excluded.concurrent_requests, \
    min_interval_ms = excluded.min_interval_ms, status = ";
const OURS: &str = "excluded.status";
const AS_IT_IS: &str = "api_rate_limits.status";
/// Limits, and what counts in each window at $1: permits since a second, a minute, an hour before ($2, $3, $4), and those held.
const USAGE: &str = "select l.provider_name, l.api_endpoint, l.requests_per_second, l.requests_per_minute, l.requests_per_hour, \
    l.tokens_per_minute, l.tokens_per_hour, l.concurrent_requests, l.min_interval_ms, l.status, \
    count(case when p.released_at is null and p.expires_at > $1 then 1 end) as held, \
    count(case when p.acquired_at > $2 then 1 end) as last_second, \
    count(case when p.acquired_at > $3 then 1 end) as last_minute, \
    count(case when p.acquired_at > $4 then 1 end) as last_hour, \
    cast(coalesce(sum(case when p.acquired_at > $3 then p.tokens end), 0) as bigint) as minute_tokens, \
    cast(coalesce(sum(case when p.acquired_at > $4 then p.tokens end), 0) as bigint) as hour_tokens, \
    max(p.acquired_at) as newest \
    from api_rate_limits as l left join api_permits as p \
    on p.provider_name = l.provider_name and p.api_endpoint = l.api_endpoint \
        and (p.acquired_at > $4 or (p.released_at is null and p.expires_at > $1)) \
    group by l.provider_name, l.api_endpoint";

#[async_trait]
impl Capacity for SqlStore {
    async fn acquire(&self, request: &PermitRequest) -> Result<Admission, StoreError> {
        let mut tx = self.db.begin().await?;
        let admission = on_driver!(&mut tx, connection,
            postgres: postgres::acquire(connection, request, self.given_now()).await,
            sqlite: sqlite::acquire(connection, request, PermitId::fresh(self.ids.as_ref()), self.now()).await,
        )?;
        tx.commit().await?;
        Ok(admission)
    }

    async fn release(&self, permit: PermitId, tokens: Option<u32>) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        on_driver!(&mut tx, connection,
            postgres: postgres::release(connection, permit, tokens, self.given_now()).await,
            sqlite: sqlite::release(connection, permit, tokens, self.now()).await,
        )?;
        tx.commit().await
    }

    async fn set_limits(&self, endpoint: &Endpoint, limits: &CapacityLimits) -> Result<(), StoreError> {
        self.put_limits(endpoint, limits, OURS).await
    }

    async fn introduce(&self, endpoint: &Endpoint, limits: &CapacityLimits) -> Result<(), StoreError> {
        self.put_limits(endpoint, limits, AS_IT_IS).await
    }

    async fn usage(&self) -> Result<Vec<CapacityUse>, StoreError> {
        let now = self.now_read().await?;
        let since = |by: TimeDelta| Instant(now - by);
        let rows: Vec<UseRow> = on_pool!(&self.db, pool => {
            let query = sqlx::query_as(USAGE)
                .bind(Instant(now))
                .bind(since(TimeDelta::seconds(1)))
                .bind(since(TimeDelta::minutes(1)))
                .bind(since(TimeDelta::hours(1)));
            query.fetch_all(pool).await
        })
        .doing("the use of providers")?;
        let mut uses: Vec<_> = rows.into_iter().map(|it| it.read(now)).collect();
        uses.sort_by(|left, right| left.endpoint.cmp(&right.endpoint));
        Ok(uses)
    }
}

impl SqlStore {
    async fn put_limits(&self, endpoint: &Endpoint, limits: &CapacityLimits, status: &'static str) -> Result<(), StoreError> {
        let sql = format!("{SET_LIMITS}{status}");
        let mut tx = self.db.begin().await?;
        on_tx!(&mut tx, connection => {
            let query = sqlx::query(AssertSqlSafe(sql))
                .bind(clean(&endpoint.provider))
                .bind(clean(&endpoint.endpoint))
                .bind(column(limits.requests_per_second))
                .bind(column(limits.requests_per_minute))
                .bind(column(limits.requests_per_hour))
                .bind(column(limits.tokens_per_minute))
                .bind(column(limits.tokens_per_hour))
                .bind(column(limits.concurrent_requests))
                .bind(column(limits.min_interval_millis))
                .bind(if limits.disabled { "disabled" } else { "active" });
            query.execute(connection).await.map(|_| ())
        })
        .doing("the limits of a provider")?;
        tx.commit().await
    }
}

/// Columns are signed.
fn column(limit: Option<u32>) -> Option<i64> {
    limit.map(i64::from)
}

#[derive(FromRow)]
pub(super) struct LimitsRow {
    pub(super) requests_per_second: Option<i64>,
    pub(super) requests_per_minute: Option<i64>,
    pub(super) requests_per_hour: Option<i64>,
    pub(super) tokens_per_minute: Option<i64>,
    pub(super) tokens_per_hour: Option<i64>,
    pub(super) concurrent_requests: Option<i64>,
    pub(super) min_interval_ms: Option<i64>,
    pub(super) status: String,
}

impl LimitsRow {
    /// The limits; a negative one is none at all, as nothing gets through.
    fn limits(&self) -> CapacityLimits {
        let limit = |column: Option<i64>| column.map(|it| u32::try_from(it).unwrap_or(0));
        CapacityLimits {
            requests_per_second: limit(self.requests_per_second),
            requests_per_minute: limit(self.requests_per_minute),
            requests_per_hour: limit(self.requests_per_hour),
            tokens_per_minute: limit(self.tokens_per_minute),
            tokens_per_hour: limit(self.tokens_per_hour),
            concurrent_requests: limit(self.concurrent_requests),
            min_interval_millis: limit(self.min_interval_ms),
            disabled: self.status != "active",
        }
    }
}

#[derive(FromRow)]
struct UseRow {
    provider_name: String,
    api_endpoint: String,
    #[sqlx(flatten)]
    limits: LimitsRow,
    held: i64,
    last_second: i64,
    last_minute: i64,
    last_hour: i64,
    minute_tokens: i64,
    hour_tokens: i64,
    newest: Option<Instant>,
}

impl UseRow {
    fn read(self, now: DateTime<Utc>) -> CapacityUse {
        let limits = self.limits.limits();
        let below = |used: i64, limit: Option<u32>| limit.is_none_or(|limit| used < i64::from(limit));
        let within = |used: i64, limit: Option<u32>| limit.is_none_or(|limit| used <= i64::from(limit));
        let interval = TimeDelta::milliseconds(limits.min_interval_millis.unwrap_or(0).into());
        let available = !limits.disabled
            && below(self.last_second, limits.requests_per_second)
            && below(self.last_minute, limits.requests_per_minute)
            && below(self.last_hour, limits.requests_per_hour)
            && within(self.minute_tokens, limits.tokens_per_minute)
            && within(self.hour_tokens, limits.tokens_per_hour)
            && below(self.held, limits.concurrent_requests)
            && self.newest.is_none_or(|it| it.0 + interval <= now);
        let count = |number: i64| u32::try_from(number).unwrap_or_default();
        CapacityUse {
            endpoint: Endpoint { provider: self.provider_name, endpoint: self.api_endpoint },
            limits,
            held: count(self.held),
            requests_last_minute: count(self.last_minute),
            available,
        }
    }
}
