//! Which sources are synced: a person's choice within the tier's limit, or the smart defaults (brief, ADR-079).

use std::cmp::Reverse;

use serde_json::Value;

use super::{Landscape, Provider};
use crate::accounts::Tier;
use crate::platform::{Platform, Resource, ResourceId, ResourceKind};

/// The system labels that are worth reading, in this order; no other one ever is by default.
const SYSTEM_LABELS: [&str; 4] = ["label:INBOX", "label:SENT", "label:STARRED", "label:IMPORTANT"];

/// How many sources of a platform a tier syncs; none = unlimited (dossier §3). Calendars never count.
pub const fn source_limit(tier: Tier, platform: Platform) -> Option<usize> {
    match (tier, platform) {
        (Tier::Pro, _) | (_, Platform::Calendar) => None,
        (Tier::Free, Platform::Slack | Platform::Gmail) => Some(5),
        (Tier::Free, Platform::Notion) | (Tier::Starter, Platform::Gmail) => Some(10),
        (Tier::Starter, Platform::Slack) => Some(15),
        (Tier::Starter, Platform::Notion) => Some(25),
    }
}

/// What became of a choice.
#[derive(Debug, Clone, PartialEq)]
pub struct Selection {
    /// What is synced from now on.
    pub selected: Vec<ResourceId>,
    /// What was asked for and is over the limit.
    pub over_limit: Vec<ResourceId>,
    /// What was asked for and cannot be seen.
    pub unknown: Vec<ResourceId>,
}

impl Landscape {
    /// Chooses by default where nothing of a platform is chosen, or adds up to the limit; answers what was added.
    pub fn choose_defaults(&mut self, platform: Platform, limit: Option<usize>) -> Vec<ResourceId> {
        let chosen = self.selected.iter().filter(|it| it.platform() == platform).count();
        let room = limit.map_or(usize::MAX, |it| it.saturating_sub(chosen));
        let ranked = smart_defaults(platform, &self.resources);
        let new: Vec<_> = ranked.into_iter().filter(|it| !self.selected.contains(it)).take(room).collect();
        self.selected.extend(new.iter().cloned());
        new
    }

    /// Puts a person's choice in place of all that was chosen of the provider's platforms that the choice names; an empty choice
    /// is one of nothing.
    pub fn choose(&mut self, provider: Provider, tier: Tier, wanted: &[ResourceId]) -> Selection {
        let (known, unknown): (Vec<_>, Vec<_>) = wanted.iter().cloned().partition(|it| self.resource(it).is_some());
        let (mut selected, mut over_limit) = (Vec::new(), Vec::new());
        for &platform in provider.platforms() {
            if !wanted.is_empty() && wanted.iter().all(|it| it.platform() != platform) {
                selected.extend(self.selected.iter().filter(|it| it.platform() == platform).cloned());
                continue;
            }
            let mut of_platform = Vec::new();
            for id in known.iter().filter(|it| it.platform() == platform) {
                if !of_platform.contains(id) {
                    of_platform.push(id.clone());
                }
            }
            let limit = source_limit(tier, platform).unwrap_or(usize::MAX).min(of_platform.len());
            over_limit.extend(of_platform.split_off(limit));
            selected.extend(of_platform);
        }
        self.selected.clone_from(&selected);
        Selection { selected, over_limit, unknown }
    }
}

/// The resources of a platform that are worth syncing, best first.
pub fn smart_defaults(platform: Platform, resources: &[Resource]) -> Vec<ResourceId> {
    let mut of_platform: Vec<&Resource> = resources.iter().filter(|it| it.id.platform() == platform).collect();
    match platform {
        Platform::Slack => of_platform.sort_by_key(|it| Reverse(number(it, "num_members"))),
        Platform::Gmail => of_platform = labels(&of_platform),
        Platform::Calendar => {}
        Platform::Notion => of_platform.sort_by_key(|it| (is_untitled(it), Reverse(text(it, "last_edited").to_owned()))),
    }
    of_platform.into_iter().map(|it| it.id.clone()).collect()
}

fn labels<'a>(all: &[&'a Resource]) -> Vec<&'a Resource> {
    let system = SYSTEM_LABELS.iter().filter_map(|id| all.iter().find(|it| it.id.as_str() == *id));
    let is_user = |it: &&&Resource| text(it, "type") == "user" || it.name.contains('/');
    let is_listed = |it: &&Resource| SYSTEM_LABELS.contains(&it.id.as_str());
    let user = all.iter().filter(|it| is_user(it) && !is_listed(it) && text(it, "type") != "system");
    system.chain(user).copied().collect()
}

fn is_untitled(resource: &Resource) -> bool {
    debug_assert!(matches!(resource.kind, ResourceKind::Page | ResourceKind::Database));
    resource.name.trim().is_empty() || resource.name == "Untitled"
}

