//! Facts of [`WakeUps`](crate::jobs::WakeUps). Listeners may wake for nothing, so that silence is promised nowhere.

use std::time::Duration;

use futures::FutureExt as _;

use super::Ports;
use super::job_fixtures::{backoff, ended, job, put, two_tries};
use crate::jobs::{NewJob, Start, WakeUpListener};

/// Far longer than a wake-up takes: reached only by one that never comes.
const GUARD: Duration = Duration::from_secs(5);

async fn wakes(listener: &mut dyn WakeUpListener) {
    tokio::time::timeout(GUARD, listener.woken()).await.expect("a wake-up").unwrap();
}

/// Who listens is woken by a job that is enqueued then, and by the next one too.
pub async fn listen_hears_what_is_enqueued(ports: &Ports) {
    let mut listener = ports.wake_ups.listen().await.unwrap();
    for _ in 0..3 {
        put(ports, job()).await;
        wakes(listener.as_mut()).await;
    }
}

/// Every listener is woken, and one that goes does not disturb the others.
pub async fn listen_wakes_all(ports: &Ports) {
    let mut one = ports.wake_ups.listen().await.unwrap();
    let mut two = ports.wake_ups.listen().await.unwrap();
    drop(ports.wake_ups.listen().await.unwrap());
    put(ports, job()).await;
    wakes(one.as_mut()).await;
    wakes(two.as_mut()).await;
}

/// A job that was enqueued while nobody waited for it is not missed.
pub async fn woken_by_what_came_before_the_wait(ports: &Ports) {
    let mut listener = ports.wake_ups.listen().await.unwrap();
    put(ports, job()).await;
    put(ports, job()).await;
    wakes(listener.as_mut()).await;
}

/// A wait that is given up loses nothing.
pub async fn woken_can_be_dropped(ports: &Ports) {
    let mut listener = ports.wake_ups.listen().await.unwrap();
    for _ in 0..10 {
        let _may_wake_for_nothing = listener.woken().now_or_never();
    }
    put(ports, job()).await;
    wakes(listener.as_mut()).await;
}

/// A job that becomes ready because an operator wants it wakes too.
pub async fn woken_by_what_was_made_ready(ports: &Ports) {
    let later = put(ports, NewJob { start: Start::After(Duration::from_hours(1)), ..job() }).await;
    let retrying = ended(ports, NewJob { policy: two_tries(), ..job() }, backoff()).await.id;
    for id in [later, retrying] {
        let mut listener = ports.wake_ups.listen().await.unwrap();
        ports.job_admin.retry(id, "operator").await.unwrap();
        wakes(listener.as_mut()).await;
    }
}
