//! Queueing a job again, under its key.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::SqliteConnection;
use sqlx::types::Json;
use yarnnn_core::StoreError;
use yarnnn_core::id::JobId;

use super::super::prepare::digest;
use super::history::{Line, tell};
use crate::columns::{Id, Instant};
use crate::error::Doing as _;
use crate::text::clean;

const KEYED: &str = "select job_type || '/' || coalesce(owner_user_id, ''), idempotency_key, job_payload from job_queue \
    where id = $1 and idempotency_key is not null";
/// Whether another job stands under the key.
const TAKEN: &str = "select exists (select 1 from job_keys as k join job_queue as other on other.id = k.job_id \
    where k.scope = $1 and k.key = $2 and k.holds = 'active' and k.job_id <> $3 and other.status in ('queued', 'running', 'retrying'))";
/// The key stands for this job again; keys that hold otherwise are let be.
const TAKE: &str = "insert into job_keys (scope, key, job_id, payload_hash, holds) values ($1, $2, $3, $4, 'active') \
    on conflict (scope, key) do update set job_id = excluded.job_id, payload_hash = excluded.payload_hash where holds = 'active'";
const RETRY: &str = "update job_queue set status = 'queued', scheduled_at = $2, attempt = 0, crashes = 0, reschedules = 0, \
    cancel_requested = 0, progress = null, job_result = null, result_expires_at = null, cause = null, completed_at = null, \
    dead_letter_at = null, updated_at = $2 where id = $1 and status not in ('running', 'succeeded')";

/// Whether it was: not a job that runs or succeeded, nor one whose key stands for another by now.
pub(in crate::jobs) async fn retry(
    c: &mut SqliteConnection,
    job: JobId,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let id = Id(job.as_uuid());
    let keyed: Option<(String, String, Json<Value>)> =
        sqlx::query_as(KEYED).bind(id).fetch_optional(&mut *c).await.doing(format!("job {job}"))?;
    if let Some((scope, key, _)) = &keyed {
        let taken: bool = sqlx::query_scalar(TAKEN).bind(scope).bind(key).bind(id).fetch_one(&mut *c).await.doing("a key")?;
        if taken {
            return Ok(false);
        }
    }
    let changed = sqlx::query(RETRY).bind(id).bind(Instant(now)).execute(&mut *c).await.doing(format!("job {job}"))?;
    if changed.rows_affected() == 0 {
        return Ok(false);
    }
    if let Some((scope, key, payload)) = keyed {
        let hash = digest(&payload.0);
        sqlx::query(TAKE).bind(scope).bind(key).bind(id).bind(hash).execute(&mut *c).await.doing("a key")?;
    }
    let line = Line { job: job.as_uuid(), event: "retried", attempt: 0, reason: None };
    tell(c, &[line], Some(&clean(actor)), now).await?;
    Ok(true)
}
