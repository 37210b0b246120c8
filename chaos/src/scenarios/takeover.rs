//! 9. From a worker's death to the next claim of its job: on the same host at once, on another one when the lease has ended.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::time::{Instant, sleep_until};

use crate::arena::Backend;
use crate::book;
use crate::fleet::{Fleet, Spec};
use crate::kinds::Hold;
use crate::report::{Report, percentile};
use crate::stage::Stage;

/// Workers that die together: each is a process with connections of its own.
const AT_ONCE: u32 = 25;
const LANE: &str = "default";

pub(super) async fn play(stage: &Stage) -> Result<Report> {
    let kills = match (&stage.arena.backend, stage.options.is_short) {
        (_, true) => 8,
        (Backend::Sqlite, false) => 24,
        (Backend::Postgres(_), false) => 200,
    };
    let mut report = Report::default();
    report.figure("kills of each sort", kills);
    let here = deaths(stage, kills, None).await?;
    figures(&mut report, "same host", &here);
    // The short version plays beside others on what may be a small machine.
    let at_once = stage.options.of(Duration::from_secs(1), Duration::from_secs(2));
    report.must(percentile(&here, 1_000) <= at_once, "on the same host it took too long");
    let there = deaths(stage, kills, Some(("victim", "heir"))).await?;
    figures(&mut report, "another host", &there);
    // 15 s and 20 s at the default lease; at a shorter one the same, and what a busy machine adds.
    let slack = if stage.options.lease >= Duration::from_secs(15) { Duration::ZERO } else { Duration::from_secs(1) };
    report.must(percentile(&there, 500) <= stage.options.lease + slack, "p50 is more than a lease");
    report
        .must(percentile(&there, 990) <= stage.options.lease.mul_f64(4.0 / 3.0) + slack, "p99 is more than a lease and a third");
    report.must(here.len() + there.len() == 2 * usize::try_from(kills)?, "a job was not taken over");
    Ok(report)
}

fn figures(report: &mut Report, name: &str, times: &[Duration]) {
    let [p50, p99] = [500, 990].map(|share| percentile(times, share).as_secs_f32());
    report.figure(name, format!("p50 {p50:.2} s p99 {p99:.2} s"));
}

/// Kills so many workers under a job each; answers how long each job was nobody's.
async fn deaths(stage: &Stage, kills: u32, hosts: Option<(&'static str, &'static str)>) -> Result<Vec<Duration>> {
    let mut times = vec![];
    let at_once = AT_ONCE.min(stage.workers() * 2);
    let mut done = 0;
    while done < kills {
        let count = at_once.min(kills - done);
        times.extend(batch(stage, count, hosts).await?);
        done += count;
    }
    Ok(times)
}

async fn batch(stage: &Stage, count: u32, hosts: Option<(&'static str, &'static str)>) -> Result<Vec<Duration>> {
    let first = stage.book.number("select coalesce(max(n), -1) + 1 from chaos_runs").await?;
    let victims = Spec { workers: count, concurrency: 1, threads: 1, hosts: hosts.map(|it| it.0), ..stage.spec() };
    let mut victims = stage.fleet(victims)?;
    let jobs: Vec<Hold> = (first..first + i64::from(count)).map(|n| Hold { n, millis: 590_000 }).collect();
    stage.enqueue(None, LANE, &jobs).await?;
    let begun = format!("select count(distinct worker) from chaos_runs where event = 'began' and n >= {first}");
    stage.until(Duration::from_secs(30), &begun, i64::from(count)).await?;
    let heirs = Spec { workers: 2, first_role: count, hosts: hosts.map(|it| it.1), ..stage.spec() };
    let heirs = stage.fleet(heirs)?;
    stage.until(Duration::from_secs(20), &heirs.known(), 2).await.context("the heirs did not show up")?;
    let killed = kill_all(stage, &mut victims, first).await?;
    let effects = format!("select count(distinct n) from chaos_effects where n >= {first}");
    let taken = stage.until(stage.options.lease * 3 + Duration::from_secs(5), &effects, i64::from(count)).await;
    heirs.end().await?;
    drop(victims);
    let again = format!(
        "select n, cast(max(at) as text) from chaos_runs where event = 'began' and n >= {first} group by n having count(*) > 1"
    );
    let again = stage.book.pairs(&again).await?;
    if taken.is_err() && again.is_empty() {
        return Ok(vec![]);
    }
    again.iter().map(|(n, at)| Ok(since(*killed.get(n).context("a job of nobody")?, at.parse()?))).collect()
}

fn since(killed: i64, at: i64) -> Duration {
    Duration::from_micros((at - killed).max(0).unsigned_abs())
}

/// Kills each at an instant of its own within one beat; answers when, by the job that it ran.
async fn kill_all(stage: &Stage, victims: &mut Fleet, first: i64) -> Result<BTreeMap<i64, i64>> {
    let runs = stage.book.pairs(&format!("select n, worker from chaos_runs where event = 'began' and n >= {first}")).await?;
    let mut random = stage.random();
    let mut order: Vec<(Duration, i64, String)> =
        runs.into_iter().map(|(n, worker)| (random.up_to(stage.options.beat), n, worker)).collect();
    order.sort();
    let begin = Instant::now();
    let mut killed = BTreeMap::new();
    for (after, n, worker) in order {
        sleep_until(begin + after).await;
        let place = victims.place_of(&worker).context("a worker of nobody")?;
        killed.insert(n, book::now());
        victims.kill_outright(place).await?;
    }
    Ok(killed)
}
