//! Material for the unit tests of this feature.

use super::gathering::material::MaterialItem;
use super::kinds::Binding;
use super::model::{Deliverable, DeliverableOrigin, DeliverableStatus, Destination, ReportOptions, ReportType, TriggerType};
use super::version::RunState;
use crate::id::{ContentId, DeliverableId, RandomIds, UserId};
use crate::platform::Interval;

/// A message in a channel.
pub(super) fn item(text: &str) -> MaterialItem {
    MaterialItem {
        id: ContentId::fresh(&RandomIds),
        platform: "slack".to_owned(),
        place: "#general".to_owned(),
        author: Some("Ana".to_owned()),
        time: None,
        title: None,
        thread: None,
        marks: vec![],
        content: text.to_owned(),
    }
}

/// A run that gathered these, as `s1`, `s2`, …
pub(super) fn state_of(items: &[MaterialItem]) -> RunState {
    let at = "2026-11-20T09:00:00Z".parse().expect("an instant");
    let material = items.iter().enumerate().map(|(index, it)| it.referred(format!("s{}", index + 1))).collect();
    RunState { material, ..RunState::of(Binding::CrossPlatform, (at, at), Interval { from: at, to: at }) }
}

/// A status report on everything, into a channel.
pub(super) fn deliverable() -> Deliverable {
    Deliverable {
        id: DeliverableId::from_uuid(uuid::Uuid::from_u128(1)),
        user: UserId::LOCAL,
        title: "Digest".into(),
        description: None,
        report_type: ReportType::stored("status_report".into()),
        sources: vec![],
        destinations: vec![Destination::Slack { channel: "#general".into() }],
        options: ReportOptions::default(),
        origin: DeliverableOrigin::UserConfigured,
        trigger: TriggerType::Manual,
        schedule: None,
        status: DeliverableStatus::Active,
        next_run_at: None,
        last_run_at: None,
        created_at: state_of(&[]).as_of,
        updated_at: state_of(&[]).as_of,
    }
}
