//! The runs of one live resource: what is new, what came in behind a run that had been cut short, and what is read once more.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::place::{Begun, Kept, Tally};
use super::{
    AuditWish, BeginRun, Finished, LiveOutcome, LiveResource, Place, Progress, Receipt, RunHandle, RunMode, RunPart, Sync,
    SyncEvent, SyncOptions, first_window, gaps,
};
use crate::error::Error;
use crate::platform::{
    Budget, Cursor, Fetch, FetchMode, FetchPage, Gap, Interval, KnownItem, Next, PageToken, PlatformClient, PlatformError,
    Quarantined, Resource,
};

/// Records that could not be read and are named in an outcome.
const NAMED: usize = 20;

/// Runs of one resource, one after the other.
pub(super) struct Reader<'a> {
    sync: &'a Sync,
    client: &'a dyn PlatformClient,
    options: &'a SyncOptions,
    live: &'a LiveResource,
    run: RunHandle,
    part: RunPart,
    /// When the first page was asked for, by whichever run.
    began: DateTime<Utc>,
    tally: Tally,
    /// What could not be read before the run was cut short: the registry has yet to hear of it.
    owed: Vec<Quarantined>,
    has_gone_on: bool,
    has_read: bool,
    /// Items that were seen, in all runs.
    met: BTreeSet<String>,
    pub(super) outcome: LiveOutcome,
}

/// What is to be read once more: what is known, and the stretch to list again for it.
pub(super) struct Audit {
    begun: Begun,
    known: Arc<[KnownItem]>,
    kept: Option<Kept>,
}

/// How a fetch ended: what it began with, where the next may start, and what it was all of.
struct Ended {
    begun: Begun,
    page: FetchPage,
    cursor: Option<Cursor>,
    complete: Option<Interval>,
}

/// What a run of what is new leaves to be done.
struct Then {
    audit: Option<Audit>,
    is_start: bool,
    has_gone_on: bool,
}

impl<'a> Reader<'a> {
    pub(super) async fn begin(
        sync: &'a Sync,
        client: &'a dyn PlatformClient,
        options: &'a SyncOptions,
        live: &'a LiveResource,
    ) -> Result<Self, Error> {
        let run = begin(sync, options, live, RunMode::Incremental).await?;
        let outcome = LiveOutcome::of(live.resource.clone());
        let (part, began, tally) = (RunPart::New, sync.clock.now(), Tally::default());
        let (owed, met) = (Vec::new(), BTreeSet::new());
        Ok(Self { sync, client, options, live, run, part, began, tally, owed, has_gone_on: false, has_read: false, met, outcome })
    }

    /// The next run of the same resource, which goes on with the account of this one.
    async fn again(&mut self, mode: RunMode, part: RunPart) -> Result<(), Error> {
        self.options.check()?;
        self.run = begin(self.sync, self.options, self.live, mode).await?;
        self.part = part;
        self.start_over();
        Ok(())
    }

    /// The next run, as if there had been none.
    pub(super) async fn renew(&mut self, mode: RunMode) -> Result<(), Error> {
        self.again(mode, RunPart::New).await?;
        self.outcome = LiveOutcome::of(self.live.resource.clone());
        self.met.clear();
        Ok(())
    }

    fn start_over(&mut self) {
        self.began = self.sync.clock.now();
        self.tally = Tally::default();
        self.owed.clear();
        (self.has_gone_on, self.has_read) = (false, false);
    }

    /// Everything, or what is new. A run that goes on where another was cut short ends with a cursor of when that one began: what
    /// came in since is read at once. Answers what is to be read once more afterwards.
    pub(super) async fn news(&mut self) -> Result<Option<Audit>, Error> {
        let wish = self.live.audit;
        let first = self.read(wish).await?;
        if !first.has_gone_on {
            return Ok(first.audit);
        }
        self.again(RunMode::Incremental, RunPart::New).await?;
        if first.is_start && wish != AuditWish::Asked {
            // All of it has just been listed.
            let second = self.read(AuditWish::None).await?;
            return Ok(first.audit.or(second.audit));
        }
        Ok(self.read(wish).await?.audit)
    }

