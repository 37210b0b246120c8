//! Repair: what is wrong with a draft, said to its writer once. The words are the program's own: nothing of the draft, which was
//! written from synced text, is repeated outside of the writer's own turn.

use super::super::names::Names;
use super::super::version::RunState;
use crate::deliverables::gathering::material::MaterialItem;
use crate::deliverables::report::model::{Block, Report, parse_markdown, quotes_something};
use crate::deliverables::report::verify::bind_all;
use crate::error::Error;
use crate::pipeline::StageCx;

/// A draft is sent back when more than one in so many of its cited statements shares nothing with what it cites.
const TOLERATED: usize = 4;
/// Places that are named one by one.
const NAMED: usize = 12;

/// What is wrong with a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::deliverables) struct Complaint {
    /// What the writer is told.
    pub(in crate::deliverables) text: String,
    /// Whether the draft is a report all the same.
    pub(in crate::deliverables) is_usable: bool,
}

/// What is wrong with a draft; none when it can stand.
///
/// # Errors
/// `Cancelled`.
pub(in crate::deliverables) async fn complaint(
    cx: &StageCx,
    draft: &str,
    state: &RunState,
    items: &[MaterialItem],
) -> Result<Option<Complaint>, Error> {
    let blocks = parse_markdown(draft, &Names::of(items));
    let statements = Report::statements_of(&blocks);
    if statements.is_empty() || looks_like_json(draft) {
        let text = "This is no report: it has no statements in Markdown. Write the report now, as asked: sections as second-level \
                    headings, short bullets, each with its citation. Answer with the report and nothing else.";
        return Ok(Some(Complaint { text: text.to_owned(), is_usable: false }));
    }
    let records = bind_all(cx, &blocks, state, items).await?;
    let places = places(&blocks);
    let unproven = |quoted: bool| {
        let rows = statements.iter().zip(&records).zip(&places);
        let rows = rows.filter(move |((statement, record), _)| {
            record.is_inference() && if quoted { quotes_something(&statement.text) } else { !statement.cites.is_empty() }
        });
        rows.map(|(_, place)| place.clone()).collect::<Vec<_>>()
    };
    let (misquoted, miscited) = (unproven(true), unproven(false));
    let cited = statements.iter().filter(|it| !it.cites.is_empty()).count();
    if misquoted.is_empty() && miscited.len() * TOLERATED <= cited {
        return Ok(None);
    }
    let mut lines = vec!["Some statements cannot be found in the items that they cite.".to_owned()];
    lines.extend(told("These quote what does not stand in any item word for word", &misquoted));
    lines.extend(told("These share no six words in a row with what they cite", &miscited));
    lines.push(
        "Write the whole report once more. Take the wording of these statements from the items, correct their citations, or leave \
         them out. Keep the rest as it is. Answer with the report and nothing else."
            .to_owned(),
    );
    Ok(Some(Complaint { text: lines.join("\n"), is_usable: true }))
}

fn told(what: &str, places: &[String]) -> Option<String> {
    let named = places.iter().take(NAMED).cloned().collect::<Vec<_>>().join("; ");
    (!places.is_empty()).then(|| format!("{what}: {named}."))
}

/// A whole answer in braces or brackets is for a program.
fn looks_like_json(draft: &str) -> bool {
    let draft = draft.trim().trim_start_matches("```json").trim_matches(['`', '\n', ' ']);
    let is_wrapped = draft.starts_with('{') || draft.starts_with("[{");
    is_wrapped && serde_json::from_str::<serde_json::Value>(draft).is_ok()
}

/// Where each statement stands, counted: `section 2, item 3`.
fn places(blocks: &[Block]) -> Vec<String> {
    let (mut section, mut item, mut places) = (0, 0, Vec::new());
    for block in blocks {
        let items = match block {
            Block::Heading { level, .. } => {
                if *level == 2 {
                    (section, item) = (section + 1, 0);
                }
                continue;
            }
            Block::Paragraph(it) => std::slice::from_ref(it),
            Block::List { items } => items.as_slice(),
        };
        for it in items {
            item += 1;
            places.extend((0..it.statements.len()).map(|_| format!("section {section}, item {item}")));
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::SystemClock;
    use crate::deliverables::testing::{item, state_of};

    const TEXT: &str = "We moved the launch to Thursday because the importer is too slow for large shops.";

    async fn check(draft: &str) -> Option<Complaint> {
        let (items, cx) = ([item(TEXT)], StageCx::new(Arc::new(SystemClock)));
        complaint(&cx, draft, &state_of(&items), &items).await.unwrap()
    }

    #[tokio::test]
    async fn a_draft_that_stands_is_left_alone() {
        assert_eq!(
            check("## Summary\n- We moved the launch to Thursday because the importer is too slow. [s1]\n- Good news.\n").await,
            None
        );
    }

    #[tokio::test]
    async fn what_is_no_report_is_sent_back() {
        for draft in ["", "## Done\n\n## Next\n", "{\"report\": \"We moved the launch.\"}", "```json\n{\"a\": 1}\n```"] {
            assert!(!check(draft).await.expect(draft).is_usable, "{draft}");
        }
    }

    #[tokio::test]
    async fn a_wrong_quotation_is_named_by_its_place_and_never_repeated() {
        let found = check("## Summary\n- Fine.\n- Ana said \"we moved it to Friday, sadly\". [s1]\n").await.unwrap();
        assert!(found.is_usable);
        assert!(found.text.contains("section 1, item 2"), "{}", found.text);
        assert!(!found.text.contains("Friday"), "{}", found.text);
    }
}
