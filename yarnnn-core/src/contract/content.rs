//! Facts of the writing half of [`ContentStore`](crate::sync::ContentStore): `begin`, `commit`, `retain`, `expire`.

use chrono::{DateTime, Utc};
use futures::future::join_all;
use serde_json::json;

use super::Ports;
use super::fixtures::{
    ANA, begin, ben, channel, everything, first_page, fresh, gone, import, is_conflict, is_missing, last_page, line, live,
    message, minute, resource, row, rows, stretch, texts, try_begin,
};
use crate::activity::ActivityKind;
use crate::id::{ContentId, UserId};
use crate::platform::{Author, Cursor, Gap, GapKind, Interval, Platform, Quarantined, ResourceId};
use crate::sync::{
    Finished, MAX_CONTENT_CHARS, NewItem, Origin, PageCommit, Progress, Receipt, ResourceStatus, Retain, RetainReason, RunHandle,
    RunPart,
};

fn receipt(new: u64, unchanged: u64, revised: u64, gone: u64) -> Receipt {
    Receipt { new, unchanged, revised, gone }
}

async fn status(ports: &Ports) -> ResourceStatus {
    ports.content.coverage(ANA, &[channel()]).await.unwrap().pop().unwrap()
}

async fn finish(ports: &Ports, run: &RunHandle, finished: Finished, minutes: i64) {
    let progress = Progress::Finished(finished);
    ports.content.commit(PageCommit { progress, ..last_page(run, vec![], minutes) }).await.unwrap();
}

fn gap(reason: &str) -> Gap {
    Gap { kind: GapKind::Unreadable, from: Some(minute(0)), to: None, reason: reason.to_owned() }
}

fn retaining(ids: Vec<ContentId>) -> Retain {
    Retain { user: ANA, ids, reason: RetainReason::DeliverableExecution, reference: Some(fresh()), at: minute(5) }
}

/// A run is handed the cursor that the last finished run left.
pub async fn begin_hands_out_the_last_cursor(ports: &Ports) {
    let run = begin(ports, ANA, &channel()).await;
    assert_eq!((run.user, &run.resource, run.cursor.clone()), (ANA, &channel(), None));
    finish(ports, &run, Finished { cursor: Some(Cursor::new("c1")), ..Finished::default() }, 1).await;
    assert_eq!(begin(ports, ANA, &channel()).await.cursor, Some(Cursor::new("c1")));
}

/// A run of somebody who does not exist cannot begin.
pub async fn begin_needs_a_user(ports: &Ports) {
    assert!(is_missing(&try_begin(ports, UserId::from_uuid(fresh()), &channel()).await));
}

/// A later run ends the earlier one: its commit is a conflict and changes nothing.
pub async fn begin_fences_every_earlier_run(ports: &Ports) {
    let early = begin(ports, ANA, &channel()).await;
    let late = begin(ports, ANA, &channel()).await;
    assert!(early.token < late.token);
    let page = PageCommit { covered: vec![stretch(0, 9)], ..first_page(&early, vec![message("1", "too late")], 1) };
    assert!(is_conflict(&ports.content.commit(page).await));
    assert!(is_conflict(&ports.content.commit(last_page(&early, vec![], 1)).await));
    assert_eq!(texts(ports, &everything(ANA)).await, [""; 0]);
    assert_eq!((status(ports).await.covered, status(ports).await.last_synced_at), (vec![], None));
    ports.content.commit(last_page(&late, vec![message("1", "in time")], 1)).await.unwrap();
    assert_eq!(texts(ports, &everything(ANA)).await, ["in time"]);
}

/// Runs of other resources and of other users are not fenced.
pub async fn begin_leaves_other_runs_alone(ports: &Ports) {
    let ben = ben(ports).await;
    let runs = [(ANA, "slack:C1"), (ANA, "slack:C2"), (ANA, "calendar:C1"), (ben, "slack:C1")];
    let runs = join_all(runs.iter().map(|(user, it)| async { begin(ports, *user, &resource(it)).await })).await;
    for run in &runs {
        ports.content.commit(last_page(run, vec![message("1", "x")], 1)).await.unwrap();
    }
}

