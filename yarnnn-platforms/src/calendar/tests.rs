//! The client against a calendar in memory that answers as Google's does, and against a recorded answer.

use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use yarnnn_core::clock::Clock as _;
use yarnnn_core::platform::{
    Budget, Cursor, Fetch, FetchMode, FetchPage, Interval, Item, KnownItem, Next, PageToken, PlatformClient as _, PlatformError,
    ResourceKind,
};
use yarnnn_core::sync::first_window;
use yarnnn_core::testing::FixedClock;

use super::CalendarClient;
use crate::google::testing::{Asked, Wire, error};

/// A calendar.
#[derive(Debug, Default)]
struct World {
    /// Each with the number of its last change.
    events: Vec<(u32, Value)>,
    changes: u32,
    is_expired: bool,
    instead: Vec<(&'static str, (u16, Value))>,
}

impl World {
    fn put(&mut self, event: Value) {
        self.changes += 1;
        self.events.retain(|it| it.1["id"] != event["id"]);
        self.events.push((self.changes, event));
    }

    fn cancel(&mut self, id: &str) {
        self.put(json!({"id": id, "status": "cancelled"}));
    }

    fn answer(&mut self, asked: &Asked) -> (u16, Value) {
        let path = asked.path.strip_prefix("/calendar/v3/").unwrap();
        if let Some(place) = self.instead.iter().position(|(end, _)| path.ends_with(end)) {
            return self.instead.remove(place).1;
        }
        match path.split('/').collect::<Vec<_>>()[..] {
            ["calendars", "primary"] => (200, json!({"id": "ana@example.com", "summary": "Ana"})),
            ["calendars", "gone", ..] => error(404, "notFound"),
            ["calendars", _, "events"] => self.list(asked),
            ["calendars", _, "events", id] => {
                let found = self.events.iter().find(|it| it.1["id"] == id);
                found.map_or_else(|| error(404, "notFound"), |it| (200, it.1.clone()))
            }
            _ => error(404, "notFound"),
        }
    }

    fn list(&self, asked: &Asked) -> (u16, Value) {
        let at = |name: &str| asked.get(name).map(|it| it.parse::<DateTime<Utc>>().unwrap());
        let (from, to) = (at("timeMin"), at("timeMax"));
        let mut found: Vec<&Value> = match asked.get("syncToken") {
            Some(_) if self.is_expired => return error(410, "fullSyncRequired"),
            Some(token) => {
                assert!(from.is_none() && to.is_none() && asked.get("orderBy").is_none(), "{asked:?}");
                let since: u32 = token.parse().unwrap();
                self.events.iter().filter(|it| it.0 > since).map(|it| &it.1).collect()
            }
            None => self.events.iter().map(|it| &it.1).filter(|it| it["status"] != "cancelled").collect(),
        };
        found.retain(|it| {
            from.is_none_or(|from| instant(it, "end") > Some(from)) && to.is_none_or(|to| instant(it, "start") < Some(to))
        });
        if asked.get("orderBy").is_some() {
            found.sort_by_key(|it| instant(it, "start"));
        }
        let skip: usize = asked.get("pageToken").map_or(0, |it| it.parse().unwrap());
        let most: usize = asked.get("maxResults").unwrap().parse().unwrap();
        let mut answer = json!({"kind": "calendar#events", "items": found.iter().skip(skip).take(most).collect::<Vec<_>>()});
        if found.len() > skip + most {
            answer["nextPageToken"] = (skip + most).to_string().into();
        } else if asked.get("orderBy").is_none() {
            answer["nextSyncToken"] = self.changes.to_string().into();
        }
        (200, answer)
    }
}

fn instant(event: &Value, key: &str) -> Option<DateTime<Utc>> {
    event[key]["dateTime"].as_str().map(|it| it.parse().unwrap())
}

struct Bench {
    world: Arc<Mutex<World>>,
    wire: Arc<Wire>,
    client: CalendarClient,
    clock: Arc<FixedClock>,
}

impl Bench {
    fn new() -> Self {
        Self::at("2026-11-22T15:00:00Z")
    }

