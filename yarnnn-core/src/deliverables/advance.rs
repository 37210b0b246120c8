//! Advance: one committed step of a run per call, so that any process can go on with it after any crash.

use std::sync::Arc;

use uuid::Uuid;

use super::draft::Draft;
use super::model::Deliverable;
use super::parts::DeliverablesParts;
use super::queue::messages;
use super::render::{Render, RenderInput};
use super::verify::{Verify, VerifyInput};
use super::version::{RunState, Step, StepChange, StepCommit, Version, VersionStatus};
use super::write::{Write, WriteInput};
use crate::activity::{ActivityKind, NewActivity};
use crate::delivery::{ChannelKind, Deliver};
use crate::error::Error;
use crate::id::{ActivityId, ContentId};
use crate::pipeline::StageCx;
use crate::sync::StoredItem;

/// Moves versions on.
pub(super) struct Advance {
    pub(super) parts: Arc<DeliverablesParts>,
}

impl Advance {
    /// Does the step that follows the one the version stands at, and commits it.
    pub(super) async fn step(&self, cx: &StageCx, deliverable: &Deliverable, version: &Version) -> Result<(), Error> {
        let change = match version.step {
            Step::Gathered => self.write(cx, deliverable, version).await?,
            Step::Written => self.verify(cx, version).await?,
            Step::Verified => self.queue(cx, deliverable, version).await?,
            Step::Queued => self.deliver(deliverable, version).await?,
            Step::Finished => return Ok(()),
        };
        self.commit(version, change).await
    }

    /// Ends the run as failed. The step stays, so that a failed delivery can be tried again with the same bytes.
    pub(super) async fn fail(&self, deliverable: &Deliverable, version: &Version, error: String) -> Result<(), Error> {
        let activity = self.activity(deliverable, version, VersionStatus::Failed, Some(&error));
        self.commit(version, StepChange::Failed { error, activity }).await
    }

    async fn write(&self, cx: &StageCx, deliverable: &Deliverable, version: &Version) -> Result<StepChange, Error> {
        let items = self.material(version).await?;
        let writer = Write { model: self.parts.model.clone(), revisions: self.parts.revisions.clone() };
        let input = WriteInput { deliverable: deliverable.clone(), version: version.id, state: version.state.clone(), items };
        let written = cx.run(&writer, input).await?;
        let state = RunState { ran: Some(written.ran), ..version.state.clone() };
        Ok(StepChange::Written { draft: written.draft.markdown, state })
    }

    async fn verify(&self, cx: &StageCx, version: &Version) -> Result<StepChange, Error> {
        let draft = Draft { markdown: version.draft.clone().unwrap_or_default() };
        let input = VerifyInput { draft, state: version.state.clone(), items: self.material(version).await? };
        let verified = cx.run(&Verify, input).await?;
        let state = RunState { tally: Some(verified.tally), ..version.state.clone() };
        Ok(StepChange::Verified { sentences: verified.sentences, state })
    }

    async fn queue(&self, cx: &StageCx, deliverable: &Deliverable, version: &Version) -> Result<StepChange, Error> {
        let sentences = self.parts.evidence.sentences(version.user, version.id).await?;
        let items = self.material(version).await?;
        let input = RenderInput { deliverable: deliverable.clone(), version: version.clone(), sentences, items };
        let rendered = cx.run(&Render, input).await?;
        let folder = self.parts.channels.iter().find(|it| it.kind() == ChannelKind::Folder);
        let default_target = folder.map(|it| it.default_target()).unwrap_or_default();
        let messages = messages(deliverable, version, &rendered, &default_target, self.parts.ids.as_ref())?;
        let retain = version.state.material.iter().map(|it| it.content_id).collect();
        Ok(StepChange::Queued { final_content: rendered.markdown, messages, retain })
    }

    async fn deliver(&self, deliverable: &Deliverable, version: &Version) -> Result<StepChange, Error> {
        let parts = &self.parts;
        let deliver = Deliver::new(parts.outbox.clone(), parts.channels.clone(), parts.clock.clone());
        let delivered = deliver.version(version.user, version.id).await?;
        if let Some(error) = delivered.error() {
            return Err(Error::Failed(error));
        }
        let activity = self.activity(deliverable, version, VersionStatus::Delivered, None);
        Ok(StepChange::Finished { activity })
    }

    async fn material(&self, version: &Version) -> Result<Vec<StoredItem>, Error> {
        let ids: Vec<ContentId> = version.state.material.iter().map(|it| it.content_id).collect();
        Ok(self.parts.content.find(version.user, &ids).await?)
    }

    async fn commit(&self, version: &Version, change: StepChange) -> Result<(), Error> {
        let step = StepCommit {
            user: version.user,
            version: version.id,
            expected: version.step,
            holder: version.held_by.clone().unwrap_or_else(|| self.parts.liveness.me()),
            change,
            follow_up: vec![],
            at: self.parts.clock.now(),
        };
        Ok(self.parts.versions.advance(step).await?)
    }

    /// One line per version and ending, however often the step is tried.
    fn activity(&self, deliverable: &Deliverable, version: &Version, status: VersionStatus, error: Option<&str>) -> NewActivity {
        NewActivity {
            id: ActivityId::fresh(self.parts.ids.as_ref()),
            kind: ActivityKind::DeliverableRun,
            key: Uuid::new_v5(&version.id.as_uuid(), status.as_str().as_bytes()),
            summary: format!("{} v{} {}", deliverable.title, version.number, status.as_str()),
            metadata: serde_json::json!({
                "deliverable_id": deliverable.id,
                "version_id": version.id,
                "version_number": version.number,
                "deliverable_type": deliverable.report_type.as_str(),
                "strategy": version.state.binding.as_str(),
                "final_status": status.as_str(),
                "delivery_error": error,
            }),
        }
    }
}
