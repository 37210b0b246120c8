//! What the calendars promise over HTTP.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, TimeDelta, TimeZone as _, Utc};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::google::Parameters;
use crate::server::testing::Client;
use crate::{Running, Sample, Sim, VirtualClock};

const READ: &str = "https://www.googleapis.com/auth/calendar.readonly";
const EVENTS: &str = "/calendar/v3/calendars/primary/events";
const LIST: &str = "/calendar/v3/users/me/calendarList";
const WINDOW: [(&str, &str); 3] =
    [("singleEvents", "true"), ("timeMin", "2026-03-01T00:00:00Z"), ("timeMax", "2026-03-22T00:00:00+00:00")];

struct World {
    clock: Arc<VirtualClock>,
    sim: Sim,
    _running: Running,
    client: Client,
}

fn at(text: &str) -> DateTime<Utc> {
    format!("{text}:00Z").parse().unwrap()
}

fn meeting(title: &str, start: &str) -> Details {
    Details::new(title, at(start), at(start) + TimeDelta::minutes(30))
}

async fn serve(make: fn(Arc<VirtualClock>) -> Sim, scopes: &[&str]) -> World {
    let clock = Arc::new(VirtualClock::at(at("2026-03-08T12:00")));
    let sim = make(clock.clone());
    let running = sim.start().await.unwrap();
    let client = Client::new(running.address).bearer(&sim.tokens().google(scopes));
    World { clock, sim, _running: running, client }
}

async fn world() -> World {
    serve(|clock| Sim::new(clock), &[READ]).await
}

impl World {
    /// All pages, and the answer with the last one.
    async fn read(&self, path: &str, query: &[(&str, &str)]) -> (Vec<Value>, Value) {
        let mut found = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let page = token.as_deref().map(|it| ("pageToken", it));
            let query: Vec<_> = query.iter().copied().chain(page).collect();
            let answer = self.client.get(path, &query).await;
            assert_eq!(answer.status, 200, "{}", answer.json());
            let answer = answer.json();
            found.extend(answer["items"].as_array().unwrap().iter().cloned());
            token = answer["nextPageToken"].as_str().map(str::to_owned);
            assert!(token.is_none() || answer.get("nextSyncToken").is_none(), "a sync token only on the last page");
            if token.is_none() {
                return (found, answer);
            }
        }
    }

    async fn token(&self, query: &[(&str, &str)]) -> String {
        self.read(EVENTS, query).await.1["nextSyncToken"].as_str().unwrap().to_owned()
    }

    /// What has changed since a token that was given for single events.
    async fn since(&self, token: &str) -> Vec<Value> {
        self.read(EVENTS, &[("singleEvents", "true"), ("syncToken", token)]).await.0
    }

    /// Status and reason of a refusal.
    async fn refused(&self, query: &[(&str, &str)]) -> (u16, String) {
        let answer = self.client.get(EVENTS, query).await;
        (answer.status, answer.json()["error"]["errors"][0]["reason"].as_str().unwrap_or_default().to_owned())
    }
}

fn texts<'a>(items: &'a [Value], key: &str) -> Vec<&'a str> {
    items.iter().map(|it| it[key].as_str().unwrap_or_default()).collect()
}

#[tokio::test]
async fn series_come_as_their_instances_with_those_that_were_moved_or_called_off() {
    let world = world().await;
    let calendar = world.sim.calendar();
    let id = calendar.add_event("primary", meeting("weekly", "2026-02-24T09:00").repeating("RRULE:FREQ=WEEKLY")).unwrap();
    let moved = calendar.move_instance("primary", &id, at("2026-03-10T09:00"), at("2026-03-11T15:00"), at("2026-03-11T16:00"));
    assert!(calendar.cancel_instance("primary", &id, at("2026-03-17T09:00")));
    let day: NaiveDate = "2026-03-05".parse().unwrap();
    calendar.add_event("primary", Details::new("day off", day, day + TimeDelta::days(1)).kind(EventKind::OutOfOffice)).unwrap();
    let by_start: Vec<_> = WINDOW.into_iter().chain([("orderBy", "startTime")]).collect();
    let (items, last) = world.read(EVENTS, &by_start).await;
    assert_eq!(
        texts(&items, "id"),
        [format!("{id}_20260303T090000Z"), items[1]["id"].as_str().unwrap().to_owned(), moved.unwrap()]
    );
    assert_eq!((&items[1]["start"], &items[1]["eventType"]), (&json!({ "date": "2026-03-05" }), &json!("outOfOffice")));
    assert_eq!(items[2]["originalStartTime"]["dateTime"], "2026-03-10T09:00:00Z");
    assert_eq!((&items[2]["recurringEventId"], &items[2]["start"]["dateTime"]), (&json!(id), &json!("2026-03-11T15:00:00Z")));
    assert_eq!(last.get("nextSyncToken"), None, "an order costs the sync token");
    let held = calendar.snapshot("primary", at("2026-03-01T00:00")..at("2026-03-22T00:00"));
    assert_eq!(held.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), texts(&items, "id"));
    let (series, _) = world.read(EVENTS, &[]).await;
    assert_eq!(series.iter().filter(|it| it["recurrence"] == json!(["RRULE:FREQ=WEEKLY"])).count(), 1);
    assert_eq!(series.iter().filter(|it| it["status"] == "cancelled").count(), 1, "else nobody learns of it");
    assert_eq!(series.len(), 4);
    let (types, _) = world.read(EVENTS, &[("singleEvents", "true"), ("eventTypes", "outOfOffice")]).await;
    assert_eq!(texts(&types, "summary"), ["day off"]);
}