    /// One run of what is new; the last page commits the cursor.
    async fn read(&mut self, wish: AuditWish) -> Result<Then, Error> {
        let now = self.sync.clock.now();
        let known = self.known(now).await?;
        let kept = self.kept().filter(|it| it.begun.goes_with(self.run.cursor.as_ref()));
        let window = first_window(self.run.resource.platform(), now);
        let ended = match kept {
            Some(kept) => self.go_on(kept, &known).await?,
            None => None,
        };
        let has_gone_on = ended.is_some();
        let Ended { begun, page, cursor, complete } = match (ended, self.run.cursor.clone()) {
            (Some(ended), _) => ended,
            (None, Some(cursor)) => self.pages(Begun::Since { cursor }, None, &known).await?,
            (None, None) => self.pages(Begun::Start { window }, None, &known).await?,
        };
        let (is_start, window) = if let Begun::Start { window } = begun { (true, window) } else { (false, window) };
        let audit = match is_start {
            true => self.lost(complete, window, &known, now),
            false if wish != AuditWish::None => None,
            false => self.unlisted(complete, &known, now),
        };
        let audited = (is_start && audit.is_none()).then_some(self.began);
        let gaps = gaps::of(std::mem::take(&mut self.tally.gaps));
        self.finish(page, gaps, cursor, audited).await?;
        let audit = match audit {
            // What was just stored is known too.
            None if !is_start && wish != AuditWish::None => Some(Audit::everything(window, self.known(now).await?)),
            other => other,
        };
        let audit = self.cut_audit(audit, wish).await?;
        Ok(Then { audit, is_start, has_gone_on })
    }

    /// The audit that is to be done: one that was cut short, if nothing stands against it.
    async fn cut_audit(&self, audit: Option<Audit>, wish: AuditWish) -> Result<Option<Audit>, Error> {
        if wish == AuditWish::Asked || audit.as_ref().is_some_and(|it| !it.is_of_everything()) {
            return Ok(audit);
        }
        let now = self.sync.clock.now();
        let place = self.run.places.get(&RunPart::Audit);
        let Some(kept) = place.and_then(|it| Kept::read(it, now)) else { return Ok(audit) };
        let mut known = self.known(now).await?;
        if let Begun::Audit { only: Some(only), .. } = &kept.begun {
            known = known.iter().filter(|it| only.contains(&it.item_id)).cloned().collect();
        }
        Ok(Some(Audit { begun: kept.begun.clone(), known, kept: Some(kept) }))
    }

    /// Everything anew, beside what is there. What it lacks is looked for before it is put in place.
    pub(super) async fn rebuild(&mut self) -> Result<(), Error> {
        let now = self.sync.clock.now();
        let known = self.known(now).await?;
        let window = first_window(self.run.resource.platform(), now);
        let mut ended = self.pages(Begun::Start { window }, None, &known).await?;
        let cursor = ended.cursor.take();
        let mut gaps = gaps::of(std::mem::take(&mut self.tally.gaps));
        if let Some(audit) = self.lost(ended.complete, window, &known, now) {
            self.within(ended.page, None).await?;
            self.tally.covered.clear();
            ended = self.pages(audit.begun, None, &audit.known).await?;
            gaps = gaps::after_audit(gaps, &self.tally.covered, std::mem::take(&mut self.tally.gaps));
        }
        self.finish(ended.page, gaps, cursor, Some(self.began)).await
    }

    /// Reads once more what is stored.
    pub(super) async fn audit(&mut self, audit: Audit) -> Result<(), Error> {
        self.again(RunMode::Incremental, RunPart::Audit).await?;
        let Audit { begun, known, kept } = audit;
        let ended = match kept {
            Some(kept) => self.go_on(kept, &known).await?,
            None => None,
        };
        let Ended { begun, page, cursor, .. } = match ended {
            Some(ended) => ended,
            None => self.pages(begun, None, &known).await?,
        };
        let is_whole = matches!(begun, Begun::Audit { is_whole: true, .. });
        let (told, missed) = (std::mem::take(&mut self.outcome.gaps), std::mem::take(&mut self.tally.gaps));
        let gaps = gaps::after_audit(told, &self.tally.covered, missed);
        self.finish(page, gaps, cursor, is_whole.then_some(self.began)).await
    }

    /// Where an earlier run of the same part was cut short.
    fn kept(&self) -> Option<Kept> {
        Kept::read(self.run.places.get(&self.part)?, self.sync.clock.now())
    }

    /// Goes on where an earlier run was cut short. None if the client can no longer: then the run starts over.
    async fn go_on(&mut self, kept: Kept, known: &Arc<[KnownItem]>) -> Result<Option<Ended>, Error> {
        let Kept { begun, token, began, tally, .. } = kept;
        (self.began, self.has_gone_on) = (began, true);
        self.owed.clone_from(&tally.quarantined);
        let before = self.outcome.quarantined.len();
        self.outcome.quarantined.extend(tally.quarantined.iter().map(named));
        self.met.extend(tally.seen.iter().cloned());
        self.tally = tally;
        match self.pages(begun, Some(token), known).await {
            Err(Error::Platform(PlatformError::Protocol { .. } | PlatformError::CursorExpired)) if !self.has_read => {
                tracing::debug!(resource = %self.run.resource, "a run that was cut short cannot be taken up; it starts over");
                self.start_over();
                self.outcome.quarantined.truncate(before);
                Ok(None)
            }
            ended => ended.map(Some),
        }
    }

