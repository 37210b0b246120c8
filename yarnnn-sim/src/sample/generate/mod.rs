//! Large mailboxes and Slack exports from a seed, for benchmarks and for tests of limits.
//!
//! The same arguments give the same bytes. The text is made of a vocabulary: it has the statistics of a workspace, not its
//! sense; for sense there is [`Sample`](super::Sample).

mod mailbox;
mod random;
mod workspace;
mod writing;

pub use mailbox::mbox;
pub use workspace::slack_export;

/// What was generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Generated {
    /// Mails, or Slack messages with their replies.
    pub records: u64,
    /// Size of the file.
    pub bytes: u64,
}

/// The instant at which generated content begins, in seconds: 1 January 2024, 08:00 UTC.
const BEGIN: i64 = 1_704_096_000;
