//! 3. All threads of the runtime are busy for ten leases, and a worker that is not watches.

use std::time::Duration;

use anyhow::Result;

use crate::fleet::Spec;
use crate::kinds::Spin;
use crate::report::Report;
use crate::stage::Stage;

const THREADS: u32 = 2;

pub(super) async fn play(stage: &Stage) -> Result<Report> {
    let leases = stage.options.of(10, 5);
    let time = stage.options.lease * leases;
    let workers = 2;
    let busy = stage.fleet(Spec { workers, concurrency: THREADS, threads: THREADS, ..stage.spec() })?;
    // Somebody must be free to take jobs back, or nothing is shown.
    let watch = Spec { workers: 1, lane: "watch", first_role: workers, plant: None, ..stage.spec() };
    let watcher = stage.fleet(watch)?;
    let total = i64::from(workers * THREADS);
    let millis = u64::try_from(time.as_millis())?;
    stage.enqueue(None, "default", &(0..total).map(|n| Spin { n, millis }).collect::<Vec<_>>()).await?;
    let succeeded = "select count(*) from job_queue where status = 'succeeded'";
    let took = stage.until(time * 3 + Duration::from_secs(20), succeeded, total).await;
    busy.end().await?;
    watcher.end().await?;
    let mut report = Report::default();
    report.figure("leases", leases);
    report.figure("threads", total);
    match took {
        Ok(took) => report.must(took >= time, "the threads were not busy as long"),
        Err(error) => report.must(false, error.to_string()),
    }
    let rescued = "select count(*) from job_events where event = 'rescued'";
    report.must_be("taken back", stage.book.number(rescued).await?, 0);
    report.must_be("runs", stage.book.number("select count(*) from chaos_runs where event = 'began'").await?, total);
    Ok(report)
}
