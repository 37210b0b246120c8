//! What a page means for the rows that are there: a pure function from known rows and new revisions to what must be written.
//!
//! An item that a page both shows and calls gone is there: it was read in full. When a page shows an item more than once,
//! the last one counts, and the others are records of which nothing had to be stored.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use serde_json::Value;
use yarnnn_core::id::ContentId;
use yarnnn_core::sync::{Origin, Receipt};

use super::prepare::Revision;

/// A row of an item, as far as planning needs it.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) id: ContentId,
    pub(super) item_id: String,
    pub(super) content_hash: String,
    pub(super) is_current: bool,
    pub(super) retained: bool,
    pub(super) imported: bool,
    pub(super) withdrawn: bool,
    pub(super) fetched_at: DateTime<Utc>,
}

/// What must be written, in this order.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Rows that are no longer current.
    pub(super) retire: Vec<ContentId>,
    /// New rows, each with the row it replaces.
    pub(super) insert: Vec<(Revision, Option<ContentId>)>,
    /// Rows that are current again.
    pub(super) revive: Vec<ContentId>,
    /// Unretained rows that were seen again, with what the provider says now.
    pub(super) refresh: Vec<(ContentId, Value)>,
    /// Rows that were imported and are not known as such, whatever else keeps them.
    pub(super) keep: Vec<ContentId>,
    /// Rows that are no longer withdrawn.
    pub(super) restore: Vec<ContentId>,
    /// Unretained rows of items that are gone.
    pub(super) delete: Vec<ContentId>,
    /// Retained rows of items that are gone.
    pub(super) withdraw: Vec<ContentId>,
    /// Items that are gone, whether rows of them are known or not.
    pub(super) gone: Vec<String>,
    /// What will have been done.
    pub(super) receipt: Receipt,
}

/// The ids of all items that a page speaks of, each once.
pub(super) fn item_ids(revisions: &[Revision], gone: &[String]) -> Vec<String> {
    let ids: BTreeSet<&String> = revisions.iter().map(|it| &it.item_id).chain(gone).collect();
    ids.into_iter().cloned().collect()
}

impl Plan {
    /// Compares a page with the known rows of its items.
    pub(super) fn of(origin: Origin, revisions: Vec<Revision>, gone: Vec<String>, known: Vec<Known>) -> Self {
        let mut rows: HashMap<String, Vec<Known>> = HashMap::new();
        for row in known {
            rows.entry(row.item_id.clone()).or_default().push(row);
        }
        let mut plan = Self::default();
        let shown = plan.last_of_each(revisions);
        let gone: BTreeSet<String> = gone.into_iter().filter(|id| !shown.contains_key(id)).collect();
        for (item_id, revision) in shown {
            plan.see(origin, revision, rows.get(&item_id).map_or(&[], Vec::as_slice));
        }
        for row in gone.iter().filter_map(|id| rows.get(id)).flatten() {
            plan.lose(row);
        }
        plan.gone = gone.into_iter().collect();
        plan
    }

    /// The last revision of each item; the records of the others are counted as unchanged.
    fn last_of_each(&mut self, revisions: Vec<Revision>) -> BTreeMap<String, Revision> {
        let mut last = BTreeMap::new();
        for revision in revisions {
            if let Some(earlier) = last.insert(revision.item_id.clone(), revision) {
                let Revision { records, .. } = earlier;
                self.receipt.unchanged += u64::from(records);
            }
        }
        last
    }

    fn see(&mut self, origin: Origin, revision: Revision, rows: &[Known]) {
        self.restore.extend(rows.iter().filter(|row| row.withdrawn).map(|row| row.id));
        let hash = revision.content_hash.to_string();
        match rows.iter().find(|row| row.content_hash == hash) {
            Some(row) => self.see_again(origin, revision, row, rows),
            None => self.see_new(revision, rows),
        }
    }

    fn see_new(&mut self, revision: Revision, rows: &[Known]) {
        let current = rows.iter().find(|row| row.is_current);
        // Where nothing is current any more, the newest revision that is left is the one that is replaced.
        let replaced = current.or_else(|| rows.iter().max_by_key(|row| (row.fetched_at, row.id)));
        self.retire.extend(current.map(|row| row.id));
        self.receipt.new += u64::from(revision.records);
        self.receipt.revised += u64::from(replaced.is_some());
        self.insert.push((revision, replaced.map(|row| row.id)));
    }

    fn see_again(&mut self, origin: Origin, revision: Revision, row: &Known, rows: &[Known]) {
        self.receipt.unchanged += u64::from(revision.records);
        if !row.is_current {
            self.retire.extend(rows.iter().filter(|other| other.is_current).map(|other| other.id));
            self.revive.push(row.id);
        }
        if origin == Origin::Import && !row.imported {
            self.keep.push(row.id);
        }
        if !row.retained {
            self.refresh.push((row.id, revision.metadata));
        }
    }

