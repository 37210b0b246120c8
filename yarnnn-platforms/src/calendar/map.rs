//! An event and a calendar as the store keeps them. How an event reads is decided by the same code as for calendar files.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use serde_json::json;
use yarnnn_core::hash::Sha256;
use yarnnn_core::platform::{
    ContentType, Interval, InvalidResourceId, Item, KnownItem, Platform, Resource, ResourceId, ResourceKind,
};

use super::wire::{Entry, Event, Somebody, When};
use crate::export::calendar::event::{Moment, Person, clean, tidy};
use crate::export::calendar::render::{MAX_ADDRESSES, Words, author, written};
use crate::export::calendar::zone::{Zone, by_full_name};
use crate::export::mail::html;

/// How far the clocks of the earth are apart from UTC: a whole day begins that much earlier or later.
const MIDNIGHTS: (TimeDelta, TimeDelta) = (TimeDelta::hours(-14), TimeDelta::hours(12));

/// Events that Google makes by itself.
const MADE_BY_GOOGLE: [&str; 3] = ["birthday", "fromGmail", "workingLocation"];

/// A calendar as a resource.
pub(super) fn resource(entry: &Entry) -> Result<Resource, InvalidResourceId> {
    let id = ResourceId::new(Platform::Calendar, &entry.id)?;
    let named = [&entry.summary_override, &entry.summary];
    let name = named.into_iter().flatten().map(|it| clean(it)).find(|it| !it.is_empty()).unwrap_or_else(|| entry.id.clone());
    let metadata = json!({"primary": entry.primary, "accessRole": entry.access_role, "platform": "calendar"});
    Ok(Resource { metadata, ..Resource::new(id, name, ResourceKind::Calendar) })
}

/// An event with the times it takes place at.
#[derive(Debug)]
pub(super) struct Timed {
    pub(super) event: Event,
    pub(super) start: Moment,
    pub(super) end: Moment,
}

impl Timed {
    /// Reads the times, or says why that is not possible: an event at a wrong time is worse than one that is named as missing.
    pub(super) fn of(event: Event) -> Result<Self, String> {
        let start = event.start.as_ref().ok_or("it has no start")?;
        let start = moment(start).ok_or_else(|| format!("its start cannot be read: {start:?}"))?;
        let end = match &event.end {
            Some(end) => moment(end).ok_or_else(|| format!("its end cannot be read: {end:?}"))?,
            None => start.clone(),
        };
        Ok(Self { event, start, end })
    }

    /// The earliest instant at which it can begin, wherever its calendar is.
    pub(super) fn earliest(&self) -> DateTime<Utc> {
        shifted(&self.start, MIDNIGHTS.0)
    }

    /// The latest one.
    pub(super) fn latest(&self) -> DateTime<Utc> {
        shifted(&self.start, MIDNIGHTS.1)
    }

    /// Whether Google lists it in a stretch of time for certain.
    pub(super) fn is_inside(&self, window: Interval) -> bool {
        shifted(&self.end, MIDNIGHTS.0) > window.from && self.latest() < window.to
    }

    /// Whether it is over before the window begins.
    pub(super) fn is_before(&self, window: Interval) -> bool {
        shifted(&self.end, MIDNIGHTS.1) <= window.from && self.latest() < window.from
    }

    /// Whether what is stored of it says the same.
    pub(super) fn is_as(&self, known: &KnownItem) -> bool {
        let stored = |key: &str| known.metadata.get(key).and_then(|it| it.as_str());
        self.event.updated.is_some()
            && stored("updated") == self.event.updated.as_deref()
            && stored("start") == Some(written(&self.start).as_str())
            && stored("end") == Some(written(&self.end).as_str())
    }

    /// The item. One instance of a series stands for all of it in the counts.
    pub(super) fn item(&self, is_first: bool) -> Item {
        let event = &self.event;
        let line = |text: &Option<String>| text.as_deref().map(clean).filter(|it| !it.is_empty());
        let title = line(&event.summary).unwrap_or_else(|| "No title".to_owned());
        let (description, location) = (event.description.as_deref().and_then(description), line(&event.location));
        let attendees: Vec<Person> = event.attendees.iter().filter_map(person).collect();
        let words = Words {
            title: &title,
            start: &self.start,
            end: &self.end,
            description: description.as_deref(),
            location: location.as_deref(),
            attendees: &attendees,
        };
        let content = words.content();
        let organizer = event.organizer.as_ref().and_then(person);
        Item {
            item_id: event.id.clone(),
            content_type: ContentType::Event,
            content_hash: Sha256::of(&content),
            content,
            author: organizer.as_ref().and_then(author),
            is_user_authored: event.organizer.as_ref().is_some_and(|it| it.is_self),
            source_timestamp: Some(self.start.instant()),
            metadata: self.metadata(location.as_deref(), &attendees, organizer.as_ref()),
            title: Some(title),
            records: u32::from(is_first),
        }
    }