    fn at(now: &str) -> Self {
        let clock = Arc::new(FixedClock::parse(now));
        let world = Arc::new(Mutex::new(World::default()));
        let wire = Wire::new({
            let world = world.clone();
            move |asked| world.lock().unwrap().answer(asked)
        });
        let client = CalendarClient::new(wire.session(clock.clone()), "http://localhost:1".parse().unwrap());
        Self { world, wire, client, clock }
    }

    /// A calendar with this many events, an hour apart, from now on; in no order.
    fn with(count: i64) -> Self {
        let bench = Self::new();
        for number in 0..count {
            let number = number * 7 % count;
            bench.put(&format!("e{number}"), number);
        }
        bench
    }

    fn put(&self, id: &str, hours: i64) {
        let event = self.event(id, hours);
        self.world.lock().unwrap().put(event);
    }

    fn event(&self, id: &str, hours: i64) -> Value {
        let start = self.clock.now() + TimeDelta::hours(hours);
        let (start, end) = (start.to_rfc3339(), (start + TimeDelta::minutes(30)).to_rfc3339());
        let change = self.world.lock().unwrap().changes + 1;
        json!({"id": id, "status": "confirmed", "summary": id, "updated": format!("change {change}"), "eventType": "default",
            "start": {"dateTime": start}, "end": {"dateTime": end}})
    }

    fn window(&self) -> Interval {
        first_window(yarnnn_core::platform::Platform::Calendar, self.clock.now())
    }

    async fn start(&self, cap: u32) -> Result<Fetched, PlatformError> {
        self.fetch("ana@example.com", FetchMode::Start { window: self.window() }, Some(cap)).await
    }

    async fn since(&self, cursor: &Cursor, cap: u32) -> Result<Fetched, PlatformError> {
        self.fetch("ana@example.com", FetchMode::Since(cursor.clone()), Some(cap)).await
    }

    async fn audit(&self, known: &FetchPage) -> Result<Fetched, PlatformError> {
        let known = known.items.iter().map(|it| KnownItem {
            item_id: it.item_id.clone(),
            source_timestamp: it.source_timestamp,
            metadata: it.metadata.clone(),
        });
        self.fetch("ana@example.com", FetchMode::Audit { window: self.window(), known: known.collect(), cursor: None }, None)
            .await
    }

    async fn fetch(&self, calendar: &str, mode: FetchMode, cap: Option<u32>) -> Result<Fetched, PlatformError> {
        let budget = Budget { cap, ..Budget::default() };
        let resource = format!("calendar:{calendar}").parse().unwrap();
        let mut fetch = Fetch { resource, kind: ResourceKind::Calendar, mode, page: None, budget };
        let mut all = FetchPage::default();
        loop {
            let page = self.client.fetch(&fetch).await?;
            all.items.extend(page.items);
            all.unchanged.extend(page.unchanged);
            all.gone.extend(page.gone);
            all.quarantined.extend(page.quarantined);
            all.filtered.extend(page.filtered);
            all.gaps.extend(page.gaps);
            all.covered.extend(page.covered);
            match page.next {
                Next::Page(token) => fetch.page = Some(token),
                Next::Done { cursor, complete } => return Ok(Fetched { page: all, cursor, complete }),
            }
        }
    }
}

struct Fetched {
    page: FetchPage,
    cursor: Option<Cursor>,
    complete: Option<Interval>,
}

impl Fetched {
    fn ids(&self) -> Vec<&str> {
        let mut ids: Vec<&str> = self.page.items.iter().map(|it| it.item_id.as_str()).collect();
        ids.sort_unstable();
        ids
    }

