//! No-op jobs per second through the worker, against the raw limit of the same database.

use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, Executor as _};
use yarnnn_server::worker::{Worker, WorkerConfig};

use super::limit::{BARE, BARE_TABLE, SAME_TABLE};
use super::place::{Place, kinds, median};

const JOBS: u64 = 40_000;
const ROUNDS: usize = 3;
/// What a worker runs at once: the default, and what a service of tiny jobs would set.
const SLOTS: [u32; 3] = [50, 400, 1_000];

pub(crate) async fn run(place: &Place) -> anyhow::Result<()> {
    let (mut same, mut bare) = ([vec![], vec![], vec![], vec![]], vec![]);
    let mut worker: [Vec<Duration>; SLOTS.len()] = Default::default();
    for _ in 0..ROUNDS {
        for (connections, times) in (1..).zip(&mut same) {
            prepare(place).await?;
            times.push(place.pgbench(SAME_TABLE, connections, JOBS / 100).await?);
        }
        for (concurrency, times) in SLOTS.into_iter().zip(&mut worker) {
            prepare(place).await?;
            times.push(through_the_worker(place, concurrency).await?);
        }
        fill_bare(place).await?;
        bare.push(place.pgbench(BARE_TABLE, 2, JOBS / 100).await?);
    }
    let limits = same.each_mut().map(|it| rate(median(it)));
    let limit = limits.iter().copied().fold(0.0, f64::max);
    println!("no-op jobs, Postgres, durable: raw limit on the same table {limit:.0}/s (1 to 4 connections: {limits:.0?})");
    let bare = rate(median(&mut bare));
    for (concurrency, times) in SLOTS.into_iter().zip(&mut worker) {
        let through = rate(median(times));
        let (of, of_bare) = (through / limit, through / bare);
        println!(
            "  worker with {concurrency} slots {through:.0}/s   of the limit {of:.2}   of a bare table ({bare:.0}/s) {of_bare:.2}"
        );
    }
    Ok(())
}

async fn prepare(place: &Place) -> anyhow::Result<()> {
    place.clear().await?;
    place.fill(JOBS).await
}

async fn fill_bare(place: &Place) -> anyhow::Result<()> {
    let mut connection = place.connection().await?;
    connection.execute(BARE).await?;
    connection.execute("truncate bare").await?;
    let fill = format!("insert into bare select n, 0, '{{\"number\": 1}}' from generate_series(1, {JOBS}) as n");
    connection.execute(AssertSqlSafe(fill)).await?;
    connection.execute("analyze bare").await?;
    connection.execute("checkpoint").await?;
    Ok(())
}

/// From the first claim to the last end; connecting and the keeper's start are not counted.
async fn through_the_worker(place: &Place, concurrency: u32) -> anyhow::Result<Duration> {
    let config = WorkerConfig::new("bench", place.jobs.ids.as_ref()).with_concurrency(concurrency);
    let worker = Worker::new(place.jobs.clone(), &kinds(), config);
    let handle = worker.handle();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(worker.run(async move { _ = stopped.await }));
    let mut begun = None;
    let took = loop {
        let done = handle.tally().succeeded;
        if done > 0 && begun.is_none() {
            begun = Some((Instant::now(), done));
        }
        if let (JOBS, Some((at, before))) = (done, begun) {
            break at.elapsed().mul_f64(JOBS as f64 / (JOBS - before) as f64);
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    };
    drop(stop);
    running.await??;
    Ok(took)
}

fn rate(time: Duration) -> f64 {
    JOBS as f64 / time.as_secs_f64()
}
