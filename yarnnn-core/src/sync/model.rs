//! What goes into the content store, and what comes out.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::activity::NewActivity;
use crate::hash::Sha256;
use crate::id::{ConnectionId, ContentId, UserId};
use crate::jobs::NewJob;
use crate::platform::{Author, ContentType, Cursor, Gap, Interval, Item, Quarantined, ResourceId};

/// Stored content is cut at this many characters (dossier §4.5); the revision is taken from the full text before.
pub const MAX_CONTENT_CHARS: usize = 10_000;

/// How content entered, which decides how long it stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// From a live service: kept for the platform's time to live unless something retains it.
    Live,
    /// From files a person handed over: retained with reason `user_import` until forgotten.
    Import,
}

impl Origin {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Import => "import",
        }
    }
}

/// Why content is kept beyond its time to live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RetainReason {
    /// A report was written from it.
    DeliverableExecution,
    /// A report was called for because of it.
    SignalProcessing,
    /// A person imported it.
    UserImport,
}

impl RetainReason {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DeliverableExecution => "deliverable_execution",
            Self::SignalProcessing => "signal_processing",
            Self::UserImport => "user_import",
        }
    }
}

/// Where the pages of a run go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RunMode {
    /// Each page is visible as soon as it is committed.
    #[default]
    Incremental,
    /// The pages make a shadow copy that nobody sees; the last page swaps it in, with everything that is gone.
    Rebuild,
}

/// Starts reading one resource.
#[derive(Debug, Clone)]
pub struct BeginRun {
    /// Whose content.
    pub user: UserId,
    /// Which resource.
    pub resource: ResourceId,
    /// Its name for people.
    pub resource_name: String,
    /// Where its pages go.
    pub mode: RunMode,
    /// In the name of which connection, and of which of its accounts; none for files.
    pub connection: Option<(ConnectionId, i64)>,
    /// Now.
    pub at: DateTime<Utc>,
}

/// What a run does. Each can be cut short, and taken up again by a later run that does the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunPart {
    /// Reads what is new.
    #[default]
    New,
    /// Reads once more what is stored.
    Audit,
}

/// What it takes to go on after a page. The store keeps it and does not read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Place(String);

impl Place {
    /// The longest, in bytes. A run whose place would be longer starts over when it is cut short.
    pub const MAX: usize = 256 * 1024;

