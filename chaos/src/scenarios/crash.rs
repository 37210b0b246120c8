//! 4. Jobs that kill their process, among many that do not.

use std::time::Duration;

use anyhow::Result;
use tokio::time::{Instant, sleep};

use crate::fleet::Fleet;
use crate::kinds::{Crash, Effect};
use crate::report::Report;
use crate::stage::Stage;

/// Waits of 1, 5 and 15 s lie between the tries.
const PATIENCE: Duration = Duration::from_secs(50);

const CRASHES: &str =
    "select count(*) from job_queue where job_type = 'chaos_crash' and status = 'dead' and cause = 'crash' and crashes = 5";
const INNOCENT: &str = "select count(*) from job_queue where job_type = 'chaos_effect' and status = 'succeeded'";

pub(super) async fn play(stage: &Stage) -> Result<Report> {
    let guilty = 3;
    let innocent = stage.options.of(400, 200);
    let mut random = stage.random();
    let jobs: Vec<Effect> = (0..innocent).map(|n| Effect { n, millis: 50 + random.below(200) }).collect();
    let mut fleet = stage.fleet(stage.spec())?;
    let crashes: Vec<Crash> = (0..guilty).map(|n| Crash { n }).collect();
    stage.enqueue(None, "default", jobs.get(..50).unwrap_or(&jobs)).await?;
    stage.enqueue(None, "default", &crashes).await?;
    stage.enqueue(None, "default", jobs.get(50..).unwrap_or_default()).await?;
    let died = tend(stage, &mut fleet, guilty, innocent).await?;
    fleet.end().await?;
    let book = &stage.book;
    let mut report = Report::default();
    report.figure("processes lost", died);
    report.must_be("dead with cause crash", book.number(CRASHES).await?, guilty);
    report.must_be("innocent that succeeded", book.number(INNOCENT).await?, innocent);
    let charged = "select count(*) from job_queue where job_type = 'chaos_effect' and attempt <> 1";
    report.must_be("innocent that were charged", book.number(charged).await?, 0);
    let twice = "select count(*) from (select n from chaos_effects group by n having count(*) > 1) t";
    report.must_be("with two effects", book.number(twice).await?, 0);
    let tries = book.number(
        "select count(*) from job_events e join job_queue q on q.id = e.job_id \
        where q.job_type = 'chaos_crash' and e.event = 'claimed'",
    );
    report.must_be("tries of the guilty", tries.await?, guilty * 5);
    Ok(report)
}

/// Starts workers again until all have ended; answers how many died.
async fn tend(stage: &Stage, fleet: &mut Fleet, guilty: i64, innocent: i64) -> Result<i64> {
    let (begin, mut died) = (Instant::now(), 0);
    while begin.elapsed() < PATIENCE {
        died += fleet.tend()?;
        if stage.book.number(CRASHES).await? == guilty && stage.book.number(INNOCENT).await? == innocent {
            break;
        }
        sleep(Duration::from_millis(50)).await;
    }
    Ok(died)
}
