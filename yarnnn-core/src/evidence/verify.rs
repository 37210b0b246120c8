//! Checks, without any model, whether the sources of a report still say what it quotes.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Evidence, EvidenceStore, SentenceRecord};
use crate::error::Error;
use crate::hash::Sha256;
use crate::id::{ContentId, UserId, VersionId};
use crate::sync::{ContentStore, StoredItem};

/// What became of a sentence since the report was written. Of several pieces of evidence the worst counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SentenceState {
    /// It never had evidence.
    Inference,
    /// Every quote stands in the current revision of its item.
    Verified,
    /// An item was changed since: its current revision is another.
    Drifted,
    /// An item was deleted, here or at its source.
    Withdrawn,
}

/// One piece of evidence, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedEvidence {
    /// The evidence.
    pub evidence: Evidence,
    /// What became of it.
    pub state: SentenceState,
}

/// One sentence, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedSentence {
    /// The sentence.
    pub text: String,
    /// What became of it.
    pub state: SentenceState,
    /// Its evidence.
    pub evidence: Vec<CheckedEvidence>,
}

/// All sentences of a version, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// Which version.
    pub version: VersionId,
    /// Its sentences, in order.
    pub sentences: Vec<CheckedSentence>,
}

impl Verification {
    /// How many sentences are in the given state.
    pub fn count(&self, state: SentenceState) -> usize {
        self.sentences.iter().filter(|it| it.state == state).count()
    }
}

/// Checks versions against the store.
#[derive(Clone)]
pub struct Verifier {
    evidence: Arc<dyn EvidenceStore>,
    content: Arc<dyn ContentStore>,
}

impl Verifier {
    /// Checks against the given ports.
    pub fn new(evidence: Arc<dyn EvidenceStore>, content: Arc<dyn ContentStore>) -> Self {
        Self { evidence, content }
    }

    /// Checks every sentence of a version. What is `fixed` was kept for it and never changes: only the quote is checked.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn version(
        &self,
        user: UserId,
        version: VersionId,
        fixed: &HashMap<ContentId, String>,
    ) -> Result<Verification, Error> {
        let records = self.evidence.sentences(user, version).await?;
        let mut ids: Vec<ContentId> = records.iter().flat_map(|it| &it.evidence).map(|it| it.content_id).collect();
        ids.sort_unstable();
        ids.dedup();
        let rows = self.content.find(user, &ids).await?;
        let rows: HashMap<_, _> = rows.into_iter().map(|it| (it.id, it)).collect();
        let check = |evidence: &Evidence| match fixed.get(&evidence.content_id) {
            Some(content) if quote_stands(evidence, content) => SentenceState::Verified,
            Some(_) => SentenceState::Drifted,
            None => check_evidence(evidence, rows.get(&evidence.content_id)),
        };
        let sentences = records.into_iter().map(|it| check_sentence(it, &check)).collect();
        Ok(Verification { version, sentences })
    }
}

fn check_sentence(record: SentenceRecord, check: &dyn Fn(&Evidence) -> SentenceState) -> CheckedSentence {
    let evidence = record.evidence.into_iter().map(|evidence| CheckedEvidence { state: check(&evidence), evidence });
    let evidence: Vec<_> = evidence.collect();
    let state = evidence.iter().map(|it| it.state).max().unwrap_or(SentenceState::Inference);
    CheckedSentence { text: record.text, state, evidence }
}

fn check_evidence(evidence: &Evidence, row: Option<&StoredItem>) -> SentenceState {
    match row {
        None => SentenceState::Withdrawn,
        Some(row) if row.withdrawn_at.is_some() => SentenceState::Withdrawn,
        Some(row) if row.is_current && quote_stands(evidence, &row.content) => SentenceState::Verified,
        Some(_) => SentenceState::Drifted,
    }
}

/// Whether the content is the revision that was quoted, and the quote stands in it byte for byte.
pub fn quote_stands(evidence: &Evidence, content: &str) -> bool {
    let range = evidence.start as usize..evidence.end as usize;
    Sha256::of(content) == evidence.revision && content.get(range) == Some(evidence.quote.as_str())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn evidence(content: &str, quote: &str) -> Evidence {
        let start = u32::try_from(content.find(quote).unwrap()).unwrap();
        let end = start + u32::try_from(quote.len()).unwrap();
        Evidence {
            content_id: ContentId::from_uuid(Uuid::nil()),
            revision: Sha256::of(content),
            start,
            end,
            quote: quote.to_owned(),
        }
    }

    #[test]
    fn one_changed_byte_anywhere_in_the_item_is_seen() {
        let content = "We ship on Friday. Nobody objects.";
        let it = evidence(content, "We ship on Friday.");
        assert!(quote_stands(&it, content));
        assert!(!quote_stands(&it, "We ship on Friday. Nobody objectS."));
        assert!(!quote_stands(&it, "We ship on Monday. Nobody objects."));
    }

    #[test]
    fn a_quote_that_is_not_at_its_place_is_refused_even_in_the_right_revision() {
        let content = "We ship on Friday.";
        let mut forged = evidence(content, "We ship");
        forged.quote = "We slip".into();
        assert!(!quote_stands(&forged, content));
        let mut moved = evidence(content, "We ship");
        (moved.start, moved.end) = (900, 907);
        assert!(!quote_stands(&moved, content));
    }

    #[test]
    fn a_quote_that_is_off_by_one_is_refused() {
        let content = "So we ship on Friday, and we ship on Friday.";
        let right = evidence(content, "we ship on Friday");
        assert!(quote_stands(&right, content));
        for (start, end) in [(-1, -1), (1, 1), (-1, 0), (0, -1), (1, 0), (0, 1)] {
            let off = |it: u32, by: i32| it.checked_add_signed(by).unwrap();
            let moved = Evidence { start: off(right.start, start), end: off(right.end, end), ..right.clone() };
            assert!(!quote_stands(&moved, content), "{start} {end}");
        }
    }
}
