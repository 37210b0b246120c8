//! The calls to Notion: what is sent, and the typed answer.

use serde_json::{Value, json};
use url::Url;
use yarnnn_core::platform::{Call, PlatformError};

use super::errors::{NotionDialect, is_missing, is_stale, is_unsupported, refusal, refuses_token};
use super::limits::{NotionLimits, PAGE_SIZE};
use super::wire::{Database, List, Page, Person};
use crate::http::{Once, Reply, Request, Session, below};

/// The version in which databases have data sources. Later ones rename what is read here under both names.
const VERSION: &str = "2025-09-03";

pub(super) const ME: &str = "notion users.me";
pub(super) const CREATE: &str = "notion pages.create";
pub(super) const APPEND: &str = "notion blocks.append";
pub(super) const USER: &str = "notion users.get";
const SEARCH: &str = "notion search";
const PAGE: &str = "notion pages.get";
pub(super) const CHILDREN: &str = "notion blocks.children";
pub(super) const DATABASE: &str = "notion databases.get";
pub(super) const QUERY: &str = "notion data_sources.query";

/// The calls of one connection.
#[derive(Debug, Clone)]
pub(super) struct Calls {
    session: Session,
    base: Url,
    limits: NotionLimits,
}

/// One page of a list, or why there is none.
#[derive(Debug)]
pub(super) enum Listed {
    List(List),
    /// What was to be listed is not there, or not shared.
    Missing,
    /// The list has changed since its last page: start it anew.
    Stale,
    /// What is in it is of a kind that Notion shows to no integration.
    Unsupported,
    /// Notion refuses to list this one.
    Refused(PlatformError),
}

impl Calls {
    pub(super) const fn new(session: Session, base: Url, limits: NotionLimits) -> Self {
        Self { session, base, limits }
    }

    pub(super) fn now(&self) -> chrono::DateTime<chrono::Utc> {
        self.session.clock().now()
    }

    /// The integration itself.
    pub(super) async fn me(&self) -> Result<Person, PlatformError> {
        found(self.get(ME, &["v1", "users", "me"], &[]).await?)?.read()
    }

    /// A person or integration; none if it is not there.
    pub(super) async fn user(&self, id: &str) -> Result<Option<Person>, PlatformError> {
        optional(self.get(USER, &["v1", "users", id], &[]).await?)
    }

    /// Pages (`page`) or data sources (`data_source`) that are shared, the last edited first.
    pub(super) async fn search(&self, kind: &str, query: &str, cursor: Option<&str>) -> Result<List, PlatformError> {
        let mut body = json!({
            "query": query,
            "filter": {"property": "object", "value": kind},
            "sort": {"timestamp": "last_edited_time", "direction": "descending"},
            "page_size": PAGE_SIZE,
        });
        start(&mut body, cursor);
        let reply = self.post(SEARCH, &["v1", "search"], body).await?;
        match listed(reply, cursor)? {
            Listed::List(list) => Ok(list),
            _ => Err(protocol(SEARCH, "the list cannot be gone through to its end")),
        }
    }

    /// A page without its blocks; none if it is not there, or not shared.
    pub(super) async fn page(&self, id: &str) -> Result<Option<Page>, PlatformError> {
        optional(self.get(PAGE, &["v1", "pages", id], &[]).await?)
    }

    /// A database; none if it is not there, or not shared.
    pub(super) async fn database(&self, id: &str) -> Result<Option<Database>, PlatformError> {
        optional(self.get(DATABASE, &["v1", "databases", id], &[]).await?)
    }

    /// The blocks directly inside a page or block.
    pub(super) async fn children(&self, id: &str, cursor: Option<&str>) -> Result<Listed, PlatformError> {
        let size = PAGE_SIZE.to_string();
        let mut query = vec![("page_size", size.as_str())];
        query.extend(cursor.map(|it| ("start_cursor", it)));
        listed(self.get(CHILDREN, &["v1", "blocks", id, "children"], &query).await?, cursor)
    }

