//! Calendars and events as Google writes them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use serde_json::{Map, Value, json};

use super::book::Book;
use super::model::{AccessRole, Event, Guest, Status, When};
use super::world::PRIMARY;

/// How the account's owner sees a calendar, with times in a zone.
pub(super) struct View<'a> {
    pub(super) book: &'a Book,
    /// The owner's address.
    pub(super) owner: &'a str,
    pub(super) zone: Tz,
}

/// An instant with milliseconds.
pub(super) fn stamp(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn etag(number: impl std::fmt::Display) -> String {
    format!("\"{number}\"")
}

/// A role as it is written.
pub(super) fn role(role: AccessRole) -> &'static str {
    match role {
        AccessRole::FreeBusyReader => "freeBusyReader",
        AccessRole::Reader => "reader",
        AccessRole::Writer => "writer",
        AccessRole::Owner => "owner",
    }
}

impl<'a> View<'a> {
    /// In the calendar's own zone.
    pub(super) fn new(book: &'a Book, owner: &'a str) -> Self {
        Self { book, owner, zone: book.info.zone }
    }

    /// The calendar's identifier: the owner's address for the account's own.
    pub(super) fn id(&self) -> &'a str {
        if self.book.info.id == PRIMARY { self.owner } else { &self.book.info.id }
    }

    /// The calendar's name.
    pub(super) fn summary(&self) -> &'a str {
        if self.book.info.summary.is_empty() { self.id() } else { &self.book.info.summary }
    }

    pub(super) fn role(&self) -> &'static str {
        role(self.book.info.role)
    }

    /// `calendars.get`.
    pub(super) fn calendar(&self) -> Value {
        json!({
            "kind": "calendar#calendar",
            "etag": etag(self.book.listed),
            "id": self.id(),
            "summary": self.summary(),
            "description": self.book.info.description,
            "timeZone": self.book.info.zone.name(),
            "conferenceProperties": { "allowedConferenceSolutionTypes": ["hangoutsMeet"] },
        })
    }

    /// An entry of `calendarList.list`.
    pub(super) fn entry(&self) -> Value {
        let info = &self.book.info;
        let mut entry = json!({ "kind": "calendar#calendarListEntry", "etag": etag(self.book.listed), "id": self.id() });
        let Some(fields) = entry.as_object_mut() else { return entry };
        if !self.book.readable {
            fields.insert("deleted".to_owned(), true.into());
            return entry;
        }
        let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
        put("summary", self.summary().into());
        put("timeZone", info.zone.name().into());
        put("accessRole", self.role().into());
        put("selected", true.into());
        put("colorId", "14".into());
        put("backgroundColor", "#9fe1e7".into());
        put("foregroundColor", "#000000".into());
        put("defaultReminders", json!([]));
        if !info.description.is_empty() {
            put("description", info.description.clone().into());
        }
        if let Some(name) = &info.summary_override {
            put("summaryOverride", name.clone().into());
        }
        if info.id == PRIMARY {
            put("primary", true.into());
        }
        entry
    }

    /// An event; of a cancelled one little more than the identifier is left.
    pub(super) fn event(&self, event: &Event) -> Value {
        let mut fields = Map::new();
        let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
        put("kind", "calendar#event".into());
        put("etag", etag(event.updated.timestamp_micros() * 2).into());
        put("id", event.id.clone().into());
        put("status", status(event).into());
        if let Some(origin) = &event.origin {
            put("recurringEventId", origin.series.clone().into());
            put("originalStartTime", self.when(origin.start));
        }
        if event.cancelled {
            return Value::Object(fields);
        }
        put("start", self.when(event.details.start));
        put("end", self.when(event.details.end));
        if self.book.info.role == AccessRole::FreeBusyReader {
            put("visibility", "private".into());
        } else {
            self.describe(event, &mut fields);
        }
        Value::Object(fields)
    }

    fn describe(&self, event: &Event, fields: &mut Map<String, Value>) {
        let details = &event.details;
        let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
        let link = URL_SAFE_NO_PAD.encode(format!("{} {}", event.id, self.id()));
        put("htmlLink", format!("https://www.google.com/calendar/event?eid={link}").into());
        put("created", stamp(event.created).into());
        put("updated", stamp(event.updated).into());
        put("iCalUID", event.uid.clone().into());
        put("sequence", event.sequence.into());
        put("eventType", details.kind.name().into());
        put("reminders", json!({ "useDefault": true }));
        for (name, text) in
            [("summary", &details.summary), ("description", &details.description), ("location", &details.location)]
        {
            if !text.is_empty() {
                put(name, text.clone().into());
            }
        }
        let organizer = self.organizer(details.organizer.as_ref());
        put("creator", organizer.clone());
        put("organizer", organizer);
        if !details.recurrence.is_empty() {
            put("recurrence", details.recurrence.clone().into());
        }
        if !details.attendees.is_empty() {
            let organizer = details.organizer.as_ref().map(|it| it.email.as_str());
            put("attendees", details.attendees.iter().map(|it| self.attendee(it, organizer)).collect());
        }
        fields.extend(details.extra.clone());
    }

    fn when(&self, when: When) -> Value {
        match when {
            When::Day(day) => json!({ "date": day.to_string() }),
            When::At(instant, zone) => {
                let shown = instant.with_timezone(&self.zone).to_rfc3339_opts(SecondsFormat::Secs, true);
                json!({ "dateTime": shown, "timeZone": zone.unwrap_or(self.book.info.zone).name() })
            }
        }
    }

    fn organizer(&self, organizer: Option<&Guest>) -> Value {
        match organizer {
            None if self.book.info.id == PRIMARY => json!({ "email": self.owner, "self": true }),
            None => json!({ "email": self.id(), "displayName": self.summary(), "self": true }),
            Some(guest) => self.person(guest),
        }
    }

    fn person(&self, guest: &Guest) -> Value {
        let mut person = json!({ "email": guest.email });
        if let Some(fields) = person.as_object_mut() {
            if !guest.name.is_empty() {
                fields.insert("displayName".to_owned(), guest.name.clone().into());
            }
            if guest.email.eq_ignore_ascii_case(self.owner) {
                fields.insert("self".to_owned(), true.into());
            }
        }
        person
    }

    fn attendee(&self, guest: &Guest, organizer: Option<&str>) -> Value {
        let mut attendee = self.person(guest);
        if let Some(fields) = attendee.as_object_mut() {
            if organizer == Some(guest.email.as_str()) {
                fields.insert("organizer".to_owned(), true.into());
            }
            fields.insert("responseStatus".to_owned(), guest.response.clone().into());
        }
        attendee
    }
}

fn status(event: &Event) -> &'static str {
    match (event.cancelled, event.details.status) {
        (true, _) => "cancelled",
        (false, Status::Tentative) => "tentative",
        (false, Status::Confirmed) => "confirmed",
    }
}