    fn lose(&mut self, row: &Known) {
        match (row.retained, row.withdrawn) {
            (false, _) => self.delete.push(row.id),
            (true, false) => self.withdraw.push(row.id),
            (true, true) => return,
        }
        self.receipt.gone += 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;
    use uuid::Uuid;
    use yarnnn_core::hash::Sha256;
    use yarnnn_core::platform::ContentType;

    use super::*;

    fn id(number: u128) -> ContentId {
        ContentId::from_uuid(Uuid::from_u128(number))
    }

    fn seen(number: u128, item_id: &str, text: &str) -> Revision {
        Revision {
            id: id(number),
            item_id: item_id.into(),
            content_type: ContentType::Message,
            content_hash: Sha256::of(text),
            content: text.into(),
            title: None,
            author: None,
            is_user_authored: false,
            source_timestamp: None,
            metadata: json!({}),
            records: 1,
        }
    }

    fn row(number: u128, item_id: &str, text: &str, is_current: bool, retained: bool) -> Known {
        Known {
            id: id(number),
            item_id: item_id.into(),
            content_hash: Sha256::of(text).to_string(),
            is_current,
            retained,
            imported: retained,
            withdrawn: false,
            fetched_at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_new_item_is_inserted_and_a_new_revision_replaces_the_current_one() {
        let plan =
            Plan::of(Origin::Live, vec![seen(1, "a", "A"), seen(2, "b", "B2")], vec![], vec![row(9, "b", "B1", true, true)]);
        assert_eq!(plan.insert.iter().map(|(it, of)| (it.id, *of)).collect::<Vec<_>>(), [(id(1), None), (id(2), Some(id(9)))]);
        assert_eq!(plan.retire, [id(9)]);
        assert_eq!(plan.receipt, Receipt { new: 2, unchanged: 0, revised: 1, gone: 0 });
    }

    #[test]
    fn what_is_retained_and_current_is_not_written_again() {
        for origin in [Origin::Live, Origin::Import] {
            let plan = Plan::of(origin, vec![seen(1, "a", "A")], vec![], vec![row(9, "a", "A", true, true)]);
            assert!(plan.is_empty(), "{plan:?}");
            assert_eq!(plan.receipt, Receipt { unchanged: 1, ..Receipt::default() });
        }
    }

    #[test]
    fn an_import_keeps_what_was_not_imported_whatever_keeps_it() {
        let plan = Plan::of(Origin::Import, vec![seen(1, "a", "A")], vec![], vec![row(9, "a", "A", true, false)]);
        assert_eq!(plan.keep, [id(9)]);
        let cited = Known { imported: false, ..row(9, "a", "A", true, true) };
        let plan = Plan::of(Origin::Import, vec![seen(1, "a", "A")], vec![], vec![cited.clone()]);
        assert_eq!((plan.keep, plan.refresh.len()), (vec![id(9)], 0));
        assert!(Plan::of(Origin::Live, vec![seen(1, "a", "A")], vec![], vec![cited]).is_empty());
    }

    #[test]
    fn a_revision_that_comes_back_makes_its_row_current() {
        let rows = vec![row(8, "a", "A", false, true), row(9, "a", "B", true, false)];
        let plan = Plan::of(Origin::Live, vec![seen(1, "a", "A")], vec![], rows);
        assert_eq!((plan.retire, plan.revive), (vec![id(9)], vec![id(8)]));
        assert!(plan.insert.is_empty() && plan.refresh.is_empty());
    }

    #[test]
    fn the_last_of_an_item_in_a_page_counts_and_the_page_wins_over_gone() {
        let page = vec![seen(1, "a", "A"), seen(2, "a", "B"), seen(3, "c", "C"), seen(4, "c", "C")];
        let plan = Plan::of(Origin::Live, page, vec!["a".into()], vec![]);
        assert_eq!(plan.insert.iter().map(|(it, _)| it.id).collect::<Vec<_>>(), [id(2), id(4)]);
        assert_eq!(plan.receipt, Receipt { new: 2, unchanged: 2, revised: 0, gone: 0 });
    }

    #[test]
    fn gone_deletes_what_nothing_retains_and_withdraws_the_rest_once() {
        let mut withdrawn = row(7, "a", "old", false, true);
        withdrawn.withdrawn = true;
        let rows = vec![withdrawn, row(8, "a", "A", false, true), row(9, "a", "B", true, false)];
        let plan = Plan::of(Origin::Live, vec![], vec!["a".into(), "a".into(), "unknown".into()], rows);
        assert_eq!((plan.delete, plan.withdraw, plan.receipt.gone), (vec![id(9)], vec![id(8)], 2));
    }

    #[test]
    fn an_item_that_is_seen_again_is_no_longer_withdrawn_in_any_revision() {
        let rows = [("A", true), ("B", false)]
            .map(|(text, is_current)| Known { withdrawn: true, ..row(9, "a", text, is_current, true) });
        let plan = Plan::of(Origin::Live, vec![seen(1, "a", "C")], vec![], rows.to_vec());
        assert_eq!(plan.restore.len(), 2);
    }

    proptest! {
        #[test]
        fn every_record_is_counted_once_and_no_row_is_both_kept_and_lost(
            page in prop::collection::vec((0_u8..4, 0_u8..3), 0..12),
            gone in prop::collection::vec(0_u8..5, 0..4),
            stored in prop::collection::vec((0_u8..5, 0_u8..3, any::<bool>(), any::<bool>()), 0..8),
            import: bool,
        ) {
            let origin = if import { Origin::Import } else { Origin::Live };
            let records = page.len() as u64;
            let revisions = (1..).zip(page).map(|(number, (item, text))| seen(number, &item.to_string(), &text.to_string())).collect();
            let gone = gone.into_iter().map(|it| it.to_string()).collect();
            let known = (100..).zip(stored).map(|(number, (item, text, current, retained))| {
                row(number, &item.to_string(), &text.to_string(), current, retained)
            });
            let plan = Plan::of(origin, revisions, gone, known.collect());
            prop_assert_eq!(plan.receipt.new + plan.receipt.unchanged, records);
            prop_assert!(plan.receipt.revised <= plan.insert.len() as u64);
            prop_assert!(plan.delete.iter().all(|it| !plan.retire.contains(it) && !plan.revive.contains(it)));
        }
    }

    impl Plan {
        fn is_empty(&self) -> bool {
            let ids = [&self.retire, &self.revive, &self.keep, &self.restore, &self.delete, &self.withdraw];
            ids.iter().all(|it| it.is_empty()) && self.insert.is_empty() && self.refresh.is_empty()
        }
    }
}
