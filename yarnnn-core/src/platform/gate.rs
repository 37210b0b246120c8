//! Leave to call, from the permits that all processes share.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;

use super::{Call, CallGate, PlatformError};
use crate::clock::Clock;
use crate::error::StoreError;
use crate::jobs::{Admission, Capacity, Endpoint, PermitRequest, WorkerId};

/// The longest that one call waits for leave. Providers ask for a minute or a little more; what takes longer is put off.
const PATIENCE: Duration = Duration::from_mins(2);
/// A permit stands for the start of a call: it need not outlive it.
const LEASE: Duration = Duration::from_secs(1);

/// Asks for a permit per call, and waits while there is none.
pub struct CapacityGate {
    capacity: Arc<dyn Capacity>,
    clock: Arc<dyn Clock>,
    provider: String,
    account: String,
    worker: WorkerId,
    known: Mutex<BTreeSet<&'static str>>,
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
        Self { capacity, clock, provider, account, worker, known: Mutex::default() }
    }

    fn endpoint(&self, call: &Call<'_>) -> Endpoint {
        Endpoint { provider: self.provider.clone(), endpoint: format!("{}/{}", call.pool, self.account) }
    }

    /// Tells the store what the provider allows, once per process and pool.
    async fn introduce(&self, endpoint: &Endpoint, call: &Call<'_>) -> Result<(), StoreError> {
        let is_known = || self.known.lock().unwrap_or_else(PoisonError::into_inner).contains(call.pool);
        if !is_known() {
            self.capacity.set_limits(endpoint, call.limits).await?;
            self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(call.pool);
        }
        Ok(())
    }
}

#[async_trait]
impl CallGate for CapacityGate {
    async fn admit(&self, call: &Call<'_>) -> Result<(), PlatformError> {
        let endpoint = self.endpoint(call);
        let unavailable = |error: StoreError| PlatformError::Unavailable { what: call.name.to_owned(), source: Box::new(error) };
        self.introduce(&endpoint, call).await.map_err(unavailable)?;
        let request = PermitRequest { endpoint, tokens: call.cost, worker: self.worker.clone(), lease: LEASE };
        let mut waited = Duration::ZERO;
        loop {
            match self.capacity.acquire(&request).await.map_err(unavailable)? {
                Admission::Granted(_) => return Ok(()),
                Admission::Refused { retry_after } if waited + retry_after <= PATIENCE => {
                    waited += retry_after;
                    tokio::time::sleep(retry_after).await;
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
