//! What is asked for, and what became of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::id::UserId;
use crate::platform::{Gap, Interval, Platform, Quarantined, ResourceId};
use crate::sync::{Counts, SourceOutcome};

/// Which files, for whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRequest {
    /// Whose content it becomes.
    pub user: UserId,
    /// Files and folders.
    pub paths: Vec<PathBuf>,
    /// The stretch in which recurring events are expanded; none for a week back to two weeks ahead of now (dossier §4.9).
    pub window: Option<Interval>,
}

/// What became of an import.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ImportReport {
    /// Source by source.
    pub sources: Vec<ImportedSource>,
    /// Their sums.
    pub totals: Counts,
    /// Files of a folder that are no exports.
    pub ignored: Vec<NotImported>,
}

/// What became of one source. The counters are those of [`Counts`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImportedSource {
    /// The file or folder, as shown.
    pub path: String,
    /// What it is.
    pub kind: String,
    /// Whose export it is; none for what could not be opened.
    pub platform: Option<Platform>,
    /// Records.
    #[serde(flatten)]
    pub counts: Counts,
    /// What was filtered, by reason.
    pub filtered_by_reason: BTreeMap<String, u64>,
    /// Resource by resource.
    pub resources: Vec<ImportedResource>,
    /// Records that failed; the first thousand by name.
    pub errors: Vec<Quarantined>,
}

/// What became of one resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImportedResource {
    /// Its id.
    pub resource_id: ResourceId,
    /// Its name.
    pub name: String,
    /// Records.
    pub counts: Counts,
    /// Why it could not be read to the end.
    pub error: Option<String>,
    /// Known gaps.
    pub gaps: Vec<Gap>,
}

/// A file that was not imported, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotImported {
    /// The file, as shown.
    pub path: String,
    /// Why.
    pub reason: String,
}

impl ImportReport {
    pub(super) fn add(&mut self, source: ImportedSource) {
        self.totals += source.counts;
        self.sources.push(source);
    }
}

impl ImportedSource {
    pub(super) fn read(path: &Path, kind: String, platform: Platform, outcome: SourceOutcome) -> Self {
        let resources = outcome.resources.into_iter().map(|it| ImportedResource {
            resource_id: it.resource.id,
            name: it.resource.name,
            counts: it.counts,
            error: it.error,
            gaps: it.gaps,
        });
        Self {
            path: path.display().to_string(),
            kind,
            platform: Some(platform),
            counts: outcome.counts,
            filtered_by_reason: outcome.filtered.into_iter().map(|(reason, count)| (reason.to_string(), count)).collect(),
            resources: resources.collect(),
            errors: outcome.quarantined,
        }
    }

    /// A source that could not be read at all: one failed record.
    pub(super) fn unreadable(path: String, kind: &str, platform: Option<Platform>, reason: String) -> Self {
        let errors = vec![Quarantined { item: path.clone(), reason }];
        let counts = Counts { failed: 1, ..Counts::default() };
        let filtered_by_reason = BTreeMap::new();
        Self { path, kind: kind.to_owned(), platform, counts, filtered_by_reason, resources: vec![], errors }
    }
}
