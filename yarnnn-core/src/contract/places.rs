//! Facts of runs that are cut short and taken up again: places of [`ContentStore`](crate::sync::ContentStore).

use super::Ports;
use super::fixtures::{
    ANA, begin, ben, channel, everything, first_page, is_conflict, last_page, live, message, minute, resource, texts,
};
use crate::id::UserId;
use crate::platform::{Cursor, ResourceId};
use crate::sync::{BeginRun, Finished, PageCommit, Place, Progress, RunHandle, RunMode, RunPart};

fn place(text: &str) -> Place {
    Place::new(text.to_owned()).unwrap()
}

async fn within(ports: &Ports, run: &RunHandle, part: RunPart, text: Option<&str>) {
    let progress = Progress::Within { part, place: text.map(place) };
    ports.content.commit(PageCommit { progress, ..first_page(run, vec![message("1", "x")], 1) }).await.unwrap();
}

async fn finish(ports: &Ports, run: &RunHandle, part: RunPart) {
    let progress = Progress::Finished(Finished { part, ..Finished::default() });
    ports.content.commit(PageCommit { progress, ..last_page(run, vec![], 2) }).await.unwrap();
}

async fn places_of(ports: &Ports, user: UserId, resource: &ResourceId) -> Vec<(RunPart, String)> {
    let places = begin(ports, user, resource).await.places;
    places.into_iter().map(|(part, place)| (part, place.as_str().to_owned())).collect()
}

async fn places(ports: &Ports) -> Vec<(RunPart, String)> {
    places_of(ports, ANA, &channel()).await
}

fn new(text: &str) -> (RunPart, String) {
    (RunPart::New, text.to_owned())
}

fn audit(text: &str) -> (RunPart, String) {
    (RunPart::Audit, text.to_owned())
}

/// Every later run is told where one was cut short, as the last page left it, until one gets through.
pub async fn begin_hands_out_where_a_run_was_cut_short(ports: &Ports) {
    assert_eq!(places(ports).await, []);
    let run = begin(ports, ANA, &channel()).await;
    within(ports, &run, RunPart::New, Some("a\tb \u{1f5fc}\"")).await;
    within(ports, &run, RunPart::New, Some("second")).await;
    assert_eq!(places(ports).await, [new("second")]);
    assert_eq!(places(ports).await, [new("second")], "a run that has read nothing changes nothing");
    finish(ports, &begin(ports, ANA, &channel()).await, RunPart::New).await;
    assert_eq!(places(ports).await, []);
}

/// The cursor does not move before the end, wherever a run was cut short.
pub async fn begin_after_a_cut_hands_out_the_cursor_as_it_was(ports: &Ports) {
    let run = begin(ports, ANA, &channel()).await;
    let progress = Progress::Finished(Finished { cursor: Some(Cursor::new("c1")), ..Finished::default() });
    ports.content.commit(PageCommit { progress, ..last_page(&run, vec![], 1) }).await.unwrap();
    within(ports, &begin(ports, ANA, &channel()).await, RunPart::New, Some("place")).await;
    let next = begin(ports, ANA, &channel()).await;
    assert_eq!((next.cursor, next.places.len()), (Some(Cursor::new("c1")), 1));
}

/// What is new and what is read once more are cut short by themselves.
pub async fn commit_of_one_part_leaves_the_place_of_the_other(ports: &Ports) {
    let run = begin(ports, ANA, &channel()).await;
    within(ports, &run, RunPart::Audit, Some("audit")).await;
    within(ports, &run, RunPart::New, Some("new")).await;
    assert_eq!(places(ports).await, [new("new"), audit("audit")]);
    finish(ports, &begin(ports, ANA, &channel()).await, RunPart::New).await;
    assert_eq!(places(ports).await, [audit("audit")]);
    finish(ports, &begin(ports, ANA, &channel()).await, RunPart::Audit).await;
    assert_eq!(places(ports).await, []);
}

/// A page from which nothing goes on takes away the place of the page before.
pub async fn commit_of_a_page_without_a_place_forgets_it(ports: &Ports) {
    let run = begin(ports, ANA, &channel()).await;
    within(ports, &run, RunPart::New, Some("new")).await;
    within(ports, &run, RunPart::New, None).await;
    assert_eq!(places(ports).await, []);
}

/// A failed run can be taken up; one that was fenced has no say.
pub async fn commit_of_a_failure_leaves_the_place(ports: &Ports) {
    let run = begin(ports, ANA, &channel()).await;
    within(ports, &run, RunPart::New, Some("new")).await;
    let progress = Progress::Failed { error: "limited".to_owned(), activity: None };
    ports.content.commit(PageCommit { progress, ..last_page(&run, vec![], 2) }).await.unwrap();
    assert_eq!(places(ports).await, [new("new")]);
    let progress = Progress::Within { part: RunPart::New, place: Some(place("late")) };
    assert!(is_conflict(&ports.content.commit(PageCommit { progress, ..first_page(&run, vec![], 3) }).await));
    assert_eq!(places(ports).await, [new("new")]);
}

/// A page and its place are stored together or not at all.
pub async fn commit_of_a_page_stores_its_place_with_it(ports: &Ports) {
    let taken = message("9", "old");
    let mut clash = message("3", "clash");
    clash.id = taken.id;
    live(ports, vec![taken], 1).await;
    let run = begin(ports, ANA, &channel()).await;
    let progress = Progress::Within { part: RunPart::New, place: Some(place("new")) };
    assert!(ports.content.commit(PageCommit { progress, ..first_page(&run, vec![clash], 2) }).await.is_err());
    assert_eq!((places(ports).await, texts(ports, &everything(ANA)).await), (vec![], vec!["old".to_owned()]));
}

/// A rebuild leaves no place, for its pages go with it; when it has got through, no place is left.
pub async fn commit_of_a_rebuild_forgets_all_places_in_the_end(ports: &Ports) {
    let run = begin(ports, ANA, &channel()).await;
    within(ports, &run, RunPart::Audit, Some("audit")).await;
    let (resource, resource_name, mode) = (channel(), "#general".to_owned(), RunMode::Rebuild);
    let rebuild = BeginRun { user: ANA, resource, resource_name, mode, connection: None, at: minute(0) };
    let run = ports.content.begin(rebuild.clone()).await.unwrap();
    within(ports, &run, RunPart::New, Some("rebuild")).await;
    assert_eq!(places(ports).await, [audit("audit")]);
    finish(ports, &ports.content.begin(rebuild).await.unwrap(), RunPart::New).await;
    assert_eq!(places(ports).await, []);
}

/// The longest place comes back, and nobody is told another's.
pub async fn begin_hands_out_only_its_own_place(ports: &Ports) {
    let ben = ben(ports).await;
    let longest = "x".repeat(Place::MAX);
    assert_eq!(Place::new(format!("{longest}x")), None);
    within(ports, &begin(ports, ANA, &channel()).await, RunPart::New, Some(&longest)).await;
    assert_eq!(places_of(ports, ben, &channel()).await, []);
    assert_eq!(places_of(ports, ANA, &resource("slack:C2")).await, []);
    assert_eq!(places(ports).await, [new(&longest)]);
}