    /// Rows of a data source, the last edited first.
    pub(super) async fn rows(&self, source: &str, filter: Option<Value>, cursor: Option<&str>) -> Result<Listed, PlatformError> {
        let mut body = json!({
            "sorts": [{"timestamp": "last_edited_time", "direction": "descending"}],
            "page_size": PAGE_SIZE,
        });
        if let (Some(filter), Some(body)) = (filter, body.as_object_mut()) {
            body.insert("filter".to_owned(), filter);
        }
        start(&mut body, cursor);
        listed(self.post(QUERY, &["v1", "data_sources", source, "query"], body).await?, cursor)
    }

    /// Makes a page that was written elsewhere. Made once: Notion knows no key against a second one.
    pub(super) async fn create_page(&self, body: String) -> Result<Once, PlatformError> {
        let request = Request::post_exact(below(&self.base, &["v1", "pages"], &[])?, body);
        Ok(self.once(CREATE, request).await)
    }

    /// Adds blocks that were written elsewhere at the end of a page. Made once, too.
    pub(super) async fn append(&self, page: &str, body: String) -> Result<Once, PlatformError> {
        let request = Request::patch_exact(below(&self.base, &["v1", "blocks", page, "children"], &[])?, body);
        Ok(self.once(APPEND, request).await)
    }

    async fn once(&self, name: &'static str, request: Request) -> Once {
        let call = Call { name, pool: "requests", cost: 0, limits: &self.limits.requests };
        self.session.call_once(&call, &request.header("notion-version", VERSION), refuses_token).await
    }

    async fn get(&self, name: &'static str, path: &[&str], query: &[(&str, &str)]) -> Result<Reply, PlatformError> {
        self.send(name, Request::get(below(&self.base, path, query)?)).await
    }

    async fn post(&self, name: &'static str, path: &[&str], body: Value) -> Result<Reply, PlatformError> {
        self.send(name, Request::post_json(below(&self.base, path, &[])?, body)).await
    }

    async fn send(&self, name: &'static str, request: Request) -> Result<Reply, PlatformError> {
        let call = Call { name, pool: "requests", cost: 0, limits: &self.limits.requests };
        self.session.call(&NotionDialect, &call, request.header("notion-version", VERSION)).await
    }
}

fn start(body: &mut Value, cursor: Option<&str>) {
    if let (Some(cursor), Some(body)) = (cursor, body.as_object_mut()) {
        body.insert("start_cursor".to_owned(), json!(cursor));
    }
}

fn listed(reply: Reply, cursor: Option<&str>) -> Result<Listed, PlatformError> {
    if is_missing(&reply) {
        return Ok(Listed::Missing);
    }
    if is_stale(&reply) {
        return if cursor.is_some() {
            Ok(Listed::Stale)
        } else {
            Err(protocol(reply.call, "it refuses a cursor that was not sent"))
        };
    }
    if is_unsupported(&reply) {
        return Ok(Listed::Unsupported);
    }
    if let Some(error) = refusal(&reply) {
        return Ok(Listed::Refused(error));
    }
    let call = reply.call;
    let list: List = reply.read()?;
    match (list.has_more, list.next_cursor.as_deref()) {
        (true, None) => Err(protocol(call, "the list goes on, but it does not say where")),
        (true, next) if next == cursor => Err(protocol(call, "the list goes on where it was")),
        (true, Some(_)) if list.results.is_empty() => Err(protocol(call, "the list goes on after an empty page")),
        _ => Ok(Listed::List(list)),
    }
}

fn found(reply: Reply) -> Result<Reply, PlatformError> {
    if reply.status == 200 { Ok(reply) } else { Err(protocol(reply.call, &format!("status {}", reply.status))) }
}

fn optional<T: serde::de::DeserializeOwned>(reply: Reply) -> Result<Option<T>, PlatformError> {
    if is_missing(&reply) { Ok(None) } else { found(reply)?.read().map(Some) }
}

pub(super) fn protocol(call: &str, detail: &str) -> PlatformError {
    PlatformError::Protocol { call: call.to_owned(), detail: detail.to_owned() }
}

/// What changed while it was being read: the next sync finds it whole.
pub(super) fn moving(call: &str, detail: String) -> PlatformError {
    PlatformError::Unavailable { what: call.to_owned(), source: detail.into() }
}
