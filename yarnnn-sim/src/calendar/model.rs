//! Calendars and events as a test describes them.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeZone as _, Utc};
use chrono_tz::Tz;
use serde_json::{Map, Value};

/// What the account's owner may do with a calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AccessRole {
    /// See when there is something, not what.
    FreeBusyReader,
    /// Read.
    Reader,
    /// Read and write.
    Writer,
    /// Read, write and share.
    Owner,
}

/// A calendar to be added.
#[derive(Debug, Clone)]
pub struct NewCalendar {
    /// Its identifier, mostly an address. `primary` describes the one that is always there.
    pub id: String,
    /// Its name.
    pub summary: String,
    /// What the account's owner calls it instead.
    pub summary_override: Option<String>,
    /// What it is for.
    pub description: String,
    /// In which zone its days begin.
    pub zone: Tz,
    /// What the account's owner may do with it.
    pub role: AccessRole,
}

impl NewCalendar {
    /// A calendar in UTC that belongs to the account's owner.
    pub fn new(id: &str, summary: &str) -> Self {
        Self {
            id: id.to_owned(),
            summary: summary.to_owned(),
            summary_override: None,
            description: String::new(),
            zone: Tz::UTC,
            role: AccessRole::Owner,
        }
    }

    /// In another zone.
    #[must_use]
    pub fn zone(self, zone: Tz) -> Self {
        Self { zone, ..self }
    }

    /// With other rights.
    #[must_use]
    pub fn role(self, role: AccessRole) -> Self {
        Self { role, ..self }
    }
}

/// A day, or an instant with the zone in which it was meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// The beginning of a day in the calendar's zone.
    Day(NaiveDate),
    /// An instant; without a zone, the calendar's is meant.
    At(DateTime<Utc>, Option<Tz>),
}

impl When {
    /// The instant, with days that begin in this zone.
    pub fn instant(&self, zone: Tz) -> DateTime<Utc> {
        match self {
            Self::At(instant, _) => *instant,
            Self::Day(day) => {
                let midnight = day.and_time(NaiveTime::MIN);
                // Where a day begins later because the clocks are moved, the difference does not matter here.
                let local = zone.from_local_datetime(&midnight).earliest();
                local.map_or_else(|| midnight.and_utc(), |it| it.with_timezone(&Utc))
            }
        }
    }
}

impl From<NaiveDate> for When {
    fn from(day: NaiveDate) -> Self {
        Self::Day(day)
    }
}

impl From<DateTime<Utc>> for When {
    fn from(instant: DateTime<Utc>) -> Self {
        Self::At(instant, None)
    }
}

impl From<DateTime<Tz>> for When {
    fn from(instant: DateTime<Tz>) -> Self {
        Self::At(instant.with_timezone(&Utc), Some(instant.timezone()))
    }
}

/// Whether an event takes place for certain. A deleted one is [`Event::cancelled`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Status {
    /// It does.
    #[default]
    Confirmed,
    /// Perhaps.
    Tentative,
}

/// Google's `eventType`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EventKind {
    /// An appointment.
    #[default]
    Default,
    /// Time kept free of appointments.
    FocusTime,
    /// Absence.
    OutOfOffice,
    /// From where somebody works.
    WorkingLocation,
    /// A birthday, every year.
    Birthday,
    /// Made from a mail.
    FromGmail,
}

impl EventKind {
    /// All kinds.
    pub const ALL: [Self; 6] =
        [Self::Default, Self::FocusTime, Self::OutOfOffice, Self::WorkingLocation, Self::Birthday, Self::FromGmail];

    /// The kind as it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::FocusTime => "focusTime",
            Self::OutOfOffice => "outOfOffice",
            Self::WorkingLocation => "workingLocation",
            Self::Birthday => "birthday",
            Self::FromGmail => "fromGmail",
        }
    }
}

/// Somebody invited, or who invites.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guest {
    /// Address.
    pub email: String,
    /// Name; may be empty.
    pub name: String,
    /// `needsAction`, `accepted`, `tentative` or `declined`.
    pub response: String,
}

impl Guest {
    /// Somebody who has accepted.
    pub fn new(email: &str, name: &str) -> Self {
        Self { email: email.to_owned(), name: name.to_owned(), response: "accepted".to_owned() }
    }
}

/// What an event says.
#[derive(Debug, Clone, PartialEq)]
pub struct Details {
    /// Title.
    pub summary: String,
    /// What it is about.
    pub description: String,
    /// Where.
    pub location: String,
    /// Begin.
    pub start: When,
    /// End, which no longer belongs to it.
    pub end: When,
    /// `RRULE:…`, `EXDATE…:…` and `RDATE…:…` lines of a series.
    pub recurrence: Vec<String>,
    /// Who invites; the calendar itself if none.
    pub organizer: Option<Guest>,
    /// Who is invited.
    pub attendees: Vec<Guest>,
    /// Google's `eventType`.
    pub kind: EventKind,
    /// Whether it takes place for certain.
    pub status: Status,
    /// Further fields as they are to be sent.
    pub extra: Map<String, Value>,
}

impl Details {
    /// An event that is just there.
    pub fn new(summary: &str, start: impl Into<When>, end: impl Into<When>) -> Self {
        Self {
            summary: summary.to_owned(),
            description: String::new(),
            location: String::new(),
            start: start.into(),
            end: end.into(),
            recurrence: Vec::new(),
            organizer: None,
            attendees: Vec::new(),
            kind: EventKind::Default,
            status: Status::Confirmed,
            extra: Map::new(),
        }
    }

    /// A series by this line (`RRULE:FREQ=WEEKLY`).
    #[must_use]
    pub fn repeating(mut self, line: &str) -> Self {
        self.recurrence.push(line.to_owned());
        self
    }

    /// Of another kind.
    #[must_use]
    pub fn kind(self, kind: EventKind) -> Self {
        Self { kind, ..self }
    }
}

/// Which instance of which series an event is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Identifier of the series.
    pub series: String,
    /// When the instance would begin by the series' rule.
    pub start: When,
}

/// An event, a series or an instance of one.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Google's identifier.
    pub id: String,
    /// The identifier in other calendars.
    pub uid: String,
    /// What it says.
    pub details: Details,
    /// Set for an instance.
    pub origin: Option<Origin>,
    /// Whether it was deleted or called off.
    pub cancelled: bool,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// When it was changed.
    pub updated: DateTime<Utc>,
    /// How often its times were changed.
    pub sequence: u32,
}

impl Event {
    /// The identifier of the series, or of the event itself.
    pub(super) fn root(&self) -> &str {
        self.origin.as_ref().map_or(&self.id, |origin| &origin.series)
    }

    /// Its instants, with days that begin in this zone.
    pub(super) fn span(&self, zone: Tz) -> Span {
        Span { start: self.details.start.instant(zone), end: self.details.end.instant(zone) }
    }
}

/// From when until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: DateTime<Utc>,
    pub(super) end: DateTime<Utc>,
}
