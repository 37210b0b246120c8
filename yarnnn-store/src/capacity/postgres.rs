//! Permits on Postgres: functions of the database.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use yarnnn_core::StoreError;
use yarnnn_core::id::PermitId;
use yarnnn_core::jobs::{Admission, PermitRequest};

fn missing() -> StoreError {
    crate::error::unreadable("permits on Postgres", "not built into this version")
}

pub(super) async fn acquire(_: &mut PgConnection, _: &PermitRequest, _: Option<DateTime<Utc>>) -> Result<Admission, StoreError> {
    std::future::ready(Err(missing())).await
}

pub(super) async fn release(
    _: &mut PgConnection,
    _: PermitId,
    _: Option<u32>,
    _: Option<DateTime<Utc>>,
) -> Result<(), StoreError> {
    std::future::ready(Err(missing())).await
}
