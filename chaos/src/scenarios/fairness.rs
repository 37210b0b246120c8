//! 7. One tenant with a mountain of jobs, and a hundred with one each that come later.

use std::time::Duration;

use anyhow::Result;
use yarnnn::id::{RandomIds, UserId};

use crate::book;
use crate::fleet::Spec;
use crate::kinds::Effect;
use crate::report::{Report, percentile};
use crate::stage::Stage;

const SOON: Duration = Duration::from_secs(5);
const SMALL: i64 = 100;
/// Numbers of the small ones' jobs start here.
const FROM: i64 = 1_000_000;

pub(super) async fn play(stage: &Stage) -> Result<Report> {
    let mountain = stage.options.of(50_000, 5_000);
    let big = UserId::fresh(&RandomIds);
    // Long enough that the mountain outlasts the scenario.
    stage.enqueue(Some(big), "default", &(0..mountain).map(|n| Effect { n, millis: 400 }).collect::<Vec<_>>()).await?;
    let fleet = stage.fleet(Spec { workers: 2, concurrency: 16, ..stage.spec() })?;
    let busy = "select case when count(*) >= 8 then 1 else 0 end from job_queue where status = 'running'";
    stage.until(Duration::from_secs(20), busy, 1).await?;
    let begin = book::now();
    for n in FROM..FROM + SMALL {
        stage.enqueue(Some(UserId::fresh(&RandomIds)), "default", &[Effect { n, millis: 10 }]).await?;
    }
    let stored = Duration::from_micros((book::now() - begin).unsigned_abs());
    let started = format!("select count(distinct n) from chaos_runs where event = 'began' and n >= {FROM}");
    let all = stage.until(SOON * 4, &started, SMALL).await;
    fleet.end().await?;
    let query = format!("select min(at) - {begin} from chaos_runs where event = 'began' and n >= {FROM} group by n");
    let micros = stage.book.numbers(&query).await?;
    let waits: Vec<Duration> = micros.iter().map(|it| Duration::from_micros(it.unsigned_abs())).collect();
    let mut report = Report::default();
    report.figure("the mountain's jobs", mountain);
    report.figure("the small ones stored in", format!("{:.1} s", stored.as_secs_f32()));
    report.figure("p50", format!("{:.2} s", percentile(&waits, 500).as_secs_f32()));
    report.figure("last", format!("{:.2} s", percentile(&waits, 1_000).as_secs_f32()));
    report.must(all.is_ok(), "not all of the small ones began");
    report.must(percentile(&waits, 1_000) <= SOON, "a small one waited for more than 5 s");
    let left = "select count(*) from job_queue where status in ('queued', 'retrying')";
    report.must(stage.book.number(left).await? > 0, "the mountain was gone before the small ones began");
    Ok(report)
}
