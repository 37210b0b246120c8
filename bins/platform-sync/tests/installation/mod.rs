//! A database, simulated platforms that are connected, and the program on them.

use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, SqliteConnection};
use tempfile::TempDir;
use yarnnn::Config;
use yarnnn::clock::SystemClock;
use yarnnn::connections::Provider;
use yarnnn::store::SealKeys;
use yarnnn_sim::notion::{Block, Place};
use yarnnn_sim::{Running, Sim};

/// What hangs is a failure.
const PATIENCE: Duration = Duration::from_mins(1);

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    Sqlite,
    Postgres,
}

/// A folder, a database, and platforms.
pub(crate) struct Installation {
    pub(crate) sim: Sim,
    running: Running,
    key: String,
    folder: TempDir,
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

impl Installation {
    /// With nothing connected.
    pub(crate) async fn empty(backend: Backend) -> Self {
        let sim = Sim::new(Arc::new(SystemClock));
        let running = sim.start().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let key = SealKeys::generate();
        if backend == Backend::Sqlite {
            let url = format!("sqlite://{}", folder.path().join("test.db").display());
            return Self { sim, running, key, folder, url, database: None };
        }
        let name = format!("yarnnn_platform_sync_{}", uuid::Uuid::new_v4().simple());
        administer(format!("create database {name}")).await;
        Self { sim, running, key, folder, url: database_url(&name), database: Some(name) }
    }

    /// With the local user's Slack and Notion.
    pub(crate) async fn connected(backend: Backend) -> Self {
        let installation = Self::empty(backend).await;
        let (slack, notion) = (installation.sim.slack(), installation.sim.notion());
        let ana = slack.add_user("ana", "Ana Almeida");
        let general = slack.add_channel("general", false, &[&ana]);
        slack.bot_joins(&general);
        slack.post(&general, &ana, "Who brings the kites?");
        notion.add_page(Place::Workspace, "Rules", vec![Block::paragraph("No kite above eighty metres.")]).unwrap();
        installation.connect().await;
        installation
    }

    async fn connect(&self) {
        let variables = self.variables();
        let lookup = |name: &str| variables.iter().find(|(it, _)| *it == name).map(|(_, value)| value.clone());
        let yarnnn = yarnnn::connect(&Config::from_lookup(&lookup).unwrap()).await.unwrap();
        let (user, connections) = (yarnnn.local_user().await.unwrap(), yarnnn.connections().unwrap());
        let scopes = ["channels:read", "channels:history", "groups:read", "groups:history", "users:read"];
        let tokens = [(Provider::Slack, self.sim.tokens().slack(&scopes)), (Provider::Notion, self.sim.tokens().notion())];
        for (provider, token) in tokens {
            connections.connect(&user, provider, token.into()).await.unwrap();
        }
    }

    fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            ("DATABASE_URL", self.url.clone()),
            ("SLACK_BASE_URL", self.running.slack_url()),
            ("NOTION_BASE_URL", self.running.notion_url()),
            ("INTEGRATION_ENCRYPTION_KEY", self.key.clone()),
        ]
    }

    /// The program with this installation's settings and no others.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_yarnnn-platform-sync"));
        command.args(arguments).current_dir(self.folder.path()).env_clear().envs(self.variables());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// One tick as of an instant.
    pub(crate) fn tick(&self, now: DateTime<Utc>, arguments: &[&str], code: i32) -> Value {
        let now = now.to_rfc3339();
        let arguments = [&["--json", "--now", now.as_str()], arguments].concat();
        ended(self.command(&arguments).spawn().unwrap()).expect(code).json()
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

    /// Ends it: a Postgres database is dropped.
    pub(crate) async fn close(self) {
        if let Some(name) = &self.database {
            administer(format!("drop database {name} with (force)")).await;
        }
    }
}
