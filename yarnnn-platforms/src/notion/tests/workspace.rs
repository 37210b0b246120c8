//! A workspace in memory behind a wire: pages, blocks and one-minute clocks as Notion has them, and faults on demand.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::header::HeaderMap;
use secrecy::SecretString;
use serde_json::{Value, json};
use yarnnn_core::clock::Clock as _;
use yarnnn_core::platform::{AccessTokens, Call, CallGate, PlatformError};
use yarnnn_core::testing::FixedClock;

use crate::http::{Body, RawReply, Request, Session, Transport, TransportError};
use crate::notion::cursor::minute;
use crate::notion::{NotionClient, NotionLimits};

pub(super) const DATABASE: &str = "d0000000-0000-4000-8000-000000000000";
pub(super) const SOURCE: &str = "50000000-0000-4000-8000-000000000001";
pub(super) const OTHER_SOURCE: &str = "50000000-0000-4000-8000-000000000002";

#[derive(Debug, Clone)]
pub(super) struct Page {
    pub(super) title: String,
    pub(super) edited: DateTime<Utc>,
    pub(super) trashed: bool,
    pub(super) hidden: bool,
    pub(super) source: Option<String>,
    pub(super) properties: Value,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) pages: BTreeMap<String, Page>,
    pub(super) blocks: BTreeMap<String, Vec<Value>>,
    pub(super) sources: Vec<String>,
    pub(super) database_trashed: bool,
    pub(super) database_hidden: bool,
    /// Entries per page of a list, whatever is asked for.
    pub(super) per_page: usize,
    /// Rows that one query reaches.
    pub(super) query_limit: usize,
    /// Answers that come instead of the true one, by what the call contains.
    pub(super) faults: VecDeque<(&'static str, u16, Value)>,
    /// The call after this many fails for good.
    pub(super) fails_after: Option<usize>,
    pub(super) log: Vec<String>,
    pub(super) users: BTreeMap<String, u16>,
}

/// The workspace; cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Workspace {
    pub(super) clock: Arc<FixedClock>,
    state: Arc<Mutex<State>>,
}

pub(super) fn id(number: u32) -> String {
    format!("a0000000-0000-4000-8000-{number:012}")
}

pub(super) fn paragraph(text: &str) -> Value {
    block("paragraph", json!({"rich_text": [{"plain_text": text}]}))
}

#[expect(clippy::needless_pass_by_value, reason = "written in place, by everybody who calls it")]
pub(super) fn block(kind: &str, content: Value) -> Value {
    json!({"object": "block", "id": format!("b-{kind}"), "type": kind, "has_children": false, kind: content})
}

impl Workspace {
    pub(super) fn new() -> Self {
        let state = State {
            pages: BTreeMap::new(),
            blocks: BTreeMap::new(),
            sources: vec![SOURCE.to_owned()],
            database_trashed: false,
            database_hidden: false,
            per_page: 100,
            query_limit: 10_000,
            faults: VecDeque::new(),
            fails_after: None,
            log: vec![],
            users: BTreeMap::new(),
        };
        let clock = Arc::new(FixedClock::parse("2026-03-02T09:00:00Z"));
        Self { clock, state: Arc::new(Mutex::new(state)) }
    }

    pub(super) fn client(&self) -> NotionClient {
        let session = Session::over(Arc::new(self.clone()), Arc::new(Token), Arc::new(Open), self.clock.clone());
        NotionClient::new(session, "https://api.notion.test".parse().unwrap(), NotionLimits::default(), None)
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(super) fn pass(&self, seconds: i64) {
        self.clock.advance(TimeDelta::seconds(seconds));
    }

    /// A page, or a row of a data source.
    pub(super) fn add(&self, number: u32, source: Option<&str>, text: &str) -> String {
        let (id, edited, source) = (id(number), minute(self.clock.now()), source.map(str::to_owned));
        let page = Page { title: format!("P{number}"), edited, trashed: false, hidden: false, source, properties: json!({}) };
        let mut state = self.state();
        state.pages.insert(id.clone(), page);
        state.blocks.insert(id.clone(), vec![paragraph(text)]);
        id
    }

    pub(super) fn edit(&self, id: &str, text: &str) {
        let edited = minute(self.clock.now());
        let mut state = self.state();
        state.pages.get_mut(id).unwrap().edited = edited;
        state.blocks.insert(id.to_owned(), vec![paragraph(text)]);
    }

    pub(super) fn change(&self, id: &str, change: impl FnOnce(&mut Page)) {
        change(self.state().pages.get_mut(id).unwrap());
    }

    /// Answers to the next call that contains this.
    pub(super) fn fault(&self, call: &'static str, status: u16, body: Value) {
        self.state().faults.push_back((call, status, body));
    }

    /// The calls since the last time somebody asked.
    pub(super) fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.state().log)
    }
}

