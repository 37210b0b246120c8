//! One run over everything a client can read: begin, fetch, commit, page by page.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{
    BeginRun, ContentStore, Counts, Finished, NewItem, Origin, PageCommit, Progress, Receipt, RunHandle, RunMode, RunPart,
};
use crate::activity::{ActivityKind, NewActivity};
use crate::clock::Clock;
use crate::error::Error;
use crate::hash::Sha256;
use crate::id::{ActivityId, ConnectionId, ContentId, IdGen, UserId};
use crate::pipeline::CancelToken;
use crate::platform::{
    Budget, Fetch, FetchMode, FetchPage, Gap, Interval, Next, PageToken, PlatformClient, PlatformError, Quarantined, Reason,
    Resource,
};

/// Quarantined records that an outcome lists by name; more are only counted.
const LISTED_ERRORS: usize = 1_000;

/// Brings content into the store.
#[derive(Clone)]
pub struct Sync {
    pub(super) content: Arc<dyn ContentStore>,
    pub(super) clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGen>,
}

/// How to run.
#[derive(Clone)]
pub struct SyncOptions {
    /// Whose content it becomes.
    pub user: UserId,
    /// How it enters.
    pub origin: Origin,
    /// In the name of which connection, and of which of its accounts; none for files.
    pub connection: Option<(ConnectionId, i64)>,
    /// The stretch of time in which recurring events are expanded.
    pub window: Interval,
    /// Stops after the page at hand.
    pub cancel: CancelToken,
    /// Told about every step. Must return at once.
    pub observer: Option<Arc<dyn Fn(SyncEvent) + Send + std::marker::Sync>>,
}

impl fmt::Debug for SyncOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SyncOptions").field("user", &self.user).field("origin", &self.origin).finish_non_exhaustive()
    }
}

/// What a run is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SyncEvent {
    /// A resource is begun.
    Resource {
        /// Its name.
        name: String,
        /// Its position, from 0.
        index: usize,
        /// How many there are.
        total: usize,
    },
    /// A page was committed.
    Page {
        /// Records seen in this run so far.
        records: u64,
    },
}

/// What became of one resource.
#[derive(Debug, Clone)]
pub struct ResourceOutcome {
    /// The resource.
    pub resource: Resource,
    /// Its records.
    pub counts: Counts,
    /// Why it was not read to its end.
    pub error: Option<String>,
    /// What is known not to have been seen.
    pub gaps: Vec<Gap>,
}

/// What became of a source.
#[derive(Debug, Clone, Default)]
pub struct SourceOutcome {
    /// The account or export that answered.
    pub account: String,
    /// Its resources.
    pub resources: Vec<ResourceOutcome>,
    /// Its records.
    pub counts: Counts,
    /// Records left out on purpose, by reason.
    pub filtered: BTreeMap<Reason, u64>,
    /// Records that could not be read, by name; at most the first thousand.
    pub quarantined: Vec<Quarantined>,
    /// Rows that replaced an older revision.
    pub revised: u64,
}

/// The running account of one source.
struct Account {
    outcome: SourceOutcome,
    digest: Sha256,
}

impl Sync {
    /// Syncs into the given store.
    pub fn new(content: Arc<dyn ContentStore>, clock: Arc<dyn Clock>, ids: Arc<dyn IdGen>) -> Self {
        Self { content, clock, ids }
    }

    /// Reads everything the client has and commits it page by page. Running it again stores only what is new.
    ///
    /// A resource that cannot be read is reported in the outcome and in the registry, and the rest goes on.
    ///
    /// # Errors
    /// When the source does not answer at all, the store fails, or the run was cancelled. What was committed before stays.
    pub async fn run(&self, client: &dyn PlatformClient, options: &SyncOptions) -> Result<SourceOutcome, Error> {
        let probe = client.probe().await?;
        let (resources, quarantined) = list_resources(client).await?;
        let mut account = Account::new(&probe.account_id);
        account.quarantine(quarantined);
        let total = resources.len();
        for (index, resource) in resources.into_iter().enumerate() {
            options.tell(SyncEvent::Resource { name: resource.name.clone(), index, total });
            let is_last = index + 1 == total;
            self.resource(client, options, resource, &mut account, is_last).await?;
        }
        Ok(account.outcome)
    }

