//! An event at one of its times as an item.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Map, Value, json};
use yarnnn_core::hash::Sha256;
use yarnnn_core::platform::{Author, ContentType, Item};

use super::event::{Event, Moment, Person};
use super::plan::Occurrence;

/// People who are named in the text.
const MAX_NAMED: usize = 10;

/// Addresses that are kept beside the text.
pub(crate) const MAX_ADDRESSES: usize = 200;

/// The item of an occurrence of `event`.
pub(super) fn item(event: &Event, occurrence: &Occurrence) -> Item {
    let title = event.summary.clone().unwrap_or_else(|| "No title".to_owned());
    let words = Words {
        title: &title,
        start: &occurrence.start,
        end: &occurrence.end,
        description: event.description.as_deref(),
        location: event.location.as_deref(),
        attendees: &event.attendees,
    };
    let content = words.content();
    Item {
        item_id: occurrence.item_id.clone(),
        content_type: ContentType::Event,
        content_hash: Sha256::of(&content),
        content,
        title: Some(title),
        author: event.organizer.as_ref().and_then(author),
        is_user_authored: false,
        source_timestamp: Some(occurrence.start.instant()),
        metadata: metadata(event, occurrence),
        records: u32::from(occurrence.is_first),
    }
}

/// What the text of an event is made of, wherever the event comes from.
pub(crate) struct Words<'event> {
    pub(crate) title: &'event str,
    pub(crate) start: &'event Moment,
    pub(crate) end: &'event Moment,
    pub(crate) description: Option<&'event str>,
    pub(crate) location: Option<&'event str>,
    pub(crate) attendees: &'event [Person],
}

impl Words<'_> {
    /// The readable full text.
    pub(crate) fn content(&self) -> String {
        let mut lines = vec![self.title.to_owned(), when(self.start, self.end)];
        lines.extend(self.description.map(str::to_owned));
        lines.extend(self.location.map(|it| format!("Location: {it}")));
        let named: Vec<&str> = self.attendees.iter().filter_map(Person::shown).take(MAX_NAMED).collect();
        if !named.is_empty() {
            lines.push(format!("Attendees: {}", named.join(", ")));
        }
        lines.join("\n")
    }
}

/// The time in the words of the event's own clock. The end of a whole day is the last day, not the day after it.
fn when(start: &Moment, end: &Moment) -> String {
    if start.is_date {
        let last = end.local.checked_sub_signed(TimeDelta::days(1)).unwrap_or(end.local).max(start.local);
        return format!("When: {} to {} (all day)", start.local.date(), last.date());
    }
    let shown = |moment: &Moment| moment.local.format("%Y-%m-%d %H:%M").to_string();
    format!("When: {} to {} ({})", shown(start), shown(end), start.zone.label())
}

pub(crate) fn author(person: &Person) -> Option<Author> {
    person.shown().map(|name| Author { name: name.to_owned(), id: person.address.clone() })
}

fn metadata(event: &Event, occurrence: &Occurrence) -> Value {
    let addresses: Vec<&str> = event.attendees.iter().filter_map(|it| it.address.as_deref()).take(MAX_ADDRESSES).collect();
    let organizer = event.organizer.as_ref().and_then(|it| it.address.as_deref().or(it.name.as_deref()));
    let mut entries = Map::new();
    entries.insert("event_id".into(), json!(occurrence.item_id));
    entries.insert("start".into(), json!(written(&occurrence.start)));
    entries.insert("end".into(), json!(written(&occurrence.end)));
    entries.insert("location".into(), json!(event.location));
    entries.insert("attendees".into(), json!(addresses));
    entries.insert("organizer".into(), json!(organizer));
    entries.insert("status".into(), json!(event.status));
    if let Some(url) = &event.url {
        entries.insert("html_link".into(), json!(url));
    }
    if occurrence.start.is_date {
        entries.insert("all_day".into(), json!(true));
    }
    if occurrence.is_instance {
        entries.insert("recurring".into(), json!(true));
    }
    Value::Object(entries)
}

/// A date as such, an instant in UTC.
pub(crate) fn written(moment: &Moment) -> String {
    if moment.is_date { moment.local.date().to_string() } else { rfc3339(moment.instant()) }
}

fn rfc3339(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Micros, true)
}
