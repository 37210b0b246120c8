//! Advance: one committed step of a run per call, so that any process can go on with it after any crash.

use std::collections::HashSet;
use std::sync::Arc;

use uuid::Uuid;

use super::gathering::material::MaterialItem;
use super::gathering::research::{Look, LookInput, pages};
use super::model::Deliverable;
use super::parts::DeliverablesParts;
use super::repeating::capsule::{exchanges, researched};
use super::repeating::replay::journal;
use super::report::render::{Render, RenderInput};
use super::report::verify::{Verify, VerifyInput};
use super::sending::notice::{About, Tidings};
use super::sending::queue::messages;
use super::version::{Researched, RunState, Step, StepChange, StepCommit, Version, VersionStatus};
use super::writing::draft::Draft;
use super::writing::write::{NoDraft, Write, WriteInput, Written};
use crate::activity::{ActivityKind, NewActivity};
use crate::agent::{Agent, Research};
use crate::delivery::{Deliver, NewMessage};
use crate::error::Error;
use crate::id::ActivityId;
use crate::jobs::NewJob;
use crate::pipeline::StageCx;

/// A writer whose report nobody but its owner would receive was allowed to look into everything that the owner has.
const NOT_FOR_OTHERS: &str = "the destinations were changed after this report was begun: it was written for its owner alone, from \
                              everything that is stored, and does not go to others; run it again";

/// Moves versions on.
pub(super) struct Advance {
    pub(super) parts: Arc<DeliverablesParts>,
}

impl Advance {
    /// Does the step that follows the one the version stands at, and commits it.
    pub(super) async fn step(&self, cx: &StageCx, deliverable: &Deliverable, version: &Version) -> Result<(), Error> {
        // It may have been put away since the run began; what nobody wants any more is neither paid for nor sent.
        self.parts.deliverables.get(version.user, deliverable.id).await?.refuse_archived()?;
        let change = match version.step {
            Step::Gathered => match self.researcher(deliverable, version) {
                Some(agent) => self.research(cx, agent, deliverable, version).await?,
                None => self.write(cx, deliverable, version).await?,
            },
            Step::Researched => self.write(cx, deliverable, version).await?,
            Step::Written => self.verify(cx, version).await?,
            Step::Verified => match held_back(deliverable, version) {
                Some(reason) => self.stage(deliverable, version, reason),
                None => self.queue(cx, version).await?,
            },
            Step::Queued => self.deliver(deliverable, version).await?,
            Step::Finished => return Ok(()),
        };
        self.commit(deliverable, version, change).await
    }

    /// Ends the run as failed. The step stays, so that a failed delivery can be tried again with the same bytes.
    pub(super) async fn fail(&self, deliverable: &Deliverable, version: &Version, error: String) -> Result<(), Error> {
        let activity = self.activity(deliverable, version, VersionStatus::Failed, Some(&error));
        self.commit(deliverable, version, StepChange::Failed { error, draft: None, state: None, activity }).await
    }

    /// The same, and nobody is told. What has arrived has arrived, and only its run had no time to say so.
    pub(super) async fn leave(&self, deliverable: &Deliverable, version: &Version, error: String) -> Result<(), Error> {
        let change = if self.parts.has_arrived(version).await? {
            self.deliver(deliverable, version).await?
        } else {
            let activity = self.activity(deliverable, version, VersionStatus::Failed, Some(&error));
            StepChange::Failed { error, draft: None, state: None, activity }
        };
        self.store(deliverable, version, change, None).await
    }

    /// What looks things up for the version, if anything does.
    fn researcher(&self, deliverable: &Deliverable, version: &Version) -> Option<&Agent<Research>> {
        self.parts.researcher(deliverable, version.state.binding).filter(|_| !version.state.quiet)
    }

    /// Looks things up on the web; what was read becomes material.
    async fn research(
        &self,
        cx: &StageCx,
        agent: &Agent<Research>,
        deliverable: &Deliverable,
        version: &Version,
    ) -> Result<StepChange, Error> {
        let (user, id, web) = (version.user, version.id, &self.parts.web_pages);
        let usage = if web.of_version(user, id).await?.is_empty() {
            let found = cx.run(&Look { agent: agent.clone() }, LookInput::of(deliverable, version)).await?;
            let usage = found.usage;
            web.keep(user, id, pages(found, self.parts.ids.as_ref()), self.parts.clock.now()).await?;
            usage
        } else {
            // An earlier try read these, and ended before the step did.
            researched(self.parts.ledger.as_ref(), user, id).await?
        };
        // What is read back is what was stored, in the order in which it always will be.
        let pages = web.of_version(user, id).await?;
        let mut state = version.state.clone();
        state.research = Some(Researched { pages: u32::try_from(pages.len()).unwrap_or(u32::MAX), usage });
        for page in &pages {
            let reference = format!("s{}", state.material.len() + 1);
            state.material.push(MaterialItem::from(page).referred(reference));
        }
        Ok(StepChange::Researched { state })
    }

