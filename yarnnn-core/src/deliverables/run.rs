//! Run: plan → gather → write → verify → render → outbox → deliver, resumed wherever an earlier process left it.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::advance::Advance;
use super::gathering::gather::{Gather, GatherInput, Gathered};
use super::job::{EVENT_KEY, SIGNAL_KEY};
use super::kinds::Binding;
use super::model::Deliverable;
use super::parts::DeliverablesParts;
use super::scheduling::slot::Lateness;
use super::version::{Hold, OpenVersion, Step, Tally, Version, VersionStatus};
use crate::delivery::OutboxMessage;
use crate::error::{Error, StoreError};
use crate::evidence::{Verification, Verifier};
use crate::id::{DeliverableId, UserId, VersionId};
use crate::llm::{LlmError, Noticed, Usage};
use crate::pipeline::{Holder, StageCx};

/// How long a process holds a version without renewing. A dead process of this host is noticed at once.
const HOLD: TimeDelta = TimeDelta::minutes(10);

/// The feature. Cheap to clone.
#[derive(Clone)]
pub struct Deliverables {
    pub(super) parts: Arc<DeliverablesParts>,
}

impl fmt::Debug for Deliverables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deliverables").field("writer", &self.parts.writer).finish_non_exhaustive()
    }
}

/// Which report to run, and how.
#[derive(Debug, Clone)]
pub struct RunRequest {
    /// Whose.
    pub user: UserId,
    /// Which.
    pub deliverable: DeliverableId,
    /// Makes the run idempotent for ever: the same key always means the same version.
    pub key: Option<String>,
    /// Writes a report even when nothing is new.
    pub force: bool,
    /// The instant it is written for; none for now.
    pub as_of: Option<DateTime<Utc>>,
    /// What called for it, if a signal did: the writer sees it as data.
    pub noticed: Option<Noticed>,
    /// How late it is, for a run by schedule.
    pub late: Option<Lateness>,
}

impl RunRequest {
    /// A plain run, as of now.
    pub const fn of(user: UserId, deliverable: DeliverableId) -> Self {
        Self { user, deliverable, key: None, force: false, as_of: None, noticed: None, late: None }
    }

    /// Whether a signal or an event called for it: its reader expects no report then.
    fn is_called_for(&self) -> bool {
        self.key.as_deref().is_some_and(|it| it.starts_with(SIGNAL_KEY) || it.starts_with(EVENT_KEY))
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunStatus {
    /// The report arrived.
    Delivered,
    /// It did not; the outcome says why.
    Failed,
    /// Nothing new since the last one: no version, no model call, no message.
    NoNews,
    /// It is written, and waits for a person to let it pass.
    Staged,
}

impl RunStatus {
    /// The name in outputs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::NoNews => "no_news",
            Self::Staged => "staged",
        }
    }
}

/// What became of a run.
#[derive(Debug, Clone)]
pub struct RunOutcome {
    /// How it ended.
    pub status: RunStatus,
    /// What was run.
    pub deliverable: DeliverableId,
    /// The version that was written or resumed; none without news.
    pub version: Option<Version>,
    /// Its messages.
    pub messages: Vec<OutboxMessage>,
    /// Why it failed.
    pub error: Option<String>,
    /// Whether the version was opened by an earlier run.
    pub resumed: bool,
}

impl RunOutcome {
    /// Whether its report is written but has not arrived.
    pub fn waits_for_delivery(&self) -> bool {
        self.status == RunStatus::Failed && self.version.as_ref().is_some_and(Version::is_resumable)
    }

    /// Statements of the report.
    pub fn tally(&self) -> Tally {
        self.version.as_ref().and_then(|it| it.state.tally).unwrap_or_default()
    }

    /// What models used: to look things up, and to write.
    pub fn usage(&self) -> Usage {
        self.version.as_ref().map(|it| it.state.usage()).unwrap_or_default()
    }
}

impl Deliverables {
    /// Runs on the given parts.
    pub fn new(parts: DeliverablesParts) -> Self {
        Self { parts: Arc::new(parts) }
    }

