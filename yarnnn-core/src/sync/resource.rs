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
        let mut reader = Reader::begin(self, client, options, live, RunMode::Incremental).await?;
        let ended = match reader.read().await {
            Err(Error::Platform(PlatformError::CursorExpired)) => {
                reader = Reader::begin(self, client, options, live, RunMode::Rebuild).await?;
                reader.read().await
            }
            ended => ended,
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
        let begin = BeginRun { user: options.user, resource, resource_name, mode, at: sync.clock.now() };
        let run = sync.content.begin(begin).await?;
        let outcome = LiveOutcome::of(live.resource.clone());
        Ok(Self { sync, client, options, live, run, seen: BTreeSet::new(), latest: None, outcome })
    }

    /// What is new, then what is stored; the last page commits the cursor.
    async fn read(&mut self) -> Result<(), Error> {
        let now = self.sync.clock.now();
        let window = first_window(self.run.resource.platform(), now);
        let since = self.run.cursor.clone().filter(|_| self.run.mode == RunMode::Incremental);
        let (mode, cap) = match since.clone() {
            Some(cursor) => (FetchMode::Since(cursor), self.live.later_cap),
            None => (FetchMode::Start { window }, self.live.first_cap),
        };
        let mut ended = self.pages(mode, cap).await?;
        let cursor = ended.cursor.take();
        let is_rebuild = self.run.mode == RunMode::Rebuild;
        let lost = if is_rebuild { self.unseen(ended.complete, now).await? } else { vec![] };
        ended.page.gone.extend(lost.iter().cloned());
        // What a rebuild lists is not all that is stored: of what lies outside only an audit knows whether it is still there.
        let audit = self.live.audit && (since.is_some() || is_rebuild);
        if audit {
            self.commit(ended.page, Progress::Within(PageToken::new("audit"))).await?;
            ended = self.audit(window, now, &lost).await?;
        }
        let audited = audit || (since.is_none() && !is_rebuild);
        let finished = self.finished(cursor, audited);
        self.commit(ended.page, Progress::Finished(finished)).await
    }

    /// Reads once more what is stored, but for what is known to be gone.
    async fn audit(&mut self, window: Interval, now: DateTime<Utc>, lost: &[String]) -> Result<Ended, Error> {
        let mut known = self.sync.content.known(self.options.user, &self.run.resource, now).await?;
        known.retain(|it| !lost.contains(&it.item_id));
        self.pages(FetchMode::Audit { window, known: Arc::from(known) }, None).await
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

    /// What is stored in a stretch that was listed to its end, and was not listed.
    async fn unseen(&self, complete: Option<Interval>, now: DateTime<Utc>) -> Result<Vec<String>, Error> {
        let Some(complete) = complete else { return Ok(vec![]) };
        let known = self.sync.content.known(self.options.user, &self.run.resource, now).await?;
        let inside = |it: &KnownItem| it.source_timestamp.map_or(complete == Interval::ALL, |at| complete.contains(at));
        let lost = known.into_iter().filter(|it| inside(it) && !self.seen.contains(&it.item_id));
        Ok(lost.map(|it| it.item_id).collect())
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

impl LiveOutcome {
    const fn of(resource: Resource) -> Self {
        Self { resource, changed: 0, seen: 0, gone: 0, quarantined: vec![], gaps: vec![], error: None }
    }
}