#[tokio::test]
async fn a_token_tells_what_changed_in_the_window_of_the_first_call() {
    let world = world().await;
    let calendar = world.sim.calendar();
    let add = |title: &str, start: &str| calendar.add_event("primary", meeting(title, start)).unwrap();
    let [kept, leaving, deleted] =
        [("kept", "2026-03-02T09:00"), ("leaving", "2026-03-03T09:00"), ("deleted", "2026-03-04T09:00")]
            .map(|(title, start)| add(title, start));
    let series = calendar.add_event("primary", meeting("daily", "2026-03-19T08:00").repeating("RRULE:FREQ=DAILY")).unwrap();
    let token = world.token(&WINDOW).await;
    assert_eq!(world.since(&token).await, Vec::<Value>::new());
    add("outside", "2026-05-01T09:00");
    add("new", "2026-03-21T23:45");
    assert!(
        calendar.update("primary", &leaving, |it| (it.start, it.end) =
            (at("2026-06-01T09:00").into(), at("2026-06-01T10:00").into()))
    );
    assert!(calendar.cancel("primary", &deleted) && calendar.cancel("primary", &series));
    assert!(!calendar.cancel("primary", &deleted), "it is no longer there");
    let changed = world.since(&token).await;
    let mut titles = texts(&changed, "summary");
    titles.sort_unstable();
    assert_eq!(titles, ["", "", "", "", "leaving", "new"], "{changed:#?}");
    let gone = changed.iter().find(|it| it["id"] == deleted.as_str()).unwrap();
    assert_eq!(gone.as_object().unwrap().keys().collect::<Vec<_>>(), ["etag", "id", "kind", "status"]);
    let instance = changed.iter().find(|it| it["recurringEventId"] == series.as_str()).unwrap();
    assert_eq!((&instance["status"], instance.get("start")), (&json!("cancelled"), None));
    assert!(instance["originalStartTime"]["dateTime"].is_string());
    assert!(!texts(&changed, "id").contains(&kept.as_str()));
}

#[tokio::test]
async fn what_changes_while_pages_are_read_is_not_lost() {
    let world = world().await;
    let calendar = world.sim.calendar();
    for number in 1..=7 {
        calendar.add_event_as("primary", &format!("event{number}"), "u", meeting("x", "2026-03-02T09:00")).unwrap();
    }
    let paged: Vec<_> = WINDOW.into_iter().chain([("maxResults", "3")]).collect();
    let (items, last) = world.read(EVENTS, &paged).await;
    assert_eq!(texts(&items, "id"), (1..=7).map(|it| format!("event{it}")).collect::<Vec<_>>());
    let first = world.client.get(EVENTS, &paged).await.json();
    calendar.add_event_as("primary", "event0", "u", meeting("early", "2026-03-02T09:00")).unwrap();
    let page = [("pageToken", first["nextPageToken"].as_str().unwrap())];
    let second = world.client.get(EVENTS, &[&paged[..], &page].concat()).await.json();
    assert_eq!(second["items"][0]["id"], "event4");
    let page = [("pageToken", second["nextPageToken"].as_str().unwrap())];
    let third = world.client.get(EVENTS, &[&paged[..], &page].concat()).await.json();
    assert_eq!(texts(&world.since(third["nextSyncToken"].as_str().unwrap()).await, "id"), ["event0"]);
    assert_eq!(texts(&world.since(last["nextSyncToken"].as_str().unwrap()).await, "id"), ["event0"]);
    assert_eq!(world.refused(&[("pageToken", first["nextPageToken"].as_str().unwrap())]).await.0, 400, "other parameters");
}

