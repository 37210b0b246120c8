//! Material for the unit tests of this feature.

use super::kinds::Binding;
use super::material::MaterialItem;
use super::version::RunState;
use crate::id::{ContentId, RandomIds};
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
