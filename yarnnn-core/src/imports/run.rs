//! Import: open each path, read each source, add up.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::{FoundSource, ImportReport, ImportRequest, ImportedSource, OpenExports, OpenedPath};
use crate::clock::Clock;
use crate::error::Error;
use crate::pipeline::{CancelToken, Liveness};
use crate::sync::{Origin, Sync, SyncEvent, SyncOptions};

/// The feature. Cheap to clone.
#[derive(Clone)]
pub struct Imports {
    pub(super) sync: Sync,
    pub(super) exports: Arc<dyn OpenExports>,
    pub(super) liveness: Arc<dyn Liveness>,
    pub(super) clock: Arc<dyn Clock>,
}

impl fmt::Debug for Imports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Imports").finish_non_exhaustive()
    }
}

/// How far an import came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportProgress {
    /// What is read: a source, then its resources.
    pub reading: String,
    /// Records of the sources so far.
    pub records: u64,
}

/// Watches an import and can stop it.
#[derive(Clone, Default)]
pub struct ImportWatch {
    /// Stops after the page at hand.
    pub cancel: CancelToken,
    /// Told about every page. Must return at once.
    pub progress: Option<Arc<dyn Fn(ImportProgress) + Send + std::marker::Sync>>,
}

impl fmt::Debug for ImportWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImportWatch").finish_non_exhaustive()
    }
}

impl Imports {
    /// Reads with these.
    pub fn new(sync: Sync, exports: Arc<dyn OpenExports>, liveness: Arc<dyn Liveness>, clock: Arc<dyn Clock>) -> Self {
        Self { sync, exports, liveness, clock }
    }

    /// Imports every source under the paths. Doing it again stores only what is new, so that one that was interrupted goes on.
    ///
    /// # Errors
    /// Those of the store, and `Cancelled`; what cannot be read is in the report.
    pub async fn run(&self, request: &ImportRequest, watch: &ImportWatch) -> Result<ImportReport, Error> {
        let options = SyncOptions::import(request.user, self.clock.now());
        let options = SyncOptions { cancel: watch.cancel.clone(), window: request.window.unwrap_or(options.window), ..options };
        let mut report = ImportReport::default();
        for path in &request.paths {
            let opened = self.open(path.clone()).await?;
            report.ignored.extend(opened.ignored);
            for unreadable in opened.unreadable {
                report.add(ImportedSource::unreadable(unreadable.path, "unsupported", None, unreadable.reason));
            }
            for source in opened.sources {
                let imported = self.source(source, &options, watch, report.totals.records()).await?;
                report.add(imported);
            }
        }
        Ok(report)
    }

    /// Looking at files may take long, and holds up no other job.
    async fn open(&self, path: PathBuf) -> Result<OpenedPath, Error> {
        let exports = self.exports.clone();
        let opened = tokio::task::spawn_blocking(move || exports.open(&path)).await;
        opened.map_err(|error| Error::Failed(format!("opening the files did not end well: {error}")))
    }

    async fn source(
        &self,
        source: FoundSource,
        options: &SyncOptions,
        watch: &ImportWatch,
        before: u64,
    ) -> Result<ImportedSource, Error> {
        let options = SyncOptions { origin: Origin::Import, observer: observer(&source, watch, before), ..options.clone() };
        let platform = source.client.platform();
        match self.sync.run(source.client.as_ref(), &options).await {
            Ok(outcome) => Ok(ImportedSource::read(&source.path, source.kind, platform, outcome)),
            Err(Error::Platform(error)) => {
                Ok(ImportedSource::unreadable(source.path.display().to_string(), &source.kind, Some(platform), error.to_string()))
            }
            Err(error) => Err(error),
        }
    }
}

type Observer = Arc<dyn Fn(SyncEvent) + Send + std::marker::Sync>;

/// Tells the watcher what is read, and how many records were read before this source and within it.
fn observer(source: &FoundSource, watch: &ImportWatch, before: u64) -> Option<Observer> {
    let progress = watch.progress.clone()?;
    let name = source.path.display().to_string();
    let reading = std::sync::Mutex::new((name, before));
    Some(Arc::new(move |event| {
        let mut now = reading.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match event {
            SyncEvent::Resource { name, .. } => now.0 = name,
            SyncEvent::Page { records } => now.1 = before + records,
        }
        progress(ImportProgress { reading: now.0.clone(), records: now.1 });
    }))
}