fn number(resource: &Resource, key: &str) -> u64 {
    resource.metadata.get(key).and_then(Value::as_u64).unwrap_or_default()
}

fn text<'a>(resource: &'a Resource, key: &str) -> &'a str {
    resource.metadata.get(key).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn resource(id: &str, name: &str, kind: ResourceKind, metadata: Value) -> Resource {
        let id = ResourceId::new(kind.platform(), id).unwrap();
        Resource { id, name: name.into(), kind, metadata }
    }

    fn ids(platform: Platform, resources: &[Resource], limit: usize) -> Vec<String> {
        let all = smart_defaults(platform, resources);
        all.into_iter().take(limit).map(|it| it.as_str().trim_start_matches("label:").to_owned()).collect()
    }

    /// Dossier, appendix A.4.
    #[test]
    fn the_worked_examples_of_the_free_tier() {
        let channel = |(id, members): (&str, u64)| resource(id, id, ResourceKind::Channel, json!({"num_members": members}));
        let channels = [("a", 3), ("b", 50), ("c", 7), ("d", 9), ("e", 1), ("f", 20)].map(channel);
        assert_eq!(ids(Platform::Slack, &channels, 5), ["b", "f", "d", "c", "a"]);
        let label = |(id, kind): (&str, &str)| resource(id, id, ResourceKind::Label, json!({"type": kind}));
        let system = ["IMPORTANT", "SPAM", "INBOX", "TRASH", "STARRED", "CATEGORY_SOCIAL", "SENT"].map(|it| (it, "system"));
        let labels: Vec<_> = system.into_iter().chain([("Clients", "user"), ("Ops", "user")]).map(label).collect();
        assert_eq!(ids(Platform::Gmail, &labels, 5), ["INBOX", "SENT", "STARRED", "IMPORTANT", "Clients"]);
        let page = |(id, name, at): (&str, &str, &str)| resource(id, name, ResourceKind::Page, json!({"last_edited": at}));
        let pages = [("u", "Untitled", "2026-02-26"), ("b", "B", "2026-01-26"), ("a", "A", "2026-02-26")].map(page);
        assert_eq!(ids(Platform::Notion, &pages, 10), ["a", "b", "u"]);
    }

    #[test]
    fn a_choice_over_the_limit_is_cut_in_the_order_it_was_made() {
        let channels: Vec<_> = (0..7).map(|it| resource(&format!("C{it}"), "c", ResourceKind::Channel, json!({}))).collect();
        let wanted: Vec<_> = channels.iter().rev().map(|it| it.id.clone()).chain(["slack:C9".parse().unwrap()]).collect();
        let mut landscape = Landscape { resources: channels, selected: vec![] };
        let selection = landscape.choose(Provider::Slack, Tier::Free, &wanted);
        assert_eq!(
            (selection.selected.len(), &selection.selected, &landscape.selected),
            (5, &wanted[..5].to_vec(), &selection.selected)
        );
        assert_eq!((selection.over_limit.as_slice(), selection.unknown.as_slice()), (&wanted[5..7], &wanted[7..]));
        assert!(landscape.choose(Provider::Slack, Tier::Pro, &wanted).over_limit.is_empty());
    }

    #[test]
    fn a_choice_of_labels_leaves_the_calendars_as_they_are() {
        let label = |id: &str| resource(id, id, ResourceKind::Label, json!({}));
        let calendar = resource("team@example.org", "Team", ResourceKind::Calendar, json!({}));
        let (inbox, sent) = (label("INBOX"), label("SENT"));
        let chosen = vec![inbox.id.clone(), calendar.id.clone()];
        let mut landscape = Landscape { resources: vec![inbox, sent.clone(), calendar.clone()], selected: chosen };
        landscape.choose(Provider::Google, Tier::Free, std::slice::from_ref(&sent.id));
        assert_eq!(landscape.selected, [sent.id, calendar.id]);
        landscape.choose(Provider::Google, Tier::Free, &[]);
        assert!(landscape.selected.is_empty());
    }

    #[test]
    fn defaults_fill_up_to_the_limit_and_keep_what_is_chosen() {
        let channels: Vec<_> =
            (0..7).map(|it| resource(&format!("C{it}"), "c", ResourceKind::Channel, json!({"num_members": it}))).collect();
        let chosen = channels[0].id.clone();
        let mut landscape = Landscape { resources: channels, selected: vec![chosen.clone()] };
        assert_eq!(landscape.choose_defaults(Platform::Slack, Some(3)).len(), 2);
        assert_eq!(landscape.selected[0], chosen);
        assert!(landscape.choose_defaults(Platform::Slack, Some(3)).is_empty());
    }
}
