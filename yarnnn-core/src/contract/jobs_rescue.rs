//! Facts of [`JobQueue::rescue`](crate::jobs::JobQueue::rescue).

use std::time::Duration;

use chrono::TimeDelta;
use futures::future::join_all;

use super::Ports;
use super::job_fixtures::{
    alone, anything, claimed, claimed_by, crash, done, end, ended, history, job, me, now, only, other, pass, put, quarantined,
    running, status, stored, taken,
};
use crate::jobs::{
    Admission, CapacityLimits, Endpoint, JobProgress, JobStatus, PermitRequest, Rescued, WorkerId, Written, cause,
};

/// A job whose lease has not ended stays with its worker; after that it is taken back, once, and is due at once.
pub async fn rescue_takes_back_what_has_no_lease(ports: &Ports) {
    let id = running(ports, job()).await.job.id;
    pass(ports, 14);
    assert_eq!(ports.jobs.rescue(&[]).await.unwrap(), []);
    assert_eq!(status(ports, id).await, JobStatus::Running);
    pass(ports, 2);
    let expected = Rescued { job: id, worker: me(), crashes: 1, status: JobStatus::Retrying };
    assert_eq!(ports.jobs.rescue(&[]).await.unwrap(), [expected]);
    assert_eq!(ports.jobs.rescue(&[]).await.unwrap(), []);
    let record = stored(ports, id).await;
    assert_eq!((record.status, record.attempt, record.crashes, record.reschedules), (JobStatus::Retrying, 0, 1, 0));
    assert_eq!(history(ports, id).await, ["enqueued", "claimed", "rescued"]);
    assert_eq!(taken(ports, anything(9)).await, [id]);
}

/// Jobs of workers that are gone are taken back though their leases hold; those of others are not.
pub async fn rescue_takes_back_what_the_gone_held(ports: &Ports) {
    let (mine, theirs) = (put(ports, job()).await, put(ports, job()).await);
    claimed_by(ports, mine, me()).await;
    claimed_by(ports, theirs, other()).await;
    assert_eq!(ports.jobs.rescue(&[WorkerId::new("nobody")]).await.unwrap(), []);
    let rescued = ports.jobs.rescue(&[other(), WorkerId::new("nobody")]).await.unwrap();
    assert_eq!(rescued, [Rescued { job: theirs, worker: other(), crashes: 1, status: JobStatus::Retrying }]);
    assert_eq!((status(ports, mine).await, status(ports, theirs).await), (JobStatus::Running, JobStatus::Retrying));
}

/// What ended or was given back by a worker before it went is not taken back.
pub async fn rescue_leaves_what_does_not_run(ports: &Ports) {
    let ended = ended(ports, job(), done()).await;
    let waiting = put(ports, job()).await;
    pass(ports, 3_600);
    assert_eq!(ports.jobs.rescue(&[me()]).await.unwrap(), []);
    assert_eq!(stored(ports, ended.id).await, ended);
    assert_eq!(stored(ports, waiting).await.crashes, 0);
}

/// Many jobs are taken back in one go, each once, however many look for them at once.
pub async fn rescue_at_once_takes_each_job_back_once(ports: &Ports) {
    ports.jobs.enqueue((0..50).map(|_| job()).collect()).await.unwrap();
    let mut ids = taken(ports, anything(50)).await;
    pass(ports, 16);
    let tasks = (0..6).map(|_| {
        let ports = ports.clone();
        tokio::spawn(async move { ports.jobs.rescue(&[me()]).await.unwrap() })
    });
    let mut rescued: Vec<_> = join_all(tasks).await.into_iter().flat_map(Result::unwrap).map(|it| it.job).collect();
    // One that another looks at right now may be passed over, but not for good.
    rescued.extend(ports.jobs.rescue(&[me()]).await.unwrap().into_iter().map(|it| it.job));
    rescued.sort_unstable();
    ids.sort_unstable();
    assert_eq!(rescued, ids);
    for id in ids {
        assert_eq!(stored(ports, id).await.crashes, 1);
    }
}

