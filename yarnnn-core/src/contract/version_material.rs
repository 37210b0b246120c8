//! Facts of [`VersionMaterial`](crate::deliverables::VersionMaterial).

use futures::future::{join, join_all};

use super::Ports;
use super::connection_fixtures::{account, connected};
use super::fixtures::{
    ANA, begin, ben, channel, clean, created, failed, fresh, gone, import, last_page, live, message, minute, open_after, queued,
    resource, run_state, staged, step, verified, written,
};
use crate::connections::{NewConnection, Provider};
use crate::deliverables::{
    DecideVersion, MaterialItem, NewFeedback, OpenVersion, RecordedMaterial, Step, StepChange, StepCommit, Version, VersionStatus,
};
use crate::id::{ContentId, UserId, VersionId};
use crate::sync::{NewItem, Origin, PageCommit};

/// A stored item, as a writer is given it.
fn material(new: &NewItem) -> MaterialItem {
    MaterialItem {
        id: new.id,
        platform: "slack".to_owned(),
        place: "#as it was called".to_owned(),
        author: Some("Ana “Á” Alves".to_owned()),
        time: Some(minute(0)),
        title: Some("東京".to_owned()),
        thread: None,
        marks: vec!["urgent".to_owned()],
        content: new.item.content.clone(),
    }
}

/// All of these, by id.
fn sorted(items: &[&NewItem]) -> Vec<MaterialItem> {
    let mut items: Vec<_> = items.iter().map(|it| material(it)).collect();
    items.sort_by_key(|it| it.id);
    items
}

/// Opens a version that was gathered from these.
pub async fn opened_with(ports: &Ports, items: &[&NewItem]) -> Version {
    let open = open_after(ANA, created(ports, ANA).await, 0);
    let items = items.iter().rev().map(|it| material(it)).collect();
    ports.versions.open(OpenVersion { items, ..open }).await.unwrap()
}

/// `gathered → written`, by a writer who found these.
fn found(version: VersionId, items: &[&NewItem]) -> StepCommit {
    let found = items.iter().map(|it| material(it)).collect();
    step(version, Step::Gathered, StepChange::Written { draft: "A draft.".to_owned(), state: run_state(), found })
}

async fn recorded(ports: &Ports, version: VersionId) -> RecordedMaterial {
    ports.version_material.recorded(ANA, version).await.unwrap()
}

/// Stores one item of a resource of a user.
async fn stored(ports: &Ports, user: UserId, name: &str, origin: Origin, new: &NewItem) {
    let run = begin(ports, user, &resource(name)).await;
    ports.content.commit(PageCommit { origin, ..last_page(&run, vec![new.clone()], 1) }).await.unwrap();
}

/// Ends the time to live of every row that is not retained.
async fn expire(ports: &Ports) -> u64 {
    clean(ports, ANA, minute(60 * 24 * 365)).await
}

/// What a version was opened with and what its writer found reads back by id, each once; a version without has nothing.
pub async fn recorded_is_what_was_gathered_and_found(ports: &Ports) {
    let [a, b, c] = ["1", "2", "3"].map(|it| message(it, &format!("text {it} “x” \r\n\u{1f5fc}")));
    live(ports, vec![a.clone(), b.clone(), c.clone()], 1).await;
    let version = opened_with(ports, &[&a, &b]).await;
    assert_eq!(recorded(ports, version.id).await, RecordedMaterial { items: sorted(&[&a, &b]), removed_at: None });
    ports.versions.advance(found(version.id, &[&c, &a])).await.unwrap();
    assert_eq!(recorded(ports, version.id).await.items, sorted(&[&a, &b, &c]));
    let bare = opened_with(ports, &[]).await;
    assert_eq!(recorded(ports, bare.id).await, RecordedMaterial::default());
}

/// Neither the end of its rows nor another revision changes what is recorded.
pub async fn recorded_stays_as_it_was(ports: &Ports) {
    let [edited, expiring] = ["edited", "expiring"].map(|it| message(it, "as it was"));
    live(ports, vec![edited.clone(), expiring.clone()], 1).await;
    let version = opened_with(ports, &[&edited, &expiring]).await;
    let before = recorded(ports, version.id).await;
    live(ports, vec![message("edited", "as it is")], 2).await;
    assert_eq!(expire(ports).await, 3);
    assert_eq!(recorded(ports, version.id).await, before);
    assert_eq!(before.items.len(), 2);
}

/// Nobody records what is another's or nobody's, and nobody reads what is recorded for another.
pub async fn recorded_leaves_out_what_is_not_the_users_own(ports: &Ports) {
    let ben = ben(ports).await;
    let [own, theirs, nobodys] = ["1", "2", "3"].map(|it| message(it, it));
    live(ports, vec![own.clone()], 1).await;
    stored(ports, ben, "slack:C1", Origin::Live, &theirs).await;
    let version = opened_with(ports, &[&own, &theirs, &nobodys]).await;
    assert_eq!(recorded(ports, version.id).await.items, sorted(&[&own]));
    assert_eq!(ports.version_material.recorded(ben, version.id).await.unwrap(), RecordedMaterial::default());
    assert_eq!(recorded(ports, VersionId::from_uuid(fresh())).await, RecordedMaterial::default());
}

