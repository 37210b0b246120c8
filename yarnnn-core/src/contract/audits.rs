//! Facts of what a sync knows and looks at once more: `known`, `exclude`, items seen unchanged, and what `coverage` says of them, of
//! [`ContentStore`](crate::sync::ContentStore).

use serde_json::json;

use super::Ports;
use super::fixtures::{
    ANA, begin, ben, channel, first_page, fresh, gone, import, is_missing, last_page, live, message, message_at, minute,
    resource, row, rows,
};
use crate::id::{ContentId, UserId};
use crate::platform::{KnownItem, Platform, Quarantined, Resource, ResourceId, ResourceKind};
use crate::sync::{Finished, PageCommit, Progress, Receipt, ResourceStatus, Retain, RetainReason};

async fn status(ports: &Ports, user: UserId, resource: &ResourceId) -> ResourceStatus {
    ports.content.coverage(user, std::slice::from_ref(resource)).await.unwrap().pop().unwrap()
}

async fn finish(ports: &Ports, finished: Finished, minutes: i64) {
    let run = begin(ports, ANA, &channel()).await;
    let progress = Progress::Finished(finished);
    ports.content.commit(PageCommit { progress, ..last_page(&run, vec![], minutes) }).await.unwrap();
}

/// A whole run of the channel that saw these items unchanged.
async fn unchanged(ports: &Ports, item_ids: &[&str], minutes: i64) -> Receipt {
    let run = begin(ports, ANA, &channel()).await;
    let unchanged = item_ids.iter().map(|it| (*it).to_owned()).collect();
    ports.content.commit(PageCommit { unchanged, ..last_page(&run, vec![], minutes) }).await.unwrap()
}

async fn retain(ports: &Ports, ids: &[ContentId]) {
    let (reason, reference) = (RetainReason::DeliverableExecution, Some(fresh()));
    ports.content.retain(&Retain { user: ANA, ids: ids.to_vec(), reason, reference, at: minute(1) }).await.unwrap();
}

async fn known(ports: &Ports, minutes: i64) -> Vec<String> {
    let known = ports.content.known(ANA, &channel(), minute(minutes)).await.unwrap();
    known.into_iter().map(|it| it.item_id).collect()
}

fn resource_of(id: &ResourceId) -> Resource {
    Resource::new(id.clone(), "#general", ResourceKind::Channel)
}

/// The current unretained rows live on, and nothing else changes.
pub async fn commit_of_unchanged_items_starts_their_time_to_live_anew(ports: &Ports) {
    let (old, new, cited, other) = (message("1", "A"), message("1", "B"), message("2", "x"), message("3", "y"));
    let ids = [old.id, new.id, cited.id, other.id];
    live(ports, vec![old, cited, other], 1).await;
    live(ports, vec![new], 2).await;
    retain(ports, &[ids[2]]).await;
    let elsewhere = message("1", "z");
    let elsewhere_id = elsewhere.id;
    let run = begin(ports, ANA, &resource("slack:C2")).await;
    ports.content.commit(last_page(&run, vec![elsewhere], 1)).await.unwrap();
    let before = rows(ports, &[ids[0], ids[2], ids[3], elsewhere_id]).await;
    assert_eq!(unchanged(ports, &["1", "2", "unknown"], 9).await, Receipt::default());
    let seen = row(ports, ids[1]).await;
    assert_eq!((seen.fetched_at, seen.expires_at), (minute(9), Some(minute(9) + Platform::Slack.time_to_live())));
    assert_eq!(rows(ports, &[ids[0], ids[2], ids[3], elsewhere_id]).await, before);
}

/// Nobody's rows live on by what another has seen.
pub async fn commit_of_unchanged_items_sees_only_the_users_rows(ports: &Ports) {
    let (ben, new) = (ben(ports).await, message("1", "Ben's"));
    let id = new.id;
    let run = begin(ports, ben, &channel()).await;
    ports.content.commit(last_page(&run, vec![new], 1)).await.unwrap();
    unchanged(ports, &["1"], 9).await;
    assert_eq!(ports.content.find(ben, &[id]).await.unwrap()[0].fetched_at, minute(1));
}

