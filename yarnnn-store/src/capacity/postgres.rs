//! Permits on Postgres: calls of the SQL functions.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;
use yarnnn_core::StoreError;
use yarnnn_core::id::PermitId;
use yarnnn_core::jobs::{Admission, Permit, PermitRequest};

use crate::error::{Doing as _, unreadable};

const ACQUIRE: &str =
    "select permit_id, expires_at, retry_after_seconds, impossible from acquire_api_permit($1, $2, $3, $4, $5, $6)";
const RELEASE: &str = "select release_api_permit($1, $2, $3)";

/// Permit, its end, or seconds to wait, or why never.
type Answer = (Option<Uuid>, Option<DateTime<Utc>>, Option<f64>, Option<String>);

pub(super) async fn acquire(
    connection: &mut PgConnection,
    request: &PermitRequest,
    now: Option<DateTime<Utc>>,
) -> Result<Admission, StoreError> {
    let endpoint = &request.endpoint;
    let answer: Result<Answer, sqlx::Error> = sqlx::query_as(ACQUIRE)
        .bind(&endpoint.provider)
        .bind(&endpoint.endpoint)
        .bind(i64::from(request.tokens))
        .bind(request.worker.as_str())
        .bind(request.lease.as_secs_f64())
        .bind(now)
        .fetch_one(connection)
        .await;
    match answer {
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("YJ404") => {
            Err(StoreError::NotFound { what: format!("a limit for {} {}", endpoint.provider, endpoint.endpoint) })
        }
        Err(error) => Ok(Err(error).doing("a permit")?),
        Ok((Some(id), Some(expires_at), _, _)) => {
            Ok(Admission::Granted(Permit { id: PermitId::from_uuid(id), endpoint: endpoint.clone(), expires_at }))
        }
        Ok((_, _, _, Some(reason))) => Ok(Admission::Impossible { reason }),
        Ok((_, _, Some(seconds), _)) => {
            Ok(Admission::Refused { retry_after: Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX) })
        }
        Ok(_) => Err(unreadable("a permit", "neither granted nor refused")),
    }
}

pub(super) async fn release(
    connection: &mut PgConnection,
    permit: PermitId,
    tokens: Option<u32>,
    now: Option<DateTime<Utc>>,
) -> Result<(), StoreError> {
    sqlx::query(RELEASE)
        .bind(permit.as_uuid())
        .bind(tokens.map(i64::from))
        .bind(now)
        .execute(connection)
        .await
        .doing("release a permit")?;
    Ok(())
}