/// Of runs that begin at once, exactly one may commit.
pub async fn begin_at_once_leaves_one_run(ports: &Ports) {
    let channel = channel();
    let runs = join_all((0..6).map(|_| begin(ports, ANA, &channel))).await;
    let commits = join_all(runs.iter().map(|run| ports.content.commit(last_page(run, vec![message("1", "x")], 1)))).await;
    assert_eq!(commits.iter().filter(|it| it.is_ok()).count(), 1, "{commits:?}");
    assert!(commits.iter().all(|it| it.is_ok() || is_conflict(it)), "{commits:?}");
}

/// What was committed reads back as it was.
pub async fn commit_stores_items_as_they_were(ports: &Ports) {
    let mut new = message("1.5", "Grüße “aus” 東京 \u{1f5fc}\n\ttab");
    new.item.title = Some("Title".to_owned());
    new.item.is_user_authored = true;
    new.item.metadata = json!({"nested": {"list": [1, 2.5, null, true, "x"]}, "z": 1, "a": -7});
    let NewItem { id, item } = new.clone();
    assert_eq!(live(ports, vec![new], 3).await, receipt(1, 0, 0, 0));
    let stored = row(ports, id).await;
    assert_eq!((stored.resource, stored.resource_name.as_str()), (channel(), "#general"));
    assert_eq!((stored.item_id, stored.content_type, stored.content), (item.item_id, item.content_type, item.content));
    assert_eq!((stored.content_hash, stored.title, stored.author), (item.content_hash, item.title, item.author));
    assert_eq!((stored.source_timestamp, stored.metadata), (item.source_timestamp, item.metadata));
    assert_eq!((stored.fetched_at, stored.expires_at), (minute(3), Some(minute(3) + Platform::Slack.time_to_live())));
    assert!(stored.is_user_authored && stored.is_current && !stored.retained);
    assert_eq!((stored.version_of, stored.withdrawn_at), (None, None));
}

/// What a person imports is retained from the start.
pub async fn commit_of_an_import_retains(ports: &Ports) {
    let new = message("1", "x");
    let id = new.id;
    import(ports, vec![new], 3).await;
    let stored = row(ports, id).await;
    assert!(stored.retained && stored.expires_at.is_none());
}

/// A revision that is stored is not stored again, and its time to live starts anew.
pub async fn commit_of_a_known_revision_starts_its_time_to_live_anew(ports: &Ports) {
    let (first, mut again) = (message("1", "x"), message("1", "x"));
    let (id, other) = (first.id, again.id);
    again.item.metadata = json!({"reply_count": 4});
    live(ports, vec![first], 1).await;
    assert_eq!(live(ports, vec![again], 9).await, receipt(0, 1, 0, 0));
    assert_eq!(rows(ports, &[other]).await, []);
    let stored = row(ports, id).await;
    assert_eq!((stored.fetched_at, stored.expires_at), (minute(9), Some(minute(9) + Platform::Slack.time_to_live())));
    assert_eq!(stored.metadata, json!({"reply_count": 4}));
}

/// A retained revision stays exactly as it is when it is seen again, live or by import.
pub async fn commit_of_a_retained_revision_changes_nothing(ports: &Ports) {
    let (cited, imported) = (message("1", "x"), message("2", "y"));
    let ids = [cited.id, imported.id];
    live(ports, vec![cited], 1).await;
    ports.content.retain(&retaining(vec![ids[0]])).await.unwrap();
    import(ports, vec![imported], 1).await;
    let before = rows(ports, &ids).await;
    assert!(before.iter().all(|it| it.retained && it.expires_at.is_none()));
    let again = || {
        let mut items = vec![message("1", "x"), message("2", "y")];
        items[0].item.metadata = json!({"reply_count": 4});
        items
    };
    assert_eq!(live(ports, again(), 7).await, receipt(0, 2, 0, 0));
    assert_eq!(import(ports, again(), 8).await, receipt(0, 2, 0, 0));
    assert_eq!(rows(ports, &ids).await, before);
}

/// An import of a revision that came live and was not retained retains it.
pub async fn commit_of_an_import_retains_what_was_live(ports: &Ports) {
    let new = message("1", "x");
    let id = new.id;
    live(ports, vec![new], 1).await;
    assert_eq!(import(ports, vec![message("1", "x")], 2).await, receipt(0, 1, 0, 0));
    let stored = row(ports, id).await;
    assert!(stored.retained && stored.expires_at.is_none());
    live(ports, vec![message("1", "x")], 3).await;
    assert!(row(ports, id).await.retained);
}

