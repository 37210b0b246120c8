//! Facts of [`JobQueue::finish`](crate::jobs::JobQueue::finish): what each outcome makes of a job.

use chrono::TimeDelta;
use serde_json::json;

use super::Ports;
use super::fixtures::ANA;
use super::job_fixtures::{
    anything, backoff, claimed, crash, end, ended, history, job, job_for, keyed, now, pass, put, running, status, stored, taken,
    two_tries,
};
use crate::jobs::payload::MAX_ERROR_CHARS;
use crate::jobs::{Jitter, JobPolicy, JobStatus, KeyHolds, NewJob, Outcome, RetryPolicy, Written, cause};

/// A success ends the job, and its result can be read.
pub async fn finish_succeeded_stores_the_result(ports: &Ports) {
    let run = running(ports, job()).await;
    pass(ports, 5);
    let result = json!({ "version": 3, "sent": ["a", null, 0.5], "Ä": { "\u{1f4e8}": true } });
    assert_eq!(end(ports, &run.lease, Outcome::done(result.clone())).await, Written::Done);
    let record = stored(ports, run.job.id).await;
    assert_eq!((record.status, record.result), (JobStatus::Succeeded, Some(result)));
    assert_eq!((record.finished_at, record.started_at), (Some(now(ports)), run.job.started_at));
    assert_eq!((record.attempt, record.error, record.cause, record.worker), (1, None, None, run.job.worker));
    assert_eq!(history(ports, run.job.id).await, ["enqueued", "claimed", "succeeded"]);
}

/// Follow-up jobs are there with the success, in the family of the job that they follow from.
pub async fn finish_succeeded_enqueues_what_follows(ports: &Ports) {
    let run = running(ports, NewJob { correlation: "request-1".to_owned(), ..job_for(ANA) }).await;
    let children = [job().child_of(&run.job), NewJob { priority: 9, ..job() }.child_of(&run.job)];
    let ids = children.each_ref().map(|it| it.id);
    let outcome = Outcome::Succeeded { result: json!({}), follow_up: children.to_vec() };
    assert_eq!(end(ports, &run.lease, outcome).await, Written::Done);
    for id in ids {
        let child = stored(ports, id).await;
        assert_eq!((child.status, child.parent, child.correlation.as_str()), (JobStatus::Queued, Some(run.job.id), "request-1"));
        assert_eq!((child.owner, child.created_at), (Some(ANA), now(ports)));
        assert_eq!(history(ports, id).await, ["enqueued"]);
    }
    assert_eq!(taken(ports, anything(9)).await, [ids[1], ids[0]]);
}

/// A follow-up job whose key stands for the same work is there already.
pub async fn finish_succeeded_does_not_repeat_what_follows(ports: &Ports) {
    let first = put(ports, keyed("k", KeyHolds::Forever)).await;
    let run = running(ports, job()).await;
    let again = keyed("k", KeyHolds::Forever);
    let id = again.id;
    let outcome = Outcome::Succeeded { result: json!({}), follow_up: vec![again] };
    assert_eq!(end(ports, &run.lease, outcome).await, Written::Done);
    assert_eq!(status(ports, run.job.id).await, JobStatus::Succeeded);
    assert_eq!(ports.jobs.get(id).await.unwrap(), None);
    assert_eq!(taken(ports, anything(9)).await, [first]);
}

/// A failure that may pass is charged and waits by the policy of the job; the last one is the end.
pub async fn finish_backoff_waits_and_then_dies(ports: &Ports) {
    let run = running(ports, NewJob { policy: two_tries(), ..job() }).await;
    let id = run.job.id;
    assert_eq!(end(ports, &run.lease, backoff()).await, Written::Done);
    let record = stored(ports, id).await;
    assert_eq!((record.status, record.attempt, record.run_at), (JobStatus::Retrying, 1, now(ports) + TimeDelta::seconds(10)));
    assert_eq!((record.error.as_deref(), record.finished_at), (Some("the line was busy"), None));
    assert_eq!((record.crashes, record.reschedules), (0, 0));
    pass(ports, 9);
    assert!(taken(ports, anything(9)).await.is_empty());
    pass(ports, 1);
    let run = claimed(ports, id).await;
    assert_eq!(end(ports, &run.lease, Outcome::Backoff { error: "again".to_owned() }).await, Written::Done);
    let record = stored(ports, id).await;
    assert_eq!((record.status, record.attempt, record.cause.as_deref()), (JobStatus::Dead, 2, Some(cause::ATTEMPTS)));
    assert_eq!((record.error.as_deref(), record.finished_at), (Some("again"), Some(now(ports))));
    assert_eq!(history(ports, id).await, ["enqueued", "claimed", "retrying", "claimed", "dead"]);
}

