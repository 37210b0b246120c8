//! What the feature is made of: the ports it names, and nothing else.

use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;
use chrono_tz::Tz;

use super::gathering::material::{MaterialItem, MaterialSource};
use super::kinds::Binding;
use super::model::{Deliverable, Destination};
use super::sending::queue::WaysOut;
use super::store::{
    DeliverableStore, EventStore, FeedbackStore, LeftRuns, LifecycleStore, SlotStore, VersionMaterial, VersionStore,
};
use super::version::{Step, Version};
use super::writing::draft::DraftStage;
use super::writing::prompt::Prompts;
use crate::accounts::{AccountStore, PreferenceStore};
use crate::agent::{Agent, Research, WebPages, Writing};
use crate::clock::Clock;
use crate::delivery::{MessageState, Notices, Outbox};
use crate::error::Error;
use crate::evidence::EvidenceStore;
use crate::id::{ContentId, IdGen, UserId};
use crate::llm::ModelLedger;
use crate::pipeline::Liveness;
use crate::scheduler::zone_of;
use crate::sync::ContentStore;

/// What the feature needs.
pub struct DeliverablesParts {
    /// Configurations.
    pub deliverables: Arc<dyn DeliverableStore>,
    /// Users and their addresses.
    pub accounts: Arc<dyn AccountStore>,
    /// Slots of schedules.
    pub slots: Arc<dyn SlotStore>,
    /// Versions and steps.
    pub versions: Arc<dyn VersionStore>,
    /// What versions were written from.
    pub material: Arc<dyn VersionMaterial>,
    /// What people made of versions.
    pub feedback: Arc<dyn FeedbackStore>,
    /// How deliverables come and go by themselves.
    pub lifecycle: Arc<dyn LifecycleStore>,
    /// What runs left behind.
    pub left_runs: Arc<dyn LeftRuns>,
    /// What waits for events.
    pub events: Arc<dyn EventStore>,
    /// Which mails users want.
    pub preferences: Arc<dyn PreferenceStore>,
    /// Stored items.
    pub content: Arc<dyn ContentStore>,
    /// Evidence ledger.
    pub evidence: Arc<dyn EvidenceStore>,
    /// Messages.
    pub outbox: Arc<dyn Outbox>,
    /// Mails that tell of reports.
    pub notices: Arc<dyn Notices>,
    /// Pages of the web that were read for versions.
    pub web_pages: Arc<dyn WebPages>,
    /// What models were asked and answered, and what it cost.
    pub ledger: Arc<dyn ModelLedger>,
    /// Ways out.
    pub ways: WaysOut,
    /// The writer.
    pub writer: Agent<Writing>,
    /// What looks things up on the web, if the program has that.
    pub research: Option<Agent<Research>>,
    /// What the writer is asked with.
    pub prompts: Prompts,
    /// The program's own stages between the writer and the verifier.
    pub revisions: Vec<DraftStage>,
    /// Processes of this host.
    pub liveness: Arc<dyn Liveness>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub ids: Arc<dyn IdGen>,
}

/// The stores: items, and pages of the web.
#[async_trait]
impl MaterialSource for DeliverablesParts {
    async fn items(&self, user: UserId, ids: &[ContentId]) -> Result<Vec<MaterialItem>, Error> {
        let mut items: Vec<_> = self.content.find(user, ids).await?.iter().map(MaterialItem::from).collect();
        if items.len() < ids.len() {
            items.extend(self.web_pages.find(user, ids).await?.iter().map(MaterialItem::from));
        }
        Ok(items)
    }
}

impl DeliverablesParts {
    /// What looks things up for this report, if the program has that. Nobody does for one whose title a model made from synced
    /// content: a session that reaches out sees none of that.
    pub(super) fn researcher(&self, deliverable: &Deliverable, binding: Binding) -> Option<&Agent<Research>> {
        self.research.as_ref().filter(|_| binding.has_research_directive() && !deliverable.is_model_made())
    }

    /// Whether its reports reach nobody but its owner: files, downloads, drafts in the owner's own mailbox, and mails to the address
    /// of the owner's account. Who else sees a page of Notion or a channel of Slack is not known here.
    pub(super) async fn stays_with_owner(&self, deliverable: &Deliverable) -> Result<bool, Error> {
        let is_kept = |it: &Destination| {
            matches!(it, Destination::Folder { .. } | Destination::GmailDraft { .. } | Destination::Download { .. })
        };
        if deliverable.destinations.iter().all(is_kept) {
            return Ok(true);
        }
        let owner = self.accounts.user(deliverable.user).await?.email;
        let is_owners = |it: &Destination| match it {
            Destination::Folder { .. } | Destination::GmailDraft { .. } | Destination::Download { .. } => true,
            Destination::Email { address } => address.as_str().eq_ignore_ascii_case(owner.as_str()),
            Destination::Slack { .. } | Destination::Notion { .. } => false,
        };
        Ok(deliverable.destinations.iter().all(is_owners))
    }

    /// Whether all messages of a version were sent, whatever its run came to say.
    pub(super) async fn has_arrived(&self, version: &Version) -> Result<bool, Error> {
        if version.step != Step::Queued {
            return Ok(false);
        }
        let messages = self.outbox.messages(version.user, version.id).await?;
        Ok(!messages.is_empty() && messages.iter().all(|it| it.state == MessageState::Sent))
    }

    /// The zone that the owner of a report has set, if no schedule names one.
    pub(super) async fn owners_zone(&self, deliverable: &Deliverable) -> Result<Option<Tz>, Error> {
        if deliverable.schedule.is_some() {
            return Ok(None);
        }
        let owner = self.accounts.user(deliverable.user).await?;
        Ok(owner.timezone.map(|it| zone_of(Some(&it))))
    }

    /// What a version is written from, as it was recorded. Pages of the web, and what versions of earlier releases were written
    /// from, are read where they are stored.
    pub(super) async fn material(&self, version: &Version) -> Result<Vec<MaterialItem>, Error> {
        let recorded = self.material.recorded(version.user, version.id).await?;
        self.completed(version, recorded.items).await
    }

    /// These items, and the version's others as they are stored now.
    pub(super) async fn completed(&self, version: &Version, mut items: Vec<MaterialItem>) -> Result<Vec<MaterialItem>, Error> {
        let known: HashSet<ContentId> = items.iter().map(|it| it.id).collect();
        let others: Vec<_> = version.state.all_material().map(|it| it.content_id).filter(|it| !known.contains(it)).collect();
        if !others.is_empty() {
            items.extend(self.items(version.user, &others).await?);
        }
        Ok(items)
    }
}
