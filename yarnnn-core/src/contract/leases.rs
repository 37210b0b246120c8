//! Facts of [`LeaseKeeper`] about leases, and of the one that opens it.

use chrono::TimeDelta;

use super::Ports;
use super::fixtures::fresh;
use super::job_fixtures::{
    LEASE, anything, claimed_by, done, end, history, job, me, now, other, pass, put, running, status, stored,
};
use crate::id::{JobId, RunToken};
use crate::jobs::{Claim, JobStatus, Lease, LeaseKeeper, Outcome, Renewed, WorkerId, Written};

async fn keeper(ports: &Ports) -> Box<dyn LeaseKeeper> {
    ports.lease_keeper.open().await.unwrap()
}

async fn renew(ports: &Ports, worker: &WorkerId, leases: &[&Lease]) -> Vec<Renewed> {
    let leases: Vec<_> = leases.iter().map(|it| (it.job, it.token)).collect();
    keeper(ports).await.renew(worker, &leases).await.unwrap()
}

/// A keeper renews what was claimed before and after it was opened, and several keepers do not disturb each other.
pub async fn open_gives_a_keeper_of_ones_own(ports: &Ports) {
    let early = running(ports, job()).await;
    let (mut one, mut two) = (keeper(ports).await, keeper(ports).await);
    let late = running(ports, job()).await;
    for run in [&early, &late] {
        let lease = [(run.job.id, run.lease.token)];
        assert_eq!(one.renew(&me(), &lease).await.unwrap(), [Renewed::Held]);
        assert_eq!(two.renew(&me(), &lease).await.unwrap(), [Renewed::Held]);
    }
}

/// A renewed lease holds from now for as long as was claimed, again and again, and keeps the job from being taken back.
pub async fn renew_extends_by_the_length_claimed(ports: &Ports) {
    let run = running(ports, job()).await;
    let long = put(ports, job()).await;
    let claim = Claim { only: Some(long), lease: LEASE * 4, ..anything(1) };
    let long = ports.jobs.claim(claim).await.unwrap().remove(0);
    for _ in 0..3 {
        pass(ports, 10);
        assert_eq!(renew(ports, &me(), &[&run.lease, &long.lease]).await, [Renewed::Held, Renewed::Held]);
        assert_eq!(stored(ports, run.job.id).await.lease_until, Some(now(ports) + LEASE));
        assert_eq!(stored(ports, long.job.id).await.lease_until, Some(now(ports) + LEASE * 4));
        assert_eq!(ports.jobs.rescue(&[]).await.unwrap(), []);
    }
    assert_eq!(history(ports, run.job.id).await, ["enqueued", "claimed"], "a beat is no change of state");
    assert_eq!(end(ports, &run.lease, done()).await, Written::Done);
}

/// Who does not hold the lease renews nothing.
pub async fn renew_needs_the_token_and_the_worker(ports: &Ports) {
    let (run, next) = (running(ports, job()).await, running(ports, job()).await);
    pass(ports, 5);
    let stranger = Lease { token: RunToken::from_uuid(fresh()), ..run.lease.clone() };
    let swapped = Lease { token: next.lease.token, ..run.lease.clone() };
    let nothing = Lease { job: JobId::from_uuid(fresh()), ..run.lease.clone() };
    assert_eq!(renew(ports, &me(), &[&stranger, &swapped, &nothing]).await, [Renewed::Lost; 3]);
    assert_eq!(renew(ports, &other(), &[&run.lease]).await, [Renewed::Lost]);
    assert_eq!((stored(ports, run.job.id).await, stored(ports, next.job.id).await), (run.job, next.job));
}

/// A job that ended, or was given back, has no lease to renew.
pub async fn renew_of_what_does_not_run_is_lost(ports: &Ports) {
    for outcome in [done(), Outcome::HandedBack] {
        let run = running(ports, job()).await;
        end(ports, &run.lease, outcome).await;
        let before = stored(ports, run.job.id).await;
        assert_eq!(renew(ports, &me(), &[&run.lease]).await, [Renewed::Lost]);
        assert_eq!(stored(ports, run.job.id).await, before);
    }
}