    /// Writes and delivers a report. What earlier runs left unfinished, or could not deliver, is finished first; without a key,
    /// and not forced, that is all a run then does. A forced run goes on past one that still cannot be delivered.
    ///
    /// # Errors
    /// `Invalid` for an archived one, `Busy` when a living run is at it, `Failed` when there is nothing to read; store errors, cancellation and a model
    /// that is unavailable leave the version as it is, to be resumed. Anything else ends as a failed outcome.
    pub async fn run(&self, cx: &StageCx, request: &RunRequest) -> Result<RunOutcome, Error> {
        let deliverable = self.parts.deliverables.get(request.user, request.deliverable).await?;
        deliverable.refuse_archived()?;
        if let Some(version) = self.keyed(request, deliverable.id).await? {
            return self.go_on(cx, &deliverable, version).await;
        }
        // The number is read before anything else is looked at: a version that another run opens meanwhile is then a conflict,
        // and never a second report.
        let newest = self.parts.versions.recent(request.user, deliverable.id, 1).await?.pop();
        let after = newest.as_ref().map_or(0, |it| it.number);
        if let Some(staged) = newest.filter(|it| it.status == VersionStatus::Staged && !request.force) {
            // Its reader has not had it yet: another one would say, and cost, the same.
            return self.outcome(&deliverable, staged).await;
        }
        match self.finish_old(cx, &deliverable).await? {
            Some(outcome) if outcome.waits_for_delivery() && !request.force => Ok(outcome),
            Some(outcome) if request.key.is_none() && !request.force => Ok(outcome),
            _ => self.start(cx, &deliverable, request, after).await,
        }
    }

    async fn keyed(&self, request: &RunRequest, deliverable: DeliverableId) -> Result<Option<Version>, Error> {
        let Some(key) = &request.key else { return Ok(None) };
        Ok(self.parts.versions.by_key(request.user, deliverable, key).await?)
    }

    /// Finishes what earlier runs left, oldest first, up to the first that still cannot be delivered; answers the last one.
    async fn finish_old(&self, cx: &StageCx, deliverable: &Deliverable) -> Result<Option<RunOutcome>, Error> {
        let mut last = None;
        while let Some(version) = self.parts.versions.unfinished(deliverable.user, deliverable.id).await? {
            let outcome = self.go_on(cx, deliverable, version).await?;
            if outcome.waits_for_delivery() {
                return Ok(Some(outcome));
            }
            last = Some(outcome);
        }
        Ok(last)
    }

    /// Checks whether the sources of a version still say what it quotes.
    ///
    /// # Errors
    /// `NotFound`, `Invalid` when the version was never verified, and those of the store.
    pub async fn verify(&self, user: UserId, version: VersionId) -> Result<Verification, Error> {
        let found = self.parts.versions.version(user, version).await?;
        if found.step < Step::Verified {
            return Err(Error::Invalid(format!(
                "version {version} has no report yet: its run stopped at the step `{}`",
                found.step.as_str()
            )));
        }
        let pages = self.parts.web_pages.of_version(user, version).await?;
        let fixed = pages.into_iter().map(|it| (it.id, it.content)).collect();
        Verifier::new(self.parts.evidence.clone(), self.parts.content.clone()).version(user, version, &fixed).await
    }

    async fn start(
        &self,
        cx: &StageCx,
        deliverable: &Deliverable,
        request: &RunRequest,
        after: u32,
    ) -> Result<RunOutcome, Error> {
        // Whatever would keep the report from being sent is said before anything is paid for it.
        self.parts.ways.check(request.user, &deliverable.destinations).await?;
        let mut gathered = self.gather(cx, deliverable, request.as_of, request.force).await?;
        if !gathered.found {
            return Err(nothing_to_read(deliverable));
        }
        if !request.force && !gathered.has_news {
            // Another run may have written this key's version while this one was looking.
            if let Some(version) = self.keyed(request, deliverable.id).await? {
                return self.go_on(cx, deliverable, version).await;
            }
            // Who expects a report, by the time or by asking, may want to be told that there is none. Nobody expects any other.
            if !deliverable.options.says_when_quiet || request.is_called_for() {
                return Ok(no_news(deliverable.id));
            }
            gathered.state.quiet = true;
            gathered.state.material.clear();
            gathered.items.clear();
        }
        let is_private = gathered.state.stays_with_owner;
        gathered.state.noticed = request.noticed.clone().map(|it| if is_private { it } else { it.for_others() });
        gathered.state.late = request.late;
        let now = self.parts.clock.now();
        let open = OpenVersion {
            id: VersionId::fresh(self.parts.ids.as_ref()),
            user: request.user,
            deliverable: deliverable.id,
            after,
            run_key: request.key.clone(),
            state: gathered.state,
            items: gathered.items,
            holder: self.holder(cx),
            held_until: now + HOLD,
            at: now,
        };
        let version = self.parts.versions.open(open).await?;
        self.work(cx, deliverable, version).await
    }

