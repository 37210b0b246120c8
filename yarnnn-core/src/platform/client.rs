//! The port that live clients and export files implement.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use super::{Cursor, Gap, Interval, Item, PageToken, Platform, Probe, Quarantined, Reason, Resource, ResourceId, ResourceKind};
use crate::error::Cause;

/// Reads one account, workspace or export.
///
/// # Contract
/// - `resources` lists each resource once, over all pages; the order is stable between calls.
/// - Fetching a resource from its first page to [`Next::Done`] yields every record that the mode asks for at least once (export
///   files: exactly once): as an item, as filtered, or as quarantined. What is left out is named as a gap.
/// - The same source gives the same pages; a page token is valid as long as the source has not changed, and for as long as its page
///   says ([`FetchPage::good_for`]) even if it has.
/// - A record that cannot be read is quarantined by name and never ends the fetch early. An answer that cannot be trusted (an
///   error, a foreign content type, an empty page where something must be) is an error, never an end.
/// - A cursor is only returned with the last page and never passes a record that was neither returned nor left to a later fetch
///   from that cursor.
/// - `gone` names only what was looked for by itself and is not there: what a list merely lacks is looked up first.
///
/// # Errors
/// [`PlatformError`] says what the caller can do. An error means that nothing of that page was returned.
///
/// # Concurrency
/// Several resources may be fetched at once; pages of one resource are fetched one after the other.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait PlatformClient: Send + Sync + fmt::Debug + 'static {
    /// The platform whose rules (resource ids, time to live) apply to what this client reads.
    fn platform(&self) -> Platform;

    /// Proves that the source answers, and as whom.
    async fn probe(&self) -> Result<Probe, PlatformError>;

    /// One page of the resources that can be read.
    async fn resources(&self, page: Option<PageToken>) -> Result<ResourcePage, PlatformError>;

    /// One page of one resource's items.
    async fn fetch(&self, fetch: &Fetch) -> Result<FetchPage, PlatformError>;
}

/// One page of resources.
#[derive(Debug, Clone, Default)]
pub struct ResourcePage {
    /// The resources.
    pub resources: Vec<Resource>,
    /// What of the list could not be read.
    pub quarantined: Vec<Quarantined>,
    /// Where the next page starts; none after the last.
    pub next: Option<PageToken>,
}

/// What to fetch.
#[derive(Debug, Clone)]
pub struct Fetch {
    /// The resource.
    pub resource: ResourceId,
    /// What it is.
    pub kind: ResourceKind,
    /// From the start, since a cursor, or once more.
    pub mode: FetchMode,
    /// The page to read; none for the first.
    pub page: Option<PageToken>,
    /// How much a page, and the whole fetch, may hold.
    pub budget: Budget,
}

impl Fetch {
    /// The first page of everything a resource has.
    pub fn start(resource: &Resource, window: Interval) -> Self {
        let mode = FetchMode::Start { window };
        Self { resource: resource.id.clone(), kind: resource.kind, mode, page: None, budget: Budget::default() }
    }
}

/// Where a fetch starts.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum FetchMode {
    /// Everything the source has. `window` bounds the expansion of recurring events (and, for live clients, the first fill).
    Start {
        /// The stretch of time to expand.
        window: Interval,
    },
    /// What changed since a cursor of an earlier fetch.
    Since(Cursor),
    /// What is stored, once more: edits come back as items, what was deleted as `gone`, what was seen to be unchanged as
    /// `unchanged`. Returns no cursor, but for the given one without what has been read here.
    Audit {
        /// The stretch to list again. What is new in it may come back too.
        window: Interval,
        /// What is stored of the resource, inside and outside of the window.
        known: Arc<[KnownItem]>,
        /// The cursor as it is now: what the audit has read need not be read from there.
        cursor: Option<Cursor>,
    },
}

