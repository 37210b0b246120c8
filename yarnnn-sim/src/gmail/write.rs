//! The calls that write: sending, drafts, labels and trash.

use std::collections::BTreeSet;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::mailbox::{Arrival, Mailbox};
use super::routes::{COMPOSERS, Caller, DRAFT_READERS, MODIFIERS, SENDERS, found};
use super::{list, mime, wire};
use crate::Sim;
use crate::google::{Answer, Parameters, Problem, reply};
use crate::server::call;

/// The calls, under the paths that the given function makes.
pub(super) fn router(path: impl Fn(&str) -> String) -> Router<Sim> {
    let drafts = call("gmail.drafts.list", get(drafts)).merge(call("gmail.drafts.create", post(create)));
    let one = call("gmail.drafts.get", get(draft)).merge(call("gmail.drafts.delete", axum::routing::delete(delete)));
    Router::new()
        .route(&path("messages/send"), call("gmail.messages.send", post(send)))
        .route(&path("messages/{id}/modify"), call("gmail.messages.modify", post(modify)))
        .route(&path("messages/{id}/trash"), call("gmail.messages.trash", post(trash)))
        .route(&path("drafts"), drafts)
        .route(&path("drafts/{id}"), one)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    raw: Option<String>,
    thread_id: Option<String>,
}

#[derive(Debug, Deserialize)]
struct WrittenDraft {
    message: Written,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Labels {
    add_label_ids: Vec<String>,
    remove_label_ids: Vec<String>,
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let problem = |_| Problem::of(StatusCode::BAD_REQUEST, "parseError", "Invalid JSON payload received.");
    serde_json::from_slice(body).map_err(problem)
}

impl Written {
    /// The mail's bytes; padding may be there or not.
    fn bytes(&self) -> Result<Vec<u8>, Problem> {
        let raw = self.raw.as_deref().unwrap_or_default().trim_end_matches('=');
        let bytes = URL_SAFE_NO_PAD.decode(raw).map_err(|_| Problem::invalid("Invalid value at 'message.raw' (TYPE_BYTES)"))?;
        if bytes.is_empty() {
            return Err(Problem::invalid("'raw' RFC822 payload message string or uploading message via /upload/* URL required"));
        }
        Ok(bytes)
    }

    /// Stores the mail; a conversation that is named must be there.
    fn store(self, mailbox: &mut Mailbox, caller: &Sim, labels: &[&str]) -> Result<String, Problem> {
        let raw = self.bytes()?;
        if let Some(thread) = &self.thread_id {
            found(mailbox.mails.values().find(|it| it.thread == *thread))?;
        }
        let labels: BTreeSet<String> = labels.iter().map(|it| (*it).to_owned()).collect();
        let is_draft = labels.contains("DRAFT");
        Ok(mailbox.add(Arrival { raw, labels, received: caller.now(), thread: self.thread_id, is_draft }))
    }
}

async fn send(State(sim): State<Sim>, Path(user): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    let answer = || {
        let mut mailbox = Caller::check(&sim, &headers, &user, SENDERS)?.mailbox();
        let written: Written = read(&body)?;
        let root = mime::parse(&written.bytes()?);
        let recipients = ["To", "Cc", "Bcc"].iter().filter_map(|name| root.header(name)).collect::<Vec<_>>().join(", ");
        if recipients.is_empty() {
            return Err(Problem::invalid("Recipient address required"));
        }
        let own = recipients.to_lowercase().contains(&sim.google_person().email.to_lowercase());
        let labels: &[&str] = if own { &["SENT", "INBOX", "UNREAD"] } else { &["SENT"] };
        let id = written.store(&mut mailbox, &sim, labels)?;
        Ok(wire::labelled(found(mailbox.mails.get(&id))?))
    };
    reply(answer())
}

async fn create(State(sim): State<Sim>, Path(user): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    let answer = || {
        let mut mailbox = Caller::check(&sim, &headers, &user, COMPOSERS)?.mailbox();
        let id = read::<WrittenDraft>(&body)?.message.store(&mut mailbox, &sim, &["DRAFT"])?;
        let mail = found(mailbox.mails.get(&id))?;
        Ok(json!({ "id": mail.draft, "message": wire::labelled(mail) }))
    };
    reply(answer())
}

async fn drafts(State(sim): State<Sim>, Path(user): Path<String>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let answer = || {
        let caller = Caller::check(&sim, &headers, &user, DRAFT_READERS)?;
        list::drafts(&caller.mailbox(), &Parameters::parse(query.as_deref()), sim.now())
    };
    reply(answer())
}

async fn delete(State(sim): State<Sim>, Path((user, id)): Path<(String, String)>, headers: HeaderMap) -> Response {
    let answer = || {
        let mut mailbox = Caller::check(&sim, &headers, &user, COMPOSERS)?.mailbox();
        let mail = found(mailbox.mails.values().find(|it| it.draft.as_deref() == Some(&id)))?.id.clone();
        mailbox.delete(&mail);
        Ok(json!({}))
    };
    reply(answer())
}

async fn draft(
    State(sim): State<Sim>,
    Path((user, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let answer = || {
        let caller = Caller::check(&sim, &headers, &user, DRAFT_READERS)?;
        let format = caller.format(&Parameters::parse(query.as_deref()))?;
        let mailbox = caller.mailbox();
        let mail = found(mailbox.mails.values().find(|it| it.draft.as_deref() == Some(&id)))?;
        Ok(json!({ "id": id, "message": wire::mail(mail, &format) }))
    };
    reply(answer())
}

async fn modify(State(sim): State<Sim>, Path((user, id)): Path<(String, String)>, headers: HeaderMap, body: Bytes) -> Response {
    let answer = || {
        let mut mailbox = Caller::check(&sim, &headers, &user, MODIFIERS)?.mailbox();
        let labels: Labels = read(&body)?;
        let all = labels.add_label_ids.iter().chain(&labels.remove_label_ids);
        if let Some(unknown) = all.into_iter().find(|it| mailbox.label(it).is_none()) {
            return Err(Problem::invalid(&format!("Invalid label: {unknown}")));
        }
        changed(&mut mailbox, &id, &labels.add_label_ids, &labels.remove_label_ids)
    };
    reply(answer())
}

async fn trash(State(sim): State<Sim>, Path((user, id)): Path<(String, String)>, headers: HeaderMap) -> Response {
    let answer = || {
        let mut mailbox = Caller::check(&sim, &headers, &user, MODIFIERS)?.mailbox();
        changed(&mut mailbox, &id, &["TRASH"], &["INBOX"])
    };
    reply(answer())
}

fn changed<Name: AsRef<str>>(mailbox: &mut Mailbox, id: &str, add: &[Name], remove: &[Name]) -> Answer {
    mailbox.relabel(id, add, remove);
    Ok(wire::labelled(found(mailbox.mails.get(id))?))
}