    fn metadata(&self, location: Option<&str>, attendees: &[Person], organizer: Option<&Person>) -> serde_json::Value {
        let event = &self.event;
        let addresses: Vec<&str> = attendees.iter().filter_map(|it| it.address.as_deref()).take(MAX_ADDRESSES).collect();
        let mut metadata = json!({
            "event_id": event.id,
            "start": written(&self.start),
            "end": written(&self.end),
            "location": location,
            "attendees": addresses,
            "organizer": organizer.and_then(|it| it.address.as_deref().or(it.name.as_deref())),
            "html_link": event.html_link,
            "status": event.status,
            "updated": event.updated,
            "recurring_event_id": event.recurring_event_id,
        });
        if self.start.is_date {
            metadata["all_day"] = true.into();
        }
        metadata
    }
}

/// Why an event is left out, in Google's word.
pub(super) fn made_by_google(event: &Event) -> Option<&'static str> {
    MADE_BY_GOOGLE.into_iter().find(|it| *it == event.kind)
}

fn shifted(moment: &Moment, by: TimeDelta) -> DateTime<Utc> {
    let instant = moment.instant();
    if moment.is_date { instant.checked_add_signed(by).unwrap_or(instant) } else { instant }
}

/// A time by the clock of the event's own zone, else by the offset that is written with it.
fn moment(when: &When) -> Option<Moment> {
    if let Some(text) = &when.date_time {
        let at = DateTime::parse_from_rfc3339(text).ok()?;
        let named = when.time_zone.as_deref().and_then(by_full_name);
        let zone = named.unwrap_or(if at.offset().local_minus_utc() == 0 { Zone::Utc } else { Zone::Fixed(*at.offset()) });
        return Some(Moment { local: zone.local(at.to_utc()), zone, is_date: false });
    }
    let day: NaiveDate = when.date.as_deref()?.parse().ok()?;
    Some(Moment { local: day.and_time(NaiveTime::MIN), zone: Zone::Floating, is_date: true })
}

fn person(somebody: &Somebody) -> Option<Person> {
    let line = |text: &Option<String>| text.as_deref().map(clean).filter(|it| !it.is_empty());
    let (name, address) = (line(&somebody.display_name), line(&somebody.email));
    (name.is_some() || address.is_some()).then_some(Person { name, address })
}

/// Descriptions are HTML when they were written in Calendar itself.
fn description(text: &str) -> Option<String> {
    let is_html = text.split('<').skip(1).any(|it| it.starts_with(|next: char| next == '/' || next.is_ascii_alphabetic()));
    let text = if is_html { tidy(&html::to_text(text)) } else { tidy(text) };
    Some(text).filter(|it| !it.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn timed(event: Value) -> Result<Timed, String> {
        Timed::of(serde_json::from_value(event).unwrap())
    }

    #[test]
    fn an_event_reads_like_one_of_a_calendar_file() {
        let event = json!({
            "id": "abc_20261123T080000Z", "status": "confirmed", "updated": "2026-11-01T00:00:00.000Z", "recurringEventId": "abc",
            "summary": " Planning\n2027 ", "description": "<p>Bring <b>numbers</b></p>", "location": "Room 1", "htmlLink": "https://x",
            "start": {"dateTime": "2026-11-23T09:00:00+01:00", "timeZone": "Europe/Berlin"},
            "end": {"dateTime": "2026-11-23T10:00:00+01:00", "timeZone": "Europe/Berlin"},
            "organizer": {"email": "ana@example.com", "self": true}, "extra": {"is": "ignored"},
            "attendees": [{"email": "bo@example.com", "displayName": "Bo"}, {"email": "cy@example.com"}, {}],
        });
        insta::assert_debug_snapshot!(timed(event).unwrap().item(true));
    }

    #[test]
    fn whole_days_have_no_instant_and_broken_times_are_named() {
        let event = timed(json!({"id": "x", "start": {"date": "2026-11-23"}, "end": {"date": "2026-11-25"}})).unwrap();
        let item = event.item(false);
        assert_eq!(item.content, "No title\nWhen: 2026-11-23 to 2026-11-24 (all day)");
        assert_eq!((item.metadata["start"].as_str(), item.metadata["all_day"].as_bool()), (Some("2026-11-23"), Some(true)));
        assert_eq!(item.records, 0);
        assert_eq!(event.earliest().to_rfc3339(), "2026-11-22T10:00:00+00:00");
        let fixed = timed(json!({"id": "x", "start": {"dateTime": "2026-11-23T09:00:00-05:00"}})).unwrap();
        assert_eq!(fixed.item(true).content, "No title\nWhen: 2026-11-23 09:00 to 2026-11-23 09:00 (UTC-05:00)");
        assert_eq!(timed(json!({"id": "x"})).unwrap_err(), "it has no start");
        assert!(timed(json!({"id": "x", "start": {"date": "yesterday"}})).unwrap_err().starts_with("its start cannot be read"));
    }

    #[test]
    fn only_what_looks_like_html_is_read_as_html() {
        assert_eq!(description("a < b & c <3").as_deref(), Some("a < b & c <3"));
        assert_eq!(description("one<br>two").as_deref(), Some("one\ntwo"));
        assert_eq!(description("<p></p>"), None);
    }
}