    async fn resource(
        &self,
        client: &dyn PlatformClient,
        options: &SyncOptions,
        resource: Resource,
        account: &mut Account,
        is_last: bool,
    ) -> Result<(), Error> {
        let begin = BeginRun {
            user: options.user,
            resource: resource.id.clone(),
            resource_name: resource.name.clone(),
            mode: RunMode::Incremental,
            connection: options.connection,
            at: self.clock.now(),
        };
        let run = self.content.begin(begin).await?;
        let mut reading = Reading { resource, counts: Counts::default(), gaps: vec![], latest: None, error: None };
        let ended = self.pages(client, options, &run, &mut reading, account, is_last).await;
        if let Err(Error::Platform(error)) = ended {
            reading.fail(&error);
            account.quarantine(vec![Quarantined { item: reading.resource.name.clone(), reason: error.to_string() }]);
            let activity = is_last.then(|| self.activity(client, options, account));
            let progress = Progress::Failed { error: error.to_string(), activity };
            self.commit(options, &run, FetchPage::default(), progress).await?;
        } else {
            ended?;
        }
        account.outcome.resources.push(reading.outcome());
        Ok(())
    }

    /// Fetches page after page; while one is committed the next is already being read.
    async fn pages(
        &self,
        client: &dyn PlatformClient,
        options: &SyncOptions,
        run: &RunHandle,
        reading: &mut Reading,
        account: &mut Account,
        is_last: bool,
    ) -> Result<(), Error> {
        let mut mode = FetchMode::Start { window: options.window };
        if let Some(cursor) = &run.cursor {
            mode = FetchMode::Since(cursor.clone());
        }
        let mut page = match client.fetch(&request(reading, &mode, None)).await {
            Err(PlatformError::CursorExpired) => {
                mode = FetchMode::Start { window: options.window };
                client.fetch(&request(reading, &mode, None)).await?
            }
            first => first?,
        };
        loop {
            reading.take(&page);
            account.take(&page);
            match page.next.clone() {
                Next::Page(token) => {
                    let fetch = request(reading, &mode, Some(token.clone()));
                    // A file is read again from its start, which stores nothing twice.
                    let progress = Progress::Within { part: RunPart::New, place: None };
                    let commit = self.commit(options, run, page, progress);
                    let (receipt, next) = futures::join!(commit, client.fetch(&fetch));
                    reading.settle(receipt?, account);
                    options.tell(SyncEvent::Page { records: account.outcome.counts.records() });
                    options.check()?;
                    page = next?;
                }
                Next::Done { cursor, .. } => {
                    let activity = is_last.then(|| self.activity(client, options, account));
                    let finished = reading.finished(cursor, activity);
                    let receipt = self.commit(options, run, page, Progress::Finished(finished)).await?;
                    reading.settle(receipt, account);
                    options.tell(SyncEvent::Page { records: account.outcome.counts.records() });
                    return options.check();
                }
            }
        }
    }

    pub(super) async fn commit(
        &self,
        options: &SyncOptions,
        run: &RunHandle,
        page: FetchPage,
        progress: Progress,
    ) -> Result<Receipt, Error> {
        let items = page.items.into_iter().map(|item| NewItem { id: ContentId::fresh(self.ids.as_ref()), item }).collect();
        let commit = PageCommit {
            run: run.clone(),
            origin: options.origin,
            items,
            unchanged: page.unchanged,
            gone: page.gone,
            quarantined: page.quarantined,
            covered: page.covered,
            gaps: page.gaps,
            progress,
            follow_up: vec![],
            at: self.clock.now(),
        };
        Ok(self.content.commit(commit).await?)
    }

    /// The log line of a source. Its counts do not depend on where an earlier run was interrupted, and an import has the same
    /// key whenever it brings the same content: a repeated import leaves no second line.
    fn activity(&self, client: &dyn PlatformClient, options: &SyncOptions, account: &Account) -> NewActivity {
        let platform = client.platform();
        let counts = account.outcome.counts;
        let key = match options.origin {
            Origin::Live => self.ids.uuid(),
            Origin::Import => {
                let name = format!("{} {platform} {} {}", options.user, account.outcome.account, account.digest);
                Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes())
            }
        };
        let mut metadata = serde_json::json!({
            "platform": platform,
            "source": account.outcome.account,
            "items_synced": counts.kept,
            "filtered": counts.filtered,
            "failed": counts.failed,
        });
        if let Some(first) = account.outcome.quarantined.first() {
            metadata["error"] = format!("{}: {}", first.item, first.reason).into();
        }
        NewActivity {
            id: ActivityId::fresh(self.ids.as_ref()),
            kind: ActivityKind::PlatformSynced,
            key,
            summary: format!("Synced {platform}: {} items, {} filtered, {} failed", counts.kept, counts.filtered, counts.failed),
            metadata,
        }
    }
}

