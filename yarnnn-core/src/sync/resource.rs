//! One live resource brought up to date: what is new since the cursor, and, when it is due, everything stored once more.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::{BeginRun, Finished, Progress, Receipt, RunHandle, RunMode, Sync, SyncEvent, SyncOptions};
use crate::error::Error;
use crate::platform::{
    Budget, Cursor, Fetch, FetchMode, FetchPage, Gap, Interval, KnownItem, Next, PageToken, Platform, PlatformClient,
    PlatformError, Resource,
};

/// The stretch that the first fetch of a resource asks for (dossier §4.7 to §4.10): Slack and Notion are bounded by number,
/// mail by 30 days back, a calendar by a week back and two weeks ahead.
pub fn first_window(platform: Platform, now: DateTime<Utc>) -> Interval {
    match platform {
        Platform::Slack | Platform::Notion => Interval { from: DateTime::UNIX_EPOCH, to: now + TimeDelta::days(1) },
        Platform::Gmail => Interval { from: now - TimeDelta::days(30), to: now + TimeDelta::days(1) },
        Platform::Calendar => Interval { from: now - TimeDelta::days(7), to: now + TimeDelta::days(14) },
    }
}

/// A resource to be brought up to date.
#[derive(Debug, Clone)]
pub struct LiveResource {
    /// Which one.
    pub resource: Resource,
    /// Whether everything stored is to be read once more, so that edits and deletions are seen.
    pub audit: bool,
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

/// Records that could not be read and are named in an outcome.
const NAMED: usize = 20;

impl Sync {
    /// Brings one resource up to date and commits page by page. A source that fails is in the outcome and in the registry.
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
        let mut reader = Reader::begin(self, client, options, live, RunMode::Incremental).await?;
        let ended = match reader.read().await {
            Err(Error::Platform(PlatformError::CursorExpired)) => {
                reader = Reader::begin(self, client, options, live, RunMode::Rebuild).await?;
                reader.read().await
            }
            ended => ended,
        };
        let ended = match ended {
            // What is new is stored, and the cursor with it: whatever becomes of the audit.
            Ok(Some(audit)) => {
                options.check()?;
                reader = reader.again().await?;
                reader.audit(audit).await
            }
            ended => ended.map(|_| ()),
        };
        match ended {
            Ok(()) => Ok(reader.outcome),
            Err(Error::Platform(error)) => reader.fail(error).await,
            Err(error) => Err(error),
        }
    }
}

/// One run of one resource.
struct Reader<'a> {
    sync: &'a Sync,
    client: &'a dyn PlatformClient,
    options: &'a SyncOptions,
    live: &'a LiveResource,
    run: RunHandle,
    seen: BTreeSet<String>,
    latest: Option<DateTime<Utc>>,
    outcome: LiveOutcome,
}

/// What is to be read once more: what is known, and the stretch to list again for it.
struct Audit {
    window: Interval,
    known: Vec<KnownItem>,
}

/// How a fetch ended: where the next may start, and what it was all of.
struct Ended {
    page: FetchPage,
    cursor: Option<Cursor>,
    complete: Option<Interval>,
}

impl<'a> Reader<'a> {
    async fn begin(
        sync: &'a Sync,
        client: &'a dyn PlatformClient,
        options: &'a SyncOptions,
        live: &'a LiveResource,
        mode: RunMode,
    ) -> Result<Self, Error> {
        let Resource { id, name, .. } = &live.resource;
        let (resource, resource_name) = (id.clone(), name.clone());
        let (user, connection) = (options.user, options.connection);
        let begin = BeginRun { user, resource, resource_name, mode, connection, at: sync.clock.now() };
        let run = sync.content.begin(begin).await?;
        let outcome = LiveOutcome::of(live.resource.clone());
        Ok(Self { sync, client, options, live, run, seen: BTreeSet::new(), latest: None, outcome })
    }

    /// The next run of the same resource, which goes on with the account of this one.
    async fn again(self) -> Result<Self, Error> {
        let Self { sync, client, options, live, seen, latest, outcome, .. } = self;
        let next = Self::begin(sync, client, options, live, RunMode::Incremental).await?;
        Ok(Self { seen, latest, outcome, ..next })
    }

    /// Everything, or what is new; the last page commits the cursor. Answers what is to be read once more afterwards. A rebuild
    /// does that itself, before its copy is put in place.
    async fn read(&mut self) -> Result<Option<Audit>, Error> {
        let now = self.sync.clock.now();
        let window = first_window(self.run.resource.platform(), now);
        let since = self.run.cursor.clone().filter(|_| self.run.mode == RunMode::Incremental);
        let is_start = since.is_none();
        let (mode, cap) = match since {
            Some(cursor) => (FetchMode::Since(cursor), self.live.later_cap),
            None => (FetchMode::Start { window }, self.live.first_cap),
        };
        let known = self.known(now).await?;
        let mut ended = self.pages(mode, cap).await?;
        let cursor = ended.cursor.take();
        if self.run.mode == RunMode::Rebuild {
            if let Some(audit) = self.lost(ended.complete, window, known, now) {
                self.commit(ended.page, Progress::Within(PageToken::new("audit"))).await?;
                ended = self.pages(audit.mode(), None).await?;
            }
            self.commit(ended.page, Progress::Finished(self.finished(cursor, true))).await?;
            return Ok(None);
        }
        let audit = match is_start {
            true => self.lost(ended.complete, window, known, now),
            false if self.live.audit => Some(Audit { window, known: vec![] }),
            false => self.unlisted(ended.complete, known, now),
        };
        let finished = self.finished(cursor, is_start && audit.is_none());
        self.commit(ended.page, Progress::Finished(finished)).await?;
        // What was just stored is known too.
        Ok(match audit {
            Some(audit) if !is_start && self.live.audit => Some(Audit { known: self.known(now).await?, ..audit }),
            other => other,
        })
    }