    pub(super) async fn gather(
        &self,
        cx: &StageCx,
        deliverable: &Deliverable,
        as_of: Option<DateTime<Utc>>,
        again: bool,
    ) -> Result<Gathered, Error> {
        let now = self.parts.clock.now();
        let stays_with_owner = self.parts.stays_with_owner(deliverable).await?;
        let (timezone, as_of) = (self.parts.owners_zone(deliverable).await?, as_of.unwrap_or(now));
        let input = GatherInput { deliverable: deliverable.clone(), as_of, now, again, stays_with_owner, timezone };
        let (content, versions) = (self.parts.content.clone(), self.parts.versions.clone());
        let room = self.parts.writer.model().traits().context_tokens.map(room);
        let mut gathered = cx.run(&Gather { content, versions, evidence: self.parts.evidence.clone(), room }, input).await?;
        gathered.state.learned = self.learned(deliverable).await?.0;
        let binding = gathered.state.binding;
        let is_grounded_elsewhere = binding == Binding::Research && self.parts.researcher(deliverable, binding).is_some();
        if !gathered.found && is_grounded_elsewhere {
            // What it is written from is found later; nobody knows yet whether that is new to its readers, who get it once.
            gathered.found = true;
            gathered.has_news = self.parts.versions.reported(deliverable.user, deliverable.id).await?.is_empty();
        }
        Ok(gathered)
    }

    /// This run: two runs of one process are not the same.
    fn holder(&self, cx: &StageCx) -> Holder {
        cx.runner().cloned().unwrap_or_else(|| self.parts.liveness.me().of_run(self.parts.ids.uuid()))
    }

    /// Whether a version need not wait for its holder: a process that is gone, or an earlier claim of the job that asks now.
    fn may_pass(&self, held_by: &Holder, me: &Holder) -> bool {
        let same_job = held_by.process() == me.process() && held_by.process().starts_with("job:");
        same_job || self.parts.liveness.is_gone(held_by)
    }

    /// Goes on with a version that exists: reports it when it has ended, else takes it and works on it.
    async fn go_on(&self, cx: &StageCx, deliverable: &Deliverable, version: Version) -> Result<RunOutcome, Error> {
        if !version.is_resumable() {
            return self.outcome(deliverable, version).await;
        }
        if version.step < Step::Queued {
            self.parts.ways.check(version.user, &deliverable.destinations).await?;
        }
        let me = self.holder(cx);
        let gone = version.held_by.clone().filter(|it| self.may_pass(it, &me));
        match self.hold(&version, me, gone).await {
            Ok(taken) => Ok(RunOutcome { resumed: true, ..self.work(cx, deliverable, taken).await? }),
            Err(StoreError::Conflict { .. }) => Err(Error::Busy(format!(
                "version {} of \"{}\" is being written by another run ({})",
                version.number,
                deliverable.title,
                version.held_by.as_ref().map_or("unknown", |it| it.as_str())
            ))),
            Err(other) => Err(other.into()),
        }
    }

    pub(super) async fn hold(&self, version: &Version, holder: Holder, gone: Option<Holder>) -> Result<Version, StoreError> {
        let at = self.parts.clock.now();
        self.parts.versions.hold(Hold { user: version.user, version: version.id, holder, gone, until: at + HOLD, at }).await
    }

    /// Keeps the right to work on a version while there is work.
    async fn renew(&self, version: Version) -> Result<Version, Error> {
        let ends_soon = version.held_until.is_none_or(|it| it - self.parts.clock.now() < HOLD / 2);
        match version.held_by.clone().filter(|_| ends_soon) {
            Some(holder) => Ok(self.hold(&version, holder, None).await?),
            None => Ok(version),
        }
    }

