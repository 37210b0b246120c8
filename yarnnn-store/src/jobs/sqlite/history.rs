//! The history of jobs: one line per change of state, many in one statement.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::SqliteConnection;
use sqlx::types::Json;
use uuid::Uuid;

use crate::columns::Instant;
use crate::error::{DbError, Doing as _};

pub(super) const TELL: &str = "insert into job_events (job_id, at, event, actor, attempt, reason) \
    select value ->> 0, $2, value ->> 1, $3, value ->> 2, value ->> 3 from json_each($1)";

/// One line.
pub(super) struct Line<'a> {
    /// The job.
    pub(super) job: Uuid,
    /// What happened.
    pub(super) event: &'a str,
    /// In which try.
    pub(super) attempt: i64,
    /// Why.
    pub(super) reason: Option<String>,
}

/// Writes lines in the order given.
pub(super) async fn tell(
    c: &mut SqliteConnection,
    lines: &[Line<'_>],
    actor: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    if lines.is_empty() {
        return Ok(());
    }
    let lines: Vec<Value> = lines.iter().map(|it| json!([it.job, it.event, it.attempt, it.reason])).collect();
    let query = sqlx::query(TELL).bind(Json(lines)).bind(Instant(now)).bind(actor);
    query.execute(c).await.map(|_| ()).doing("the history of jobs")
}
