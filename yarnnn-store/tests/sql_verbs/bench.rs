//! A migrated database and one connection that is spoken to in plain SQL.

use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _, raw_sql};
use yarnnn_store::SqlStore;

use super::common::with_postgres;

/// The instant that statements with `p_now` are written for.
pub(crate) const NOW: &str = "2026-03-02T12:00:00+00:00";

/// Everything that a verb could change.
const TABLES: [&str; 6] = ["job_queue", "job_keys", "job_events", "job_workers", "api_permits", "api_rate_limits"];

/// A database of a test's own.
pub(crate) struct Bench {
    url: String,
    pub(crate) connection: PgConnection,
}

/// What a verb said no with.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) code: String,
    pub(crate) name: String,
}

/// Runs a test in a migrated database of its own.
pub(crate) async fn on_bench(test: impl AsyncFnOnce(&mut Bench)) {
    with_postgres(|url| async move {
        migrate(&url).await;
        test(&mut Bench::open(&url).await).await;
    })
    .await;
}

/// Makes the tables and the verbs.
pub(crate) async fn migrate(url: &str) {
    let store = SqlStore::connect(url).await.unwrap();
    store.migrate().await.unwrap();
    store.close().await;
}

impl Bench {
    /// One more connection.
    pub(crate) async fn open(url: &str) -> Self {
        let mut connection = PgConnection::connect(url).await.unwrap();
        // What waits for a lock fails instead of hanging.
        raw_sql("set timezone to 'UTC'; set lock_timeout to '5s'").execute(&mut connection).await.unwrap();
        Self { url: url.to_owned(), connection }
    }

    /// Another session on the same database.
    pub(crate) async fn another(&self) -> Self {
        Self::open(&self.url).await
    }

    /// Where it is.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Carries a statement out.
    pub(crate) async fn run(&mut self, sql: &str) {
        let done = raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut self.connection).await;
        done.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// The rows of a query, as objects.
    pub(crate) async fn rows(&mut self, sql: &str) -> Vec<Value> {
        let query = format!("select to_jsonb(answer)::text as object from ({sql}) as answer");
        let rows = raw_sql(AssertSqlSafe(query)).fetch_all(&mut self.connection).await;
        let rows = rows.unwrap_or_else(|error| panic!("{sql}: {error}"));
        rows.iter().map(|row| serde_json::from_str(row.get("object")).unwrap()).collect()
    }

    /// The only row of a query.
    pub(crate) async fn row(&mut self, sql: &str) -> Value {
        let mut rows = self.rows(sql).await;
        assert_eq!(rows.len(), 1, "{sql}: {rows:#?}");
        rows.remove(0)
    }

    /// What one call answers.
    pub(crate) async fn call(&mut self, call: &str) -> Value {
        self.row(&format!("select {call} as said")).await["said"].take()
    }

    /// What a statement is refused with.
    pub(crate) async fn refused(&mut self, sql: &str) -> Refused {
        let Err(sqlx::Error::Database(error)) = raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut self.connection).await else {
            panic!("{sql} was not refused")
        };
        let code = error.code().unwrap_or_default().into_owned();
        Refused { code, name: error.message().split(':').next().unwrap_or_default().to_owned() }
    }

    /// Enqueues a job that is due at [`NOW`], with further arguments; answers its id.
    pub(crate) async fn enqueue(&mut self, kind: &str, further: &str) -> String {
        let call = format!(r#"select job_id from enqueue_job_v3('{kind}', 'A job', '{{"n": 1}}', p_now => '{NOW}'{further})"#);
        text(&self.row(&call).await["job_id"])
    }

    /// Claims one job as the worker `w`; answers it.
    pub(crate) async fn claim(&mut self) -> Value {
        self.row(&format!("select * from claim_next_job_v3('w', p_now => '{NOW}')")).await
    }

    /// A running job of the worker `w`: its id and token.
    pub(crate) async fn running(&mut self, further: &str) -> (String, String) {
        self.enqueue("work", further).await;
        let claimed = self.claim().await;
        (text(&claimed["job_id"]), text(&claimed["run_token"]))
    }

    /// A job's row.
    pub(crate) async fn job(&mut self, id: &str) -> Value {
        self.row(&format!("select * from job_queue where id = '{id}'")).await
    }

    /// The names of a job's events, in order.
    pub(crate) async fn history(&mut self, id: &str) -> Vec<String> {
        let rows = self.rows(&format!("select event from job_events where job_id = '{id}' order by seq")).await;
        rows.iter().map(|it| text(&it["event"])).collect()
    }

    /// Every row of every table that a verb could change.
    pub(crate) async fn everything(&mut self) -> Vec<(&'static str, Value)> {
        let mut all = vec![];
        for table in TABLES {
            let rows = self.rows(&format!("select * from {table} order by {table}::text")).await;
            all.extend(rows.into_iter().map(|it| (table, it)));
        }
        all
    }
}

/// A text.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// The text fields of rows.
pub(crate) fn texts(rows: &[Value], field: &str) -> Vec<String> {
    rows.iter().map(|it| text(&it[field])).collect()
}

/// Seconds from [`NOW`] to an instant.
pub(crate) fn after_now(instant: &Value) -> f64 {
    let parse = |it: &str| it.parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    (parse(&text(instant)) - parse(NOW)).as_seconds_f64()
}
