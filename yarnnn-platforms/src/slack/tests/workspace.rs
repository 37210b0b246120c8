//! A workspace in memory that answers as Slack does, with answers that can be replaced by others.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;
use serde_json::{Value, json};
use yarnnn_core::clock::Clock as _;
use yarnnn_core::platform::{
    AccessTokens, Budget, Call, CallGate, Cursor, Fetch, FetchMode, Gap, GapKind, Interval, Item, KnownItem, Next, PageToken,
    Platform, PlatformClient as _, PlatformError, ResourceId, ResourceKind,
};
use yarnnn_core::testing::FixedClock;

use crate::http::{Body, RawReply, Request, Session, Transport, TransportError};
use crate::slack::{SlackClient, SlackLimits};

pub(super) const CHANNEL: &str = "C1";

/// One channel, its people, and what is to go wrong.
#[derive(Debug)]
pub(super) struct Workspace {
    pub(super) clock: FixedClock,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    messages: BTreeMap<String, Value>,
    pub(super) is_member: bool,
    pub(super) cannot_join: Option<&'static str>,
    pub(super) scopes: Option<&'static str>,
    pub(super) channels: Vec<Value>,
    pub(super) most: usize,
    pub(super) ways: Ways,
    /// How far the client's clock is ahead of Slack's.
    pub(super) ahead: TimeDelta,
    /// Answers that stand in for the next ones, by method; none lets one pass.
    faults: HashMap<&'static str, VecDeque<Option<Fault>>>,
    calls: Vec<String>,
    /// Calls that are under way, and the most there were at once, by method.
    under_way: HashMap<String, (usize, usize)>,
    answered: HashMap<String, Value>,
}

/// What the server understands.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ways {
    /// Bounds and cursors.
    #[default]
    All,
    /// Bounds; all cursors are refused.
    NoCursors,
    /// Of a channel `oldest` and cursors, of a thread cursors only.
    NoBounds,
    /// Bounds; a thread's first message stands in it only when there are none.
    BareThreads,
}

/// What stands in for an answer.
#[derive(Debug, Clone)]
pub(super) enum Fault {
    /// This status and body.
    Answer(u16, String),
    /// The list is empty.
    Empty,
    /// The second half of the list is missing.
    Torn,
    /// The list is that of the call before.
    Repeated,
    /// No answer.
    Broken,
}

/// What a fetch brought, over all pages.
#[derive(Debug, Default)]
pub(super) struct Fetched {
    pub(super) items: BTreeMap<String, Item>,
    pub(super) gone: BTreeSet<String>,
    pub(super) gaps: Vec<Gap>,
    pub(super) covered: Vec<Interval>,
    pub(super) quarantined: Vec<String>,
    pub(super) filtered: BTreeMap<String, u32>,
    pub(super) cursor: Option<Cursor>,
    pub(super) complete: Option<Interval>,
    pub(super) pages: usize,
    pub(super) largest: usize,
}

