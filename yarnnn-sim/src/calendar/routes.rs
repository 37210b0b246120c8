//! The calls.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::ask::{Ask, Known};
use super::book::Book;
use super::insert::Sent;
use super::list;
use super::model::AccessRole;
use super::wire::{View, role};
use super::world::{Books, PRIMARY};
use crate::Sim;
use crate::google::{Answer, Parameters, Problem, reply, sealed, unsealed};
use crate::server::{call, google};

const EVERYTHING: &str = "https://www.googleapis.com/auth/calendar";
const READ: &str = "https://www.googleapis.com/auth/calendar.readonly";
const EVENTS: &str = "https://www.googleapis.com/auth/calendar.events";
const READ_EVENTS: &str = "https://www.googleapis.com/auth/calendar.events.readonly";
const LIST: &str = "https://www.googleapis.com/auth/calendar.calendarlist";
const READ_LIST: &str = "https://www.googleapis.com/auth/calendar.calendarlist.readonly";
const CALENDARS: &str = "https://www.googleapis.com/auth/calendar.calendars";
const READ_CALENDARS: &str = "https://www.googleapis.com/auth/calendar.calendars.readonly";

const LIST_READERS: &[&str] = &[EVERYTHING, READ, LIST, READ_LIST];
const CALENDAR_READERS: &[&str] = &[EVERYTHING, READ, CALENDARS, READ_CALENDARS];
const EVENT_READERS: &[&str] = &[EVERYTHING, READ, EVENTS, READ_EVENTS];
const EVENT_WRITERS: &[&str] = &[EVERYTHING, EVENTS];

/// All calls of this provider.
pub(crate) fn router() -> Router<Sim> {
    let events = call("calendar.events.list", get(events)).merge(call("calendar.events.insert", post(insert)));
    Router::new()
        .route("/calendar/v3/users/me/calendarList", call("calendar.calendarList.list", get(calendars)))
        .route("/calendar/v3/users/me/calendarList/{calendar}", call("calendar.calendarList.get", get(entry)))
        .route("/calendar/v3/calendars/{calendar}", call("calendar.calendars.get", get(calendar)))
        .route("/calendar/v3/calendars/{calendar}/events", events)
        .route("/calendar/v3/calendars/{calendar}/events/{event}", call("calendar.events.get", get(event)))
}

fn not_found() -> Problem {
    Problem::not_found("Not Found")
}

/// The key of a calendar that the account may see.
fn key<'a>(books: &Books, called: &'a str, owner: &str) -> Result<&'a str, Problem> {
    let key = if called.eq_ignore_ascii_case(owner) { PRIMARY } else { called };
    books.by_id.get(key).filter(|it| it.readable).map(|_| key).ok_or_else(not_found)
}

fn book<'a>(books: &'a Books, called: &str, owner: &str) -> Result<&'a Book, Problem> {
    books.by_id.get(key(books, called, owner)?).ok_or_else(not_found)
}

/// Where a page of the list of calendars begins, or from which change on it is asked for.
#[derive(Debug, Serialize, Deserialize)]
struct ListToken {
    behind: Option<String>,
    change: u64,
    since: Option<u64>,
    generation: u64,
}

async fn calendars(State(sim): State<Sim>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let answer = || {
        google(&sim, &headers, LIST_READERS)?;
        calendar_list(&sim.calendar().books(), &Parameters::parse(query.as_deref()), &sim.google_person().email)
    };
    reply(answer())
}

fn calendar_list(books: &Books, parameters: &Parameters, owner: &str) -> Answer {
    let size = parameters.page_size(100, 250)?;
    let token = list_token(parameters, books)?;
    let least = parameters.get("minAccessRole");
    let all = [AccessRole::FreeBusyReader, AccessRole::Reader, AccessRole::Writer, AccessRole::Owner];
    let least = all.into_iter().find(|it| Some(role(*it)) == least);
    let wanted = |it: &&Book| {
        let changed = token.since.map_or(it.readable, |since| it.listed > since);
        let behind = token.behind.as_ref().is_none_or(|behind| it.info.id > *behind);
        changed && behind && least.is_none_or(|least| it.info.role >= least)
    };
    let mut found: Vec<&Book> = books.by_id.values().filter(wanted).collect();
    let more = found.len() > size;
    found.truncate(size);
    let items: Value = found.iter().map(|it| View::new(it, owner).entry()).collect();
    let behind = found.last().filter(|_| more).map(|it| it.info.id.clone());
    let (name, next) = match behind {
        Some(behind) => ("nextPageToken", ListToken { behind: Some(behind), ..token }),
        None => ("nextSyncToken", ListToken { behind: None, since: Some(token.change), ..token }),
    };
    Ok(json!({ "kind": "calendar#calendarList", "etag": format!("\"{}\"", books.change), "items": items, name: sealed(&next) }))
}