/// What a client is told about a stored item.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownItem {
    /// The provider's id inside the resource.
    pub item_id: String,
    /// When it was written, last edited, or starts.
    pub source_timestamp: Option<DateTime<Utc>>,
    /// What the client said of it ([`Item::metadata`]).
    pub metadata: serde_json::Value,
}

/// Bounds of one page. A client stops at whichever comes first, after at least one record.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// Items and other records of one page.
    pub max_items: usize,
    /// Bytes of content of one page.
    pub max_bytes: usize,
    /// Records of the whole fetch: what is beyond is named as a gap and left to the next fetch. None for no cap.
    pub cap: Option<u32>,
}

impl Default for Budget {
    fn default() -> Self {
        Self { max_items: 500, max_bytes: 4 * 1024 * 1024, cap: None }
    }
}

/// One page of items. All of it commits in one transaction with the progress it stands for.
#[derive(Debug, Clone, Default)]
pub struct FetchPage {
    /// Items as they are now.
    pub items: Vec<Item>,
    /// Ids of stored items that were seen to be as they are stored; their time to live starts anew.
    pub unchanged: Vec<String>,
    /// Ids of items that no longer exist; not counted as records unless listed in `filtered`.
    pub gone: Vec<String>,
    /// Records that could not be read.
    pub quarantined: Vec<Quarantined>,
    /// Records left out on purpose, counted by reason.
    pub filtered: Vec<(Reason, u32)>,
    /// What this page covers.
    pub covered: Vec<Interval>,
    /// What this page is known to miss.
    pub gaps: Vec<Gap>,
    /// What comes next.
    pub next: Next,
    /// For how long a later run may go on with the next page, should this one be cut short. It must lose nothing that changed
    /// meanwhile: the cursor at the end passes only what had been told when the first page was read. None: not at all.
    pub good_for: Option<TimeDelta>,
}

/// What follows a page.
#[derive(Debug, Clone)]
pub enum Next {
    /// Another page.
    Page(PageToken),
    /// Nothing: the resource has been read to its end.
    Done {
        /// Where the next sync may start, for clients that keep cursors.
        cursor: Option<Cursor>,
        /// By the items' instants: what is stored in this stretch and was not listed by this fetch is probably gone, and looked for by itself.
        complete: Option<Interval>,
    },
}

impl Next {
    /// The end, with a cursor if there is one.
    pub const fn done(cursor: Option<Cursor>) -> Self {
        Self::Done { cursor, complete: None }
    }
}

impl Default for Next {
    fn default() -> Self {
        Self::done(None)
    }
}

/// What a platform can answer instead of a page.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlatformError {
    /// The cursor is too old; start over.
    #[error("the sync cursor has expired")]
    CursorExpired,
    /// The resource is no longer there.
    #[error("{resource} no longer exists")]
    ResourceGone {
        /// Which one.
        resource: ResourceId,
    },
    /// Too many calls; try again at the given instant.
    #[error("{call}: rate limited until {at}")]
    RateLimited {
        /// The call.
        call: String,
        /// When calls are allowed again.
        at: DateTime<Utc>,
    },
    /// The service or file cannot be reached now.
    #[error("{what} cannot be read: {source}")]
    Unavailable {
        /// What was being read, by name.
        what: String,
        /// The underlying error.
        source: Cause,
    },
    /// The person has to do something.
    #[error("{action}")]
    NeedsUser {
        /// What to do, in a sentence.
        action: String,
    },
    /// The installation has to be changed.
    #[error("the setting {setting} is missing or wrong")]
    NeedsOperator {
        /// Which setting.
        setting: String,
    },
    /// The answer is not what the platform promises: broken or foreign bytes.
    #[error("{call}: {detail}")]
    Protocol {
        /// The call or file.
        call: String,
        /// What is wrong with it.
        detail: String,
    },
}

impl PlatformError {
    /// Whether the same call may succeed later without anybody doing anything.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::RateLimited { .. } | Self::Unavailable { .. })
    }
}
