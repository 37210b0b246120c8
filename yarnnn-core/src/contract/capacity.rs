//! Facts of [`Capacity`](crate::jobs::Capacity) but for its sliding windows, which have a suite of their own.

use std::time::Duration;

use futures::future::join_all;

use super::Ports;
use super::capacity_fixtures::{
    LEASE, acquire, ask, asking, endpoint, granted, is_granted, is_impossible, limited, named, none, refused, used,
};
use super::fixtures::{fresh, is_missing};
use super::job_fixtures::{me, now, other, pass};
use crate::id::PermitId;
use crate::jobs::{Admission, CapacityLimits, CapacityUse, PermitRequest};

/// A permit names its endpoint and its end; no limits are no limits.
pub async fn acquire_grants_what_is_allowed(ports: &Ports) {
    limited(ports, none()).await;
    let mut permits = vec![];
    for _ in 0..50 {
        let permit = granted(ports, 1_000_000).await;
        assert_eq!((&permit.endpoint, permit.expires_at), (&endpoint(), now(ports) + LEASE));
        permits.push(permit.id);
    }
    permits.sort_unstable();
    permits.dedup();
    assert_eq!(permits.len(), 50);
}

/// An endpoint that nobody set limits for does not exist.
pub async fn acquire_needs_limits(ports: &Ports) {
    limited(ports, none()).await;
    for endpoint in [named("acme", "other"), named("other", "model"), named("Acme", "model"), named("model", "acme")] {
        assert!(is_missing(&ports.capacity.acquire(&PermitRequest { endpoint, ..ask(1) }).await));
    }
}

/// An endpoint that is switched off, and a call that alone is over a limit, are refused for good, and count nowhere.
pub async fn acquire_says_what_can_never_be(ports: &Ports) {
    limited(ports, CapacityLimits { disabled: true, ..none() }).await;
    assert!(is_impossible(&acquire(ports, 1).await));
    let limits = [
        CapacityLimits { tokens_per_minute: Some(100), tokens_per_hour: Some(500), ..none() },
        CapacityLimits { tokens_per_minute: Some(500), tokens_per_hour: Some(100), ..none() },
        CapacityLimits { tokens_per_hour: Some(100), ..none() },
    ];
    for limits in limits {
        limited(ports, limits).await;
        assert!(is_impossible(&acquire(ports, 101).await));
        let permit = granted(ports, 100).await;
        assert!(is_impossible(&acquire(ports, 101).await), "also when the limit is used up");
        pass(ports, 3_600);
        ports.capacity.release(permit.id, None).await.unwrap();
    }
    let usage = used(ports).await;
    assert_eq!((usage.held, usage.requests_last_minute), (0, 0));
}

/// So many at once, and one more when one is given back; who is refused is told to wait for a while.
pub async fn acquire_holds_so_many_at_once(ports: &Ports) {
    limited(ports, CapacityLimits { concurrent_requests: Some(2), ..none() }).await;
    let one = granted(ports, 1).await;
    granted(ports, 1).await;
    assert!(refused(ports, 1).await > Duration::ZERO, "to wait for nothing is to ask for ever");
    ports.capacity.release(one.id, None).await.unwrap();
    granted(ports, 1).await;
    refused(ports, 1).await;
}

/// A permit that is never given back ends with its lease; each with its own.
pub async fn acquire_forgets_permits_after_their_lease(ports: &Ports) {
    limited(ports, CapacityLimits { concurrent_requests: Some(2), ..none() }).await;
    granted(ports, 1).await;
    let long = asking(ports, &PermitRequest { lease: LEASE * 10, ..ask(1) }).await;
    assert!(is_granted(&long));
    pass(ports, 59);
    refused(ports, 1).await;
    pass(ports, 2);
    granted(ports, 1).await;
    refused(ports, 1).await;
}

/// What is refused counts nowhere, however often it is asked.
pub async fn acquire_counts_no_refusal(ports: &Ports) {
    let limits =
        CapacityLimits { concurrent_requests: Some(1), requests_per_minute: Some(2), tokens_per_minute: Some(100), ..none() };
    limited(ports, limits).await;
    let permit = granted(ports, 50).await;
    for _ in 0..5 {
        refused(ports, 50).await;
    }
    ports.capacity.release(permit.id, None).await.unwrap();
    granted(ports, 50).await;
}

/// Endpoints do not share limits.
pub async fn acquire_keeps_endpoints_apart(ports: &Ports) {
    let limits = CapacityLimits { concurrent_requests: Some(1), requests_per_hour: Some(1), ..none() };
    limited(ports, limits.clone()).await;
    granted(ports, 1).await;
    for endpoint in [named("acme", "model-2"), named("acme-model", "2"), named("other", "model")] {
        ports.capacity.set_limits(&endpoint, &limits).await.unwrap();
        assert!(is_granted(&asking(ports, &PermitRequest { endpoint, ..ask(1) }).await));
    }
}

