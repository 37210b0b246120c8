//! Already said: what earlier reports of a deliverable said, and what has become of it since.

use std::collections::{HashMap, HashSet};

use super::version::RunState;
use crate::evidence::{SaidEvidence, SaidSentence};
use crate::id::ContentId;
use crate::llm::{ClaimStatus, ReportedClaim};

/// Sentences of earlier reports that are looked at: some five reports.
pub(super) const READ: u32 = 200;
/// Claims that the writer is told of. Those that changed come first.
const TOLD: usize = 40;

/// The rows that replaced what was reported last of their item, also when it was that row itself which was reported before.
pub(super) fn changed(said: &[SaidSentence]) -> HashSet<ContentId> {
    let mut last: HashMap<_, (u32, &SaidEvidence)> = HashMap::new();
    for sentence in said {
        for evidence in &sentence.evidence {
            let Some(item) = &evidence.item else { continue };
            let known = last.entry(item).or_insert((sentence.number, evidence));
            if known.0 < sentence.number {
                *known = (sentence.number, evidence);
            }
        }
    }
    let replaced = last.into_values().filter(|(_, it)| it.status == ClaimStatus::Changed);
    replaced.filter_map(|(_, it)| it.current).collect()
}

/// What the writer should know of: what changed or was taken back, then what still stands, newest first, each once.
pub(super) fn claims(said: &[SaidSentence], state: &RunState) -> Vec<ReportedClaim> {
    let mut seen = HashSet::new();
    let distinct = said.iter().filter(|it| seen.insert(key(it)));
    let mut claims: Vec<ReportedClaim> = distinct.map(|it| claim(it, state)).collect();
    // A change is told once: when what replaced it is in this report's material.
    claims.retain(|it| it.status != ClaimStatus::Changed || !it.now.is_empty());
    claims.sort_by_key(|it| it.status == ClaimStatus::Standing);
    claims.truncate(TOLD);
    claims
}

/// The stable key of a claim: the items that it stands on, and the words that it quotes of them. It outlives revisions and rows.
fn key(said: &SaidSentence) -> String {
    let mut items: Vec<String> = said
        .evidence
        .iter()
        .map(|it| it.item.as_ref().map_or_else(|| it.content_id.to_string(), |(resource, item)| format!("{resource}/{item}")))
        .collect();
    items.sort_unstable();
    items.dedup();
    let words = said.text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    format!("{}|{words}", items.join("|"))
}

fn claim(said: &SaidSentence, state: &RunState) -> ReportedClaim {
    let has = |status| said.evidence.iter().any(|it| it.status == status);
    let status = match (has(ClaimStatus::Withdrawn), has(ClaimStatus::Changed)) {
        (true, _) => ClaimStatus::Withdrawn,
        (false, true) => ClaimStatus::Changed,
        _ => ClaimStatus::Standing,
    };
    let current: HashSet<_> = said.evidence.iter().filter_map(|it| it.current).collect();
    let now = state.material.iter().filter(|it| it.changed && current.contains(&it.content_id));
    ReportedClaim { text: said.text.clone(), status, now: now.map(|it| it.reference.clone()).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliverables::testing::{item, state_of};
    use crate::evidence::SaidEvidence;
    use crate::id::{RandomIds, VersionId};
    use crate::platform::{Platform, ResourceId};

    /// Said of an item: what has become of it, and the row that says it now.
    fn said(text: &str, name: &str, (status, current): (ClaimStatus, Option<ContentId>)) -> SaidSentence {
        let item = Some((ResourceId::new(Platform::Slack, "C1").unwrap(), name.to_owned()));
        let content_id = ContentId::fresh(&RandomIds);
        let evidence = vec![SaidEvidence { content_id, revision: crate::hash::Sha256::of(text), item, status, current }];
        SaidSentence { version: VersionId::fresh(&RandomIds), number: 1, text: text.to_owned(), evidence }
    }

    const STANDING: (ClaimStatus, Option<ContentId>) = (ClaimStatus::Standing, None);

    fn told(said: &[SaidSentence], state: &RunState) -> Vec<(String, ClaimStatus, Vec<String>)> {
        claims(said, state).into_iter().map(|it| (it.text, it.status, it.now)).collect()
    }

    #[test]
    fn what_changed_comes_first_and_names_the_item_that_says_it_now() {
        let items = [item("The launch is on Friday."), item("Something else.")];
        let mut state = state_of(&items);
        let changed_now = (ClaimStatus::Changed, Some(items[0].id));
        let all = [
            said("The tests are green.", "1", STANDING),
            said("The launch is on Thursday.", "2", changed_now),
            said("The page is approved.", "3", (ClaimStatus::Withdrawn, None)),
        ];
        assert_eq!(changed(&all), HashSet::from([items[0].id]));
        state.material[0].changed = true;
        let expected = [
            ("The launch is on Thursday.".to_owned(), ClaimStatus::Changed, vec!["s1".to_owned()]),
            ("The page is approved.".to_owned(), ClaimStatus::Withdrawn, vec![]),
            ("The tests are green.".to_owned(), ClaimStatus::Standing, vec![]),
        ];
        assert_eq!(told(&all, &state), expected);
    }

    #[test]
    fn a_change_whose_item_is_not_in_this_report_is_not_told_again() {
        let items = [item("Something else.")];
        let all = [said("The launch is on Thursday.", "2", (ClaimStatus::Changed, Some(ContentId::fresh(&RandomIds))))];
        assert_eq!(told(&all, &state_of(&items)), []);
    }

    #[test]
    fn the_same_claim_of_the_same_item_is_told_once() {
        let all = [
            said("The tests are green.", "1", STANDING),
            said("the  tests are GREEN.", "1", STANDING),
            said("The tests are green.", "2", STANDING),
        ];
        assert_eq!(told(&all, &state_of(&[])).len(), 2);
    }

    #[test]
    fn no_more_is_told_than_a_writer_reads_and_changes_are_not_what_is_left_out() {
        let mut all: Vec<_> = (0..TOLD + 9).map(|it| said(&format!("Claim {it}."), &it.to_string(), STANDING)).collect();
        all.push(said("Taken back.", "last", (ClaimStatus::Withdrawn, None)));
        let told = told(&all, &state_of(&[]));
        assert_eq!((told.len(), told[0].0.as_str(), told[1].0.as_str()), (TOLD, "Taken back.", "Claim 0."));
    }
}
