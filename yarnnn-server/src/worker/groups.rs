//! Which kinds are claimed together: the plain ones in one call, each that has a weight or a limit in a call of its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use yarnnn_core::jobs::{JobKind, JobKinds};

/// Kinds that are claimed together.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) index: usize,
    pub(super) kinds: Vec<String>,
    /// Slots of one job; never more than there are, so that the heaviest runs alone.
    pub(super) weight: u32,
    /// How many at once.
    pub(super) concurrency: Option<u32>,
}

/// The kinds that a worker knows, and how it claims them.
pub(super) struct Groups {
    pub(super) all: Vec<Group>,
    by_kind: BTreeMap<&'static str, (usize, Arc<dyn JobKind>)>,
}

impl Groups {
    pub(super) fn of(kinds: &JobKinds, slots: u32) -> Self {
        let mut groups = Self { all: vec![], by_kind: BTreeMap::new() };
        for (name, kind) in kinds.iter() {
            let (weight, concurrency) = (kind.weight().clamp(1, slots), kind.concurrency().map(|it| it.max(1)));
            let plain = weight == 1 && concurrency.is_none();
            let together = groups.all.iter().position(|it| plain && it.weight == 1 && it.concurrency.is_none());
            let index = together.unwrap_or(groups.all.len());
            match groups.all.get_mut(index) {
                Some(group) => group.kinds.push(name.to_owned()),
                None => groups.all.push(Group { index, kinds: vec![name.to_owned()], weight, concurrency }),
            }
            groups.by_kind.insert(name, (index, kind.clone()));
        }
        groups
    }

    /// The code of a kind, and its group.
    pub(super) fn kind(&self, name: &str) -> Option<(&Group, Arc<dyn JobKind>)> {
        let (index, kind) = self.by_kind.get(name)?;
        Some((self.all.get(*index)?, kind.clone()))
    }

    /// The names of all kinds.
    pub(super) fn names(&self) -> Vec<String> {
        self.by_kind.keys().map(|it| (*it).to_owned()).collect()
    }
}
