//! Facts of [`EvidenceStore`](crate::evidence::EvidenceStore). Sentences are written with the step that verified them.

use super::Ports;
use super::fixtures::{
    ANA, begin, ben, channel, clean, failed, finished, fresh, gone, last_page, live, message, minute, open_after, opened, queued,
    resource, run_state, sentence, staged, verified, written,
};
use super::versions::decision;
use crate::agent::NewWebPage;
use crate::deliverables::{OpenVersion, RunState, Step, StepChange, StepCommit, Version, VersionStatus};
use crate::evidence::{Evidence, Readers, SaidSentence, SentenceRecord, ToldClaim};
use crate::hash::Sha256;
use crate::id::{ContentId, DeliverableId, UserId, VersionId};
use crate::llm::{ClaimStatus, ReportedClaim};
use crate::sync::NewItem;

async fn sentences(ports: &Ports, user: UserId, version: VersionId) -> Vec<SentenceRecord> {
    ports.evidence.sentences(user, version).await.unwrap()
}

/// A statement that cites these rows.
fn citing(index: u32, text: &str, cited: &[&NewItem]) -> SentenceRecord {
    let mut record = sentence(index, text, &vec!["quote"; cited.len()]);
    for (evidence, item) in record.evidence.iter_mut().zip(cited) {
        evidence.content_id = item.id;
        evidence.revision = item.item.content_hash;
    }
    record
}

/// A version with these statements, whose messages are queued; the rows that it cites are retained.
async fn reported(ports: &Ports, version: &Version, records: Vec<SentenceRecord>) {
    let retain = records.iter().flat_map(|it| &it.evidence).map(|it| it.content_id).collect();
    ports.versions.advance(written(version.id)).await.unwrap();
    ports.versions.advance(verified(version.id, records)).await.unwrap();
    ports.versions.advance(queued(version.id, vec![], retain)).await.unwrap();
}

/// The same, and it arrived.
async fn delivered(ports: &Ports, version: &Version, records: Vec<SentenceRecord>) {
    reported(ports, version, records).await;
    ports.versions.advance(finished(version.id)).await.unwrap();
}

async fn next(ports: &Ports, version: &Version) -> Version {
    ports.versions.open(open_after(ANA, version.deliverable, version.number)).await.unwrap()
}

async fn said(ports: &Ports, deliverable: DeliverableId, limit: u32) -> Vec<SaidSentence> {
    ports.evidence.said(ANA, deliverable, &Readers::Owner, limit).await.unwrap()
}

async fn said_texts(ports: &Ports, deliverable: DeliverableId, limit: u32) -> Vec<String> {
    said(ports, deliverable, limit).await.into_iter().map(|it| it.text).collect()
}

