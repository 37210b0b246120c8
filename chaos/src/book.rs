//! What jobs leave behind, in tables of the harness in the database of the jobs; and the questions that scenarios ask of them.
//!
//! `chaos_runs` is append-only and says that a run began, stopped, … whatever became of it. `chaos_effects` is the effect: rows
//! without any constraint, so that a second one of the same number would stay and be seen.

use anyhow::Result;
use sqlx::any::{AnyPoolOptions, install_default_drivers};
use sqlx::{AnyPool, AssertSqlSafe, Executor as _};
use yarnnn::clock::{Clock as _, SystemClock};
use yarnnn::jobs::JobCx;

const TABLES: [&str; 4] = [
    "create table chaos_runs (n bigint not null, job text not null, token text not null, worker text not null, event text not null, at bigint not null)",
    "create table chaos_ledger (n bigint primary key)",
    "create table chaos_effects (n bigint not null, token text not null, at bigint not null)",
    "create table chaos_calls (permit text not null, granted_at bigint not null)",
];

/// Many processes share one file.
const PATIENT: &str = "pragma busy_timeout = 20000";

/// The tables of one database.
#[derive(Debug, Clone)]
pub(crate) struct Book {
    pool: AnyPool,
    is_sqlite: bool,
}

impl Book {
    /// Opens the tables' database.
    pub(crate) fn open(url: &str) -> Result<Self> {
        install_default_drivers();
        let is_sqlite = url.starts_with("sqlite:");
        let options = AnyPoolOptions::new().max_connections(2).after_connect(move |connection, _| {
            Box::pin(async move {
                if is_sqlite {
                    connection.execute(PATIENT).await?;
                }
                Ok(())
            })
        });
        Ok(Self { pool: options.connect_lazy(url)?, is_sqlite })
    }

    /// Makes the tables.
    pub(crate) async fn make(&self) -> Result<()> {
        for table in TABLES {
            self.pool.execute(table).await?;
        }
        self.pool.execute("create index chaos_runs_job on chaos_runs (job)").await?;
        Ok(())
    }

    /// Says what a run came to. It lasts, whatever becomes of the run.
    pub(crate) async fn note(&self, cx: &JobCx, n: i64, event: &str) -> Result<()> {
        let insert = "insert into chaos_runs (n, job, token, worker, event, at) values ($1, $2, $3, $4, $5, $6)";
        let query = sqlx::query(insert).bind(n).bind(cx.job.id.to_string()).bind(cx.lease.token.to_string());
        query.bind(cx.lease.worker.to_string()).bind(event.to_owned()).bind(now()).execute(&self.pool).await?;
        Ok(())
    }

    /// Has the effect, once a number: its key and itself are one transaction. Says whether it was had now.
    pub(crate) async fn effect(&self, cx: &JobCx, n: i64, is_keyed: bool) -> Result<bool> {
        let mut tx = self.pool.begin().await?;
        if is_keyed {
            let taken = sqlx::query("insert into chaos_ledger (n) values ($1) on conflict do nothing").bind(n).execute(&mut *tx);
            if taken.await?.rows_affected() == 0 {
                return Ok(false);
            }
        }
        let insert = sqlx::query("insert into chaos_effects (n, token, at) values ($1, $2, $3)");
        insert.bind(n).bind(cx.lease.token.to_string()).bind(now()).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// A call was made under a permit that was granted at this instant, by the store's clock.
    pub(crate) async fn call(&self, permit: &str, granted_at: i64) -> Result<()> {
        let insert = sqlx::query("insert into chaos_calls (permit, granted_at) values ($1, $2)");
        insert.bind(permit.to_owned()).bind(granted_at).execute(&self.pool).await?;
        Ok(())
    }

    /// The number that a query answers.
    pub(crate) async fn number(&self, query: &str) -> Result<i64> {
        Ok(sqlx::query_scalar(AssertSqlSafe(query.to_owned())).fetch_one(&self.pool).await?)
    }

    /// Does what a statement says.
    pub(crate) async fn execute(&self, statement: &str) -> Result<()> {
        self.pool.execute(AssertSqlSafe(statement.to_owned())).await?;
        Ok(())
    }

    /// The numbers that a query answers.
    pub(crate) async fn numbers(&self, query: &str) -> Result<Vec<i64>> {
        Ok(sqlx::query_scalar(AssertSqlSafe(query.to_owned())).fetch_all(&self.pool).await?)
    }

    /// The texts that a query answers.
    pub(crate) async fn texts(&self, query: &str) -> Result<Vec<String>> {
        Ok(sqlx::query_scalar(AssertSqlSafe(query.to_owned())).fetch_all(&self.pool).await?)
    }

    /// Number and text, as a query answers them.
    pub(crate) async fn pairs(&self, query: &str) -> Result<Vec<(i64, String)>> {
        Ok(sqlx::query_as(AssertSqlSafe(query.to_owned())).fetch_all(&self.pool).await?)
    }

    /// Runs statements of which nothing may last.
    pub(crate) async fn roll_back(&self, statement: &'static str) -> Result<()> {
        let mut tx = self.pool.begin().await?;
        tx.execute(statement).await?;
        tx.rollback().await?;
        Ok(())
    }

    /// Whether anyone may write: on `SQLite` a stopped process may hold the only right to.
    pub(crate) async fn is_writable(&self) -> bool {
        let attempt = async {
            let mut connection = self.pool.acquire().await?;
            if self.is_sqlite {
                connection.execute("pragma busy_timeout = 100").await?;
                let begun = connection.execute("begin immediate").await;
                if begun.is_ok() {
                    connection.execute("rollback").await?;
                }
                connection.execute(PATIENT).await?;
                begun?;
            }
            Ok::<(), sqlx::Error>(())
        };
        attempt.await.is_ok()
    }

    /// Ends its connections.
    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }
}

/// Microseconds, by the clock of this host.
pub(crate) fn now() -> i64 {
    SystemClock.now().timestamp_micros()
}
