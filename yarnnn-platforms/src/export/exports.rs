//! The export files of this machine, as the core's port for imports.

use std::path::Path;

use yarnnn_core::imports::{FoundSource, NotImported, OpenExports, OpenedPath};

use super::{Limits, NotASource, open};

/// Opens files with the given limits.
#[derive(Debug, Clone, Copy, Default)]
pub struct ExportFiles {
    limits: Limits,
}

impl ExportFiles {
    /// Other limits than the default ones.
    pub const fn with_limits(limits: Limits) -> Self {
        Self { limits }
    }
}

impl OpenExports for ExportFiles {
    fn open(&self, path: &Path) -> OpenedPath {
        let opened = match open(path, self.limits) {
            Ok(opened) => opened,
            Err(error) => {
                let unreadable = vec![NotImported { path: path.display().to_string(), reason: error.to_string() }];
                return OpenedPath { unreadable, ..OpenedPath::default() };
            }
        };
        let found = |it: super::ExportSource| FoundSource { path: it.path, kind: it.kind.as_str().to_owned(), client: it.client };
        OpenedPath {
            sources: opened.sources.into_iter().map(found).collect(),
            ignored: opened.ignored.into_iter().map(not_imported).collect(),
            unreadable: opened.unreadable.into_iter().map(not_imported).collect(),
        }
    }
}

fn not_imported(it: NotASource) -> NotImported {
    NotImported { path: it.path.display().to_string(), reason: it.reason }
}