impl Workspace {
    pub(super) fn new() -> Arc<Self> {
        let state = State { is_member: true, most: 999, ..State::default() };
        Arc::new(Self { clock: FixedClock::parse("2026-03-01T12:00:00Z"), state: Mutex::new(state) })
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// So long ago.
    pub(super) fn ago(&self, ago: TimeDelta) -> String {
        format!("{}.000100", (self.clock.now() - ago).timestamp())
    }

    pub(super) fn post(&self, ago: TimeDelta, text: &str) -> String {
        self.put(&self.ago(ago), json!({"user": "U1", "text": text}))
    }

    pub(super) fn reply(&self, parent: &str, ago: TimeDelta, text: &str) -> String {
        self.put(&self.ago(ago), json!({"user": "U2", "text": text, "thread_ts": parent, "parent_user_id": "U1"}))
    }

    pub(super) fn put(&self, ts: &str, mut message: Value) -> String {
        message["type"] = json!("message");
        message["ts"] = json!(ts);
        assert!(self.state().messages.insert(ts.to_owned(), message).is_none(), "{ts} is taken");
        ts.to_owned()
    }

    pub(super) fn edit(&self, ts: &str, text: &str) {
        self.state().messages.get_mut(ts).unwrap()["text"] = json!(text);
    }

    pub(super) fn delete(&self, ts: &str) {
        let mut state = self.state();
        let has_replies = state.messages.values().any(|it| it["thread_ts"] == ts && it["ts"] != ts);
        state.messages.remove(ts).unwrap();
        if has_replies {
            let left = json!({"type": "message", "subtype": "tombstone", "ts": ts, "user": "USLACKBOT", "text": "deleted"});
            state.messages.insert(ts.to_owned(), left);
        }
    }

    /// Lets so many answers of a method pass, then replaces one.
    pub(super) fn fault(&self, method: &'static str, pass: usize, fault: Fault) {
        let mut state = self.state();
        let faults = state.faults.entry(method).or_default();
        faults.extend(std::iter::repeat_n(None, pass));
        faults.push_back(Some(fault));
    }

    /// Nothing goes wrong any more.
    pub(super) fn calm(&self) {
        self.state().faults.clear();
    }

    pub(super) fn is_top_level(&self, ts: &str) -> bool {
        !is_reply(&self.state().messages[ts])
    }

    /// What was called since the last time, and how often.
    pub(super) fn calls(&self) -> BTreeMap<String, usize> {
        let mut calls = BTreeMap::new();
        for call in std::mem::take(&mut self.state().calls) {
            *calls.entry(call).or_default() += 1;
        }
        calls
    }

    /// The texts that a client which misses nothing holds, by id.
    pub(super) fn truth(&self) -> BTreeMap<String, String> {
        let text = |it: &Value| it["text"].as_str().unwrap().to_owned();
        let state = self.state();
        let messages = state.messages.iter().filter(|(_, it)| it["subtype"] != "tombstone" && it["subtype"] != "channel_join");
        messages.map(|(ts, it)| (ts.clone(), text(it))).collect()
    }

    fn count(&self, method: &str, change: isize) {
        let mut state = self.state();
        let (now, most) = state.under_way.entry(method.to_owned()).or_default();
        *now = now.checked_add_signed(change).unwrap();
        *most = (*most).max(*now);
    }

    /// How many calls of a method were under way at once.
    pub(super) fn most_at_once(&self, method: &str) -> usize {
        self.state().under_way.get(method).map_or(0, |(_, most)| *most)
    }

    pub(super) fn client(self: &Arc<Self>, limits: SlackLimits) -> SlackClient {
        let wire = Wire(Arc::clone(self));
        let clock = Arc::new(FixedClock::at(self.clock.now() + self.state().ahead));
        let session = Session::over(Arc::new(wire), Arc::new(Token), Arc::new(Open), clock);
        SlackClient::new(session, "https://slack.test/api".parse().unwrap(), limits, Some("U1"))
    }

    /// Reads all pages of a fetch, each with a client of its own.
    pub(super) async fn fetch(self: &Arc<Self>, mode: FetchMode, budget: Budget) -> Result<Fetched, PlatformError> {
        self.fetch_by(SlackLimits::default(), mode, budget).await
    }

    pub(super) async fn fetch_by(
        self: &Arc<Self>,
        limits: SlackLimits,
        mode: FetchMode,
        budget: Budget,
    ) -> Result<Fetched, PlatformError> {
        let mut fetch = Fetch { mode, budget, ..Fetched::request(self.window()) };
        let mut fetched = Fetched::default();
        loop {
            let page = self.client(limits.clone()).fetch(&fetch).await?;
            fetched.largest = fetched.largest.max(page.items.len());
            fetched.items.extend(page.items.into_iter().map(|it| (it.item_id.clone(), it)));
            fetched.gone.extend(page.gone);
            fetched.gaps.extend(page.gaps);
            fetched.covered = Interval::merge(fetched.covered.into_iter().chain(page.covered).collect());
            fetched.quarantined.extend(page.quarantined.into_iter().map(|it| format!("{}: {}", it.item, it.reason)));
            for (reason, count) in page.filtered {
                *fetched.filtered.entry(reason.as_str().to_owned()).or_default() += count;
            }
            fetched.pages += 1;
            assert!(fetched.pages < 10_000, "the fetch does not end");
            match page.next {
                Next::Page(token) => fetch.page = Some(PageToken::new(token.as_str())),
                Next::Done { cursor, complete } => {
                    (fetched.cursor, fetched.complete) = (cursor, complete);
                    return Ok(fetched);
                }
            }
        }
    }

    pub(super) fn window(&self) -> Interval {
        Interval { from: DateTime::<Utc>::UNIX_EPOCH, to: self.clock.now() + TimeDelta::days(1) }
    }

    pub(super) async fn start(self: &Arc<Self>, cap: Option<u32>) -> Fetched {
        self.try_start(cap).await.unwrap()
    }

    pub(super) async fn try_start(self: &Arc<Self>, cap: Option<u32>) -> Result<Fetched, PlatformError> {
        self.fetch(FetchMode::Start { window: self.window() }, Budget { cap, ..Budget::default() }).await
    }

    pub(super) async fn since(self: &Arc<Self>, cursor: &Cursor, cap: Option<u32>) -> Fetched {
        self.fetch(FetchMode::Since(cursor.clone()), Budget { cap, ..Budget::default() }).await.unwrap()
    }

    pub(super) async fn audit(self: &Arc<Self>, known: &Fetched) -> Result<Fetched, PlatformError> {
        self.fetch(FetchMode::Audit { window: self.window(), known: known.known(), cursor: None }, Budget::default()).await
    }
}

impl Fetched {
    /// The first page of a first fill.
    pub(super) fn request(window: Interval) -> Fetch {
        let resource = ResourceId::new(Platform::Slack, CHANNEL).unwrap();
        let (mode, budget) = (FetchMode::Start { window }, Budget::default());
        Fetch { resource, kind: ResourceKind::Channel, mode, page: None, budget }
    }

