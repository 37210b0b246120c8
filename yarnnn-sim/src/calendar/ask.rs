//! What a request for events asks for, and Google's rules on what may be asked together.

use axum::http::StatusCode;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use yarnnn_core::hash::Sha256;

use super::book::Window;
use super::model::EventKind;
use crate::google::{Parameters, Problem, sealed, unsealed};

/// How long a sync token is accepted, and how far back `updatedMin` may lie.
const MEMORY: TimeDelta = TimeDelta::days(28);
/// What may not stand beside a sync token.
const NOT_WITH_TOKEN: [&str; 8] =
    ["iCalUID", "orderBy", "privateExtendedProperty", "q", "sharedExtendedProperty", "timeMin", "timeMax", "updatedMin"];
/// What says how an answer is sent, not what is in it.
const NOT_ASKED: [&str; 6] = ["pageToken", "maxResults", "alt", "fields", "prettyPrint", "key"];

/// In which order events come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// By identifier: unspecified, but stable.
    Any,
    Start,
    Updated,
}

/// What a sync token fixes for the calls to come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Scope {
    pub(super) single: bool,
    pub(super) kinds: Vec<String>,
    pub(super) zone: Option<String>,
    pub(super) most_attendees: Option<String>,
}

/// A sync token: from which change on, of which calendar, and in which window.
#[derive(Debug, Serialize, Deserialize)]
struct SyncToken {
    calendar: String,
    change: u64,
    generation: u64,
    issued: DateTime<Utc>,
    scope: Scope,
    window: Window,
}

/// Where a page begins: behind this key, of the same request.
#[derive(Debug, Serialize, Deserialize)]
struct PageToken {
    request: String,
    key: (i64, String),
    /// The change up to which the first page was current. The sync token begins there, so that nothing is lost that
    /// changes while pages are read.
    change: u64,
}

/// A request for events.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) scope: Scope,
    pub(super) window: Window,
    /// Only what changed after this number.
    pub(super) since: Option<u64>,
    pub(super) show_deleted: bool,
    pub(super) order: Order,
    pub(super) text: Option<String>,
    pub(super) uid: Option<String>,
    pub(super) updated_min: Option<DateTime<Utc>>,
    pub(super) size: usize,
    /// Behind which key the page begins.
    pub(super) behind: Option<(i64, String)>,
    /// The change up to which the sync token will hold.
    pub(super) change: u64,
    request: String,
    /// Whether a sync token is given at the end.
    syncs: bool,
}

/// What the service knows when it is asked.
pub(super) struct Known<'a> {
    pub(super) calendar: &'a str,
    pub(super) change: u64,
    pub(super) generation: u64,
    pub(super) now: DateTime<Utc>,
}

impl Ask {
    pub(super) fn read(parameters: &Parameters, known: &Known<'_>) -> Result<Self, Problem> {
        let scope = scope(parameters)?;
        let order = order(parameters, scope.single)?;
        let request = Sha256::of(format!("{}/{}", known.calendar, parameters.except(&NOT_ASKED))).to_string();
        let page = page(parameters, &request)?;
        let token = parameters.get("syncToken").map(|token| sync(parameters, token, &scope, known)).transpose()?;
        let updated_min = updated_min(parameters, known.now)?;
        let asked = window(parameters)?;
        Ok(Self {
            window: token.as_ref().map_or(asked, |it| it.window),
            since: token.as_ref().map(|it| it.change),
            show_deleted: parameters.flag("showDeleted")? || token.is_some() || updated_min.is_some(),
            text: parameters.get("q").map(str::to_lowercase),
            uid: parameters.get("iCalUID").map(str::to_owned),
            size: parameters.page_size(250, 2_500)?,
            syncs: token.is_some() || NOT_WITH_TOKEN.iter().all(|it| it.starts_with("time") || parameters.get(it).is_none()),
            change: page.as_ref().map_or(known.change, |it| it.change),
            behind: page.map(|it| it.key),
            scope,
            order,
            updated_min,
            request,
        })
    }

    /// The token of the next page.
    pub(super) fn page_token(&self, key: (i64, String)) -> String {
        sealed(&PageToken { request: self.request.clone(), key, change: self.change })
    }

    /// The token for what will change; none where Google gives none.
    pub(super) fn sync_token(&self, known: &Known<'_>) -> Option<String> {
        let token = SyncToken {
            calendar: known.calendar.to_owned(),
            change: self.change,
            generation: known.generation,
            issued: known.now,
            scope: self.scope.clone(),
            window: self.window,
        };
        self.syncs.then(|| sealed(&token))
    }
}

