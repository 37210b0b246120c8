//! Facts of [`FeedbackStore`](crate::deliverables::FeedbackStore), written with `VersionStore::decide`.

use super::Ports;
use super::fixtures::{ANA, ben, created, finished, fresh, is_missing, line, me, minute, open_after, queued_version};
use crate::activity::ActivityKind;
use crate::deliverables::{DecideVersion, EditCategories, EditMetrics, Feedback, NewFeedback, Step, Version, VersionStatus};
use crate::id::VersionId;

/// A version that has arrived.
async fn delivered(ports: &Ports) -> Version {
    let version = queued_version(ports, vec![]).await;
    ports.versions.advance(finished(version.id)).await.unwrap();
    ports.versions.version(ANA, version.id).await.unwrap()
}

fn says(version: &Version, feedback: NewFeedback) -> DecideVersion {
    DecideVersion {
        user: ANA,
        version: version.id,
        seen: version.status,
        status: version.status,
        state: version.state.clone(),
        feedback,
        activity: None,
        slot: None,
        at: minute(30),
    }
}

fn edit(text: &str) -> (String, EditMetrics) {
    (text.to_owned(), EditMetrics::between("# Report", text))
}

fn notes(text: &str) -> NewFeedback {
    NewFeedback { notes: Some(text.to_owned()), ..NewFeedback::default() }
}

/// What was said is read back, beside what was delivered, and what is not said again stays.
pub async fn of_version_is_what_was_said(ports: &Ports) {
    let version = delivered(ports).await;
    let empty = ports.feedback.of_version(ANA, version.id).await.unwrap();
    let none = Feedback {
        version: version.id,
        number: 1,
        status: VersionStatus::Delivered,
        edited: None,
        categories: EditCategories::default(),
        distance: None,
        notes: None,
        approved_at: None,
    };
    assert_eq!(empty, none);
    let edited = edit("# Report\n\n- One more “line” \u{1f4e8}");
    let metrics = edited.1.clone();
    let feedback = NewFeedback { edited: Some(edited.clone()), ..NewFeedback::default() };
    let answered = ports.versions.decide(says(&version, feedback)).await.unwrap();
    assert_eq!(answered, version, "what was delivered stays as it was");
    let approves = NewFeedback { approved: true, ..notes("Shorter,\nplease.\0") };
    ports.versions.decide(says(&version, approves)).await.unwrap();
    let expected = Feedback {
        edited: Some(edited.0),
        categories: metrics.categories,
        distance: Some(metrics.distance),
        notes: Some("Shorter,\nplease.\u{fffd}".to_owned()),
        approved_at: Some(minute(30)),
        ..none
    };
    assert_eq!(ports.feedback.of_version(ANA, version.id).await.unwrap(), expected);
}

/// A decision's line of activity is there with it, or not at all.
pub async fn of_version_has_a_line_of_activity_with_a_decision(ports: &Ports) {
    let version = delivered(ports).await;
    let said = |kind| Some(line(kind, version.id.as_uuid(), "said"));
    let approved = DecideVersion { activity: said(ActivityKind::DeliverableApproved), ..says(&version, NewFeedback::default()) };
    ports.versions.decide(approved.clone()).await.unwrap();
    ports.versions.decide(approved).await.unwrap();
    let late = DecideVersion {
        seen: VersionStatus::Staged,
        activity: said(ActivityKind::DeliverableRejected),
        ..says(&version, NewFeedback::default())
    };
    assert!(ports.versions.decide(late).await.is_err());
    let kinds: Vec<_> = ports.activity.recent(ANA, 9).await.unwrap().into_iter().map(|it| it.kind).collect();
    assert_eq!(kinds.iter().filter(|it| **it == ActivityKind::DeliverableApproved).count(), 1);
    assert!(!kinds.contains(&ActivityKind::DeliverableRejected));
}

/// To say something about a version takes it from nobody who works on it.
pub async fn of_version_leaves_a_hold(ports: &Ports) {
    let version = queued_version(ports, vec![]).await;
    let version = ports.versions.version(ANA, version.id).await.unwrap();
    ports.versions.decide(says(&version, notes("Good."))).await.unwrap();
    let after = ports.versions.version(ANA, version.id).await.unwrap();
    assert_eq!((after.held_by, after.step), (Some(me()), Step::Queued));
}

/// Versions with edits or notes, newest first, as many as asked for; others not.
pub async fn given_is_newest_first_and_limited(ports: &Ports) {
    let deliverable = created(ports, ANA).await;
    for after in 0..4 {
        let version = ports.versions.open(open_after(ANA, deliverable, after)).await.unwrap();
        if after != 1 {
            ports.versions.decide(says(&version, notes(&format!("note {}", after + 1)))).await.unwrap();
        }
    }
    let given = ports.feedback.given(ANA, deliverable, 2).await.unwrap();
    assert_eq!(
        given.iter().map(|it| (it.number, it.notes.as_deref())).collect::<Vec<_>>(),
        [(4, Some("note 4")), (3, Some("note 3"))]
    );
    assert_eq!(ports.feedback.given(ANA, deliverable, 9).await.unwrap().len(), 3);
    assert_eq!(ports.feedback.given(ANA, created(ports, ANA).await, 9).await.unwrap(), []);
}

/// The distances of edited versions, newest first.
pub async fn scores_are_those_of_edited_versions(ports: &Ports) {
    let deliverable = created(ports, ANA).await;
    for (after, text) in [(0, Some("# Report")), (1, None), (2, Some("something else"))] {
        let version = ports.versions.open(open_after(ANA, deliverable, after)).await.unwrap();
        let feedback = text.map_or_else(|| notes("x"), |it| NewFeedback { edited: Some(edit(it)), ..NewFeedback::default() });
        ports.versions.decide(says(&version, feedback)).await.unwrap();
    }
    assert_eq!(ports.feedback.scores(ANA, deliverable, 9).await.unwrap(), [1.0, 0.0]);
    assert_eq!(ports.feedback.scores(ANA, deliverable, 1).await.unwrap(), [1.0]);
}

/// Nobody reads what another says.
pub async fn given_and_others_show_the_users_own(ports: &Ports) {
    let (ben, version) = (ben(ports).await, delivered(ports).await);
    let feedback = NewFeedback { edited: Some(edit("x")), ..notes("mine") };
    ports.versions.decide(says(&version, feedback)).await.unwrap();
    assert!(is_missing(&ports.feedback.of_version(ben, version.id).await));
    assert!(is_missing(&ports.feedback.of_version(ANA, VersionId::from_uuid(fresh())).await));
    assert_eq!(ports.feedback.given(ben, version.deliverable, 9).await.unwrap(), []);
    assert_eq!(ports.feedback.scores(ben, version.deliverable, 9).await.unwrap(), Vec::<f64>::new());
}