/// An item that was withdrawn and is seen again is there.
pub async fn commit_of_unchanged_items_brings_withdrawn_ones_back(ports: &Ports) {
    let cited = message("1", "x");
    let id = cited.id;
    live(ports, vec![cited], 1).await;
    retain(ports, &[id]).await;
    let before = row(ports, id).await;
    gone(ports, &["1"], 2).await;
    assert_eq!(row(ports, id).await.withdrawn_at, Some(minute(2)));
    unchanged(ports, &["1"], 9).await;
    assert_eq!(row(ports, id).await, before);
}

/// An item that a page both saw and calls gone is there.
pub async fn commit_of_unchanged_items_wins_over_gone(ports: &Ports) {
    live(ports, vec![message("1", "x"), message("2", "y")], 1).await;
    let run = begin(ports, ANA, &channel()).await;
    let gone = vec!["1".to_owned(), "2".to_owned()];
    let page = PageCommit { unchanged: vec!["1".to_owned()], gone, ..last_page(&run, vec![], 2) };
    assert_eq!(ports.content.commit(page).await.unwrap().gone, 1);
    assert_eq!(known(ports, 2).await, ["1"]);
}

/// Any number of items in one page.
pub async fn commit_of_unchanged_items_takes_a_long_list(ports: &Ports) {
    let ids: Vec<_> = (0..3_000).map(|it| format!("{it:04}")).collect();
    live(ports, ids.iter().map(|it| message(it, "x")).collect(), 1).await;
    let run = begin(ports, ANA, &channel()).await;
    ports.content.commit(PageCommit { unchanged: ids, ..last_page(&run, vec![], 60) }).await.unwrap();
    let end = minute(30) + Platform::Slack.time_to_live();
    assert_eq!(ports.content.known(ANA, &channel(), end).await.unwrap().len(), 3_000);
}

/// A run that read everything once more says when; others leave that.
pub async fn commit_of_an_audit_says_when(ports: &Ports) {
    finish(ports, Finished::default(), 1).await;
    assert_eq!(status(ports, ANA, &channel()).await.audited_at, None);
    finish(ports, Finished { audited: Some(minute(2)), ..Finished::default() }, 2).await;
    finish(ports, Finished::default(), 3).await;
    let run = begin(ports, ANA, &channel()).await;
    let progress = Progress::Failed { error: "down".to_owned(), activity: None };
    ports.content.commit(PageCommit { progress, ..last_page(&run, vec![], 4) }).await.unwrap();
    assert_eq!(status(ports, ANA, &channel()).await.audited_at, Some(minute(2)));
}

/// What went wrong comes with when; after a run without error neither is there.
pub async fn coverage_says_when_something_went_wrong(ports: &Ports) {
    let told = |it: ResourceStatus| (it.last_error, it.last_error_at);
    finish(ports, Finished { error: Some("odd".to_owned()), ..Finished::default() }, 1).await;
    assert_eq!(told(status(ports, ANA, &channel()).await), (Some("odd".to_owned()), Some(minute(1))));
    finish(ports, Finished::default(), 2).await;
    assert_eq!(told(status(ports, ANA, &channel()).await), (None, None));
}

/// By item, with what a client needs to look at them again.
pub async fn known_lists_items_as_they_are(ports: &Ports) {
    let mut late = message_at("b", "x", 5);
    late.item.metadata = json!({"edited": {"ts": "7.5"}});
    let mut timeless = message("B", "y");
    timeless.item.source_timestamp = None;
    live(ports, vec![late, timeless, message("a", "z")], 1).await;
    let item = |item_id: &str, source_timestamp, metadata| KnownItem { item_id: item_id.to_owned(), source_timestamp, metadata };
    let expected = [
        item("B", None, json!({"ts": "B"})),
        item("a", Some(minute(0)), json!({"ts": "a"})),
        item("b", Some(minute(5)), json!({"edited": {"ts": "7.5"}})),
    ];
    assert_eq!(ports.content.known(ANA, &channel(), minute(1)).await.unwrap(), expected);
}

