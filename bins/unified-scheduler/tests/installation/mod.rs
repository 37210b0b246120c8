//! A database with people and their schedules, and the program on it.

use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, SqliteConnection};
use tempfile::TempDir;
use yarnnn::deliverables::{CreateDeliverable, Schedule};
use yarnnn::id::UserId;
use yarnnn::{Config, Yarnnn};
use yarnnn_server::cron::ShiftedClock;

/// What hangs is a failure.
const PATIENCE: Duration = Duration::from_mins(2);

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    Sqlite,
    Postgres,
}

/// A folder and a database.
pub(crate) struct Installation {
    pub(crate) folder: TempDir,
    url: String,
    database: Option<String>,
}

/// What a program that ended said.
pub(crate) struct Said {
    code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Said {
    /// Fails the test unless the program ended with the code, and of its own will.
    pub(crate) fn expect(self, code: i32) -> Self {
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        assert_eq!(self.code, code, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    /// The object on standard output.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}\n{}", self.stdout, self.stderr))
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

/// Waits for the end of a program.
pub(crate) fn ended(mut child: Child) -> Said {
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("it does not end: {}", Said::from(child.wait_with_output().unwrap()).stderr);
        }
        std::thread::yield_now();
    }
    child.wait_with_output().unwrap().into()
}

fn cluster() -> String {
    std::env::var("YARNNN_TEST_POSTGRES_URL")
        .expect("set YARNNN_TEST_POSTGRES_URL, or run `cargo xtask test`, which starts a Postgres")
}

async fn administer(statement: String) {
    let mut connection = PgConnection::connect(&cluster()).await.unwrap();
    connection.execute(AssertSqlSafe(statement)).await.unwrap();
}

fn database_url(name: &str) -> String {
    let cluster = cluster();
    let (head, query) = cluster.split_once('?').unwrap_or((cluster.as_str(), ""));
    let head = head.rsplit_once('/').map_or(head, |(head, _)| head);
    format!("{head}/{name}?{query}")
}

/// An instant.
pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

impl Installation {
    /// With a database that is migrated, and the local user.
    pub(crate) async fn new(backend: Backend) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let installation = if backend == Backend::Sqlite {
            let url = format!("sqlite://{}", folder.path().join("test.db").display());
            Self { folder, url, database: None }
        } else {
            let name = format!("yarnnn_scheduler_{}", uuid::Uuid::new_v4().simple());
            administer(format!("create database {name}")).await;
            Self { folder, url: database_url(&name), database: Some(name) }
        };
        installation.handle(at("2026-01-01T00:00:00Z")).await;
        installation
    }

    /// The library on this database, at an instant.
    pub(crate) async fn handle(&self, now: DateTime<Utc>) -> Yarnnn {
        let variables = self.variables();
        let lookup = |name: &str| variables.iter().find(|(it, _)| *it == name).map(|(_, value)| value.clone());
        let config = Config::from_lookup(&lookup).unwrap();
        yarnnn::builder(&config).await.unwrap().clock(Arc::new(ShiftedClock::showing(now))).build()
    }

    /// So many people with two daily reports each, at times that the number of the report gives, made at an instant.
    pub(crate) async fn people(&self, count: usize, made: DateTime<Utc>, time: impl Fn(usize) -> String) -> Vec<UserId> {
        let yarnnn = self.handle(made).await;
        let mut people = vec![];
        for person in 0..count {
            let user = yarnnn.user(format!("person{person}@example.com").parse().unwrap()).await.unwrap();
            for report in 0..2 {
                let schedule = Schedule::parse("daily", None, Some(&time(2 * person + report)), None).unwrap();
                let create = CreateDeliverable::new("status_report", format!("Report {report} of {person}"));
                yarnnn.deliverables().create(&user, CreateDeliverable { schedule: Some(schedule), ..create }).await.unwrap();
            }
            people.push(user.id);
        }
        people
    }

    fn variables(&self) -> Vec<(&'static str, String)> {
        let outbox = self.folder.path().join("outbox").display().to_string();
        vec![("DATABASE_URL", self.url.clone()), ("YARNNN_OUTBOX_DIR", outbox)]
    }

    /// The program with this installation's settings and no others.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_yarnnn-unified-scheduler"));
        command.args(arguments).current_dir(self.folder.path()).env_clear().envs(self.variables());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Starts a tick as of an instant.
    pub(crate) fn start(&self, now: DateTime<Utc>, arguments: &[&str]) -> Child {
        let now = now.to_rfc3339();
        self.command(&[&["--json", "--now", now.as_str()], arguments].concat()).spawn().unwrap()
    }

    /// One tick as of an instant.
    pub(crate) fn tick(&self, now: DateTime<Utc>, arguments: &[&str]) -> Value {
        ended(self.start(now, arguments)).expect(0).json()
    }

    /// The one text column of a query's rows.
    pub(crate) async fn texts(&self, query: &str) -> Vec<String> {
        let query = AssertSqlSafe(query.to_owned());
        if self.database.is_some() {
            let mut connection = PgConnection::connect(&self.url).await.unwrap();
            return sqlx::query_scalar(query).fetch_all(&mut connection).await.unwrap();
        }
        let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
        sqlx::query_scalar(query).fetch_all(&mut connection).await.unwrap()
    }

    /// What a user's heartbeats say of one number, newest first.
    pub(crate) async fn heartbeats(&self, user: UserId, number: &str) -> Vec<u64> {
        let yarnnn = self.handle(at("2026-01-01T00:00:00Z")).await;
        let lines = yarnnn.activity().heartbeats(user, 1_000).await.unwrap();
        lines.iter().map(|it| it.metadata[number].as_u64().unwrap()).collect()
    }

    /// How long after a real instant each job begins, in seconds.
    pub(crate) async fn delays(&self, now: DateTime<Utc>) -> Vec<i64> {
        let yarnnn = self.handle(now).await;
        let filter = yarnnn::jobs::JobFilter { limit: 1_000, ..Default::default() };
        let jobs = yarnnn.jobs().admin.list(&filter).await.unwrap();
        jobs.iter().map(|it| (it.run_at - it.created_at).max(TimeDelta::zero()).num_seconds()).collect()
    }

    /// Ends it: a Postgres database is dropped.
    pub(crate) async fn close(self) {
        if let Some(name) = &self.database {
            administer(format!("drop database {name} with (force)")).await;
        }
    }
}
