//! Facts of runs that rebuild: [`RunMode::Rebuild`] of [`ContentStore`](crate::sync::ContentStore).

use futures::future::join_all;

use super::Ports;
use super::fixtures::{
    ANA, begin, channel, everything, first_page, fresh, is_conflict, last_page, line, live, message, minute, resource, row, rows,
    stretch, texts,
};
use crate::activity::ActivityKind;
use crate::id::UserId;
use crate::platform::{Cursor, Gap, GapKind, Interval, Platform, Quarantined, ResourceId};
use crate::sync::{
    BeginRun, Finished, NewItem, Origin, PageCommit, Progress, Receipt, ResourceStatus, Retain, RetainReason, RunHandle, RunMode,
};

async fn rebuild_of(ports: &Ports, user: UserId, resource: ResourceId) -> RunHandle {
    let (resource_name, mode) = ("#general".to_owned(), RunMode::Rebuild);
    let run = BeginRun { user, resource, resource_name, mode, connection: None, at: minute(0) };
    ports.content.begin(run).await.unwrap()
}

async fn rebuild(ports: &Ports) -> RunHandle {
    rebuild_of(ports, ANA, channel()).await
}

async fn commit(ports: &Ports, page: PageCommit) -> Receipt {
    ports.content.commit(page).await.unwrap()
}

async fn status(ports: &Ports) -> ResourceStatus {
    ports.content.coverage(ANA, &[channel()]).await.unwrap().pop().unwrap()
}

/// The current texts, sorted.
async fn current(ports: &Ports) -> Vec<String> {
    let mut texts = texts(ports, &everything(ANA)).await;
    texts.sort();
    texts
}

fn gone(item_ids: &[&str]) -> Vec<String> {
    item_ids.iter().map(|it| (*it).to_owned()).collect()
}

fn gap(reason: &str) -> Gap {
    Gap { kind: GapKind::Unreadable, from: Some(minute(0)), to: None, reason: reason.to_owned() }
}

fn quarantined(item: &str) -> Vec<Quarantined> {
    vec![Quarantined { item: item.to_owned(), reason: "broken\0".to_owned() }]
}

/// A run knows that it rebuilds, and that another does not.
pub async fn begin_of_a_rebuild_says_so(ports: &Ports) {
    assert_eq!(rebuild(ports).await.mode, RunMode::Rebuild);
    assert_eq!(begin(ports, ANA, &channel()).await.mode, RunMode::Incremental);
}

/// Until the last page readers see what was there before, items and coverage alike.
pub async fn commit_of_a_rebuild_shows_nothing_before_its_last_page(ports: &Ports) {
    live(ports, vec![message("1", "old one"), message("2", "old two")], 1).await;
    let before = status(ports).await;
    let run = rebuild(ports).await;
    for text in ["new one", "newer one"] {
        let page = PageCommit {
            covered: vec![stretch(0, 9)],
            gaps: vec![gap("seen")],
            quarantined: quarantined("x"),
            gone: gone(&["2"]),
            ..first_page(&run, vec![message("1", text)], 2)
        };
        assert_eq!(commit(ports, page).await, Receipt::default());
        assert_eq!(current(ports).await, ["old one", "old two"]);
        assert_eq!(status(ports).await, before);
    }
}