/// A new revision is a new row that replaces the old one.
pub async fn commit_of_a_new_revision_replaces_the_old(ports: &Ports) {
    let (old, new) = (message("1", "old"), message("1", "new"));
    let (old_id, new_id) = (old.id, new.id);
    live(ports, vec![old], 1).await;
    assert_eq!(live(ports, vec![new], 2).await, receipt(1, 0, 1, 0));
    let (old, new) = (row(ports, old_id).await, row(ports, new_id).await);
    assert_eq!((old.is_current, new.is_current, new.version_of), (false, true, Some(old_id)));
    assert_eq!((old.content.as_str(), new.content.as_str()), ("old", "new"));
    assert_eq!(texts(ports, &everything(ANA)).await, ["new"]);
}

/// A revision that comes back makes its old row current again; a retained one is otherwise not touched.
pub async fn commit_of_a_revision_that_comes_back_revives_its_row(ports: &Ports) {
    for retained in [false, true] {
        let item_id = retained.to_string();
        let (first, second) = (message(&item_id, "A"), message(&item_id, "B"));
        let (first_id, second_id) = (first.id, second.id);
        live(ports, vec![first], 1).await;
        if retained {
            ports.content.retain(&retaining(vec![first_id])).await.unwrap();
        }
        let before = row(ports, first_id).await;
        live(ports, vec![second], 2).await;
        assert_eq!(live(ports, vec![message(&item_id, "A")], 3).await, receipt(0, 1, 0, 0));
        let (first, second) = (row(ports, first_id).await, row(ports, second_id).await);
        assert_eq!((first.is_current, second.is_current), (true, false));
        assert_eq!((first.version_of, second.version_of), (None, Some(first_id)));
        assert_eq!(first == before, retained, "the time to live of an unretained row starts anew");
    }
}

/// Only one row of an item is current, whatever its history.
pub async fn commit_leaves_one_current_row(ports: &Ports) {
    for (minutes, text) in (1..).zip(["A", "B", "A", "C", "B", "B", "A"]) {
        live(ports, vec![message("1", text)], minutes).await;
        assert_eq!(texts(ports, &everything(ANA)).await, [text]);
    }
}

/// Of one item more than once in a page, the last counts.
pub async fn commit_takes_the_last_of_an_item_in_a_page(ports: &Ports) {
    let items = vec![message("1", "A"), message("1", "B"), message("2", "same"), message("2", "same")];
    assert_eq!(live(ports, items, 1).await, receipt(2, 2, 0, 0));
    let mut found = texts(ports, &everything(ANA)).await;
    found.sort();
    assert_eq!(found, ["B", "same"]);
}

/// The receipt counts source records, not rows: further instances of a recurring event stand for none.
pub async fn commit_counts_records(ports: &Ports) {
    let page = |text: &str| {
        let mut items: Vec<_> = ["1", "2", "3"].map(|id| message(id, text)).into();
        items[1].item.records = 0;
        items[2].item.records = 0;
        items
    };
    assert_eq!(import(ports, page("x"), 1).await, receipt(1, 0, 0, 0));
    assert_eq!(import(ports, page("x"), 2).await, receipt(0, 1, 0, 0));
    assert_eq!(import(ports, page("y"), 3).await, receipt(1, 0, 3, 0));
}

/// `gone` deletes the unretained rows of an item in all revisions; retained ones stay as withdrawn.
pub async fn commit_of_gone_deletes_or_withdraws(ports: &Ports) {
    let revisions = ["A", "B", "C"].map(|text| message("1", text));
    let ids = revisions.each_ref().map(|it| it.id);
    for revision in revisions {
        live(ports, vec![revision], 1).await;
    }
    ports.content.retain(&retaining(vec![ids[1]])).await.unwrap();
    assert_eq!(gone(ports, &["1", "unknown"], 7).await, receipt(0, 0, 0, 3));
    let left = rows(ports, &ids).await;
    assert_eq!(left.iter().map(|it| (it.id, it.withdrawn_at)).collect::<Vec<_>>(), [(ids[1], Some(minute(7)))]);
    assert_eq!(texts(ports, &everything(ANA)).await, [""; 0]);
    assert_eq!(gone(ports, &["1"], 8).await, receipt(0, 0, 0, 0));
    assert_eq!(row(ports, ids[1]).await.withdrawn_at, Some(minute(7)));
}

