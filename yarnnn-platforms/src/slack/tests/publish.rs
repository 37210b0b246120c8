//! Posting and looking up, against a channel in memory whose answers can be replaced.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use yarnnn_core::clock::Clock as _;
use yarnnn_core::delivery::{Channel as _, ChannelKind, LookedUp, MessageState, OutboxFile, OutboxMessage, SendError};
use yarnnn_core::id::{MessageId, RandomIds, UserId, VersionId};
use yarnnn_core::platform::{Access, AccessTokens, Call, CallGate, OpenAccess, Platform, PlatformError};
use yarnnn_core::testing::FixedClock;

use crate::http::{Body, RawReply, Request, Transport, TransportError};
use crate::slack::{SlackChannel, SlackLimits};

const KEY: &str = "d/2026-01-05/slack";

/// A workspace with one channel that the app is in.
#[derive(Debug, Default)]
struct World {
    /// The channel's messages, newest first.
    messages: Mutex<Vec<Value>>,
    /// Answers to the next posts.
    posts: Mutex<VecDeque<Result<RawReply, TransportError>>>,
    /// Slack's word in place of the history.
    unreadable: Option<&'static str>,
    scopes: Option<&'static str>,
    is_limited: bool,
    is_connected: bool,
    page: usize,
    calls: Mutex<Vec<(String, String)>>,
    posted: Mutex<Vec<String>>,
}

fn world() -> World {
    World { is_connected: true, page: 100, scopes: Some("chat:write,metadata.message:read"), ..World::default() }
}

#[derive(Debug)]
struct Shared(Arc<World>);

#[derive(Debug)]
struct Tokens;

#[async_trait]
impl AccessTokens for Tokens {
    async fn current(&self) -> Result<SecretString, PlatformError> {
        Ok("old".to_owned().into())
    }

