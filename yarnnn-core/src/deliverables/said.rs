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