/// An item that is seen again is no longer withdrawn, in this revision or in another.
pub async fn commit_of_a_withdrawn_item_brings_it_back(ports: &Ports) {
    for text in ["A", "B"] {
        let new = message(text, "A");
        let id = new.id;
        import(ports, vec![new], 1).await;
        gone(ports, &[text], 2).await;
        assert!(row(ports, id).await.withdrawn_at.is_some());
        import(ports, vec![message(text, text)], 3).await;
        assert_eq!(row(ports, id).await.withdrawn_at, None);
    }
}

/// Content is cut at so many characters; the revision is that of the full text.
pub async fn commit_cuts_content(ports: &Ports) {
    let new = message("1", &"ä".repeat(MAX_CONTENT_CHARS + 1));
    let (id, hash) = (new.id, new.item.content_hash);
    live(ports, vec![new], 1).await;
    let stored = row(ports, id).await;
    assert_eq!((stored.content.chars().count(), stored.content_hash), (MAX_CONTENT_CHARS, hash));
}

/// U+0000, which not every database can keep, becomes U+FFFD; the item is found under its id all the same.
pub async fn commit_replaces_nul(ports: &Ports) {
    let nul = || {
        let mut new = message("a\0b", "x\0y");
        new.item.title = Some("\0".to_owned());
        new.item.author = Some(Author { name: "An\0a".to_owned(), id: Some("U\0".to_owned()) });
        new.item.metadata = json!({"k\0": ["v\0"]});
        new
    };
    let new = nul();
    let id = new.id;
    import(ports, vec![new], 1).await;
    let stored = row(ports, id).await;
    assert_eq!((stored.content.as_str(), stored.title.as_deref()), ("x\u{fffd}y", Some("\u{fffd}")));
    assert_eq!(stored.author, Some(Author { name: "An\u{fffd}a".to_owned(), id: Some("U\u{fffd}".to_owned()) }));
    assert_eq!(stored.metadata, json!({"k\u{fffd}": ["v\u{fffd}"]}));
    assert_eq!(import(ports, vec![nul()], 2).await, receipt(0, 1, 0, 0));
    assert_eq!(gone(ports, &["a\0b"], 3).await, receipt(0, 0, 0, 1));
}

/// Records with absurd instants are stored without them, and disturb nothing.
pub async fn commit_drops_absurd_instants(ports: &Ports) {
    let instants = [DateTime::<Utc>::MAX_UTC, DateTime::<Utc>::MIN_UTC];
    let items = instants.map(|instant| {
        let mut new = message(&instant.to_string(), "x");
        new.item.source_timestamp = Some(instant);
        new
    });
    let id = items[0].id;
    let run = begin(ports, ANA, &channel()).await;
    let covered = vec![Interval { from: instants[1], to: instants[0] }, stretch(0, 1)];
    let finished = Finished { source_latest_at: Some(instants[0]), ..Finished::default() };
    let page = PageCommit { covered, progress: Progress::Finished(finished), ..last_page(&run, items.into(), 1) };
    ports.content.commit(page).await.unwrap();
    assert_eq!(row(ports, id).await.source_timestamp, None);
    assert_eq!((status(ports).await.covered, status(ports).await.source_latest_at), (vec![stretch(0, 1)], None));
}

/// A commit is stored whole or not at all.
pub async fn commit_is_all_or_nothing(ports: &Ports) {
    let taken = message("1", "x");
    let id = taken.id;
    live(ports, vec![taken], 1).await;
    let clash = NewItem { id, ..message("3", "z") };
    let run = begin(ports, ANA, &channel()).await;
    let finished = Finished { cursor: Some(Cursor::new("c")), item_count: 9, ..Finished::default() };
    let page = PageCommit {
        covered: vec![stretch(0, 9)],
        progress: Progress::Finished(finished),
        ..last_page(&run, vec![message("1", "revised"), message("2", "y"), clash], 5)
    };
    assert!(is_conflict(&ports.content.commit(page).await));
    assert_eq!(texts(ports, &everything(ANA)).await, ["x"]);
    let known = status(ports).await;
    assert_eq!((known.last_synced_at, known.cursor, known.covered), (Some(minute(1)), None, vec![]));
}

