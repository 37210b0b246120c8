//! Databases of their own.

use std::path::Path;

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

/// Where an office keeps its content.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) url: String,
    /// Its name on the test cluster.
    name: Option<String>,
}

impl Database {
    /// A file in this folder.
    pub(crate) fn sqlite(folder: &Path) -> Self {
        Self { url: format!("sqlite://{}", folder.join("yarnnn.db").display()), name: None }
    }

    /// A fresh one on the cluster that tests are given.
    pub(crate) async fn postgres() -> Self {
        let name = format!("yarnnn_reports_{}", yarnnn::id::IdGen::uuid(&yarnnn::id::RandomIds).simple());
        administer(format!("create database {name}")).await;
        let cluster = cluster();
        let (head, query) = cluster.split_once('?').unwrap_or((cluster.as_str(), ""));
        let head = head.rsplit_once('/').map_or(head, |(head, _)| head);
        Self { url: format!("{head}/{name}?{query}"), name: Some(name) }
    }

    /// Ends it: one on the cluster is dropped.
    pub(crate) async fn close(self) {
        if let Some(name) = self.name {
            administer(format!("drop database {name} with (force)")).await;
        }
    }
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