/// The last page puts all pages in place, in the order in which they came, and what they report with them.
pub async fn commit_of_the_last_page_puts_all_pages_in_place(ports: &Ports) {
    live(ports, vec![message("1", "old one"), message("2", "two"), message("3", "three")], 1).await;
    let run = rebuild(ports).await;
    let first = PageCommit {
        covered: vec![stretch(0, 9), Interval::ALL],
        gaps: vec![gap("first")],
        quarantined: quarantined("a"),
        ..first_page(&run, vec![message("1", "new one"), message("2", "two"), message("4\0", "fo\0ur")], 2)
    };
    commit(ports, first).await;
    let newest = message("1", "newer one");
    let newest_id = newest.id;
    commit(ports, PageCommit { covered: vec![stretch(9, 12)], ..first_page(&run, vec![newest], 3) }).await;
    let finished = Finished { cursor: Some(Cursor::new("c2")), item_count: 4, ..Finished::default() };
    let last = PageCommit {
        gone: gone(&["3"]),
        gaps: vec![gap("last")],
        quarantined: quarantined("b"),
        progress: Progress::Finished(finished),
        ..last_page(&run, vec![message("5", "five")], 4)
    };
    assert_eq!(commit(ports, last).await, Receipt { new: 4, unchanged: 1, revised: 2, gone: 1 });
    assert_eq!(current(ports).await, ["five", "fo\u{fffd}ur", "newer one", "two"]);
    let newest = row(ports, newest_id).await;
    assert!(newest.version_of.is_some());
    assert_eq!((newest.fetched_at, newest.expires_at), (minute(3), Some(minute(3) + Platform::Slack.time_to_live())));
    let known = status(ports).await;
    assert_eq!((known.covered, known.gaps), (vec![stretch(0, 12)], vec![gap("first"), gap("last")]));
    assert_eq!((known.cursor, known.item_count, known.last_synced_at), (Some(Cursor::new("c2")), 4, Some(minute(4))));
}

/// What the last page names as gone goes: unretained rows are deleted, retained ones withdrawn.
pub async fn commit_of_the_last_page_takes_away_what_it_names(ports: &Ports) {
    let (plain, cited, kept) = (message("1", "plain"), message("2", "cited"), message("3", "kept"));
    let ids = [plain.id, cited.id, kept.id];
    live(ports, vec![plain, cited, kept], 1).await;
    let (reason, reference) = (RetainReason::DeliverableExecution, Some(fresh()));
    ports.content.retain(&Retain { user: ANA, ids: vec![ids[1], ids[2]], reason, reference, at: minute(1) }).await.unwrap();
    let before = row(ports, ids[2]).await;
    let run = rebuild(ports).await;
    commit(ports, first_page(&run, vec![message("3", "kept")], 2)).await;
    let last = PageCommit { gone: gone(&["1", "2"]), ..last_page(&run, vec![], 3) };
    assert_eq!(commit(ports, last).await, Receipt { new: 0, unchanged: 1, revised: 0, gone: 2 });
    assert_eq!(rows(ports, &[ids[0]]).await, []);
    assert_eq!(row(ports, ids[1]).await.withdrawn_at, Some(minute(3)));
    assert_eq!(row(ports, ids[2]).await, before);
}

/// Of an import too.
pub async fn commit_of_a_rebuild_keeps_the_origin_of_its_pages(ports: &Ports) {
    let new = message("1", "imported");
    let id = new.id;
    let run = rebuild(ports).await;
    commit(ports, PageCommit { origin: Origin::Import, ..first_page(&run, vec![new], 2) }).await;
    commit(ports, last_page(&run, vec![], 3)).await;
    assert!(row(ports, id).await.retained);
}

/// A page of a rebuild that is no longer the newest run is a conflict and changes nothing.
pub async fn commit_of_a_rebuild_needs_the_newest_run(ports: &Ports) {
    live(ports, vec![message("1", "old")], 1).await;
    let early = rebuild(ports).await;
    commit(ports, first_page(&early, vec![message("1", "early")], 2)).await;
    let late = rebuild(ports).await;
    assert!(is_conflict(&ports.content.commit(first_page(&early, vec![message("2", "early")], 3)).await));
    assert!(is_conflict(&ports.content.commit(last_page(&early, vec![message("3", "early")], 3)).await));
    assert_eq!(current(ports).await, ["old"]);
    commit(ports, last_page(&late, vec![message("4", "late")], 4)).await;
    assert_eq!(current(ports).await, ["late", "old"]);
    assert!(is_conflict(&ports.content.commit(last_page(&early, vec![], 5)).await));
    assert_eq!(current(ports).await, ["late", "old"]);
}

/// A rebuild that never ended leaves nothing, whatever kind of run follows it.
pub async fn begin_after_a_rebuild_that_never_ended_starts_afresh(ports: &Ports) {
    live(ports, vec![message("1", "old")], 1).await;
    for mode in [RunMode::Rebuild, RunMode::Incremental] {
        let dead = rebuild(ports).await;
        let page =
            PageCommit { gone: gone(&["1"]), covered: vec![stretch(0, 9)], ..first_page(&dead, vec![message("2", "dead")], 2) };
        commit(ports, page).await;
        let next = RunHandle { mode, ..begin(ports, ANA, &channel()).await };
        commit(ports, last_page(&next, vec![message("3", "alive")], 3)).await;
        assert_eq!(current(ports).await, ["alive", "old"]);
        assert_eq!(status(ports).await.covered, []);
    }
}

