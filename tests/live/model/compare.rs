//! What must be equal after a sync, and what explains that it is not.

use std::collections::{BTreeMap, BTreeSet};

use yarnnn::platform::{Gap, Platform, ResourceId};
use yarnnn::platform_sync::{SyncTrigger, SyncedPlatform, SyncedResource};

use super::stored::Stored;
use super::trouble::Trouble;
use super::world::{Expected, World};

/// What is remembered from sync to sync.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    last: Stored,
    /// Items whose time to live ended: nothing has to bring them back.
    expired: BTreeSet<(ResourceId, String)>,
    /// What was there when the resource was last read to its end.
    known: BTreeMap<ResourceId, BTreeSet<String>>,
    /// Comparisons in which everything had to be equal.
    pub(crate) exact: usize,
    /// Items of those.
    pub(crate) items: usize,
    /// Resources that were not read to their end, and said so.
    pub(crate) failures: usize,
    /// Gaps that were named.
    pub(crate) gaps: usize,
}

/// One sync and what surrounds it.
pub(crate) struct Synced<'a> {
    pub(crate) world: &'a World,
    pub(crate) trigger: SyncTrigger,
    pub(crate) trouble: &'a Trouble,
    pub(crate) before: &'a Stored,
    pub(crate) after: &'a Stored,
    pub(crate) reports: &'a [SyncedPlatform],
}

impl Memory {
    /// What does not hold.
    pub(crate) fn compare(&mut self, synced: &Synced<'_>) -> Vec<String> {
        let mut problems = synced.after.twice.clone();
        self.note_expired(synced.before);
        for report in synced.reports {
            if !report.outcome.is_ok() && !synced.trouble.may_fail.contains(&report.platform) {
                problems.push(format!("{}: {} without any cause: {:?}", report.platform, report.outcome.as_str(), report.error));
            }
            for resource in &report.resources {
                let found = self.resource(synced, report.platform, resource);
                problems.extend(found.into_iter().map(|it| format!("{} {}: {it}", report.platform, resource.resource_id)));
            }
        }
        problems.extend(untouched(synced));
        self.last = synced.after.clone();
        problems
    }

    /// What is no longer there although nobody took it away has come to the end of its life.
    fn note_expired(&mut self, before: &Stored) {
        for (resource, items) in &self.last.items {
            let left = before.of(resource);
            let gone = items.keys().filter(|it| !left.contains_key(*it));
            self.expired.extend(gone.map(|it| (resource.clone(), it.clone())));
        }
    }

    fn resource(&mut self, synced: &Synced<'_>, platform: Platform, report: &SyncedResource) -> Vec<String> {
        let Ok(id) = ResourceId::new(platform, &report.resource_id) else { return vec!["a wrong id".to_owned()] };
        let expected = synced.world.expected(platform, &report.resource_id);
        self.gaps += report.gaps.len();
        let mut problems = if !report.outcome.is_ok() {
            self.failures += 1;
            self.failed(synced, &id, &expected, &report.gaps)
        } else if synced.trouble.silent.contains(&platform) {
            sound(synced, &id, &expected)
        } else if synced.trigger == SyncTrigger::Manual {
            self.exact += 1;
            self.items += expected.len();
            self.equal(synced, &id, &expected, &report.gaps)
        } else {
            self.told(synced, &id, &expected, &report.gaps)
        };
        if report.outcome.is_ok() {
            if synced.after.states.get(&id).is_none_or(|it| it.last_error.is_some()) {
                problems.push("read to its end, but the registry names an error".to_owned());
            }
            if !synced.trouble.silent.contains(&platform) {
                self.known.insert(id.clone(), expected.into_iter().map(|it| it.id).collect());
            }
        }
        for item in synced.after.of(&id).into_keys() {
            self.expired.remove(&(id.clone(), item));
        }
        problems
    }

    fn is_excused(&self, id: &ResourceId, item: &Expected, gaps: &[Gap]) -> bool {
        let inside = |it: &Gap| it.from.is_none_or(|from| from <= item.at) && it.to.is_none_or(|to| item.at <= to);
        !item.is_needed || self.expired.contains(&(id.clone(), item.id.clone())) || gaps.iter().any(inside)
    }

