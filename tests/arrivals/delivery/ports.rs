//! The ports of a run with places at which it can end.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use yarnnn::StoreError;
use yarnnn::deliverables::{DecideVersion, Hold, MaterialRef, OpenVersion, StepChange, StepCommit, Version, VersionStore};
use yarnnn::delivery::{
    Channel, ChannelKind, HeldDecision, Letter, LookedUp, Outbox, OutboxFile, OutboxMessage, SendError, SendReceipt, Settlement,
};
use yarnnn::hash::Sha256;
use yarnnn::id::{DeliverableId, MessageId, ModelCallId, PassId, UserId, VersionId};
use yarnnn::llm::{CallEnd, CallQuery, LedgerCall, ModelLedger, ModelResponse, Reservation, ReserveError};

use super::cuts::Cuts;

/// A port with places at which a run can end.
pub(super) struct Cut<T: ?Sized> {
    pub(super) inner: Arc<T>,
    pub(super) cuts: Arc<Cuts>,
}

impl<T: ?Sized> Cut<T> {
    pub(super) fn new(inner: Arc<T>, cuts: &Arc<Cuts>) -> Arc<Self> {
        Arc::new(Self { inner, cuts: cuts.clone() })
    }
}

impl<T: ?Sized> fmt::Debug for Cut<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cut").finish_non_exhaustive()
    }
}

#[async_trait]
impl VersionStore for Cut<dyn VersionStore> {
    async fn open(&self, open: OpenVersion) -> Result<Version, StoreError> {
        self.cuts.around("versions.open", self.inner.open(open)).await
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
        self.cuts.around("versions.hold", self.inner.hold(hold)).await
    }

    async fn advance(&self, step: StepCommit) -> Result<(), StoreError> {
        let what = match &step.change {
            StepChange::Researched { .. } => "advance to researched",
            StepChange::Written { .. } => "advance to written",
            StepChange::Verified { .. } => "advance to verified",
            StepChange::Queued { .. } => "advance to queued",
            StepChange::Finished { .. } => "advance to finished",
            StepChange::Staged { .. } => "advance to staged",
            StepChange::Failed { .. } => "advance to failed",
        };
        self.cuts.around(what, self.inner.advance(step)).await
    }

    async fn decide(&self, decision: DecideVersion) -> Result<Version, StoreError> {
        self.inner.decide(decision).await
    }
}

#[async_trait]
impl Outbox for Cut<dyn Outbox> {
    async fn messages(&self, user: UserId, version: VersionId) -> Result<Vec<OutboxMessage>, StoreError> {
        self.inner.messages(user, version).await
    }

    async fn start(&self, user: UserId, message: MessageId, at: DateTime<Utc>) -> Result<OutboxMessage, StoreError> {
        self.cuts.around("start", self.inner.start(user, message, at)).await
    }

    async fn settle(
        &self,
        user: UserId,
        message: MessageId,
        attempt: u32,
        settlement: Settlement,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.cuts.around("settle", self.inner.settle(user, message, attempt, settlement, at)).await
    }

    async fn decide(
        &self,
        user: UserId,
        message: MessageId,
        decision: HeldDecision,
        at: DateTime<Utc>,
    ) -> Result<OutboxMessage, StoreError> {
        self.inner.decide(user, message, decision, at).await
    }
}

#[async_trait]
impl ModelLedger for Cut<dyn ModelLedger> {
    async fn reserve(&self, reservation: Reservation) -> Result<(), ReserveError> {
        self.cuts.around("ledger.reserve", self.inner.reserve(reservation)).await
    }

    async fn settle(&self, user: UserId, call: ModelCallId, end: CallEnd, at: DateTime<Utc>) -> Result<(), StoreError> {
        self.cuts.around("ledger.settle", self.inner.settle(user, call, end, at)).await
    }

    async fn answered(&self, user: UserId, version: VersionId, request: Sha256) -> Result<Option<ModelResponse>, StoreError> {
        self.inner.answered(user, version, request).await
    }

    async fn answered_in_pass(&self, user: UserId, pass: PassId) -> Result<Option<ModelResponse>, StoreError> {
        self.inner.answered_in_pass(user, pass).await
    }

    async fn calls(&self, query: &CallQuery) -> Result<Vec<LedgerCall>, StoreError> {
        self.inner.calls(query).await
    }
}

#[async_trait]
impl Channel for Cut<dyn Channel> {
    fn kind(&self) -> ChannelKind {
        self.inner.kind()
    }

    fn default_target(&self) -> String {
        self.inner.default_target()
    }

    fn compose(&self, letter: &Letter) -> Result<Vec<Vec<OutboxFile>>, SendError> {
        self.inner.compose(letter)
    }

    async fn ready(&self, user: UserId, target: &str) -> Result<(), SendError> {
        self.inner.ready(user, target).await
    }

    async fn send(&self, message: &OutboxMessage) -> Result<SendReceipt, SendError> {
        let what = format!("send {}", self.kind().as_str());
        self.cuts.around(&what, self.inner.send(message)).await
    }

    async fn look_up(&self, message: &OutboxMessage) -> Result<LookedUp, SendError> {
        let what = format!("look_up {}", self.kind().as_str());
        self.cuts.around(&what, self.inner.look_up(message)).await
    }
}