/// Of many who ask at once, as many as are allowed get a permit, by every limit.
pub async fn acquire_at_once_never_exceeds_the_limits(ports: &Ports) {
    let limits = [
        CapacityLimits { requests_per_second: Some(5), ..none() },
        CapacityLimits { requests_per_hour: Some(5), ..none() },
        CapacityLimits { tokens_per_minute: Some(50), ..none() },
        CapacityLimits { concurrent_requests: Some(5), ..none() },
    ];
    for limits in limits {
        pass(ports, 7_200);
        limited(ports, limits.clone()).await;
        let tasks = (0..20).map(|number| {
            let (ports, worker) = (ports.clone(), if number % 2 == 0 { me() } else { other() });
            tokio::spawn(async move { is_granted(&asking(&ports, &PermitRequest { worker, ..ask(10) }).await) })
        });
        let answers: Vec<_> = join_all(tasks).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(answers.iter().filter(|it| **it).count(), 5, "{limits:?}");
    }
    pass(ports, 7_200);
    limited(ports, CapacityLimits { min_interval_millis: Some(350), ..none() }).await;
    let tasks = (0..10).map(|_| {
        let ports = ports.clone();
        tokio::spawn(async move { is_granted(&acquire(&ports, 1).await) })
    });
    assert_eq!(join_all(tasks).await.into_iter().filter(|it| *it.as_ref().unwrap()).count(), 1);
}

/// To end a permit does not undo the call.
pub async fn release_gives_no_request_back(ports: &Ports) {
    limited(ports, CapacityLimits { requests_per_minute: Some(1), ..none() }).await;
    let permit = granted(ports, 1).await;
    ports.capacity.release(permit.id, Some(0)).await.unwrap();
    assert_eq!(refused(ports, 1).await, Duration::from_mins(1));
}

/// The tokens that a call took take the place of those that it might have taken, whether fewer or more.
pub async fn release_corrects_the_tokens(ports: &Ports) {
    limited(ports, CapacityLimits { tokens_per_minute: Some(100), ..none() }).await;
    let permit = granted(ports, 80).await;
    refused(ports, 30).await;
    ports.capacity.release(permit.id, Some(20)).await.unwrap();
    let permit = granted(ports, 30).await;
    ports.capacity.release(permit.id, Some(75)).await.unwrap();
    refused(ports, 6).await;
    granted(ports, 5).await;
}

/// A call whose tokens nobody knows took what it might have taken.
pub async fn release_without_tokens_keeps_the_estimate(ports: &Ports) {
    limited(ports, CapacityLimits { tokens_per_minute: Some(100), ..none() }).await;
    let permit = granted(ports, 80).await;
    ports.capacity.release(permit.id, None).await.unwrap();
    refused(ports, 21).await;
    granted(ports, 20).await;
}

/// The correction stays in the window of the grant, and leaves it with the grant.
pub async fn release_corrects_the_window_of_the_grant(ports: &Ports) {
    limited(ports, CapacityLimits { tokens_per_minute: Some(100), ..none() }).await;
    let long = PermitRequest { lease: LEASE * 10, ..ask(40) };
    let Admission::Granted(permit) = asking(ports, &long).await else { panic!("refused") };
    pass(ports, 50);
    ports.capacity.release(permit.id, Some(100)).await.unwrap();
    assert_eq!(refused(ports, 10).await, Duration::from_secs(10));
    let Admission::Refused { .. } = acquire(ports, 100).await else { panic!("granted") };
    pass(ports, 10);
    let Admission::Granted(permit) = asking(ports, &PermitRequest { lease: LEASE * 10, ..ask(100) }).await else {
        panic!("refused")
    };
    pass(ports, 61);
    granted(ports, 100).await;
    ports.capacity.release(permit.id, Some(0)).await.unwrap();
    refused(ports, 1).await;
}

/// A permit that ended, in whatever way, or that nobody knows, is let be.
pub async fn release_of_an_ended_permit_changes_nothing(ports: &Ports) {
    let limits = CapacityLimits { tokens_per_hour: Some(100), concurrent_requests: Some(1), ..none() };
    limited(ports, limits).await;
    let first = granted(ports, 50).await;
    ports.capacity.release(first.id, Some(40)).await.unwrap();
    ports.capacity.release(first.id, Some(0)).await.unwrap();
    refused(ports, 61).await;
    let second = granted(ports, 60).await;
    ports.capacity.release(first.id, None).await.unwrap();
    ports.capacity.release(PermitId::from_uuid(fresh()), Some(0)).await.unwrap();
    assert_eq!(used(ports).await.held, 1, "the second is still held");
    pass(ports, 61);
    ports.capacity.release(second.id, None).await.unwrap();
    pass(ports, 7_200);
    granted(ports, 1).await;
    ports.capacity.release(second.id, None).await.unwrap();
    refused(ports, 1).await;
}

