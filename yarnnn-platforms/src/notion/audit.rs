//! What an audit of a database looks for, and what it leaves unread.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use yarnnn_core::platform::{Gap, GapKind, Interval, PlatformError};

use super::cursor::end_of_minute;
use super::map::{Head, known_gap};
use super::walk::Filling;
use super::wire::Page;

/// How far an audit has come.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Auditing {
    /// Rows edited outside of it are not read unless they are stored.
    pub(super) window: Option<Interval>,
    pub(super) began: Option<DateTime<Utc>>,
    /// What is stored and was not met yet.
    pub(super) missing: BTreeSet<String>,
    /// Rows that are not stored and may still be read.
    pub(super) new_left: u32,
    /// Rows that are neither stored nor read.
    pub(super) unread: u32,
    pub(super) oldest_unread: Option<DateTime<Utc>>,
    pub(super) newest_unread: Option<DateTime<Utc>>,
    pub(super) sources: BTreeSet<String>,
    /// Whether any list had a row.
    #[serde(default)]
    pub(super) has_listed: bool,
}

impl Auditing {
    /// A row that is there: as it is stored, or to be read.
    pub(super) async fn row(&mut self, row: Head, database: &str, page: &mut Filling<'_>) -> Result<Option<Gap>, PlatformError> {
        self.missing.remove(&row.id);
        match page.known.get(row.id.as_str()) {
            Some(known) if row.is_stored_as(known) => {
                page.page.unchanged.push(row.id);
                return Ok(known_gap(known));
            }
            Some(_) => {}
            None if self.window.is_some_and(|it| !it.contains(row.last_edited)) => return Ok(None),
            None if self.new_left == 0 => {
                self.unread += 1;
                self.newest_unread = self.newest_unread.max(Some(row.last_edited));
                self.oldest_unread = Some(self.oldest_unread.map_or(row.last_edited, |it| it.min(row.last_edited)));
                return Ok(None);
            }
            None => self.new_left -= 1,
        }
        page.read(row, database).await
    }

    /// Whether rows were to be listed at all.
    pub(super) fn lists(&self) -> bool {
        self.window.is_some_and(|it| it.from < it.to)
    }

    pub(super) fn is_here(&self, row: &Page, database: &str) -> bool {
        let source = row.parent.data_source();
        source.map_or_else(|| row.parent.database().as_deref() == Some(database), |it| self.sources.contains(&it))
    }

    /// What it speaks for: all rows were listed, and those that are stored or new were read, but for the stretch of its gap.
    pub(super) fn covered(&self) -> Vec<Interval> {
        let (Some(window), Some(began)) = (self.window.filter(|_| self.lists()), self.began) else { return vec![] };
        if self.sources.is_empty() {
            return vec![];
        }
        let whole = Interval { from: window.from, to: window.to.min(began) };
        let mut parts = match (self.oldest_unread, self.newest_unread) {
            (Some(oldest), Some(newest)) => {
                vec![Interval { from: whole.from, to: oldest }, Interval { from: end_of_minute(newest), to: whole.to }]
            }
            _ => vec![whole],
        };
        parts.retain(|it| it.from < it.to);
        parts
    }

    pub(super) fn gap(&self, title: &str) -> Option<Gap> {
        let reason = format!("notion database \"{title}\": {} rows are not stored and were not read by the audit", self.unread);
        let (from, to) = (self.oldest_unread, self.newest_unread.map(end_of_minute));
        (self.unread > 0).then_some(Gap { kind: GapKind::Cap, from, to, reason })
    }
}
