//! The calls that read.

use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;
use serde_json::{Value, json};

use super::list;
use super::mailbox::{Mail, Mailbox};
use super::query::Query;
use super::wire::{self, Format};
use super::write;
use crate::Sim;
use crate::google::{Answer, Parameters, Problem, reply};
use crate::server::{call, google};

const EVERYTHING: &str = "https://mail.google.com/";
const MODIFY: &str = "https://www.googleapis.com/auth/gmail.modify";
const READ: &str = "https://www.googleapis.com/auth/gmail.readonly";
const METADATA: &str = "https://www.googleapis.com/auth/gmail.metadata";
const LABELS: &str = "https://www.googleapis.com/auth/gmail.labels";
const COMPOSE: &str = "https://www.googleapis.com/auth/gmail.compose";
const SEND: &str = "https://www.googleapis.com/auth/gmail.send";

/// Scopes that permit to read whole mails.
const READERS: &[&str] = &[EVERYTHING, MODIFY, READ];
/// Scopes that permit to read headers.
const METADATA_READERS: &[&str] = &[EVERYTHING, MODIFY, READ, METADATA];
const LABEL_READERS: &[&str] = &[EVERYTHING, MODIFY, READ, METADATA, LABELS];
const PROFILE_READERS: &[&str] = &[EVERYTHING, MODIFY, READ, METADATA, COMPOSE];
pub(super) const DRAFT_READERS: &[&str] = &[EVERYTHING, MODIFY, READ, COMPOSE];
pub(super) const SENDERS: &[&str] = &[EVERYTHING, MODIFY, COMPOSE, SEND];
pub(super) const MODIFIERS: &[&str] = &[EVERYTHING, MODIFY];
pub(super) const COMPOSERS: &[&str] = &[EVERYTHING, MODIFY, COMPOSE];

/// All calls of this provider.
pub(crate) fn router() -> Router<Sim> {
    let path = |rest: &str| format!("/gmail/v1/users/{{user}}/{rest}");
    Router::new()
        .route(&path("profile"), call("gmail.profile", get(profile)))
        .route(&path("labels"), call("gmail.labels.list", get(labels)))
        .route(&path("labels/{id}"), call("gmail.labels.get", get(label)))
        .route(&path("messages"), call("gmail.messages.list", get(mails)))
        .route(&path("messages/{id}"), call("gmail.messages.get", get(mail)))
        .route(&path("messages/{id}/attachments/{part}"), call("gmail.messages.attachments.get", get(attachment)))
        .route(&path("threads/{id}"), call("gmail.threads.get", get(thread)))
        .route(&path("history"), call("gmail.history.list", get(history)))
        .merge(write::router(path))
}

/// Who asks, and for what.
pub(super) struct Caller<'a> {
    sim: &'a Sim,
    /// Whether only headers may be read.
    metadata_only: bool,
}

impl<'a> Caller<'a> {
    /// Checks the token, its scopes and that the mailbox is the caller's own.
    pub(super) fn check(sim: &'a Sim, headers: &HeaderMap, user: &str, any_of: &[&str]) -> Result<Self, Problem> {
        let access = google(sim, headers, any_of)?;
        if user != "me" && !user.eq_ignore_ascii_case(&sim.google_person().email) {
            return Err(Problem::forbidden(&format!("Delegation denied for {user}")));
        }
        Ok(Self { sim, metadata_only: !access.permits(DRAFT_READERS) })
    }

    /// The mailbox while the answer is made.
    pub(super) fn mailbox(&self) -> std::sync::MutexGuard<'a, Mailbox> {
        self.sim.gmail().mailbox()
    }

    /// Which form of a mail is wanted, and permitted.
    pub(super) fn format(&self, parameters: &Parameters) -> Result<Format, Problem> {
        let headers = || parameters.all("metadataHeaders").into_iter().map(str::to_owned).collect();
        let format = match parameters.get("format").map(str::to_lowercase).as_deref() {
            None | Some("full") => Format::Full,
            Some("minimal") => Format::Minimal,
            Some("raw") => Format::Raw,
            Some("metadata") => Format::Metadata(headers()),
            Some(other) => return Err(Problem::invalid(&format!("Invalid value at 'format', \"{other}\""))),
        };
        match format {
            Format::Full => self.whole("Metadata scope doesn't allow format FULL")?,
            Format::Raw => self.whole("Metadata scope doesn't allow format RAW")?,
            Format::Minimal | Format::Metadata(_) => {}
        }
        Ok(format)
    }

    fn whole(&self, message: &str) -> Result<(), Problem> {
        if self.metadata_only { Err(Problem::forbidden(message)) } else { Ok(()) }
    }
}