/// What has become of the sources of the only statement.
async fn fates(ports: &Ports, version: &Version) -> Vec<(ClaimStatus, Option<ContentId>)> {
    let said = said(ports, version.deliverable, 9).await.pop().unwrap();
    said.evidence.iter().map(|it| (it.status, it.current)).collect()
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

/// Newest version first, in the order of the report, as many as asked for; what has no evidence is left out.
pub async fn said_is_newest_first_and_limited(ports: &Ports) {
    let first = opened(ports).await;
    let records = vec![sentence(0, "A.", &["a"]), sentence(1, "Inferred.", &[]), sentence(2, "B.", &["b", "c"])];
    delivered(ports, &first, records).await;
    let second = next(ports, &first).await;
    delivered(ports, &second, vec![sentence(1, "D.", &["d"]), sentence(0, "C.", &["c"])]).await;
    assert_eq!(said_texts(ports, first.deliverable, 99).await, ["C.", "D.", "A.", "B."]);
    assert_eq!(said_texts(ports, first.deliverable, 3).await, ["C.", "D.", "A."]);
    assert_eq!(said_texts(ports, first.deliverable, 0).await, [""; 0]);
    let told: Vec<_> = said(ports, first.deliverable, 99).await.iter().map(|it| (it.version, it.number)).collect();
    assert_eq!(told, [(second.id, 2), (second.id, 2), (first.id, 1), (first.id, 1)]);
}

/// A version for its owner alone, with these statements, which arrived.
async fn delivered_to_owner(ports: &Ports, version: &Version, records: Vec<SentenceRecord>) {
    let state = || RunState { stays_with_owner: true, ..run_state() };
    let wrote = StepChange::Written { draft: "B. [s1]".to_owned(), state: state(), found: vec![] };
    ports.versions.advance(StepCommit { change: wrote, ..written(version.id) }).await.unwrap();
    let proven = StepChange::Verified { sentences: records, state: state() };
    ports.versions.advance(StepCommit { change: proven, ..verified(version.id, vec![]) }).await.unwrap();
    ports.versions.advance(queued(version.id, vec![], vec![])).await.unwrap();
    ports.versions.advance(finished(version.id)).await.unwrap();
}

/// What others may know, of those sources, as many as asked for.
async fn others_know(ports: &Ports, deliverable: DeliverableId, sources: &[&str], limit: u32) -> Vec<String> {
    let readers = Readers::Others(sources.iter().map(|it| resource(it)).collect());
    let said = ports.evidence.said(ANA, deliverable, &readers, limit).await.unwrap();
    said.into_iter().map(|it| it.text).collect()
}

/// Others know what they may have had, and what stands on their sources alone or on the public web; where a row that is gone stood,
/// nobody knows.
pub async fn said_to_others_is_what_they_may_know(ports: &Ports) {
    let (posted, mail, missing) = (message("1", "posted"), message("2", "a mail"), message("3", "never stored"));
    live(ports, vec![posted.clone()], 1).await;
    let run = begin(ports, ANA, &resource("gmail:INBOX")).await;
    ports.content.commit(last_page(&run, vec![mail.clone()], 1)).await.unwrap();
    let first = opened(ports).await;
    let page = web_page(ports, &first).await;
    let mut of_the_web = sentence(2, "Of the web.", &["launches"]);
    of_the_web.evidence[0].content_id = page;
    let records = vec![
        citing(0, "Of the channel.", &[&posted]),
        citing(1, "Of the channel and a mail.", &[&posted, &mail]),
        of_the_web,
        citing(3, "Of a row that is gone.", &[&missing]),
        citing(4, "Of the channel and of a row that is gone.", &[&posted, &missing]),
        sentence(5, "Inferred.", &[]),
    ];
    delivered(ports, &first, records).await;
    let second = next(ports, &first).await;
    delivered_to_owner(ports, &second, vec![citing(0, "Of the channel, for the owner.", &[&posted])]).await;
    let known = |sources: &'static [&'static str]| others_know(ports, first.deliverable, sources, 9);
    assert_eq!(known(&["slack:C1"]).await, ["Of the channel.", "Of the web."]);
    let both = ["Of the channel.", "Of the channel and a mail.", "Of the web."];
    assert_eq!(known(&["slack:C1", "gmail:INBOX"]).await, both);
    assert_eq!(known(&["gmail:INBOX", "gmail:C1"]).await, ["Of the web."]);
    assert_eq!(known(&[]).await, ["Of the web."]);
    assert_eq!(said_texts(ports, first.deliverable, 99).await.len(), 6, "its owner knows all");
}

