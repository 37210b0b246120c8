//! A stop-watch that is carried through a run, and the store of versions that presses it: a run's steps end where they are
//! committed.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use serde_json::json;
use yarnnn::StoreError;
use yarnnn::deliverables::{DecideVersion, Hold, MaterialRef, OpenVersion, StepChange, StepCommit, Version, VersionStore};
use yarnnn::id::{DeliverableId, UserId, VersionId};

/// A part of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Sources, candidates, the choice.
    Gather,
    /// The request: material read again, rendered, digested.
    Prompt,
    /// The request and its answer in the ledger of model calls.
    Ledger,
    /// Whether the draft can stand, or goes back to its writer.
    Check,
    /// Every statement bound to its bytes.
    Verify,
    /// Markdown, page, mail.
    Render,
    /// Messages queued with what they retain, begun, written as files, settled.
    Outbox,
    /// The other commits: opened, written, verified, finished; and what the caller is told.
    Steps,
}

impl Part {
    pub(crate) const OURS: [Self; 8] =
        [Self::Gather, Self::Prompt, Self::Ledger, Self::Check, Self::Verify, Self::Render, Self::Outbox, Self::Steps];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Gather => "gather",
            Self::Prompt => "prompt",
            Self::Ledger => "ledger",
            Self::Check => "check",
            Self::Verify => "verify",
            Self::Render => "render",
            Self::Outbox => "outbox",
            Self::Steps => "steps",
        }
    }
}

/// What was seen of one run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    times: Vec<(Part, Duration)>,
    /// What each commit brought, in order.
    pub(crate) commits: Vec<(Part, String)>,
}

impl Seen {
    pub(crate) fn took(&self, part: Part) -> Duration {
        self.times.iter().filter(|it| it.0 == part).map(|it| it.1).sum()
    }

    pub(crate) fn ours(&self) -> Duration {
        Part::OURS.into_iter().map(|it| self.took(it)).sum()
    }
}

/// The stop-watch. Copies are the same one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Watch(Arc<Mutex<(Option<Instant>, Seen)>>);

impl Watch {
    pub(crate) fn begin(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (Some(Instant::now()), Seen::default());
    }

    pub(crate) fn end(&self, part: Part) -> Seen {
        self.press(part);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1.clone()
    }

    /// What has passed since the last press was this part.
    pub(crate) fn press(&self, part: Part) {
        self.press_at(part, Instant::now());
    }

    fn press_at(&self, part: Part, now: Instant) {
        let (last, seen) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.times.push((part, last.map_or(Duration::ZERO, |it| now - it)));
        *last = Some(now);
    }

    /// Keeps what a commit brought; the time that takes counts for nothing.
    pub(crate) fn note(&self, part: Part, payload: String) {
        let (last, seen) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.commits.push((part, payload));
        *last = Some(Instant::now());
    }
}

/// Presses the watch around what it passes on.
pub(crate) struct WatchedVersions {
    pub(crate) inner: Arc<dyn VersionStore>,
    pub(crate) watch: Watch,
}

/// What ends with a step, where its commit belongs, and what that brings.
fn of(change: &StepChange) -> (Part, Part, String) {
    match change {
        StepChange::Researched { state } => (Part::Check, Part::Steps, json!(state).to_string()),
        StepChange::Written { draft, state, found } => (Part::Check, Part::Steps, json!([draft, state, found]).to_string()),
        StepChange::Verified { sentences, state } => (Part::Verify, Part::Steps, json!([sentences, state]).to_string()),
        StepChange::Queued { final_content, messages, .. } => {
            let files: Vec<_> = messages.iter().map(|it| &it.files).collect();
            (Part::Render, Part::Outbox, json!([final_content, files]).to_string())
        }
        StepChange::Finished { .. } | StepChange::Staged { .. } | StepChange::Failed { .. } => {
            (Part::Outbox, Part::Steps, String::new())
        }
    }
}

#[async_trait]
impl VersionStore for WatchedVersions {
    async fn open(&self, open: OpenVersion) -> Result<Version, StoreError> {
        self.watch.press(Part::Gather);
        self.watch.note(Part::Steps, json!([open.state, open.items]).to_string());
        let opened = self.inner.open(open).await;
        self.watch.press(Part::Steps);
        opened
    }

    async fn advance(&self, step: StepCommit) -> Result<(), StoreError> {
        let ended = Instant::now();
        let (before, commit, payload) = of(&step.change);
        self.watch.press_at(before, ended);
        self.watch.note(commit, payload);
        let advanced = self.inner.advance(step).await;
        self.watch.press(commit);
        advanced
    }

    async fn version(&self, user: UserId, id: VersionId) -> Result<Version, StoreError> {
        self.inner.version(user, id).await
    }

    async fn by_key(&self, user: UserId, deliverable: DeliverableId, key: &str) -> Result<Option<Version>, StoreError> {
        self.inner.by_key(user, deliverable, key).await
    }

    async fn recent(&self, user: UserId, deliverable: DeliverableId, limit: u32) -> Result<Vec<Version>, StoreError> {
        self.inner.recent(user, deliverable, limit).await
    }

    async fn unfinished(&self, user: UserId, deliverable: DeliverableId) -> Result<Option<Version>, StoreError> {
        self.inner.unfinished(user, deliverable).await
    }

    async fn reported(&self, user: UserId, deliverable: DeliverableId) -> Result<Vec<MaterialRef>, StoreError> {
        self.inner.reported(user, deliverable).await
    }

    async fn hold(&self, hold: Hold) -> Result<Version, StoreError> {
        self.inner.hold(hold).await
    }

    async fn decide(&self, decision: DecideVersion) -> Result<Version, StoreError> {
        self.inner.decide(decision).await
    }
}