    /// Everything is as it is at the source.
    fn equal(&self, synced: &Synced<'_>, id: &ResourceId, expected: &[Expected], gaps: &[Gap]) -> Vec<String> {
        let stored = synced.after.of(id);
        let mut problems = vec![];
        for item in expected {
            match stored.get(&item.id) {
                None if self.is_excused(id, item, gaps) => {}
                None => problems.push(format!("{} of {} is missing", item.id, item.at)),
                Some(marks) if *marks == item.marks => {}
                Some(marks) => problems.push(format!("{} reads {marks:?} instead of {:?}", item.id, item.marks)),
            }
        }
        let there: BTreeSet<&str> = expected.iter().map(|it| it.id.as_str()).collect();
        let extra = stored.keys().filter(|it| !there.contains(it.as_str()));
        problems.extend(extra.map(|it| format!("{it} is stored and no longer there")));
        problems
    }

    /// A sync that fails loses nothing and invents nothing. It moves nothing, unless what is new was read and only what was stored
    /// could not be read once more.
    fn failed(&self, synced: &Synced<'_>, id: &ResourceId, expected: &[Expected], gaps: &[Gap]) -> Vec<String> {
        let (before, after) = (synced.before.states.get(id), synced.after.states.get(id));
        let is_heard = !synced.trouble.silent.contains(&id.platform());
        let mut problems = sound(synced, id, expected);
        if before.and_then(|it| it.cursor.clone()) != after.and_then(|it| it.cursor.clone()) {
            problems.extend(if is_heard { self.told(synced, id, expected, gaps) } else { vec![] });
        } else if is_heard {
            problems.extend(failing_to_keep(synced, id, expected));
        }
        if after.is_none_or(|it| it.last_error.is_none()) {
            problems.push("failed, but the registry names no error".to_owned());
        }
        problems
    }

    /// What has come since the last sync is there, and nothing is wrong that was right.
    fn told(&self, synced: &Synced<'_>, id: &ResourceId, expected: &[Expected], gaps: &[Gap]) -> Vec<String> {
        let stored = synced.after.of(id);
        let mut problems = failing_to_keep(synced, id, expected);
        let known = self.known.get(id);
        let new = expected.iter().filter(|it| it.is_told && known.is_some_and(|known| !known.contains(&it.id)));
        let missing = new.filter(|it| !stored.contains_key(&it.id) && !self.is_excused(id, it, gaps));
        problems.extend(missing.map(|it| format!("{} of {} is new and missing", it.id, it.at)));
        problems.extend(sound(synced, id, expected));
        problems
    }
}

/// What was stored and is still there stays stored.
fn failing_to_keep(synced: &Synced<'_>, id: &ResourceId, expected: &[Expected]) -> Vec<String> {
    let (before, after) = (synced.before.of(id), synced.after.of(id));
    let lost = expected.iter().filter(|it| it.is_needed && before.contains_key(&it.id) && !after.contains_key(&it.id));
    lost.map(|it| format!("{} was stored, is there, and is lost", it.id)).collect()
}

/// Everything stored is what it was before or what it is at the source.
fn sound(synced: &Synced<'_>, id: &ResourceId, expected: &[Expected]) -> Vec<String> {
    let before = synced.before.of(id);
    let is_right =
        |item: &str, marks| before.get(item) == Some(marks) || expected.iter().any(|it| it.id == item && it.marks == *marks);
    let after = synced.after.of(id);
    let wrong = after.iter().filter(|(item, marks)| !is_right(item, marks));
    wrong.map(|(item, marks)| format!("{item} reads {marks:?}, which it never did")).collect()
}

/// What was not synced is as it was.
fn untouched(synced: &Synced<'_>) -> Vec<String> {
    let reported = |id: &ResourceId| {
        let of_platform = synced.reports.iter().filter(|it| it.platform == id.platform());
        of_platform.into_iter().any(|it| it.resources.iter().any(|it| it.resource_id == id.as_str()))
    };
    let others = synced.before.items.keys().filter(|it| !reported(it));
    others
        .filter(|it| synced.before.of(it) != synced.after.of(it))
        .map(|it| format!("{it} was not synced, and changed"))
        .collect()
}