/// Waits with full jitter lie between nothing and the wait, and are drawn for each job.
pub async fn finish_backoff_draws_for_each_job(ports: &Ports) {
    let retry = RetryPolicy::Fixed { seconds: vec![1_000.0], jitter: Jitter::Full };
    let policy = JobPolicy { retry, ..JobPolicy::default() };
    ports.jobs.enqueue((0..20).map(|_| NewJob { policy: policy.clone(), ..job() }).collect()).await.unwrap();
    let runs = ports.jobs.claim(anything(20)).await.unwrap();
    let answers = ports.jobs.finish(runs.iter().map(|it| (it.lease.clone(), backoff())).collect()).await.unwrap();
    assert_eq!(answers, [Written::Done; 20]);
    let mut waits = vec![];
    for run in &runs {
        waits.push(stored(ports, run.job.id).await.run_at - now(ports));
    }
    assert!(waits.iter().all(|it| (TimeDelta::zero()..=TimeDelta::seconds(1_000)).contains(it)), "{waits:?}");
    waits.sort_unstable();
    waits.dedup();
    assert!(waits.len() > 10, "all return together: {waits:?}");
}

/// What is put off waits until the instant and is not charged, but counted.
pub async fn finish_put_off_charges_nothing(ports: &Ports) {
    let at = now(ports) + TimeDelta::microseconds(60_000_001);
    let run = running(ports, job()).await;
    assert_eq!(end(ports, &run.lease, Outcome::RetryAt { at, error: "429".to_owned() }).await, Written::Done);
    let record = stored(ports, run.job.id).await;
    assert_eq!((record.status, record.attempt, record.reschedules, record.run_at), (JobStatus::Queued, 0, 1, at));
    assert_eq!((record.error.as_deref(), record.finished_at), (Some("429"), None));
    assert!(taken(ports, anything(9)).await.is_empty());
    pass(ports, 61);
    let run = claimed(ports, run.job.id).await;
    assert_eq!((run.job.attempt, run.lease.attempt, run.lease.reschedules), (1, 1, 1));
    assert_eq!(end(ports, &run.lease, Outcome::Snoozed { until: now(ports) }).await, Written::Done);
    let record = stored(ports, run.job.id).await;
    let soonest = now(ports) + TimeDelta::seconds(1);
    assert_eq!((record.status, record.attempt, record.reschedules, record.run_at), (JobStatus::Queued, 0, 2, soonest));
    pass(ports, 1);
    assert_eq!(history(ports, run.job.id).await, ["enqueued", "claimed", "queued", "claimed", "queued"]);
    assert_eq!(taken(ports, anything(9)).await, [run.job.id]);
}

/// Nothing is put off for ever.
pub async fn finish_put_off_too_often_dies(ports: &Ports) {
    let policy = JobPolicy { max_reschedules: 2, ..JobPolicy::default() };
    let id = put(ports, NewJob { policy, ..job() }).await;
    for expected in [JobStatus::Queued, JobStatus::Queued, JobStatus::Dead] {
        let run = claimed(ports, id).await;
        assert_eq!(end(ports, &run.lease, Outcome::Snoozed { until: now(ports) }).await, Written::Done);
        assert_eq!(status(ports, id).await, expected);
        pass(ports, 1);
    }
    let record = stored(ports, id).await;
    assert_eq!((record.cause.as_deref(), record.attempt), (Some(cause::RESCHEDULES), 0));
    assert_eq!(record.finished_at, Some(now(ports) - TimeDelta::seconds(1)));
    assert_eq!(history(ports, id).await.last().map(String::as_str), Some("dead"));
}

/// What is handed back is due at once, as if nothing had been.
pub async fn finish_handed_back_leaves_no_trace(ports: &Ports) {
    let policy = JobPolicy { max_reschedules: 0, max_attempts: 1, ..JobPolicy::default() };
    let id = put(ports, NewJob { policy, ..job() }).await;
    for _ in 0..3 {
        let run = claimed(ports, id).await;
        assert_eq!(end(ports, &run.lease, Outcome::HandedBack).await, Written::Done);
        let record = stored(ports, id).await;
        assert_eq!((record.status, record.attempt, record.reschedules, record.crashes), (JobStatus::Queued, 0, 0, 0));
        assert_eq!((record.error, record.finished_at), (None, None));
        pass(ports, 1);
    }
    assert_eq!(history(ports, id).await[..3], ["enqueued", "claimed", "queued"]);
    assert_eq!(taken(ports, anything(9)).await, [id]);
}