/// A lease that ended but that nobody took is still its holder's.
pub async fn renew_revives_a_lease_that_nobody_took(ports: &Ports) {
    let run = running(ports, job()).await;
    pass(ports, 3_600);
    assert_eq!(renew(ports, &me(), &[&run.lease]).await, [Renewed::Held]);
    assert_eq!(ports.jobs.rescue(&[]).await.unwrap(), []);
    assert_eq!(stored(ports, run.job.id).await.lease_until, Some(now(ports) + LEASE));
}

/// A lease that was taken back is lost, before and after another claims the job, also one of the same worker.
pub async fn renew_after_a_rescue_is_lost(ports: &Ports) {
    let late = running(ports, job()).await;
    pass(ports, 16);
    ports.jobs.rescue(&[]).await.unwrap();
    assert_eq!(renew(ports, &me(), &[&late.lease]).await, [Renewed::Lost]);
    assert_eq!(status(ports, late.job.id).await, JobStatus::Retrying);
    let next = claimed_by(ports, late.job.id, me()).await;
    pass(ports, 5);
    assert_eq!(renew(ports, &me(), &[&late.lease, &next.lease]).await, [Renewed::Lost, Renewed::Held]);
    end(ports, &next.lease, Outcome::HandedBack).await;
    let theirs = claimed_by(ports, late.job.id, other()).await;
    pass(ports, 5);
    assert_eq!(renew(ports, &me(), &[&late.lease, &next.lease]).await, [Renewed::Lost; 2]);
    assert_eq!(stored(ports, late.job.id).await, theirs.job, "the lease of the next one is not touched");
}

/// Who renews the lease of a job that was asked to stop learns of it, and still holds it.
pub async fn renew_tells_of_the_wish_to_stop(ports: &Ports) {
    let run = running(ports, job()).await;
    ports.job_admin.cancel(run.job.id, "operator").await.unwrap();
    for _ in 0..2 {
        pass(ports, 10);
        assert_eq!(renew(ports, &me(), &[&run.lease]).await, [Renewed::CancelRequested]);
        assert_eq!(stored(ports, run.job.id).await.lease_until, Some(now(ports) + LEASE));
    }
    assert_eq!(end(ports, &run.lease, Outcome::Cancelled).await, Written::Done);
}

/// One answer per lease, in the order given, also when one is given twice; no leases are no answers.
pub async fn renew_answers_in_the_order_given(ports: &Ports) {
    let (held, stopped, lost) = (running(ports, job()).await, running(ports, job()).await, running(ports, job()).await);
    ports.job_admin.cancel(stopped.job.id, "operator").await.unwrap();
    end(ports, &lost.lease, done()).await;
    let of = |answers: [Renewed; 3]| answers;
    let (held, stopped, lost) = (&held.lease, &stopped.lease, &lost.lease);
    let answers = renew(ports, &me(), &[lost, stopped, held]).await;
    assert_eq!(answers, of([Renewed::Lost, Renewed::CancelRequested, Renewed::Held]));
    let answers = renew(ports, &me(), &[held, lost, held]).await;
    assert_eq!(answers, of([Renewed::Held, Renewed::Lost, Renewed::Held]));
    assert_eq!(renew(ports, &me(), &[]).await, []);
}

/// A worker with many jobs renews them all at once.
pub async fn renew_takes_many_leases(ports: &Ports) {
    ports.jobs.enqueue((0..300).map(|_| job()).collect()).await.unwrap();
    let runs = ports.jobs.claim(anything(300)).await.unwrap();
    pass(ports, 10);
    let leases: Vec<_> = runs.iter().rev().map(|it| &it.lease).collect();
    assert_eq!(renew(ports, &me(), &leases).await, vec![Renewed::Held; 300]);
    ports.clock.advance(TimeDelta::seconds(10));
    assert_eq!(ports.jobs.rescue(&[]).await.unwrap(), []);
}
