//! The archive itself: opened once, read entry by entry.

use super::{folder, problem};
use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use yarnnn_core::platform::{PlatformError, Quarantined};

use super::super::Limits;
use super::meter::Meter;
use super::zipped::Zipped;

/// Archives inside archives are opened this many levels down; Notion needs one.
const MAX_NESTING: usize = 3;

/// A zip file or a folder, opened for reading. Reads of several threads take turns.
#[derive(Debug)]
pub struct Archive {
    name: String,
    limits: Limits,
    zips: Vec<Zipped>,
    entries: Vec<Entry>,
    rejected: Vec<Quarantined>,
    meter: Meter,
}

/// One file of an archive.
#[derive(Debug, Clone)]
pub struct Entry {
    pub(super) path: String,
    pub(super) size: u64,
    pub(super) modified: Option<DateTime<Utc>>,
    pub(super) location: Location,
}

/// Where the bytes of an entry are.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Location {
    File(PathBuf),
    Zip { zip: usize, member: usize },
}

/// What a folder or zip file was found to hold.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) entries: Vec<Entry>,
    pub(super) rejected: Vec<Quarantined>,
}

impl Entry {
    /// The path inside the archive, with `/` between folders.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The size it states about itself: good for showing, not for trusting.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// When it was last written, where the archive says so. Folders do not: copying and unpacking change their times.
    pub fn modified(&self) -> Option<DateTime<Utc>> {
        self.modified
    }
}

impl Archive {
    /// Lists a zip file or a folder.
    ///
    /// # Errors
    /// `NeedsUser` when there is no such path, `Protocol` when it is no zip archive or holds too many entries.
    pub fn open(path: &Path, limits: Limits) -> Result<Self, PlatformError> {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let metadata = path.metadata().map_err(|error| problem::opening(&path.display().to_string(), error))?;
        let mut zips = Vec::new();
        let listing = if metadata.is_dir() {
            folder::list(path, &name, &limits)?
        } else {
            let file = File::open(path).map_err(|error| problem::opening(&path.display().to_string(), error))?;
            let (zip, listing) = Zipped::open(file, &name, 0, &limits)?;
            zips.push(zip);
            listing
        };
        let Listing { entries, rejected } = listing;
        Ok(Self { name, limits, zips, entries, rejected, meter: Meter::new(limits.max_total_bytes) }.sorted())
    }

    /// Replaces each selected entry, which must be a zip file, by what it holds. One that cannot be opened is rejected by name.
    ///
    /// The inner paths stay as they are, so that the parts of a split export fit together again.
    ///
    /// # Errors
    /// `Protocol` when there are too many entries in all.
    pub fn with_nested(mut self, selected: impl Fn(&str) -> bool) -> Result<Self, PlatformError> {
        for _ in 0..MAX_NESTING.min(self.limits.max_depth) {
            let (inner, plain) = std::mem::take(&mut self.entries).into_iter().partition(|entry| selected(&entry.path));
            self.entries = plain;
            self.open_inner(inner)?;
        }
        let (too_deep, plain): (Vec<Entry>, _) =
            std::mem::take(&mut self.entries).into_iter().partition(|entry| selected(&entry.path));
        self.entries = plain;
        self.rejected.extend(too_deep.into_iter().map(|entry| problem::rejected(entry.path, "it is an archive nested too deep")));
        Ok(self.sorted())
    }

    /// The name of the file or folder, without what leads to it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name without the extension.
    pub fn stem(&self) -> &str {
        self.name.rsplit_once('.').map_or(self.name.as_str(), |(stem, _)| stem)
    }

    /// All entries, sorted by path.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// What was found but will not be read, each with the reason.
    pub fn rejected(&self) -> &[Quarantined] {
        &self.rejected
    }