    /// Gives the right back, so that the next run need not wait. Whoever took it meanwhile keeps it.
    pub(super) async fn release(&self, version: &Version) {
        let Some(holder) = version.held_by.clone() else { return };
        let at = self.parts.clock.now();
        let hold = Hold { user: version.user, version: version.id, holder, gone: None, until: at, at };
        if let Err(error) = self.parts.versions.hold(hold).await {
            tracing::debug!(version = %version.id, %error, "the hold was not given back and will end by itself");
        }
    }

    async fn work(&self, cx: &StageCx, deliverable: &Deliverable, mut version: Version) -> Result<RunOutcome, Error> {
        let advance = Advance { parts: self.parts.clone() };
        while version.step != Step::Finished {
            version = self.renew(version).await?;
            let step = advance.step(cx, deliverable, &version).await;
            if let Err(error) = step {
                if leaves_resumable(&error) {
                    self.release(&version).await;
                    return Err(error);
                }
                advance.fail(deliverable, &version, error.to_string()).await?;
                version = self.parts.versions.version(version.user, version.id).await?;
                break;
            }
            version = self.parts.versions.version(version.user, version.id).await?;
            if matches!(version.status, VersionStatus::Failed | VersionStatus::Staged) {
                break;
            }
        }
        self.outcome(deliverable, version).await
    }

    /// What became of an earlier run, by the version that it wrote.
    ///
    /// # Errors
    /// `NotFound`, and those of the store.
    pub async fn outcome_of(&self, user: UserId, version: VersionId) -> Result<RunOutcome, Error> {
        let version = self.parts.versions.version(user, version).await?;
        let deliverable = self.parts.deliverables.get(user, version.deliverable).await?;
        self.outcome(&deliverable, version).await
    }

    async fn outcome(&self, deliverable: &Deliverable, version: Version) -> Result<RunOutcome, Error> {
        let messages = self.parts.outbox.messages(version.user, version.id).await?;
        let status = match version.status {
            VersionStatus::Delivered => RunStatus::Delivered,
            VersionStatus::Staged => RunStatus::Staged,
            VersionStatus::Generating | VersionStatus::Failed | VersionStatus::Rejected => RunStatus::Failed,
            // No run writes these, and what they carry is no report.
            VersionStatus::Suggested | VersionStatus::Approved => RunStatus::NoNews,
        };
        let error = version.delivery_error.clone().filter(|_| matches!(status, RunStatus::Failed | RunStatus::Staged));
        Ok(RunOutcome { status, deliverable: deliverable.id, version: Some(version), messages, error, resumed: false })
    }
}

pub(super) fn no_news(deliverable: DeliverableId) -> RunOutcome {
    RunOutcome { status: RunStatus::NoNews, deliverable, version: None, messages: vec![], error: None, resumed: false }
}

fn nothing_to_read(deliverable: &Deliverable) -> Error {
    let what = if deliverable.sources.is_empty() {
        "nothing that this type of report reads is stored"
    } else {
        "nothing of its sources is stored"
    };
    Error::Failed(format!("\"{}\" has nothing to read: {what}; import or sync something first", deliverable.title))
}

/// Bytes of items that a model of so many tokens reads, with room for the rest of the request and for the answer: three bytes a
/// token is on the safe side of what people write, a character of Chinese, Japanese or Korean included.
fn room(context_tokens: u64) -> usize {
    const RESERVED: u64 = 24_000;
    usize::try_from(context_tokens.saturating_sub(RESERVED).max(2_000).saturating_mul(3)).unwrap_or(usize::MAX)
}

/// Errors after which the same run may still succeed: what was paid for it stays paid.
pub(super) fn leaves_resumable(error: &Error) -> bool {
    match error {
        Error::Store(error) => !matches!(error, StoreError::Corrupt { .. }),
        Error::Busy(_) | Error::Cancelled | Error::Undelivered(_) | Error::NeedsOperator { .. } => true,
        Error::Model(error) => error.is_transient() || matches!(error, LlmError::NeedsOperator { .. } | LlmError::OverCap { .. }),
        _ => false,
    }
}
