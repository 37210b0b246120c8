//! Permits on `SQLite`: windows are counted from the permits themselves, within a transaction that nobody else can begin.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::SqliteConnection;
use yarnnn_core::StoreError;
use yarnnn_core::id::PermitId;
use yarnnn_core::jobs::{Admission, Endpoint, Permit, PermitRequest};

use super::port::LimitsRow;
use crate::columns::{Id, Instant};
use crate::error::{DbError, Doing as _};
use crate::text::clean;

const LIMITS: &str = "select requests_per_second, requests_per_minute, requests_per_hour, tokens_per_minute, tokens_per_hour, \
    concurrent_requests, min_interval_ms, status from api_rate_limits where provider_name = $1 and api_endpoint = $2";
/// The permit that must leave the window for one more to enter: the n-th newest, counted from 0.
const NTH_REQUEST: &str = "select acquired_at from api_permits where provider_name = $1 and api_endpoint = $2 \
    and acquired_at > $3 order by acquired_at desc limit 1 offset $4";
/// The same for tokens: the newest with which those after it spend more than is left.
const SPENT: &str = "select acquired_at from (select acquired_at, sum(tokens) over (order by acquired_at desc, id) as spent \
    from api_permits where provider_name = $1 and api_endpoint = $2 and acquired_at > $3) where spent > $4 \
    order by acquired_at desc limit 1";
const NEWEST: &str = "select max(acquired_at) from api_permits where provider_name = $1 and api_endpoint = $2";
/// The permit that must end for one more to be held: the n-th that ends last, counted from 0.
const NTH_HELD: &str = "select expires_at from api_permits where provider_name = $1 and api_endpoint = $2 \
    and released_at is null and expires_at > $3 order by expires_at desc limit 1 offset $4";
const GRANT: &str = "insert into api_permits (id, provider_name, api_endpoint, worker_id, tokens, acquired_at, expires_at) \
    values ($1, $2, $3, $4, $5, $6, $7)";
const REFUSED: &str = "update api_rate_limits set last_rate_limit_hit = $3, rate_limit_violations = rate_limit_violations + 1 \
    where provider_name = $1 and api_endpoint = $2";
const RELEASE: &str = "update api_permits set released_at = $2, tokens = coalesce($3, tokens) \
    where id = $1 and released_at is null and expires_at > $2";

/// Asks for a permit.
pub(super) async fn acquire(
    c: &mut SqliteConnection,
    request: &PermitRequest,
    id: PermitId,
    now: DateTime<Utc>,
) -> Result<Admission, StoreError> {
    let at = Place::of(&request.endpoint);
    let limits: LimitsRow =
        sqlx::query_as(LIMITS).bind(&at.provider).bind(&at.endpoint).fetch_one(&mut *c).await.doing(at.name())?;
    let tokens = i64::from(request.tokens);
    if let Some(reason) = impossible(&limits, &at, tokens) {
        refuse(c, &at, now).await?;
        return Ok(Admission::Impossible { reason });
    }
    if let Some(until) = blocked_until(c, &limits, &at, tokens, now).await? {
        refuse(c, &at, now).await?;
        return Ok(Admission::Refused { retry_after: (until - now).to_std().unwrap_or_default() });
    }
    Ok(grant(c, request, &at, id, now).await?)
}

/// Gives a permit back; one that ended is let be.
pub(super) async fn release(
    c: &mut SqliteConnection,
    permit: PermitId,
    tokens: Option<u32>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let query = sqlx::query(RELEASE).bind(Id(permit.as_uuid())).bind(Instant(now)).bind(tokens.map(i64::from));
    Ok(query.execute(c).await.map(|_| ()).doing(format!("permit {permit}"))?)
}

/// An endpoint as it is stored.
struct Place {
    provider: String,
    endpoint: String,
}

impl Place {
    fn of(endpoint: &Endpoint) -> Self {
        Self { provider: clean(&endpoint.provider).into_owned(), endpoint: clean(&endpoint.endpoint).into_owned() }
    }

    fn name(&self) -> String {
        format!("endpoint {} {}", self.provider, self.endpoint)
    }
}

