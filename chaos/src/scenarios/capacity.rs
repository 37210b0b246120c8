//! 6. Three requests a second, shared by four processes that are killed at random.

use std::time::Duration;

use anyhow::Result;
use yarnnn::jobs::CapacityLimits;

use crate::fleet::Spec;
use crate::kinds::{Call, PERMIT, endpoint};
use crate::report::Report;
use crate::stage::Stage;

const A_SECOND: u32 = 3;

pub(super) async fn play(stage: &Stage) -> Result<Report> {
    let seconds = stage.options.of(60, 5);
    let limits =
        CapacityLimits { requests_per_second: Some(A_SECOND), concurrent_requests: Some(A_SECOND), ..CapacityLimits::default() };
    stage.jobs.capacity.set_limits(&endpoint(), &limits).await?;
    let total = i64::try_from(seconds * 2)?;
    stage.enqueue(None, "default", &(0..total).map(|n| Call { n }).collect::<Vec<_>>()).await?;
    let mut fleet = stage.fleet(Spec { workers: 4, ..stage.spec() })?;
    let mut random = stage.random();
    let time = Duration::from_secs(seconds);
    let (kills, _) = fleet.storm(Duration::from_millis(500), time, &mut random).await?;
    let ended = "select count(*) from job_queue where status = 'succeeded'";
    let rest = stage.until(Duration::from_mins(1), ended, total).await;
    fleet.end().await?;
    let mut report = Report::default();
    report.figure("jobs", total);
    report.figure("kills", kills);
    if let Err(error) = rest {
        report.must(false, error.to_string());
    }
    never_exceeded(&stage.book.numbers("select granted_at from chaos_calls order by granted_at").await?, &mut report);
    none_leaked(stage, &mut report).await?;
    Ok(report)
}

/// No stretch of one second holds more than three: of any four in a row the last is a second or more after the first.
fn never_exceeded(granted: &[i64], report: &mut Report) {
    report.figure("calls", granted.len());
    let more = usize::try_from(A_SECOND).unwrap_or(usize::MAX);
    let closest = granted.iter().zip(granted.iter().skip(more)).map(|(first, last)| last - first).min();
    if let Some(closest) = closest {
        report
            .figure("least time of four calls", format!("{:.3} s", Duration::from_micros(closest.unsigned_abs()).as_secs_f64()));
        report.must(closest >= 1_000_000, "more than three calls in a second");
    }
    report.must(closest.is_some(), "too few calls to tell");
}

/// What the dead held has ended with its lease.
async fn none_leaked(stage: &Stage, report: &mut Report) -> Result<()> {
    tokio::time::sleep(PERMIT + Duration::from_millis(500)).await;
    let usage = stage.jobs.capacity.usage().await?;
    let held = usage.iter().find(|it| it.endpoint == endpoint()).map_or(-1, |it| i64::from(it.held));
    report.must_be("permits leaked", held, 0);
    Ok(())
}
