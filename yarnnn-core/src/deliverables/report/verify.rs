//! Verify: binds every statement of a draft to the bytes it stands on, or marks it as inference. No model takes part.
//!
//! Drafts and items are text of others: how much of them is compared is bounded, and between two statements other work gets its
//! turn and a run that is stopped ends.

use std::collections::HashMap;

use async_trait::async_trait;

use super::super::names::Names;
use super::super::version::{RunState, Tally};
use super::model::{Block, Report, Statement, parse_markdown};
use crate::deliverables::gathering::material::{MaterialItem, standing};
use crate::deliverables::writing::draft::Draft;
use crate::error::Error;
use crate::evidence::{BindableItem, Effort, Evidence, SentenceRecord, bind, bind_run, quotations_stand};
use crate::pipeline::{Stage, StageCx};

/// Binds statements.
#[derive(Debug, Clone, Copy)]
pub(in crate::deliverables) struct Verify;

/// A draft and the items it was written from.
pub(in crate::deliverables) struct VerifyInput {
    pub(in crate::deliverables) draft: Draft,
    pub(in crate::deliverables) state: RunState,
    pub(in crate::deliverables) items: Vec<MaterialItem>,
}

/// The statements with their evidence.
pub(in crate::deliverables) struct Verified {
    pub(in crate::deliverables) sentences: Vec<SentenceRecord>,
    pub(in crate::deliverables) tally: Tally,
}

#[async_trait]
impl Stage<VerifyInput> for Verify {
    type Output = Verified;

    fn name(&self) -> &'static str {
        "verify"
    }

    async fn run(&self, cx: &StageCx, input: VerifyInput) -> Result<Verified, Error> {
        let blocks = parse_markdown(&input.draft.markdown, &Names::of(&input.items));
        let sentences = bind_all(cx, &blocks, &input.state, &input.items).await?;
        if sentences.is_empty() && !input.state.quiet {
            return Err(Error::Failed("the draft has no statement".into()));
        }
        let tally = tally(&sentences);
        Ok(Verified { sentences, tally })
    }
}

/// All statements of a body with their evidence, in order.
///
/// # Errors
/// `Cancelled`, between two statements.
pub(in crate::deliverables) async fn bind_all(
    cx: &StageCx,
    blocks: &[Block],
    state: &RunState,
    items: &[MaterialItem],
) -> Result<Vec<SentenceRecord>, Error> {
    let (items, mut effort) = (Items::of(cx, state, items).await?, Effort::of_a_draft());
    let mut bound = Vec::new();
    for it in Report::items_of(blocks) {
        bound.extend(items.bind(cx, &it.statements, &mut effort).await?);
    }
    Ok(bound.into_iter().zip(0..).map(|((text, evidence), index)| SentenceRecord { index, text, evidence }).collect())
}

/// Lets other work have its turn.
async fn pause(cx: &StageCx) -> Result<(), Error> {
    tokio::task::yield_now().await;
    cx.check()
}

/// The gathered items, by reference and in order.
struct Items<'a> {
    by_reference: HashMap<&'a str, usize>,
    all: Vec<BindableItem<'a>>,
}

impl<'a> Items<'a> {
    async fn of(cx: &StageCx, state: &'a RunState, items: &'a [MaterialItem]) -> Result<Self, Error> {
        let mut by_reference = HashMap::new();
        let mut all = Vec::new();
        for (reference, item) in standing(state, items) {
            by_reference.insert(reference.reference.as_str(), all.len());
            all.push(BindableItem::new(item.id, &item.content));
            pause(cx).await?;
        }
        Ok(Self { by_reference, all })
    }

    /// The statements of one paragraph or list item with their evidence: each by itself, or, where that leaves one without,
    /// all of them as one copied run.
    async fn bind(
        &self,
        cx: &StageCx,
        statements: &[Statement],
        effort: &mut Effort,
    ) -> Result<Vec<(String, Vec<Evidence>)>, Error> {
        let mut bound = Vec::with_capacity(statements.len());
        for it in statements {
            pause(cx).await?;
            bound.push((it.text.clone(), self.evidence(it, effort)));
        }
        self.bind_run(statements, &mut bound, effort);
        for (text, evidence) in bound.iter_mut().filter(|(_, evidence)| !evidence.is_empty()) {
            pause(cx).await?;
            // One false quotation beside a true one makes the whole statement false.
            let quoted = self.all.iter().filter(|item| evidence.iter().any(|it| it.content_id == item.content_id()));
            effort.next_statement();
            if !quotations_stand(text, &quoted.collect::<Vec<_>>(), effort) {
                evidence.clear();
            }
        }
        Ok(bound)
    }

