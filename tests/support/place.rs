//! Where an installation of a test is: a folder, a database of its own on either back-end, and the settings that say so.
#![allow(dead_code, reason = "every test program uses its own part")]
#![allow(clippy::unwrap_used, reason = "what is not there fails the test")]

use std::path::PathBuf;

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, SqliteConnection};
use tempfile::TempDir;
use yarnnn::Config;
use yarnnn::id::{IdGen as _, RandomIds};
use yarnnn_sim::{Provider, Running, Sim};

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    Sqlite,
    Postgres,
}

impl Backend {
    pub(crate) const BOTH: [Self; 2] = [Self::Sqlite, Self::Postgres];
}

/// A folder, and a database that nobody else uses.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) folder: TempDir,
    pub(crate) url: String,
    /// Its name on the test cluster.
    database: Option<String>,
}

impl Place {
    pub(crate) async fn new(backend: Backend) -> Self {
        let folder = tempfile::tempdir().unwrap();
        if backend == Backend::Sqlite {
            let url = format!("sqlite://{}", folder.path().join("yarnnn.db").display());
            return Self { folder, url, database: None };
        }
        let name = format!("yarnnn_reports_{}", RandomIds.uuid().simple());
        administer(format!("create database {name}")).await;
        let cluster = cluster();
        let (head, query) = cluster.split_once('?').unwrap_or((cluster.as_str(), ""));
        let head = head.rsplit_once('/').map_or(head, |(head, _)| head);
        Self { folder, url: format!("{head}/{name}?{query}"), database: Some(name) }
    }

    /// Where reports become files.
    pub(crate) fn outbox(&self) -> PathBuf {
        self.folder.path().join("outbox")
    }

    /// The names of the files there, sorted.
    pub(crate) fn delivered(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.outbox()) else { return vec![] };
        let mut names: Vec<_> = entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The settings of a product that is kept here, with a simulated model that writes for it.
    pub(crate) fn settings(&self, sim: &Sim, running: &Running) -> Vec<(&'static str, String)> {
        vec![
            ("DATABASE_URL", self.url.clone()),
            ("YARNNN_OUTBOX_DIR", self.outbox().display().to_string()),
            ("ANTHROPIC_API_KEY", sim.tokens().key(Provider::Anthropic)),
            ("ANTHROPIC_BASE_URL", running.anthropic_url()),
            ("OPENAI_BASE_URL", running.openai_url()),
            ("SEARCH_BASE_URL", running.search_url()),
        ]
    }

    /// Changes rows behind the program's back.
    pub(crate) async fn sql(&self, statement: impl Into<String>) {
        let statement = AssertSqlSafe(statement.into());
        if self.database.is_some() {
            PgConnection::connect(&self.url).await.unwrap().execute(statement).await.unwrap();
        } else {
            SqliteConnection::connect(&self.url).await.unwrap().execute(statement).await.unwrap();
        }
    }

    /// Ends it: a database on the cluster is dropped.
    pub(crate) async fn close(self) {
        if let Some(name) = self.database {
            administer(format!("drop database {name} with (force)")).await;
        }
    }
}

/// What programs make of such settings.
pub(crate) fn configured<N: AsRef<str>>(settings: &[(N, String)]) -> Config {
    let find = |name: &str| settings.iter().find(|(it, _)| it.as_ref() == name).map(|(_, value)| value.clone());
    Config::from_lookup(&find).unwrap()
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