    /// Fetches page after page; while one is committed the next is already being read. The last one is left to the caller.
    async fn pages(&mut self, begun: Begun, first: Option<PageToken>, known: &Arc<[KnownItem]>) -> Result<Ended, Error> {
        let Resource { id, kind, .. } = self.live.resource.clone();
        let (mode, cap) = self.mode(&begun, known);
        let budget = Budget { cap, ..Budget::default() };
        let mut fetch = Fetch { resource: id, kind, mode, page: first, budget };
        let (client, options) = (self.client, self.options);
        let mut page = options.unless_cancelled(client.fetch(&fetch)).await??;
        loop {
            self.take(&mut page);
            match std::mem::take(&mut page.next) {
                Next::Done { cursor, complete } => return Ok(Ended { begun, page, cursor, complete }),
                Next::Page(token) => {
                    let place = page.good_for.and_then(|it| self.place(&begun, &token, it));
                    fetch.page = Some(token);
                    let next = options.unless_cancelled(client.fetch(&fetch));
                    let (committed, next) = futures::join!(self.within(page, place), next);
                    committed?;
                    options.check()?;
                    page = next??;
                }
            }
        }
    }

    fn mode(&self, begun: &Begun, known: &Arc<[KnownItem]>) -> (FetchMode, Option<u32>) {
        match begun.clone() {
            Begun::Start { window } => (FetchMode::Start { window }, self.live.first_cap),
            Begun::Since { cursor } => (FetchMode::Since(cursor), self.live.later_cap),
            Begun::Audit { window, .. } => {
                (FetchMode::Audit { window, known: known.clone(), cursor: self.run.cursor.clone() }, None)
            }
        }
    }

    /// Where a later run can go on, should this one be cut short.
    fn place(&self, begun: &Begun, token: &PageToken, good_for: TimeDelta) -> Option<Place> {
        if self.run.mode == RunMode::Rebuild {
            return None;
        }
        let mut tally = self.tally.clone();
        if self.part == RunPart::Audit {
            // Who audits asks for nothing that was seen.
            tally.seen.clear();
        }
        let until = self.sync.clock.now().checked_add_signed(good_for)?;
        Kept::new(begun.clone(), token.clone(), (self.began, until), tally).write()
    }

    async fn known(&self, now: DateTime<Utc>) -> Result<Arc<[KnownItem]>, Error> {
        Ok(self.sync.content.known(self.options.user, &self.run.resource, now).await?.into())
    }

    /// What a list of changes that was complete lacks, to be looked for by itself.
    fn unlisted(&self, complete: Option<Interval>, known: &[KnownItem], now: DateTime<Utc>) -> Option<Audit> {
        let complete = complete?;
        let inside = |it: &&KnownItem| it.source_timestamp.map_or(complete == Interval::ALL, |at| complete.contains(at));
        let lost: Vec<KnownItem> = known.iter().filter(inside).filter(|it| !self.has_seen(it)).cloned().collect();
        (!lost.is_empty()).then(|| Audit::only(lost, false, now))
    }

    /// What to audit after everything was listed, in which stretch. What a list lacks is gone only when it is not found by itself
    /// either: lists can be torn. If all of it lies where the list was complete, and is little, nothing has to be listed again.
    fn lost(&self, complete: Option<Interval>, window: Interval, known: &Arc<[KnownItem]>, now: DateTime<Utc>) -> Option<Audit> {
        /// Clients look for more than these by turns.
        const LITTLE: usize = 50;
        let is_listed = |it: &KnownItem| it.source_timestamp.is_some_and(|at| complete.is_some_and(|all| all.contains(at)));
        let lost: Vec<KnownItem> = known.iter().filter(|it| !self.has_seen(it)).cloned().collect();
        match lost.len() {
            0 => None,
            1..=LITTLE if lost.iter().all(is_listed) => Some(Audit::only(lost, true, now)),
            _ => Some(Audit::everything(window, known.clone())),
        }
    }

    fn has_seen(&self, item: &KnownItem) -> bool {
        self.tally.seen.contains(&item.item_id)
    }

