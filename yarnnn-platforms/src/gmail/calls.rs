//! Each call of Gmail: its parameters, and its answer with a type.

use chrono::{DateTime, TimeDelta, Utc};
use url::Url;
use yarnnn_core::clock::Clock;
use yarnnn_core::jobs::CapacityLimits;
use yarnnn_core::platform::{Call, PlatformError};

use super::limits::{HISTORY, MESSAGE, POOL, SMALL};
use super::wire::{HistoryPage, Label, Labels, Listed, Message, PartBody, Profile};
use crate::google::{GoogleDialect, NOT_FOUND, message, protocol};
use crate::http::{Reply, Request, Session, below};

pub(super) const PROFILE: &str = "gmail profile";
pub(super) const LABELS: &str = "gmail labels.list";
pub(super) const LABEL: &str = "gmail labels.get";
pub(super) const LIST: &str = "gmail messages.list";
pub(super) const GET: &str = "gmail messages.get";
pub(super) const HISTORY_LIST: &str = "gmail history.list";
pub(super) const ATTACHMENT: &str = "gmail attachments.get";

const SCOPE: &str = "https://www.googleapis.com/auth/gmail.readonly";

/// Records of one page of the history: the most there can be.
const HISTORY_PAGE: &str = "500";

/// As many mails of which not one can be had are not bad mails.
const TOO_MANY: usize = 3;

/// What was found: none if it is no longer there, or why it cannot be had although others can.
pub(super) type Found<T> = Result<Option<T>, String>;

/// What to list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Query<'a> {
    pub(super) label: &'a str,
    /// Only mails that came on or after the day of this instant, wherever on earth that day is counted.
    pub(super) after: Option<DateTime<Utc>>,
    /// Only mails that came before this instant.
    pub(super) before: Option<DateTime<Utc>>,
    /// Also what lies in the bin or is spam.
    pub(super) with_trash: bool,
}

impl<'a> Query<'a> {
    pub(super) fn all(label: &'a str) -> Self {
        Self { label, after: None, before: None, with_trash: matches!(label, "SPAM" | "TRASH") }
    }

    fn text(&self) -> String {
        // Gmail reads a date as midnight in a zone of its choice, which is up to twelve hours behind UTC.
        let after = self.after.map(|it| format!("after:{}", (it - TimeDelta::hours(12)).format("%Y/%m/%d")));
        let before = self.before.map(|it| format!("before:{}", it.timestamp() + 1));
        after.into_iter().chain(before).collect::<Vec<_>>().join(" ")
    }
}

/// The calls of one account.
#[derive(Debug, Clone)]
pub(super) struct Calls {
    pub(super) session: Session,
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

    pub(super) async fn profile(&self) -> Result<Profile, PlatformError> {
        self.get(PROFILE, SMALL, &[], &["profile"], &[]).await?.read()
    }

    pub(super) async fn labels(&self) -> Result<Labels, PlatformError> {
        self.get(LABELS, SMALL, &[], &["labels"], &[]).await?.read()
    }

    /// One label; none if it is no longer there.
    pub(super) async fn label(&self, id: &str) -> Result<Option<Label>, PlatformError> {
        found(self.get(LABEL, SMALL, NOT_FOUND, &["labels", id], &[]).await?)
    }

    /// One page of ids; none if the label is no longer there.
    pub(super) async fn list(&self, query: Query<'_>, most: u32, page: Option<&str>) -> Result<Option<Listed>, PlatformError> {
        let (text, most) = (query.text(), most.to_string());
        let mut pairs = vec![("labelIds", query.label), ("maxResults", most.as_str())];
        if !text.is_empty() {
            pairs.push(("q", &text));
        }
        if query.with_trash {
            pairs.push(("includeSpamTrash", "true"));
        }
        pairs.extend(page.map(|it| ("pageToken", it)));
        let reply = self.get(LIST, MESSAGE, &[400, 404, 410], &["messages"], &pairs).await?;
        if reply.status != 400 {
            return found(reply);
        }
        let said = message(&reply.body);
        if said.to_ascii_lowercase().contains("label") { Ok(None) } else { Err(protocol(LIST, format!("status 400, {said}"))) }
    }

    /// One page of what happened after a point of the history; none if that point is too long ago.
    pub(super) async fn history(&self, start: u64, page: Option<&str>) -> Result<Option<HistoryPage>, PlatformError> {
        let start = start.to_string();
        let mut pairs = vec![("startHistoryId", start.as_str()), ("maxResults", HISTORY_PAGE)];
        pairs.extend(page.map(|it| ("pageToken", it)));
        found(self.get(HISTORY_LIST, HISTORY, NOT_FOUND, &["history"], &pairs).await?)
    }