pub(super) fn found(mail: Option<&Mail>) -> Result<&Mail, Problem> {
    mail.ok_or_else(|| Problem::not_found("Requested entity was not found."))
}

async fn profile(State(sim): State<Sim>, Path(user): Path<String>, headers: HeaderMap) -> Response {
    reply(Caller::check(&sim, &headers, &user, PROFILE_READERS).map(|caller| {
        let mailbox = caller.mailbox();
        json!({
            "emailAddress": sim.google_person().email,
            "messagesTotal": mailbox.mails.len(),
            "threadsTotal": wire::threads(&mailbox.mails.values().collect::<Vec<_>>()),
            "historyId": mailbox.history.to_string(),
        })
    }))
}

async fn labels(State(sim): State<Sim>, Path(user): Path<String>, headers: HeaderMap) -> Response {
    reply(Caller::check(&sim, &headers, &user, LABEL_READERS).map(|caller| {
        let labels: Value = caller.mailbox().labels.iter().map(|it| wire::label(it, None)).collect();
        json!({ "labels": labels })
    }))
}

async fn label(State(sim): State<Sim>, Path((user, id)): Path<(String, String)>, headers: HeaderMap) -> Response {
    let answer = || {
        let mailbox = Caller::check(&sim, &headers, &user, LABEL_READERS)?.mailbox();
        let label = mailbox.label(&id).ok_or_else(|| Problem::not_found("Requested entity was not found."))?;
        Ok(wire::label(label, Some(&mailbox)))
    };
    reply(answer())
}

async fn mails(State(sim): State<Sim>, Path(user): Path<String>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let answer = || {
        let caller = Caller::check(&sim, &headers, &user, METADATA_READERS)?;
        let parameters = Parameters::parse(query.as_deref());
        let text = parameters.get("q").unwrap_or_default();
        if !text.is_empty() {
            caller.whole("Metadata scope does not support 'q' parameter")?;
        }
        list::mails(&caller.mailbox(), &parameters, &Query::parse(text, sim.now()))
    };
    reply(answer())
}

async fn mail(
    State(sim): State<Sim>,
    Path((user, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let answer = || {
        let caller = Caller::check(&sim, &headers, &user, METADATA_READERS)?;
        let format = caller.format(&Parameters::parse(query.as_deref()))?;
        Ok(wire::mail(found(caller.mailbox().mails.get(&id))?, &format))
    };
    reply(answer())
}

async fn attachment(
    State(sim): State<Sim>,
    Path((user, id, wanted)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Response {
    let answer = || {
        let mailbox = Caller::check(&sim, &headers, &user, READERS)?.mailbox();
        let parts = found(mailbox.mails.get(&id))?.root.walk();
        let part = parts.into_iter().find(|it| it.attachment_id() == wanted);
        part.map(wire::attachment)
            .ok_or_else(|| Problem::of(StatusCode::BAD_REQUEST, "invalidArgument", "Invalid attachment token"))
    };
    reply(answer())
}

async fn thread(
    State(sim): State<Sim>,
    Path((user, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let answer = || {
        let caller = Caller::check(&sim, &headers, &user, METADATA_READERS)?;
        let format = caller.format(&Parameters::parse(query.as_deref()))?;
        let mailbox = caller.mailbox();
        thread_of(&mailbox, &id, &format)
    };
    reply(answer())
}

/// A conversation, oldest mail first.
fn thread_of(mailbox: &Mailbox, id: &str, format: &Format) -> Answer {
    let mut mails: Vec<&Mail> = mailbox.mails.values().filter(|it| it.thread == id).collect();
    mails.sort_by_key(|it| std::cmp::Reverse(it.order()));
    found(mails.first().copied())?;
    let history = mails.iter().map(|it| it.history).max().unwrap_or_default();
    let mails: Value = mails.into_iter().map(|it| wire::mail(it, format)).collect();
    Ok(json!({ "id": id, "historyId": history.to_string(), "messages": mails }))
}

async fn history(State(sim): State<Sim>, Path(user): Path<String>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let answer = || {
        let caller = Caller::check(&sim, &headers, &user, METADATA_READERS)?;
        list::history(&caller.mailbox(), &Parameters::parse(query.as_deref()))
    };
    reply(answer())
}