    /// Takes note of a page. What is missing is told when the run ends.
    fn take(&mut self, page: &mut FetchPage) {
        self.has_read = true;
        let Tally { seen, latest, gaps, covered, quarantined } = &mut self.tally;
        *latest = (*latest).max(page.items.iter().filter_map(|it| it.source_timestamp).max());
        gaps.append(&mut page.gaps);
        if self.part == RunPart::Audit || self.run.mode == RunMode::Rebuild {
            covered.extend(&page.covered);
            *covered = Interval::merge(std::mem::take(covered));
        }
        let ids = || page.items.iter().map(|it| it.item_id.clone()).chain(page.unchanged.iter().cloned());
        seen.extend(ids());
        self.met.extend(ids());
        self.outcome.seen = self.met.len() as u64;
        quarantined.extend(page.quarantined.iter().take(NAMED.saturating_sub(quarantined.len())).cloned());
        let room = NAMED.saturating_sub(self.outcome.quarantined.len());
        self.outcome.quarantined.extend(page.quarantined.iter().take(room).map(named));
    }

    /// Commits a page after which others follow.
    async fn within(&mut self, page: FetchPage, place: Option<Place>) -> Result<(), Error> {
        self.commit(page, Progress::Within { part: self.part, place }).await
    }

    async fn commit(&mut self, mut page: FetchPage, progress: Progress) -> Result<(), Error> {
        page.quarantined.splice(0..0, std::mem::take(&mut self.owed));
        let Receipt { new, gone, .. } = self.sync.commit(self.options, &self.run, page, progress).await?;
        self.outcome.changed += new;
        self.outcome.gone += gone;
        self.options.tell(SyncEvent::Page { records: self.outcome.seen });
        Ok(())
    }

    /// Commits the last page.
    async fn finish(
        &mut self,
        page: FetchPage,
        gaps: Vec<Gap>,
        cursor: Option<Cursor>,
        audited: Option<DateTime<Utc>>,
    ) -> Result<(), Error> {
        let finished = Finished {
            cursor,
            item_count: self.outcome.seen,
            source_latest_at: self.tally.latest,
            error: self.outcome.quarantined.first().cloned(),
            part: self.part,
            audited,
            activity: None,
        };
        self.outcome.gaps.clone_from(&gaps);
        self.commit(FetchPage { gaps, ..page }, Progress::Finished(finished)).await
    }

    /// The run ends here: what its pages stored stays, the cursor is that of the last whole run.
    pub(super) async fn fail(mut self, error: PlatformError) -> Result<LiveOutcome, Error> {
        // What is said of this page, and not of the service or of the account, which come back.
        let is_of_the_page =
            matches!(error, PlatformError::Protocol { .. } | PlatformError::CursorExpired | PlatformError::ResourceGone { .. });
        let is_stuck = self.has_gone_on && !self.has_read && is_of_the_page;
        if is_stuck {
            // Nothing can be read from there: the next run starts over.
            self.within(FetchPage::default(), None).await?;
        }
        let progress = Progress::Failed { error: error.to_string(), activity: None };
        self.sync.commit(self.options, &self.run, FetchPage::default(), progress).await?;
        if self.part == RunPart::New {
            self.outcome.gaps = gaps::of(self.tally.gaps);
        }
        self.outcome.error = Some(error);
        Ok(self.outcome)
    }
}

async fn begin(sync: &Sync, options: &SyncOptions, live: &LiveResource, mode: RunMode) -> Result<RunHandle, Error> {
    let Resource { id, name, .. } = &live.resource;
    let (resource, resource_name) = (id.clone(), name.clone());
    let (user, connection) = (options.user, options.connection);
    let begin = BeginRun { user, resource, resource_name, mode, connection, at: sync.clock.now() };
    Ok(sync.content.begin(begin).await?)
}

fn named(it: &Quarantined) -> String {
    format!("{}: {}", it.item, it.reason)
}

impl Audit {
    /// All that is stored, with the window listed again.
    fn everything(window: Interval, known: Arc<[KnownItem]>) -> Self {
        Self { begun: Begun::Audit { window, only: None, is_whole: true }, known, kept: None }
    }

    /// These, each by itself.
    fn only(lost: Vec<KnownItem>, is_whole: bool, now: DateTime<Utc>) -> Self {
        let window = Interval { from: now, to: now };
        let only = Some(lost.iter().map(|it| it.item_id.clone()).collect());
        Self { begun: Begun::Audit { window, only, is_whole }, known: lost.into(), kept: None }
    }

    const fn is_of_everything(&self) -> bool {
        matches!(self.begun, Begun::Audit { only: None, .. })
    }
}