/// Why no wait would help.
fn impossible(limits: &LimitsRow, at: &Place, tokens: i64) -> Option<String> {
    let name = at.name();
    let requests = [limits.requests_per_second, limits.requests_per_minute, limits.requests_per_hour, limits.concurrent_requests];
    let most = [limits.tokens_per_minute, limits.tokens_per_hour].into_iter().flatten().min();
    if limits.status != "active" {
        return Some(format!("{name} is {}", limits.status));
    }
    if requests.into_iter().flatten().any(|it| it <= 0) {
        return Some(format!("{name} allows no request at all"));
    }
    most.filter(|most| tokens > *most).map(|most| format!("{name} allows {most} tokens, and this call may take {tokens}"))
}

/// When every limit would let the call through, if nothing else happens; none if they do now.
async fn blocked_until(
    c: &mut SqliteConnection,
    limits: &LimitsRow,
    at: &Place,
    tokens: i64,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, DbError> {
    let windows = [
        (TimeDelta::seconds(1), limits.requests_per_second, None),
        (TimeDelta::minutes(1), limits.requests_per_minute, limits.tokens_per_minute),
        (TimeDelta::hours(1), limits.requests_per_hour, limits.tokens_per_hour),
    ];
    let mut until = vec![];
    for (length, requests, spent) in windows {
        let since = now - length;
        if let Some(limit) = requests {
            until.push(find(c, NTH_REQUEST, at, (since, limit - 1)).await?.map(|it| it + length));
        }
        if let Some(limit) = spent {
            until.push(find(c, SPENT, at, (since, limit - tokens)).await?.map(|it| it + length));
        }
    }
    if let Some(limit) = limits.concurrent_requests {
        until.push(find(c, NTH_HELD, at, (now, limit - 1)).await?);
    }
    if let Some(millis) = limits.min_interval_ms {
        until.push(newest(c, at).await?.map(|it| it + TimeDelta::milliseconds(millis)));
    }
    Ok(until.into_iter().flatten().max().filter(|it| *it > now))
}

async fn find(
    c: &mut SqliteConnection,
    sql: &'static str,
    at: &Place,
    (since, number): (DateTime<Utc>, i64),
) -> Result<Option<DateTime<Utc>>, DbError> {
    let query = sqlx::query_scalar(sql).bind(&at.provider).bind(&at.endpoint).bind(Instant(since)).bind(number);
    let found: Option<Instant> = query.fetch_optional(c).await.doing(at.name())?;
    Ok(found.map(|it| it.0))
}

async fn newest(c: &mut SqliteConnection, at: &Place) -> Result<Option<DateTime<Utc>>, DbError> {
    let query = sqlx::query_scalar(NEWEST).bind(&at.provider).bind(&at.endpoint);
    let found: Option<Instant> = query.fetch_one(c).await.doing(at.name())?;
    Ok(found.map(|it| it.0))
}

async fn refuse(c: &mut SqliteConnection, at: &Place, now: DateTime<Utc>) -> Result<(), DbError> {
    let query = sqlx::query(REFUSED).bind(&at.provider).bind(&at.endpoint).bind(Instant(now));
    query.execute(c).await.map(|_| ()).doing(at.name())
}

async fn grant(
    c: &mut SqliteConnection,
    request: &PermitRequest,
    at: &Place,
    id: PermitId,
    now: DateTime<Utc>,
) -> Result<Admission, DbError> {
    let expires_at = expiry(now, request.lease);
    let query = sqlx::query(GRANT)
        .bind(Id(id.as_uuid()))
        .bind(&at.provider)
        .bind(&at.endpoint)
        .bind(clean(request.worker.as_str()))
        .bind(request.tokens)
        .bind(Instant(now))
        .bind(Instant(expires_at));
    query.execute(c).await.doing(at.name())?;
    Ok(Admission::Granted(Permit { id, endpoint: request.endpoint.clone(), expires_at }))
}

/// A permit for ever is one for a day.
fn expiry(now: DateTime<Utc>, lease: Duration) -> DateTime<Utc> {
    const LONGEST: TimeDelta = TimeDelta::days(1);
    now + TimeDelta::from_std(lease).unwrap_or(LONGEST).min(LONGEST)
}
