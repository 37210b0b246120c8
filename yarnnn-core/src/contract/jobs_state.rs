//! Facts of [`JobQueue`](crate::jobs::JobQueue): `progress`, `get` and `next_due`.

use std::time::Duration;

use serde_json::json;

use super::Ports;
use super::fixtures::fresh;
use super::job_fixtures::{
    anything, claimed, done, end, ended, job, job_of, now, other, pass, put, quarantined, running, status, stored, taken,
};
use crate::id::{JobId, RunToken};
use crate::jobs::{JobPolicy, JobProgress, JobStatus, Lease, NewJob, NextDue, Outcome, Start, Written};

fn progress(index: u32) -> JobProgress {
    let percent = u8::try_from(index * 25).unwrap();
    JobProgress { step: format!("step {index}"), index, total: 4, percent, timings: vec![("step 0".to_owned(), 17)] }
}

/// How far a run came can be read, as it was said, and changes nothing else.
pub async fn progress_can_be_read(ports: &Ports) {
    let run = running(ports, job()).await;
    assert_eq!(stored(ports, run.job.id).await.progress, None);
    for index in [1, 3] {
        assert_eq!(ports.jobs.progress(&run.lease, progress(index)).await.unwrap(), Written::Done);
        let record = stored(ports, run.job.id).await;
        assert_eq!(record.progress, Some(progress(index)));
        assert_eq!((record.status, record.lease_until), (JobStatus::Running, run.job.lease_until));
    }
}

/// Progress goes forward only; who is late by a step has not lost the job.
pub async fn progress_goes_forward_only(ports: &Ports) {
    let run = running(ports, job()).await;
    ports.jobs.progress(&run.lease, progress(2)).await.unwrap();
    for index in [1, 0] {
        assert_eq!(ports.jobs.progress(&run.lease, progress(index)).await.unwrap(), Written::Done);
        assert_eq!(stored(ports, run.job.id).await.progress, Some(progress(2)));
    }
}

/// Only the holder of the lease says how far it came, and only while the job runs.
pub async fn progress_needs_the_lease(ports: &Ports) {
    let run = running(ports, job()).await;
    let strangers = [
        Lease { token: RunToken::from_uuid(fresh()), ..run.lease.clone() },
        Lease { worker: other(), ..run.lease.clone() },
        Lease { job: JobId::from_uuid(fresh()), ..run.lease.clone() },
    ];
    for lease in strangers {
        assert_eq!(ports.jobs.progress(&lease, progress(1)).await.unwrap(), Written::LeaseLost);
        assert_eq!(stored(ports, run.job.id).await, run.job);
    }
    end(ports, &run.lease, done()).await;
    let before = stored(ports, run.job.id).await;
    assert_eq!(ports.jobs.progress(&run.lease, progress(1)).await.unwrap(), Written::LeaseLost);
    assert_eq!(stored(ports, run.job.id).await, before);
}

/// A job that is not there is not there.
pub async fn get_of_an_unknown_job_is_none(ports: &Ports) {
    put(ports, job()).await;
    assert_eq!(ports.jobs.get(JobId::from_uuid(fresh())).await.unwrap(), None);
}

/// A result beyond its time to live is gone, and says so; the job has still succeeded.
pub async fn get_of_an_old_result_says_expired(ports: &Ports) {
    let policy = JobPolicy { result_ttl_seconds: Some(60), ..JobPolicy::default() };
    let record = ended(ports, NewJob { policy, ..job() }, done()).await;
    let kept = ended(ports, job(), done()).await;
    pass(ports, 59);
    assert_eq!(stored(ports, record.id).await, record);
    assert!(record.result.is_some() && !record.expired);
    pass(ports, 2);
    let expired = stored(ports, record.id).await;
    assert_eq!((expired.status, expired.expired, expired.result), (JobStatus::Succeeded, true, None));
    pass(ports, 86_400 * 1_000);
    assert_eq!(stored(ports, kept.id).await, kept, "no time to live is for ever");
}