/// A finished run sets when, how much, how far and what went wrong; an unfinished one does not.
pub async fn commit_of_the_last_page_sets_the_registry(ports: &Ports) {
    let run = begin(ports, ANA, &channel()).await;
    ports.content.commit(first_page(&run, vec![message("1", "x")], 1)).await.unwrap();
    assert_eq!((status(ports).await.last_synced_at, status(ports).await.item_count), (None, 0));
    let finished = Finished {
        cursor: Some(Cursor::new("c1")),
        item_count: 7,
        source_latest_at: Some(minute(-3)),
        error: Some("é".repeat(600)),
        part: RunPart::New,
        audited: None,
        activity: Some(line(ActivityKind::PlatformSynced, fresh(), "synced")),
    };
    finish(ports, &run, finished, 2).await;
    let known = status(ports).await;
    assert_eq!((known.resource, known.resource_name.as_str()), (channel(), "#general"));
    assert_eq!((known.last_synced_at, known.item_count, known.cursor), (Some(minute(2)), 7, Some(Cursor::new("c1"))));
    assert_eq!((known.source_latest_at, known.last_error), (Some(minute(-3)), Some("é".repeat(500))));
    assert_eq!(ports.activity.recent(ANA, 9).await.unwrap().len(), 1);
}

/// A missing cursor leaves the stored one, an empty run the newest instant; an error is gone after a run without one.
pub async fn commit_of_an_empty_run_leaves_what_is_known(ports: &Ports) {
    let run = begin(ports, ANA, &channel()).await;
    let finished = Finished {
        cursor: Some(Cursor::new("c1")),
        source_latest_at: Some(minute(-3)),
        error: Some("half of it".to_owned()),
        ..Finished::default()
    };
    finish(ports, &run, finished, 1).await;
    let run = begin(ports, ANA, &channel()).await;
    finish(ports, &run, Finished::default(), 2).await;
    let known = status(ports).await;
    assert_eq!((known.cursor, known.source_latest_at, known.last_error), (Some(Cursor::new("c1")), Some(minute(-3)), None));
    assert_eq!(known.last_synced_at, Some(minute(2)));
}

/// Coverage only grows, page by page and run by run; touching stretches are one.
pub async fn commit_grows_coverage(ports: &Ports) {
    let run = begin(ports, ANA, &channel()).await;
    let page = PageCommit { covered: vec![stretch(0, 10), stretch(20, 30)], ..first_page(&run, vec![], 1) };
    ports.content.commit(page).await.unwrap();
    assert_eq!(status(ports).await.covered, [stretch(0, 10), stretch(20, 30)]);
    let run = begin(ports, ANA, &channel()).await;
    ports.content.commit(PageCommit { covered: vec![stretch(10, 25)], ..last_page(&run, vec![], 2) }).await.unwrap();
    assert_eq!(status(ports).await.covered, [stretch(0, 30)]);
}

/// The gaps of all pages of a run replace those of the run before, once it is finished.
pub async fn commit_of_the_last_page_replaces_gaps(ports: &Ports) {
    for (minutes, reasons) in [(1, ["a.json", "b.json"]), (2, ["c.json", "d.json"])] {
        let run = begin(ports, ANA, &channel()).await;
        let before = status(ports).await.gaps;
        ports.content.commit(PageCommit { gaps: vec![gap(reasons[0])], ..first_page(&run, vec![], minutes) }).await.unwrap();
        assert_eq!(status(ports).await.gaps, before);
        ports.content.commit(PageCommit { gaps: vec![gap(reasons[1])], ..last_page(&run, vec![], minutes) }).await.unwrap();
    }
    assert_eq!(status(ports).await.gaps, [gap("c.json"), gap("d.json")]);
    let run = begin(ports, ANA, &channel()).await;
    ports.content.commit(PageCommit { gaps: vec![gap("left behind")], ..first_page(&run, vec![], 3) }).await.unwrap();
    let run = begin(ports, ANA, &channel()).await;
    finish(ports, &run, Finished::default(), 4).await;
    assert_eq!(status(ports).await.gaps, []);
}

