//! Leave to call without asking the store: what providers allow is a matter of other tests, and asking takes half of the time.
#![allow(dead_code, reason = "every test program uses its own part")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use yarnnn::StoreError;
use yarnnn::id::PermitId;
use yarnnn::jobs::{Admission, Capacity, CapacityLimits, CapacityUse, Endpoint, Permit, PermitRequest};

/// Leave for everybody at once, or for so many calls to one method.
#[derive(Debug, Default)]
pub(crate) struct FixedCapacity(Option<(&'static str, AtomicU32)>);

impl FixedCapacity {
    /// No limits.
    pub(crate) fn unlimited() -> Self {
        Self::default()
    }

    /// So many calls to this method, and any number to others.
    pub(crate) fn of(method: &'static str, calls: u32) -> Self {
        Self(Some((method, AtomicU32::new(calls))))
    }

    fn is_used_up(&self, endpoint: &Endpoint) -> bool {
        let Some((method, left)) = self.0.as_ref() else { return false };
        let is_counted = endpoint.endpoint.split('/').next() == Some(*method);
        is_counted && left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |it| it.checked_sub(1)).is_err()
    }
}

#[async_trait]
impl Capacity for FixedCapacity {
    async fn acquire(&self, request: &PermitRequest) -> Result<Admission, StoreError> {
        if self.is_used_up(&request.endpoint) {
            return Ok(Admission::Refused { retry_after: Duration::from_hours(1) });
        }
        let id = PermitId::from_uuid(uuid::Uuid::nil());
        Ok(Admission::Granted(Permit { id, endpoint: request.endpoint.clone(), expires_at: DateTime::<Utc>::MAX_UTC }))
    }

    async fn release(&self, _: PermitId, _: Option<u32>) -> Result<(), StoreError> {
        Ok(())
    }

    async fn set_limits(&self, _: &Endpoint, _: &CapacityLimits) -> Result<(), StoreError> {
        Ok(())
    }

    async fn introduce(&self, _: &Endpoint, _: &CapacityLimits) -> Result<(), StoreError> {
        Ok(())
    }

    async fn usage(&self) -> Result<Vec<CapacityUse>, StoreError> {
        Ok(vec![])
    }
}
