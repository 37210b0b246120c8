//! 2. A worker is stopped (SIGSTOP) for three leases under a job, another one finishes the job, the first goes on.

use std::time::Duration;

use anyhow::{Context, Result};
use tokio::time::{Instant, sleep, sleep_until};

use crate::fleet::{Fleet, Spec};
use crate::kinds::Hold;
use crate::report::Report;
use crate::stage::Stage;

/// How long a stopped worker may take to see that its job is no longer its own.
const TO_STOP: Duration = Duration::from_secs(3);

/// Everything that the system says about the jobs of one batch.
const ROWS: &str = "select cast(id as text) || status || coalesce(worker_id, '') || attempt || crashes || cast(updated_at as text) \
    from job_queue order by id";
const EVENTS: &str = "select count(*) from job_events";

pub(super) async fn play(stage: &Stage) -> Result<Report> {
    let rounds = stage.options.of(100, 6);
    let at_once = i64::from(stage.workers() / 2).min(rounds);
    let mut fleet = stage.fleet(Spec { concurrency: 1, ..stage.spec() })?;
    let mut report = Report::default();
    let mut played = 0;
    while played < rounds {
        let batch: Vec<i64> = (played..rounds.min(played + at_once)).collect();
        played += i64::try_from(batch.len())?;
        round(stage, &mut fleet, &batch, &mut report).await?;
    }
    fleet.end().await?;
    report.figure("rounds", rounds);
    Ok(report)
}

/// One round of several jobs, each with a victim of its own.
async fn round(stage: &Stage, fleet: &mut Fleet, batch: &[i64], report: &mut Report) -> Result<()> {
    let millis = u64::try_from((stage.options.lease * 2).as_millis())?;
    let jobs: Vec<Hold> = batch.iter().map(|n| Hold { n: *n, millis }).collect();
    stage.enqueue(None, "default", &jobs).await?;
    let (first, last) = (batch.first().context("no round")?, batch.last().context("no round")?);
    let these = format!("n between {first} and {last}");
    let begun = format!("select count(distinct n) from chaos_runs where event = 'began' and {these}");
    stage.until(Duration::from_secs(20), &begun, i64::try_from(batch.len())?).await?;
    let runs = stage.book.pairs(&format!("select n, worker from chaos_runs where event = 'began' and {these}")).await?;
    let mut victims = vec![];
    for (_, worker) in &runs {
        let place = fleet.place_of(worker).context("a worker of nobody")?;
        fleet.stop_between_writes(place).await?;
        victims.push(place);
    }
    let stopped = Instant::now();
    let effects = format!("select count(distinct n) from chaos_effects where {these}");
    let finished = stage.until(stage.options.lease * 10, &effects, i64::try_from(batch.len())?).await;
    report.must(finished.is_ok(), format!("nobody else finished the jobs of {batch:?}"));
    let done = "select count(*) from job_queue where status = 'running'";
    stage.until(Duration::from_secs(10), done, 0).await?;
    sleep_until(stopped + stage.options.lease * 3).await;
    let before = (stage.book.texts(ROWS).await?, stage.book.number(EVENTS).await?);
    for place in victims {
        fleet.go_on(place).await?;
    }
    let late = format!("select count(*) from chaos_runs where event = 'stopped' and {these}");
    let all_stopped = stage.until(TO_STOP, &late, i64::try_from(batch.len())?).await;
    report.must(all_stopped.is_ok(), format!("a late worker of {batch:?} did not stop"));
    // Whatever it still wanted to write, it has tried by now.
    sleep(stage.options.beat * 2).await;
    let after = (stage.book.texts(ROWS).await?, stage.book.number(EVENTS).await?);
    report.must(before == after, format!("a late worker of {batch:?} changed what was finished"));
    let twice = format!("select count(*) from (select n from chaos_effects where {these} group by n having count(*) > 1) t");
    report.must(stage.book.number(&twice).await? == 0, format!("a late worker of {batch:?} had the effect again"));
    Ok(())
}
