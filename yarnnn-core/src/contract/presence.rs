//! Facts of [`Presence`](crate::jobs::Presence), and of the beats that feed it.

use super::Ports;
use super::fixtures::{me as process, minute};
use super::job_fixtures::{job, me, now, other, pass, running};
use crate::jobs::{WorkerId, WorkerPresence};

fn presence(worker: WorkerId) -> WorkerPresence {
    WorkerPresence {
        worker,
        name: "worker".to_owned(),
        process: process(),
        version: "0.1.0".to_owned(),
        concurrency: 50,
        running: 3,
        draining: false,
        started_at: minute(0),
        last_claim_at: None,
        beat_at: None,
    }
}

async fn beat(ports: &Ports, presence: &WorkerPresence) {
    ports.lease_keeper.open().await.unwrap().beat(presence).await.unwrap();
}

async fn workers(ports: &Ports) -> Vec<WorkerId> {
    ports.presence.workers().await.unwrap().into_iter().map(|it| it.worker).collect()
}

/// A worker is shown as it said, with the store's time of its beat, whatever it said of that.
pub async fn beat_shows_the_worker(ports: &Ports) {
    let said = WorkerPresence { last_claim_at: Some(minute(2)), beat_at: Some(minute(9_999)), ..presence(me()) };
    beat(ports, &said).await;
    let expected = WorkerPresence { beat_at: Some(now(ports)), ..said };
    assert_eq!(ports.presence.workers().await.unwrap(), [expected]);
}

/// Each beat replaces what the worker said before.
pub async fn beat_replaces_the_last(ports: &Ports) {
    beat(ports, &presence(me())).await;
    pass(ports, 10);
    let said = WorkerPresence { running: 0, draining: true, last_claim_at: Some(minute(3)), ..presence(me()) };
    beat(ports, &said).await;
    let expected = WorkerPresence { beat_at: Some(now(ports)), ..said };
    assert_eq!(ports.presence.workers().await.unwrap(), [expected]);
}

/// A worker that was thought gone is shown again when it beats.
pub async fn beat_brings_a_worker_back(ports: &Ports) {
    beat(ports, &presence(me())).await;
    ports.presence.leave(&me()).await.unwrap();
    beat(ports, &presence(me())).await;
    assert_eq!(workers(ports).await, [me()]);
    pass(ports, 3_600);
    assert!(workers(ports).await.is_empty());
    beat(ports, &presence(me())).await;
    assert_eq!(workers(ports).await, [me()]);
}

/// A worker that does not beat is shown for so long, by the store's clock, and then no more.
pub async fn workers_are_those_that_beat(ports: &Ports) {
    beat(ports, &presence(me())).await;
    pass(ports, 50);
    beat(ports, &presence(other())).await;
    pass(ports, 39);
    assert_eq!(workers(ports).await.len(), 2);
    pass(ports, 2);
    assert_eq!(workers(ports).await, [other()]);
    pass(ports, 50);
    assert!(workers(ports).await.is_empty());
}

/// Workers are shown oldest first, and apart though they share a name and a process.
pub async fn workers_are_oldest_first(ports: &Ports) {
    let names = ["c", "a", "b"].map(WorkerId::new);
    for (minutes, worker) in (0..).zip(&names) {
        beat(ports, &WorkerPresence { started_at: minute(minutes), ..presence(worker.clone()) }).await;
        pass(ports, 1);
    }
    assert_eq!(workers(ports).await, names);
}

/// Only workers that beat are shown: to work, or to ask who works, is no sign of life.
pub async fn workers_are_shown_by_themselves_only(ports: &Ports) {
    running(ports, job()).await;
    assert!(workers(ports).await.is_empty());
}

/// A worker whose process is gone is taken off the board; others stay.
pub async fn workers_that_are_gone_are_not_shown(ports: &Ports) {
    beat(ports, &presence(me())).await;
    beat(ports, &presence(other())).await;
    ports.jobs.rescue(&[other()]).await.unwrap();
    assert_eq!(workers(ports).await, [me()]);
    ports.jobs.rescue(&[]).await.unwrap();
    assert_eq!(workers(ports).await, [me()]);
}

/// Who leaves is off the board at once; others stay, and who was never there may leave too.
pub async fn leave_takes_a_worker_off(ports: &Ports) {
    beat(ports, &presence(me())).await;
    beat(ports, &presence(other())).await;
    ports.presence.leave(&me()).await.unwrap();
    assert_eq!(workers(ports).await, [other()]);
    ports.presence.leave(&me()).await.unwrap();
    assert_eq!(workers(ports).await, [other()]);
}
