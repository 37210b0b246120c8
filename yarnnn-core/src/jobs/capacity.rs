//! The right to call a provider: leased, so that the dead hold none, and refused rather than waited for.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::WorkerId;
use crate::error::StoreError;
use crate::id::PermitId;

/// What a provider allows on one endpoint; none is no limit. Windows slide: no stretch of that length ever holds more.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CapacityLimits {
    /// Requests in any second.
    pub requests_per_second: Option<u32>,
    /// Requests in any minute.
    pub requests_per_minute: Option<u32>,
    /// Requests in any hour.
    pub requests_per_hour: Option<u32>,
    /// Tokens in any minute.
    pub tokens_per_minute: Option<u32>,
    /// Tokens in any hour.
    pub tokens_per_hour: Option<u32>,
    /// Requests at once.
    pub concurrent_requests: Option<u32>,
    /// Least time between two requests, start to start.
    pub min_interval_millis: Option<u32>,
    /// `false` refuses everything: switched off, or under maintenance.
    pub disabled: bool,
}

/// A provider's endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Endpoint {
    /// `openai`, `google`, …
    pub provider: String,
    /// `gpt-4o-mini`, `vision-api`, …
    pub endpoint: String,
}

/// Who wants to call, and what it may cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermitRequest {
    /// Whom.
    pub endpoint: Endpoint,
    /// Tokens that the call may take.
    pub tokens: u32,
    /// On behalf of whom; permits of a dead worker end.
    pub worker: WorkerId,
    /// Ends by itself after this long.
    pub lease: Duration,
}

/// The right to make one call now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permit {
    /// Its id.
    pub id: PermitId,
    /// For whom.
    pub endpoint: Endpoint,
    /// When it ends by itself.
    pub expires_at: DateTime<Utc>,
}

/// The answer to a request for a permit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// Call now.
    Granted(Permit),
    /// Not now: try after this long. Never costs an attempt.
    Refused {
        /// How long.
        retry_after: Duration,
    },
    /// Never: the call alone is over the limit, or the endpoint is switched off.
    Impossible {
        /// Why.
        reason: String,
    },
}

/// How much of an endpoint is in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CapacityUse {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// What it allows.
    pub limits: CapacityLimits,
    /// Permits held.
    pub held: u32,
    /// Requests in the last minute.
    pub requests_last_minute: u32,
    /// Whether one more request would be granted now.
    pub available: bool,
}

/// Permits to call providers, shared by all processes.
///
/// # Contract
/// - `acquire` never lets more through than the limits, whatever dies when; an endpoint without limits is `NotFound`.
/// - `release` ends a permit and corrects its tokens in the window in which it was granted; a permit that ended is let be.
/// - A permit that is never released ends with its lease, or when its worker is rescued from.
/// - `set_limits` makes or changes an endpoint, all of it: it is the operator's.
/// - `introduce` makes an endpoint, or brings its numbers up to what the program knows of the provider; whether it is switched off,
///   or under maintenance, stays as it is.
///
/// # Errors
/// Those of the store.
///
/// # Concurrency
/// Any number of processes; time is the store's own.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Capacity: Send + Sync + 'static {
    /// Asks for a permit.
    async fn acquire(&self, request: &PermitRequest) -> Result<Admission, StoreError>;

    /// Gives a permit back, with the tokens that the call took if they are known.
    async fn release(&self, permit: PermitId, tokens: Option<u32>) -> Result<(), StoreError>;

    /// Sets what an endpoint allows.
    async fn set_limits(&self, endpoint: &Endpoint, limits: &CapacityLimits) -> Result<(), StoreError>;

    /// Tells what a program knows that a provider allows.
    async fn introduce(&self, endpoint: &Endpoint, limits: &CapacityLimits) -> Result<(), StoreError>;

    /// All endpoints and their use, sorted.
    async fn usage(&self) -> Result<Vec<CapacityUse>, StoreError>;
}