#[tokio::test]
async fn google_s_rules_for_parameters() {
    let world = world().await;
    let token = world.token(&[("singleEvents", "true")]).await;
    let with = |parameter: (&'static str, &'static str)| [("singleEvents", "true"), ("syncToken", token.as_str()), parameter];
    for parameter in [
        ("timeMin", "2026-03-01T00:00:00Z"),
        ("timeMax", "2026-03-01T00:00:00Z"),
        ("updatedMin", "2026-03-01T00:00:00Z"),
        ("orderBy", "startTime"),
        ("q", "x"),
        ("iCalUID", "x"),
        ("privateExtendedProperty", "a=b"),
        ("sharedExtendedProperty", "a=b"),
        ("showDeleted", "false"),
        ("timeZone", "Europe/Lisbon"),
        ("eventTypes", "default"),
    ] {
        assert_eq!(world.refused(&with(parameter)).await.0, 400, "{parameter:?}");
    }
    assert_eq!(world.client.get(EVENTS, &with(("maxResults", "5"))).await.status, 200);
    assert_eq!(world.refused(&[("syncToken", &token)]).await.0, 400, "the first call asked for single events");
    let invalid: [&[(&str, &str)]; 9] = [
        &[("syncToken", "x")],
        &[("pageToken", "x")],
        &[("orderBy", "startTime")],
        &[("orderBy", "bogus"), ("singleEvents", "true")],
        &[("timeMin", "2026-03-01T00:00:00")],
        &[("timeMin", "2026-03-02T00:00:00Z"), ("timeMax", "2026-03-01T00:00:00Z")],
        &[("maxResults", "0")],
        &[("singleEvents", "yes")],
        &[("eventTypes", "bogus")],
    ];
    for query in invalid {
        assert_eq!(world.refused(query).await.0, 400, "{query:?}");
    }
    assert_eq!(world.client.get(EVENTS, &[("maxResults", "9999")]).await.status, 200);
    let no_token: [&[(&str, &str)]; 3] = [&[("orderBy", "updated")], &[("q", "x")], &[("updatedMin", "2026-03-01T00:00:00Z")]];
    for query in no_token {
        assert_eq!(world.read(EVENTS, query).await.1.get("nextSyncToken"), None, "{query:?}");
    }
}

#[tokio::test]
async fn tokens_expire_in_two_ways() {
    let world = world().await;
    let query = |token: &str| [("singleEvents".to_owned(), "true".to_owned()), ("syncToken".to_owned(), token.to_owned())];
    let refused = async |token: &str| {
        let query = query(token);
        let query: Vec<_> = query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        world.refused(&query).await
    };
    let first = world.token(&[("singleEvents", "true")]).await;
    world.sim.calendar().expire_tokens();
    assert_eq!(refused(&first).await, (410, "fullSyncRequired".to_owned()));
    let second = world.token(&[("singleEvents", "true")]).await;
    assert_eq!(refused(&second).await, (200, String::new()));
    world.clock.advance(TimeDelta::days(29));
    let client = world.client.bearer(&world.sim.tokens().google(&[READ]));
    let late = client.get(EVENTS, &[("singleEvents", "true"), ("syncToken", &second)]).await;
    assert_eq!((late.status, &late.json()["error"]["errors"][0]["reason"]), (410, &json!("updatedMinTooLongAgo")));
    let updated = client.get(EVENTS, &[("updatedMin", "2026-01-01T00:00:00Z")]).await;
    assert_eq!((updated.status, &updated.json()["error"]["errors"][0]["location"]), (410, &json!("updatedMin")));
}

