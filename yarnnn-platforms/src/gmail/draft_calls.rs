//! The calls with which drafts are made and found.

use serde::Deserialize;
use yarnnn_core::platform::PlatformError;

use super::calls::{Calls, Found, GET, LIST, found, refusal};
use super::limits::{CREATE, MESSAGE};
use super::wire::Listed;
use crate::google::{Elements, GoogleDialect, NOT_FOUND, elements, or_default, protocol};
use crate::http::{Dialect as _, Once, RawReply, Request, Verdict, json};

pub(super) const CREATE_DRAFT: &str = "gmail drafts.create";
pub(super) const LIST_DRAFTS: &str = "gmail drafts.list";
const GET_DRAFT: &str = "gmail drafts.get";

/// The scope without which no draft can be made. `gmail.modify` and the whole mailbox permit it too.
pub(super) const COMPOSE: &str = "https://www.googleapis.com/auth/gmail.compose";
/// Scopes of which each permits to make drafts.
pub(super) const COMPOSERS: [&str; 3] = [COMPOSE, "https://www.googleapis.com/auth/gmail.modify", "https://mail.google.com/"];

/// Drafts of one page: the most there can be.
const PAGE: &str = "500";

/// `drafts.list`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Drafts {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) drafts: Elements,
    pub(super) next_page_token: Option<String>,
}

/// What is needed of a draft or mail in a list.
#[derive(Debug, Deserialize)]
pub(super) struct Named {
    pub(super) id: String,
}

#[derive(Debug, Deserialize)]
struct Draft {
    message: Mail,
}

#[derive(Debug, Deserialize)]
struct Mail {
    payload: Option<Payload>,
}

#[derive(Debug, Default, Deserialize)]
struct Payload {
    #[serde(default, deserialize_with = "or_default")]
    headers: Vec<Header>,
}

#[derive(Debug, Deserialize)]
struct Header {
    #[serde(default)]
    name: String,
    #[serde(default)]
    value: String,
}

/// The headers that were asked for.
#[derive(Debug, Default)]
pub(super) struct Headers(Vec<Header>);

impl Headers {
    /// Whether a header says this.
    pub(super) fn says(&self, name: &str, value: &str) -> bool {
        self.0.iter().any(|it| it.name.eq_ignore_ascii_case(name) && it.value.trim() == value)
    }
}

impl Calls {
    /// Makes a draft. Made once: Gmail knows no key against a second one.
    pub(super) async fn create_draft(&self, body: String) -> Result<Once, PlatformError> {
        let request = Request::post_exact(self.request(&["drafts"], &[])?.url, body);
        Ok(self.session.call_once(&self.call(CREATE_DRAFT, CREATE), &request, refuses_token).await)
    }

    /// What an answer to a new draft means.
    pub(super) fn judge_draft(&self, raw: &RawReply) -> Result<Verdict, PlatformError> {
        let body = json(CREATE_DRAFT, raw)?;
        let dialect = GoogleDialect { scope: COMPOSE, ..self.dialect(&[]) };
        Ok(dialect.judge(CREATE_DRAFT, raw.status, &raw.headers, &body))
    }

    /// A page of the mailbox's drafts.
    pub(super) async fn drafts(&self, page: Option<&str>) -> Result<Drafts, PlatformError> {
        let mut pairs = vec![("maxResults", PAGE)];
        pairs.extend(page.map(|it| ("pageToken", it)));
        self.get(LIST_DRAFTS, MESSAGE, &[], &["drafts"], &pairs).await?.read()
    }

    /// Headers of drafts; none for each that is no longer there.
    pub(super) async fn draft_headers(&self, ids: &[String], names: &[&str]) -> Result<Vec<Found<Headers>>, PlatformError> {
        let answers = self.headed::<Draft>(GET_DRAFT, "drafts", ids, names).await?;
        Ok(answers.into_iter().map(|it| it.map(|draft| draft.map(|it| it.message.into()))).collect())
    }

    /// Headers of mails; none for each that is no longer there.
    pub(super) async fn mail_headers(&self, ids: &[String], names: &[&str]) -> Result<Vec<Found<Headers>>, PlatformError> {
        let answers = self.headed::<Mail>(GET, "messages", ids, names).await?;
        Ok(answers.into_iter().map(|it| it.map(|mail| mail.map(Headers::from))).collect())
    }

    async fn headed<T: serde::de::DeserializeOwned>(
        &self,
        call: &'static str,
        kind: &str,
        ids: &[String],
        names: &[&str],
    ) -> Result<Vec<Found<T>>, PlatformError> {
        let mut pairs = vec![("format", "metadata")];
        pairs.extend(names.iter().map(|it| ("metadataHeaders", *it)));
        let requests: Result<Vec<Request>, PlatformError> = ids.iter().map(|id| self.request(&[kind, id], &pairs)).collect();
        let dialect = GoogleDialect { is_one_of_many: true, ..self.dialect(NOT_FOUND) };
        let answers = self.session.call_each(&dialect, &self.call(call, MESSAGE), requests?).await?;
        answers.into_iter().map(|answer| refusal(answer.and_then(found))).collect()
    }

    /// Ids of the mails that a search finds, in spam and bin too.
    pub(super) async fn searched(&self, text: &str) -> Result<Vec<String>, PlatformError> {
        let pairs = [("q", text), ("maxResults", PAGE), ("includeSpamTrash", "true")];
        let listed: Listed = self.get(LIST, MESSAGE, &[], &["messages"], &pairs).await?.read()?;
        if listed.next_page_token.is_some() {
            return Err(protocol(LIST, "more mails were found than are looked at".to_owned()));
        }
        Ok(elements::<Named>(LIST, listed.messages).0.into_iter().map(|it| it.id).collect())
    }
}

impl From<Mail> for Headers {
    fn from(mail: Mail) -> Self {
        Self(mail.payload.unwrap_or_default().headers)
    }
}

/// Whether an answer says that the token is not good any more, which some are before their time.
fn refuses_token(raw: &RawReply) -> bool {
    raw.status == 401
}
