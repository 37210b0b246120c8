//! Installations for tests through the real program: a folder, a database, and the command line.
#![allow(clippy::disallowed_methods, reason = "tests are handed their Postgres by environment")]
#![allow(dead_code, reason = "every test program uses its own part")]

pub(crate) mod live;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, SqliteConnection};
use tempfile::TempDir;
use yarnnn::store::SqlStore;

/// Which database an installation uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    Sqlite,
    Postgres,
}

/// One installation.
pub(crate) struct Installation {
    pub(crate) folder: TempDir,
    pub(crate) url: String,
    database: Option<String>,
}

/// What a finished program said.
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Said {
    /// The object on standard output.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("not one JSON object ({error}): {}\n{}", self.stdout, self.stderr))
    }

    /// Fails the test unless the program ended with the code, and of its own will.
    pub(crate) fn expect(self, code: i32) -> Self {
        for sign in ["panicked", "RUST_BACKTRACE", "stack backtrace"] {
            assert!(!self.stderr.contains(sign), "{}", self.stderr);
        }
        assert_eq!(self.code, code, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("programs print UTF-8");
        Self { code: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

fn cluster() -> String {
    std::env::var("YARNNN_TEST_POSTGRES_URL")
        .expect("set YARNNN_TEST_POSTGRES_URL, or run `cargo xtask test`, which starts a Postgres")
}

async fn administer(statement: String) {
    let mut connection = PgConnection::connect(&cluster()).await.expect("the test cluster answers");
    connection.execute(AssertSqlSafe(statement)).await.expect("the statement is carried out");
}

fn database_url(name: &str) -> String {
    let cluster = cluster();
    let (head, query) = cluster.split_once('?').unwrap_or((cluster.as_str(), ""));
    let head = head.rsplit_once('/').map_or(head, |(head, _)| head);
    format!("{head}/{name}?{query}")
}

impl Installation {
    /// An empty one.
    pub(crate) async fn new(backend: Backend) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        match backend {
            Backend::Sqlite => {
                let url = format!("sqlite://{}", folder.path().join("test.db").display());
                Self { folder, url, database: None }
            }
            Backend::Postgres => Self::on_postgres(folder, "template1").await,
        }
    }

    /// A copy of its database with nothing delivered yet. The original must not be in use.
    pub(crate) async fn copy(&self) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        if let Some(database) = &self.database {
            return Self::on_postgres(folder, database).await;
        }
        let path = folder.path().join("test.db");
        for suffix in ["", "-wal"] {
            let source = self.folder.path().join(format!("test.db{suffix}"));
            if source.exists() {
                std::fs::copy(source, format!("{}{suffix}", path.display())).expect("the database is copied");
            }
        }
        Self { url: format!("sqlite://{}", path.display()), folder, database: None }
    }

    async fn on_postgres(folder: TempDir, template: &str) -> Self {
        let name = format!("yarnnn_cli_{}", uuid::Uuid::new_v4().simple());
        administer(format!("create database {name} template {template}")).await;
        Self { folder, url: database_url(&name), database: Some(name) }
    }

    /// Ends it: a Postgres database is dropped.
    pub(crate) async fn close(self) {
        if let Some(name) = &self.database {
            administer(format!("drop database {name} with (force)")).await;
        }
    }

    /// The program with this installation's settings.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_yarnnn"));
        command.args(arguments).current_dir(self.folder.path()).env_clear().stdin(Stdio::null());
        command.env("DATABASE_URL", &self.url).env("YARNNN_OUTBOX_DIR", self.outbox());
        command
    }

    /// Runs the program to its end.
    pub(crate) fn yarnnn(&self, arguments: &[&str]) -> Said {
        self.command(arguments).output().expect("the program starts").into()
    }

    /// Runs it with `--json`.
    pub(crate) fn json(&self, arguments: &[&str], code: i32) -> Value {
        self.yarnnn(&[&["--json"], arguments].concat()).expect(code).json()
    }

    /// Runs it with `--json` and further variables.
    pub(crate) fn json_with(&self, variables: &[(&str, &str)], arguments: &[&str], code: i32) -> Value {
        let mut command = self.command(&[&["--json"], arguments].concat());
        command.envs(variables.iter().copied());
        Said::from(command.output().expect("the program starts")).expect(code).json()
    }

    /// Where it delivers.
    pub(crate) fn outbox(&self) -> PathBuf {
        self.folder.path().join("outbox")
    }

    /// What it has delivered: names and bytes of all files, hidden ones too.
    pub(crate) fn delivered(&self) -> Vec<(String, String)> {
        files(&self.outbox())
    }

    /// Changes rows behind the program's back; answers how many.
    pub(crate) async fn change(&self, statement: &str) -> u64 {
        let statement = AssertSqlSafe(statement.to_owned());
        if self.database.is_some() {
            let mut connection = PgConnection::connect(&self.url).await.expect("the database answers");
            return connection.execute(statement).await.expect("the statement is carried out").rows_affected();
        }
        let mut connection = SqliteConnection::connect(&self.url).await.expect("the database opens");
        connection.execute(statement).await.expect("the statement is carried out").rows_affected()
    }

    /// Changes rows unless somebody is in the middle of writing them; answers whether nobody was.
    pub(crate) async fn try_change(&self, statement: &str) -> bool {
        const SOON: &str = "set lock_timeout to '300ms'";
        let statement = AssertSqlSafe(statement.to_owned());
        if self.database.is_some() {
            let mut connection = PgConnection::connect(&self.url).await.expect("the database answers");
            connection.execute(SOON).await.expect("the session is set up");
            return connection.execute(statement).await.is_ok();
        }
        let mut connection = SqliteConnection::connect(&self.url).await.expect("the database opens");
        connection.execute("pragma busy_timeout = 300").await.expect("the session is set up");
        connection.execute(statement).await.is_ok()
    }

    /// The one text column of a query's rows, in their order.
    pub(crate) async fn texts(&self, query: &str) -> Vec<String> {
        let query = AssertSqlSafe(query.to_owned());
        if self.database.is_some() {
            let mut connection = PgConnection::connect(&self.url).await.expect("the database answers");
            return sqlx::query_scalar(query).fetch_all(&mut connection).await.expect("the query is answered");
        }
        let mut connection = SqliteConnection::connect(&self.url).await.expect("the database opens");
        sqlx::query_scalar(query).fetch_all(&mut connection).await.expect("the query is answered")
    }

    /// The canonical dump of its database.
    pub(crate) async fn dump(&self) -> Vec<String> {
        let store = SqlStore::connect(&self.url).await.expect("the database opens");
        let lines = store.dump().await.expect("the database is dumped");
        lines.into_iter().map(without_request).collect()
    }
}

/// The digest of a request goes by the id of its version, which delimits what is data.
fn without_request(line: String) -> String {
    const BEFORE: &str = "\"request\":\"";
    let Some(at) = line.find(BEFORE).map(|at| at + BEFORE.len()) else { return line };
    let end = line[at..].find('"').map_or(line.len(), |length| at + length);
    format!("{}<digest>{}", &line[..at], &line[end..])
}

/// Names and contents of the files of a folder, sorted.
pub(crate) fn files(folder: &Path) -> Vec<(String, String)> {
    let Ok(entries) = std::fs::read_dir(folder) else { return vec![] };
    let mut files: Vec<_> = entries
        .map(|entry| {
            let entry = entry.expect("the folder is read");
            let content = std::fs::read_to_string(entry.path()).expect("files are UTF-8");
            (entry.file_name().into_string().expect("names are UTF-8"), content)
        })
        .collect();
    files.sort();
    files
}

/// Fails with the first row that differs.
pub(crate) fn assert_same(found: &[String], expected: &[String], name: &str) {
    let difference = found.iter().zip(expected).find(|(found, expected)| found != expected);
    assert!(difference.is_none(), "{name}: {difference:#?}");
    assert_eq!(found.len(), expected.len(), "{name}: rows");
}
