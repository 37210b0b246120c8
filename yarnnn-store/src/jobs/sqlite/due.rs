//! When the next job is due.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::SqliteConnection;
use sqlx::types::Json;
use yarnnn_core::StoreError;
use yarnnn_core::jobs::NextDue;

use super::groups::groups;
use crate::columns::Instant;
use crate::error::Doing as _;

pub(super) const QUARANTINED: &str = "select scheduled_at from job_queue indexed by job_queue_quarantine \
    where status in ('queued', 'retrying') and crashes >= 2 \
    and ($1 is null or job_type in (select value from json_each($1))) and ($2 is null or lane in (select value from json_each($2))) \
    order by scheduled_at, id limit 1";

/// How long until the next waiting job is due.
pub(in crate::jobs) async fn next_due(
    c: &mut SqliteConnection,
    due: &NextDue,
    now: DateTime<Utc>,
) -> Result<Option<Duration>, StoreError> {
    let first: Option<Instant> = if due.alone {
        let query = sqlx::query_scalar(QUARANTINED).bind(due.kinds.as_ref().map(Json)).bind(due.lanes.as_ref().map(Json));
        query.fetch_optional(c).await.doing("the next job in quarantine")?
    } else {
        groups(c, due.kinds.as_deref(), due.lanes.as_deref()).await?.into_iter().map(|it| it.first_at).min()
    };
    // What is past is due now.
    Ok(first.map(|it| (it.0 - now).to_std().unwrap_or_default()))
}
