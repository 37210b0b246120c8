//! What Slack allows: calls per minute and workspace by method, and how many messages an answer may hold.

use yarnnn_core::jobs::CapacityLimits;

/// Calls per minute by method, and the page size. [`Default`] is what Slack publishes for internal and Marketplace apps.
///
/// Tests and benches pass others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlackLimits {
    /// `conversations.list` (tier 2).
    pub list: CapacityLimits,
    /// `conversations.history` (tier 3).
    pub history: CapacityLimits,
    /// `conversations.replies` (tier 3).
    pub replies: CapacityLimits,
    /// `conversations.info` and `conversations.join` (tier 3), each by itself.
    pub conversation: CapacityLimits,
    /// `users.info` (tier 4).
    pub users: CapacityLimits,
    /// `auth.test` (a tier of its own: hundreds).
    pub probe: CapacityLimits,
    /// `chat.postMessage` (one a second and channel, and several hundred a minute and workspace: 50 are far below).
    pub post: CapacityLimits,
    /// Messages of one answer.
    pub page_size: u32,
}

impl Default for SlackLimits {
    fn default() -> Self {
        Self {
            list: per_minute(20),
            history: per_minute(50),
            replies: per_minute(50),
            conversation: per_minute(50),
            users: per_minute(100),
            probe: per_minute(200),
            post: per_minute(50),
            page_size: 200,
        }
    }
}

impl SlackLimits {
    /// For apps that are distributed commercially outside of the Marketplace: one call a minute, and 15 messages.
    pub fn restricted() -> Self {
        Self { history: per_minute(1), replies: per_minute(1), page_size: 15, ..Self::default() }
    }

    /// How many of these calls to make at once, this many at most: one where one a minute is let through, for the others would
    /// only wait, and what waits too long fails.
    pub(super) fn at_once(limits: &CapacityLimits, most: usize) -> usize {
        if limits.requests_per_minute.is_some_and(|it| it <= 1) { 1 } else { most }
    }

    /// All calls per minute times this, at least one.
    #[must_use]
    pub fn scaled(self, factor: u32) -> Self {
        let scale = |limits: CapacityLimits| CapacityLimits {
            requests_per_minute: limits.requests_per_minute.map(|it| it.saturating_mul(factor).max(1)),
            ..limits
        };
        Self {
            list: scale(self.list),
            history: scale(self.history),
            replies: scale(self.replies),
            conversation: scale(self.conversation),
            users: scale(self.users),
            probe: scale(self.probe),
            post: scale(self.post),
            page_size: self.page_size,
        }
    }
}

fn per_minute(requests: u32) -> CapacityLimits {
    CapacityLimits { requests_per_minute: Some(requests), ..CapacityLimits::default() }
}
