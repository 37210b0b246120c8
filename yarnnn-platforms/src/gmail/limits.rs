//! What Gmail allows, in its quota units (projects made since May 2026; older ones may have more).

use yarnnn_core::jobs::CapacityLimits;

/// Units of one user in a minute.
pub const PUBLISHED: CapacityLimits = CapacityLimits {
    requests_per_second: None,
    requests_per_minute: None,
    requests_per_hour: None,
    tokens_per_minute: Some(6_000),
    tokens_per_hour: None,
    concurrent_requests: None,
    min_interval_millis: None,
    disabled: false,
};

/// What shares the limit: all calls.
pub(super) const POOL: &str = "quota";

/// Units of `profile` and `labels`.
pub(super) const SMALL: u32 = 1;
/// Units of `history.list`.
pub(super) const HISTORY: u32 = 2;
/// Units of `drafts.create`.
pub(super) const CREATE: u32 = 10;
/// Units of `messages.list`, `messages.get`, `attachments.get`, `drafts.list` and `drafts.get`.
pub(super) const MESSAGE: u32 = 5;
