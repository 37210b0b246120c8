//! What Google Calendar allows.

use yarnnn_core::jobs::CapacityLimits;

/// Requests of one user in a minute.
pub const PUBLISHED: CapacityLimits = CapacityLimits {
    requests_per_second: None,
    requests_per_minute: Some(600),
    requests_per_hour: None,
    tokens_per_minute: None,
    tokens_per_hour: None,
    concurrent_requests: None,
    min_interval_millis: None,
    disabled: false,
};

/// What shares the limit: all calls.
pub(super) const POOL: &str = "requests";
