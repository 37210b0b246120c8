//! Fills one page of mails up to its budget.

use chrono::{DateTime, TimeDelta, Utc};
use yarnnn_core::platform::{Budget, FetchPage, Interval, Item, Next, Quarantined};

/// A page that is being filled.
#[derive(Debug)]
pub(super) struct PageBuilder {
    budget: Budget,
    bytes: usize,
    items: Vec<Item>,
    quarantined: Vec<Quarantined>,
}

impl PageBuilder {
    pub(super) fn new(budget: Budget) -> Self {
        Self { budget, bytes: 0, items: Vec::new(), quarantined: Vec::new() }
    }

    /// Whether the budget is used up; never before the first record.
    pub(super) fn is_full(&self) -> bool {
        let records = self.items.len().saturating_add(self.quarantined.len());
        records > 0 && (records >= self.budget.max_items || self.bytes >= self.budget.max_bytes)
    }

    /// Adds a mail, or its name and the reason why it could not be read.
    pub(super) fn add(&mut self, name: impl FnOnce() -> String, read: Result<Item, String>) {
        match read {
            Ok(item) => {
                self.bytes = self.bytes.saturating_add(item.content.len());
                self.items.push(item);
            }
            Err(reason) => self.quarantined.push(Quarantined { item: name(), reason }),
        }
    }

    /// The page. It covers the time between its oldest and its newest mail.
    pub(super) fn finish(self, next: Next) -> FetchPage {
        let covered = covered(self.items.iter().filter_map(|it| it.source_timestamp)).into_iter().collect();
        let Self { items, quarantined, .. } = self;
        FetchPage { items, quarantined, covered, next, ..FetchPage::default() }
    }
}

fn covered(instants: impl Iterator<Item = DateTime<Utc>> + Clone) -> Option<Interval> {
    let to = instants.clone().max()?.checked_add_signed(TimeDelta::microseconds(1))?;
    Some(Interval { from: instants.min()?, to })
}