    /// Binds statements that were copied in one go, if one of them has nothing by itself.
    fn bind_run(&self, statements: &[Statement], bound: &mut [(String, Vec<Evidence>)], effort: &mut Effort) {
        // What stands before the run like a label was not copied with it.
        let labels = usize::from(statements.first().is_some_and(Statement::is_label));
        let run = statements.get(labels..).unwrap_or_default();
        let one_source = run.windows(2).all(|pair| pair[0].cites == pair[1].cites);
        if !one_source || bound.iter().skip(labels).all(|(_, evidence)| !evidence.is_empty()) {
            return;
        }
        let texts: Vec<_> = run.iter().map(|it| it.text.as_str()).collect();
        let cited = run.first().map(|it| self.cited(it)).unwrap_or_default();
        effort.next_statement();
        let found = bind_run(&texts, &cited, effort).unwrap_or_default();
        for ((_, evidence), found) in bound.iter_mut().skip(labels).zip(found) {
            *evidence = self.standing(vec![found]);
        }
    }

    fn cited(&self, statement: &Statement) -> Vec<&BindableItem<'a>> {
        statement.cites.iter().filter_map(|it| self.by_reference.get(it.as_str()).map(|at| &self.all[*at])).collect()
    }

    fn evidence(&self, statement: &Statement, effort: &mut Effort) -> Vec<Evidence> {
        effort.next_statement();
        self.standing(bind(&statement.text, &self.cited(statement), &self.all, effort))
    }

    /// Only quotes that stand in their revision, byte for byte.
    fn standing(&self, mut evidence: Vec<Evidence>) -> Vec<Evidence> {
        evidence.retain(|it| self.all.iter().any(|item| item.holds(it)));
        evidence
    }
}

pub(in crate::deliverables) fn tally(sentences: &[SentenceRecord]) -> Tally {
    let count = |holds: &dyn Fn(&SentenceRecord) -> bool| {
        u32::try_from(sentences.iter().filter(|it| holds(it)).count()).unwrap_or(u32::MAX)
    };
    let inference = count(&SentenceRecord::is_inference);
    Tally { sentences: count(&|_| true), with_evidence: count(&|it| !it.is_inference()), inference }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::SystemClock;
    use crate::deliverables::testing::{item, state_of};
    use crate::pipeline::CancelHandle;

    async fn records(draft: &str, items: &[MaterialItem]) -> Vec<SentenceRecord> {
        let cx = StageCx::new(Arc::new(SystemClock));
        bind_all(&cx, &parse_markdown(draft, &Names::of(items)), &state_of(items), items).await.unwrap()
    }

    #[tokio::test]
    async fn a_false_quotation_is_not_proven_by_what_stands_beside_it() {
        let items = [item("We moved the launch to Thursday because the importer is too slow for large shops.")];
        let shared = "because the importer is too slow for large shops";
        for (draft, proven) in [
            (format!("- Ana said \"We moved the launch to Thursday {shared}.\" [s1]"), 1),
            (format!("- Ana said \"We cancelled the launch on Friday {shared}.\" [s1]"), 0),
            (format!("- The \"launch\" moved {shared}, „gar nicht gut so“. [s1]"), 0),
        ] {
            assert_eq!(records(&draft, &items).await[0].evidence.len(), proven, "{draft}");
        }
    }

    #[tokio::test]
    async fn what_repeats_itself_takes_nothing_from_its_neighbours() {
        let said = "We moved the launch to Thursday because the importer is too slow for large shops.";
        let items = [item(&vec!["xaaaa aaaa aaaa aaaa aaaa aaaa"; 1_200].join(" ")), item(said)];
        let endless = vec!["aaaa"; 6_000].join(" ");
        let found = records(&format!("- {endless} [s1]\n- {said} [s2]\n- {endless}\n- {said} [s1]\n"), &items).await;
        assert_eq!(found.iter().map(|it| it.evidence.len()).collect::<Vec<_>>(), [0, 1, 0, 1]);
    }

    #[tokio::test]
    async fn a_run_that_is_stopped_binds_no_further_statement() {
        let (items, cancel) =
            ([item("We moved the launch to Thursday because the importer is too slow.")], CancelHandle::default());
        let cx = StageCx::new(Arc::new(SystemClock)).with_cancel(cancel.token());
        let blocks = parse_markdown("- We moved the launch. [s1]\n- All is well.", &Names::of(&items));
        let state = state_of(&items);
        let mut work = std::pin::pin!(bind_all(&cx, &blocks, &state, &items));
        assert!(turn(work.as_mut()).await.is_none(), "it gives way before it is done");
        cancel.cancel();
        assert!(matches!(work.await, Err(Error::Cancelled)));
    }

    /// What a future answers at its next turn.
    async fn turn<F: Future>(mut future: std::pin::Pin<&mut F>) -> Option<F::Output> {
        std::future::poll_fn(|cx| {
            std::task::Poll::Ready(match future.as_mut().poll(cx) {
                std::task::Poll::Ready(output) => Some(output),
                std::task::Poll::Pending => None,
            })
        })
        .await
    }
}
