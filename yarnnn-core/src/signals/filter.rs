//! Filter: of what a model asked for, what the program can vouch for (dossier §5.3, §5.4).
//!
//! A ref counts only if the question showed it, to the last digit: `d1` alone is an invented one. Whatever is left names rows of the
//! user and nothing else.

use std::collections::HashSet;

use chrono::{DateTime, Utc};

use super::extract::{reference_of, runs_once};
use super::model::SignalKind;
use super::outcome::{ActionKind, Confidence, DropReason, Dropped, MOST_CREATED, MOST_TRIGGERED};
use super::parse::{Answer, Asked};
use super::prompt::Sight;
use crate::deliverables::{Deliverable, DeliverableStatus, Kind};
use crate::hash::Sha256;
use crate::platform::{ContentType, ResourceId};
use crate::sync::StoredItem;

/// Below this nothing is done (dossier §5.3).
const LEAST_CONFIDENCE: f64 = 0.60;
/// The types that signals may make.
const ALLOWED: [Kind; 4] = [Kind::MeetingPrep, Kind::StatusReport, Kind::ResearchBrief, Kind::Custom];

/// An action that may be carried out.
pub(super) struct Chosen<'a> {
    pub(super) asked: &'a Asked,
    pub(super) confidence: Confidence,
    pub(super) kind: Kind,
    /// The deliverable to be set going; none to make one.
    pub(super) target: Option<&'a Deliverable>,
    pub(super) about: Vec<&'a StoredItem>,
    pub(super) sources: Vec<&'a StoredItem>,
    pub(super) signal_type: &'static str,
    pub(super) reference: String,
}

/// What the program knows that the model does not.
pub(super) struct Known<'a> {
    pub(super) sight: &'a Sight,
    /// All deliverables of the user that are not archived.
    pub(super) deliverables: &'a [Deliverable],
    /// The resources that reports of the user may read.
    pub(super) resources: &'a [ResourceId],
    /// What was acted upon within its window, by type and reference.
    pub(super) recent: &'a HashSet<(String, String)>,
    pub(super) now: DateTime<Utc>,
}