    /// Wraps a text, unless it is too long to be written with every page, or holds the one character that no database keeps.
    pub fn new(text: String) -> Option<Self> {
        (text.len() <= Self::MAX && !text.contains('\0')).then_some(Self(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The fence of a run: a later run of the same resource has a higher one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunToken(pub i64);

/// A run that may commit pages until a later run begins.
#[derive(Debug, Clone)]
pub struct RunHandle {
    /// Whose content.
    pub user: UserId,
    /// Which resource.
    pub resource: ResourceId,
    /// Its name for people.
    pub resource_name: String,
    /// The fence.
    pub token: RunToken,
    /// Where its pages go.
    pub mode: RunMode,
    /// In the name of which connection, and of which of its accounts; none for files.
    pub connection: Option<(ConnectionId, i64)>,
    /// The cursor that the last finished run left.
    pub cursor: Option<Cursor>,
    /// Where earlier runs were cut short.
    pub places: BTreeMap<RunPart, Place>,
}

/// An item with the id that its row gets if it is new.
#[derive(Debug, Clone)]
pub struct NewItem {
    /// Id of a new row; unused when the revision is already stored.
    pub id: ContentId,
    /// The item.
    pub item: Item,
}

/// One page and the progress it stands for: committed in one transaction or not at all.
#[derive(Debug, Clone)]
pub struct PageCommit {
    /// The run that read it.
    pub run: RunHandle,
    /// How the content entered.
    pub origin: Origin,
    /// Items as they are now.
    pub items: Vec<NewItem>,
    /// Ids of stored items that were seen unchanged: the time to live of their unretained current rows starts anew.
    pub unchanged: Vec<String>,
    /// Ids of items that no longer exist.
    pub gone: Vec<String>,
    /// Records that could not be read.
    pub quarantined: Vec<Quarantined>,
    /// What the page covers.
    pub covered: Vec<Interval>,
    /// What it is known to miss.
    pub gaps: Vec<Gap>,
    /// Whether more pages follow.
    pub progress: Progress,
    /// Jobs that follow from the page: enqueued with it or not at all.
    pub follow_up: Vec<NewJob>,
    /// Now.
    pub at: DateTime<Utc>,
}

/// How far a run has come with a page.
#[derive(Debug, Clone)]
pub enum Progress {
    /// Another page follows.
    Within {
        /// What the run is doing.
        part: RunPart,
        /// Where a later run can take it up, if it can. It replaces the place of the page before.
        place: Option<Place>,
    },
    /// This was the last page.
    Finished(Finished),
    /// The run ends here because the source failed: `last_error` is set, everything else in the registry stays.
    Failed {
        /// What went wrong, with the file or call by name; cut at 500 characters.
        error: String,
        /// The line for the activity log.
        activity: Option<NewActivity>,
    },
}

/// What is recorded when a resource has been read to its end.
#[derive(Debug, Clone, Default)]
pub struct Finished {
    /// Where the next run may start; none leaves a stored cursor as it is.
    pub cursor: Option<Cursor>,
    /// Items kept in this run, for the registry.
    pub item_count: u64,
    /// Instant of the newest item of this run.
    pub source_latest_at: Option<DateTime<Utc>>,
    /// What a person should know of this run (`last_error`); cut at 500 characters.
    pub error: Option<String>,
    /// What the run did: where earlier runs were cut short in it is forgotten.
    pub part: RunPart,
    /// Since when everything stored of the resource has been read once more (`audited_at`); none leaves what is stored.
    pub audited: Option<DateTime<Utc>>,
    /// The line for the activity log; written once per [`NewActivity::key`].
    pub activity: Option<NewActivity>,
}

/// What a commit did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Receipt {
    /// Source records ([`Item::records`]) of rows that were not there before: new items and new revisions.
    pub new: u64,
    /// Source records of rows that were already stored.
    pub unchanged: u64,
    /// Rows that replaced an older revision of their item.
    pub revised: u64,
    /// Rows deleted or marked as withdrawn.
    pub gone: u64,
}

/// Source records of a run, as they stand in the file or at the service (`kept + filtered + failed` = records).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Stored, now or before.
    pub kept: u64,
    /// Left out on purpose.
    pub filtered: u64,
    /// Could not be read.
    pub failed: u64,
    /// Of `kept`: records with at least one row that was not there before.
    pub new: u64,
    /// Of `kept`: records of which everything was already stored.
    pub unchanged: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.kept += other.kept;
        self.filtered += other.filtered;
        self.failed += other.failed;
        self.new += other.new;
        self.unchanged += other.unchanged;
    }
}

/// One stored revision of an item.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredItem {
    /// Row id.
    pub id: ContentId,
    /// Which resource.
    pub resource: ResourceId,
    /// Its name for people.
    pub resource_name: String,
    /// The provider's id inside the resource.
    pub item_id: String,
    /// What it is.
    pub content_type: ContentType,
    /// The stored text, at most [`MAX_CONTENT_CHARS`] characters.
    pub content: String,
    /// The revision of the provider's full text.
    pub content_hash: Sha256,
    /// Subject or title.
    pub title: Option<String>,
    /// Who wrote it.
    pub author: Option<Author>,
    /// Whether the account's owner wrote it.
    pub is_user_authored: bool,
    /// When it was written, last edited, or starts.
    pub source_timestamp: Option<DateTime<Utc>>,
    /// What else the provider says.
    pub metadata: serde_json::Value,
    /// When it was last seen at the source.
    pub fetched_at: DateTime<Utc>,
    /// Whether it is kept beyond its time to live.
    pub retained: bool,
    /// When it may be deleted; none when retained.
    pub expires_at: Option<DateTime<Utc>>,
    /// Whether it is the newest revision of its item.
    pub is_current: bool,
    /// The revision it replaced.
    pub version_of: Option<ContentId>,
    /// Set when the item was deleted at its source but the row is kept.
    pub withdrawn_at: Option<DateTime<Utc>>,
}

/// Which stored items to read. Only current revisions that are neither withdrawn nor expired are found.
#[derive(Debug, Clone)]
pub struct ContentQuery {
    /// Whose content.
    pub user: UserId,
    /// Only these resources; empty for all.
    pub resources: Vec<ResourceId>,
    /// Only items with a `source_timestamp` inside, or without one.
    pub within: Option<Interval>,
    /// Now: unretained items that expired before are not found.
    pub at: DateTime<Utc>,
    /// At most this many, newest `source_timestamp` first (items without one last).
    pub limit: u32,
}

/// Keeps rows beyond their time to live. Rows that are already retained stay as they are.
#[derive(Debug, Clone)]
pub struct Retain {
    /// Whose content.
    pub user: UserId,
    /// Which rows.
    pub ids: Vec<ContentId>,
    /// Why.
    pub reason: RetainReason,
    /// For what: a version, a session.
    pub reference: Option<Uuid>,
    /// Now.
    pub at: DateTime<Utc>,
}

/// What is known of one resource: the registry row and its coverage.
#[derive(Debug, Clone, PartialEq)]
pub struct ResourceStatus {
    /// Which resource.
    pub resource: ResourceId,
    /// Its name for people.
    pub resource_name: String,
    /// When it was last read to its end.
    pub last_synced_at: Option<DateTime<Utc>>,
    /// Where the next run may start.
    pub cursor: Option<Cursor>,
    /// Items of the last run.
    pub item_count: u64,
    /// Instant of the newest item.
    pub source_latest_at: Option<DateTime<Utc>>,
    /// What went wrong in the last run.
    pub last_error: Option<String>,
    /// When that was.
    pub last_error_at: Option<DateTime<Utc>>,
    /// When it was begun last to read once more everything stored of it, and ended.
    pub audited_at: Option<DateTime<Utc>>,
    /// Whether the user keeps it from being synced.
    pub excluded: bool,
    /// Stretches that have been seen.
    pub covered: Vec<Interval>,
    /// Stretches that are known not to have been seen.
    pub gaps: Vec<Gap>,
}
