//! A sync as a job: one at a time per connection.

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{PlatformSync, SyncProgress, SyncRequest, SyncWatch};
use crate::jobs::{Job, JobCx, JobKey, JobPolicy, JobProgress, KeyHolds, Outcome, WithoutWorker};

/// Syncs one connection. However often it is asked for, it runs once at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SyncConnection(pub SyncRequest);

#[async_trait]
impl Job for SyncConnection {
    type Context = PlatformSync;

    const KIND: &'static str = "platform_sync";
    const WITHOUT_WORKER: WithoutWorker = WithoutWorker::RunHere;

    fn policy() -> JobPolicy {
        JobPolicy { time_limit_seconds: 4 * 3_600, result_ttl_seconds: Some(7 * 86_400), ..JobPolicy::work() }
    }

    fn key(&self) -> Option<JobKey> {
        let SyncRequest { user, provider, .. } = &self.0;
        Some(JobKey { key: format!("platform_sync/{user}/{provider}"), holds: KeyHolds::Active })
    }

    async fn run(self, sync: &PlatformSync, cx: &JobCx) -> Outcome {
        let watch = SyncWatch { cancel: cx.cancel().clone(), progress: Some(progress(cx)) };
        match sync.run(&self.0, &watch).await {
            Ok(platforms) => Outcome::done(json!(platforms)),
            Err(error) => Outcome::of_error(&error, sync.clock.now()),
        }
    }
}

fn progress(cx: &JobCx) -> Arc<dyn Fn(SyncProgress) + Send + Sync> {
    let cx = cx.clone();
    Arc::new(move |it: SyncProgress| {
        let number = |it: usize| u32::try_from(it).unwrap_or(u32::MAX);
        let percent = (it.done * 100).checked_div(it.total).unwrap_or(0).min(100);
        let percent = u8::try_from(percent).unwrap_or(100);
        let step = format!("{} ({} items)", it.reading, it.items);
        cx.progress(JobProgress { step, index: number(it.done), total: number(it.total), percent, timings: vec![] });
    })
}