    /// Reads once more what is stored. What the run before could not see is still not seen.
    async fn audit(&mut self, audit: Audit) -> Result<(), Error> {
        let gaps = self.outcome.gaps.clone();
        let is_whole = self.live.audit;
        let mut ended = self.pages(audit.mode(), None).await?;
        ended.page.gaps.extend(gaps);
        self.commit(ended.page, Progress::Finished(self.finished(None, is_whole))).await
    }

    /// Fetches page after page; while one is committed the next is already being read. The last one is left to the caller.
    async fn pages(&mut self, mode: FetchMode, cap: Option<u32>) -> Result<Ended, Error> {
        let Resource { id, kind, .. } = self.live.resource.clone();
        let budget = Budget { cap, ..Budget::default() };
        let mut fetch = Fetch { resource: id, kind, mode, page: None, budget };
        let mut page = self.client.fetch(&fetch).await?;
        loop {
            self.take(&page);
            match std::mem::take(&mut page.next) {
                Next::Done { cursor, complete } => return Ok(Ended { page, cursor, complete }),
                Next::Page(token) => {
                    fetch.page = Some(token.clone());
                    let client = self.client;
                    let (committed, next) = futures::join!(self.commit(page, Progress::Within(token)), client.fetch(&fetch));
                    committed?;
                    self.options.check()?;
                    page = next?;
                }
            }
        }
    }

    async fn known(&self, now: DateTime<Utc>) -> Result<Vec<KnownItem>, Error> {
        Ok(self.sync.content.known(self.options.user, &self.run.resource, now).await?)
    }

    /// What a list of changes that was complete lacks, to be looked for by itself.
    fn unlisted(&self, complete: Option<Interval>, known: Vec<KnownItem>, now: DateTime<Utc>) -> Option<Audit> {
        let complete = complete?;
        let inside = |it: &KnownItem| it.source_timestamp.map_or(complete == Interval::ALL, |at| complete.contains(at));
        let lost: Vec<KnownItem> = known.into_iter().filter(|it| inside(it) && !self.seen.contains(&it.item_id)).collect();
        (!lost.is_empty()).then_some(Audit { window: Interval { from: now, to: now }, known: lost })
    }

    /// What to audit after everything was listed, in which stretch. What a list lacks is gone only when it is not found by itself
    /// either: lists can be torn. If all of it lies where the list was complete, and is little, nothing has to be listed again.
    fn lost(&self, complete: Option<Interval>, window: Interval, known: Vec<KnownItem>, now: DateTime<Utc>) -> Option<Audit> {
        /// Clients look for more than these by turns.
        const LITTLE: usize = 50;
        let is_listed = |it: &KnownItem| it.source_timestamp.is_some_and(|at| complete.is_some_and(|all| all.contains(at)));
        let lost: Vec<KnownItem> = known.iter().filter(|it| !self.seen.contains(&it.item_id)).cloned().collect();
        match lost.len() {
            0 => None,
            1..=LITTLE if lost.iter().all(is_listed) => Some(Audit { window: Interval { from: now, to: now }, known: lost }),
            _ => Some(Audit { window, known }),
        }
    }

    fn take(&mut self, page: &FetchPage) {
        self.latest = self.latest.max(page.items.iter().filter_map(|it| it.source_timestamp).max());
        self.outcome.gaps.extend(page.gaps.iter().cloned());
        self.seen.extend(page.items.iter().map(|it| it.item_id.clone()).chain(page.unchanged.iter().cloned()));
        self.outcome.seen = self.seen.len() as u64;
        let room = NAMED.saturating_sub(self.outcome.quarantined.len());
        let named = page.quarantined.iter().map(|it| format!("{}: {}", it.item, it.reason));
        self.outcome.quarantined.extend(named.take(room));
    }

    async fn commit(&mut self, page: FetchPage, progress: Progress) -> Result<(), Error> {
        let Receipt { new, gone, .. } = self.sync.commit(self.options, &self.run, page, progress).await?;
        self.outcome.changed += new;
        self.outcome.gone += gone;
        self.options.tell(SyncEvent::Page { records: self.outcome.seen });
        Ok(())
    }

    fn finished(&self, cursor: Option<Cursor>, audited: bool) -> Finished {
        Finished {
            cursor,
            item_count: self.outcome.seen,
            source_latest_at: self.latest,
            error: self.outcome.quarantined.first().cloned(),
            audited,
            activity: None,
        }
    }

    /// The run ends here: what its pages stored stays, the cursor is that of the last whole run.
    async fn fail(mut self, error: PlatformError) -> Result<LiveOutcome, Error> {
        let progress = Progress::Failed { error: error.to_string(), activity: None };
        self.sync.commit(self.options, &self.run, FetchPage::default(), progress).await?;
        self.outcome.error = Some(error);
        Ok(self.outcome)
    }
}

impl Audit {
    fn mode(&self) -> FetchMode {
        FetchMode::Audit { window: self.window, known: Arc::from(self.known.as_slice()) }
    }
}

impl LiveOutcome {
    const fn of(resource: Resource) -> Self {
        Self { resource, changed: 0, seen: 0, gone: 0, quarantined: vec![], gaps: vec![], error: None }
    }
}