/// As many as asked for, however much lies in between that they may not know.
pub async fn said_to_others_is_limited_by_what_they_may_know(ports: &Ports) {
    let posted = message("1", "posted");
    live(ports, vec![posted.clone()], 1).await;
    let first = opened(ports).await;
    delivered(ports, &first, vec![citing(0, "A.", &[&posted]), citing(1, "B.", &[&posted])]).await;
    let second = next(ports, &first).await;
    let private = (0..5).map(|it| citing(it, &format!("Private {it}."), &[&posted])).collect();
    delivered_to_owner(ports, &second, private).await;
    let third = next(ports, &second).await;
    let missing = message("2", "never stored");
    let of_both = (0..5).map(|it| citing(it, &format!("Gone {it}."), &[&missing])).chain([citing(5, "C.", &[&posted])]);
    delivered(ports, &third, of_both.collect()).await;
    for (limit, expected) in [(2, &["C.", "A."][..]), (3, &["C.", "A.", "B."]), (9, &["C.", "A.", "B."]), (0, &[])] {
        assert_eq!(others_know(ports, first.deliverable, &["slack:C1"], limit).await, expected, "{limit}");
    }
}

/// What was not delivered was not said.
pub async fn said_is_what_arrived(ports: &Ports) {
    let version = opened(ports).await;
    assert_eq!(said(ports, version.deliverable, 9).await, []);
    reported(ports, &version, vec![sentence(0, "A.", &["a"])]).await;
    assert_eq!(said(ports, version.deliverable, 9).await, []);
    ports.versions.advance(failed(version.id, Step::Queued)).await.unwrap();
    assert_eq!(said(ports, version.deliverable, 9).await, []);
    let second = next(ports, &version).await;
    delivered(ports, &second, vec![sentence(0, "B.", &["b"])]).await;
    assert_eq!(said_texts(ports, version.deliverable, 9).await, ["B."]);
}

/// Another user's deliverable said nothing, and neither did another deliverable of the user.
pub async fn said_is_shown_to_its_owner(ports: &Ports) {
    let (ben, version, other) = (ben(ports).await, opened(ports).await, opened(ports).await);
    delivered(ports, &version, vec![sentence(0, "A.", &["a"])]).await;
    assert_eq!(ports.evidence.said(ben, version.deliverable, &Readers::Owner, 9).await.unwrap(), []);
    assert_eq!(said(ports, other.deliverable, 9).await, []);
}

/// Each source once, in the order in which the sentence cites them, with its item.
pub async fn said_names_its_sources(ports: &Ports) {
    let (one, two) = (message("1", "one"), message("2", "two"));
    live(ports, vec![one.clone(), two.clone()], 1).await;
    let version = opened(ports).await;
    delivered(ports, &version, vec![citing(0, "Both.", &[&two, &one, &two])]).await;
    let sentence = said(ports, version.deliverable, 9).await.pop().unwrap();
    let sources: Vec<_> = sentence.evidence.iter().map(|it| (it.content_id, it.revision, it.item.clone())).collect();
    let expected = [&two, &one].map(|it| (it.id, it.item.content_hash, Some((channel(), it.item.item_id.clone()))));
    assert_eq!(sources, expected);
}

/// A source stands while it is the current row of its item; after an edit the newer row says it.
pub async fn said_shows_what_changed(ports: &Ports) {
    let (old, kept, new) = (message("1", "on friday"), message("2", "kept"), message("1", "on monday"));
    live(ports, vec![old.clone(), kept.clone()], 1).await;
    let version = opened(ports).await;
    delivered(ports, &version, vec![citing(0, "Both.", &[&old, &kept])]).await;
    let (standing, changed) = (ClaimStatus::Standing, ClaimStatus::Changed);
    assert_eq!(fates(ports, &version).await, [(standing, Some(old.id)), (standing, Some(kept.id))]);
    live(ports, vec![new.clone()], 2).await;
    assert_eq!(fates(ports, &version).await, [(changed, Some(new.id)), (standing, Some(kept.id))]);
    live(ports, vec![message("1", "on friday")], 3).await;
    assert_eq!(fates(ports, &version).await, [(standing, Some(old.id)), (standing, Some(kept.id))]);
}

/// What replaced a source may be gone; the source changed all the same.
pub async fn said_shows_what_changed_and_expired(ports: &Ports) {
    let (old, new) = (message("1", "on friday"), message("1", "on monday"));
    live(ports, vec![old.clone()], 1).await;
    let version = opened(ports).await;
    delivered(ports, &version, vec![citing(0, "It launches.", &[&old])]).await;
    live(ports, vec![new.clone()], 2).await;
    clean(ports, ANA, minute(10_000_000)).await;
    assert_eq!(fates(ports, &version).await, [(ClaimStatus::Changed, None)]);
}

