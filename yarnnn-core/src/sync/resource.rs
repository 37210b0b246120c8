//! One live resource brought up to date: what is new since the cursor, and, when it is due, everything stored once more.

use chrono::{DateTime, TimeDelta, Utc};

use super::reader::Reader;
use super::{RunMode, Sync, SyncOptions};
use crate::error::Error;
use crate::platform::{Gap, Interval, Platform, PlatformClient, PlatformError, Resource};

/// The stretch that the first fetch of a resource asks for (dossier §4.7 to §4.10): Slack and Notion are bounded by number,
/// mail by 30 days back, a calendar by a week back and two weeks ahead.
pub fn first_window(platform: Platform, now: DateTime<Utc>) -> Interval {
    match platform {
        Platform::Slack | Platform::Notion => Interval { from: DateTime::UNIX_EPOCH, to: now + TimeDelta::days(1) },
        Platform::Gmail => Interval { from: now - TimeDelta::days(30), to: now + TimeDelta::days(1) },
        Platform::Calendar => Interval { from: now - TimeDelta::days(7), to: now + TimeDelta::days(14) },
    }
}

/// Whether everything stored of a resource is to be read once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditWish {
    /// Not now.
    None,
    /// It is time. An audit that was cut short goes on: what changed behind it is left to the next.
    Due,
    /// A person wants to have everything as it is now: an audit that was cut short starts over.
    Asked,
}

/// A resource to be brought up to date.
#[derive(Debug, Clone)]
pub struct LiveResource {
    /// Which one.
    pub resource: Resource,
    /// Whether everything stored is to be read once more, so that edits and deletions are seen.
    pub audit: AuditWish,
    /// Records of the first fetch.
    pub first_cap: Option<u32>,
    /// Records of every later one.
    pub later_cap: Option<u32>,
}

/// What became of it.
#[derive(Debug)]
pub struct LiveOutcome {
    /// Which one.
    pub resource: Resource,
    /// Items that were new, or had changed.
    pub changed: u64,
    /// Items that were seen, each once.
    pub seen: u64,
    /// Rows that went away.
    pub gone: u64,
    /// Records that could not be read, by name; the first few.
    pub quarantined: Vec<String>,
    /// What is known not to have been seen.
    pub gaps: Vec<Gap>,
    /// Why it was not read to its end.
    pub error: Option<PlatformError>,
}

impl Sync {
    /// Brings one resource up to date and commits page by page. A source that fails is in the outcome and in the registry. A run
    /// that was cut short is taken up where it was, and what came in behind it is read after it.
    ///
    /// # Errors
    /// Those of the store, and `Cancelled`.
    pub async fn live(
        &self,
        client: &dyn PlatformClient,
        options: &SyncOptions,
        live: &LiveResource,
    ) -> Result<LiveOutcome, Error> {
        options.check()?;
        let mut reader = Reader::begin(self, client, options, live).await?;
        let ended = match reader.news().await {
            Err(Error::Platform(PlatformError::CursorExpired)) => {
                reader.renew(RunMode::Rebuild).await?;
                reader.rebuild().await.map(|()| None)
            }
            ended => ended,
        };
        let ended = match ended {
            // What is new is stored, and the cursor with it: whatever becomes of the audit.
            Ok(Some(audit)) => reader.audit(audit).await,
            ended => ended.map(|_| ()),
        };
        match ended {
            Ok(()) => Ok(reader.outcome),
            Err(Error::Platform(error)) => reader.fail(error).await,
            Err(error) => Err(error),
        }
    }
}

impl LiveOutcome {
    pub(super) const fn of(resource: Resource) -> Self {
        Self { resource, changed: 0, seen: 0, gone: 0, quarantined: vec![], gaps: vec![], error: None }
    }
}
