//! Verify: binds every statement of a draft to the bytes it stands on, or marks it as inference. No model takes part.

use std::collections::HashMap;

use async_trait::async_trait;

use super::draft::Draft;
use super::material::{MaterialItem, standing};
use super::names::Names;
use super::report::{Block, Report, Statement, parse_markdown};
use super::version::{RunState, Tally};
use crate::error::Error;
use crate::evidence::{BindableItem, Evidence, SentenceRecord, bind, bind_run, quotations_stand, quote_stands};
use crate::pipeline::{Stage, StageCx};

/// Binds statements.
#[derive(Debug, Clone, Copy)]
pub(super) struct Verify;

/// A draft and the items it was written from.
pub(super) struct VerifyInput {
    pub(super) draft: Draft,
    pub(super) state: RunState,
    pub(super) items: Vec<MaterialItem>,
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
        let blocks = parse_markdown(&input.draft.markdown, &Names::of(&input.items));
        let sentences = bind_all(&blocks, &input.state, &input.items);
        if sentences.is_empty() && !input.state.quiet {
            return Err(Error::Failed("the draft has no statement".into()));
        }
        let tally = tally(&sentences);
        Ok(Verified { sentences, tally })
    }
}

/// All statements of a body with their evidence, in order.
pub(super) fn bind_all(blocks: &[Block], state: &RunState, items: &[MaterialItem]) -> Vec<SentenceRecord> {
    let items = Items::of(state, items);
    let bound = Report::items_of(blocks).into_iter().flat_map(|it| items.bind(&it.statements));
    bound.zip(0..).map(|((text, evidence), index)| SentenceRecord { index, text, evidence }).collect()
}

/// The gathered items, by reference and in order.
struct Items<'a> {
    by_reference: HashMap<&'a str, usize>,
    all: Vec<BindableItem<'a>>,
}

impl<'a> Items<'a> {
    fn of(state: &'a RunState, items: &'a [MaterialItem]) -> Self {
        let mut by_reference = HashMap::new();
        let mut all = Vec::new();
        for (reference, item) in standing(state, items) {
            by_reference.insert(reference.reference.as_str(), all.len());
            all.push(BindableItem::new(item.id, &item.content));
        }
        Self { by_reference, all }
    }

    /// The statements of one paragraph or list item with their evidence: each by itself, or, where that leaves one without,
    /// all of them as one copied run.
    fn bind(&self, statements: &[Statement]) -> Vec<(String, Vec<Evidence>)> {
        let mut bound: Vec<_> = statements.iter().map(|it| (it.text.clone(), self.evidence(it))).collect();
        // What stands before the run like a label was not copied with it.
        let labels = usize::from(statements.first().is_some_and(Statement::is_label));
        let run = statements.get(labels..).unwrap_or_default();
        let one_source = run.windows(2).all(|pair| pair[0].cites == pair[1].cites);
        if one_source && bound.iter().skip(labels).any(|(_, evidence)| evidence.is_empty()) {
            let texts: Vec<_> = run.iter().map(|it| it.text.as_str()).collect();
            let cited = run.first().map(|it| self.cited(it)).unwrap_or_default();
            for ((_, evidence), found) in bound.iter_mut().skip(labels).zip(bind_run(&texts, &cited).unwrap_or_default()) {
                *evidence = self.standing(vec![found]);
            }
        }
        for (text, evidence) in &mut bound {
            // One false quotation beside a true one makes the whole statement false.
            let quoted = self.all.iter().filter(|item| evidence.iter().any(|it| it.content_id == item.content_id()));
            if !evidence.is_empty() && !quotations_stand(text, &quoted.collect::<Vec<_>>()) {
                evidence.clear();
            }
        }
        bound
    }

    fn cited(&self, statement: &Statement) -> Vec<&BindableItem<'a>> {
        statement.cites.iter().filter_map(|it| self.by_reference.get(it.as_str()).map(|at| &self.all[*at])).collect()
    }

    fn evidence(&self, statement: &Statement) -> Vec<Evidence> {
        self.standing(bind(&statement.text, &self.cited(statement), &self.all))
    }

    /// Only quotes that stand in their revision, byte for byte.
    fn standing(&self, mut evidence: Vec<Evidence>) -> Vec<Evidence> {
        evidence.retain(|it| self.all.iter().any(|item| item.content_id() == it.content_id && quote_stands(it, item.content())));
        evidence
    }
}

pub(super) fn tally(sentences: &[SentenceRecord]) -> Tally {
    let count = |holds: &dyn Fn(&SentenceRecord) -> bool| {
        u32::try_from(sentences.iter().filter(|it| holds(it)).count()).unwrap_or(u32::MAX)
    };
    let inference = count(&SentenceRecord::is_inference);
    Tally { sentences: count(&|_| true), with_evidence: count(&|it| !it.is_inference()), inference }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliverables::testing::{item, state_of};

    #[test]
    fn a_false_quotation_is_not_proven_by_what_stands_beside_it() {
        let items = [item("We moved the launch to Thursday because the importer is too slow for large shops.")];
        let evidence =
            |draft: &str| bind_all(&parse_markdown(draft, &Names::of(&items)), &state_of(&items), &items)[0].evidence.len();
        let shared = "because the importer is too slow for large shops";
        assert_eq!(evidence(&format!("- Ana said \"We moved the launch to Thursday {shared}.\" [s1]")), 1);
        assert_eq!(evidence(&format!("- Ana said \"We cancelled the launch on Friday {shared}.\" [s1]")), 0);
        assert_eq!(evidence(&format!("- The \"launch\" moved {shared}, „gar nicht gut so“. [s1]")), 0);
    }
}