#[tokio::test]
async fn calendars_are_listed_found_and_lost() {
    let world = world().await;
    let calendar = world.sim.calendar();
    let named = |number: u32| NewCalendar::new(&format!("c{number}@group.calendar.google.com"), &format!("C {number}"));
    for number in 0..4 {
        calendar.add_calendar(named(number).role(AccessRole::Reader).zone(chrono_tz::Asia::Tokyo));
    }
    calendar.add_calendar(NewCalendar { summary_override: Some("Mine".to_owned()), ..named(4) });
    let (items, last) = world.read(LIST, &[("maxResults", "2")]).await;
    assert_eq!(items.len(), 6);
    let primary = items.iter().find(|it| it["primary"] == true).unwrap();
    assert_eq!((&primary["id"], &primary["accessRole"]), (&json!("owner@sim.example"), &json!("owner")));
    assert_eq!(items.iter().filter(|it| it["summaryOverride"] == "Mine").count(), 1);
    assert_eq!(world.read(LIST, &[("minAccessRole", "writer")]).await.0.len(), 2);
    let path = "/calendar/v3/calendars/c1%40group.calendar.google.com";
    assert_eq!(world.client.get(path, &[]).await.json()["timeZone"], "Asia/Tokyo");
    assert!(calendar.remove_access("c1@group.calendar.google.com"));
    for path in [path.to_owned(), format!("{path}/events"), "/calendar/v3/calendars/none/events".to_owned()] {
        let answer = world.client.get(&path, &[]).await;
        assert_eq!((answer.status, &answer.json()["error"]["errors"][0]["reason"]), (404, &json!("notFound")), "{path}");
    }
    assert_eq!(world.client.get("/calendar/v3/calendars/owner%40sim.example/events", &[]).await.status, 200);
    let (changed, _) = world.read(LIST, &[("syncToken", last["nextSyncToken"].as_str().unwrap())]).await;
    assert_eq!(changed.len(), 1);
    assert_eq!(changed[0]["deleted"], true);
}

#[tokio::test]
async fn times_are_shown_in_the_calendar_s_zone_or_the_one_asked_for() {
    let world = world().await;
    let calendar = world.sim.calendar();
    calendar.add_calendar(NewCalendar::new("primary", "Ana").zone(chrono_tz::Europe::Lisbon));
    let start = chrono_tz::Europe::Lisbon.with_ymd_and_hms(2026, 3, 28, 9, 0, 0).unwrap();
    let daily = Details::new("x", start, start + TimeDelta::hours(1)).repeating("RRULE:FREQ=DAILY;COUNT=2");
    let id = calendar.add_event("primary", daily).unwrap();
    let shown = world.read(EVENTS, &[("singleEvents", "true")]).await.0;
    let times: Vec<_> = shown.iter().map(|it| it["start"]["dateTime"].as_str().unwrap()).collect();
    assert_eq!(times, ["2026-03-28T09:00:00Z", "2026-03-29T09:00:00+01:00"]);
    let tokyo = world.read(EVENTS, &[("singleEvents", "true"), ("timeZone", "Asia/Tokyo")]).await.0;
    assert_eq!(tokyo[1]["start"], json!({ "dateTime": "2026-03-29T17:00:00+09:00", "timeZone": "Europe/Lisbon" }));
    let one = world.client.get(&format!("{EVENTS}/{id}_20260329T080000Z"), &[]).await.json();
    assert_eq!(one, shown[1]);
    assert_eq!(world.client.get(&format!("{EVENTS}/none"), &[]).await.status, 404);
}

#[tokio::test]
async fn scopes_and_rights_are_checked_and_events_inserted() {
    let world = serve(|clock| Sim::new(clock), &["https://www.googleapis.com/auth/calendar.events"]).await;
    let refused = world.client.get(LIST, &[]).await;
    assert_eq!((refused.status, &refused.json()["error"]["status"]), (403, &json!("PERMISSION_DENIED")));
    let body = json!({ "summary": "new", "id": "abc123", "start": { "dateTime": "2026-03-09T10:00:00+01:00", "timeZone": "Europe/Paris" },
        "end": { "dateTime": "2026-03-09T11:00:00+01:00" }, "recurrence": ["RRULE:FREQ=DAILY;COUNT=3"], "attendees": [{ "email": "ana@shop.example" }] });
    let made = world.client.post_json(EVENTS, &body).await.json();
    assert_eq!((&made["id"], &made["start"]["timeZone"]), (&json!("abc123"), &json!("Europe/Paris")));
    assert_eq!(world.read(EVENTS, &[("singleEvents", "true")]).await.0.len(), 3);
    assert_eq!(world.client.post_json(EVENTS, &body).await.status, 409);
    let mut wrong = body.clone();
    wrong["id"] = json!("other");
    wrong["recurrence"] = json!(["RRULE:FREQ=SOMETIMES"]);
    assert_eq!(world.client.post_json(EVENTS, &wrong).await.status, 400);
    assert_eq!(world.client.post_json(EVENTS, &json!({ "summary": "x" })).await.status, 400);
    world.sim.calendar().add_calendar(NewCalendar::new("team", "Team").role(AccessRole::Reader));
    let denied = world.client.post_json("/calendar/v3/calendars/team/events", &body).await;
    assert_eq!(denied.json()["error"]["errors"][0]["reason"], "requiredAccessLevel");
    let reader = world.client.bearer(&world.sim.tokens().google(&[READ]));
    assert_eq!(reader.post_json(EVENTS, &body).await.status, 403);
    assert_eq!(world.client.bearer("x").get(EVENTS, &[]).await.status, 401);
}