/// A rebuild that failed says so, and leaves what was there before.
pub async fn commit_of_a_rebuild_that_failed_leaves_what_was_there(ports: &Ports) {
    live(ports, vec![message("1", "old")], 1).await;
    let run = rebuild(ports).await;
    commit(ports, PageCommit { covered: vec![stretch(0, 9)], ..first_page(&run, vec![message("1", "new")], 2) }).await;
    let progress = Progress::Failed { error: "slack is down".to_owned(), activity: None };
    let last = PageCommit { covered: vec![stretch(9, 12)], progress, ..last_page(&run, vec![message("2", "new")], 3) };
    assert_eq!(commit(ports, last).await, Receipt::default());
    assert_eq!(current(ports).await, ["old"]);
    let known = status(ports).await;
    assert_eq!((known.last_error.as_deref(), known.last_error_at), (Some("slack is down"), Some(minute(3))));
    assert_eq!((known.covered, known.last_synced_at), (vec![], Some(minute(1))));
    commit(ports, last_page(&run, vec![], 4)).await;
    assert_eq!(current(ports).await, ["old"], "its pages are gone");
}

/// All pages are put in place, or none; then the last page may be tried again.
pub async fn commit_of_the_last_page_is_all_or_nothing(ports: &Ports) {
    let taken = message("9", "old");
    let id = taken.id;
    live(ports, vec![taken], 1).await;
    let run = rebuild(ports).await;
    commit(ports, first_page(&run, vec![message("1", "new")], 2)).await;
    let clash = NewItem { id, ..message("3", "clash") };
    let finished = Finished { activity: Some(line(ActivityKind::PlatformSynced, fresh(), "rebuilt")), ..Finished::default() };
    let last =
        |items| PageCommit { progress: Progress::Finished(finished.clone()), gone: gone(&["9"]), ..last_page(&run, items, 3) };
    assert!(is_conflict(&ports.content.commit(last(vec![clash])).await));
    assert_eq!(current(ports).await, ["old"]);
    assert_eq!(ports.activity.recent(ANA, 9).await.unwrap(), []);
    commit(ports, last(vec![message("3", "three")])).await;
    assert_eq!(current(ports).await, ["new", "three"]);
    assert_eq!(ports.activity.recent(ANA, 9).await.unwrap().len(), 1);
}

/// Items that were seen unchanged have their time to live started anew by the last page, not before.
pub async fn commit_of_a_rebuild_keeps_what_was_seen_unchanged(ports: &Ports) {
    let old = message("1", "old");
    let id = old.id;
    live(ports, vec![old], 1).await;
    let run = rebuild(ports).await;
    commit(ports, PageCommit { unchanged: gone(&["1"]), ..first_page(&run, vec![], 5) }).await;
    assert_eq!(row(ports, id).await.fetched_at, minute(1));
    commit(ports, last_page(&run, vec![], 6)).await;
    assert_eq!(row(ports, id).await.fetched_at, minute(5));
}

/// Many pages of many items, with rebuilds of other resources at the same time.
pub async fn commit_of_rebuilds_at_once_keeps_them_apart(ports: &Ports) {
    join_all((0..4).map(|number| async move {
        let run = rebuild_of(ports, ANA, resource(&format!("slack:C{number}"))).await;
        for page in 0..12 {
            let items = (0..25).map(|item| message(&format!("{page}.{item}"), &format!("{number}"))).collect();
            commit(ports, first_page(&run, items, page)).await;
        }
        let done = commit(ports, last_page(&run, vec![], 20)).await;
        assert_eq!(done, Receipt { new: 300, ..Receipt::default() });
    }))
    .await;
    let mut query = everything(ANA);
    query.limit = 9_999;
    assert_eq!(texts(ports, &query).await.len(), 1_200);
    query.resources = vec![resource("slack:C2")];
    assert_eq!(texts(ports, &query).await, vec!["2"; 300]);
}
