//! A database, and worker programs on it.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, SqliteConnection};
use tempfile::TempDir;
use yarnnn::Config;
use yarnnn::imports::{ImportExports, ImportRequest};

/// What hangs is a failure.
const PATIENCE: Duration = Duration::from_mins(1);

const MAIL: &str = "From: Clara <clara@example.org>\nTo: Ana <ana@example.org>\nSubject: Insurance\n\
    Date: Wed, 08 May 2024 10:00:00 +0000\nMessage-ID: <insurance@example.org>\n\nThe insurance covers three hundred visitors.\n";

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    Sqlite,
    Postgres,
}

/// A folder and an empty database.
pub(crate) struct Installation {
    folder: TempDir,
    url: String,
    database: Option<String>,
}

/// What a program that ended said.
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let said = Self { code: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) };
        assert!(!said.stderr.contains("panicked"), "{}", said.stderr);
        said
    }
}

/// Waits for the end of a program that ends by itself.
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

/// Sends a signal to a program of this test.
fn signal(child: &Child, name: &str) {
    let sent = Command::new("sh").args(["-c", &format!("kill -{name} {}", child.id())]).status().unwrap();
    assert!(sent.success(), "SIG{name} is sent");
}

/// A worker that runs; it is killed when the test fails.
pub(crate) struct Running(Option<Child>);

impl Running {
    /// Starts the program with these variables.
    pub(crate) fn start(installation: &Installation, variables: &[(&str, String)]) -> Self {
        Self(Some(installation.command(variables).spawn().unwrap()))
    }

    /// Sends a signal and waits for the end.
    pub(crate) fn told_to_stop(mut self, name: &str) -> Said {
        let child = self.0.take().unwrap();
        signal(&child, name);
        ended(child)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Asks the health page, as soon as it answers.
pub(crate) fn get(port: u16, path: &str) -> (u16, Value) {
    let begun = Instant::now();
    let mut stream = loop {
        match TcpStream::connect((Ipv4Addr::LOCALHOST, port)) {
            Ok(stream) => break stream,
            Err(error) => assert!(begun.elapsed() < PATIENCE, "nobody listens on {port}: {error}"),
        }
    };
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let code = head.split(' ').nth(1).unwrap().parse().unwrap();
    (code, serde_json::from_str(body).unwrap_or(Value::Null))
}

/// The page of a worker that works, as soon as it says that it does.
pub(crate) fn healthy(port: u16) -> Value {
    let begun = Instant::now();
    loop {
        let (code, page) = get(port, "/health");
        let is_healthy = page["status"] == "healthy";
        assert_eq!(code, if is_healthy { 200 } else { 503 }, "{page:#}");
        if is_healthy && page["last_heartbeat"].is_string() {
            return page;
        }
        assert!(begun.elapsed() < PATIENCE, "{page:#}");
    }
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
    /// An empty one.
    pub(crate) async fn new(backend: Backend) -> Self {
        let folder = tempfile::tempdir().unwrap();
        if backend == Backend::Sqlite {
            let url = format!("sqlite://{}", folder.path().join("test.db").display());
            return Self { folder, url, database: None };
        }
        let name = format!("yarnnn_worker_{}", uuid::Uuid::new_v4().simple());
        administer(format!("create database {name}")).await;
        Self { folder, url: database_url(&name), database: Some(name) }
    }

    /// Ends it: a Postgres database is dropped.
    pub(crate) async fn close(self) {
        if let Some(name) = &self.database {
            administer(format!("drop database {name} with (force)")).await;
        }
    }

    /// The program with this database and no other variables than these.
    pub(crate) fn command(&self, variables: &[(&str, String)]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_yarnnn-worker"));
        command.current_dir(self.folder.path()).env_clear().env("DATABASE_URL", &self.url);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.envs(variables.iter().map(|(name, value)| (*name, value.as_str())));
        command
    }

    /// Leaves an import of one mail to a worker, as `yarnnn import --detach` does; answers its job.
    pub(crate) async fn enqueue_import(&self) -> String {
        let path = self.folder.path().join("insurance.eml");
        std::fs::write(&path, MAIL).unwrap();
        let config = Config::from_lookup(&|name| (name == "DATABASE_URL").then(|| self.url.clone())).unwrap();
        let yarnnn = yarnnn::connect(&config).await.unwrap();
        let user = yarnnn.local_user().await.unwrap().id;
        let request = ImportRequest { user, paths: vec![path], window: None };
        let job = ImportExports::here(&yarnnn.imports().unwrap(), request);
        yarnnn.jobs().enqueue(Some(user), &job).await.unwrap().id().to_string()
    }

    /// Changes rows.
    pub(crate) async fn change(&self, statement: &str) {
        let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
        connection.execute(AssertSqlSafe(statement.to_owned())).await.unwrap();
    }

    /// The one text column of a query's rows.
    pub(crate) async fn texts(&self, query: &str) -> Vec<String> {
        self.ask(query).await.unwrap()
    }

    async fn ask(&self, query: &str) -> Result<Vec<String>, sqlx::Error> {
        let query = AssertSqlSafe(query.to_owned());
        if self.database.is_some() {
            let mut connection = PgConnection::connect(&self.url).await?;
            return sqlx::query_scalar(query).fetch_all(&mut connection).await;
        }
        let mut connection = SqliteConnection::connect(&self.url).await?;
        sqlx::query_scalar(query).fetch_all(&mut connection).await
    }

    /// Asks until the answer is this one. What is not there yet (a table, the file) is no answer.
    pub(crate) async fn until(&self, query: &str, wanted: &[&str]) {
        let begun = Instant::now();
        loop {
            let found = self.ask(query).await;
            if found.as_ref().is_ok_and(|it| it == wanted) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{query}: {found:?}, and not {wanted:?}");
            tokio::task::yield_now().await;
        }
    }
}
