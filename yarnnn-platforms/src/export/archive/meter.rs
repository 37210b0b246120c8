//! Counts what was really read of an archive, each entry once however often it is read again.
//!
//! It deliberately counts after the fact: the caps it gives out are enforced while bytes are copied.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::reader::Location;

/// The running total of one archive.
#[derive(Debug)]
pub(super) struct Meter {
    max_bytes: u64,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    total: u64,
    on_disk: u64,
    by_location: HashMap<Location, u64>,
}

impl Meter {
    pub(super) fn new(max_bytes: u64) -> Self {
        Self { max_bytes, counts: Mutex::default() }
    }

    /// How many bytes this entry may have.
    pub(super) fn left(&self, location: &Location) -> u64 {
        let counts = self.lock();
        let before = counts.by_location.get(location).copied().unwrap_or(0);
        self.max_bytes.saturating_sub(counts.total).saturating_add(before)
    }

    /// Notes how many bytes this entry turned out to have.
    pub(super) fn count(&self, location: &Location, bytes: u64) {
        let mut counts = self.lock();
        let before = counts.by_location.insert(location.clone(), bytes).unwrap_or(0);
        counts.total = counts.total.saturating_sub(before).saturating_add(bytes);
    }

    /// How many bytes of inner archives may still be copied to temporary files.
    pub(super) fn left_on_disk(&self) -> u64 {
        self.max_bytes.saturating_sub(self.lock().on_disk)
    }

    pub(super) fn count_on_disk(&self, bytes: u64) {
        let mut counts = self.lock();
        counts.on_disk = counts.on_disk.saturating_add(bytes);
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
