//! Feedback: what a person made of a report, said about it and decided, and how good reports are by that (dossier §6.9).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::super::model::Deliverable;
use super::super::run::Deliverables;
use super::super::version::{DecideVersion, RunState, Version, VersionStatus};
use super::edits::{EditCategories, EditMetrics};
use crate::activity::{ActivityKind, NewActivity};
use crate::error::Error;
use crate::id::{ActivityId, DeliverableId, UserId, VersionId};
use crate::llm::Preference;

/// Longest edited report and longest note, in characters.
const MAX_EDITED: usize = 200_000;
const MAX_NOTES: usize = 4_000;
/// Versions with a score that the quality of a deliverable is worked out from.
const RATED: u32 = 5;
/// Means that differ by no more are the same.
const NOTABLE: f64 = 0.05;

/// What a person says about a version; each part may be left out, not all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GiveFeedback {
    /// The whole report as the person would have it.
    pub edited: Option<String>,
    /// What they say about it.
    pub notes: Option<String>,
    /// Whether they take it.
    pub approved: Option<bool>,
}

/// Feedback to be stored. What is none stays as it was.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NewFeedback {
    /// The edited report and what was changed in it.
    pub edited: Option<(String, EditMetrics)>,
    /// What was said about it.
    pub notes: Option<String>,
    /// Whether it was taken: sets `approved_at`.
    pub approved: bool,
}

/// What a person made of a version.
#[derive(Debug, Clone, PartialEq)]
pub struct Feedback {
    /// Which version.
    pub version: VersionId,
    /// Its number.
    pub number: u32,
    /// Where it stands.
    pub status: VersionStatus,
    /// The report as they would have it.
    pub edited: Option<String>,
    /// What they changed.
    pub categories: EditCategories,
    /// How far that is from what was written, from 0 to 1.
    pub distance: Option<f64>,
    /// What they said.
    pub notes: Option<String>,
    /// When they took it.
    pub approved_at: Option<DateTime<Utc>>,
}

impl Feedback {
    /// Whether one of these wishes follows from it: the same of the same kind may follow from others too.
    pub fn says_some_of(&self, wishes: &[Preference]) -> bool {
        let own = super::learn::of_version(self);
        let is_same = |a: &Preference, b: &Preference| a.kind == b.kind && a.text.to_lowercase() == b.text.to_lowercase();
        own.iter().any(|it| wishes.iter().any(|wish| is_same(it, wish)))
    }
}

/// Whether reports get better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Trend {
    /// The newer ones are changed less.
    Improving,
    /// The newer ones are changed more.
    Declining,
    /// Neither, or too few to tell.
    Stable,
}

/// How far the newest edited reports are from what people made of them: 0 is best.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Quality {
    /// The newest score.
    pub latest: f64,
    /// The mean of the newest five.
    pub average: f64,
    /// Where they are heading.
    pub trend: Trend,
}

impl Quality {
    /// Of scores, newest first; none without any. A trend needs three.
    pub fn of(scores: &[f64]) -> Option<Self> {
        let (latest, average) = (*scores.first()?, mean(scores)?);
        let (newer, older) = scores.split_at(scores.len() / 2);
        let trend = match (mean(newer), mean(older)) {
            (Some(newer), Some(older)) if scores.len() >= 3 && older - newer > NOTABLE => Trend::Improving,
            (Some(newer), Some(older)) if scores.len() >= 3 && newer - older > NOTABLE => Trend::Declining,
            _ => Trend::Stable,
        };
        Some(Self { latest, average: (average * 1_000.0).round() / 1_000.0, trend })
    }
}

#[expect(clippy::cast_precision_loss, reason = "at most five scores")]
fn mean(scores: &[f64]) -> Option<f64> {
    (!scores.is_empty()).then(|| scores.iter().sum::<f64>() / scores.len() as f64)
}

