//! Quick motion: a clock that runs several times as fast, for the simulator, the product and the windows of its permits alike, and
//! permits whose waits are as much shorter.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use yarnnn::StoreError;
use yarnnn::clock::{Clock, SystemClock};
use yarnnn::id::PermitId;
use yarnnn::jobs::{Admission, Capacity, CapacityLimits, CapacityUse, Endpoint, PermitRequest};

/// Shows a time that passes `factor` times as fast.
#[derive(Debug)]
pub(crate) struct QuickClock {
    began: (DateTime<Utc>, Instant),
    factor: u32,
    /// Seconds that were passed over.
    skipped: AtomicI64,
}

impl QuickClock {
    pub(crate) fn new(factor: u32) -> Self {
        Self { began: (SystemClock.now(), Instant::now()), factor, skipped: AtomicI64::new(0) }
    }

    /// Passes over some time.
    pub(crate) fn skip(&self, span: TimeDelta) {
        self.skipped.fetch_add(span.num_seconds(), Ordering::Relaxed);
    }
}

impl Clock for QuickClock {
    fn now(&self) -> DateTime<Utc> {
        let (began, instant) = self.began;
        let passed = TimeDelta::from_std(instant.elapsed() * self.factor).unwrap_or_default();
        began + passed + TimeDelta::seconds(self.skipped.load(Ordering::Relaxed))
    }
}

/// Permits by a clock that runs `factor` times as fast: what they say to wait is said in our time.
pub(crate) struct QuickPermits {
    pub(crate) inner: Arc<dyn Capacity>,
    pub(crate) factor: u32,
}

#[async_trait]
impl Capacity for QuickPermits {
    async fn acquire(&self, request: &PermitRequest) -> Result<Admission, StoreError> {
        let lease = request.lease * self.factor;
        Ok(match self.inner.acquire(&PermitRequest { lease, ..request.clone() }).await? {
            Admission::Refused { retry_after } => Admission::Refused { retry_after: retry_after / self.factor },
            other => other,
        })
    }

    async fn release(&self, permit: PermitId, tokens: Option<u32>) -> Result<(), StoreError> {
        self.inner.release(permit, tokens).await
    }

    async fn set_limits(&self, endpoint: &Endpoint, limits: &CapacityLimits) -> Result<(), StoreError> {
        self.inner.set_limits(endpoint, limits).await
    }

    async fn introduce(&self, endpoint: &Endpoint, limits: &CapacityLimits) -> Result<(), StoreError> {
        self.inner.introduce(endpoint, limits).await
    }

    async fn usage(&self) -> Result<Vec<CapacityUse>, StoreError> {
        self.inner.usage().await
    }
}

/// Our time in the time of a clock that runs `factor` times as fast.
pub(crate) fn shown(real: Duration, factor: u32) -> f64 {
    real.as_secs_f64() * f64::from(factor)
}
