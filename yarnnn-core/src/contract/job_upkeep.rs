//! Facts of [`JobAdmin`](crate::jobs::JobAdmin): `hurry`, `purge` and `depth`.

use std::time::Duration;

use serde_json::json;

use super::Ports;
use super::fixtures::{fresh, is_missing};
use super::job_fixtures::{
    anything, backoff, done, end, ended, history, is_key_conflict, job, job_of, keyed, me, now, only, pass, put, quarantined,
    running, status, stored, taken, two_tries,
};
use crate::id::JobId;
use crate::jobs::{Depth, Enqueued, JobPolicy, JobStatus, KeyHolds, NewJob, Outcome, Start};

/// What ended before the instant goes, with its history; what ended later stays.
pub async fn purge_deletes_what_ended_before(ports: &Ports) {
    let old = ended(ports, job(), done()).await.id;
    pass(ports, 60);
    let before = now(ports);
    pass(ports, 60);
    let new = ended(ports, job(), done()).await.id;
    assert_eq!(ports.job_admin.purge(before, &[JobStatus::Succeeded], 10).await.unwrap(), 1);
    assert_eq!((ports.jobs.get(old).await.unwrap(), history(ports, old).await.len()), (None, 0));
    assert_eq!((status(ports, new).await, history(ports, new).await.len()), (JobStatus::Succeeded, 3));
}

/// Only the states that are named, and of those only what has ended.
pub async fn purge_deletes_only_what_is_named_and_ended(ports: &Ports) {
    let succeeded = ended(ports, job(), done()).await.id;
    let failed = ended(ports, job(), Outcome::failed("no".to_owned())).await.id;
    let runs = running(ports, job()).await.job.id;
    let retrying = ended(ports, NewJob { policy: two_tries(), ..job() }, backoff()).await.id;
    let queued = put(ports, job()).await;
    pass(ports, 86_400);
    assert_eq!(ports.job_admin.purge(now(ports), &[JobStatus::Failed], 10).await.unwrap(), 1);
    assert_eq!((ports.jobs.get(failed).await.unwrap(), status(ports, succeeded).await), (None, JobStatus::Succeeded));
    assert_eq!(ports.job_admin.purge(now(ports), &JobStatus::ALL, 10).await.unwrap(), 1);
    for (id, stands) in [(runs, JobStatus::Running), (retrying, JobStatus::Retrying), (queued, JobStatus::Queued)] {
        assert_eq!(status(ports, id).await, stands);
    }
}

/// At most as many as asked for, and how many they were.
pub async fn purge_deletes_no_more_than_asked(ports: &Ports) {
    for _ in 0..5 {
        ended(ports, job(), done()).await;
    }
    pass(ports, 1);
    for expected in [2, 2, 1, 0] {
        assert_eq!(ports.job_admin.purge(now(ports), &JobStatus::ALL, 2).await.unwrap(), expected);
    }
}

/// A job whose result has expired goes too, though it ended after the instant.
pub async fn purge_deletes_what_has_expired(ports: &Ports) {
    let begin = now(ports);
    let policy = JobPolicy { result_ttl_seconds: Some(60), ..JobPolicy::default() };
    let expired = ended(ports, NewJob { policy, ..job() }, done()).await.id;
    let kept = ended(ports, job(), done()).await.id;
    pass(ports, 59);
    assert_eq!(ports.job_admin.purge(begin, &[JobStatus::Succeeded], 10).await.unwrap(), 0);
    pass(ports, 2);
    assert_eq!(ports.job_admin.purge(begin, &[JobStatus::Succeeded], 10).await.unwrap(), 1);
    assert_eq!((ports.jobs.get(expired).await.unwrap(), status(ports, kept).await), (None, JobStatus::Succeeded));
}

/// An active key of a job that was purged is free.
pub async fn purge_frees_active_keys(ports: &Ports) {
    ended(ports, keyed("k", KeyHolds::Active), done()).await;
    pass(ports, 1);
    assert_eq!(ports.job_admin.purge(now(ports), &JobStatus::ALL, 10).await.unwrap(), 1);
    put(ports, keyed("k", KeyHolds::Active)).await;
}

fn depth_of(depths: &[Depth], kind: &str, status: JobStatus) -> (u64, u64, u64) {
    let of: Vec<_> = depths.iter().filter(|it| it.kind == kind && it.status == status).collect();
    assert!(of.len() <= 1, "{depths:?}");
    of.first().map_or((0, 0, 0), |it| (it.count, it.quarantined, it.oldest_seconds))
}

/// What waits, runs or ended badly is counted by kind and state; what ended well or by request is not.
pub async fn depth_counts_what_has_not_ended_well(ports: &Ports) {
    assert_eq!(ports.job_admin.depth().await.unwrap(), []);
    ended(ports, job_of("a"), done()).await;
    ended(ports, job_of("a"), Outcome::Cancelled).await;
    for _ in 0..2 {
        ended(ports, job_of("a"), Outcome::failed("no".to_owned())).await;
    }
    ended(ports, NewJob { policy: JobPolicy { max_attempts: 1, ..two_tries() }, ..job_of("a") }, backoff()).await;
    ended(ports, job_of("a"), Outcome::NeedsUser { report: json!({ "do": 1 }) }).await;
    ended(ports, NewJob { policy: two_tries(), ..job_of("b") }, backoff()).await;
    running(ports, job_of("b")).await;
    put(ports, job_of("b")).await;
    put(ports, job_of("b")).await;
    let depths = ports.job_admin.depth().await.unwrap();
    let count = |kind, status| depth_of(&depths, kind, status).0;
    assert_eq!([JobStatus::Failed, JobStatus::Dead, JobStatus::NeedsHuman].map(|it| count("a", it)), [2, 1, 1]);
    assert_eq!([JobStatus::Queued, JobStatus::Running, JobStatus::Retrying].map(|it| count("b", it)), [2, 1, 1]);
    assert_eq!(depths.iter().map(|it| it.count).sum::<u64>(), 8, "{depths:?}");
}

