//! Notion's published limits, and the bounds that a sync sets itself (dossier §4.10).

use chrono::TimeDelta;
use yarnnn_core::jobs::CapacityLimits;

/// Calls per token. [`Default`] is what Notion publishes; tests, benches and plans with other limits pass others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotionLimits {
    /// All calls together: about three a second, kept as 350 ms from the start of one to the start of the next.
    pub requests: CapacityLimits,
}

impl Default for NotionLimits {
    fn default() -> Self {
        Self { requests: CapacityLimits { min_interval_millis: Some(350), ..CapacityLimits::default() } }
    }
}

/// Rows of a database that the first sync reads unless the person's tier says otherwise.
pub const DATABASE_ROWS: u32 = 300;

/// Entries that one call lists.
pub(super) const PAGE_SIZE: usize = 100;
/// Blocks of a page that are read.
pub(super) const MAX_BLOCKS: usize = 500;
/// How deep below a page blocks are followed: its own blocks are at depth 1.
pub(super) const MAX_DEPTH: usize = 3;
/// Resources that discovery finds.
pub(super) const MAX_RESOURCES: usize = 500;
/// Results of a search that discovery goes through to find them; most may be rows, which are no resources.
pub(super) const MAX_RESULTS: usize = 2_000;
/// Pages or rows that are read with their blocks before what was read is committed.
pub(super) const HANDFUL: usize = 10;
/// For how long a page token is good: rows are listed newest edit first, and what is edited meanwhile comes after the instant up
/// to where the cursor will say that all was read.
pub(super) const GOOD_FOR: TimeDelta = TimeDelta::days(1);
/// Notion does not say how long its own cursors are good. After this a list is begun anew where it was, by instants.
pub(super) const FRESH: TimeDelta = TimeDelta::minutes(10);
/// So many refused rows, and none that was not, are no accident of single rows.
pub(super) const REFUSED: u32 = 3;
/// Rows that an audit reads although they are not stored: restored, moved here, or left out by an earlier cap.
pub(super) const AUDIT_NEW: u32 = 100;
/// Values of a property beyond which Notion shows no more.
pub(super) const SHOWN_VALUES: usize = 25;
/// How far Notion's clock and ours may be apart.
pub(super) const SKEW: TimeDelta = TimeDelta::minutes(1);
/// Notion tells edits to the minute.
pub(super) const MINUTE: TimeDelta = TimeDelta::minutes(1);
