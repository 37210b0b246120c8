//! Facts of [`JobQueue::claim`](crate::jobs::JobQueue::claim); how it shares workers among owners is a suite of its own.

use std::collections::HashSet;
use std::time::Duration;

use chrono::TimeDelta;
use futures::future::join_all;

use super::Ports;
use super::fixtures::ANA;
use super::job_fixtures::{
    LEASE, alone, anything, backoff, claimed, crash, done, end, ended, history, job, job_for, job_of, me, now, only, other, pass,
    put, quarantined, status, stored, taken, two_tries,
};
use crate::jobs::{Claim, JobStatus, NewJob, Start, WorkerId};

/// A claim hands out the whole job and the right to run it, and shows in the row.
pub async fn claim_starts_a_lease(ports: &Ports) {
    let id = put(ports, NewJob { policy: two_tries(), ..job_for(ANA) }).await;
    pass(ports, 5);
    let run = ports.jobs.claim(anything(1)).await.unwrap().remove(0);
    assert_eq!((run.job.id, run.job.status, run.job.attempt, run.job.owner), (id, JobStatus::Running, 1, Some(ANA)));
    assert_eq!((run.job.worker.clone(), run.job.started_at), (Some(me()), Some(now(ports))));
    assert_eq!(run.job.lease_until, Some(now(ports) + LEASE));
    assert_eq!((run.lease.job, &run.lease.worker, run.lease.attempt, run.lease.reschedules), (id, &me(), 1, 0));
    assert_eq!(run.lease.policy, two_tries());
    assert_eq!(stored(ports, id).await, run.job);
    let events = ports.job_admin.events(id).await.unwrap();
    let last = events.last().unwrap();
    assert_eq!((last.event.as_str(), last.actor.as_deref(), last.attempt), ("claimed", Some(me().as_str()), 1));
}

/// A lease is as long as it was asked for.
pub async fn claim_leases_for_as_long_as_asked(ports: &Ports) {
    let id = put(ports, job()).await;
    let lease = Duration::from_millis(1_500);
    ports.jobs.claim(Claim { lease, ..anything(1) }).await.unwrap();
    assert_eq!(stored(ports, id).await.lease_until, Some(now(ports) + TimeDelta::milliseconds(1_500)));
}

/// Each claim of a job draws another token, also by the same worker, and is one more try.
pub async fn claim_draws_a_new_token(ports: &Ports) {
    let id = put(ports, NewJob { policy: two_tries(), ..job() }).await;
    let first = claimed(ports, id).await;
    end(ports, &first.lease, backoff()).await;
    pass(ports, 10);
    let second = claimed(ports, id).await;
    assert_ne!(first.lease.token, second.lease.token);
    assert_eq!((second.job.attempt, second.lease.attempt), (2, 2));
}

/// Higher priority first, then what is due longest, then by id.
pub async fn claim_is_by_priority_then_time_then_id(ports: &Ports) {
    let late = Start::After(Duration::from_secs(2));
    let early = Start::After(Duration::from_secs(1));
    let new = |priority, start| NewJob { priority, start, ..job() };
    let (tied, next_tied) = (new(7, late), new(7, late));
    let (last, before_last) = (new(1, early), new(1, Start::Now));
    let mut jobs = [new(10, late), new(7, early), tied, next_tied, before_last, last];
    let expected = jobs.each_ref().map(|it| it.id);
    assert!(expected[2] < expected[3] && expected[2] < expected[1] && expected[5] < expected[4], "ids decide last");
    jobs.reverse();
    ports.jobs.enqueue(jobs.to_vec()).await.unwrap();
    pass(ports, 3);
    let first = taken(ports, anything(4)).await;
    let rest = taken(ports, anything(4)).await;
    assert_eq!([first, rest].concat(), expected);
}

/// What is not due is not claimed, and does not hide what is, however urgent and however much of it there is.
pub async fn claim_takes_what_is_due(ports: &Ports) {
    let soon = Start::After(Duration::from_secs(10));
    let urgent: Vec<_> = (0..500).map(|_| NewJob { priority: 10, start: soon, ..job() }).collect();
    ports.jobs.enqueue(urgent).await.unwrap();
    let due = put(ports, NewJob { priority: 1, ..job() }).await;
    assert_eq!(taken(ports, anything(10)).await, [due]);
    assert!(taken(ports, anything(10)).await.is_empty());
    pass(ports, 10);
    assert_eq!(taken(ports, anything(10)).await.len(), 10);
}

/// At most as many as asked for.
pub async fn claim_takes_no_more_than_asked(ports: &Ports) {
    ports.jobs.enqueue((0..5).map(|_| job()).collect()).await.unwrap();
    assert!(taken(ports, anything(0)).await.is_empty());
    assert_eq!(taken(ports, anything(3)).await.len(), 3);
    assert_eq!(taken(ports, anything(3)).await.len(), 2);
    assert!(taken(ports, anything(3)).await.is_empty());
}

/// What runs or has ended is not claimed, by nobody and not by id.
pub async fn claim_leaves_what_does_not_wait(ports: &Ports) {
    let running = put(ports, job()).await;
    claimed(ports, running).await;
    let ended = ended(ports, job(), done()).await.id;
    let cancelled = put(ports, job()).await;
    ports.job_admin.cancel(cancelled, "operator").await.unwrap();
    pass(ports, 3_600);
    for id in [running, ended, cancelled] {
        let before = stored(ports, id).await;
        assert!(taken(ports, only(id, other())).await.is_empty());
        assert!(taken(ports, anything(10)).await.is_empty(), "a lease that ended is rescued, not claimed");
        assert_eq!(stored(ports, id).await, before);
    }
}

