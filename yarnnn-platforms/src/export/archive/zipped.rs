//! Lists and reads one zip file. It is opened once; each read seeks to its member.

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufReader, Write};
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, NaiveDate, Utc};
use yarnnn_core::platform::PlatformError;
use zip::ZipArchive;
use zip::read::ZipFileEntry;

use super::reader::{Cap, Entry, Listing, Location, drain};
use super::{name, problem};
use crate::export::Limits;

/// Members up to this size may have any compression ratio: a file of blanks is no attack.
const RATIO_EXEMPT_BYTES: u64 = 1024 * 1024;

/// An open zip file.
#[derive(Debug)]
pub(super) struct Zipped {
    archive: Mutex<ZipArchive<BufReader<File>>>,
}

impl Zipped {
    /// Reads the central directory. `number` is the place of this zip file among those of its archive.
    pub(super) fn open(file: File, zip_name: &str, number: usize, limits: &Limits) -> Result<(Self, Listing), PlatformError> {
        let archive = ZipArchive::new(BufReader::new(file)).map_err(|error| problem::zip(zip_name, error))?;
        if archive.len() > limits.max_entries {
            return Err(problem::too_many(zip_name, limits));
        }
        let mut listing = Listing::default();
        for member in 0..archive.len() {
            match archive.by_index_data(member) {
                Ok(entry) => add(&entry, Location::Zip { zip: number, member }, limits, &mut listing),
                Err(error) => listing.rejected.push(problem::rejected(zip_name, &error.to_string())),
            }
        }
        if archive.has_duplicate_names() {
            listing
                .rejected
                .push(problem::rejected(zip_name, "some of its files have the same name; only the last of each is read"));
        }
        Ok((Self { archive: Mutex::new(archive) }, listing))
    }

    /// Copies one member's bytes, bounded also by its compression ratio.
    pub(super) fn copy(
        &self,
        member: usize,
        path: &str,
        cap: Cap,
        limits: &Limits,
        sink: &mut dyn Write,
    ) -> Result<u64, PlatformError> {
        let mut archive = self.archive.lock().unwrap_or_else(PoisonError::into_inner);
        let file = archive.by_index(member).map_err(|error| problem::zip(path, error))?;
        let ratio = file.compressed_size().saturating_mul(limits.max_ratio).max(RATIO_EXEMPT_BYTES);
        let cap = cap.or_less(ratio, "it expands far more than an ordinary file does");
        drain(file, path, cap, sink)
    }
}

fn add(member: &ZipFileEntry<'_>, location: Location, limits: &Limits, listing: &mut Listing) {
    let raw = raw_name(member);
    if member.is_dir() || raw.ends_with('\\') || name::is_litter(&raw) {
        return;
    }
    match name::normal(&raw, limits.max_depth) {
        Ok(path) if member.is_symlink() => listing.rejected.push(problem::rejected(path, "it is a symbolic link")),
        Ok(path) => listing.entries.push(Entry { path, size: member.size(), modified: modified(member), location }),
        Err(reason) => listing.rejected.push(problem::rejected(name::shown(&raw), reason)),
    }
}

/// The name as UTF-8 if it is that, whatever the flag says: many programs write UTF-8 and do not set it.
fn raw_name(member: &ZipFileEntry<'_>) -> String {
    match std::str::from_utf8(member.name_raw()) {
        Ok(name) => name.to_owned(),
        Err(_) => member.name().map_or_else(|_| String::from_utf8_lossy(member.name_raw()).into_owned(), Cow::into_owned),
    }
}

/// When the member was last written: the local time of whoever packed it, read as UTC. Exports are packed by servers in UTC.
fn modified(member: &ZipFileEntry<'_>) -> Option<DateTime<Utc>> {
    let time = member.last_modified().filter(zip::DateTime::is_valid)?;
    let date = NaiveDate::from_ymd_opt(time.year().into(), time.month().into(), time.day().into())?;
    // The first day of the format stands for "no time given".
    let known = date > NaiveDate::from_ymd_opt(1980, 1, 1)?;
    let instant = date.and_hms_opt(time.hour().into(), time.minute().into(), time.second().into())?.and_utc();
    known.then_some(instant)
}