impl State {
    fn answer(&mut self, method: &str, path: &[&str], query: &BTreeMap<String, String>, body: &Value) -> (u16, Value) {
        match (method, path) {
            ("GET", ["users", "me"]) => (
                200,
                json!({"object": "user", "id": "bot", "name": "it", "type": "bot",
                "bot": {"owner": {"type": "user", "user": {"object": "user", "id": "ana"}}, "workspace_name": "Acme"}}),
            ),
            ("GET", ["users", id]) => match self.users.get(*id).copied().unwrap_or(200) {
                200 => (200, json!({"object": "user", "id": id, "name": format!("Name of {id}"), "type": "person"})),
                403 => failure(403, "restricted_resource", "Insufficient permissions for this endpoint."),
                status => failure(status, "object_not_found", "Could not find user."),
            },
            ("GET", ["pages", id]) => match self.pages.get(*id) {
                Some(page) if !page.hidden => (200, Self::page(id, page)),
                _ => failure(404, "object_not_found", "Could not find page."),
            },
            ("GET", ["blocks", id, "children"]) => match self.blocks.get(*id) {
                Some(blocks) => self.list(blocks, query.get("start_cursor").map(String::as_str), usize::MAX),
                None => failure(404, "object_not_found", "Could not find block."),
            },
            ("GET", ["databases", DATABASE]) if !self.database_hidden => {
                let sources: Vec<_> = self.sources.iter().map(|it| json!({"id": it, "name": "Tasks"})).collect();
                (
                    200,
                    json!({"object": "database", "id": DATABASE, "title": [{"plain_text": "Tasks"}],
                    "data_sources": sources, "in_trash": self.database_trashed}),
                )
            }
            ("GET", ["databases", _]) => failure(404, "object_not_found", "Could not find database."),
            ("POST", ["data_sources", source, "query"]) => {
                let rows = self.rows(source, &body["filter"]);
                self.list(&rows, body["start_cursor"].as_str(), self.query_limit)
            }
            ("POST", ["search"]) => {
                let found = self.found(body["filter"]["value"].as_str().unwrap());
                self.list(&found, body["start_cursor"].as_str(), usize::MAX)
            }
            other => panic!("nobody expected {other:?}"),
        }
    }

    fn page(id: &str, page: &Page) -> Value {
        let mut properties = page.properties.clone();
        properties["Name"] = json!({"type": "title", "title": [{"plain_text": page.title}]});
        let parent = page.source.as_ref().map_or(
            json!({"type": "workspace", "workspace": true}),
            |source| json!({"type": "data_source_id", "data_source_id": source, "database_id": DATABASE}),
        );
        json!({"object": "page", "id": id, "last_edited_time": page.edited, "last_edited_by": {"object": "user", "id": "ana"},
            "in_trash": page.trashed, "archived": page.trashed, "parent": parent, "properties": properties,
            "url": format!("https://notion.test/{id}")})
    }

    fn visible(&self) -> Vec<(&String, &Page)> {
        let mut pages: Vec<_> = self.pages.iter().filter(|(_, it)| !it.trashed && !it.hidden).collect();
        pages.sort_by_key(|(_, it)| std::cmp::Reverse(it.edited));
        pages
    }

    fn rows(&self, source: &str, filter: &Value) -> Vec<Value> {
        let rows = self.visible().into_iter().filter(|(_, it)| it.source.as_deref() == Some(source));
        rows.filter(|(_, it)| admits(filter, it.edited)).map(|(id, it)| Self::page(id, it)).collect()
    }

