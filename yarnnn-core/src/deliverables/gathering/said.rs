//! Already said: what earlier reports of a deliverable said, and what has become of it since.
//!
//! What stands is told to the writer of every report. What changed, was taken back or was answered is told once: to the writer of the
//! next report that arrives. What was told is kept with each version (`run_state.said`), under the claim's key.

use std::collections::{HashMap, HashSet};

use chrono_tz::Tz;

use super::super::version::{MaterialRef, RunState};
use crate::evidence::{SaidEvidence, SaidSentence, ToldClaim};
use crate::hash::Sha256;
use crate::id::ContentId;
use crate::llm::{ClaimStatus, ReportedClaim};
use crate::platform::ResourceId;

/// Sentences of earlier reports that are looked at, some five reports, and versions whose claims are.
pub(in crate::deliverables) const READ: u32 = 200;
/// Claims that the writer is told of. Those that changed come first.
const TOLD: usize = 40;

/// The sources of what was said that were unanswered questions when they were reported, still say the same, and are among the
/// messages that somebody has replied to.
pub(in crate::deliverables) fn answered(
    said: &[SaidSentence],
    reported: &[MaterialRef],
    replied: &HashSet<(ResourceId, String)>,
) -> HashSet<ContentId> {
    let unanswered: HashSet<_> = reported.iter().filter(|it| it.unanswered).map(|it| it.content_id).collect();
    let standing = said.iter().flat_map(|it| &it.evidence).filter(|it| it.status == ClaimStatus::Standing);
    let answered =
        standing.filter(|it| unanswered.contains(&it.content_id) && it.item.as_ref().is_some_and(|it| replied.contains(it)));
    answered.map(|it| it.content_id).collect()
}

/// What earlier reports said, and what is known of it.
#[derive(Debug, Default)]
pub(in crate::deliverables) struct Earlier {
    /// Statements with evidence, newest report first.
    said: Vec<SaidSentence>,
    /// What was told last of each claim.
    told: HashMap<Sha256, ToldClaim>,
    /// Questions that have been answered since they were reported.
    answered: HashSet<ContentId>,
}

impl Earlier {
    /// What was said and what was told of it, both newest version first.
    pub(in crate::deliverables) fn new(said: Vec<SaidSentence>, all_told: Vec<ToldClaim>, answered: HashSet<ContentId>) -> Self {
        let mut told = HashMap::new();
        for it in all_told {
            let Some(key) = it.claim.key else { continue };
            told.entry(key).or_insert(it);
        }
        Self { said, told, answered }
    }

    /// The rows that replaced what was reported last of their item, also when it was that row itself which was reported before.
    /// Those that a report has told of are no longer among them, whether its writer took them up or not.
    pub(in crate::deliverables) fn changed(&self) -> HashSet<ContentId> {
        let mut last: HashMap<_, Vec<(&SaidSentence, &SaidEvidence)>> = HashMap::new();
        for sentence in &self.said {
            for evidence in &sentence.evidence {
                let Some(item) = &evidence.item else { continue };
                let known = last.entry(item).or_default();
                if known.first().is_none_or(|(it, _)| it.number <= sentence.number) {
                    known.retain(|(it, _)| it.number == sentence.number);
                    known.push((sentence, evidence));
                }
            }
        }
        let replaced = last.values().filter_map(|said| {
            let current = said.first().filter(|(_, it)| it.status == ClaimStatus::Changed)?.1.current?;
            let is_told = said.iter().any(|(sentence, _)| self.was_told(sentence, ClaimStatus::Changed, Some(current)));
            (!is_told).then_some(current)
        });
        replaced.collect()
    }

