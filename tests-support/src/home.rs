//! A folder, and an empty database in it or on the cluster of the tests.

use std::process::{Command, Stdio};

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, SqliteConnection};
use tempfile::TempDir;

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// A file of the folder.
    Sqlite,
    /// A database of its own on the cluster.
    Postgres,
}

/// Where a program runs.
#[derive(Debug)]
pub struct Home {
    /// Its folder.
    pub folder: TempDir,
    /// Its database.
    pub url: String,
    /// The name of that on the cluster.
    database: Option<String>,
}

impl Home {
    /// An empty one.
    pub async fn new(backend: Backend) -> Self {
        let folder = tempfile::tempdir().unwrap();
        if backend == Backend::Sqlite {
            let url = format!("sqlite://{}", folder.path().join("test.db").display());
            return Self { folder, url, database: None };
        }
        let name = name();
        administer(format!("create database {name}")).await;
        Self { folder, url: database_url(&name), database: Some(name) }
    }

    /// A program in the folder, without any setting, that is listened to and told nothing.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path()).env_clear();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// The one text column of a query's rows.
    pub async fn texts(&self, query: &str) -> Vec<String> {
        self.ask(query).await.unwrap()
    }

    /// The same, where what is asked for may not be there yet.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn ask(&self, query: &str) -> Result<Vec<String>, sqlx::Error> {
        let query = AssertSqlSafe(query.to_owned());
        if self.database.is_some() {
            let mut connection = PgConnection::connect(&self.url).await?;
            return sqlx::query_scalar(query).fetch_all(&mut connection).await;
        }
        let mut connection = SqliteConnection::connect(&self.url).await?;
        sqlx::query_scalar(query).fetch_all(&mut connection).await
    }

    /// Changes rows.
    pub async fn change(&self, statement: &str) {
        let statement = AssertSqlSafe(statement.to_owned());
        if self.database.is_some() {
            PgConnection::connect(&self.url).await.unwrap().execute(statement).await.unwrap();
        } else {
            SqliteConnection::connect(&self.url).await.unwrap().execute(statement).await.unwrap();
        }
    }

    /// Ends it: a database on the cluster is dropped.
    pub async fn close(self) {
        if let Some(name) = &self.database {
            administer(format!("drop database {name} with (force)")).await;
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "nobody else may get the name of a test's database")]
fn name() -> String {
    format!("yarnnn_program_{}", uuid::Uuid::new_v4().simple())
}

#[expect(clippy::disallowed_methods, reason = "tests are told so where their cluster is")]
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
