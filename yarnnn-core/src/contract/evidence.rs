//! Facts of [`EvidenceStore`](crate::evidence::EvidenceStore). Sentences are written with the step that verified them.

use super::Ports;
use super::fixtures::{ANA, ben, fresh, gone, live, message, opened, queued, sentence, verified, written};
use crate::evidence::{Evidence, SentenceRecord};
use crate::hash::Sha256;
use crate::id::{UserId, VersionId};

async fn sentences(ports: &Ports, user: UserId, version: VersionId) -> Vec<SentenceRecord> {
    ports.evidence.sentences(user, version).await.unwrap()
}

/// In the order of the report, each with its evidence in its own order.
pub async fn sentences_are_in_the_order_of_the_report(ports: &Ports) {
    let version = opened(ports).await;
    ports.versions.advance(written(version.id)).await.unwrap();
    let mut records: Vec<_> = (0..500).map(|index| sentence(index, &format!("№ {index}."), &["z “q”", "a", "m"])).collect();
    records[7].evidence.clear();
    let mut shuffled = records.clone();
    shuffled.reverse();
    ports.versions.advance(verified(version.id, shuffled)).await.unwrap();
    assert_eq!(sentences(ports, ANA, version.id).await, records);
}

/// A version that was not verified yet, or that is not there, has none.
pub async fn sentences_come_with_the_verified_step(ports: &Ports) {
    let version = opened(ports).await;
    assert_eq!(sentences(ports, ANA, version.id).await, []);
    ports.versions.advance(written(version.id)).await.unwrap();
    assert_eq!(sentences(ports, ANA, version.id).await, []);
    assert_eq!(sentences(ports, ANA, VersionId::from_uuid(fresh())).await, []);
}

/// Another user sees none.
pub async fn sentences_are_shown_to_their_owner(ports: &Ports) {
    let (ben, version) = (ben(ports).await, opened(ports).await);
    ports.versions.advance(written(version.id)).await.unwrap();
    ports.versions.advance(verified(version.id, vec![sentence(0, "A.", &["q"])])).await.unwrap();
    assert_eq!(sentences(ports, ben, version.id).await, []);
    assert_eq!(sentences(ports, ANA, version.id).await.len(), 1);
}

/// Evidence outlives the row it points at.
pub async fn sentences_outlive_what_they_cite(ports: &Ports) {
    let cited = message("1", "the launch is on friday");
    let evidence = Evidence { content_id: cited.id, revision: Sha256::of("x"), start: 4, end: 10, quote: "launch".to_owned() };
    let record = SentenceRecord { index: 0, text: "It launches.".to_owned(), evidence: vec![evidence] };
    live(ports, vec![cited], 1).await;
    let version = opened(ports).await;
    ports.versions.advance(written(version.id)).await.unwrap();
    ports.versions.advance(verified(version.id, vec![record.clone()])).await.unwrap();
    ports.versions.advance(queued(version.id, vec![], vec![])).await.unwrap();
    gone(ports, &["1"], 2).await;
    assert_eq!(sentences(ports, ANA, version.id).await, [record]);
}