/// What failed for good, or stopped when asked to, is not tried again.
pub async fn finish_failed_and_cancelled_end_the_job(ports: &Ports) {
    let failed = ended(ports, job(), Outcome::failed("no such channel".to_owned())).await;
    assert_eq!((failed.status, failed.error.as_deref()), (JobStatus::Failed, Some("no such channel")));
    let cancelled = ended(ports, job(), Outcome::Cancelled).await;
    assert_eq!((cancelled.status, cancelled.attempt), (JobStatus::Cancelled, 0));
    for (record, event) in [(failed, "failed"), (cancelled, "cancelled")] {
        assert_eq!(record.finished_at, Some(now(ports)));
        assert_eq!(history(ports, record.id).await, ["enqueued", "claimed", event]);
    }
    pass(ports, 86_400);
    assert!(taken(ports, anything(9)).await.is_empty());
}

/// What needs a person ends with its report, says whom it waits for, and is not tried again.
pub async fn finish_needs_human_keeps_the_report(ports: &Ports) {
    let report = json!({ "connect": "slack", "done": 3 });
    let user = ended(ports, job(), Outcome::NeedsUser { report: report.clone() }).await;
    let operator = ended(ports, job(), Outcome::NeedsOperator { report: report.clone() }).await;
    for (record, whom) in [(user, "user"), (operator, "operator")] {
        assert_eq!((record.status, record.cause.as_deref()), (JobStatus::NeedsHuman, Some(whom)));
        assert_eq!((record.result.as_ref(), record.finished_at), (Some(&report), Some(now(ports))));
        assert_eq!(history(ports, record.id).await, ["enqueued", "claimed", "needs_human"]);
    }
    pass(ports, 86_400);
    assert!(taken(ports, anything(9)).await.is_empty());
}

/// Errors are stored without secrets and cut, and no text that a run may end with keeps it from ending.
pub async fn finish_takes_any_text(ports: &Ports) {
    let token = format!("xoxb-{}", "1234567890-abc");
    let record = ended(ports, job(), Outcome::failed(format!("401 for {token}"))).await;
    assert_eq!(record.error.as_deref(), Some("401 for [removed a Slack token]"));
    for error in [format!("\0{}", "é".repeat(MAX_ERROR_CHARS)), "a\0b".to_owned(), String::new()] {
        let record = ended(ports, job(), Outcome::failed(error)).await;
        assert_eq!(record.status, JobStatus::Failed);
        assert!(record.error.is_none_or(|it| it.chars().count() <= MAX_ERROR_CHARS && !it.contains('\0')));
    }
    let record = ended(ports, job(), Outcome::done(json!({ "text": "a\0b", "c\0d": "\u{1f4e8}" }))).await;
    assert_eq!(record.status, JobStatus::Succeeded);
    let record = ended(ports, job(), Outcome::done(serde_json::Value::Null)).await;
    assert_eq!(record.status, JobStatus::Succeeded);
}

/// A process that died under a job is not held against its tries.
pub async fn finish_counts_no_crash_as_a_try(ports: &Ports) {
    let id = put(ports, NewJob { policy: two_tries(), ..job() }).await;
    crash(ports, id).await;
    let run = claimed(ports, id).await;
    assert_eq!(run.lease.attempt, 1);
    end(ports, &run.lease, backoff()).await;
    assert_eq!(status(ports, id).await, JobStatus::Retrying);
}

/// A run that was asked to stop, and ends in a way that would have it run again, ends it.
pub async fn finish_of_a_job_asked_to_stop_leaves_nothing_waiting(ports: &Ports) {
    let until = now(ports) + TimeDelta::seconds(5);
    let again = [Outcome::Backoff { error: "no".to_owned() }, Outcome::Snoozed { until }, Outcome::HandedBack];
    for outcome in again {
        let run = running(ports, job()).await;
        ports.job_admin.cancel(run.job.id, "operator").await.unwrap();
        assert_eq!(end(ports, &run.lease, outcome).await, Written::Done);
        let record = stored(ports, run.job.id).await;
        assert_eq!((record.status, record.finished_at), (JobStatus::Cancelled, Some(now(ports))));
    }
}