/// Limits that are changed count from then on, for what was granted before too.
pub async fn set_limits_changes_an_endpoint(ports: &Ports) {
    limited(ports, CapacityLimits { requests_per_minute: Some(1), ..none() }).await;
    granted(ports, 1).await;
    refused(ports, 1).await;
    limited(ports, CapacityLimits { requests_per_minute: Some(3), ..none() }).await;
    granted(ports, 1).await;
    granted(ports, 1).await;
    refused(ports, 1).await;
    limited(ports, CapacityLimits { disabled: true, ..none() }).await;
    assert!(is_impossible(&acquire(ports, 1).await));
    limited(ports, none()).await;
    granted(ports, 1).await;
    limited(ports, CapacityLimits { requests_per_minute: Some(2), ..none() }).await;
    refused(ports, 1).await;
}

/// To introduce an endpoint makes it, and then brings its numbers up to date; what an operator switched off stays so.
pub async fn introduce_keeps_what_an_operator_switched_off(ports: &Ports) {
    let introduced = async |requests| {
        let limits = CapacityLimits { requests_per_minute: Some(requests), ..none() };
        ports.capacity.introduce(&endpoint(), &limits).await.unwrap();
    };
    introduced(1).await;
    granted(ports, 1).await;
    refused(ports, 1).await;
    introduced(2).await;
    granted(ports, 1).await;
    refused(ports, 1).await;
    limited(ports, CapacityLimits { disabled: true, ..none() }).await;
    introduced(9).await;
    assert!(is_impossible(&acquire(ports, 1).await), "it is still switched off");
    let limits = CapacityLimits { disabled: true, requests_per_minute: Some(9), ..none() };
    assert_eq!(used(ports).await.limits, limits);
    limited(ports, CapacityLimits { disabled: false, ..limits }).await;
    granted(ports, 1).await;
    introduced(9).await;
    granted(ports, 1).await;
}

/// Every endpoint, sorted, with its limits as they were set.
pub async fn usage_lists_endpoints(ports: &Ports) {
    let mut before: Vec<_> = ports.capacity.usage().await.unwrap().into_iter().map(|it| it.endpoint).collect();
    let limits = CapacityLimits {
        requests_per_second: Some(1),
        requests_per_minute: Some(2),
        requests_per_hour: Some(3),
        tokens_per_minute: Some(4),
        tokens_per_hour: Some(u32::MAX),
        concurrent_requests: Some(6),
        min_interval_millis: Some(7),
        disabled: true,
    };
    limited(ports, none()).await;
    let last = named("zeta", "a");
    ports.capacity.set_limits(&last, &limits).await.unwrap();
    let usage = ports.capacity.usage().await.unwrap();
    let of = |endpoint, limits: CapacityLimits| {
        let available = !limits.disabled;
        CapacityUse { endpoint, limits, held: 0, requests_last_minute: 0, available }
    };
    assert!(usage.contains(&of(last.clone(), limits)) && usage.contains(&of(endpoint(), none())), "{usage:?}");
    before.extend([endpoint(), last]);
    before.sort_unstable();
    assert_eq!(usage.into_iter().map(|it| it.endpoint).collect::<Vec<_>>(), before);
}

/// How many permits are held, how many requests the last minute had, and whether there is room for one more.
pub async fn usage_counts_what_is_held(ports: &Ports) {
    limited(ports, CapacityLimits { concurrent_requests: Some(2), ..none() }).await;
    let seen = || async {
        let usage = used(ports).await;
        (usage.held, usage.requests_last_minute, usage.available)
    };
    assert_eq!(seen().await, (0, 0, true));
    let one = granted(ports, 1).await;
    assert_eq!(seen().await, (1, 1, true));
    granted(ports, 1).await;
    assert_eq!(seen().await, (2, 2, false));
    ports.capacity.release(one.id, None).await.unwrap();
    assert_eq!(seen().await, (1, 2, true));
    pass(ports, 61);
    assert_eq!(seen().await, (0, 0, true), "nothing was released, and the lease has ended");
}

/// An endpoint without room by its windows is not available until there is some.
pub async fn usage_says_when_a_window_is_full(ports: &Ports) {
    limited(ports, CapacityLimits { requests_per_second: Some(1), ..none() }).await;
    let available = || async { used(ports).await.available };
    granted(ports, 1).await;
    assert!(!available().await);
    pass(ports, 1);
    assert!(available().await);
}
