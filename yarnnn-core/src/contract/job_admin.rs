//! Facts of [`JobAdmin`](crate::jobs::JobAdmin).

use std::time::Duration;

use serde_json::json;

use super::Ports;
use super::fixtures::{ANA, fresh, is_conflict, is_missing};
use super::job_fixtures::{
    alone, anything, backoff, claimed, crash, done, end, ended, history, is_key_conflict, job, job_for, job_of, keyed, me, now,
    pass, put, quarantined, running, someone, status, stored, taken, try_put, two_tries,
};
use crate::id::JobId;
use crate::jobs::{Enqueued, JobFilter, JobPolicy, JobProgress, JobRecord, JobStatus, KeyHolds, NewJob, Outcome, Start, Written};

/// A filter that holds back nothing but what is over the limit.
fn any(limit: u32) -> JobFilter {
    JobFilter { limit, ..JobFilter::default() }
}

async fn listed(ports: &Ports, filter: JobFilter) -> Vec<JobId> {
    ports.job_admin.list(&filter).await.unwrap().into_iter().map(|it| it.id).collect()
}

/// Ended jobs that ended well, badly and by request, oldest first, an hour apart; and a job that waits.
async fn some_of_each(ports: &Ports) -> ([JobRecord; 3], JobId) {
    let succeeded = ended(ports, job_for(ANA), done()).await;
    pass(ports, 3_600);
    let failed = ended(ports, job_of("other"), Outcome::failed("no".to_owned())).await;
    pass(ports, 3_600);
    let cancelled = ended(ports, job_for(someone()), Outcome::Cancelled).await;
    pass(ports, 3_600);
    ([succeeded, failed, cancelled], put(ports, job_for(ANA)).await)
}

/// Newest first, as many as asked for, as they stand.
pub async fn list_is_newest_first(ports: &Ports) {
    let ([succeeded, failed, cancelled], waiting) = some_of_each(ports).await;
    assert_eq!(listed(ports, any(10)).await, [waiting, cancelled.id, failed.id, succeeded.id]);
    assert_eq!(listed(ports, any(2)).await, [waiting, cancelled.id]);
    assert_eq!(ports.job_admin.list(&any(10)).await.unwrap()[3], succeeded);
}

/// By state, kind and owner, and by all of them.
pub async fn list_filters(ports: &Ports) {
    let ([succeeded, failed, _], waiting) = some_of_each(ports).await;
    let states = JobFilter { statuses: vec![JobStatus::Failed, JobStatus::Succeeded], ..any(10) };
    assert_eq!(listed(ports, states).await, [failed.id, succeeded.id]);
    assert_eq!(listed(ports, JobFilter { kind: Some("other".to_owned()), ..any(10) }).await, [failed.id]);
    assert_eq!(listed(ports, JobFilter { owner: Some(ANA), ..any(10) }).await, [waiting, succeeded.id]);
    let all = JobFilter { statuses: vec![JobStatus::Queued], kind: Some(job().kind), owner: Some(ANA), limit: 10 };
    assert_eq!(listed(ports, all.clone()).await, [waiting]);
    assert_eq!(listed(ports, JobFilter { owner: Some(someone()), ..all }).await, []);
}

/// A result that has expired is not listed either.
pub async fn list_says_what_has_expired(ports: &Ports) {
    let policy = JobPolicy { result_ttl_seconds: Some(60), ..JobPolicy::default() };
    let id = ended(ports, NewJob { policy, ..job() }, done()).await.id;
    pass(ports, 61);
    assert_eq!(ports.job_admin.list(&any(10)).await.unwrap(), [stored(ports, id).await]);
    assert!(stored(ports, id).await.expired);
}