/// Current, live, not withdrawn, and retained or not expired.
pub async fn known_lists_what_is_kept(ports: &Ports) {
    let (old, cited, lost) = (message("1", "A"), message("2", "x"), message("3", "y"));
    let (cited_id, lost_id) = (cited.id, lost.id);
    live(ports, vec![old, cited, lost], 1).await;
    live(ports, vec![message("1", "B")], 2).await;
    import(ports, vec![message("4", "imported")], 3).await;
    retain(ports, &[cited_id, lost_id]).await;
    gone(ports, &["3"], 4).await;
    assert_eq!(known(ports, 5).await, ["1", "2"]);
    let life = Platform::Slack.time_to_live().num_minutes();
    assert_eq!(known(ports, 2 + life).await, ["1", "2"], "its last instant still counts");
    assert_eq!(known(ports, 3 + life).await, ["2"]);
}

/// Of one resource of one user.
pub async fn known_sees_only_the_users_rows(ports: &Ports) {
    let ben = ben(ports).await;
    for (user, name, item) in [(ANA, "slack:C1", "1"), (ANA, "slack:C2", "2"), (ben, "slack:C1", "3")] {
        let run = begin(ports, user, &resource(name)).await;
        ports.content.commit(last_page(&run, vec![message(item, "x")], 1)).await.unwrap();
    }
    assert_eq!(known(ports, 1).await, ["1"]);
    assert_eq!(ports.content.known(ben, &channel(), minute(1)).await.unwrap()[0].item_id, "3");
    assert_eq!(ports.content.known(ben, &resource("slack:C2"), minute(1)).await.unwrap(), []);
}

/// The user's word stays until they take it back, whatever runs find.
pub async fn exclude_outlasts_runs(ports: &Ports) {
    let excluded = || async { status(ports, ANA, &channel()).await.excluded };
    live(ports, vec![message("1", "x")], 1).await;
    assert!(!excluded().await);
    let run = begin(ports, ANA, &channel()).await;
    ports.content.exclude(ANA, &resource_of(&channel()), true, minute(2)).await.unwrap();
    let broken = vec![Quarantined { item: "a".to_owned(), reason: "b".to_owned() }];
    ports.content.commit(PageCommit { quarantined: broken, ..first_page(&run, vec![], 3) }).await.unwrap();
    ports.content.commit(last_page(&run, vec![message("2", "y")], 4)).await.unwrap();
    assert!(excluded().await);
    begin(ports, ANA, &channel()).await;
    finish(ports, Finished::default(), 5).await;
    assert!(excluded().await);
    ports.content.exclude(ANA, &resource_of(&channel()), false, minute(6)).await.unwrap();
    assert!(!excluded().await);
    assert_eq!(status(ports, ANA, &channel()).await.last_synced_at, Some(minute(5)));
}

/// A resource that was never synced gets its entry, and may be synced afterwards.
pub async fn exclude_of_a_resource_that_was_never_synced_makes_its_entry(ports: &Ports) {
    ports.content.exclude(ANA, &resource_of(&channel()), true, minute(2)).await.unwrap();
    let entry = status(ports, ANA, &channel()).await;
    assert_eq!((entry.excluded, entry.resource_name.as_str(), entry.last_synced_at), (true, "#general", None));
    live(ports, vec![message("1", "x")], 3).await;
    assert_eq!(known(ports, 3).await, ["1"]);
}

/// Everybody for themselves.
pub async fn exclude_changes_only_the_users_entry(ports: &Ports) {
    let ben = ben(ports).await;
    for user in [ANA, ben] {
        let run = begin(ports, user, &channel()).await;
        ports.content.commit(last_page(&run, vec![], 1)).await.unwrap();
    }
    ports.content.exclude(ben, &resource_of(&channel()), true, minute(2)).await.unwrap();
    assert!(status(ports, ben, &channel()).await.excluded);
    assert!(!status(ports, ANA, &channel()).await.excluded);
    let nobody = UserId::from_uuid(fresh());
    assert!(is_missing(&ports.content.exclude(nobody, &resource_of(&channel()), true, minute(2)).await));
}