/// A source that was taken back is withdrawn, as is one whose row is gone; seen again, it stands.
pub async fn said_shows_what_was_withdrawn(ports: &Ports) {
    let (cited, missing) = (message("1", "the launch"), message("2", "never stored"));
    live(ports, vec![cited.clone()], 1).await;
    let version = opened(ports).await;
    delivered(ports, &version, vec![citing(0, "It launches.", &[&cited, &missing])]).await;
    let withdrawn = (ClaimStatus::Withdrawn, None);
    assert_eq!(fates(ports, &version).await, [(ClaimStatus::Standing, Some(cited.id)), withdrawn]);
    gone(ports, &["1"], 2).await;
    assert_eq!(fates(ports, &version).await, [withdrawn, withdrawn]);
    let sentence = said(ports, version.deliverable, 9).await.pop().unwrap();
    let items: Vec<_> = sentence.evidence.into_iter().map(|it| it.item).collect();
    assert_eq!(items, [Some((channel(), "1".to_owned())), None]);
    live(ports, vec![message("1", "the launch")], 3).await;
    assert_eq!(fates(ports, &version).await, [(ClaimStatus::Standing, Some(cited.id)), withdrawn]);
}

/// A page of the web that a version read.
async fn web_page(ports: &Ports, version: &Version) -> ContentId {
    let id = ContentId::from_uuid(fresh());
    let page = NewWebPage {
        id,
        url: "https://example.com/".to_owned(),
        title: "Example".to_owned(),
        content: "It launches.".to_owned(),
        fetched_at: minute(1),
    };
    ports.web_pages.keep(ANA, version.id, vec![page], minute(1)).await.unwrap();
    id
}

/// A page of the web stands as it was read.
pub async fn said_counts_pages_of_the_web_as_standing(ports: &Ports) {
    let version = opened(ports).await;
    let id = web_page(ports, &version).await;
    let mut record = sentence(0, "It launches.", &["launches"]);
    record.evidence[0].content_id = id;
    delivered(ports, &version, vec![record]).await;
    assert_eq!(fates(ports, &version).await, [(ClaimStatus::Standing, Some(id))]);
}

/// A claim that a writer is told of.
fn claim(text: &str) -> ReportedClaim {
    ReportedClaim {
        text: text.to_owned(),
        status: ClaimStatus::Changed,
        now: vec!["s1".to_owned()],
        reported_on: Some(minute(0).date_naive()),
        key: Some(Sha256::of(text)),
        current: vec![ContentId::from_uuid(fresh())],
    }
}

/// The next version, written and verified, whose writer was told of these claims.
async fn telling(ports: &Ports, (deliverable, after): (DeliverableId, u32), said: &[ReportedClaim]) -> Version {
    written_in(ports, (deliverable, after), RunState { said: said.to_vec(), ..run_state() }).await
}

/// The next version, written and verified in this state.
async fn written_in(ports: &Ports, (deliverable, after): (DeliverableId, u32), state: RunState) -> Version {
    let version = ports.versions.open(OpenVersion { state: state.clone(), ..open_after(ANA, deliverable, after) }).await.unwrap();
    let draft = "A draft. [s1]".to_owned();
    let change = StepChange::Written { draft, state: state.clone(), found: vec![] };
    ports.versions.advance(StepCommit { change, ..written(version.id) }).await.unwrap();
    let change = StepChange::Verified { sentences: vec![], state };
    ports.versions.advance(StepCommit { change, ..verified(version.id, vec![]) }).await.unwrap();
    version
}

/// It arrives.
async fn arrives(ports: &Ports, version: &Version) {
    ports.versions.advance(queued(version.id, vec![], vec![])).await.unwrap();
    ports.versions.advance(finished(version.id)).await.unwrap();
}