fn refused(reason: &str, parameter: &str, message: &str) -> Problem {
    Problem::parameter(StatusCode::BAD_REQUEST, "global", reason, parameter, message)
}

fn gone(reason: &str, parameter: &str, message: &str) -> Problem {
    Problem::parameter(StatusCode::GONE, "calendar", reason, parameter, message)
}

fn scope(parameters: &Parameters) -> Result<Scope, Problem> {
    let mut kinds: Vec<String> = parameters.all("eventTypes").into_iter().map(str::to_owned).collect();
    kinds.sort();
    if kinds.iter().any(|name| EventKind::ALL.iter().all(|it| it.name() != name)) {
        return Err(refused("invalidParameter", "eventTypes", "Invalid value for eventTypes"));
    }
    let zone = parameters.get("timeZone");
    if zone.is_some_and(|name| name.parse::<Tz>().is_err()) {
        return Err(refused("invalid", "timeZone", "Invalid time zone definition."));
    }
    let most_attendees = parameters.get("maxAttendees").map(str::to_owned);
    Ok(Scope { single: parameters.flag("singleEvents")?, kinds, zone: zone.map(str::to_owned), most_attendees })
}

fn order(parameters: &Parameters, single: bool) -> Result<Order, Problem> {
    match parameters.get("orderBy") {
        None => Ok(Order::Any),
        Some("startTime") if single => Ok(Order::Start),
        Some("startTime") => {
            let message = "The requested ordering is not available for the particular query.";
            Err(refused("invalid", "orderBy", message))
        }
        Some("updated") => Ok(Order::Updated),
        Some(_) => Err(refused("invalidParameter", "orderBy", "Invalid value for orderBy")),
    }
}

fn page(parameters: &Parameters, request: &str) -> Result<Option<PageToken>, Problem> {
    let Some(token) = parameters.get("pageToken") else { return Ok(None) };
    let page = unsealed::<PageToken>(token).filter(|it| it.request == request);
    page.map(Some).ok_or_else(|| refused("invalid", "pageToken", "Invalid page token value."))
}

/// An instant with its offset from UTC, which is required.
fn instant(parameters: &Parameters, name: &'static str) -> Result<Option<DateTime<Utc>>, Problem> {
    let Some(text) = parameters.get(name) else { return Ok(None) };
    let parsed = DateTime::parse_from_rfc3339(text).map(|it| Some(it.with_timezone(&Utc)));
    parsed.map_err(|_| refused("badRequest", name, "Bad Request"))
}

fn window(parameters: &Parameters) -> Result<Window, Problem> {
    let window = Window { from: instant(parameters, "timeMin")?, to: instant(parameters, "timeMax")? };
    match (window.from, window.to) {
        (Some(from), Some(to)) if to <= from => Err(refused("timeRangeEmpty", "timeMax", "The specified time range is empty.")),
        _ => Ok(window),
    }
}

fn updated_min(parameters: &Parameters, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, Problem> {
    let least = instant(parameters, "updatedMin")?;
    if least.is_some_and(|it| it < now - MEMORY) {
        return Err(too_long_ago("updatedMin"));
    }
    Ok(least)
}

fn too_long_ago(parameter: &str) -> Problem {
    let message = "The requested minimum modification time lies too far in the past.";
    gone("updatedMinTooLongAgo", parameter, message)
}

/// Reads a sync token and checks what stands beside it.
fn sync(parameters: &Parameters, token: &str, scope: &Scope, known: &Known<'_>) -> Result<SyncToken, Problem> {
    if let Some(forbidden) = NOT_WITH_TOKEN.iter().find(|it| parameters.get(it).is_some()) {
        let message = format!("The parameter {forbidden} cannot be used together with a sync token.");
        return Err(refused("invalid", "syncToken", &message));
    }
    if parameters.get("showDeleted") == Some("false") {
        return Err(refused("invalid", "showDeleted", "showDeleted cannot be false together with a sync token."));
    }
    let token = unsealed::<SyncToken>(token).filter(|it| it.calendar == known.calendar);
    let token = token.ok_or_else(|| refused("invalid", "syncToken", "Invalid sync token value."))?;
    if token.generation < known.generation {
        let message = "Sync token is no longer valid, a full sync is required.";
        return Err(gone("fullSyncRequired", "syncToken", message));
    }
    if token.issued < known.now - MEMORY {
        return Err(too_long_ago("syncToken"));
    }
    if token.scope != *scope {
        let message = "The parameters are not those of the request that the sync token comes from.";
        return Err(refused("invalid", "syncToken", message));
    }
    Ok(token)
}