    pub(super) fn texts(&self) -> BTreeMap<String, String> {
        self.items.iter().map(|(id, it)| (id.clone(), it.content.clone())).collect()
    }

    pub(super) fn ids(&self) -> Vec<&str> {
        self.items.keys().map(String::as_str).collect()
    }

    pub(super) fn cursor(&self) -> &Cursor {
        self.cursor.as_ref().unwrap()
    }

    pub(super) fn kinds(&self) -> Vec<GapKind> {
        self.gaps.iter().map(|it| it.kind).collect()
    }

    pub(super) fn known(&self) -> Arc<[KnownItem]> {
        let known = |it: &Item| KnownItem {
            item_id: it.item_id.clone(),
            source_timestamp: it.source_timestamp,
            metadata: it.metadata.clone(),
        };
        self.items.values().map(known).collect()
    }

    /// What is stored after a fetch brought this.
    pub(super) fn store(&mut self, fetched: Self) {
        self.items.extend(fetched.items);
        self.items.retain(|id, _| !fetched.gone.contains(id));
        self.cursor = fetched.cursor.or(self.cursor.take());
        self.gaps = fetched.gaps;
    }
}

#[derive(Debug)]
struct Wire(Arc<Workspace>);

#[async_trait]
impl Transport for Wire {
    async fn send(&self, request: &Request, _: Option<&SecretString>) -> Result<RawReply, TransportError> {
        let method = request.url.path().strip_prefix("/api/").unwrap().to_owned();
        self.0.count(&method, 1);
        tokio::task::yield_now().await;
        self.0.count(&method, -1);
        let mut arguments: HashMap<String, String> = request.url.query_pairs().into_owned().collect();
        if let Body::Form(pairs) = &request.body {
            arguments.extend(pairs.iter().cloned());
        }
        let mut state = self.0.state();
        state.calls.push(method.clone());
        let mut body = state.answer(&method, &arguments).unwrap_or_else(|error| json!({"ok": false, "error": error}));
        if let (Some(needed), true) = (body["error"].as_str().filter(|it| *it == "missing_scope"), body["needed"].is_null()) {
            body["needed"] = json!(format!("{needed} of {method}"));
        }
        let (mut status, mut text) = (200, None);
        match state.faults.get_mut(method.as_str()).and_then(VecDeque::pop_front).flatten() {
            Some(Fault::Answer(code, body)) => (status, text) = (code, Some(body)),
            Some(Fault::Broken) => return Err(TransportError::Broken("the connection broke off".into())),
            Some(Fault::Empty) => {
                (body["messages"], body["has_more"]) = (json!([]), json!(false));
                body["response_metadata"] = json!({});
            }
            Some(Fault::Torn) => {
                if let Some(messages) = body["messages"].as_array_mut() {
                    messages.truncate(messages.len() / 2);
                }
            }
            Some(Fault::Repeated) => body["messages"] = state.answered[&method].clone(),
            None => {}
        }
        state.answered.insert(method, body["messages"].clone());
        let headers = state.scopes.map(|it| ("x-oauth-scopes".parse().unwrap(), it.parse().unwrap()));
        let body = text.unwrap_or_else(|| body.to_string()).into_bytes();
        Ok(RawReply { status, headers: headers.into_iter().collect(), body })
    }
}

type Arguments = HashMap<String, String>;

impl State {
    fn answer(&mut self, method: &str, arguments: &Arguments) -> Result<Value, &'static str> {
        match method {
            "auth.test" => Ok(json!({"ok": true, "team": "Acme", "team_id": "T1", "user_id": "UB"})),
            "conversations.list" => self.list(arguments),
            "conversations.info" => match arguments["channel"].as_str() {
                "C2" => Ok(json!({"ok": true, "channel": {"id": "C2", "name": "plans"}})),
                _ => Err("channel_not_found"),
            },
            "conversations.join" => {
                self.is_member = self.cannot_join.is_none();
                self.cannot_join.map_or(Ok(json!({"ok": true})), Err)
            }
            "users.info" => match arguments["user"].as_str() {
                "U1" => Ok(json!({"ok": true, "user": {"id": "U1", "profile": {"display_name": "Ana"}}})),
                "U2" => Ok(json!({"ok": true, "user": {"id": "U2", "name": "ben", "real_name": "Ben Okafor"}})),
                _ => Err("user_not_found"),
            },
            _ if arguments["channel"] != CHANNEL => Err("channel_not_found"),
            _ if !self.is_member => Err("not_in_channel"),
            "conversations.history" => self.history(arguments),
            "conversations.replies" => self.replies(arguments),
            _ => Err("unknown_method"),
        }
    }

