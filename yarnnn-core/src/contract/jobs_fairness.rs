//! Facts of [`JobQueue::claim`](crate::jobs::JobQueue::claim): no owner, kind or lane keeps the others waiting.

use futures::future::join_all;

use super::Ports;
use super::fixtures::ANA;
use super::job_fixtures::{
    LEASE, anything, backlog, claimed_by, done, end, job, job_for, job_of, me, other, put, someone, stored, taken,
};
use crate::id::JobId;
use crate::jobs::{Claim, Enqueued, NewJob, WorkerId};

/// More than any claim looks ahead.
const MANY: usize = 2_000;

fn fair(limit: u32, owner_limit: u32) -> Claim {
    Claim { owner_limit: Some(owner_limit), ..anything(limit) }
}

async fn put_all(ports: &Ports, jobs: Vec<NewJob>) -> Vec<JobId> {
    ports.jobs.enqueue(jobs).await.unwrap().into_iter().map(Enqueued::id).collect()
}

/// One claim takes no more of an owner than the limit, and the best of them.
pub async fn claim_takes_so_many_of_an_owner(ports: &Ports) {
    let of = |owner, priority| NewJob { priority, ..job_for(owner) };
    let (ben, cleo) = (someone(), someone());
    let jobs = [of(ANA, 1), of(ANA, 9), of(ANA, 8), of(ben, 7), of(cleo, 2)];
    let ids = jobs.each_ref().map(|it| it.id);
    ports.jobs.enqueue(jobs.to_vec()).await.unwrap();
    assert_eq!(taken(ports, fair(3, 1)).await, [ids[1], ids[3], ids[4]]);
    assert!(taken(ports, fair(3, 1)).await.is_empty());
    assert_eq!(taken(ports, fair(3, 2)).await, [ids[2]]);
    assert_eq!(taken(ports, anything(3)).await, [ids[0]], "no limit, no limit");
}

/// What the worker runs of an owner already counts, of whatever kind; what other workers run does not.
pub async fn claim_counts_what_this_worker_runs_of_an_owner(ports: &Ports) {
    let first = put(ports, NewJob { owner: Some(ANA), ..job_of("a") }).await;
    let run = claimed_by(ports, first, me()).await;
    let second = put(ports, NewJob { owner: Some(ANA), ..job_of("b") }).await;
    let third = put(ports, NewJob { owner: Some(ANA), ..job_of("c") }).await;
    assert!(taken(ports, fair(5, 1)).await.is_empty());
    assert_eq!(taken(ports, Claim { worker: other(), ..fair(5, 1) }).await, [second]);
    end(ports, &run.lease, done()).await;
    assert_eq!(taken(ports, fair(5, 1)).await, [third], "a run that ended makes room");
}

/// Jobs without owner are the installation's own: no limit.
pub async fn claim_takes_any_number_of_jobs_without_owner(ports: &Ports) {
    let ids = put_all(ports, (0..5).map(|_| job()).collect()).await;
    assert_eq!(taken(ports, fair(3, 1)).await, ids[..3]);
    assert_eq!(taken(ports, fair(3, 1)).await, ids[3..]);
}

/// A long and urgent backlog of one owner hides no other owner, and no job without one.
pub async fn claim_looks_behind_the_backlog_of_an_owner(ports: &Ports) {
    let urgent = backlog(ANA, MANY).into_iter().map(|it| NewJob { priority: 10, ..it });
    let queue = put_all(ports, urgent.collect()).await;
    let mut small = put_all(ports, (0..3).map(|_| NewJob { priority: 1, ..job_for(someone()) }).collect()).await;
    small.push(put(ports, NewJob { priority: 1, ..job() }).await);
    let first = taken(ports, fair(10, 2)).await;
    assert_eq!(first, [&queue[..2], &small[..]].concat());
    let late = put(ports, NewJob { priority: 1, ..job_for(someone()) }).await;
    assert_eq!(taken(ports, fair(10, 2)).await, [late], "also while the owner has what it may have");
}

/// Two long backlogs do not hide a third owner.
pub async fn claim_looks_behind_the_backlogs_of_many(ports: &Ports) {
    let ben = someone();
    for owner in [ANA, ben] {
        put_all(ports, backlog(owner, MANY)).await;
    }
    let cleo = put(ports, job_for(someone())).await;
    let first = taken(ports, fair(10, 1)).await;
    assert_eq!(first.len(), 3);
    assert_eq!((stored(ports, first[0]).await.owner, stored(ports, first[1]).await.owner), (Some(ANA), Some(ben)));
    assert_eq!(first[2], cleo);
}

/// A long backlog of another kind hides nothing, not even of the same owner.
pub async fn claim_looks_behind_the_backlog_of_a_kind(ports: &Ports) {
    put_all(ports, backlog(ANA, MANY).into_iter().map(|it| NewJob { priority: 10, ..it }).collect()).await;
    let rare = put(ports, NewJob { owner: Some(ANA), ..job_of("rare") }).await;
    let ownerless = put(ports, job_of("rare")).await;
    let claim = Claim { kinds: Some(vec!["rare".to_owned()]), ..fair(10, 1) };
    assert_eq!(taken(ports, claim).await, [rare, ownerless]);
}

/// A long backlog in another lane hides nothing, not even of the same owner and kind.
pub async fn claim_looks_behind_the_backlog_of_a_lane(ports: &Ports) {
    put_all(ports, backlog(ANA, MANY).into_iter().map(|it| NewJob { priority: 10, ..it }).collect()).await;
    let slow = put(ports, NewJob { lane: "slow".to_owned(), ..job_for(ANA) }).await;
    let ownerless = put(ports, NewJob { lane: "slow".to_owned(), ..job() }).await;
    let claim = Claim { lanes: Some(vec!["slow".to_owned()]), ..fair(10, 1) };
    assert_eq!(taken(ports, claim).await, [slow, ownerless]);
}

/// Many workers at once get their share of one owner each, and no more.
pub async fn claim_at_once_keeps_each_worker_to_the_limit(ports: &Ports) {
    put_all(ports, backlog(ANA, 40)).await;
    let tasks = (0..4).map(|number| {
        let ports = ports.clone();
        let claim = Claim { owner_limit: Some(3), ..Claim::any(WorkerId::new(format!("worker {number}")), 10, LEASE) };
        tokio::spawn(async move { taken(&ports, claim).await })
    });
    let shares: Vec<_> = join_all(tasks).await.into_iter().map(Result::unwrap).collect();
    assert!(shares.iter().all(|it| it.len() <= 3), "{shares:?}");
    let mut all = shares.concat();
    let claims = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), claims);
}