/// The age of a backlog is how long its oldest job has been due, not how long ago it was made.
pub async fn depth_says_how_long_jobs_have_been_due(ports: &Ports) {
    put(ports, NewJob { start: Start::After(Duration::from_secs(100)), ..job_of("later") }).await;
    put(ports, job_of("now")).await;
    running(ports, job_of("runs")).await;
    pass(ports, 40);
    put(ports, job_of("now")).await;
    let depths = ports.job_admin.depth().await.unwrap();
    assert_eq!(depth_of(&depths, "later", JobStatus::Queued), (1, 0, 0));
    assert_eq!(depth_of(&depths, "now", JobStatus::Queued), (2, 0, 40));
    assert_eq!(depth_of(&depths, "runs", JobStatus::Running), (1, 0, 0));
    pass(ports, 90);
    let depths = ports.job_admin.depth().await.unwrap();
    assert_eq!(depth_of(&depths, "later", JobStatus::Queued), (1, 0, 30));
    assert_eq!(depth_of(&depths, "now", JobStatus::Queued), (2, 0, 130));
}

/// Jobs in quarantine are counted with the others of their kind, and apart.
pub async fn depth_counts_what_is_in_quarantine(ports: &Ports) {
    quarantined(ports, job()).await;
    let run = running(ports, NewJob { policy: two_tries(), ..job() }).await;
    end(ports, &run.lease, backoff()).await;
    let depths = ports.job_admin.depth().await.unwrap();
    let (count, quarantined, _) = depth_of(&depths, &job().kind, JobStatus::Retrying);
    assert_eq!((count, quarantined), (2, 1));
    assert!(taken(ports, anything(9)).await.is_empty());
}

/// A window outlives the job that it was opened by; one that is over goes.
pub async fn purge_leaves_keys_whose_window_is_open(ports: &Ports) {
    let first = ended(ports, keyed("k", KeyHolds::Window(7_200)), done()).await.id;
    pass(ports, 3_600);
    ports.job_admin.purge(now(ports), &[JobStatus::Succeeded], 9).await.unwrap();
    assert!(ports.jobs.get(first).await.unwrap().is_none());
    let again = keyed("k", KeyHolds::Window(7_200));
    assert_eq!(ports.jobs.enqueue(vec![again.clone()]).await.unwrap(), [Enqueued::Existing(first)]);
    pass(ports, 3_600);
    ports.job_admin.purge(now(ports), &[JobStatus::Succeeded], 9).await.unwrap();
    assert_eq!(ports.jobs.enqueue(vec![again.clone()]).await.unwrap(), [Enqueued::New(again.id)]);
}

/// The next try of a job comes at once, and counts as it would have; its crashes are not forgotten.
pub async fn hurry_brings_the_next_try_forward(ports: &Ports) {
    let failed = put(ports, NewJob { policy: two_tries(), ..job() }).await;
    let run = ports.jobs.claim(only(failed, me())).await.unwrap().remove(0);
    end(ports, &run.lease, backoff()).await;
    let poison = quarantined(ports, job_of("poison")).await;
    for id in [failed, poison] {
        let before = stored(ports, id).await;
        assert!(before.run_at > now(ports));
        ports.job_admin.hurry(id, "command").await.unwrap();
        let after = stored(ports, id).await;
        assert_eq!((after.run_at, after.attempt, after.crashes), (now(ports), before.attempt, before.crashes));
        assert_eq!(history(ports, id).await.last().map(String::as_str), Some("hurried"));
    }
    assert_eq!(taken(ports, anything(9)).await, [failed], "it is in quarantine still");
}

/// What runs, has ended or waits for its first time is let be; what is not there is missing.
pub async fn hurry_lets_others_be(ports: &Ports) {
    let later = put(ports, NewJob { start: Start::After(Duration::from_mins(1)), ..job() }).await;
    let runs = running(ports, job_of("a")).await.job.id;
    let over = ended(ports, job_of("b"), done()).await.id;
    for id in [later, runs, over] {
        let before = stored(ports, id).await;
        ports.job_admin.hurry(id, "command").await.unwrap();
        assert_eq!(stored(ports, id).await, before);
    }
    assert!(is_missing(&ports.job_admin.hurry(JobId::from_uuid(fresh()), "x").await));
}

/// A job that is queued again stands under its key again, also when another had the key and ended: a third with another payload
/// is a conflict, and never beside it.
pub async fn retry_takes_its_key_back(ports: &Ports) {
    let first = NewJob { payload: json!({ "n": 1 }), ..keyed("k", KeyHolds::Active) };
    let second = NewJob { payload: json!({ "n": 2 }), ..keyed("k", KeyHolds::Active) };
    let third = NewJob { payload: json!({ "n": 3 }), ..keyed("k", KeyHolds::Active) };
    let first = ended(ports, first, Outcome::failed("no")).await.id;
    ended(ports, second, done()).await;
    ports.job_admin.retry(first, "operator").await.unwrap();
    let refused = ports.jobs.enqueue(vec![third]).await;
    assert!(is_key_conflict(&refused, "k"), "{refused:?}");
    let again = NewJob { payload: json!({ "n": 1 }), ..keyed("k", KeyHolds::Active) };
    assert_eq!(ports.jobs.enqueue(vec![again]).await.unwrap(), [Enqueued::Existing(first)]);
}