    async fn write(&self, cx: &StageCx, deliverable: &Deliverable, version: &Version) -> Result<StepChange, Error> {
        let state = version.state.clone();
        if state.quiet {
            return Ok(StepChange::Written { draft: String::new(), state, found: vec![] });
        }
        if state.material.is_empty() {
            let error = "nothing that it reads is stored, and nothing was found on the web".to_owned();
            let activity = self.activity(deliverable, version, VersionStatus::Failed, Some(&error));
            return Ok(StepChange::Failed { error, draft: None, state: None, activity });
        }
        let writer = Write {
            agent: self.parts.writer.clone(),
            sources: self.parts.clone(),
            prompts: self.parts.prompts.clone(),
            revisions: self.parts.revisions.clone(),
        };
        let items = self.parts.material(version).await?;
        // What an earlier try of this run asked and was told is not asked and paid for again.
        let journal = journal(&exchanges(self.parts.ledger.as_ref(), version.user, version.id).await?);
        let input = WriteInput { deliverable: deliverable.clone(), version: version.id, state: state.clone(), items, journal };
        let Written { draft, ran, found, found_items } = cx.run(&writer, input).await?;
        let mut state = RunState { ran: Some(ran), found, ..state };
        Ok(match draft {
            Ok(draft) => StepChange::Written { draft: draft.markdown, state, found: found_items },
            Err(NoDraft { ending, reason, raw }) => {
                state.ending = Some(ending);
                let activity = self.activity(deliverable, version, VersionStatus::Failed, Some(&reason));
                StepChange::Failed { error: reason, draft: raw, state: Some(Box::new(state)), activity }
            }
        })
    }

    async fn verify(&self, cx: &StageCx, version: &Version) -> Result<StepChange, Error> {
        let draft = Draft { markdown: version.draft.clone().unwrap_or_default() };
        let items = self.parts.material(version).await?;
        let verified = cx.run(&Verify, VerifyInput { draft, state: version.state.clone(), items }).await?;
        let mut state = RunState { tally: Some(verified.tally), ..version.state.clone() };
        let cited: HashSet<_> = verified.sentences.iter().flat_map(|it| &it.evidence).map(|it| it.content_id).collect();
        for it in &mut state.found {
            it.only_shown = !cited.contains(&it.content_id);
        }
        Ok(StepChange::Verified { sentences: verified.sentences, state })
    }

    fn stage(&self, deliverable: &Deliverable, version: &Version, reason: String) -> StepChange {
        let activity = self.activity(deliverable, version, VersionStatus::Staged, Some(&reason));
        StepChange::Staged { reason, activity }
    }

    /// Makes the messages, for the destinations that the deliverable has at this moment.
    async fn queue(&self, cx: &StageCx, version: &Version) -> Result<StepChange, Error> {
        let deliverable = &self.parts.deliverables.get(version.user, version.deliverable).await?;
        if version.state.stays_with_owner && !self.parts.stays_with_owner(deliverable).await? {
            return Err(Error::Failed(NOT_FOR_OTHERS.to_owned()));
        }
        let sentences = self.parts.evidence.sentences(version.user, version.id).await?;
        let items = self.parts.material(version).await?;
        let input = RenderInput { deliverable: deliverable.clone(), version: version.clone(), sentences, items };
        let rendered = cx.run(&Render, input).await?;
        let messages = messages(deliverable, version, &rendered, &self.parts.ways, self.parts.ids.as_ref())?;
        let retain = version.state.all_material().map(|it| it.content_id).collect();
        Ok(StepChange::Queued { final_content: rendered.markdown, messages, retain })
    }

    async fn deliver(&self, deliverable: &Deliverable, version: &Version) -> Result<StepChange, Error> {
        let parts = &self.parts;
        let deliver = Deliver::new(parts.outbox.clone(), parts.ways.channels.clone(), parts.clock.clone());
        let delivered = deliver.version(version.user, version.id).await?;
        match delivered.error() {
            Some(error) if delivered.may_pass() => return Err(Error::Undelivered(error)),
            Some(error) => return Err(Error::Failed(error)),
            None => {}
        }
        let activity = self.activity(deliverable, version, VersionStatus::Delivered, None);
        Ok(StepChange::Finished { activity })
    }

    async fn commit(&self, deliverable: &Deliverable, version: &Version, change: StepChange) -> Result<(), Error> {
        let told = match Tidings::of(&change) {
            Some(tidings) => self.parts.notice(About::version(deliverable, version), tidings).await.unwrap_or_else(|error| {
                // A report that arrived has arrived, whether its owner can be told so or not.
                tracing::warn!(version = %version.id, %error, "no notice could be made");
                None
            }),
            None => None,
        };
        // What is stored is large, and every run's future would hold it twice.
        Box::pin(self.store(deliverable, version, change, told)).await
    }

    async fn store(
        &self,
        deliverable: &Deliverable,
        version: &Version,
        change: StepChange,
        told: Option<(NewMessage, NewJob)>,
    ) -> Result<(), Error> {
        let (notice, job) = told.unzip();
        let slot = self.parts.slot_end(deliverable, version, &change).await?;
        let step = StepCommit {
            user: version.user,
            version: version.id,
            expected: version.step,
            holder: version.held_by.clone().unwrap_or_else(|| self.parts.liveness.me()),
            change,
            notice,
            slot,
            follow_up: job.into_iter().collect(),
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

/// Why a verified report waits for a person: less of it is proven than its reader wants.
fn held_back(deliverable: &Deliverable, version: &Version) -> Option<String> {
    let wanted = u32::from(deliverable.options.min_evidence_percent?);
    let tally = version.state.tally.unwrap_or_default();
    let enough = tally.with_evidence * 100 >= wanted * tally.sentences;
    (!enough && !version.state.approved).then(|| {
        let (proven, all) = (tally.with_evidence, tally.sentences);
        format!("{proven} of {all} statements are proven, and the reader wants {wanted} of a hundred")
    })
}
