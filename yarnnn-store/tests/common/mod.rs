//! Fresh stores for tests: in memory, in a file, and in a database of its own on a Postgres that the caller provides.

use std::future::Future;
use std::panic::{AssertUnwindSafe, resume_unwind};

use futures::FutureExt as _;
use yarnnn_core::contract::Ports;
use yarnnn_core::id::{IdGen as _, RandomIds};
use yarnnn_core::sdk::Stores;
use yarnnn_store::{SealKeys, SqlStore};

/// A migrated store in a file of its own; the folder goes with the guard.
pub(crate) async fn sqlite_file() -> (SqlStore, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqlStore::connect(&file_url(&folder)).await.unwrap();
    store.migrate().await.unwrap();
    (store, folder)
}

/// The ports of a store that takes its time from the contract's clock, and seals with a key of its own.
pub(crate) fn ports(store: SqlStore) -> Ports {
    let (clock, keys) = (Ports::clock(), SealKeys::parse(&SealKeys::generate()).unwrap());
    Ports::new(Stores::of(store.with_clock(clock.clone()).with_seal(keys)), clock)
}

/// The URL of the database file in a folder.
pub(crate) fn file_url(folder: &tempfile::TempDir) -> String {
    format!("sqlite://{}", folder.path().join("yarnnn.db").display())
}

/// Runs a test in a database of its own, and drops it whatever comes of it.
pub(crate) async fn with_postgres<F: Future<Output = ()>>(test: impl FnOnce(String) -> F) {
    let admin = admin_url();
    let name = format!("yarnnn_test_{}", RandomIds.uuid().simple());
    statement(&admin, &format!("create database {name}")).await;
    let outcome = AssertUnwindSafe(test(database_url(&admin, &name))).catch_unwind().await;
    statement(&admin, &format!("drop database if exists {name} with (force)")).await;
    if let Err(failure) = outcome {
        resume_unwind(failure);
    }
}

fn admin_url() -> String {
    std::env::var("YARNNN_TEST_POSTGRES_URL")
        .expect("set YARNNN_TEST_POSTGRES_URL, or run `cargo xtask test`, which starts a Postgres")
}

/// The same server, another database.
fn database_url(admin: &str, name: &str) -> String {
    let (address, options) = admin.split_once('?').map_or((admin, String::new()), |(left, right)| (left, format!("?{right}")));
    let (scheme, place) = address.split_once("://").unwrap();
    let host = place.split_once('/').map_or(place, |(host, _)| host);
    format!("{scheme}://{host}/{name}{options}")
}

async fn statement(url: &str, sql: &str) {
    use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
    let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
    connection.execute(AssertSqlSafe(sql.to_owned())).await.unwrap();
    connection.close().await.unwrap();
}