/// What is deleted at its source goes from every version, in all revisions, also when its rows have gone before.
pub async fn recorded_loses_what_is_gone_at_its_source(ports: &Ports) {
    let [first, other] = ["1", "2"].map(|it| message(it, &format!("text {it}")));
    live(ports, vec![first.clone(), other.clone()], 1).await;
    let early = opened_with(ports, &[&first, &other]).await;
    let second = message("1", "edited");
    live(ports, vec![second.clone()], 2).await;
    let late = opened_with(ports, &[&second]).await;
    assert_eq!(expire(ports).await, 3);
    let run = begin(ports, ANA, &resource("slack:C2")).await;
    let elsewhere = PageCommit { gone: vec!["1".to_owned(), "2".to_owned()], ..last_page(&run, vec![], 3) };
    ports.content.commit(elsewhere).await.unwrap();
    assert_eq!(recorded(ports, late.id).await.items, sorted(&[&second]), "the same ids of another channel");
    gone(ports, &["1", "9"], 4).await;
    assert_eq!(recorded(ports, early.id).await, RecordedMaterial { items: sorted(&[&other]), removed_at: Some(minute(4)) });
    assert_eq!(recorded(ports, late.id).await, RecordedMaterial { items: vec![], removed_at: Some(minute(4)) });
    gone(ports, &["1"], 5).await;
    assert_eq!(recorded(ports, late.id).await.removed_at, Some(minute(4)), "once is enough");
}

/// What came from an account goes when another one is connected, or none; what a person imported stays, also when they did so
/// later.
pub async fn recorded_loses_what_goes_with_its_account(ports: &Ports) {
    connected(ports, "ana@example.com").await;
    let [mail, expired, event, imported, archived, chat] =
        ["mail", "expired", "event", "imported", "archived", "chat"].map(|it| message(it, it));
    stored(ports, ANA, "gmail:INBOX", Origin::Live, &expired).await;
    let early = opened_with(ports, &[&expired]).await;
    assert_eq!(expire(ports).await, 1);
    for (name, new) in [("gmail:INBOX", &mail), ("gmail:INBOX", &archived), ("calendar:team", &event), ("slack:C1", &chat)] {
        stored(ports, ANA, name, Origin::Live, new).await;
    }
    stored(ports, ANA, "gmail:archive", Origin::Import, &imported).await;
    let version = opened_with(ports, &[&mail, &event, &imported, &archived, &chat]).await;
    // Its row was the service's, and is a person's from now on.
    let again = NewItem { id: ContentId::from_uuid(fresh()), ..archived.clone() };
    stored(ports, ANA, "gmail:INBOX", Origin::Import, &again).await;
    let other = NewConnection { at: minute(20), ..account(ANA, Provider::Google, "ana@other.com") };
    ports.connections.connect(other).await.unwrap();
    let left = RecordedMaterial { items: sorted(&[&imported, &archived, &chat]), removed_at: Some(minute(20)) };
    assert_eq!(recorded(ports, version.id).await, left);
    assert_eq!(recorded(ports, early.id).await, RecordedMaterial { items: vec![], removed_at: Some(minute(20)) });
    let line = account(ANA, Provider::Google, "x").activity;
    ports.connections.disconnect(ANA, Provider::Google, line, minute(30)).await.unwrap();
    assert_eq!(recorded(ports, version.id).await, left, "once is enough");
}

/// Nobody goes on with what failed or was rejected before it was queued: nothing is kept of it. What was queued stays.
pub async fn recorded_goes_with_a_version_that_has_no_report(ports: &Ports) {
    let new = message("1", "x");
    import(ports, vec![new.clone()], 1).await;
    let count = |version: VersionId| async move { recorded(ports, version).await.items.len() };
    let reject = |version: VersionId, seen| {
        let status = VersionStatus::Rejected;
        let (state, feedback, at) = (run_state(), NewFeedback::default(), minute(20));
        ports.versions.decide(DecideVersion { user: ANA, version, seen, status, state, feedback, activity: None, slot: None, at })
    };
    let failing = opened_with(ports, &[&new]).await.id;
    ports.versions.advance(failed(failing, Step::Gathered)).await.unwrap();
    let [rejected, sent] = [opened_with(ports, &[&new]).await.id, opened_with(ports, &[&new]).await.id];
    for version in [rejected, sent] {
        ports.versions.advance(written(version)).await.unwrap();
        ports.versions.advance(verified(version, vec![])).await.unwrap();
    }
    ports.versions.advance(staged(rejected)).await.unwrap();
    assert_eq!((count(failing).await, count(rejected).await), (0, 1));
    reject(rejected, VersionStatus::Staged).await.unwrap();
    ports.versions.advance(queued(sent, vec![], vec![])).await.unwrap();
    ports.versions.advance(failed(sent, Step::Queued)).await.unwrap();
    reject(sent, VersionStatus::Failed).await.unwrap();
    assert_eq!((count(rejected).await, count(sent).await), (0, 1));
}

/// Versions that are opened while what they were gathered from is deleted at its source keep nothing of it.
pub async fn recorded_at_once_with_the_end_of_its_source_leaves_nothing(ports: &Ports) {
    let new = message("1", "x");
    live(ports, vec![new.clone()], 1).await;
    let run = begin(ports, ANA, &channel()).await;
    let taken_back = PageCommit { gone: vec!["1".to_owned()], ..last_page(&run, vec![], 2) };
    let items = [&new];
    let opening = join_all((0..8).map(|_| opened_with(ports, &items)));
    let (versions, receipt) = join(opening, ports.content.commit(taken_back)).await;
    assert_eq!(receipt.unwrap().gone, 1);
    for version in versions {
        assert_eq!(recorded(ports, version.id).await.items, []);
    }
}