    /// The given mails in the given format; none for each that is no longer there, and why for each that cannot be had.
    pub(super) async fn messages(&self, ids: &[String], format: &str) -> Result<Vec<Found<Message>>, PlatformError> {
        let mut answers = self.ask(ids, format).await?;
        let refused: Vec<usize> = (0..ids.len()).filter(|place| answers.get(*place).is_some_and(Result::is_err)).collect();
        if refused.is_empty() {
            return Ok(answers);
        }
        // It will not be asked for again in a later fetch: what came may have been a page of something in between.
        let again: Vec<String> = refused.iter().filter_map(|place| ids.get(*place).cloned()).collect();
        for (place, answer) in refused.iter().zip(self.ask(&again, format).await?) {
            if let Some(first) = answers.get_mut(*place) {
                *first = answer;
            }
        }
        self.believable(&answers).await?;
        Ok(answers)
    }

    async fn ask(&self, ids: &[String], format: &str) -> Result<Vec<Found<Message>>, PlatformError> {
        let requests: Result<Vec<Request>, PlatformError> =
            ids.iter().map(|id| self.request(&["messages", id], &[("format", format)])).collect();
        let dialect = GoogleDialect { is_one_of_many: true, ..self.dialect(NOT_FOUND) };
        let answers = self.session.call_each(&dialect, &self.call(GET, MESSAGE), requests?).await?;
        ids.iter().zip(answers).map(|(id, answer)| same(id, refusal(answer.and_then(found))?)).collect()
    }

    /// A bad mail lies among good ones: where none can be had it is the account or the wire that is bad.
    async fn believable(&self, answers: &[Found<Message>]) -> Result<(), PlatformError> {
        if answers.iter().any(Result::is_ok) {
            return Ok(());
        }
        match answers.first() {
            Some(Err(reason)) if answers.len() >= TOO_MANY => {
                Err(protocol(GET, format!("none of {} mails: {reason}", answers.len())))
            }
            _ => self.profile().await.map(drop),
        }
    }

    /// The content of a part that is too large to come with its mail; none if the mail is no longer there, and why if it cannot
    /// be had.
    pub(super) async fn attachment(&self, mail: &str, id: &str) -> Result<Found<PartBody>, PlatformError> {
        let dialect = GoogleDialect { is_one_of_many: true, ..self.dialect(NOT_FOUND) };
        let request = self.request(&["messages", mail, "attachments", id], &[])?;
        refusal(self.session.call(&dialect, &self.call(ATTACHMENT, MESSAGE), request).await.and_then(found))
    }

    pub(super) async fn get(
        &self,
        name: &'static str,
        cost: u32,
        expected: &'static [u16],
        path: &[&str],
        pairs: &[(&str, &str)],
    ) -> Result<Reply, PlatformError> {
        self.session.call(&self.dialect(expected), &self.call(name, cost), self.request(path, pairs)?).await
    }

    pub(super) fn request(&self, path: &[&str], pairs: &[(&str, &str)]) -> Result<Request, PlatformError> {
        let path = [&["gmail", "v1", "users", "me"], path].concat();
        Ok(Request::get(below(&self.base, &path, pairs)?))
    }

    pub(super) fn call(&self, name: &'static str, cost: u32) -> Call<'_> {
        Call { name, pool: POOL, cost, limits: &self.limits }
    }

    pub(super) fn dialect(&self, expected: &'static [u16]) -> GoogleDialect<'_> {
        GoogleDialect { clock: self.session.clock(), interface: "the Gmail API", scope: SCOPE, expected, is_one_of_many: false }
    }
}

pub(super) fn found<T: serde::de::DeserializeOwned>(reply: Reply) -> Result<Option<T>, PlatformError> {
    if NOT_FOUND.contains(&reply.status) { Ok(None) } else { reply.read().map(Some) }
}

/// An answer that will always be the same is told from one that may be another later, or stands for the whole account.
pub(super) fn refusal<T>(found: Result<Option<T>, PlatformError>) -> Result<Found<T>, PlatformError> {
    match found {
        Ok(found) => Ok(Ok(found)),
        Err(PlatformError::Protocol { detail, .. }) => Ok(Err(detail)),
        Err(error) => Err(error),
    }
}

fn same(id: &str, found: Found<Message>) -> Result<Found<Message>, PlatformError> {
    match found {
        Ok(Some(other)) if other.id != id => Err(protocol(GET, format!("{id} was asked for, {:?} came", other.id))),
        found => Ok(found),
    }
}
