//! Each call of Calendar: its parameters, and its answer with a type.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use url::Url;
use yarnnn_core::clock::Clock;
use yarnnn_core::jobs::CapacityLimits;
use yarnnn_core::platform::{Call, Interval, PlatformError};

use super::limits::POOL;
use super::wire::{Calendar, CalendarList, Event, Events};
use crate::google::{GoogleDialect, NOT_FOUND, message, protocol};
use crate::http::{Reply, Request, Session, below};

pub(super) const PRIMARY: &str = "calendar calendars.get";
pub(super) const LIST: &str = "calendar calendarList.list";
pub(super) const EVENTS: &str = "calendar events.list";
pub(super) const EVENT: &str = "calendar events.get";

const SCOPE: &str = "https://www.googleapis.com/auth/calendar.readonly";

/// Calendars of one page.
const LIST_PAGE: &str = "50";

/// Which events to list.
#[derive(Debug, Clone, Copy)]
pub(super) enum Which<'a> {
    /// A stretch of time, in no order: only such a list ends with a sync token.
    Unordered(Interval),
    /// A stretch of time by the start of the events.
    ByStart(Interval),
    /// What has changed since a sync token.
    Changed(&'a str),
}

/// What came instead of events.
pub(super) enum NoEvents {
    /// The sync token is too old.
    Expired,
    /// The calendar is no longer there.
    Gone,
}

/// The calls of one account.
#[derive(Debug, Clone)]
pub(super) struct Calls {
    session: Session,
    base: Url,
    limits: CapacityLimits,
}

impl Calls {
    pub(super) const fn new(session: Session, base: Url, limits: CapacityLimits) -> Self {
        Self { session, base, limits }
    }

    pub(super) fn clock(&self) -> &dyn Clock {
        self.session.clock()
    }

    /// The account's own calendar.
    pub(super) async fn primary(&self) -> Result<Calendar, PlatformError> {
        self.get(PRIMARY, &[], &["calendars", "primary"], &[]).await?.read()
    }

    pub(super) async fn calendars(&self, page: Option<&str>) -> Result<CalendarList, PlatformError> {
        let mut pairs = vec![("maxResults", LIST_PAGE)];
        pairs.extend(page.map(|it| ("pageToken", it)));
        self.get(LIST, &[], &["users", "me", "calendarList"], &pairs).await?.read()
    }

    /// One page of events. All parameters but the page must be the same from page to page, and with the sync token that comes of it.
    pub(super) async fn events(
        &self,
        calendar: &str,
        which: Which<'_>,
        most: u32,
        page: Option<&str>,
    ) -> Result<Result<Events, NoEvents>, PlatformError> {
        let most = most.to_string();
        let (from, to);
        let mut pairs = vec![("singleEvents", "true"), ("maxResults", most.as_str())];
        match which {
            Which::Changed(token) => pairs.push(("syncToken", token)),
            Which::Unordered(window) | Which::ByStart(window) => {
                (from, to) = (earlier(window.from), later(window.to));
                pairs.extend([("timeMin", from.as_str()), ("timeMax", to.as_str())]);
            }
        }
        if matches!(which, Which::ByStart(_)) {
            pairs.push(("orderBy", "startTime"));
        }
        pairs.extend(page.map(|it| ("pageToken", it)));
        let reply = self.get(EVENTS, &[400, 404, 410], &["calendars", calendar, "events"], &pairs).await?;
        match reply.status {
            404 => Ok(Err(NoEvents::Gone)),
            410 => Ok(Err(NoEvents::Expired)),
            400 => refused(&reply, which),
            _ => reply.read().map(Ok),
        }
    }

    /// One event; none if it is not there.
    pub(super) async fn event(&self, calendar: &str, id: &str) -> Result<Option<Event>, PlatformError> {
        let reply = self.get(EVENT, NOT_FOUND, &["calendars", calendar, "events", id], &[]).await?;
        if NOT_FOUND.contains(&reply.status) {
            return Ok(None);
        }
        let event: Event = reply.read()?;
        if event.id == id { Ok(Some(event)) } else { Err(protocol(EVENT, format!("{id} was asked for, {:?} came", event.id))) }
    }

    async fn get(
        &self,
        name: &'static str,
        expected: &'static [u16],
        path: &[&str],
        pairs: &[(&str, &str)],
    ) -> Result<Reply, PlatformError> {
        let path = [&["calendar", "v3"], path].concat();
        let request = Request::get(below(&self.base, &path, pairs)?);
        let (clock, interface) = (self.session.clock(), "the Google Calendar API");
        let dialect = GoogleDialect { clock, interface, scope: SCOPE, expected, is_one_of_many: false };
        let call = Call { name, pool: POOL, cost: 0, limits: &self.limits };
        self.session.call(&dialect, &call, request).await
    }
}

/// A sync token that is refused as such is as good as expired; anything else is our mistake.
fn refused(reply: &Reply, which: Which<'_>) -> Result<Result<Events, NoEvents>, PlatformError> {
    let said = message(&reply.body);
    if matches!(which, Which::Changed(_)) && said.to_ascii_lowercase().contains("sync") {
        return Ok(Err(NoEvents::Expired));
    }
    Err(protocol(EVENTS, format!("status 400, {said}")))
}

/// Calendar reads whole seconds: a window is widened to them, and by one that an event without length at its start needs.
fn earlier(instant: DateTime<Utc>) -> String {
    let earlier = instant.checked_sub_signed(TimeDelta::seconds(1)).unwrap_or(instant);
    earlier.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn later(instant: DateTime<Utc>) -> String {
    let add = i64::from(instant.timestamp_subsec_nanos() > 0);
    let later = instant.checked_add_signed(TimeDelta::seconds(add)).unwrap_or(instant);
    later.to_rfc3339_opts(SecondsFormat::Secs, true)
}