async fn told(ports: &Ports, deliverable: DeliverableId, versions: u32) -> Vec<(u32, ReportedClaim)> {
    let told = ports.evidence.told(ANA, deliverable, &Readers::Owner, versions).await.unwrap();
    told.into_iter().map(|ToldClaim { number, claim, .. }| (number, claim)).collect()
}

/// Newest version first, each in its order, of as many versions as asked for.
pub async fn told_is_newest_first_and_limited(ports: &Ports) {
    let deliverable = opened(ports).await.deliverable;
    let claims = ["a", "b", "c"].map(claim);
    let second = telling(ports, (deliverable, 1), &claims[..2]).await;
    arrives(ports, &second).await;
    let third = telling(ports, (deliverable, 2), &claims[2..]).await;
    arrives(ports, &third).await;
    let all = [(3, claims[2].clone()), (2, claims[0].clone()), (2, claims[1].clone())];
    assert_eq!(told(ports, deliverable, 9).await, all);
    assert_eq!(told(ports, deliverable, 1).await, all[..1]);
    assert_eq!(told(ports, deliverable, 0).await, []);
}

/// What did not arrive has told nothing yet; what was rejected has.
pub async fn told_is_what_arrived_or_was_rejected(ports: &Ports) {
    let deliverable = opened(ports).await.deliverable;
    let version = telling(ports, (deliverable, 1), &[claim("a")]).await;
    ports.versions.advance(queued(version.id, vec![], vec![])).await.unwrap();
    assert_eq!(told(ports, deliverable, 9).await, []);
    ports.versions.advance(failed(version.id, Step::Queued)).await.unwrap();
    assert_eq!(told(ports, deliverable, 9).await, []);
    let read = claim("b");
    let second = telling(ports, (deliverable, 2), std::slice::from_ref(&read)).await;
    ports.versions.advance(staged(second.id)).await.unwrap();
    assert_eq!(told(ports, deliverable, 9).await, []);
    let seen = ports.versions.version(ANA, second.id).await.unwrap();
    ports.versions.decide(decision(&seen, VersionStatus::Rejected)).await.unwrap();
    assert_eq!(told(ports, deliverable, 9).await, [(3, read)]);
}

/// What only the owner was told is news to others, and takes no place among the versions that are looked at.
pub async fn told_to_others_is_what_others_had(ports: &Ports) {
    let deliverable = opened(ports).await.deliverable;
    let second = telling(ports, (deliverable, 1), &[claim("a")]).await;
    arrives(ports, &second).await;
    let private = RunState { said: vec![claim("b")], stays_with_owner: true, ..run_state() };
    let third = written_in(ports, (deliverable, 2), private).await;
    arrives(ports, &third).await;
    let numbers = async |readers: &Readers, versions| {
        let told = ports.evidence.told(ANA, deliverable, readers, versions).await.unwrap();
        told.into_iter().map(|it| it.number).collect::<Vec<_>>()
    };
    assert_eq!(numbers(&Readers::Others(vec![]), 1).await, [2]);
    assert_eq!((numbers(&Readers::Owner, 1).await, numbers(&Readers::Owner, 9).await), (vec![3], vec![3, 2]));
}

/// Another user's deliverable has told nothing, and neither has another deliverable of the user.
pub async fn told_is_shown_to_its_owner(ports: &Ports) {
    let (ben, deliverable, other) = (ben(ports).await, opened(ports).await.deliverable, opened(ports).await.deliverable);
    let version = telling(ports, (deliverable, 1), &[claim("a")]).await;
    arrives(ports, &version).await;
    assert_eq!(ports.evidence.told(ben, deliverable, &Readers::Owner, 9).await.unwrap(), []);
    assert_eq!(told(ports, other, 9).await, []);
    assert_eq!(told(ports, deliverable, 9).await.len(), 1);
}