#[tokio::test]
async fn the_sample_is_the_calendar_of_the_export() {
    let world = serve(|clock| Sim::sample(clock), &[READ]).await;
    let directory = tempfile::tempdir().unwrap();
    let files = Sample::load().write_exports(at("2026-03-08T12:00"), directory.path()).unwrap();
    let text = std::fs::read_to_string(files.calendar).unwrap().replace("\r\n ", "").replace("\r\n", "\n");
    let (items, last) = world.read(EVENTS, &[("showDeleted", "true")]).await;
    assert_eq!(last["summary"], Sample::load().agenda.name.as_str());
    assert_eq!(items.len(), Sample::load().counts().calendar);
    for item in &items {
        let uid = item["iCalUID"].as_str();
        assert!(uid.is_none_or(|uid| text.contains(&format!("UID:{uid}\n"))), "{item}");
        let title = item["summary"].as_str().unwrap_or_default().replace(',', "\\,").replace(';', "\\;");
        assert!(text.contains(&format!("SUMMARY:{title}")), "{item}");
    }
    let moved = items.iter().filter(|it| it["recurringEventId"].is_string()).count();
    assert_eq!(moved, text.matches("RECURRENCE-ID").count());
    let cancelled = items.iter().filter(|it| it["status"] == "cancelled").count();
    assert_eq!(cancelled, text.matches("STATUS:CANCELLED").count());
}

/// What somebody does in the calendar.
#[derive(Debug, Clone)]
enum Deed {
    Add { hour: i64, rule: usize },
    Update { which: usize, hour: i64 },
    Retitle { which: usize },
    Rule { which: usize, rule: usize },
    Cancel { which: usize },
    MoveInstance { which: usize, hour: i64 },
    CancelInstance { which: usize },
    Expire,
    Sync,
}

const RULES: [&str; 5] =
    ["", "RRULE:FREQ=DAILY", "RRULE:FREQ=DAILY;COUNT=3", "RRULE:FREQ=WEEKLY;BYDAY=MO,TH", "RRULE:FREQ=DAILY;INTERVAL=2"];

fn deed() -> impl Strategy<Value = Deed> + use<> {
    let hour = -24 * 20..24 * 20_i64;
    prop_oneof![
        (hour.clone(), 0..RULES.len()).prop_map(|(hour, rule)| Deed::Add { hour, rule }),
        (any::<usize>(), hour.clone()).prop_map(|(which, hour)| Deed::Update { which, hour }),
        any::<usize>().prop_map(|which| Deed::Retitle { which }),
        (any::<usize>(), 0..RULES.len()).prop_map(|(which, rule)| Deed::Rule { which, rule }),
        any::<usize>().prop_map(|which| Deed::Cancel { which }),
        (any::<usize>(), hour).prop_map(|(which, hour)| Deed::MoveInstance { which, hour }),
        any::<usize>().prop_map(|which| Deed::CancelInstance { which }),
        Just(Deed::Expire),
        Just(Deed::Sync),
        Just(Deed::Sync),
    ]
}

/// A client that keeps a window by sync tokens, reading pages of three.
#[derive(Default)]
struct Mirror {
    token: Option<String>,
    held: BTreeMap<String, (String, DateTime<Utc>)>,
}

