//! The canonical dump: what a database holds, as text that is the same on both back-ends for the same history.
//!
//! For tests and for support. Ids, run numbers and instants of our own bookkeeping differ from run to run and are masked;
//! content, hashes and the instants of sources are not.

use serde_json::{Map, Value};
use sqlx::AssertSqlSafe;
use uuid::Uuid;
use yarnnn_core::StoreError;
use yarnnn_core::clock::instant_text;

use crate::SqlStore;
use crate::db::{Db, on_pool};
use crate::dialect::fork;
use crate::error::{Doing as _, unreadable};
use crate::text::sorted_json;

/// Every table that holds what a history leaves, parents first. Not those of the job system (`job_*`, `api_*`): what stands in
/// them depends on who worked when, and permits and presence are gone within the hour. Nor sign-ins and pages of rebuilds that are
/// under way.
const TABLES: [&str; 18] = [
    "users",
    "workspaces",
    "user_context",
    "activity_log",
    "platform_connections",
    "platform_content",
    "sync_registry",
    "deliverables",
    "deliverable_versions",
    "version_material",
    "version_sentences",
    "evidence",
    "outbox",
    "model_calls",
    "web_pages",
    "event_trigger_log",
    "user_notification_preferences",
    "_sqlx_migrations",
];
/// Columns that only one back-end has, or that say how long something took.
const PRIVATE: [&str; 4] = ["row", "search", "checksum", "execution_time"];
/// Columns that hold secrets, sealed with chance in them.
const SEALED: [&str; 2] = ["credentials_encrypted", "refresh_token_encrypted"];
/// Columns that `SQLite` keeps as numbers.
const FLAGS: [&str; 16] = [
    "analyst_cold_start_sent",
    "digest_enabled",
    "email_deliverable_failed",
    "email_deliverable_ready",
    "email_suggestion_created",
    "email_weekly_digest",
    "email_work_complete",
    "is_current",
    "is_inference",
    "is_user_authored",
    "onboarded",
    "retained",
    "signal_contact_drift",
    "signal_meeting_prep",
    "signal_silence_alert",
    "success",
];
/// Columns that `SQLite` keeps as JSON text; a few are text on both.
const JSON: [&str; 26] = [
    "analyst_metadata",
    "covered",
    "destination",
    "edit_categories",
    "edit_diff",
    "event_data",
    "gaps",
    "landscape",
    "material",
    "metadata",
    "payload",
    "pending",
    "places",
    "recipient_context",
    "request",
    "response",
    "run_state",
    "schedule",
    "settings",
    "source_snapshots",
    "sources",
    "sync_metadata",
    "trigger_config",
    "type_classification",
    "type_config",
    "template_structure",
];

impl SqlStore {
    /// Every row of every table, one JSON object a line, sorted within each table. Holds the content of all users.
    ///
    /// # Errors
    /// `Unavailable` or `Corrupt`.
    pub async fn dump(&self) -> Result<Vec<String>, StoreError> {
        let mut lines = vec![];
        for table in TABLES {
            let mut rows = table_rows(&self.db, table).await?;
            rows.sort();
            lines.extend(rows);
        }
        Ok(lines)
    }
}

async fn table_rows(db: &Db, table: &'static str) -> Result<Vec<String>, StoreError> {
    let sql = fork!(db.dialect(),
        postgres: format!("select cast(row_to_json(it) as text) from {table} as it"),
        sqlite: format!("select json_object({}) from {table}", sqlite_columns(db, table).await?),
    );
    let rows: Vec<String> = on_pool!(db, pool => sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(pool).await).doing(table)?;
    rows.iter().map(|row| line(table, row)).collect()
}

/// The arguments that make a JSON object of a row. Blobs have no place in JSON and are left out.
#[cfg(feature = "sqlite")]
async fn sqlite_columns(db: &Db, table: &'static str) -> Result<String, StoreError> {
    const COLUMNS: &str = "select name from pragma_table_info($1) where type <> 'BLOB'";
    let names: Vec<String> = on_pool!(db, pool => sqlx::query_scalar(COLUMNS).bind(table).fetch_all(pool).await).doing(table)?;
    Ok(names.iter().map(|name| format!("'{name}', {name}")).collect::<Vec<_>>().join(", "))
}

fn line(table: &str, row: &str) -> Result<String, StoreError> {
    let row: Map<String, Value> = serde_json::from_str(row).map_err(|error| unreadable(table, error))?;
    let mut line = Map::new();
    for (column, value) in row.into_iter().filter(|(column, _)| !PRIVATE.contains(&column.as_str())) {
        let value = masked(&column, typed(&column, value));
        line.insert(column, value);
    }
    Ok(format!("{table} {}", sorted_json(Value::Object(line))))
}

/// The value as the richer back-end would have it.
fn typed(column: &str, value: Value) -> Value {
    match value {
        Value::Number(number) if FLAGS.contains(&column) => Value::Bool(number.as_u64() != Some(0)),
        // A whole number is one with a fraction to one back-end, and one without to the other.
        Value::Number(number) if column == "confidence" => number.as_f64().map_or(Value::Null, Value::from),
        Value::String(text) if JSON.contains(&column) => serde_json::from_str(&text).unwrap_or(Value::String(text)),
        other => other,
    }
}

/// Masks what differs from run to run: also inside of JSON, where the names of fields are like those of columns.
fn masked(name: &str, value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(masked_text(name, text)),
        Value::Number(_) if name == "run_token" => Value::from("<token>"),
        Value::Array(items) => items.into_iter().map(|item| masked(name, item)).collect(),
        Value::Object(map) => map.into_iter().map(|(key, value)| (key.clone(), masked(&key, value))).collect(),
        other => other,
    }
}

fn masked_text(name: &str, text: String) -> String {
    let own_instant = (name.ends_with("_at") && !name.starts_with("source_"))
        || matches!(name, "held_until" | "installed_on" | "refresh_until");
    match (Uuid::try_parse(&text), chrono::DateTime::parse_from_rfc3339(&text)) {
        _ if SEALED.contains(&name) => "<sealed>".to_owned(),
        (Ok(_), _) if text.len() == 36 => "<id>".to_owned(),
        _ if own_instant => "<at>".to_owned(),
        (_, Ok(instant)) if name.starts_with("source_") => instant_text(instant.to_utc()),
        _ if name == "key" => {
            text.split('/').map(|part| if Uuid::try_parse(part).is_ok() { "<id>" } else { part }).collect::<Vec<_>>().join("/")
        }
        _ => text,
    }
}
