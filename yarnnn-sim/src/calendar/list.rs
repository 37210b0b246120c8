//! `events.list`: which events an answer holds.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::ask::{Ask, Known, Order};
use super::book::{Book, Entry};
use super::model::Event;
use super::wire::View;

/// One page of events.
pub(super) fn page(book: &Book, view: &View<'_>, ask: &Ask, known: &Known<'_>) -> Value {
    let entries = if ask.scope.single { &book.instances } else { &book.events };
    let keyed = entries.values().filter(|it| wanted(book, it, ask)).map(|it| (key(book, &it.event, ask.order), it));
    let mut found: Vec<((i64, String), &Entry)> =
        keyed.filter(|(key, _)| ask.behind.as_ref().is_none_or(|it| key > it)).collect();
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    let more = found.len() > ask.size;
    found.truncate(ask.size);
    let next = found.last().filter(|_| more).map(|(key, _)| ask.page_token(key.clone()));
    let items: Vec<Value> = found.iter().map(|(_, entry)| view.event(&entry.event)).collect();
    let mut page = json!({
        "kind": "calendar#events",
        "etag": format!("\"{}\"", known.change),
        "summary": view.summary(),
        "description": book.info.description,
        "updated": super::wire::stamp(updated(book, known.now)),
        "timeZone": view.zone.name(),
        "accessRole": view.role(),
        "defaultReminders": [],
        "items": items,
    });
    let token = match next {
        Some(token) => Some(("nextPageToken", token)),
        None => ask.sync_token(known).map(|token| ("nextSyncToken", token)),
    };
    if let (Some(fields), Some((name, token))) = (page.as_object_mut(), token) {
        fields.insert(name.to_owned(), token.into());
    }
    page
}

/// When anything in the calendar was last changed.
fn updated(book: &Book, now: DateTime<Utc>) -> DateTime<Utc> {
    book.events.values().map(|it| it.event.updated).max().unwrap_or(now)
}

fn key(book: &Book, event: &Event, order: Order) -> (i64, String) {
    let first = match order {
        Order::Any => 0,
        Order::Start => event.span(book.info.zone).start.timestamp_millis(),
        Order::Updated => event.updated.timestamp_millis(),
    };
    (first, event.id.clone())
}

fn wanted(book: &Book, entry: &Entry, ask: &Ask) -> bool {
    let event = &entry.event;
    ask.since.is_none_or(|since| entry.change > since)
        && in_view(book, entry, ask)
        && (ask.scope.kinds.is_empty() || ask.scope.kinds.iter().any(|it| it == event.details.kind.name()))
        && ask.uid.as_ref().is_none_or(|uid| event.uid == *uid)
        && ask.updated_min.is_none_or(|least| event.updated >= least)
        && ask.text.as_ref().is_none_or(|text| contains(event, text))
}

/// Whether the event is asked for by its state and its times.
///
/// Since a token, what has left the window is told, and so is what was deleted: an event always, an instance if it was in
/// the window.
fn in_view(book: &Book, entry: &Entry, ask: &Ask) -> bool {
    let event = &entry.event;
    if event.cancelled && !shows_cancelled(book, event, ask) {
        return false;
    }
    let deleted = event.cancelled && event.origin.is_none() && (ask.since.is_some() || ask.updated_min.is_some());
    if deleted {
        return true;
    }
    if ask.scope.single { book.was_in(entry, ask.window, ask.since) } else { book.any_was_in(event, ask.window, ask.since) }
}

/// Without `singleEvents`, called-off instances show although deleted events do not: nothing else tells of them.
fn shows_cancelled(book: &Book, event: &Event, ask: &Ask) -> bool {
    let of_living = || event.origin.as_ref().and_then(|it| book.events.get(&it.series)).is_some_and(|it| !it.event.cancelled);
    ask.show_deleted || (!ask.scope.single && of_living())
}

fn contains(event: &Event, text: &str) -> bool {
    let details = &event.details;
    let people = details.attendees.iter().chain(&details.organizer).flat_map(|it| [&it.email, &it.name]);
    let mut fields = [&details.summary, &details.description, &details.location].into_iter().chain(people);
    fields.any(|it| it.to_lowercase().contains(text))
}