/// A history tells every change of state, oldest first: when, who, which try, why.
pub async fn events_tell_every_change(ports: &Ports) {
    let begin = now(ports);
    let id = put(ports, NewJob { policy: two_tries(), ..job() }).await;
    pass(ports, 1);
    let run = claimed(ports, id).await;
    pass(ports, 1);
    end(ports, &run.lease, backoff()).await;
    pass(ports, 10);
    crash(ports, id).await;
    let run = claimed(ports, id).await;
    let progress = JobProgress { step: "s".to_owned(), index: 1, total: 2, percent: 50, timings: vec![] };
    ports.jobs.progress(&run.lease, progress).await.unwrap();
    end(ports, &run.lease, done()).await;
    let names = ["enqueued", "claimed", "retrying", "claimed", "rescued", "claimed", "succeeded"];
    assert_eq!(history(ports, id).await, names);
    let events = ports.job_admin.events(id).await.unwrap();
    let seconds: Vec<_> = events.iter().map(|it| (it.at - begin).num_seconds()).collect();
    assert_eq!(seconds, [0, 1, 2, 12, 12, 12, 12]);
    let tries: Vec<_> = [1, 2, 3, 5, 6].map(|it| (events[it].attempt, events[it].event.as_str())).to_vec();
    assert_eq!(tries, [(1, "claimed"), (1, "retrying"), (2, "claimed"), (2, "claimed"), (2, "succeeded")]);
    for it in [1, 2, 3, 5, 6] {
        assert_eq!(events[it].actor.as_deref(), Some(me().as_str()), "{}", names[it]);
    }
    assert_eq!(events[2].reason.as_deref(), Some("the line was busy"));
}

/// Histories are kept apart, and what never was has none.
pub async fn events_are_those_of_one_job(ports: &Ports) {
    let (one, two) = (put(ports, job()).await, put(ports, job()).await);
    claimed(ports, two).await;
    assert_eq!((history(ports, one).await.len(), history(ports, two).await.len()), (1, 2));
    assert!(history(ports, JobId::from_uuid(fresh())).await.is_empty());
}

/// What ended without success is queued again with all its tries; its history stays, with who did it.
pub async fn retry_begins_anew(ports: &Ports) {
    let once = JobPolicy { max_attempts: 1, ..JobPolicy::default() };
    let ends = [
        backoff(),
        Outcome::failed("no".to_owned()),
        Outcome::Cancelled,
        Outcome::NeedsUser { report: json!({ "connect": "slack" }) },
        Outcome::NeedsOperator { report: json!({ "set": "a key" }) },
    ];
    for outcome in ends {
        let before = ended(ports, NewJob { policy: once.clone(), ..job() }, outcome).await;
        assert!(before.status.is_terminal());
        pass(ports, 60);
        ports.job_admin.retry(before.id, "operator ana").await.unwrap();
        let record = stored(ports, before.id).await;
        assert_eq!((record.status, record.attempt, record.crashes, record.reschedules), (JobStatus::Queued, 0, 0, 0));
        assert_eq!((record.finished_at, record.created_at), (None, before.created_at));
        assert_eq!((history(ports, before.id).await.len(), record.payload), (4, before.payload));
        let last = ports.job_admin.events(before.id).await.unwrap().pop().unwrap();
        assert_eq!((last.event.as_str(), last.actor.as_deref()), ("retried", Some("operator ana")));
        let run = claimed(ports, before.id).await;
        assert_eq!(run.lease.attempt, 1);
        end(ports, &run.lease, done()).await;
        assert_eq!(status(ports, before.id).await, JobStatus::Succeeded);
    }
}

/// What waits runs at once; what was in quarantine leaves it.
pub async fn retry_of_what_waits_runs_it_at_once(ports: &Ports) {
    let later = put(ports, NewJob { start: Start::After(Duration::from_hours(1)), ..job() }).await;
    let run = running(ports, NewJob { policy: two_tries(), ..job() }).await;
    end(ports, &run.lease, backoff()).await;
    let apart = quarantined(ports, job()).await;
    for id in [later, run.job.id, apart] {
        ports.job_admin.retry(id, "operator").await.unwrap();
        let record = stored(ports, id).await;
        assert_eq!((record.status, record.attempt, record.crashes, record.reschedules), (JobStatus::Queued, 0, 0, 0));
        assert_eq!(taken(ports, anything(9)).await, [id]);
    }
}

/// A job that is dead of crashing gets all its tries again.
pub async fn retry_of_a_poison_job_forgets_its_crashes(ports: &Ports) {
    let id = quarantined(ports, job()).await;
    for _ in 0..3 {
        pass(ports, 15);
        crash(ports, id).await;
    }
    assert_eq!(status(ports, id).await, JobStatus::Dead);
    ports.job_admin.retry(id, "operator").await.unwrap();
    assert_eq!(taken(ports, alone()).await, []);
    assert_eq!(crash(ports, id).await.crashes, 1);
    assert_eq!(taken(ports, anything(9)).await, [id]);
}

