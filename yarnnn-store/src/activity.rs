//! The activity log: read by its port, written with whatever it tells of, in the same transaction.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use sqlx::types::Json;
use yarnnn_core::StoreError;
use yarnnn_core::activity::{Activity, ActivityKind, ActivityLog, NewActivity};
use yarnnn_core::id::{ActivityId, DeliverableId, UserId};

use crate::SqlStore;
use crate::columns::{Id, Instant};
use crate::db::{Tx, on_pool, on_tx};
use crate::dialect::fork;
use crate::error::{DbError, Doing as _, unreadable};
use crate::text::{clean, cleaned_json};

macro_rules! lines_where {
    ($condition:literal) => {
        concat!(
            "select id, event_type, event_ref, summary, metadata, created_at from activity_log where user_id = $1 and ",
            $condition,
            " order by created_at desc, id desc limit $2"
        )
    };
}
const RECENT: &str = lines_where!("event_type <> 'scheduler_heartbeat'");
const HEARTBEATS: &str = lines_where!("event_type = 'scheduler_heartbeat'");
const DEEDS: &str = "select id, event_type, event_ref, summary, metadata, created_at from activity_log \
    where user_id = $1 and event_type <> 'scheduler_heartbeat' and created_at >= $2 order by created_at desc, id desc limit $3";
const FAILURES: &str = "select id, event_type, event_ref, summary, metadata, created_at from activity_log \
    where user_id = $1 and event_type = 'deliverable_run' and metadata ->> 'deliverable_id' = $2 \
    and metadata ->> 'error' is not null order by created_at desc, id desc limit $3";
const INSERT: &str = "insert into activity_log (id, user_id, event_type, event_ref, summary, metadata, created_at) \
    values ($1, $2, $3, $4, $5, $6, $7) on conflict (user_id, event_type, event_ref) do nothing";
const METADATA: &str = "select metadata from activity_log where user_id = $1 and event_type = $2 and event_ref = $3";
const RETELL: &str =
    "update activity_log set summary = $4, metadata = $5 where user_id = $1 and event_type = $2 and event_ref = $3";

/// Many lines at once, from a JSON list.
#[cfg(feature = "postgres")]
const INSERT_POSTGRES: &str = "insert into activity_log (id, user_id, event_type, event_ref, summary, metadata, created_at) \
    select id, user_id, event_type, event_ref, summary, metadata, $2 from jsonb_to_recordset($1) as it \
    (id uuid, user_id uuid, event_type text, event_ref uuid, summary text, metadata jsonb) \
    on conflict (user_id, event_type, event_ref) do nothing";
#[cfg(feature = "sqlite")]
const INSERT_SQLITE: &str = "insert into activity_log (id, user_id, event_type, event_ref, summary, metadata, created_at) \
    select value ->> 'id', value ->> 'user_id', value ->> 'event_type', value ->> 'event_ref', value ->> 'summary', \
    value ->> 'metadata', $2 from json_each($1) where true on conflict (user_id, event_type, event_ref) do nothing";

#[derive(sqlx::FromRow)]
struct ActivityRow {
    id: Id,
    event_type: String,
    event_ref: Option<Id>,
    summary: String,
    metadata: Json<Value>,
    created_at: Instant,
}

impl TryFrom<ActivityRow> for Activity {
    type Error = StoreError;

    fn try_from(row: ActivityRow) -> Result<Self, StoreError> {
        let what = || format!("activity {}", row.id.0);
        let kind =
            ActivityKind::parse(&row.event_type).ok_or_else(|| unreadable(what(), format!("unknown type {}", row.event_type)));
        Ok(Self {
            id: ActivityId::from_uuid(row.id.0),
            kind: kind?,
            key: row.event_ref.ok_or_else(|| unreadable(what(), "it has no key"))?.0,
            summary: row.summary,
            metadata: row.metadata.0,
            created_at: row.created_at.0,
        })
    }
}

#[async_trait]
impl ActivityLog for SqlStore {
    async fn recent(&self, user: UserId, limit: u32) -> Result<Vec<Activity>, StoreError> {
        self.lines(RECENT, user, limit).await
    }

    async fn heartbeats(&self, user: UserId, limit: u32) -> Result<Vec<Activity>, StoreError> {
        self.lines(HEARTBEATS, user, limit).await
    }

