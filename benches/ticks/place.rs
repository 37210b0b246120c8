//! Where it is measured: an installation on a database of its own, Postgres or a new `SQLite` file, with people and schedules.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, SqliteConnection};
use uuid::Uuid;
use yarnnn::Yarnnn;
use yarnnn::clock::instant_text;
use yarnnn::config::{Config, DatabaseConfig};
use yarnnn_server::cron::ShiftedClock;

const DATABASE: &str = "yarnnn_bench_ticks";

/// Schedules of one person.
const EACH: u64 = 4;
/// Rows of one statement.
const BATCH: usize = 10_000;

const GIVEN: &str = "id uuid, user_id uuid, email text, title text, next_run_at timestamptz";
const PEOPLE: &str =
    "insert into users (id, email, email_lower, created_at, updated_at) select id, email, email, AT, AT from GIVEN";
const REPORTS: &str = "insert into deliverables (id, user_id, title, deliverable_type, schedule, destination, status, next_run_at, \
    created_at, updated_at) select id, user_id, title, 'status_report', \
    '{\"frequency\": \"daily\", \"day\": \"monday\", \"time\": \"09:00\", \"timezone\": \"Europe/Berlin\"}', \
    '{\"platform\": \"download\"}', 'active', next_run_at, AT, AT from GIVEN";

/// A database and a product on it.
pub(crate) struct Place {
    database: Database,
    pub(crate) yarnnn: Yarnnn,
    pub(crate) clock: Arc<ShiftedClock>,
}

enum Database {
    Postgres { admin: String, url: String },
    Sqlite { file: PathBuf },
}

impl Place {
    pub(crate) async fn postgres(folder: &Path) -> anyhow::Result<Self> {
        let admin = std::env::var("YARNNN_TEST_POSTGRES_URL").context("run `cargo xtask bench`, which starts a Postgres")?;
        let mut connection = PgConnection::connect(&admin).await?;
        connection.execute(AssertSqlSafe(format!("drop database if exists {DATABASE} with (force)"))).await?;
        connection.execute(AssertSqlSafe(format!("create database {DATABASE}"))).await?;
        let url = admin.replacen("/postgres?", &format!("/{DATABASE}?"), 1);
        ensure!(url != admin, "the address of the test Postgres has another form than expected");
        let config = Config { database: DatabaseConfig::new(&url)?, ..Config::in_folder(folder) };
        Self::open(&config, Database::Postgres { admin, url }).await
    }

    pub(crate) async fn sqlite(folder: &Path) -> anyhow::Result<Self> {
        let file = folder.join("ticks.db");
        let url = format!("sqlite://{}", file.display());
        let config = Config { database: DatabaseConfig::new(&url)?, ..Config::in_folder(folder) };
        Self::open(&config, Database::Sqlite { file }).await
    }

    async fn open(config: &Config, database: Database) -> anyhow::Result<Self> {
        let clock = Arc::new(ShiftedClock::showing(DateTime::UNIX_EPOCH));
        let yarnnn = yarnnn::builder(config).await?.clock(clock.clone()).build();
        Ok(Self { database, yarnnn, clock })
    }

    pub(crate) fn name(&self) -> &'static str {
        match self.database {
            Database::Postgres { .. } => "Postgres",
            Database::Sqlite { .. } => "SQLite",
        }
    }

    /// The address of the Postgres.
    pub(crate) fn url(&self) -> Option<&str> {
        match &self.database {
            Database::Postgres { url, .. } => Some(url),
            Database::Sqlite { .. } => None,
        }
    }

    /// Runs a statement as it stands.
    pub(crate) async fn execute(&self, statement: &str) -> anyhow::Result<()> {
        let statement = AssertSqlSafe(statement.to_owned());
        match &self.database {
            Database::Postgres { url, .. } => PgConnection::connect(url).await?.execute(statement).await.map(|_| ())?,
            Database::Sqlite { file } => {
                let url = format!("sqlite://{}", file.display());
                SqliteConnection::connect(&url).await?.execute(statement).await.map(|_| ())?;
            }
        }
        Ok(())
    }

    /// An installation with so many daily reports, four of each person; the report of a number is due at an instant. Nothing has been
    /// fired yet.
    pub(crate) async fn fill(&self, schedules: u64, due: impl Fn(u64) -> DateTime<Utc>) -> anyhow::Result<()> {
        self.clear().await?;
        let mut owner = Uuid::nil();
        for first in (0..schedules).step_by(BATCH) {
            let (mut people, mut reports) = (vec![], vec![]);
            for number in first..schedules.min(first + BATCH as u64) {
                if number % EACH == 0 {
                    owner = Uuid::now_v7();
                    people.push(json!({ "id": owner, "email": format!("person{number}@example.com") }));
                }
                let next = instant_text(due(number));
                reports.push(
                    json!({ "id": Uuid::now_v7(), "user_id": owner, "title": format!("Report {number}"), "next_run_at": next }),
                );
            }
            self.insert(PEOPLE, &Value::Array(people)).await?;
            self.insert(REPORTS, &Value::Array(reports)).await?;
        }
        self.settle().await
    }

    async fn insert(&self, insert: &str, rows: &Value) -> anyhow::Result<()> {
        let rows = format!("'{}'", rows.to_string().replace('\'', "''"));
        let given = match self.database {
            Database::Postgres { .. } => format!("jsonb_to_recordset({rows}) as g ({GIVEN})"),
            Database::Sqlite { .. } => {
                let columns: Vec<_> = GIVEN.split(", ").filter_map(|it| it.split(' ').next()).collect();
                let columns: Vec<_> = columns.iter().map(|it| format!("value ->> '{it}' as {it}")).collect();
                format!("(select {} from json_each({rows}))", columns.join(", "))
            }
        };
        let at = self.instant("2026-11-01T00:00:00Z");
        self.execute(&insert.replace("GIVEN", &given).replace("AT", &at)).await
    }

    async fn clear(&self) -> anyhow::Result<()> {
        let tables =
            ["job_events", "job_keys", "job_queue", "activity_log", "deliverable_slots", "scheduler_slots", "deliverables"];
        match self.database {
            Database::Postgres { .. } => self.execute(&format!("truncate {}, users cascade", tables.join(", "))).await,
            Database::Sqlite { .. } => {
                let each: Vec<_> = tables.iter().chain(&["users"]).map(|it| format!("delete from {it};")).collect();
                self.execute(&each.concat()).await
            }
        }
    }

    async fn settle(&self) -> anyhow::Result<()> {
        let statements: &[&str] = match self.database {
            Database::Postgres { .. } => &["vacuum analyze", "checkpoint"],
            Database::Sqlite { .. } => &["analyze", "pragma wal_checkpoint(truncate)"],
        };
        for statement in statements {
            self.execute(statement).await?;
        }
        Ok(())
    }

    fn instant(&self, text: &str) -> String {
        match self.database {
            Database::Postgres { .. } => format!("timestamptz '{text}'"),
            Database::Sqlite { .. } => format!("'{}'", instant_text(text.parse().unwrap_or_default())),
        }
    }

    pub(crate) async fn drop(self) -> anyhow::Result<()> {
        if let Database::Postgres { admin, .. } = self.database {
            let mut connection = PgConnection::connect(&admin).await?;
            connection.execute(AssertSqlSafe(format!("drop database {DATABASE} with (force)"))).await?;
        }
        Ok(())
    }
}

/// An instant of the day that is measured.
pub(crate) fn at(hour: u32, minute: u32) -> DateTime<Utc> {
    let text = format!("2026-11-23T{hour:02}:{minute:02}:00Z");
    text.parse().unwrap_or_default()
}
