//! The verbs on Postgres: functions of the database.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use yarnnn_core::StoreError;
use yarnnn_core::id::{JobId, RunToken};
use yarnnn_core::jobs::{
    Claim, Claimed, EnqueueError, Enqueued, JobProgress, Lease, NewJob, NextDue, Renewed, Rescued, Settlement, WorkerId,
    WorkerPresence, Written,
};

type Now = Option<DateTime<Utc>>;

fn missing() -> StoreError {
    crate::error::unreadable("jobs on Postgres", "not built into this version")
}

macro_rules! verbs {
    ($($name:ident($($argument:ty),*) -> $answer:ty, $error:ty;)*) => {$(
        pub(super) async fn $name(_: &mut PgConnection, $(_: $argument,)* _: Now) -> Result<$answer, $error> {
            std::future::ready(Err(missing().into())).await
        }
    )*};
}

verbs! {
    enqueue(&[NewJob]) -> Vec<Enqueued>, EnqueueError;
    claim(&Claim) -> Vec<Claimed>, StoreError;
    finish(&[(Lease, Settlement)]) -> Vec<Written>, StoreError;
    progress(&Lease, &JobProgress) -> Written, StoreError;
    rescue(&[WorkerId]) -> Vec<Rescued>, StoreError;
    next_due(&NextDue) -> Option<Duration>, StoreError;
    renew(&WorkerId, &[(JobId, RunToken)]) -> Vec<Renewed>, StoreError;
    beat(&WorkerPresence) -> (), StoreError;
}