    fn cursor(&self) -> &Cursor {
        self.cursor.as_ref().unwrap()
    }
}

#[tokio::test]
async fn a_first_fetch_lists_the_window_and_later_ones_ask_for_changes() {
    let bench = Bench::with(150);
    let first = bench.start(200).await.unwrap();
    assert_eq!((first.ids().len(), first.page.gaps.len(), first.page.covered.as_slice()), (150, 0, &[bench.window()][..]));
    let asked = bench.wire.taken();
    assert_eq!(asked[0].names(), ["singleEvents", "maxResults", "timeMin", "timeMax"], "an order would cost the sync token");
    assert_eq!((asked[0].get("timeMin"), asked[0].get("timeMax")), (Some("2026-11-15T14:59:59Z"), Some("2026-12-06T15:00:00Z")));
    assert_eq!((asked.len(), asked[1].get("maxResults")), (2, Some("100")), "all but the page stays the same");
    let complete = first.complete.unwrap();
    assert_eq!((complete.from, complete.to), (bench.window().from, bench.window().to - TimeDelta::hours(12)));

    bench.put("e3", 77);
    bench.put("later", 24 * 60);
    bench.put("e5", -24 * 9);
    bench.world.lock().unwrap().cancel("e4");
    let changed = bench.since(first.cursor(), 200).await.unwrap();
    assert_eq!((changed.ids(), changed.page.gone.as_slice()), (vec!["e3", "e5", "later"], &["e4".to_owned()][..]));
    assert_eq!(changed.page.filtered, [], "what has moved to before the window is still there");
    assert_eq!(bench.wire.taken()[0].names(), ["singleEvents", "maxResults", "syncToken"]);
    assert_eq!(bench.since(changed.cursor(), 200).await.unwrap().ids().len(), 0);

    bench.world.lock().unwrap().is_expired = true;
    for cursor in [changed.cursor().clone(), Cursor::new("CPDAlvWDx70CEPDAlvWDx70CGAU=")] {
        assert!(matches!(bench.since(&cursor, 200).await, Err(PlatformError::CursorExpired)), "{cursor:?}");
    }
}

#[tokio::test]
async fn what_a_cap_leaves_is_a_gap_that_the_next_fetches_close() {
    let bench = Bench::with(50);
    let first = bench.start(20).await.unwrap();
    assert_eq!((first.ids().len(), first.page.gaps.len(), first.complete), (20, 1, None));
    let mut stored: Vec<String> = first.ids().into_iter().map(str::to_owned).collect();
    let (mut cursor, mut rounds) = (first.cursor().clone(), 0);
    loop {
        let next = bench.since(&cursor, 20).await.unwrap();
        assert!(next.ids().len() <= 20);
        stored.extend(next.ids().into_iter().map(str::to_owned));
        cursor = next.cursor().clone();
        rounds += 1;
        if next.page.gaps.is_empty() {
            break;
        }
    }
    stored.sort_unstable();
    stored.dedup();
    assert_eq!((stored.len(), rounds), (50, 3));
    assert!(!cursor.as_str().contains("hole"));
    bench.put("new", 5);
    assert_eq!(bench.since(&cursor, 20).await.unwrap().ids(), ["new"], "the sync token was kept all the while");
}

#[tokio::test]
async fn many_events_at_one_time_do_not_stop_the_closing_of_a_gap() {
    let bench = Bench::new();
    for number in 0..30 {
        bench.put(&format!("e{number:02}"), 3);
    }
    let first = bench.start(5).await.unwrap();
    let second = bench.since(first.cursor(), 5).await.unwrap();
    assert_eq!((second.ids().len(), second.page.gaps.len()), (30, 0));
}

#[tokio::test]
async fn a_window_that_has_moved_on_is_listed_again() {
    let bench = Bench::with(3);
    let first = bench.start(20).await.unwrap();
    bench.put("far", 24 * 15);
    // A token whose list ended earlier says nothing of it.
    let token = bench.world.lock().unwrap().changes.to_string();
    let cursor = Cursor::new(first.cursor().as_str().replace(r#""sync_token":"3""#, &format!(r#""sync_token":"{token}""#)));
    bench.clock.advance(TimeDelta::hours(23));
    assert_eq!(bench.since(&cursor, 20).await.unwrap().ids().len(), 0);
    bench.clock.advance(TimeDelta::hours(2));
    let moved = bench.since(&cursor, 20).await.unwrap();
    assert_eq!((moved.ids(), moved.page.covered.as_slice()), (vec!["e0", "e1", "e2", "far"], &[bench.window()][..]));
    assert_eq!(moved.complete, None);
}

#[tokio::test]
async fn a_gap_is_closed_before_the_window_moves_on() {
    let bench = Bench::with(60);
    let first = bench.start(20).await.unwrap();
    bench.clock.advance(TimeDelta::days(1));
    let second = bench.since(first.cursor(), 20).await.unwrap();
    bench.clock.advance(TimeDelta::days(1));
    let third = bench.since(second.cursor(), 40).await.unwrap();
    let mut stored: Vec<&str> = [&first, &second, &third].into_iter().flat_map(Fetched::ids).collect();
    stored.sort_unstable();
    stored.dedup();
    assert_eq!((stored.len(), third.page.gaps.len()), (60, 0));
    let moved = bench.since(third.cursor(), 100).await.unwrap();
    assert_eq!(moved.page.covered, [bench.window()]);

    bench.clock.advance(TimeDelta::days(1));
    let late = bench.since(second.cursor(), 20).await.unwrap();
    assert_eq!(late.page.covered.last().unwrap().to, bench.window().to, "not even a gap holds it up for ever");
}

#[tokio::test]
async fn an_audit_with_a_cap_leaves_what_is_new_beyond_it_as_a_gap() {
    let bench = Bench::with(10);
    let mut stored = bench.start(20).await.unwrap().page;
    stored.items.retain(|it| matches!(it.item_id.as_str(), "e8" | "e9"));
    bench.put("e9", 9);
    let known = stored.items.iter().map(|it| KnownItem {
        item_id: it.item_id.clone(),
        source_timestamp: it.source_timestamp,
        metadata: it.metadata.clone(),
    });
    let mode = FetchMode::Audit { window: bench.window(), known: known.collect(), cursor: None };
    let audit = bench.fetch("ana@example.com", mode, Some(3)).await.unwrap();
    assert_eq!((audit.ids(), audit.page.unchanged.as_slice()), (vec!["e0", "e1", "e2", "e9"], &["e8".to_owned()][..]));
    let [gap] = &audit.page.gaps[..] else { panic!("one gap") };
    assert_eq!(gap.from, Some(bench.clock.now() + TimeDelta::hours(3)));
    assert_eq!(audit.page.covered.len(), 2);
}

#[tokio::test]
async fn an_audit_compares_and_looks_for_what_is_not_listed() {
    let bench = Bench::with(5);
    let mut stored = bench.start(20).await.unwrap().page;
    bench.put("e1", 99);
    bench.put("e2", -24 * 9);
    bench.put("new", 4);
    bench.world.lock().unwrap().cancel("e3");
    bench.world.lock().unwrap().events.retain(|it| it.1["id"] != "e4");
    let mut old = stored.items[0].clone();
    (old.item_id, old.source_timestamp) = ("old".into(), Some(bench.clock.now() - TimeDelta::days(300)));
    stored.items.push(old);
    let audit = bench.audit(&stored).await.unwrap();
    assert_eq!((audit.page.unchanged.as_slice(), audit.ids()), (&["e0".to_owned()][..], vec!["e1", "e2", "new"]));
    let mut gone = audit.page.gone.clone();
    gone.sort_unstable();
    assert_eq!(gone, ["e3", "e4", "old"], "only what is cancelled or deleted");
    let moved = audit.page.items.iter().find(|it| it.item_id == "e2").unwrap();
    assert_eq!((moved.source_timestamp, moved.records), (Some(bench.clock.now() - TimeDelta::hours(24 * 9)), 1));
    assert!(audit.cursor.is_none() && audit.complete.is_none());
    assert!(bench.wire.taken().iter().any(|it| it.get("orderBy") == Some("startTime")));
}

#[tokio::test]
async fn an_empty_list_is_believed_only_when_it_is_true() {
    let empty = || ("events", (200, json!({"items": [], "nextSyncToken": "0"})));
    let bench = Bench::new();
    assert_eq!(bench.start(20).await.unwrap().ids().len(), 0);
    bench.put("e0", 1);
    bench.world.lock().unwrap().instead.push(empty());
    let error = bench.start(20).await.err().unwrap().to_string();
    assert!(
        error.starts_with("calendar events.list: the list from 2026-11-15") && error.ends_with("there are events"),
        "{error}"
    );
    let stored = bench.start(20).await.unwrap().page;
    bench.world.lock().unwrap().instead.push(empty());
    let error = bench.audit(&stored).await.err().unwrap().to_string();
    assert_eq!(error, "calendar events.list: the list is empty, but calendar events.get finds e0");

    let cursor = bench.start(20).await.unwrap().cursor().clone();
    bench.world.lock().unwrap().instead.push(("events", (200, json!({"items": []}))));
    let error = bench.since(&cursor, 20).await.err().unwrap().to_string();
    assert_eq!(error, "calendar events.list: the last page of changes has no nextSyncToken");
}

#[tokio::test]
async fn what_google_makes_is_left_out_and_what_is_broken_is_named() {
    let bench = Bench::with(2);
    for kind in ["birthday", "fromGmail", "workingLocation", "focusTime"] {
        let mut event = bench.event(kind, 1);
        event["eventType"] = kind.into();
        bench.world.lock().unwrap().put(event);
    }
    let mut broken = bench.event("broken", 1);
    broken["start"] = json!({"dateTime": "soon"});
    let mut items: Vec<Value> = bench.world.lock().unwrap().events.iter().map(|it| it.1.clone()).collect();
    items.extend([broken, json!({"id": "shapeless", "attendees": 3}), json!("nothing")]);
    bench.world.lock().unwrap().instead.push(("events", (200, json!({"items": items, "nextSyncToken": "9"}))));
    let first = bench.start(20).await.unwrap();
    assert_eq!(first.ids(), ["e0", "e1", "focusTime"]);
    assert_eq!(
        first.page.filtered.iter().map(|it| it.0.as_str()).collect::<Vec<_>>(),
        ["birthday", "fromGmail", "workingLocation"]
    );
    let named: Vec<&str> = first.page.quarantined.iter().map(|it| it.item.as_str()).collect();
    assert_eq!(named, ["calendar events.list: shapeless", "calendar events.list: element 9", "calendar events.list: broken"]);
    assert_eq!(first.complete, None, "what could not be read is not gone");
}

#[tokio::test]
async fn a_list_without_a_sync_token_stays_without_a_cursor_and_pages_have_an_end() {
    let bench = Bench::with(1);
    let items = [bench.event("e0", 1)];
    bench.world.lock().unwrap().instead.push(("events", (200, json!({"items": items}))));
    assert!(bench.start(20).await.unwrap().cursor.is_none());
    let cursor = bench.start(20).await.unwrap().cursor().clone();
    let stored = FetchPage::default();
    let page = |token: &str| ("events", (200, json!({"items": [], "nextPageToken": token})));
    for circle in [["x", "x", "x"], ["x", "y", "x"]] {
        let endless = || bench.world.lock().unwrap().instead = circle.map(page).into();
        endless();
        assert_eq!(bench.start(20).await.err().unwrap().to_string(), "calendar events.list: its pages have no end");
        endless();
        assert_eq!(bench.since(&cursor, 20).await.err().unwrap().to_string(), "calendar events.list: its pages have no end");
        endless();
        assert_eq!(bench.audit(&stored).await.err().unwrap().to_string(), "calendar events.list: its pages have no end");
        bench.world.lock().unwrap().instead.clear();
    }
    let gone = bench.fetch("gone", FetchMode::Start { window: bench.window() }, None).await.err().unwrap();
    assert_eq!(gone.to_string(), "calendar:gone no longer exists");
}

#[tokio::test]
async fn calendars_are_resources_under_the_names_their_owner_gave_them() {
    let bench = Bench::new();
    let list = json!({"nextPageToken": "2", "items": [
        {"id": "ana@example.com", "summary": "ana@example.com", "summaryOverride": "Mine", "primary": true, "accessRole": "owner"},
        {"id": "en.usa#holiday@group.v.calendar.google.com", "summary": "Holidays", "accessRole": "reader", "primary": null},
        {"summary": "nameless"}, {"id": "x", "deleted": true},
    ]});
    bench.world.lock().unwrap().instead.push(("calendarList", (200, list)));
    let page = bench.client.resources(None).await.unwrap();
    let shown: Vec<String> = page.resources.iter().map(|it| format!("{} {} {}", it.id, it.name, it.metadata)).collect();
    assert_eq!(
        shown,
        [
            r#"calendar:ana@example.com Mine {"accessRole":"owner","platform":"calendar","primary":true}"#,
            r#"calendar:en.usa#holiday@group.v.calendar.google.com Holidays {"accessRole":"reader","platform":"calendar","primary":false}"#,
        ]
    );
    assert!(page.next.unwrap().as_str().contains(r#""2""#));
    assert_eq!(page.quarantined.len(), 1);
    assert_eq!(bench.wire.taken()[0].names(), ["maxResults"]);
    bench.fetch("en.usa#holiday@group.v.calendar.google.com", FetchMode::Start { window: bench.window() }, None).await.unwrap();
    assert_eq!(bench.wire.taken()[0].path, "/calendar/v3/calendars/en.usa%23holiday@group.v.calendar.google.com/events");
    let probe = bench.client.probe().await.unwrap();
    assert_eq!((probe.account_id.as_str(), probe.account_name.as_deref()), ("ana@example.com", Some("Ana")));
}

#[tokio::test]
async fn a_list_of_calendars_that_goes_in_circles_is_an_error() {
    let bench = Bench::new();
    let pages = ["x", "y", "x"].map(|token| ("calendarList", (200, json!({"items": [{"id": "a@x"}], "nextPageToken": token}))));
    bench.world.lock().unwrap().instead = pages.into();
    let mut page = None;
    let error = loop {
        match bench.client.resources(page).await {
            Ok(listed) => page = Some(listed.next.expect("it has no end")),
            Err(error) => break error.to_string(),
        }
    };
    assert_eq!(error, "calendar calendarList.list: its pages have no end");
    let tokens: Vec<Option<String>> = bench.wire.taken().iter().map(|it| it.get("pageToken").map(str::to_owned)).collect();
    assert_eq!(tokens, [None, Some("x".into()), Some("y".into())]);
    assert!(matches!(bench.client.resources(Some(PageToken::new("x"))).await, Err(PlatformError::Protocol { .. })));
}

#[tokio::test]
async fn a_recorded_answer_is_read() {
    let bench = Bench::at("2024-12-28T21:00:00Z");
    let recorded: Value =
        serde_json::from_str(include_str!("../../tests/fixtures/google/calendar-events-list-recorded.json")).unwrap();
    bench.world.lock().unwrap().instead.push(("events", (200, recorded)));
    let first = bench.start(20).await.unwrap();
    assert_eq!((first.ids().len(), first.page.quarantined.len()), (10, 0));
    assert!(first.cursor().as_str().contains("CIC4h-yqy4oDEIC4h-yqy4oDGAUg092S0QIo092S0QI="));
    let is_instance = |it: &&Item| it.metadata["recurring_event_id"].is_string();
    let (series, single): (Vec<&Item>, Vec<&Item>) = first.page.items.iter().partition(is_instance);
    let records = |items: Vec<&Item>| items.iter().map(|it| it.records).sum::<u32>();
    assert_eq!((single.len(), records(single), records(series)), (3, 3, 1), "a series counts once");
    insta::assert_debug_snapshot!(first.page.items[0]);
}