/// Any number of records that could not be read do not end a run.
pub async fn commit_takes_quarantined_records(ports: &Ports) {
    let run = begin(ports, ANA, &channel()).await;
    let broken = |number| Quarantined { item: format!("general/2026-01-01.json\0:{number}"), reason: "not JSON".to_owned() };
    for _ in 0..3 {
        let page = PageCommit { quarantined: (0..90).map(broken).collect(), ..first_page(&run, vec![], 1) };
        ports.content.commit(page).await.unwrap();
    }
    finish(ports, &run, Finished::default(), 2).await;
    assert_eq!(status(ports).await.last_synced_at, Some(minute(2)));
}

/// A page may be large: no limit of a statement shows.
pub async fn commit_takes_a_large_page(ports: &Ports) {
    let page = |text: &str| (0..1_234).map(|number| message(&number.to_string(), text)).collect::<Vec<_>>();
    assert_eq!(live(ports, page("x"), 1).await, receipt(1_234, 0, 0, 0));
    assert_eq!(live(ports, page("x"), 2).await, receipt(0, 1_234, 0, 0));
    assert_eq!(live(ports, page("y"), 3).await, receipt(1_234, 0, 1_234, 0));
    let run = begin(ports, ANA, &channel()).await;
    let all = (0..1_234).map(|it| it.to_string()).collect();
    let done = ports.content.commit(PageCommit { gone: all, ..last_page(&run, vec![], 4) }).await.unwrap();
    assert_eq!(done, receipt(0, 0, 0, 2_468));
}

/// Runs of different resources commit at once, and nothing is lost.
pub async fn commit_at_once_on_different_resources(ports: &Ports) {
    let committers = (0..8).map(|number| async move {
        let resource: ResourceId = resource(&format!("slack:C{number}"));
        let run = begin(ports, ANA, &resource).await;
        for page in 0..5 {
            let items = (0..10).map(|item| message(&format!("{page}.{item}"), "x")).collect();
            ports.content.commit(first_page(&run, items, page)).await.unwrap();
        }
        finish(ports, &run, Finished::default(), 9).await;
    });
    join_all(committers).await;
    assert_eq!(texts(ports, &everything(ANA)).await.len(), 400);
    assert_eq!(ports.content.coverage(ANA, &[]).await.unwrap().len(), 8);
}

/// Retained rows lose their end; those that were retained before are not counted; others' and unknown ones neither.
pub async fn retain_keeps_rows(ports: &Ports) {
    let (first, second) = (message("1", "x"), message("2", "y"));
    let ids = vec![first.id, second.id, ContentId::from_uuid(fresh())];
    live(ports, vec![first], 1).await;
    import(ports, vec![second], 1).await;
    let imported = row(ports, ids[1]).await;
    assert_eq!(ports.content.retain(&retaining(ids.clone())).await.unwrap(), 1);
    assert_eq!(ports.content.retain(&retaining(ids.clone())).await.unwrap(), 0);
    assert_eq!(ports.content.retain(&retaining(vec![])).await.unwrap(), 0);
    let kept = row(ports, ids[0]).await;
    assert!(kept.retained && kept.expires_at.is_none());
    assert_eq!(row(ports, ids[1]).await, imported);
}

/// Nobody retains what belongs to another.
pub async fn retain_sees_only_the_users_rows(ports: &Ports) {
    let (ben, new) = (ben(ports).await, message("1", "x"));
    let id = new.id;
    live(ports, vec![new], 1).await;
    assert_eq!(ports.content.retain(&Retain { user: ben, ..retaining(vec![id]) }).await.unwrap(), 0);
    assert!(!row(ports, id).await.retained);
}

/// The origin of a page decides for its own rows only.
pub async fn commit_of_a_live_edit_leaves_the_imported_revision_retained(ports: &Ports) {
    let (old, new) = (message("1", "old"), message("1", "new"));
    let (old_id, new_id) = (old.id, new.id);
    import(ports, vec![old], 1).await;
    let run = begin(ports, ANA, &channel()).await;
    let page = PageCommit { origin: Origin::Live, ..last_page(&run, vec![new], 2) };
    ports.content.commit(page).await.unwrap();
    assert_eq!((row(ports, old_id).await.retained, row(ports, new_id).await.retained), (true, false));
}
