//! What facts about permits are told with: an endpoint, its limits, a request.

use std::time::Duration;

use super::Ports;
use super::job_fixtures::me;
use crate::jobs::{Admission, CapacityLimits, CapacityUse, Endpoint, Permit, PermitRequest};

/// The length of most permits.
pub const LEASE: Duration = Duration::from_mins(1);

/// The endpoint that most facts are about: none that an installation begins with.
pub fn endpoint() -> Endpoint {
    named("acme", "model")
}

/// Any endpoint.
pub fn named(provider: &str, endpoint: &str) -> Endpoint {
    Endpoint { provider: provider.to_owned(), endpoint: endpoint.to_owned() }
}

/// No limits.
pub fn none() -> CapacityLimits {
    CapacityLimits::default()
}

/// The endpoint allows this.
pub async fn limited(ports: &Ports, limits: CapacityLimits) {
    ports.capacity.set_limits(&endpoint(), &limits).await.unwrap();
}

/// A call of the endpoint that may take so many tokens.
pub fn ask(tokens: u32) -> PermitRequest {
    PermitRequest { endpoint: endpoint(), tokens, worker: me(), lease: LEASE }
}

/// What a request is answered.
pub async fn asking(ports: &Ports, request: &PermitRequest) -> Admission {
    ports.capacity.acquire(request).await.unwrap()
}

/// What a call with so many tokens is answered.
pub async fn acquire(ports: &Ports, tokens: u32) -> Admission {
    asking(ports, &ask(tokens)).await
}

/// The permit for a call that is granted.
pub async fn granted(ports: &Ports, tokens: u32) -> Permit {
    match acquire(ports, tokens).await {
        Admission::Granted(permit) => permit,
        answer => panic!("not granted: {answer:?}"),
    }
}

/// When to ask again for a call that is refused for now.
pub async fn refused(ports: &Ports, tokens: u32) -> Duration {
    match acquire(ports, tokens).await {
        Admission::Refused { retry_after } => retry_after,
        answer => panic!("not refused: {answer:?}"),
    }
}

/// Whether it is a permit.
pub const fn is_granted(answer: &Admission) -> bool {
    matches!(answer, Admission::Granted(_))
}

/// Whether it will never be one.
pub const fn is_impossible(answer: &Admission) -> bool {
    matches!(answer, Admission::Impossible { .. })
}

/// How much of the endpoint is in use.
pub async fn used(ports: &Ports) -> CapacityUse {
    ports.capacity.usage().await.unwrap().into_iter().find(|it| it.endpoint == endpoint()).unwrap()
}
