//! Notion's published limits, and the bounds that a sync sets itself (dossier §4.10).

use chrono::TimeDelta;
use yarnnn_core::jobs::CapacityLimits;

/// What Notion allows per token: about three requests a second, kept as 350 ms from the start of one to the start of the next.
pub const PUBLISHED: CapacityLimits = CapacityLimits {
    requests_per_second: None,
    requests_per_minute: None,
    requests_per_hour: None,
    tokens_per_minute: None,
    tokens_per_hour: None,
    concurrent_requests: None,
    min_interval_millis: Some(350),
    disabled: false,
};

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
/// Rows that an audit reads although they are not stored: restored, moved here, or left out by an earlier cap.
pub(super) const AUDIT_NEW: u32 = 100;
/// Values of a property beyond which Notion shows no more.
pub(super) const SHOWN_VALUES: usize = 25;
/// How far Notion's clock and ours may be apart.
pub(super) const SKEW: TimeDelta = TimeDelta::minutes(1);
/// Notion tells edits to the minute.
pub(super) const MINUTE: TimeDelta = TimeDelta::minutes(1);