    async fn renew(&self, refused: &SecretString) -> Result<SecretString, PlatformError> {
        assert_eq!(refused.expose_secret(), "old");
        Ok("new".to_owned().into())
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

#[async_trait]
impl OpenAccess for Shared {
    async fn access(&self, user: UserId, platform: Platform) -> Result<Access, PlatformError> {
        assert_eq!((user, platform), (UserId::LOCAL, Platform::Slack));
        if !self.0.is_connected {
            return Err(PlatformError::NeedsUser { action: "Slack is not connected: yarnnn connect slack".into() });
        }
        Ok(Access { tokens: Arc::new(Tokens), gate: Arc::new(Open), person: None, scopes: vec![] })
    }
}

#[async_trait]
impl Transport for Shared {
    async fn send(&self, request: &Request, bearer: Option<&SecretString>) -> Result<RawReply, TransportError> {
        let method = request.url.path().strip_prefix("/api/").unwrap();
        let token = bearer.unwrap().expose_secret().to_owned();
        self.0.calls.lock().unwrap().push((method.to_owned(), token));
        if let Body::Exact { content, .. } = &request.body {
            self.0.posted.lock().unwrap().push(content.clone());
            return self.0.posts.lock().unwrap().pop_front().unwrap();
        }
        let arguments: HashMap<String, String> = request.url.query_pairs().into_owned().collect();
        let body = match method {
            "auth.test" => json!({"ok": true, "team_id": "T1", "user_id": "UB", "bot_id": "BB"}),
            "conversations.list" if arguments["types"].contains("private") => json!({"ok": false, "error": "missing_scope"}),
            "conversations.list" => match arguments.get("cursor") {
                None => {
                    json!({"ok": true, "channels": [{"id": "C9", "name": "other"}], "response_metadata": {"next_cursor": "2"}})
                }
                Some(_) => json!({"ok": true, "channels": [{"id": "C1", "name": "launch"}]}),
            },
            "conversations.history" => self.0.history(&arguments),
            other => panic!("{other}"),
        };
        let headers = self.0.scopes.map(|it| ("x-oauth-scopes".parse().unwrap(), it.parse().unwrap()));
        Ok(RawReply { status: 200, headers: headers.into_iter().collect(), body: body.to_string().into_bytes() })
    }
}

impl World {
    fn history(&self, arguments: &HashMap<String, String>) -> Value {
        assert_eq!(arguments["include_all_metadata"], "true");
        assert!(arguments.contains_key("latest"), "with oldest alone a channel is listed from its other end");
        if let Some(error) = self.unreadable {
            return json!({"ok": false, "error": error});
        }
        assert_eq!(arguments["channel"], "C1");
        let messages = self.messages.lock().unwrap();
        let inside =
            |it: &&Value| it["ts"].as_str() > Some(&arguments["oldest"]) && it["ts"].as_str() < Some(&arguments["latest"]);
        let inside: Vec<&Value> = messages.iter().filter(inside).collect();
        let start: usize = arguments.get("cursor").map_or(0, |it| it.parse().unwrap());
        let end = (start + self.page).min(inside.len());
        let next = if end < inside.len() { end.to_string() } else { String::new() };
        json!({"ok": true, "messages": inside[start..end], "has_more": end < inside.len(), "is_limited": self.is_limited,
            "response_metadata": {"next_cursor": next}})
    }

    fn methods(&self) -> Vec<String> {
        self.calls.lock().unwrap().iter().map(|(method, _)| method.clone()).collect()
    }
}

fn now() -> DateTime<Utc> {
    FixedClock::parse("2026-01-05T09:00:00Z").now()
}

fn channel(world: &Arc<World>) -> SlackChannel {
    let base = "https://slack.com/api".parse().unwrap();
    let clock = Arc::new(FixedClock::at(now()));
    SlackChannel::over(Arc::new(Shared(world.clone())), Arc::new(Shared(world.clone())), base, SlackLimits::default(), clock)
}

fn body(change: impl FnOnce(&mut Value)) -> Vec<OutboxFile> {
    let metadata = json!({"event_type": "yarnnn_report", "event_payload": {"key": KEY}});
    let mut body = json!({"channel": "C1", "text": "Report", "unfurl_links": false, "metadata": metadata});
    change(&mut body);
    vec![OutboxFile { name: "slack.json".into(), content: format!("{body} ") }]
}

fn message() -> OutboxMessage {
    OutboxMessage {
        id: MessageId::fresh(&RandomIds),
        user: UserId::LOCAL,
        version: Some(VersionId::fresh(&RandomIds)),
        key: KEY.into(),
        channel: ChannelKind::Slack,
        target: "C1".into(),
        files: body(|_| ()),
        state: MessageState::Unknown,
        attempts: 2,
        first_attempt_at: Some(now() - TimeDelta::hours(1)),
        external_id: None,
        error: None,
    }
}

#[expect(clippy::unnecessary_wraps, reason = "a line of a script is an answer or an error")]
fn reply(status: u16, body: &Value, after: Option<&str>) -> Result<RawReply, TransportError> {
    let headers = after.map(|it| ("retry-after".parse().unwrap(), it.parse().unwrap())).into_iter().collect();
    Ok(RawReply { status, headers, body: body.to_string().into_bytes() })
}

fn word(error: &str) -> Result<RawReply, TransportError> {
    reply(200, &json!({"ok": false, "error": error}), None)
}

fn posted() -> Result<RawReply, TransportError> {
    reply(200, &json!({"ok": true, "channel": "C1", "ts": "1767603600.000100"}), None)
}

/// What came of posting when these are the answers, and the calls with their tokens.
async fn send(answers: Vec<Result<RawReply, TransportError>>) -> (Result<String, SendError>, Vec<(String, String)>) {
    let world = Arc::new(World { posts: Mutex::new(answers.into()), ..world() });
    let outcome = channel(&world).send(&message()).await.map(|it| it.external_id);
    (outcome, std::mem::take(&mut *world.calls.lock().unwrap()))
}

#[tokio::test]
async fn the_stored_bytes_are_posted_and_the_time_of_the_message_is_its_receipt() {
    let world = Arc::new(World { posts: Mutex::new([posted()].into()), ..world() });
    let receipt = channel(&world).send(&message()).await.unwrap();
    assert_eq!(receipt.external_id, "1767603600.000100");
    assert_eq!(*world.posted.lock().unwrap(), [message().files[0].content.clone()]);
    assert_eq!(*world.calls.lock().unwrap(), [("chat.postMessage".to_owned(), "old".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_says_whether_the_message_was_posted() {
    let check = async |answer: Result<RawReply, TransportError>, expected: &str, words: &str| {
        let shown = format!("{answer:?}");
        let (outcome, calls) = send(vec![answer]).await;
        let error = outcome.unwrap_err();
        let class = match &error {
            SendError::Unavailable { .. } => "unavailable",
            SendError::Refused(_) => "refused",
            _ => "unknown",
        };
        assert_eq!((class, calls.len()), (expected, 1), "{shown}");
        assert!(error.to_string().contains(words) && error.to_string().contains("to C1 in Slack"), "{shown}: {error}");
    };
    for (error, words) in [
        ("not_in_channel", "/invite"),
        ("channel_not_found", "/invite"),
        ("is_archived", "archived"),
        ("msg_too_long", "too long"),
        ("invalid_blocks", "fault of this program"),
        ("restricted_action", "administrators"),
        ("a_word_of_tomorrow", "a_word_of_tomorrow"),
    ] {
        check(word(error), "refused", words).await;
    }
    let scope = json!({"ok": false, "error": "missing_scope", "needed": "chat:write"});
    check(reply(200, &scope, None), "refused", "chat:write").await;
    for error in ["internal_error", "fatal_error", "service_unavailable", "request_timeout", ""] {
        check(word(error), "unknown", "stays open").await;
    }
    check(reply(503, &json!("<html>"), None), "unknown", "503").await;
    check(reply(200, &json!("<html>"), None), "unknown", "stays open").await;
    check(reply(200, &json!({"ok": true}), None), "unknown", "where it stands").await;
    check(reply(302, &Value::Null, None), "refused", "SLACK_BASE_URL").await;
    check(reply(429, &Value::Null, Some("60")), "unavailable", "60 s").await;
    check(Err(TransportError::Unreached("no connection".into())), "unavailable", "no connection").await;
    check(Err(TransportError::Broken("no answer in time".into())), "unknown", "no answer in time").await;
}

#[tokio::test(start_paused = true)]
async fn a_limit_is_waited_for_and_a_token_that_ended_is_renewed_once() {
    let began = tokio::time::Instant::now();
    let (outcome, calls) = send(vec![reply(429, &Value::Null, Some("3")), posted()]).await;
    assert_eq!((outcome.is_ok(), calls.len(), began.elapsed()), (true, 2, Duration::from_secs(3)));
    let (outcome, calls) = send(vec![word("token_expired"), posted()]).await;
    let tokens: Vec<&str> = calls.iter().map(|(_, token)| token.as_str()).collect();
    assert_eq!((outcome.is_ok(), tokens.as_slice()), (true, ["old", "new"].as_slice()));
    let (outcome, calls) = send(vec![word("token_revoked"), word("token_revoked")]).await;
    assert_eq!(calls.len(), 2);
    let error = outcome.unwrap_err();
    assert!(matches!(&error, SendError::Refused(text) if text.contains("yarnnn connect slack")), "{error}");
}

#[tokio::test]
async fn nothing_is_posted_without_a_connection_its_key_or_to_another_channel() {
    let world = Arc::new(World { is_connected: false, ..world() });
    let error = channel(&world).send(&message()).await.unwrap_err();
    assert!(matches!(&error, SendError::Refused(text) if text.contains("yarnnn connect slack")), "{error}");
    let wrong = [
        body(|it| it["channel"] = json!("C2")),
        body(|it| it["metadata"]["event_payload"]["key"] = json!("another")),
        body(|it| it["metadata"]["event_type"] = json!("another")),
        body(|it| it["metadata"] = Value::Null),
        body(|it| it["token"] = json!("xoxb-1")),
        vec![OutboxFile { name: "slack.json".into(), content: "{".into() }],
        vec![OutboxFile { name: "report.md".into(), content: body(|_| ())[0].content.clone() }],
        [body(|_| ()), body(|_| ())].concat(),
        vec![],
    ];
    for files in wrong {
        let error = channel(&world).send(&OutboxMessage { files: files.clone(), ..message() }).await.unwrap_err();
        assert!(matches!(&error, SendError::Refused(_)), "{files:?}: {error}");
        assert!(world.posted.lock().unwrap().is_empty());
    }
}

fn stamp(ago: TimeDelta) -> String {
    format!("{}.000100", (now() - ago).timestamp())
}

fn tagged(ago: TimeDelta, change: impl FnOnce(&mut Value)) -> Value {
    let metadata = json!({"event_type": "yarnnn_report", "event_payload": {"key": KEY}});
    let mut message = json!({"ts": stamp(ago), "user": "UB", "bot_id": "BB", "text": "Report", "metadata": metadata});
    change(&mut message);
    message
}

async fn look(world: World, message: OutboxMessage) -> (LookedUp, Vec<String>) {
    let world = Arc::new(world);
    let outcome = channel(&world).look_up(&message).await.unwrap();
    assert!(world.posted.lock().unwrap().is_empty(), "looking sends nothing");
    (outcome, world.methods())
}

fn reason(outcome: LookedUp) -> String {
    let LookedUp::CannotTell { reason } = outcome else { panic!("{outcome:?}") };
    reason
}

#[tokio::test(start_paused = true)]
async fn a_message_that_stands_in_the_channel_arrived_on_whatever_page_and_whoever_else_wrote() {
    let noise = (0..50).map(|it| json!({"ts": stamp(TimeDelta::minutes(it)), "user": "U1", "text": "chat"}));
    let mine = tagged(TimeDelta::minutes(59), |_| ());
    let messages: Vec<Value> = noise.chain([mine]).collect();
    for target in ["C1", "#launch", "launch"] {
        let world = World { messages: Mutex::new(messages.clone()), page: 15, ..world() };
        let (outcome, methods) = look(world, OutboxMessage { target: target.into(), ..message() }).await;
        let LookedUp::Arrived(receipt) = outcome else { panic!("{target}: {outcome:?}") };
        assert_eq!(receipt.external_id, stamp(TimeDelta::minutes(59)));
        assert_eq!(methods.iter().filter(|it| *it == "conversations.history").count(), 4);
    }
}

#[tokio::test(start_paused = true)]
async fn only_our_own_message_with_its_key_counts_and_one_that_is_missing_is_sent_again() {
    let messages = vec![
        tagged(TimeDelta::minutes(50), |it| (it["user"], it["bot_id"]) = (json!("U1"), json!("B2"))),
        tagged(TimeDelta::minutes(51), |it| it["metadata"]["event_payload"]["key"] = json!("d/2026-01-04/slack")),
        tagged(TimeDelta::minutes(52), |it| it["metadata"]["event_type"] = json!("other_report")),
        tagged(TimeDelta::minutes(53), |it| it["metadata"] = Value::Null),
        tagged(TimeDelta::hours(2), |_| ()),
    ];
    let (outcome, _) = look(World { messages: Mutex::new(messages), page: 2, ..world() }, message()).await;
    assert_eq!(outcome, LookedUp::NotThere, "the last one is older than the first attempt");
    let (outcome, _) = look(World { scopes: None, ..world() }, message()).await;
    assert_eq!(outcome, LookedUp::NotThere, "where Slack does not say which scopes there are");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_cannot_be_told() {
    let without_scope = || World { scopes: Some("chat:write,channels:history"), ..world() };
    let text = reason(look(without_scope(), message()).await.0);
    assert!(text.contains("metadata.message:read") && text.contains("to C1 in Slack"), "{text}");
    let there = World { messages: Mutex::new(vec![tagged(TimeDelta::minutes(30), |_| ())]), ..without_scope() };
    assert!(matches!(look(there, message()).await.0, LookedUp::Arrived(_)), "what is seen is believed");
    for (error, words) in [("missing_scope", "channels:history"), ("not_in_channel", "/invite"), ("channel_not_found", "/invite")]
    {
        let text = reason(look(World { unreadable: Some(error), ..world() }, message()).await.0);
        assert!(text.contains(words), "{error}: {text}");
    }
    let text = reason(look(world(), OutboxMessage { target: "#gone".into(), ..message() }).await.0);
    assert!(text.contains("no channel of that name"), "{text}");
    let thread = OutboxMessage { files: body(|it| it["thread_ts"] = json!("1.000000")), ..message() };
    assert!(reason(look(world(), thread).await.0).contains("thread"));
    let old = OutboxMessage { first_attempt_at: Some(now() - TimeDelta::days(90)), ..message() };
    assert!(reason(look(World { is_limited: true, ..world() }, old).await.0).contains("hides"));
    assert!(reason(look(world(), OutboxMessage { first_attempt_at: None, ..message() }).await.0).contains("not known"));
    let gone = Arc::new(World { is_connected: false, ..world() });
    assert!(channel(&gone).look_up(&message()).await.is_err(), "it stays in doubt until Slack is connected again");
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_still_on_its_way_is_given_time() {
    let took = async |attempts, ago| {
        let began = tokio::time::Instant::now();
        look(world(), OutboxMessage { attempts, first_attempt_at: Some(now() - ago), ..message() }).await;
        began.elapsed()
    };
    assert_eq!(took(2, TimeDelta::seconds(4)).await, Duration::from_secs(6));
    assert_eq!(took(2, TimeDelta::hours(1)).await, Duration::ZERO);
    assert_eq!(took(3, TimeDelta::hours(1)).await, Duration::from_secs(10), "when the second attempt was made is not known");
}
