//! Leave to call for everybody at once: what providers allow is a matter of other tests, and asking takes half of the time.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use yarnnn::StoreError;
use yarnnn::id::PermitId;
use yarnnn::jobs::{Admission, Capacity, CapacityLimits, CapacityUse, Endpoint, Permit, PermitRequest};

/// No limits.
#[derive(Debug)]
pub(crate) struct Unlimited;

#[async_trait]
impl Capacity for Unlimited {
    async fn acquire(&self, request: &PermitRequest) -> Result<Admission, StoreError> {
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
