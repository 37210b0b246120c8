//! Execute: what was chosen becomes deliverables, runs and history, to be committed as one.

use super::extract::resources_of;
use super::filter::{Chosen, is_for_an_event};
use super::model::{Pass, window_of};
use super::outcome::{Act, ActionKind, ActionTaken, PassCommit, PassOutcome, Wanted};
use super::run::SignalsParts;
use crate::accounts::User;
use crate::deliverables::{
    DeliverableOrigin, Destination, NewDeliverable, ReportOptions, ReportType, RunDeliverable, RunRequest, SIGNAL_KEY, SourceRef,
    TriggerType,
};
use crate::error::Error;
use crate::id::{ActivityId, DeliverableId};
use crate::jobs::new_job;
use crate::llm::Noticed;
use crate::platform::Platform;

impl SignalsParts {
    /// The end of a pass.
    pub(super) fn commit_of(
        &self,
        user: &User,
        pass: &Pass,
        chosen: &[Chosen<'_>],
        outcome: PassOutcome,
    ) -> Result<PassCommit, Error> {
        let at = self.clock.now();
        let wanted = chosen.iter().map(|it| self.wanted(user, pass, it)).collect::<Result<_, _>>()?;
        let (slots, line) = (user.tier.active_deliverables(), ActivityId::fresh(self.ids.as_ref()));
        Ok(PassCommit { pass: pass.id, user: user.id, wanted, slots, outcome, line, at })
    }

    fn wanted(&self, user: &User, pass: &Pass, chosen: &Chosen<'_>) -> Result<Wanted, Error> {
        let at = self.clock.now();
        let (id, title) = match chosen.target {
            Some(target) => (target.id, target.title.clone()),
            None => (DeliverableId::fresh(self.ids.as_ref()), title_of(chosen)),
        };
        let request = RunRequest {
            key: Some(format!("{SIGNAL_KEY}{}", pass.id)),
            noticed: Some(noticed(chosen, &title)),
            ..RunRequest::of(user.id, id)
        };
        let job = new_job(self.ids.as_ref(), Some(user.id), &RunDeliverable::requested(&request));
        let job = job.map_err(|error| Error::Failed(format!("the run of a signal cannot be enqueued: {error}")))?;
        let taken = ActionTaken {
            action: chosen.asked.kind,
            deliverable_id: id,
            deliverable_type: chosen.kind.as_str().to_owned(),
            title: title.clone(),
            signal_type: chosen.signal_type.to_owned(),
            signal_reference: chosen.reference.clone(),
            reasoning: chosen.asked.reasoning.clone(),
            confidence: chosen.confidence,
            job_id: job.id,
        };
        let act = match chosen.asked.kind {
            ActionKind::Create => Act::Create(Box::new(self.born(user, chosen, (id, title)))),
            ActionKind::Trigger => Act::Trigger(id),
        };
        Ok(Wanted {
            act,
            unless_since: at - window_of(chosen.signal_type),
            one_of_a_kind: !is_for_an_event(chosen.kind),
            about: chosen.about.iter().map(|it| it.id).collect(),
            job,
            taken,
        })
    }

    /// A report that runs once, because of a signal: without a schedule, to nobody but its owner.
    fn born(&self, user: &User, chosen: &Chosen<'_>, (id, title): (DeliverableId, String)) -> NewDeliverable {
        NewDeliverable {
            id,
            user: user.id,
            title,
            description: Some(chosen.asked.description.clone()).filter(|it| !it.is_empty()),
            report_type: ReportType::stored(chosen.kind.as_str().to_owned()),
            sources: sources(chosen),
            destinations: vec![self.destination(user)],
            options: ReportOptions::default(),
            origin: DeliverableOrigin::SignalEmergent,
            trigger: TriggerType::Manual,
            schedule: None,
            next_run_at: None,
            // It runs once, which takes none; what there is room for is looked at in the pass's commit.
            slots: None,
            at: self.clock.now(),
        }
    }

    /// The user's own address, where mails can be sent and there is one; else the outbox folder.
    fn destination(&self, user: &User) -> Destination {
        let has_host = user.email.as_str().split_once('@').is_some_and(|(_, host)| host.contains('.'));
        if self.sends_mail && has_host {
            Destination::Email { address: user.email.clone() }
        } else {
            Destination::Folder { path: None }
        }
    }
}

fn title_of(chosen: &Chosen<'_>) -> String {
    if chosen.asked.title.is_empty() { chosen.kind.label().to_owned() } else { chosen.asked.title.clone() }
}

/// The places that were named, each once. The preparation of a meeting reads everything (ADR 4).
fn sources(chosen: &Chosen<'_>) -> Vec<SourceRef> {
    if is_for_an_event(chosen.kind) {
        return vec![];
    }
    let places = resources_of(chosen.sources.iter().copied()).into_iter();
    places.map(|it| SourceRef { resource: it.resource.clone(), resource_name: it.resource_name.clone() }).collect()
}

/// What the writer is told, as data.
fn noticed(chosen: &Chosen<'_>, title: &str) -> Noticed {
    let mut platforms: Vec<Platform> = chosen.about.iter().map(|it| it.resource.platform()).collect();
    platforms.sort();
    platforms.dedup();
    Noticed {
        title: chosen.target.is_none().then(|| title.to_owned()),
        reasoning: chosen.asked.reasoning.clone(),
        entity: Some(chosen.asked.entity.clone()).filter(|it| !it.is_empty()),
        platforms,
    }
}
