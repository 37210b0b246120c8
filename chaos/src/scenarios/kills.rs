//! 1. Workers killed with SIGKILL every 200 ms under jobs that each have one effect under a key.

use std::time::Duration;

use anyhow::Result;
use tokio::time::{Instant, sleep_until};

use crate::kinds::Effect;
use crate::report::Report;
use crate::stage::Stage;

const EVERY: Duration = Duration::from_millis(200);
/// How long the rest may take after the last kill.
const REST: Duration = Duration::from_mins(1);

/// Jobs that began more often than the first time and once for each time they were taken or given back: two had the same job.
const SHARED: &str = "select count(*) from (select job, count(*) as runs from chaos_runs where event = 'began' group by job) r \
    left join (select cast(job_id as text) as job, count(*) as backs from job_events \
        where event in ('rescued', 'queued', 'retrying') group by cast(job_id as text)) e on e.job = r.job \
    where r.runs > 1 + coalesce(e.backs, 0)";

pub(super) async fn play(stage: &Stage) -> Result<Report> {
    let time = Duration::from_secs(stage.options.seconds);
    let total = stage.options.of(10_000, 600);
    let mut random = stage.random();
    let jobs: Vec<Effect> = (0..total).map(|n| Effect { n, millis: 10 + random.below(190) }).collect();
    let mut fleet = stage.fleet(stage.spec())?;
    let (enqueued, stormed) = tokio::join!(enqueue_over(stage, &jobs, time), fleet.storm(EVERY, time, &mut random));
    enqueued?;
    let (kills, spared) = stormed?;
    let ended = "select count(*) from job_queue where status not in ('queued', 'running', 'retrying')";
    let rest = stage.until(REST, ended, total).await;
    fleet.end().await?;
    check(stage, total, (kills, spared), rest).await
}

/// Spreads the jobs over the time of the kills, so that there is always something to kill.
async fn enqueue_over(stage: &Stage, jobs: &[Effect], time: Duration) -> Result<()> {
    const PARTS: usize = 40;
    let begin = Instant::now();
    for (part, number) in jobs.chunks(jobs.len().div_ceil(PARTS)).zip(0..) {
        sleep_until(begin + time.mul_f64(0.9) * number / u32::try_from(PARTS)?).await;
        stage.enqueue(None, "default", part).await?;
    }
    Ok(())
}

async fn check(stage: &Stage, total: i64, (kills, spared): (i64, i64), rest: Result<Duration>) -> Result<Report> {
    let book = &stage.book;
    let mut report = Report::default();
    report.figure("jobs", total);
    report.figure("kills", kills);
    report.figure("spared", spared);
    report.must(kills > 0, "nobody was killed");
    match rest {
        Ok(rest) => report.figure("rest done in", format!("{:.1} s", rest.as_secs_f32())),
        Err(error) => report.must(false, format!("not everything was done in time: {error}")),
    }
    report.figure("taken back", book.number("select count(*) from job_events where event = 'rescued'").await?);
    report.figure("runs", book.number("select count(*) from chaos_runs where event = 'began'").await?);
    report.figure("effects repeated in vain", book.number("select count(*) from chaos_runs where event = 'had already'").await?);
    let succeeded = "select count(*) from job_queue where status = 'succeeded'";
    report.must_be("succeeded", book.number(succeeded).await?, total);
    report.must_be("dead", book.number("select count(*) from job_queue where status in ('dead', 'failed')").await?, 0);
    report.must_be("with effect", book.number("select count(distinct n) from chaos_effects").await?, total);
    let twice = "select count(*) from (select n from chaos_effects group by n having count(*) > 1) t";
    report.must_be("with two effects", book.number(twice).await?, 0);
    report.must_be("run by two at once", book.number(SHARED).await?, 0);
    let ends =
        "select count(*) from (select job_id from job_events where event = 'succeeded' group by job_id having count(*) > 1) t";
    report.must_be("ended twice", book.number(ends).await?, 0);
    Ok(report)
}