impl Mirror {
    fn sync(&mut self, sim: &Sim, window: (DateTime<Utc>, DateTime<Utc>)) {
        let mut page: Option<String> = None;
        loop {
            let mut query = vec![("singleEvents", "true".to_owned()), ("maxResults", "3".to_owned())];
            match &self.token {
                Some(token) => query.push(("syncToken", token.clone())),
                None => query.extend([("timeMin", window.0.to_rfc3339()), ("timeMax", window.1.to_rfc3339())]),
            }
            query.extend(page.take().map(|it| ("pageToken", it)));
            let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&query).finish();
            let Ok(answer) = routes::event_list(sim, "primary", &Parameters::parse(Some(&query))) else {
                // The token has expired.
                *self = Self::default();
                continue;
            };
            for item in answer["items"].as_array().unwrap() {
                self.take(item, window);
            }
            page = answer["nextPageToken"].as_str().map(str::to_owned);
            if let Some(token) = answer["nextSyncToken"].as_str() {
                self.token = Some(token.to_owned());
                return;
            }
        }
    }

    fn take(&mut self, item: &Value, window: (DateTime<Utc>, DateTime<Utc>)) {
        let id = item["id"].as_str().unwrap().to_owned();
        let time = |key: &str| item[key]["dateTime"].as_str().map(|it| it.parse::<DateTime<Utc>>().unwrap());
        match (time("start"), time("end")) {
            (Some(start), Some(end)) if item["status"] != "cancelled" && end > window.0 && start < window.1 => {
                self.held.insert(id, (item["summary"].as_str().unwrap().to_owned(), start));
            }
            _ => drop(self.held.remove(&id)),
        }
    }
}

/// Does one deed to the event (or the instance of a series) that it picks.
fn play(sim: &Sim, ids: &mut Vec<String>, number: usize, deed: &Deed) {
    let calendar = sim.calendar();
    let base = at("2026-03-08T12:00");
    let span = |hour: i64| (base + TimeDelta::hours(hour), base + TimeDelta::hours(hour + 1));
    let pick = |which: usize| ids.get(which % ids.len().max(1)).cloned().unwrap_or_default();
    let instance = |which: usize| {
        let events = calendar.snapshot("primary", base - TimeDelta::days(20)..base + TimeDelta::days(20));
        let found = events.get(which % events.len().max(1)).and_then(|it| it.origin.clone());
        found.map_or((String::new(), When::from(base)), |it| (it.series, it.start))
    };
    let title = format!("title {number}");
    match *deed {
        Deed::Add { hour, rule } => {
            let mut details = Details::new(&title, span(hour).0, span(hour).1);
            details.recurrence.extend(Some(RULES[rule].to_owned()).filter(|it| !it.is_empty()));
            ids.extend(calendar.add_event("primary", details));
        }
        Deed::Update { which, hour } => {
            calendar.update("primary", &pick(which), |it| (it.start, it.end) = (span(hour).0.into(), span(hour).1.into()));
        }
        Deed::Retitle { which } => {
            calendar.update("primary", &pick(which), |it| it.summary = title);
        }
        Deed::Rule { which, rule } => {
            let lines = Some(RULES[rule].to_owned()).filter(|it| !it.is_empty());
            calendar.update("primary", &pick(which), |it| it.recurrence = lines.into_iter().collect());
        }
        Deed::Cancel { which } => {
            calendar.cancel("primary", &pick(which));
        }
        Deed::MoveInstance { which, hour } => {
            let (series, start) = instance(which);
            calendar.move_instance("primary", &series, start, span(hour).0, span(hour).1);
        }
        Deed::CancelInstance { which } => {
            let (series, start) = instance(which);
            calendar.cancel_instance("primary", &series, start);
        }
        Deed::Expire => calendar.expire_tokens(),
        Deed::Sync => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_client_that_follows_tokens_holds_what_there_is(deeds in prop::collection::vec(deed(), 1..40)) {
        let clock = Arc::new(VirtualClock::at(at("2026-03-08T12:00")));
        let sim = Sim::new(clock.clone());
        let window = (at("2026-03-01T00:00"), at("2026-03-22T00:00"));
        let mut mirror = Mirror::default();
        let mut ids = Vec::new();
        for (number, deed) in deeds.iter().chain([&Deed::Sync]).enumerate() {
            clock.advance(TimeDelta::minutes(1));
            play(&sim, &mut ids, number, deed);
            if matches!(deed, Deed::Sync) {
                mirror.sync(&sim, window);
                let there = sim.calendar().snapshot("primary", window.0..window.1);
                let there: BTreeMap<_, _> = there.into_iter().map(|it| {
                    let start = it.details.start.instant(chrono_tz::Tz::UTC);
                    (it.id, (it.details.summary, start))
                }).collect();
                prop_assert_eq!(&mirror.held, &there);
            }
        }
    }
}
