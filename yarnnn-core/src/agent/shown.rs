//! Which items a session has shown, and how each is cited.

use std::collections::HashMap;

use crate::id::ContentId;
use crate::sync::StoredItem;

/// References by item. One item, one reference, as long as the session lasts.
#[derive(Debug)]
pub(super) struct Shown {
    by_item: HashMap<ContentId, String>,
    by_reference: HashMap<String, ContentId>,
    next: usize,
}

impl Shown {
    /// Begins with what the task showed. A number that is taken is never given again, whatever the task says comes next.
    pub(super) fn new(known: &[(ContentId, String)], next: usize) -> Self {
        let by_item = known.iter().cloned().collect();
        let by_reference = known.iter().map(|(id, reference)| (reference.clone(), *id)).collect();
        Self { by_item, by_reference, next }
    }

    /// The reference of an item, a new one if it has none.
    pub(super) fn cite(&mut self, item: &StoredItem) -> String {
        if let Some(reference) = self.by_item.get(&item.id) {
            return reference.clone();
        }
        let reference = self.fresh();
        self.by_item.insert(item.id, reference.clone());
        self.by_reference.insert(reference.clone(), item.id);
        reference
    }

    /// The item behind a reference.
    pub(super) fn item(&self, reference: &str) -> Option<ContentId> {
        self.by_reference.get(reference).copied()
    }

    fn fresh(&mut self) -> String {
        loop {
            let reference = format!("s{}", self.next);
            self.next += 1;
            if !self.by_reference.contains_key(&reference) {
                return reference;
            }
        }
    }
}
