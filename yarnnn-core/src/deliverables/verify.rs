//! Verify: binds every statement of a draft to the bytes it stands on, or marks it as inference. No model takes part.

use std::collections::HashMap;

use async_trait::async_trait;

use super::draft::Draft;
use super::report::{Report, Statement, parse_markdown};
use super::version::{RunState, Tally};
use crate::error::Error;
use crate::evidence::{BindableItem, SentenceRecord, bind, quote_stands};
use crate::hash::Sha256;
use crate::pipeline::{Stage, StageCx};
use crate::sync::StoredItem;

/// Binds statements.
#[derive(Debug, Clone, Copy)]
pub(super) struct Verify;

/// A draft and the items it was written from.
pub(super) struct VerifyInput {
    pub(super) draft: Draft,
    pub(super) state: RunState,
    pub(super) items: Vec<StoredItem>,
}

/// The statements with their evidence.
pub(super) struct Verified {
    pub(super) sentences: Vec<SentenceRecord>,
    pub(super) tally: Tally,
}

#[async_trait]
impl Stage<VerifyInput> for Verify {
    type Output = Verified;

    fn name(&self) -> &'static str {
        "verify"
    }

    async fn run(&self, _cx: &StageCx, input: VerifyInput) -> Result<Verified, Error> {
        let blocks = parse_markdown(&input.draft.markdown);
        let statements = Report::statements_of(&blocks);
        if statements.is_empty() {
            return Err(Error::Failed("the draft has no statement".into()));
        }
        let items = Items::of(&input.state, &input.items);
        let records = statements.into_iter().enumerate().map(|(index, it)| items.record(index, it));
        let sentences: Vec<_> = records.collect();
        let tally = tally(&sentences);
        Ok(Verified { sentences, tally })
    }
}

/// The gathered items, by reference and in order.
struct Items<'a> {
    by_reference: HashMap<&'a str, usize>,
    all: Vec<BindableItem<'a>>,
}

impl<'a> Items<'a> {
    /// Only rows that still are the revision that was gathered can stand behind a statement.
    fn of(state: &'a RunState, items: &'a [StoredItem]) -> Self {
        let rows: HashMap<_, _> = items.iter().map(|it| (it.id, it)).collect();
        let mut by_reference = HashMap::new();
        let mut all = Vec::new();
        for material in &state.material {
            let Some(row) = rows.get(&material.content_id).filter(|it| Sha256::of(&it.content) == material.revision) else {
                continue;
            };
            by_reference.insert(material.reference.as_str(), all.len());
            all.push(BindableItem::new(row.id, &row.content));
        }
        Self { by_reference, all }
    }

    fn record(&self, index: usize, statement: &Statement) -> SentenceRecord {
        let cited: Vec<_> =
            statement.cites.iter().filter_map(|it| self.by_reference.get(it.as_str()).map(|at| &self.all[*at])).collect();
        let mut evidence = bind(&statement.text, &cited, &self.all);
        evidence.retain(|it| self.all.iter().any(|item| item.content_id() == it.content_id && quote_stands(it, item.content())));
        SentenceRecord { index: u32::try_from(index).unwrap_or(u32::MAX), text: statement.text.clone(), evidence }
    }
}

fn tally(sentences: &[SentenceRecord]) -> Tally {
    let count = |holds: &dyn Fn(&SentenceRecord) -> bool| {
        u32::try_from(sentences.iter().filter(|it| holds(it)).count()).unwrap_or(u32::MAX)
    };
    let inference = count(&SentenceRecord::is_inference);
    Tally { sentences: count(&|_| true), with_evidence: count(&|it| !it.is_inference()), inference }
}