async fn list_resources(client: &dyn PlatformClient) -> Result<(Vec<Resource>, Vec<Quarantined>), Error> {
    let mut resources = Vec::new();
    let mut quarantined = Vec::new();
    let mut page = None;
    loop {
        let listed = client.resources(page).await?;
        resources.extend(listed.resources);
        quarantined.extend(listed.quarantined);
        page = listed.next;
        if page.is_none() {
            return Ok((resources, quarantined));
        }
    }
}

fn request(reading: &Reading, mode: &FetchMode, page: Option<PageToken>) -> Fetch {
    let Resource { id, kind, .. } = &reading.resource;
    Fetch { resource: id.clone(), kind: *kind, mode: mode.clone(), page, budget: Budget::default() }
}

/// What has been read of one resource.
struct Reading {
    resource: Resource,
    counts: Counts,
    gaps: Vec<Gap>,
    latest: Option<DateTime<Utc>>,
    error: Option<String>,
}

impl Reading {
    fn take(&mut self, page: &FetchPage) {
        let counts = page_counts(page);
        self.counts += counts;
        self.gaps.extend(page.gaps.iter().cloned());
        self.latest = self.latest.max(page.items.iter().filter_map(|it| it.source_timestamp).max());
        if self.error.is_none() {
            self.error = page.quarantined.first().map(|it| format!("{}: {}", it.item, it.reason));
        }
    }

    fn settle(&mut self, receipt: Receipt, account: &mut Account) {
        let split = Counts { new: receipt.new, unchanged: receipt.unchanged, ..Counts::default() };
        self.counts += split;
        account.outcome.counts += split;
        account.outcome.revised += receipt.revised;
    }

    fn fail(&mut self, error: &PlatformError) {
        self.counts.failed += 1;
        self.error = Some(error.to_string());
    }

    fn finished(&self, cursor: Option<crate::platform::Cursor>, activity: Option<NewActivity>) -> Finished {
        Finished {
            cursor,
            item_count: self.counts.kept,
            source_latest_at: self.latest,
            error: self.error.clone(),
            part: RunPart::New,
            audited: None,
            activity,
        }
    }

    fn outcome(self) -> ResourceOutcome {
        ResourceOutcome { resource: self.resource, counts: self.counts, error: self.error, gaps: self.gaps }
    }
}

fn page_counts(page: &FetchPage) -> Counts {
    Counts {
        kept: page.items.iter().map(|it| u64::from(it.records)).sum(),
        filtered: page.filtered.iter().map(|(_, count)| u64::from(*count)).sum(),
        failed: page.quarantined.len() as u64,
        ..Counts::default()
    }
}

impl Account {
    fn new(account: &str) -> Self {
        let outcome = SourceOutcome { account: account.to_owned(), ..SourceOutcome::default() };
        Self { outcome, digest: Sha256::of(account) }
    }

    fn take(&mut self, page: &FetchPage) {
        self.outcome.counts += Counts { failed: 0, ..page_counts(page) };
        self.quarantine(page.quarantined.clone());
        for (reason, count) in &page.filtered {
            *self.outcome.filtered.entry(reason.clone()).or_default() += u64::from(*count);
        }
        let mut text = self.digest.to_string();
        for item in &page.items {
            text.push_str(&item.item_id);
            text.push_str(&item.content_hash.to_string());
        }
        self.digest = Sha256::of(text);
    }

    fn quarantine(&mut self, quarantined: Vec<Quarantined>) {
        self.outcome.counts.failed += quarantined.len() as u64;
        let room = LISTED_ERRORS.saturating_sub(self.outcome.quarantined.len());
        self.outcome.quarantined.extend(quarantined.into_iter().take(room));
    }
}

impl Counts {
    /// All source records.
    pub const fn records(&self) -> u64 {
        self.kept + self.filtered + self.failed
    }
}

impl SyncOptions {
    /// An import as of now: recurring events from a week back to two weeks ahead, nobody watching, nobody to stop it.
    pub fn import(user: UserId, now: DateTime<Utc>) -> Self {
        let window = Interval { from: now - TimeDelta::days(7), to: now + TimeDelta::days(14) };
        Self { user, origin: Origin::Import, connection: None, window, cancel: CancelToken::default(), observer: None }
    }

    pub(super) fn tell(&self, event: SyncEvent) {
        if let Some(observer) = &self.observer {
            observer(event);
        }
    }

    /// What is waited for. A run that is asked to stop does not wait: not for leave to call, and not for the end of a limit.
    pub(super) async fn unless_cancelled<T>(&self, wait: impl Future<Output = T>) -> Result<T, Error> {
        self.cancel.unless_cancelled(wait).await.ok_or(Error::Cancelled)
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        if self.cancel.is_cancelled() { Err(Error::Cancelled) } else { Ok(()) }
    }
}
