//! Pages of mails and of history.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::mailbox::{Happened, Mail, Mailbox, Record};
use super::query::Query;
use super::wire;
use crate::google::{Answer, Parameters, Problem, sealed, unsealed};

const PAGE: usize = 100;
const LARGEST_PAGE: usize = 500;

/// Where a page of mails begins: behind a mail, in the same search.
#[derive(Debug, Serialize, Deserialize)]
struct MailPage {
    search: String,
    received: i64,
    id: String,
}

/// Where a page of history begins: behind a record, of the same request.
#[derive(Debug, Serialize, Deserialize)]
struct HistoryPage {
    start: u64,
    after: u64,
}

/// `messages.list`: newest first. A page goes on behind the last mail of the one before, whatever arrived meanwhile.
pub(super) fn mails(mailbox: &Mailbox, parameters: &Parameters, query: &Query) -> Answer {
    let size = parameters.page_size(PAGE, LARGEST_PAGE)?;
    let labels = parameters.all("labelIds");
    if let Some(unknown) = labels.iter().find(|it| mailbox.label(it).is_none()) {
        return Err(Problem::invalid(&format!("Invalid label: {unknown}")));
    }
    let hidden =
        parameters.flag("includeSpamTrash")? || query.wants_hidden() || labels.iter().any(|it| ["SPAM", "TRASH"].contains(it));
    let search = format!("{}/{}/{hidden}", parameters.get("q").unwrap_or_default(), labels.join(","));
    let page = mail_page(parameters, &search)?;
    let meant = |mail: &&Mail| {
        labels.iter().all(|it| mail.labels.contains(*it))
            && (hidden || !mail.is_hidden())
            && query.matches(mail, &mailbox.label_names(mail))
    };
    let mut found: Vec<&Mail> = mailbox.mails.values().filter(meant).collect();
    let total = found.len();
    let next = cut(&mut found, size, page, search);
    let mut fields = listed("messages", found.into_iter().map(wire::reference).collect(), next.as_ref().map(sealed));
    fields.insert("resultSizeEstimate".to_owned(), total.into());
    Ok(Value::Object(fields))
}

/// `drafts.list`: newest first, as mails are.
pub(super) fn drafts(mailbox: &Mailbox, parameters: &Parameters, now: DateTime<Utc>) -> Answer {
    let size = parameters.page_size(PAGE, LARGEST_PAGE)?;
    let text = parameters.get("q").unwrap_or_default();
    let (query, search) = (Query::parse(text, now), format!("{text}/drafts"));
    let page = mail_page(parameters, &search)?;
    let meant = |mail: &&Mail| mail.draft.is_some() && query.matches(mail, &mailbox.label_names(mail));
    let mut found: Vec<&Mail> = mailbox.mails.values().filter(meant).collect();
    let total = found.len();
    let next = cut(&mut found, size, page, search);
    let entries = found.into_iter().map(|it| json!({ "id": it.draft, "message": wire::reference(it) })).collect();
    let mut fields = listed("drafts", entries, next.as_ref().map(sealed));
    fields.insert("resultSizeEstimate".to_owned(), total.into());
    Ok(Value::Object(fields))
}

/// Leaves one page of what was found, newest first, and says where the next one begins.
fn cut(found: &mut Vec<&Mail>, size: usize, page: Option<MailPage>, search: String) -> Option<MailPage> {
    found.sort_by_key(|it| it.order());
    if let Some(page) = page {
        let last = (std::cmp::Reverse(page.received), std::cmp::Reverse(page.id));
        found.retain(|it| it.order() > last);
    }
    let more = found.len() > size;
    found.truncate(size);
    found.last().filter(|_| more).map(|it| MailPage { search, received: it.received.timestamp_millis(), id: it.id.clone() })
}

fn mail_page(parameters: &Parameters, search: &str) -> Result<Option<MailPage>, Problem> {
    let Some(token) = parameters.get("pageToken") else { return Ok(None) };
    let page = unsealed::<MailPage>(token).filter(|it| it.search == search);
    page.map(Some).ok_or_else(|| Problem::invalid("Invalid pageToken"))
}

/// `history.list`: oldest first.
pub(super) fn history(mailbox: &Mailbox, parameters: &Parameters) -> Answer {
    let start = start(mailbox, parameters)?;
    let size = parameters.page_size(PAGE, LARGEST_PAGE)?;
    let kinds = kinds(parameters)?;
    let label = parameters.get("labelId");
    let after = match parameters.get("pageToken") {
        None => start,
        Some(token) => {
            let page = unsealed::<HistoryPage>(token).filter(|it| it.start == start);
            page.ok_or_else(|| Problem::invalid("Invalid pageToken"))?.after
        }
    };
    let meant = |record: &&Record| {
        record.number > after
            && (kinds.is_empty() || kinds.contains(&kind(&record.happened)))
            && label.is_none_or(|label| concerns(record, label))
    };
    let mut found: Vec<&Record> = mailbox.records.iter().filter(meant).collect();
    let more = found.len() > size;
    found.truncate(size);
    let next = found.last().filter(|_| more).map(|it| HistoryPage { start, after: it.number });
    let mut fields = listed("history", found.into_iter().map(wire::record).collect(), next.as_ref().map(sealed));
    fields.insert("historyId".to_owned(), mailbox.history.to_string().into());
    Ok(Value::Object(fields))
}

/// The number to start behind; one that is forgotten, or that was never given out, is not found.
fn start(mailbox: &Mailbox, parameters: &Parameters) -> Result<u64, Problem> {
    let text = parameters.get("startHistoryId").ok_or_else(|| Problem::invalid("Missing required parameter: startHistoryId"))?;
    let invalid = |_| Problem::invalid(&format!("Invalid value at 'start_history_id' (TYPE_UINT64), \"{text}\""));
    let start: u64 = text.parse().map_err(invalid)?;
    if start < mailbox.forgotten || start > mailbox.history {
        return Err(Problem::not_found("Requested entity was not found."));
    }
    Ok(start)
}

fn kinds(parameters: &Parameters) -> Result<Vec<&'static str>, Problem> {
    let known = ["messageAdded", "messageDeleted", "labelAdded", "labelRemoved"];
    let find = |name: &str| known.into_iter().find(|it| *it == name);
    let invalid = |name: &str| Problem::invalid(&format!("Invalid value at 'history_types', \"{name}\""));
    parameters.all("historyTypes").into_iter().map(|name| find(name).ok_or_else(|| invalid(name))).collect()
}

fn kind(happened: &Happened) -> &'static str {
    match happened {
        Happened::Added => "messageAdded",
        Happened::Deleted => "messageDeleted",
        Happened::LabelsAdded(_) => "labelAdded",
        Happened::LabelsRemoved(_) => "labelRemoved",
    }
}

/// Whether the mail had the label before or after the change.
fn concerns(record: &Record, label: &str) -> bool {
    let removed = matches!(&record.happened, Happened::LabelsRemoved(labels) if labels.iter().any(|it| it == label));
    removed || record.labels.contains(label)
}

/// A page; an empty one has no list.
fn listed(key: &str, entries: Vec<Value>, next: Option<String>) -> Map<String, Value> {
    let mut fields = Map::new();
    if !entries.is_empty() {
        fields.insert(key.to_owned(), Value::Array(entries));
    }
    if let Some(token) = next {
        fields.insert("nextPageToken".to_owned(), token.into());
    }
    fields
}