impl Deliverables {
    /// Keeps what a person made of a version. A version that was delivered stays delivered, and what was delivered stays as it was;
    /// one that waits passes or is rejected as by [`Deliverables::decide`].
    ///
    /// # Errors
    /// `NotFound`; `Invalid` when nothing is said, the text is too long, or the version has no report that could be edited or taken;
    /// those of the store.
    pub async fn edit_version(&self, user: UserId, version: VersionId, give: GiveFeedback) -> Result<Version, Error> {
        let found = self.parts.versions.version(user, version).await?;
        let new = NewFeedback {
            edited: give.edited.map(|it| edited(&found, it)).transpose()?,
            notes: give.notes.map(|it| notes(&it)).transpose()?,
            approved: give.approved == Some(true),
        };
        if new == NewFeedback::default() && give.approved.is_none() {
            return Err(Error::Invalid("nothing is said about the version: edit it, note something or approve it".to_owned()));
        }
        let says_something = new.edited.is_some() || new.notes.is_some();
        if says_something && matches!(found.status, VersionStatus::Generating | VersionStatus::Suggested) {
            return Err(Error::Invalid(format!("version {} has no report yet: it is {}", found.number, found.status.as_str())));
        }
        self.take_feedback(found, new, give.approved).await
    }

    /// Commits what was decided and said, with a line of activity for a decision.
    pub(in crate::deliverables) async fn take_feedback(
        &self,
        found: Version,
        new: NewFeedback,
        approved: Option<bool>,
    ) -> Result<Version, Error> {
        let status = decided(&found, approved)?;
        let activity = match approved {
            Some(passes) => Some(self.decision(&found, &new, passes).await?),
            None => None,
        };
        let passes = found.status == VersionStatus::Staged && approved == Some(true);
        let slot = match status {
            VersionStatus::Rejected => self.parts.slot_without_report(&found).await?,
            _ => None,
        };
        let decision = DecideVersion {
            user: found.user,
            version: found.id,
            seen: found.status,
            status,
            state: RunState { approved: passes || found.state.approved, ..found.state },
            feedback: new,
            activity,
            slot,
            at: self.parts.clock.now(),
        };
        Ok(self.parts.versions.decide(decision).await?)
    }

    async fn decision(&self, found: &Version, new: &NewFeedback, passes: bool) -> Result<NewActivity, Error> {
        let deliverable = self.parts.deliverables.get(found.user, found.deliverable).await?;
        let earlier = self.parts.feedback.of_version(found.user, found.id).await?;
        let edited = new.edited.as_ref().map(|it| it.0.as_str()).or(earlier.edited.as_deref());
        let had_edits = new.edited.as_ref().map_or(earlier.distance.is_some_and(|it| it > 0.0), |it| !it.1.is_none());
        let length = |text: Option<&str>| text.map(|it| it.chars().count());
        let (kind, word) = if passes {
            (ActivityKind::DeliverableApproved, "approved")
        } else {
            (ActivityKind::DeliverableRejected, "rejected")
        };
        Ok(NewActivity {
            id: ActivityId::fresh(self.parts.ids.as_ref()),
            kind,
            key: found.id.as_uuid(),
            summary: format!("{} v{} {word}", deliverable.title, found.number),
            metadata: serde_json::json!({
                "deliverable_id": deliverable.id,
                "version_id": found.id,
                "deliverable_type": deliverable.report_type.as_str(),
                "had_edits": had_edits,
                "final_length": length(edited.or(found.final_content.as_deref())),
                "draft_length": length(found.draft.as_deref()),
            }),
        })
    }

