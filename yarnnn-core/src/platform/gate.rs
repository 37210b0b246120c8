//! Leave to call, from the permits that all processes share.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use tokio::time::Instant;

use super::{Call, CallGate, PlatformError};
use crate::clock::Clock;
use crate::error::StoreError;
use crate::jobs::{Admission, Capacity, Endpoint, PermitRequest, WorkerId};

/// The longest that one call waits for leave once it is its turn: two windows of a minute. What takes longer is put off.
const PATIENCE: Duration = Duration::from_secs(125);
/// A provider's window begins when a call arrives, which takes the first calls longest: who has to wait for a window waits so
/// much longer, or is refused there and waits for a second.
const ARRIVAL: Duration = Duration::from_millis(300);
/// A permit stands for the start of a call: it need not outlive it.
const LEASE: Duration = Duration::from_secs(1);

/// The calls of one pool go through in the order in which they came: one at a time asks the store, so that none is overtaken
/// until its patience ends, and waiting costs one question, not one per waiter.
#[derive(Default)]
struct Pool {
    /// Whether the store knows what the provider allows.
    is_known: bool,
}

/// Asks for a permit per call, and waits while there is none.
pub struct CapacityGate {
    capacity: Arc<dyn Capacity>,
    clock: Arc<dyn Clock>,
    provider: String,
    account: String,
    worker: WorkerId,
    pools: Mutex<BTreeMap<&'static str, Arc<tokio::sync::Mutex<Pool>>>>,
}

impl fmt::Debug for CapacityGate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CapacityGate").field("provider", &self.provider).field("account", &self.account).finish_non_exhaustive()
    }
}

impl CapacityGate {
    /// The gate of one account at a provider, for one worker.
    pub fn new(capacity: Arc<dyn Capacity>, clock: Arc<dyn Clock>, (provider, account): (&str, &str), worker: WorkerId) -> Self {
        let (provider, account) = (provider.to_owned(), account.to_owned());
        Self { capacity, clock, provider, account, worker, pools: Mutex::default() }
    }

    fn endpoint(&self, call: &Call<'_>) -> Endpoint {
        Endpoint { provider: self.provider.clone(), endpoint: format!("{}/{}", call.pool, self.account) }
    }

    fn pool(&self, name: &'static str) -> Arc<tokio::sync::Mutex<Pool>> {
        Arc::clone(self.pools.lock().unwrap_or_else(PoisonError::into_inner).entry(name).or_default())
    }

    /// Tells the store what the provider allows, once per process and pool.
    async fn introduce(&self, pool: &mut Pool, endpoint: &Endpoint, call: &Call<'_>) -> Result<(), StoreError> {
        if !pool.is_known {
            self.capacity.introduce(endpoint, call.limits).await?;
            pool.is_known = true;
        }
        Ok(())
    }
}

#[async_trait]
impl CallGate for CapacityGate {
    async fn admit(&self, call: &Call<'_>) -> Result<(), PlatformError> {
        let endpoint = self.endpoint(call);
        let unavailable = |error: StoreError| PlatformError::Unavailable { what: call.name.to_owned(), source: Box::new(error) };
        let pool = self.pool(call.pool);
        let mut turn = pool.lock().await;
        let came = Instant::now();
        self.introduce(&mut turn, &endpoint, call).await.map_err(unavailable)?;
        let request = PermitRequest { endpoint, tokens: call.cost, worker: self.worker.clone(), lease: LEASE };
        loop {
            match self.capacity.acquire(&request).await.map_err(unavailable)? {
                Admission::Granted(_) => return Ok(()),
                Admission::Refused { retry_after } if came.elapsed() + retry_after <= PATIENCE => {
                    let has_window = call.limits.min_interval_millis.is_none();
                    tokio::time::sleep(if has_window { retry_after + ARRIVAL } else { retry_after }).await;
                }
                Admission::Refused { retry_after } => {
                    let at = self.clock.now() + TimeDelta::from_std(retry_after).unwrap_or(TimeDelta::MAX);
                    return Err(PlatformError::RateLimited { call: call.name.to_owned(), at });
                }
                Admission::Impossible { reason } => {
                    let what = format!("{}: no leave to call", call.name);
                    return Err(PlatformError::Unavailable { what, source: reason.into() });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::future::join_all;
    use uuid::Uuid;

    use super::*;
    use crate::clock::SystemClock;
    use crate::id::PermitId;
    use crate::jobs::{CapacityLimits, CapacityUse, Permit};

    /// Two calls in any minute; remembers the costs that were granted and how often it was asked.
    #[derive(Default)]
    struct TwoAMinute {
        granted: Mutex<Vec<(Instant, u32)>>,
        asked: Mutex<usize>,
    }

    #[async_trait]
    impl Capacity for TwoAMinute {
        async fn acquire(&self, request: &PermitRequest) -> Result<Admission, StoreError> {
            *self.asked.lock().unwrap() += 1;
            let (now, mut granted) = (Instant::now(), self.granted.lock().unwrap());
            let blocking = granted.iter().rev().nth(1).map(|(at, _)| *at + Duration::from_mins(1)).filter(|it| *it > now);
            if let Some(until) = blocking {
                return Ok(Admission::Refused { retry_after: until - now });
            }
            granted.push((now, request.tokens));
            let (endpoint, expires_at) = (request.endpoint.clone(), chrono::DateTime::UNIX_EPOCH);
            Ok(Admission::Granted(Permit { id: PermitId::from_uuid(Uuid::nil()), endpoint, expires_at }))
        }

        async fn release(&self, _: PermitId, _: Option<u32>) -> Result<(), StoreError> {
            Ok(())
        }

        async fn set_limits(&self, _: &Endpoint, _: &CapacityLimits) -> Result<(), StoreError> {
            panic!("that is the operator's")
        }

        async fn introduce(&self, _: &Endpoint, _: &CapacityLimits) -> Result<(), StoreError> {
            Ok(())
        }

        async fn usage(&self) -> Result<Vec<CapacityUse>, StoreError> {
            Ok(vec![])
        }
    }

    #[tokio::test(start_paused = true)]
    async fn calls_go_through_in_the_order_in_which_they_came() {
        let capacity = Arc::new(TwoAMinute::default());
        let gate = CapacityGate::new(capacity.clone(), Arc::new(SystemClock), ("slack", "T1"), WorkerId::new("w"));
        let limits = CapacityLimits::default();
        let calls: Vec<_> = (0..9).map(|cost| Call { name: "slack x", pool: "x", cost, limits: &limits }).collect();
        let ended = join_all(calls.iter().map(|it| gate.admit(it))).await;
        let order: Vec<u32> = capacity.granted.lock().unwrap().iter().map(|(_, cost)| *cost).collect();
        assert_eq!(order, [0, 1, 2, 3, 4, 5, 6, 7, 8], "none is overtaken, and none is put off while it waits for its turn");
        assert!(ended.iter().all(Result::is_ok), "{ended:?}");
        assert_eq!(*capacity.asked.lock().unwrap(), 13, "nine were let through, and four of them were told to wait once");
    }
}