/// What the page token says, or else the sync token; without either, everything from the beginning.
fn list_token(parameters: &Parameters, books: &Books) -> Result<ListToken, Problem> {
    let read = |name: &str| {
        let token = parameters.get(name).map(unsealed::<ListToken>);
        token.map(|it| it.filter(|it| it.behind.is_some() == (name == "pageToken")).ok_or_else(|| invalid_token(name)))
    };
    if let Some(page) = read("pageToken") {
        return page;
    }
    let Some(token) = read("syncToken").transpose()? else {
        return Ok(ListToken { behind: None, change: books.change, since: None, generation: books.generation });
    };
    if parameters.get("minAccessRole").is_some() {
        return Err(invalid_token("syncToken"));
    }
    if token.generation < books.generation {
        let message = "Sync token is no longer valid, a full sync is required.";
        return Err(Problem::parameter(StatusCode::GONE, "calendar", "fullSyncRequired", "syncToken", message));
    }
    Ok(ListToken { change: books.change, ..token })
}

fn invalid_token(name: &str) -> Problem {
    let message = if name == "pageToken" { "Invalid page token value." } else { "Invalid sync token value." };
    Problem::parameter(StatusCode::BAD_REQUEST, "global", "invalid", name, message)
}

async fn entry(State(sim): State<Sim>, Path(called): Path<String>, headers: HeaderMap) -> Response {
    let answer = || {
        google(&sim, &headers, LIST_READERS)?;
        let owner = sim.google_person().email;
        Ok(View::new(book(&sim.calendar().books(), &called, &owner)?, &owner).entry())
    };
    reply(answer())
}

async fn calendar(State(sim): State<Sim>, Path(called): Path<String>, headers: HeaderMap) -> Response {
    let answer = || {
        google(&sim, &headers, CALENDAR_READERS)?;
        let owner = sim.google_person().email;
        Ok(View::new(book(&sim.calendar().books(), &called, &owner)?, &owner).calendar())
    };
    reply(answer())
}

async fn events(State(sim): State<Sim>, Path(called): Path<String>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let answer = || {
        google(&sim, &headers, EVENT_READERS)?;
        event_list(&sim, &called, &Parameters::parse(query.as_deref()))
    };
    reply(answer())
}

/// `events.list` for somebody who may ask.
pub(super) fn event_list(sim: &Sim, called: &str, parameters: &Parameters) -> Answer {
    let owner = sim.google_person().email;
    let books = sim.calendar().books();
    let calendar = key(&books, called, &owner)?;
    let known = Known { calendar, change: books.change, generation: books.generation, now: sim.now() };
    let ask = Ask::read(parameters, &known)?;
    let book = book(&books, calendar, &owner)?;
    let zone = ask.scope.zone.as_deref().and_then(|it| it.parse().ok());
    let view = View { zone: zone.unwrap_or(book.info.zone), ..View::new(book, &owner) };
    Ok(list::page(book, &view, &ask, &known))
}

async fn event(State(sim): State<Sim>, Path((called, id)): Path<(String, String)>, headers: HeaderMap) -> Response {
    let answer = || {
        google(&sim, &headers, EVENT_READERS)?;
        let owner = sim.google_person().email;
        let books = sim.calendar().books();
        let book = book(&books, &called, &owner)?;
        Ok(View::new(book, &owner).event(book.find(&id).ok_or_else(not_found)?))
    };
    reply(answer())
}

async fn insert(State(sim): State<Sim>, Path(called): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    let answer = || {
        google(&sim, &headers, EVENT_WRITERS)?;
        let parse_error = |_| Problem::of(StatusCode::BAD_REQUEST, "parseError", "Parse Error");
        let sent: Sent = serde_json::from_slice(&body).map_err(parse_error)?;
        let owner = sim.google_person().email;
        let (calendar, details) = {
            let books = sim.calendar().books();
            let calendar = key(&books, &called, &owner)?;
            (calendar, checked(book(&books, calendar, &owner)?, &sent)?)
        };
        let id = sim.calendar().insert(calendar, sent.id, sent.uid, details);
        let id = id.ok_or_else(|| Problem::of(StatusCode::BAD_REQUEST, "invalid", "Invalid recurrence rule."))?;
        let books = sim.calendar().books();
        let book = book(&books, calendar, &owner)?;
        Ok(View::new(book, &owner).event(book.find(&id).ok_or_else(not_found)?))
    };
    reply(answer())
}

/// What the event says, if it may be written.
fn checked(book: &Book, sent: &Sent) -> Result<super::model::Details, Problem> {
    if book.info.role < AccessRole::Writer {
        let message = "You need to have writer access to this calendar.";
        return Err(Problem::of(StatusCode::FORBIDDEN, "requiredAccessLevel", message));
    }
    sent.check_id()?;
    if sent.id.as_ref().is_some_and(|id| book.find(id).is_some()) {
        return Err(Problem::of(StatusCode::CONFLICT, "duplicate", "The requested identifier already exists."));
    }
    sent.details(book.info.zone)
}