    fn found(&self, kind: &str) -> Vec<Value> {
        if kind == "page" {
            return self.visible().into_iter().map(|(id, it)| Self::page(id, it)).collect();
        }
        let sources = self.sources.iter().filter(|_| !self.database_hidden && !self.database_trashed);
        let table = |id: &String| {
            json!({"object": "data_source", "id": id, "title": [{"plain_text": "Tasks"}], "last_edited_time": "2026-03-01T08:00:00.000Z",
                "parent": {"type": "database_id", "database_id": DATABASE}, "url": "https://notion.test/d",
                "database_parent": {"type": "page_id", "page_id": id}})
        };
        sources.map(table).collect()
    }

    fn list(&self, all: &[Value], cursor: Option<&str>, limit: usize) -> (u16, Value) {
        let key = |it: &Value| format!("{}@{}", it["id"].as_str().unwrap_or("?"), it["last_edited_time"]);
        let total = all.len().min(limit);
        let start = match cursor {
            None => 0,
            Some(cursor) if cursor.starts_with('#') => cursor[1..].parse().unwrap(),
            Some(cursor) => match all.iter().position(|it| key(it) == cursor) {
                Some(start) => start,
                None => return failure(400, "validation_error", "The start_cursor provided is invalid."),
            },
        };
        let end = (start + self.per_page).min(total);
        // Blocks of these tests share ids: they are counted.
        let next = |it: &Value| if it["object"] == "block" { format!("#{end}") } else { key(it) };
        let next = all.get(end).filter(|_| end < total).map(next);
        let status = if all.len() > limit {
            json!({"type": "incomplete", "incomplete_reason": "query_result_limit_reached"})
        } else {
            json!(null)
        };
        (
            200,
            json!({"object": "list", "results": all[start.min(end)..end], "has_more": next.is_some(), "next_cursor": next,
            "request_status": status}),
        )
    }
}

fn admits(filter: &Value, edited: DateTime<Utc>) -> bool {
    let instant = |how: &str| filter["last_edited_time"][how].as_str().map(|it| it.parse::<DateTime<Utc>>().unwrap());
    let all = filter["and"].as_array().is_none_or(|parts| parts.iter().all(|it| admits(it, edited)));
    all && instant("on_or_after").is_none_or(|it| edited >= it) && instant("before").is_none_or(|it| edited < it)
}

pub(super) fn failure(status: u16, code: &str, message: &str) -> (u16, Value) {
    (status, json!({"object": "error", "status": status, "code": code, "message": message}))
}

#[async_trait]
impl Transport for Workspace {
    async fn send(&self, request: &Request, _: Option<&SecretString>) -> Result<RawReply, TransportError> {
        assert!(request.headers.contains(&("notion-version", "2025-09-03".to_owned())), "{request:?}");
        let url = request.url.clone();
        let path: Vec<&str> = url.path_segments().unwrap().skip(1).collect();
        let query = url.query_pairs().into_owned().collect();
        let body = if let Body::Json(body) = &request.body { body.clone() } else { Value::Null };
        let mut state = self.state();
        let call = format!("{} {}", request.method, path.join("/"));
        state.log.push(call.clone());
        let is_down = state.fails_after == Some(0);
        state.fails_after = state.fails_after.and_then(|it| it.checked_sub(1));
        if is_down {
            state.faults.push_front(("", 400, failure(400, "validation_error", "broken").1));
        }
        let (status, answer) = match state.faults.pop_front_if(|(what, ..)| call.contains(*what)) {
            Some((_, status, body)) => (status, body),
            None => state.answer(request.method.as_str(), &path, &query, &body),
        };
        Ok(RawReply { status, headers: HeaderMap::new(), body: serde_json::to_vec(&answer).unwrap() })
    }
}

#[derive(Debug)]
struct Token;

#[async_trait]
impl AccessTokens for Token {
    async fn current(&self) -> Result<SecretString, PlatformError> {
        Ok("ntn_test".to_owned().into())
    }

    async fn renew(&self, _: &SecretString) -> Result<SecretString, PlatformError> {
        Err(PlatformError::NeedsUser { action: "connect Notion again".to_owned() })
    }
}

#[derive(Debug)]
struct Open;

#[async_trait]
impl CallGate for Open {
    async fn admit(&self, call: &Call<'_>) -> Result<(), PlatformError> {
        assert_eq!((call.pool, call.limits.min_interval_millis), ("requests", Some(350)));
        Ok(())
    }
}

/// Ids of what is there to be seen.
pub(super) fn live(workspace: &Workspace) -> BTreeSet<String> {
    workspace.state().visible().into_iter().map(|(id, _)| id.clone()).collect()
}
