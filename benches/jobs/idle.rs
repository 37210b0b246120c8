//! An idle worker: how soon it picks a job up, what it costs, and what fifty waiting jobs hold in memory.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::{Notify, mpsc};
use yarnnn::jobs::{Job, JobCx, JobKey, JobKinds, JobPolicy, Jobs, Outcome};
use yarnnn_server::worker::{self, WorkerConfig};

use super::place::{Place, percentile};

const SAMPLES: usize = 200;
const WATCHED: Duration = Duration::from_secs(10);

/// Says when it began.
#[derive(Debug, Serialize, Deserialize)]
struct Ping {}

#[async_trait]
impl Job for Ping {
    type Context = mpsc::UnboundedSender<Instant>;
    const KIND: &'static str = "ping";

    fn policy() -> JobPolicy {
        JobPolicy::default()
    }

    fn key(&self) -> Option<JobKey> {
        None
    }

    async fn run(self, begun: &Self::Context, _cx: &JobCx) -> Outcome {
        _ = begun.send(Instant::now());
        Outcome::done(Value::Null)
    }
}

/// Waits until it is let go.
#[derive(Debug, Serialize, Deserialize)]
struct Hold {}

#[async_trait]
impl Job for Hold {
    type Context = (mpsc::UnboundedSender<()>, Arc<Notify>);
    const KIND: &'static str = "hold";

    fn policy() -> JobPolicy {
        JobPolicy::default()
    }

    fn key(&self) -> Option<JobKey> {
        None
    }

    async fn run(self, (here, go): &Self::Context, _cx: &JobCx) -> Outcome {
        let gone = go.notified();
        _ = here.send(());
        gone.await;
        Outcome::done(Value::Null)
    }
}

pub(crate) async fn run(place: &Place) -> anyhow::Result<()> {
    place.clear().await?;
    let folder = tempfile::tempdir()?;
    watch("Postgres", &place.jobs).await?;
    watch("SQLite, one process", &Place::sqlite(&folder).await?).await
}

async fn watch(name: &str, jobs: &Jobs) -> anyhow::Result<()> {
    let (begun, mut begins) = mpsc::unbounded_channel();
    let (here, mut arrivals) = mpsc::unbounded_channel();
    let go = Arc::new(Notify::new());
    let kinds = JobKinds::new().with::<Ping>(Arc::new(begun)).with::<Hold>(Arc::new((here, go.clone())));
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let config = WorkerConfig::new("bench", jobs.ids.as_ref());
    let running = tokio::spawn(worker::run(jobs.clone(), kinds, config, async move { _ = stopped.await }));
    tokio::time::sleep(Duration::from_secs(1)).await;

    let mut waits = Vec::with_capacity(SAMPLES);
    for _ in 0..SAMPLES {
        let asked = Instant::now();
        jobs.enqueue(None, &Ping {}).await?;
        let stored = Instant::now();
        let begun = begins.recv().await.context("the worker stopped")?;
        waits.push((begun.saturating_duration_since(stored), begun - asked));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let after: Vec<_> = waits.iter().map(|it| it.0).collect();
    let whole: Vec<_> = waits.iter().map(|it| it.1).collect();
    println!(
        "pick-up by an idle worker, {name}: after the commit p50 {:?} p99 {:?}, with the enqueue p50 {:?} p99 {:?}",
        percentile(&after, 50),
        percentile(&after, 99),
        percentile(&whole, 50),
        percentile(&whole, 99)
    );
    let before = cpu_time()?;
    tokio::time::sleep(WATCHED).await;
    let used = cpu_time()?.saturating_sub(before);
    println!("  idle: {:.2} % of one core over {} s", used.as_secs_f64() / WATCHED.as_secs_f64() * 100.0, WATCHED.as_secs());

    let empty = memory()?;
    for _ in 0..50 {
        jobs.enqueue(None, &Hold {}).await?;
    }
    for _ in 0..50 {
        arrivals.recv().await.context("the worker stopped")?;
    }
    println!("  memory: {:.1} MB idle, {:.1} MB with 50 jobs held", empty, memory()?);
    go.notify_waiters();
    drop(stop);
    running.await??;
    Ok(())
}

/// Of this process, all threads, by the kernel's count in hundredths of a second.
fn cpu_time() -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit_once(')').context("an odd /proc/self/stat")?.1.split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|it| it.parse::<u64>().ok()).unwrap_or(0);
    Ok(Duration::from_millis((ticks(11) + ticks(12)) * 10))
}

/// Resident, in megabytes.
fn memory() -> anyhow::Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|it| it.strip_prefix("VmRSS:")).context("no VmRSS")?;
    Ok(line.split_whitespace().next().unwrap_or_default().parse::<f64>()? / 1024.0)
}