    /// What the writer should know of: what changed, was taken back or was answered and was not told yet, then what still stands,
    /// newest first, each once. Days are those of the zone.
    pub(in crate::deliverables) fn claims(&self, state: &RunState, zone: Tz) -> Vec<ReportedClaim> {
        let mut seen = HashSet::new();
        let distinct = self.said.iter().filter(|it| seen.insert(key(it)));
        let mut claims: Vec<ReportedClaim> = distinct.filter_map(|it| self.claim(it, state, zone)).collect();
        claims.sort_by_key(|it| it.status == ClaimStatus::Standing);
        claims.truncate(TOLD);
        claims
    }

    /// A claim, unless what became of it was told, or cannot be told yet: a change is when what replaced it is in this report's
    /// material.
    fn claim(&self, said: &SaidSentence, state: &RunState, zone: Tz) -> Option<ReportedClaim> {
        let status = self.status(said);
        let rows = current(said);
        let now: Vec<_> = state.material.iter().filter(|it| it.changed && rows.contains(&it.content_id)).collect();
        let is_silent = match status {
            ClaimStatus::Standing => false,
            ClaimStatus::Changed => now.is_empty(),
            ClaimStatus::Withdrawn | ClaimStatus::Resolved => self.was_told(said, status, None),
        };
        (!is_silent).then(|| ReportedClaim {
            text: said.text.clone(),
            status,
            now: now.into_iter().map(|it| it.reference.clone()).collect(),
            reported_on: said.at.map(|it| it.with_timezone(&zone).date_naive()),
            key: Some(key(said)),
            current: rows,
        })
    }

    /// What has become of a claim: of several sources the worst counts.
    fn status(&self, said: &SaidSentence) -> ClaimStatus {
        let has = |status| said.evidence.iter().any(|it| it.status == status);
        let is_answered = || said.evidence.iter().any(|it| self.answered.contains(&it.content_id));
        match (has(ClaimStatus::Withdrawn), has(ClaimStatus::Changed)) {
            (true, _) => ClaimStatus::Withdrawn,
            (false, true) => ClaimStatus::Changed,
            (false, false) if is_answered() => ClaimStatus::Resolved,
            (false, false) => ClaimStatus::Standing,
        }
    }

    /// Whether a report after this one was told so, and nothing else since; of a change also of the row that says it now.
    fn was_told(&self, said: &SaidSentence, status: ClaimStatus, row: Option<ContentId>) -> bool {
        let told = self.told.get(&key(said)).filter(|it| it.number > said.number && it.claim.status == status);
        told.is_some_and(|it| row.is_none_or(|row| it.claim.current.contains(&row)))
    }
}

/// The rows that the sources of a statement are now.
fn current(said: &SaidSentence) -> Vec<ContentId> {
    let mut rows: Vec<_> = said.evidence.iter().filter_map(|it| it.current).collect();
    rows.sort_unstable();
    rows.dedup();
    rows
}