/// A cancelled job that is queued again is no longer asked to stop.
pub async fn retry_takes_back_the_wish_to_stop(ports: &Ports) {
    let run = running(ports, job()).await;
    ports.job_admin.cancel(run.job.id, "operator").await.unwrap();
    end(ports, &run.lease, Outcome::Cancelled).await;
    ports.job_admin.retry(run.job.id, "operator").await.unwrap();
    assert!(!claimed(ports, run.job.id).await.job.cancel_requested);
    assert_eq!(ports.jobs.rescue(&[me()]).await.unwrap()[0].status, JobStatus::Retrying);
}

/// An active key counts again with its job.
pub async fn retry_makes_an_active_key_count_again(ports: &Ports) {
    let id = ended(ports, keyed("k", KeyHolds::Active), Outcome::failed("no".to_owned())).await.id;
    ports.job_admin.retry(id, "operator").await.unwrap();
    assert_eq!(try_put(ports, keyed("k", KeyHolds::Active)).await.unwrap(), Enqueued::Existing(id));
    let other = NewJob { payload: json!({ "deliverable": 8 }), ..keyed("k", KeyHolds::Active) };
    assert!(is_key_conflict(&try_put(ports, other).await, "k"));
}

/// What runs is not started a second time, what succeeded is not repeated, and what is not there is not found.
pub async fn retry_refuses_what_runs_or_succeeded(ports: &Ports) {
    let running = running(ports, job()).await.job;
    let succeeded = ended(ports, job(), done()).await;
    for record in [running, succeeded] {
        let before = history(ports, record.id).await;
        assert!(is_conflict(&ports.job_admin.retry(record.id, "operator").await));
        assert_eq!((stored(ports, record.id).await, history(ports, record.id).await), (record, before));
    }
    assert!(is_missing(&ports.job_admin.retry(JobId::from_uuid(fresh()), "operator").await));
}

/// What waits is cancelled at once, by whom is kept.
pub async fn cancel_ends_what_waits(ports: &Ports) {
    let queued = put(ports, job()).await;
    let run = running(ports, NewJob { policy: two_tries(), ..job() }).await;
    end(ports, &run.lease, backoff()).await;
    let apart = quarantined(ports, job()).await;
    for id in [queued, run.job.id, apart] {
        assert_eq!(ports.job_admin.cancel(id, "operator ana").await.unwrap(), JobStatus::Cancelled);
        let record = stored(ports, id).await;
        assert_eq!((record.status, record.finished_at), (JobStatus::Cancelled, Some(now(ports))));
        let last = ports.job_admin.events(id).await.unwrap().pop().unwrap();
        assert_eq!((last.event.as_str(), last.actor.as_deref()), ("cancelled", Some("operator ana")));
    }
    pass(ports, 3_600);
    assert!(taken(ports, anything(9)).await.is_empty() && taken(ports, alone()).await.is_empty());
}

/// What runs is asked to stop, goes on until it does, and keeps its lease.
pub async fn cancel_asks_what_runs_to_stop(ports: &Ports) {
    let run = running(ports, job()).await;
    assert_eq!(ports.job_admin.cancel(run.job.id, "operator ana").await.unwrap(), JobStatus::Running);
    let record = stored(ports, run.job.id).await;
    assert_eq!((record.status, record.cancel_requested), (JobStatus::Running, true));
    assert_eq!((record.lease_until, record.finished_at), (run.job.lease_until, None));
    let last = ports.job_admin.events(run.job.id).await.unwrap().pop().unwrap();
    assert_eq!((last.event.as_str(), last.actor.as_deref()), ("cancel_requested", Some("operator ana")));
    assert_eq!(end(ports, &run.lease, Outcome::Cancelled).await, Written::Done);
    assert_eq!(history(ports, run.job.id).await, ["enqueued", "claimed", "cancel_requested", "cancelled"]);
}

/// What ended stays as it ended, and what is not there is not found.
pub async fn cancel_refuses_what_ended(ports: &Ports) {
    let (records, _) = some_of_each(ports).await;
    for record in records {
        let before = history(ports, record.id).await;
        assert!(is_conflict(&ports.job_admin.cancel(record.id, "operator").await));
        assert_eq!((stored(ports, record.id).await, history(ports, record.id).await), (record, before));
    }
    assert!(is_missing(&ports.job_admin.cancel(JobId::from_uuid(fresh()), "operator").await));
}