    /// The bounds it was opened with.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Reads one entry whole.
    ///
    /// # Errors
    /// `Protocol` when this entry cannot be read, now or later: over a limit, encrypted, damaged. `Unavailable` when the disk
    /// refused, which says nothing about the entry.
    pub fn read(&self, entry: &Entry) -> Result<Vec<u8>, PlatformError> {
        let mut bytes = Vec::new();
        let left = self.meter.left(&entry.location);
        let cap = Cap::of(self.limits.max_entry_bytes, "it is larger than one file may be")
            .or_less(left, "all files together are larger than they may be");
        let count = self.copy(entry, cap, &mut bytes)?;
        self.meter.count(&entry.location, count);
        Ok(bytes)
    }

    /// Reads one entry as text. Bytes that are not UTF-8 become replacement characters; a byte order mark is dropped.
    ///
    /// # Errors
    /// Those of [`Archive::read`].
    pub fn read_text(&self, entry: &Entry) -> Result<String, PlatformError> {
        let bytes = self.read(entry)?;
        let text = String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
    }

    fn open_inner(&mut self, inner: Vec<Entry>) -> Result<(), PlatformError> {
        for entry in inner {
            match self.spool(&entry).and_then(|file| Zipped::open(file, &entry.path, self.zips.len(), &self.limits)) {
                Ok((zip, listing)) => {
                    self.zips.push(zip);
                    self.entries.extend(listing.entries);
                    self.rejected.extend(listing.rejected);
                }
                Err(PlatformError::Protocol { call, detail }) => self.rejected.push(problem::rejected(call, &detail)),
                Err(other) => return Err(other),
            }
            if self.entries.len() > self.limits.max_entries {
                return Err(problem::too_many(&self.name, &self.limits));
            }
        }
        Ok(())
    }

    /// Copies an inner archive to a nameless temporary file, because zip files are read from their end. It may be as large as
    /// everything in it.
    fn spool(&self, entry: &Entry) -> Result<File, PlatformError> {
        let mut file = tempfile::tempfile().map_err(|error| problem::disk(&entry.path, error))?;
        let left = self.meter.left_on_disk();
        let count = self.copy(entry, Cap::of(left, "the archives inside are larger than they may be"), &mut file)?;
        self.meter.count_on_disk(count);
        file.seek(SeekFrom::Start(0)).map_err(|error| problem::disk(&entry.path, error))?;
        Ok(file)
    }

    fn copy(&self, entry: &Entry, cap: Cap, sink: &mut dyn Write) -> Result<u64, PlatformError> {
        match &entry.location {
            Location::File(path) => folder::copy(path, &entry.path, cap, sink),
            Location::Zip { zip, member } => match self.zips.get(*zip) {
                Some(zip) => zip.copy(*member, &entry.path, cap, &self.limits, sink),
                None => Err(problem::unreadable(&entry.path, "it belongs to another archive")),
            },
        }
    }

    fn sorted(mut self) -> Self {
        self.entries.sort_by(|left, right| left.path.cmp(&right.path));
        self
    }
}

/// How many bytes may be read, and what to say when there are more.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cap {
    pub(super) bytes: u64,
    pub(super) reason: &'static str,
}

impl Cap {
    fn of(bytes: u64, reason: &'static str) -> Self {
        Self { bytes, reason }
    }

    pub(super) fn or_less(self, bytes: u64, reason: &'static str) -> Self {
        if bytes < self.bytes { Self { bytes, reason } } else { self }
    }
}

/// Copies up to the cap and fails if there is more, so that no stated size has to be believed.
pub(super) fn drain(reader: impl std::io::Read, path: &str, cap: Cap, sink: &mut dyn Write) -> Result<u64, PlatformError> {
    let mut bounded = reader.take(cap.bytes.saturating_add(1));
    let count = std::io::copy(&mut bounded, sink).map_err(|error| problem::reading(path, error))?;
    if count > cap.bytes {
        return Err(problem::unreadable(path, cap.reason));
    }
    Ok(count)
}