    /// How good the reports of a deliverable are, by the newest five that somebody edited; none before that.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn quality(&self, user: UserId, deliverable: DeliverableId) -> Result<Option<Quality>, Error> {
        Ok(Quality::of(&self.parts.feedback.scores(user, deliverable, RATED).await?))
    }

    /// What a person made of a version.
    ///
    /// # Errors
    /// `NotFound` and those of the store.
    pub async fn feedback(&self, user: UserId, version: VersionId) -> Result<Feedback, Error> {
        Ok(self.parts.feedback.of_version(user, version).await?)
    }

    /// What the next report of a deliverable will be told of its reader's wishes, and the versions that this comes from, newest
    /// first; nothing for one that does not learn, and nothing of what was taken out for one that others receive.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn learned(&self, deliverable: &Deliverable) -> Result<(Vec<Preference>, Vec<Feedback>), Error> {
        if !deliverable.options.learns_from_edits {
            return Ok((vec![], vec![]));
        }
        let given = self.parts.feedback.given(deliverable.user, deliverable.id, super::learn::READ).await?;
        let wishes = super::learn::preferences(&given);
        let stays = self.parts.stays_with_owner(deliverable).await?;
        Ok((if stays { wishes } else { super::learn::for_others(wishes) }, given))
    }
}

/// The status that a decision leads to.
fn decided(found: &Version, approved: Option<bool>) -> Result<VersionStatus, Error> {
    match (approved, found.status) {
        (None, status) | (Some(_), status @ VersionStatus::Delivered) => Ok(status),
        (Some(true), VersionStatus::Staged) => Ok(VersionStatus::Generating),
        (Some(false), VersionStatus::Staged) => Ok(VersionStatus::Rejected),
        (Some(false), _) if found.is_resumable() => Ok(VersionStatus::Rejected),
        (Some(_), status) => Err(Error::Invalid(format!("version {} waits for nobody: it is {}", found.number, status.as_str()))),
    }
}

fn edited(found: &Version, text: String) -> Result<(String, EditMetrics), Error> {
    if text.chars().count() > MAX_EDITED {
        return Err(Error::Invalid(format!("the edited report is longer than {MAX_EDITED} characters")));
    }
    let written = found.final_content.as_ref().or(found.draft.as_ref());
    let Some(written) = written else {
        return Err(Error::Invalid(format!("version {} has no report that could be edited", found.number)));
    };
    let metrics = EditMetrics::between(written, &text);
    Ok((text, metrics))
}

fn notes(text: &str) -> Result<String, Error> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Error::Invalid("the note is empty".to_owned()));
    }
    if text.chars().count() > MAX_NOTES {
        return Err(Error::Invalid(format!("the note is longer than {MAX_NOTES} characters")));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::PreferenceKind;

    #[test]
    fn what_follows_from_feedback_is_told_by_its_words() {
        let given = |notes: &str| Feedback {
            version: VersionId::from_uuid(uuid::Uuid::from_u128(1)),
            number: 1,
            status: VersionStatus::Delivered,
            edited: None,
            categories: EditCategories { additions: vec!["Name the owner.".into()], ..EditCategories::default() },
            distance: None,
            notes: Some(notes.to_owned()),
            approved_at: None,
        };
        let wish = |kind, text: &str| Preference { kind, text: text.to_owned() };
        let (said, added) = (PreferenceKind::Said, PreferenceKind::Added);
        assert!(given("Shorter,\n please.").says_some_of(&[wish(added, "x"), wish(said, "shorter, please.")]));
        assert!(!given("Longer.").says_some_of(&[
            wish(said, "Shorter, please."),
            wish(added, "x"),
            wish(said, "Name the owner.")
        ]));
        assert!(!given("Longer.").says_some_of(&[]));
    }

    #[test]
    fn quality_is_the_newest_score_the_mean_and_where_they_are_heading() {
        let of = |scores: &[f64]| Quality::of(scores).map(|it| (it.latest, it.average, it.trend));
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[0.4]), Some((0.4, 0.4, Trend::Stable)));
        assert_eq!(of(&[0.1, 0.9]), Some((0.1, 0.5, Trend::Stable)), "two are too few to tell");
        assert_eq!(of(&[0.1, 0.2, 0.3]), Some((0.1, 0.2, Trend::Improving)));
        assert_eq!(of(&[0.5, 0.4, 0.1, 0.2, 0.1]), Some((0.5, 0.26, Trend::Declining)));
        assert_eq!(of(&[0.2, 0.21, 0.2, 0.22]), Some((0.2, 0.208, Trend::Stable)));
    }
}
