//! Where it is measured: a database of its own on the Postgres that `cargo xtask bench` starts, or a new SQLite file.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use yarnnn::config::{Config, DatabaseConfig};
use yarnnn::jobs::{Job, JobCx, JobKey, JobKinds, JobPolicy, Jobs, Outcome};

const DATABASE: &str = "yarnnn_bench";

/// A Postgres database.
pub(crate) struct Place {
    admin: String,
    pub(crate) url: String,
    programs: PathBuf,
    pub(crate) jobs: Jobs,
    folder: tempfile::TempDir,
}

/// A job that does nothing.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Nothing {
    pub(crate) number: u64,
}

#[async_trait]
impl Job for Nothing {
    type Context = ();
    const KIND: &'static str = "noop";

    fn policy() -> JobPolicy {
        JobPolicy::default()
    }

    fn key(&self) -> Option<JobKey> {
        None
    }

    async fn run(self, _context: &(), _cx: &JobCx) -> Outcome {
        Outcome::done(Value::String("ok".into()))
    }
}

pub(crate) fn kinds() -> JobKinds {
    JobKinds::new().with::<Nothing>(Arc::new(()))
}

impl Place {
    pub(crate) async fn postgres() -> anyhow::Result<Self> {
        let admin = std::env::var("YARNNN_TEST_POSTGRES_URL").context("run `cargo xtask bench`, which starts a Postgres")?;
        let programs = std::env::var_os("YARNNN_BENCH_POSTGRES_PROGRAMS").map(PathBuf::from).unwrap_or_default();
        let folder = tempfile::tempdir()?;
        let mut connection = PgConnection::connect(&admin).await?;
        connection.execute(AssertSqlSafe(format!("drop database if exists {DATABASE} with (force)"))).await?;
        connection.execute(AssertSqlSafe(format!("create database {DATABASE}"))).await?;
        let url = admin.replacen("/postgres?", &format!("/{DATABASE}?"), 1);
        ensure!(url != admin, "the address of the test Postgres has another form than expected");
        let config = Config { database: DatabaseConfig::new(&url)?, ..Config::in_folder(folder.path()) };
        let jobs = yarnnn::connect(&config).await?.jobs().clone();
        Ok(Self { admin, url, programs, jobs, folder })
    }

    pub(crate) async fn sqlite(folder: &tempfile::TempDir) -> anyhow::Result<Jobs> {
        Ok(yarnnn::connect(&Config::in_folder(folder.path())).await?.jobs().clone())
    }

    pub(crate) async fn connection(&self) -> anyhow::Result<PgConnection> {
        Ok(PgConnection::connect(&self.url).await?)
    }

    /// An empty queue, as after a vacuum.
    pub(crate) async fn clear(&self) -> anyhow::Result<()> {
        let mut connection = self.connection().await?;
        for statement in ["truncate job_queue, job_events, job_keys", "vacuum analyze job_queue", "checkpoint"] {
            connection.execute(statement).await?;
        }
        Ok(())
    }

    /// So many jobs that do nothing.
    pub(crate) async fn fill(&self, count: u64) -> anyhow::Result<()> {
        let mut connection = self.connection().await?;
        let batch = "select count(*) from enqueue_jobs_v3((select jsonb_agg(jsonb_build_object('type', 'noop', 'payload', \
            jsonb_build_object('number', n))) from generate_series(1, 1000) as n), true)";
        for _ in 0..count.div_ceil(1_000) {
            connection.execute(batch).await?;
        }
        connection.execute("analyze job_queue").await?;
        connection.execute("checkpoint").await?;
        Ok(())
    }

    /// Runs a script with pgbench on so many connections; answers how long its transactions took.
    pub(crate) async fn pgbench(&self, script: &str, connections: u32, transactions: u64) -> anyhow::Result<Duration> {
        let file = self.folder.path().join("script.sql");
        std::fs::write(&file, script)?;
        let each = (transactions / u64::from(connections)).to_string();
        let mut command = Command::new(self.programs.join("pgbench"));
        command.args(["-n", "-M", "prepared", "-c", &connections.to_string(), "-t", &each, "-f"]).arg(&file);
        command.args(["-h", &parameter(&self.url, "host")?, "-p", "5432", "-U", "postgres", DATABASE]);
        let output = tokio::task::spawn_blocking(move || command.output()).await?.context("cannot run pgbench")?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            bail!("pgbench failed: {}", String::from_utf8_lossy(&output.stderr));
        }
        let tps = text.lines().find_map(|it| it.strip_prefix("tps = ")?.split(' ').next()?.parse::<f64>().ok());
        Ok(Duration::from_secs_f64(transactions as f64 / tps.context("pgbench said nothing")?))
    }

    pub(crate) async fn drop(self) -> anyhow::Result<()> {
        let mut connection = PgConnection::connect(&self.admin).await?;
        connection.execute(AssertSqlSafe(format!("drop database {DATABASE} with (force)"))).await?;
        Ok(())
    }
}

fn parameter(url: &str, name: &str) -> anyhow::Result<String> {
    let options = url.split_once('?').map(|(_, options)| options).unwrap_or_default();
    let found = options.split('&').find_map(|it| it.strip_prefix(name)?.strip_prefix('='));
    Ok(found.context("no host in the address of the test Postgres")?.to_owned())
}

pub(crate) fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}

pub(crate) fn percentile(times: &[Duration], percent: usize) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort();
    sorted[(sorted.len() * percent / 100).min(sorted.len() - 1)]
}