    async fn failures(&self, user: UserId, deliverable: DeliverableId, limit: u32) -> Result<Vec<Activity>, StoreError> {
        let query = on_pool!(&self.db, pool => sqlx::query_as::<_, ActivityRow>(FAILURES)
            .bind(Id(user.as_uuid())).bind(deliverable.to_string()).bind(i64::from(limit)).fetch_all(pool).await);
        query.doing("the activity log")?.into_iter().map(Activity::try_from).collect()
    }

    async fn deeds(&self, user: UserId, since: DateTime<Utc>, limit: u32) -> Result<Vec<Activity>, StoreError> {
        let query = on_pool!(&self.db, pool => sqlx::query_as::<_, ActivityRow>(DEEDS)
            .bind(Id(user.as_uuid())).bind(Instant(since)).bind(i64::from(limit)).fetch_all(pool).await);
        query.doing("the activity log")?.into_iter().map(Activity::try_from).collect()
    }
}

impl SqlStore {
    async fn lines(&self, query: &'static str, user: UserId, limit: u32) -> Result<Vec<Activity>, StoreError> {
        let query = on_pool!(&self.db, pool => sqlx::query_as::<_, ActivityRow>(query)
            .bind(Id(user.as_uuid())).bind(i64::from(limit)).fetch_all(pool).await);
        query.doing("the activity log")?.into_iter().map(Activity::try_from).collect()
    }
}

/// Writes a line, unless one with its key is there.
pub(crate) async fn write(tx: &mut Tx, user: UserId, line: NewActivity, at: DateTime<Utc>) -> Result<(), DbError> {
    insert(tx, user, line, at).await.map(|_| ())
}

/// Whether the line was written.
async fn insert(tx: &mut Tx, user: UserId, line: NewActivity, at: DateTime<Utc>) -> Result<bool, DbError> {
    let metadata = Json(cleaned_json(line.metadata));
    on_tx!(tx, connection => {
        let query = sqlx::query(INSERT)
            .bind(Id(line.id.as_uuid()))
            .bind(Id(user.as_uuid()))
            .bind(line.kind.as_str())
            .bind(Id(line.key))
            .bind(clean(&line.summary))
            .bind(metadata)
            .bind(Instant(at));
        query.execute(connection).await.map(|it| it.rows_affected() == 1)
    })
    .doing("a line of the activity log")
}

/// Adds a count to the line with this key, or writes the first such line; `told` says a count, as the field.
pub(crate) async fn add(
    tx: &mut Tx,
    user: UserId,
    (field, count): (&str, u64),
    told: impl Fn(u64) -> NewActivity,
    at: DateTime<Utc>,
) -> Result<(), DbError> {
    let first = told(count);
    let (kind, key) = (first.kind.as_str(), Id(first.key));
    if insert(tx, user, first, at).await? {
        return Ok(());
    }
    let sql = format!("{METADATA}{}", tx.dialect().for_update());
    let metadata: Json<Value> = on_tx!(&mut *tx, connection => sqlx::query_scalar(AssertSqlSafe(sql))
        .bind(Id(user.as_uuid())).bind(kind).bind(key).fetch_one(connection).await)
    .doing("a line of the activity log")?;
    let sum = told(metadata.0.get(field).and_then(Value::as_u64).unwrap_or_default().saturating_add(count));
    on_tx!(tx, connection => {
        let query = sqlx::query(RETELL)
            .bind(Id(user.as_uuid()))
            .bind(kind)
            .bind(key)
            .bind(clean(&sum.summary))
            .bind(Json(cleaned_json(sum.metadata.clone())));
        query.execute(connection).await.map(|_| ())
    })
    .doing("a line of the activity log")
}

/// Writes many lines, each unless one with its key is there.
pub(crate) async fn write_all(tx: &mut Tx, lines: Vec<(UserId, NewActivity)>, at: DateTime<Utc>) -> Result<(), DbError> {
    if lines.is_empty() {
        return Ok(());
    }
    let insert = fork!(tx.dialect(), postgres: INSERT_POSTGRES, sqlite: INSERT_SQLITE);
    let lines: Vec<_> = lines.into_iter().map(as_json).collect();
    on_tx!(tx, connection =>
        sqlx::query(insert).bind(Json(lines)).bind(Instant(at)).execute(connection).await.map(|_| ()))
    .doing("lines of the activity log")
}

fn as_json((user, line): (UserId, NewActivity)) -> Value {
    json!({
        "id": line.id, "user_id": user, "event_type": line.kind.as_str(), "event_ref": line.key,
        "summary": clean(&line.summary), "metadata": cleaned_json(line.metadata),
    })
}
