//! Random edits, deletions, returns and cuts: what is stored is what is there, minus the gaps that are named.

use proptest::prelude::*;
use yarnnn_core::platform::{Budget, Gap};

use super::reader::Reader;
use super::workspace::{OTHER_SOURCE, SOURCE, Workspace, id, live};

#[derive(Debug, Clone)]
enum Step {
    Add(bool),
    Edit(u32),
    Trash(u32),
    Restore(u32),
    Hide(u32),
    Show(u32),
    Pass(i64),
    Sync {
        audit: bool,
    },
    /// A sync in which the call after so many fails.
    Fail {
        after: usize,
        audit: bool,
    },
    /// The database goes to the trash, a sync sees it, and it comes back.
    Away,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => any::<bool>().prop_map(Step::Add),
        4 => any::<u32>().prop_map(Step::Edit),
        1 => any::<u32>().prop_map(Step::Trash),
        1 => any::<u32>().prop_map(Step::Restore),
        1 => any::<u32>().prop_map(Step::Hide),
        1 => any::<u32>().prop_map(Step::Show),
        4 => (5_i64..200).prop_map(Step::Pass),
        3 => any::<bool>().prop_map(|audit| Step::Sync { audit }),
        1 => (0_usize..12, any::<bool>()).prop_map(|(after, audit)| Step::Fail { after, audit }),
        1 => Just(Step::Away),
    ]
}

struct Play {
    workspace: Workspace,
    reader: Reader,
    rows: u32,
    texts: u32,
    /// Rows that came back without having been edited: only an audit can see them.
    returned: Vec<String>,
}

impl Play {
    fn new(cap: Option<u32>, per_page: usize, max_items: usize, query_limit: usize) -> Self {
        let workspace = Workspace::new();
        let mut state = workspace.state();
        (state.per_page, state.query_limit) = (per_page, query_limit);
        state.sources.push(OTHER_SOURCE.to_owned());
        drop(state);
        let mut reader = Reader::database(workspace.client());
        reader.budget = Budget { cap, max_items, ..Budget::default() };
        Self { workspace, reader, rows: 0, texts: 0, returned: vec![] }
    }

    async fn play(&mut self, step: Step) {
        match step {
            Step::Add(other) => {
                self.texts += 1;
                let source = if other { OTHER_SOURCE } else { SOURCE };
                self.workspace.add(self.rows, Some(source), &format!("text {}", self.texts));
                self.rows += 1;
            }
            Step::Pass(seconds) => self.workspace.pass(seconds),
            Step::Sync { audit } => self.sync(audit).await,
            Step::Fail { after, audit } => {
                let before = self.reader.cursor.clone();
                self.workspace.state().fails_after = Some(after);
                let failed = self.reader.sync(audit).await.is_err();
                assert!(!failed || self.reader.cursor == before);
                // A row that was refused is named, and read by the next audit.
                let named = |it: &String| it.split_once(": ").map(|(id, _)| id.to_owned());
                self.returned.extend(self.reader.quarantined.iter().filter_map(named));
                self.workspace.state().fails_after = None;
            }
            Step::Away => {
                self.workspace.state().database_trashed = true;
                self.reader.sync(true).await.unwrap();
                assert!(self.reader.stored.is_empty() || self.reader.cursor.is_none());
                self.workspace.state().database_trashed = false;
            }
            Step::Edit(row) | Step::Trash(row) | Step::Restore(row) | Step::Hide(row) | Step::Show(row) if self.rows > 0 => {
                self.change(id(row % self.rows), &step);
            }
            _ => {}
        }
    }

    fn change(&mut self, row: String, step: &Step) {
        if let Step::Edit(_) = step {
            self.texts += 1;
            return self.workspace.edit(&row, &format!("text {}", self.texts));
        }
        self.workspace.change(&row, |it| match step {
            Step::Trash(_) => it.trashed = true,
            Step::Restore(_) => it.trashed = false,
            Step::Hide(_) => it.hidden = true,
            _ => it.hidden = false,
        });
        self.returned.push(row);
    }

    async fn sync(&mut self, audit: bool) {
        let is_first = self.reader.cursor.is_none();
        self.reader.sync(audit).await.unwrap();
        if audit && !is_first {
            self.returned.clear();
        }
        self.check(audit && !is_first);
    }

    /// What is there is stored as it is, or lies in a gap; after an audit, what is stored is there.
    fn check(&self, is_audited: bool) {
        let (state, stored) = (self.workspace.state(), self.reader.texts());
        for (row, page) in state.pages.iter().filter(|(_, it)| !it.trashed && !it.hidden) {
            let text = state.blocks[row][0]["paragraph"]["rich_text"][0]["plain_text"].as_str().unwrap();
            let is_excused = self.reader.gaps.iter().any(|it| is_in(it, page.edited)) || self.returned.contains(row);
            assert!(
                is_excused || stored.get(row.as_str()) == Some(&text),
                "{row} has {text}, stored {:?}",
                stored.get(row.as_str())
            );
        }
        drop(state);
        let live = live(&self.workspace);
        assert!(!is_audited || stored.keys().all(|it| live.contains(*it)), "{stored:?} of {live:?}");
    }
}

fn is_in(gap: &Gap, edited: chrono::DateTime<chrono::Utc>) -> bool {
    gap.from.is_none_or(|it| it <= edited) && gap.to.is_none_or(|it| edited <= it)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]
    #[test]
    fn what_is_stored_is_what_is_there_but_for_named_gaps(
        steps in prop::collection::vec(step(), 1..60),
        cap in prop::option::of(1_u32..6),
        per_page in 1_usize..5,
        max_items in 1_usize..4,
        query_limit in prop_oneof![Just(10_000_usize), 3_usize..9],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let mut play = Play::new(cap, per_page, max_items, query_limit);
            for step in steps {
                play.play(step).await;
            }
            play.workspace.pass(600);
            // Everybody rests: after as many syncs as there are rows nothing is left out.
            for _ in 0..=play.rows {
                play.sync(true).await;
            }
            let beyond = play.reader.gaps.iter().all(|it| it.reason.contains("than Notion lists"));
            assert!(beyond, "{:?}", play.reader.gaps);
            if query_limit > 1_000 {
                assert_eq!(play.reader.gaps, []);
                assert_eq!(play.reader.stored.len(), live(&play.workspace).len());
            }
        });
    }
}