/// Only the result of a success has a time to live: a report waits for its person.
pub async fn get_of_an_old_report_shows_it(ports: &Ports) {
    let policy = JobPolicy { result_ttl_seconds: Some(60), ..JobPolicy::default() };
    let outcome = Outcome::NeedsUser { report: json!({ "connect": "slack" }) };
    let record = ended(ports, NewJob { policy, ..job() }, outcome).await;
    pass(ports, 3_600);
    assert_eq!(stored(ports, record.id).await, record);
}

async fn next(ports: &Ports, due: NextDue) -> Option<Duration> {
    ports.jobs.next_due(&due).await.unwrap()
}

/// None while nothing waits; then the time until the first job that waits; nothing to wait for when one is due.
pub async fn next_due_is_the_time_until_the_next_job(ports: &Ports) {
    assert_eq!(next(ports, NextDue::default()).await, None);
    let later = |seconds| NewJob { start: Start::After(Duration::from_secs(seconds)), ..job() };
    put(ports, NewJob { priority: 10, ..later(20) }).await;
    assert_eq!(next(ports, NextDue::default()).await, Some(Duration::from_secs(20)));
    let first = put(ports, later(10)).await;
    assert_eq!(next(ports, NextDue::default()).await, Some(Duration::from_secs(10)));
    pass(ports, 4);
    assert_eq!(next(ports, NextDue::default()).await, Some(Duration::from_secs(6)));
    pass(ports, 6);
    assert_eq!(next(ports, NextDue::default()).await, Some(Duration::ZERO));
    pass(ports, 1);
    assert_eq!(next(ports, NextDue::default()).await, Some(Duration::ZERO));
    claimed(ports, first).await;
    assert_eq!(next(ports, NextDue::default()).await, Some(Duration::from_secs(9)), "what runs does not wait");
}

/// What ended does not wait.
pub async fn next_due_passes_over_what_ended(ports: &Ports) {
    ended(ports, job(), done()).await;
    let run = running(ports, job()).await;
    assert_eq!(next(ports, NextDue::default()).await, None);
    let at = now(ports) + Duration::from_secs(30);
    end(ports, &run.lease, Outcome::Snoozed { until: at }).await;
    assert_eq!(next(ports, NextDue::default()).await, Some(Duration::from_secs(30)));
    ports.job_admin.cancel(run.job.id, "operator").await.unwrap();
    assert_eq!(next(ports, NextDue::default()).await, None);
}

/// Only the kinds and lanes that are asked for count.
pub async fn next_due_heeds_kinds_and_lanes(ports: &Ports) {
    let after = |seconds, kind: &str, lane: &str| NewJob {
        start: Start::After(Duration::from_secs(seconds)),
        lane: lane.to_owned(),
        ..job_of(kind)
    };
    for (seconds, kind, lane) in [(10, "a", "default"), (20, "a", "slow"), (30, "b", "slow")] {
        put(ports, after(seconds, kind, lane)).await;
    }
    let of = |kinds: &[&str], lanes: &[&str]| {
        let some = |names: &[&str]| (!names.is_empty()).then(|| names.iter().map(|it| (*it).to_owned()).collect());
        NextDue { kinds: some(kinds), lanes: some(lanes), alone: false }
    };
    assert_eq!(next(ports, of(&["b"], &[])).await, Some(Duration::from_secs(30)));
    assert_eq!(next(ports, of(&["a", "b"], &["slow"])).await, Some(Duration::from_secs(20)));
    assert_eq!(next(ports, of(&[], &["default"])).await, Some(Duration::from_secs(10)));
    assert_eq!(next(ports, of(&["b"], &["default"])).await, None);
    assert_eq!(next(ports, of(&["c"], &[])).await, None);
}

/// Jobs in quarantine and others are asked for apart.
pub async fn next_due_keeps_quarantined_jobs_apart(ports: &Ports) {
    let alone = || NextDue { alone: true, ..NextDue::default() };
    quarantined(ports, job()).await;
    assert_eq!((next(ports, alone()).await, next(ports, NextDue::default()).await), (Some(Duration::from_secs(1)), None));
    let common = put(ports, job()).await;
    assert_eq!(next(ports, NextDue::default()).await, Some(Duration::ZERO));
    assert_eq!(next(ports, alone()).await, Some(Duration::from_secs(1)));
    assert_eq!(taken(ports, anything(9)).await, [common]);
    assert_eq!(status(ports, common).await, JobStatus::Running);
}