/// The stable key of a claim: the items that it stands on, and the words that it quotes of them. It outlives revisions and rows.
fn key(said: &SaidSentence) -> Sha256 {
    let mut items: Vec<String> = said
        .evidence
        .iter()
        .map(|it| it.item.as_ref().map_or_else(|| it.content_id.to_string(), |(resource, item)| format!("{resource}/{item}")))
        .collect();
    items.sort_unstable();
    items.dedup();
    let words = said.text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    Sha256::of(format!("{}|{words}", items.join("|")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliverables::testing::{item, state_of};
    use crate::evidence::SaidEvidence;
    use crate::id::{RandomIds, VersionId};
    use crate::platform::Platform;

    /// Said of an item: what has become of it, and the row that says it now.
    fn said(text: &str, name: &str, (status, current): (ClaimStatus, Option<ContentId>)) -> SaidSentence {
        let item = Some((ResourceId::new(Platform::Slack, "C1").unwrap(), name.to_owned()));
        let content_id = ContentId::fresh(&RandomIds);
        let evidence = vec![SaidEvidence { content_id, revision: crate::hash::Sha256::of(text), item, status, current }];
        let (version, at) = (VersionId::fresh(&RandomIds), "2026-11-13T23:30:00Z".parse().ok());
        SaidSentence { version, number: 1, at, text: text.to_owned(), evidence }
    }

    const STANDING: (ClaimStatus, Option<ContentId>) = (ClaimStatus::Standing, None);

    fn earlier(said: &[SaidSentence]) -> Earlier {
        Earlier::new(said.to_vec(), vec![], HashSet::new())
    }

    fn told(said: &[SaidSentence], state: &RunState) -> Vec<(String, ClaimStatus, Vec<String>)> {
        earlier(said).claims(state, Tz::UTC).into_iter().map(|it| (it.text, it.status, it.now)).collect()
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
        assert_eq!(earlier(&all).changed(), HashSet::from([items[0].id]));
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

    /// What a later version was told, which arrived.
    fn later(number: u32, claims: &[ReportedClaim]) -> Vec<ToldClaim> {
        claims.iter().map(|it| ToldClaim { number, claim: it.clone() }).collect()
    }

    #[test]
    fn what_was_taken_back_is_told_once_for_each_time_that_it_was_said() {
        let mut withdrawn = said("The page is approved.", "3", (ClaimStatus::Withdrawn, None));
        let state = state_of(&[]);
        let first = earlier(std::slice::from_ref(&withdrawn)).claims(&state, Tz::Asia__Seoul);
        assert_eq!((first.len(), first[0].reported_on), (1, "2026-11-14".parse().ok()), "by the reader's day");
        let again =
            |said: &SaidSentence| Earlier::new(vec![said.clone()], later(2, &first), HashSet::new()).claims(&state, Tz::UTC);
        assert_eq!(again(&withdrawn), [], "a report has told it");
        withdrawn.number = 3;
        assert_eq!(again(&withdrawn).len(), 1, "it was said once more since");
        let standing = said("The page is approved.", "3", STANDING);
        assert_eq!(again(&standing)[0].status, ClaimStatus::Standing, "it was put back");
    }

    #[test]
    fn a_change_is_told_once_for_each_row_that_says_something_else() {
        let items = [item("The launch is on Friday."), item("The launch is on Monday.")];
        let mut state = state_of(&items);
        state.material.iter_mut().for_each(|it| it.changed = true);
        let to = |row: usize| said("The launch is on Thursday.", "2", (ClaimStatus::Changed, Some(items[row].id)));
        let first = earlier(&[to(0)]).claims(&state, Tz::UTC);
        let after = |row: usize| Earlier::new(vec![to(row)], later(2, &first), HashSet::new()).changed();
        assert_eq!(after(0), HashSet::new(), "told, whether its writer took it up or not");
        assert_eq!(after(1), HashSet::from([items[1].id]), "it has changed again");
    }

    #[test]
    fn an_answered_question_is_told_as_resolved_once() {
        let asked = said("Who brings the printer?", "5", STANDING);
        let row = asked.evidence[0].content_id;
        let reported = |unanswered| MaterialRef { content_id: row, unanswered, ..item("x").referred("s1") };
        let replied = |name: &str| HashSet::from([(ResourceId::new(Platform::Slack, "C1").unwrap(), name.to_owned())]);
        let found =
            |said: &SaidSentence, is_open, name| answered(std::slice::from_ref(said), &[reported(is_open)], &replied(name));
        assert_eq!(found(&asked, true, "5"), HashSet::from([row]));
        assert_eq!(found(&asked, true, "6"), HashSet::new(), "another was answered");
        assert_eq!(found(&asked, false, "5"), HashSet::new(), "it was answered already");
        let claims = |told| Earlier::new(vec![asked.clone()], told, HashSet::from([row])).claims(&state_of(&[]), Tz::UTC);
        let first = claims(vec![]);
        assert_eq!(first[0].status, ClaimStatus::Resolved);
        assert_eq!(claims(later(2, &first)), []);
        let gone = said("Who brings the printer?", "5", (ClaimStatus::Withdrawn, None));
        assert_eq!(found(&gone, true, "5"), HashSet::new());
    }
}
