//! `events.insert`: an event out of a request.

use axum::http::StatusCode;
use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeZone as _, Utc};
use chrono_tz::Tz;
use serde::Deserialize;

use super::model::{Details, EventKind, Guest, Status, When};
use crate::google::Problem;

/// The event as it is sent.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Sent {
    pub(super) id: Option<String>,
    #[serde(rename = "iCalUID")]
    pub(super) uid: Option<String>,
    #[serde(default)]
    summary: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    location: String,
    start: Option<SentTime>,
    end: Option<SentTime>,
    #[serde(default)]
    recurrence: Vec<String>,
    #[serde(default)]
    attendees: Vec<SentGuest>,
    event_type: Option<String>,
    status: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SentTime {
    date: Option<NaiveDate>,
    date_time: Option<String>,
    time_zone: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SentGuest {
    email: String,
    #[serde(default)]
    display_name: String,
    response_status: Option<String>,
}

fn refused(reason: &str, message: &str) -> Problem {
    Problem::of(StatusCode::BAD_REQUEST, reason, message)
}

impl Sent {
    /// Checks the event as Google does.
    pub(super) fn details(&self, zone: Tz) -> Result<Details, Problem> {
        let end = self.end.as_ref().ok_or_else(|| refused("required", "Missing end time."))?.when(zone, "end")?;
        let sent = self.start.as_ref().ok_or_else(|| refused("required", "Missing start time."))?;
        let start = sent.when(zone, "start")?;
        let is_day = |when| matches!(when, When::Day(_));
        if is_day(start) != is_day(end) {
            return Err(refused("invalid", "Invalid start time."));
        }
        if end.instant(zone) < start.instant(zone) {
            return Err(refused("timeRangeEmpty", "The specified time range is empty."));
        }
        if !self.recurrence.is_empty() && sent.time_zone.is_none() && !is_day(start) {
            return Err(refused("required", "Missing time zone definition for start time."));
        }
        let mut details = Details::new(&self.summary, start, end);
        details.description.clone_from(&self.description);
        details.location.clone_from(&self.location);
        details.recurrence.clone_from(&self.recurrence);
        details.attendees = self.attendees.iter().map(SentGuest::guest).collect();
        details.kind = self.kind()?;
        details.status = if self.status.as_deref() == Some("tentative") { Status::Tentative } else { Status::Confirmed };
        Ok(details)
    }

    fn kind(&self) -> Result<EventKind, Problem> {
        let name = self.event_type.as_deref().unwrap_or("default");
        let kind = EventKind::ALL.into_iter().find(|it| it.name() == name);
        kind.ok_or_else(|| refused("eventTypeRestriction", "Invalid event type."))
    }

    /// Whether an identifier of one's own has the letters that Google allows.
    pub(super) fn check_id(&self) -> Result<(), Problem> {
        let allowed =
            |id: &String| (5..=1_024).contains(&id.len()) && id.bytes().all(|it| matches!(it, b'a'..=b'v' | b'0'..=b'9'));
        if self.id.as_ref().is_none_or(allowed) { Ok(()) } else { Err(refused("invalid", "Invalid resource id value.")) }
    }
}

impl SentTime {
    fn when(&self, calendar_zone: Tz, which: &str) -> Result<When, Problem> {
        let invalid = || refused("invalid", &format!("Invalid {which} time."));
        let zone = self.time_zone.as_ref().map(|it| it.parse::<Tz>()).transpose().map_err(|_| invalid())?;
        match (&self.date, &self.date_time) {
            (Some(day), None) => Ok(When::Day(*day)),
            (None, Some(text)) => instant(text, zone).map(|it| When::At(it, zone.or(Some(calendar_zone)))).ok_or_else(invalid),
            _ => Err(invalid()),
        }
    }
}

/// With an offset, or on the clock of the zone.
fn instant(text: &str, zone: Option<Tz>) -> Option<DateTime<Utc>> {
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Some(instant.with_timezone(&Utc));
    }
    let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S").ok()?;
    Some(zone?.from_local_datetime(&local).earliest()?.with_timezone(&Utc))
}

impl SentGuest {
    fn guest(&self) -> Guest {
        let response = self.response_status.clone().unwrap_or_else(|| "needsAction".to_owned());
        Guest { email: self.email.clone(), name: self.display_name.clone(), response }
    }
}