    fn list(&self, arguments: &Arguments) -> Result<Value, &'static str> {
        if arguments["types"].contains("private") && self.scopes.is_some_and(|it| !it.contains("groups:read")) {
            return Err("missing_scope");
        }
        let start: usize = arguments.get("cursor").map_or(0, |it| it.parse().unwrap_or(0)).min(self.channels.len());
        let end = (start + self.most.min(200)).min(self.channels.len());
        let next = if end < self.channels.len() { end.to_string() } else { String::new() };
        Ok(json!({"ok": true, "channels": self.channels[start..end], "response_metadata": {"next_cursor": next}}))
    }

    fn limit(&self, arguments: &Arguments) -> usize {
        arguments["limit"].parse::<usize>().unwrap().min(self.most)
    }

    fn history(&self, arguments: &Arguments) -> Result<Value, &'static str> {
        let mut arguments = arguments.clone();
        if self.ways == Ways::NoBounds {
            arguments.retain(|name, _| !["latest", "inclusive"].contains(&name.as_str()));
        }
        let listed = self.messages.values().rev().filter(|it| !is_reply(it) || it["subtype"] == "thread_broadcast");
        let inside: Vec<Value> = listed.filter(|it| is_inside(it, &arguments)).map(|it| self.shown(it)).collect();
        self.page(&inside, &arguments, |it, start| it <= start)
    }

    fn replies(&self, arguments: &Arguments) -> Result<Value, &'static str> {
        let mut arguments = arguments.clone();
        if self.ways == Ways::NoBounds {
            arguments.retain(|name, _| !["oldest", "latest", "inclusive"].contains(&name.as_str()));
        }
        let ts = &arguments["ts"];
        let parent = self.messages.get(ts).ok_or("thread_not_found")?;
        let first = (self.ways != Ways::BareThreads || !arguments.contains_key("oldest")).then_some(parent);
        let replies = self.messages.values().filter(|it| is_reply(it) && it["thread_ts"] == **ts);
        let inside = replies.filter(|it| is_inside(it, &arguments));
        let all: Vec<Value> = first.into_iter().chain(inside).map(|it| self.shown(it)).collect();
        self.page(&all, &arguments, |it, start| it >= start)
    }

    /// The page that a cursor tells, or the first one.
    fn page(&self, all: &[Value], arguments: &Arguments, follows: fn(&str, &str) -> bool) -> Result<Value, &'static str> {
        let start = arguments.get("cursor").map_or(Ok(None), |it| it.strip_prefix("at ").map(Some).ok_or("invalid_cursor"))?;
        if start.is_some() && self.ways == Ways::NoCursors {
            return Err("invalid_cursor");
        }
        let fits = |it: &&Value| start.is_none_or(|start| follows(it["ts"].as_str().unwrap(), start));
        let rest: Vec<&Value> = all.iter().filter(fits).collect();
        let (page, left) = rest.split_at(self.limit(arguments).min(rest.len()));
        let next = left.first().map_or(String::new(), |it| format!("at {}", it["ts"].as_str().unwrap()));
        Ok(json!({"ok": true, "messages": page, "has_more": !left.is_empty(), "response_metadata": {"next_cursor": next}}))
    }

    fn shown(&self, message: &Value) -> Value {
        let mut shown = message.clone();
        let replies = self.messages.values().filter(|it| is_reply(it) && it["thread_ts"] == message["ts"]);
        let stamps: Vec<&Value> = replies.map(|it| &it["ts"]).collect();
        if let Some(latest) = stamps.last() {
            shown["latest_reply"] = (*latest).clone();
            shown["reply_count"] = json!(stamps.len());
            shown["thread_ts"] = message["ts"].clone();
        }
        shown
    }
}