/// What may be carried out, in the model's order, and what not.
pub(super) fn filter<'a>(answer: &'a Answer, known: &Known<'a>) -> (Vec<Chosen<'a>>, Vec<Dropped>) {
    let (mut chosen, mut dropped): (Vec<Chosen<'a>>, _) = (Vec::new(), answer.dropped.clone());
    for asked in &answer.actions {
        match known.check(asked).and_then(|it| among(it, &chosen)) {
            Ok(it) => chosen.push(it),
            Err(reason) => dropped.push(Dropped { what: asked.what(), reason }),
        }
    }
    (chosen, dropped)
}

/// One action for each type, and only so many.
fn among<'a>(it: Chosen<'a>, chosen: &[Chosen<'a>]) -> Result<Chosen<'a>, DropReason> {
    let same = || chosen.iter().filter(|other| other.asked.kind == it.asked.kind);
    let most = if it.asked.kind == ActionKind::Create { MOST_CREATED } else { MOST_TRIGGERED };
    if same().any(|other| other.kind == it.kind) {
        return Err(DropReason::OnePerType);
    }
    if same().count() >= most { Err(DropReason::OverLimit) } else { Ok(it) }
}

impl<'a> Known<'a> {
    fn check(&self, asked: &'a Asked) -> Result<Chosen<'a>, DropReason> {
        let confidence = confidence(asked.confidence)?;
        let about = self.items(&asked.about)?;
        let sources = self.items(&asked.sources)?;
        let (kind, target) = match asked.kind {
            ActionKind::Create => (self.type_of(asked)?, None),
            ActionKind::Trigger => self.target(asked).map(|it| (it.report_type.kind(), Some(it)))?,
        };
        grounded(asked.kind, kind, &about, self.now)?;
        let signal = signal_of(asked, kind);
        if !self.sight.preferences.wants(signal) {
            return Err(DropReason::SwitchedOff);
        }
        let signal_type = signal.signal_type(kind);
        let reference = reference(asked, target, &about, self.now);
        if self.recent.contains(&(signal_type.to_owned(), reference.clone())) {
            return Err(DropReason::SeenBefore);
        }
        Ok(Chosen { asked, confidence, kind, target, about, sources, signal_type, reference })
    }

    /// The items of refs. One that was not shown, or stands where no report may read, spoils the action.
    fn items(&self, refs: &[String]) -> Result<Vec<&'a StoredItem>, DropReason> {
        let find = |name: &String| {
            let (_, item) = self.sight.items.iter().find(|(place, _)| *name == self.sight.refs.item(*place))?;
            self.resources.contains(&item.resource).then_some(item)
        };
        refs.iter().map(|it| find(it).ok_or(DropReason::UnknownReference)).collect()
    }

    fn type_of(&self, asked: &Asked) -> Result<Kind, DropReason> {
        let kind = Kind::resolve(&asked.report_type).filter(|it| ALLOWED.contains(it)).ok_or(DropReason::TypeNotAllowed)?;
        let takes = |it: &&Deliverable| it.report_type.kind() == kind && !(is_for_an_event(kind) && runs_once(it));
        if self.deliverables.iter().any(|it| takes(&it)) { Err(DropReason::TypeTaken) } else { Ok(kind) }
    }

    fn target(&self, asked: &Asked) -> Result<&'a Deliverable, DropReason> {
        let named = asked.deliverable.as_deref().unwrap_or_default();
        let shown = self.sight.deliverables.iter().find(|(place, _, _)| named == self.sight.refs.report(*place));
        let (place, shown, _) = shown.ok_or(DropReason::UnknownDeliverable)?;
        let own = self.deliverables.iter().find(|it| it.id == shown.id).ok_or(DropReason::UnknownDeliverable)?;
        if self.sight.is_dictated(*place, own.id) {
            return Err(DropReason::Dictated);
        }
        if own.status == DeliverableStatus::Active { Ok(own) } else { Err(DropReason::NotActive) }
    }
}

/// Whether each report of the type is for an event of its own: one that has run, or will not, does not keep the next event from
/// getting one. Whether it still will is for the transaction to say.
pub(super) const fn is_for_an_event(kind: Kind) -> bool {
    matches!(kind, Kind::MeetingPrep)
}

/// Whether what was shown calls for the action: nothing is set going for what a model made up, no invented meeting is prepared, and none
/// that its preparation would not see yet.
fn grounded(action: ActionKind, kind: Kind, about: &[&StoredItem], now: DateTime<Utc>) -> Result<(), DropReason> {
    let mut events = about.iter().filter(|it| it.content_type == ContentType::Event).peekable();
    match action {
        ActionKind::Trigger if about.is_empty() => Err(DropReason::AboutNothing),
        ActionKind::Create if is_for_an_event(kind) => {
            events.peek().ok_or(DropReason::NoEvent)?;
            let seen = now + kind.profile().looks_ahead;
            let is_seen = events.any(|it| it.source_timestamp.is_some_and(|at| at <= seen));
            if is_seen { Ok(()) } else { Err(DropReason::TooFarAhead) }
        }
        _ => Ok(()),
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was checked to lie between 0 and 1")]
fn confidence(given: f64) -> Result<Confidence, DropReason> {
    if !(LEAST_CONFIDENCE..=1.0).contains(&given) {
        return Err(DropReason::LowConfidence);
    }
    Ok(Confidence((given * 100.0).round() as u8))
}

/// A preparation of a meeting is one, whatever the model calls it.
fn signal_of(asked: &Asked, kind: Kind) -> SignalKind {
    if kind == Kind::MeetingPrep { SignalKind::MeetingPrep } else { SignalKind::parse(&asked.signal) }
}

/// What it is about, the same for every pass: the event, else the conversation, else what the model calls it, on this day.
fn reference(asked: &Asked, target: Option<&Deliverable>, about: &[&StoredItem], now: DateTime<Utc>) -> String {
    let event = about.iter().find(|it| it.content_type == ContentType::Event);
    let what = event.or_else(|| about.first()).map(|it| reference_of(it));
    let what = what.unwrap_or_else(|| {
        let named = [&asked.entity, &asked.title].into_iter().find(|it| !it.is_empty()).cloned().unwrap_or_default();
        let digest = Sha256::of(format!("{}/{}", named.to_lowercase(), now.date_naive())).to_string();
        format!("named:{}", digest.get(..32).unwrap_or_default())
    });
    // A run of what there is, and a new report about the same, are two things.
    target.map_or_else(|| what.clone(), |it| format!("{}/{what}", it.id))
}
