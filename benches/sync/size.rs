//! How large the worlds are, and what the brief says of them.

/// Messages of a channel, replies included.
pub(crate) const MESSAGES: usize = 150;
/// Threads of a channel, and replies of each.
pub(crate) const THREADS: usize = 3;
pub(crate) const REPLIES: usize = 11;
/// Mails of a label.
pub(crate) const MAILS: usize = 60;
/// Events of the calendar.
pub(crate) const EVENTS: usize = 40;
/// Calls that a Notion page takes: itself, its blocks, and those of its one toggle.
pub(crate) const CALLS_OF_A_PAGE: usize = 3;
/// Rows of a database; each takes one call, for its blocks.
pub(crate) const ROWS: usize = 300;
/// Rows of a database that are edited in a day.
pub(crate) const EDITED_ROWS: usize = ROWS * 2 / 100;

/// A workspace.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) name: &'static str,
    /// What selects it.
    pub(crate) word: &'static str,
    pub(crate) channels: usize,
    /// People who write in Slack.
    pub(crate) authors: usize,
    pub(crate) labels: usize,
    pub(crate) pages: usize,
    pub(crate) databases: usize,
    /// The brief's figures, first and incremental.
    pub(crate) brief: [&'static str; 2],
}

impl Size {
    pub(crate) const FREE: Self = Self {
        name: "Free",
        word: "free",
        channels: 5,
        authors: 8,
        labels: 5,
        pages: 10,
        databases: 0,
        brief: ["40–50 s", "20 s"],
    };
    pub(crate) const STARTER: Self = Self {
        name: "Starter",
        word: "starter",
        channels: 15,
        authors: 16,
        labels: 10,
        pages: 25,
        databases: 0,
        brief: ["70–80 s", "50 s"],
    };
    pub(crate) const DATABASES: Self = Self {
        name: "Starter with databases",
        word: "databases",
        databases: 5,
        brief: ["10+ min", "120–180 s"],
        ..Self::STARTER
    };
    pub(crate) const PRO: Self = Self {
        name: "Pro",
        word: "pro",
        channels: 50,
        authors: 40,
        labels: 30,
        pages: 50,
        databases: 0,
        brief: ["3 min", "90 s"],
    };
    pub(crate) const ALL: [Self; 4] = [Self::FREE, Self::STARTER, Self::DATABASES, Self::PRO];

    /// Pages that are edited in a day.
    pub(crate) fn edited_pages(&self) -> usize {
        (self.pages * 2 / 100).max(1)
    }
}
