//! The port that opens export files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::NotImported;
use crate::platform::PlatformClient;

/// One source under a path, and the client that reads it.
#[derive(Debug, Clone)]
pub struct FoundSource {
    /// The file or folder.
    pub path: PathBuf,
    /// What it is: `slack_export`, `mbox`, …
    pub kind: String,
    /// Reads it.
    pub client: Arc<dyn PlatformClient>,
}

/// What was found under a path.
#[derive(Debug, Clone, Default)]
pub struct OpenedPath {
    /// What can be read.
    pub sources: Vec<FoundSource>,
    /// Files of a folder that are no exports.
    pub ignored: Vec<NotImported>,
    /// What claims to be an export, or was named directly, and cannot be opened.
    pub unreadable: Vec<NotImported>,
}

/// Opens export files and folders.
///
/// # Contract
/// - Content decides what a file is, not its name.
/// - What cannot be opened is named in the answer; the rest is opened.
///
/// # Errors
/// None.
///
/// # Concurrency
/// Any number of callers. A call may block for as long as it takes to look at the files.
#[cfg_attr(feature = "testing", mockall::automock)]
pub trait OpenExports: Send + Sync + 'static {
    /// Opens one path.
    fn open(&self, path: &Path) -> OpenedPath;
}
