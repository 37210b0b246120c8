//! An import as a job.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{ImportProgress, ImportRequest, ImportWatch, Imports};
use crate::hash::Sha256;
use crate::id::UserId;
use crate::jobs::{Job, JobCx, JobKey, JobPolicy, JobProgress, KeyHolds, Outcome, WithoutWorker};
use crate::platform::Interval;

/// How soon another host is given a chance to take what only it can read.
const ELSEWHERE: TimeDelta = TimeDelta::seconds(30);
/// How often: a week of looks, for a host that is switched off for a while.
const PATIENCE: u32 = 7 * 24 * 120;

/// Imports files of one host. The same files at once are one import.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImportExports {
    /// Whose content it becomes.
    pub user: UserId,
    /// Absolute paths.
    pub paths: Vec<PathBuf>,
    /// As in [`ImportRequest`].
    pub window: Option<Interval>,
    /// Where the files are: other hosts leave the job.
    pub host: String,
}

impl ImportExports {
    /// An import of files that this host can read.
    pub fn here(imports: &Imports, request: ImportRequest) -> Self {
        let ImportRequest { user, paths, window } = request;
        Self { user, paths, window, host: imports.liveness.me().host().to_owned() }
    }
}

#[async_trait]
impl Job for ImportExports {
    type Context = Imports;

    const KIND: &'static str = "import_exports";
    const WITHOUT_WORKER: WithoutWorker = WithoutWorker::RunHere;

    fn policy() -> JobPolicy {
        JobPolicy {
            time_limit_seconds: 6 * 3_600,
            result_ttl_seconds: Some(7 * 86_400),
            max_reschedules: PATIENCE,
            ..JobPolicy::work()
        }
    }

    fn key(&self) -> Option<JobKey> {
        let what = json!([self.host, self.paths, self.window]).to_string();
        Some(JobKey { key: Sha256::of(what).to_string(), holds: KeyHolds::Active })
    }

    async fn run(self, imports: &Imports, cx: &JobCx) -> Outcome {
        if self.host != imports.liveness.me().host() {
            return Outcome::Snoozed { until: imports.clock.now() + ELSEWHERE };
        }
        let watch = ImportWatch { cancel: cx.cancel().clone(), progress: Some(progress(cx)) };
        let request = ImportRequest { user: self.user, paths: self.paths, window: self.window };
        match imports.run(&request, &watch).await {
            Ok(report) => Outcome::done(json!(report)),
            Err(error) => Outcome::of_error(&error, imports.clock.now()),
        }
    }
}

/// Records are the steps of an import; how many there are nobody knows before the end.
fn progress(cx: &JobCx) -> Arc<dyn Fn(ImportProgress) + Send + Sync> {
    let cx = cx.clone();
    Arc::new(move |it: ImportProgress| {
        let index = u32::try_from(it.records).unwrap_or(u32::MAX);
        cx.progress(JobProgress { step: it.reading, index, total: 0, percent: 0, timings: vec![] });
    })
}