/// The first crash costs nothing; then tries are spaced and alone; after the last the job is dead, of crashing.
pub async fn rescue_spaces_tries_and_gives_up(ports: &Ports) {
    let id = put(ports, job()).await;
    let waits = [0, 1, 5, 15].map(TimeDelta::seconds);
    for (crashes, wait) in (1..).zip(waits) {
        let rescued = crash(ports, id).await;
        assert_eq!((rescued.crashes, rescued.status), (crashes, JobStatus::Retrying));
        let record = stored(ports, id).await;
        assert_eq!((record.crashes, record.attempt, record.run_at - now(ports)), (crashes, 0, wait));
        if !wait.is_zero() {
            ports.clock.advance(wait - TimeDelta::microseconds(1));
            assert!(taken(ports, only(id, me())).await.is_empty() && taken(ports, alone()).await.is_empty());
            ports.clock.advance(TimeDelta::microseconds(1));
        }
    }
    assert!(taken(ports, anything(9)).await.is_empty(), "it is in quarantine");
    let before = history(ports, id).await.len();
    let rescued = crash(ports, id).await;
    assert_eq!((rescued.crashes, rescued.status), (5, JobStatus::Dead));
    let record = stored(ports, id).await;
    assert_eq!((record.status, record.attempt, record.cause.as_deref()), (JobStatus::Dead, 0, Some(cause::CRASH)));
    assert_eq!(record.finished_at, Some(now(ports)));
    assert_eq!(history(ports, id).await.len(), before + 2, "one event for the claim, one for its end");
    pass(ports, 86_400);
    assert!(taken(ports, alone()).await.is_empty() && taken(ports, only(id, me())).await.is_empty());
}

/// A job in quarantine that runs to its end has simply ended.
pub async fn rescue_lets_a_quarantined_job_succeed(ports: &Ports) {
    let id = quarantined(ports, job()).await;
    pass(ports, 1);
    let run = ports.jobs.claim(alone()).await.unwrap().remove(0);
    assert_eq!((run.job.id, run.job.attempt, run.job.crashes), (id, 1, 2));
    assert_eq!(end(ports, &run.lease, done()).await, Written::Done);
    assert_eq!(status(ports, id).await, JobStatus::Succeeded);
}

/// A job that was asked to stop while it ran is cancelled when it is taken back, not tried again.
pub async fn rescue_cancels_what_was_asked_to_stop(ports: &Ports) {
    let id = running(ports, job()).await.job.id;
    ports.job_admin.cancel(id, "operator").await.unwrap();
    let before = history(ports, id).await.len();
    let rescued = ports.jobs.rescue(&[me()]).await.unwrap();
    assert_eq!((rescued[0].job, rescued[0].status), (id, JobStatus::Cancelled));
    let record = stored(ports, id).await;
    assert_eq!((record.status, record.finished_at), (JobStatus::Cancelled, Some(now(ports))));
    assert_eq!(history(ports, id).await.len(), before + 1);
    pass(ports, 3_600);
    assert!(taken(ports, anything(9)).await.is_empty());
}

/// What a worker that is gone held of a provider is free again; what others hold is not.
pub async fn rescue_ends_the_permits_of_the_gone(ports: &Ports) {
    let endpoint = Endpoint { provider: "openai".to_owned(), endpoint: "gpt".to_owned() };
    let limits = CapacityLimits { concurrent_requests: Some(2), ..CapacityLimits::default() };
    ports.capacity.set_limits(&endpoint, &limits).await.unwrap();
    let ask = |worker| PermitRequest { endpoint: endpoint.clone(), tokens: 1, worker, lease: Duration::from_mins(10) };
    let granted = |worker| {
        let request = ask(worker);
        async move { matches!(ports.capacity.acquire(&request).await.unwrap(), Admission::Granted(_)) }
    };
    assert!(granted(me()).await && granted(other()).await && !granted(me()).await);
    ports.jobs.rescue(&[]).await.unwrap();
    assert!(!granted(me()).await);
    ports.jobs.rescue(&[other()]).await.unwrap();
    assert!(granted(me()).await, "the place of the one that is gone");
    assert!(!granted(me()).await, "and no other");
}

/// A run that was taken back says nothing of its progress any more.
pub async fn rescue_ends_progress(ports: &Ports) {
    let run = running(ports, job()).await;
    ports.jobs.rescue(&[me()]).await.unwrap();
    let before = stored(ports, run.job.id).await;
    let progress = JobProgress { step: "late".to_owned(), index: 1, total: 2, percent: 50, timings: vec![] };
    assert_eq!(ports.jobs.progress(&run.lease, progress).await.unwrap(), Written::LeaseLost);
    assert_eq!(stored(ports, run.job.id).await, before);
    let next = claimed(ports, run.job.id).await;
    assert_ne!(next.lease.token, run.lease.token);
}