/// Kinds and lanes that the claim does not name are left as they are; a claim that names none of them takes nothing.
pub async fn claim_leaves_other_kinds_and_lanes_alone(ports: &Ports) {
    let slow = |kind| NewJob { lane: "slow".to_owned(), ..job_of(kind) };
    let jobs = [job_of("a"), slow("a"), job_of("b"), slow("b")];
    let ids = jobs.each_ref().map(|it| it.id);
    ports.jobs.enqueue(jobs.to_vec()).await.unwrap();
    let names = |names: &[&str]| Some(names.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>());
    let claim = |kinds, lanes| Claim { kinds, lanes, ..anything(10) };
    assert!(taken(ports, claim(names(&["c"]), None)).await.is_empty());
    assert!(taken(ports, claim(names(&[]), None)).await.is_empty());
    assert!(taken(ports, claim(None, names(&["quick"]))).await.is_empty());
    assert_eq!(taken(ports, claim(names(&["a", "c"]), names(&["slow"]))).await, [ids[1]]);
    for left in [ids[0], ids[2], ids[3]] {
        assert_eq!((status(ports, left).await, history(ports, left).await.len()), (JobStatus::Queued, 1));
    }
    assert_eq!(taken(ports, claim(names(&["b"]), None)).await, [ids[2], ids[3]]);
    assert_eq!(taken(ports, claim(None, names(&["slow", "default"]))).await, [ids[0]]);
}

/// A claim by id takes that job and no other, though others are before it.
pub async fn claim_by_id_takes_that_job(ports: &Ports) {
    put(ports, NewJob { priority: 10, ..job() }).await;
    let wanted = put(ports, NewJob { priority: 1, ..job() }).await;
    let claim = Claim { limit: 10, ..only(wanted, me()) };
    assert_eq!(taken(ports, claim.clone()).await, [wanted]);
    assert!(taken(ports, claim).await.is_empty());
}

/// A job whose process died once comes like any other; one whose process died twice only alone or by id.
pub async fn claim_keeps_quarantined_jobs_apart(ports: &Ports) {
    let once = put(ports, job()).await;
    crash(ports, once).await;
    let [first, second] = [quarantined(ports, job()).await, quarantined(ports, job()).await];
    let by_id = quarantined(ports, job()).await;
    let healthy = put(ports, job()).await;
    pass(ports, 3_600);
    assert_eq!(taken(ports, only(by_id, me())).await, [by_id]);
    let mut common = taken(ports, anything(10)).await;
    common.sort_unstable();
    assert_eq!(common, [once, healthy]);
    let mut apart = taken(ports, alone()).await;
    assert_eq!(apart.len(), 1, "one, whatever the limit");
    apart.extend(taken(ports, alone()).await);
    apart.sort_unstable();
    assert_eq!(apart, [first, second]);
    assert!(taken(ports, alone()).await.is_empty());
}

/// A claim for quarantined jobs takes no others, and heeds kinds and lanes.
pub async fn claim_alone_takes_quarantined_jobs_only(ports: &Ports) {
    put(ports, job()).await;
    assert!(taken(ports, alone()).await.is_empty());
    let id = quarantined(ports, NewJob { lane: "slow".to_owned(), ..job_of("a") }).await;
    assert!(taken(ports, alone()).await.is_empty(), "it is due in a second");
    pass(ports, 1);
    assert!(taken(ports, Claim { kinds: Some(vec!["b".to_owned()]), ..alone() }).await.is_empty());
    assert!(taken(ports, Claim { lanes: Some(vec!["default".to_owned()]), ..alone() }).await.is_empty());
    let claim = Claim { kinds: Some(vec!["a".to_owned()]), lanes: Some(vec!["slow".to_owned()]), ..alone() };
    assert_eq!(taken(ports, claim).await, [id]);
}

/// Many who claim at once get each job once.
pub async fn claim_at_once_hands_each_job_to_one(ports: &Ports) {
    ports.jobs.enqueue((0..200).map(|_| job()).collect()).await.unwrap();
    let tasks = (0..8).map(|number| {
        let (ports, worker) = (ports.clone(), WorkerId::new(format!("worker {number}")));
        tokio::spawn(async move {
            let mut mine = vec![];
            loop {
                let more = ports.jobs.claim(Claim::any(worker.clone(), 7, LEASE)).await.unwrap();
                if more.is_empty() {
                    return mine;
                }
                mine.extend(more.into_iter().map(|it| (it.job.id, it.lease.token)));
            }
        })
    });
    let mut all: Vec<_> = join_all(tasks).await.into_iter().flat_map(Result::unwrap).collect();
    // A claimant may find every job locked by another and stop early; nothing may be left for good.
    all.extend(ports.jobs.claim(anything(200)).await.unwrap().into_iter().map(|it| (it.job.id, it.lease.token)));
    assert_eq!(all.len(), 200);
    assert_eq!(all.iter().map(|(id, _)| id).collect::<HashSet<_>>().len(), 200);
    assert_eq!(all.iter().map(|(_, token)| token).collect::<HashSet<_>>().len(), 200);
    for (id, _) in all {
        assert_eq!(stored(ports, id).await.attempt, 1);
    }
}