fn is_reply(message: &Value) -> bool {
    message.get("thread_ts").is_some_and(|it| *it != message["ts"])
}

fn is_inside(message: &Value, arguments: &Arguments) -> bool {
    let ts = message["ts"].as_str().unwrap();
    let inclusive = arguments.contains_key("inclusive");
    let fits =
        |bound: Option<&String>, order: std::cmp::Ordering| bound.is_none_or(|it| ts.cmp(it) == order || (inclusive && ts == it));
    fits(arguments.get("oldest"), std::cmp::Ordering::Greater) && fits(arguments.get("latest"), std::cmp::Ordering::Less)
}

#[derive(Debug)]
struct Token;

#[async_trait]
impl AccessTokens for Token {
    async fn current(&self) -> Result<SecretString, PlatformError> {
        Ok("xoxb-1".to_owned().into())
    }

    async fn renew(&self, _: &SecretString) -> Result<SecretString, PlatformError> {
        Err(PlatformError::NeedsUser { action: "connect Slack again".into() })
    }
}

#[derive(Debug)]
struct Open;

#[async_trait]
impl CallGate for Open {
    async fn admit(&self, call: &Call<'_>) -> Result<(), PlatformError> {
        assert!(call.name.ends_with(call.pool), "{call:?}");
        Ok(())
    }
}
