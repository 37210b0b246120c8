//! The channel against a wire in memory and against a socket.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::header::HeaderMap;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use yarnnn_core::clock::Clock as _;
use yarnnn_core::delivery::{Channel as _, ChannelKind, LookedUp, MessageState, OutboxFile, OutboxMessage, SendError};
use yarnnn_core::id::{MessageId, RandomIds, UserId, VersionId};
use yarnnn_core::testing::FixedClock;

use super::ResendChannel;
use crate::http::{Body, HttpTransport, RawReply, Request, Transport, TransportError};

type Answer = Result<RawReply, TransportError>;

#[derive(Debug, Default)]
struct Wire {
    answers: Mutex<VecDeque<Answer>>,
    sent: Mutex<Vec<Request>>,
}

#[async_trait]
impl Transport for Wire {
    async fn send(&self, request: &Request, bearer: Option<&SecretString>) -> Answer {
        assert_eq!(bearer.unwrap().expose_secret(), "re_key");
        self.sent.lock().unwrap().push(request.clone());
        self.answers.lock().unwrap().pop_front().unwrap()
    }
}

const BODY: &str = r#"{"from":"YARNNN <r@yarnnn.example>","to":["ana@x.example"],  "subject":"Größe","html":"<p>1","text":"1"}"#;

fn now() -> DateTime<Utc> {
    FixedClock::parse("2026-01-05T09:00:00Z").now()
}

fn message() -> OutboxMessage {
    OutboxMessage {
        id: MessageId::fresh(&RandomIds),
        user: UserId::LOCAL,
        version: Some(VersionId::fresh(&RandomIds)),
        key: "d/2026-01-05/email".into(),
        channel: ChannelKind::Email,
        target: "ana@x.example".into(),
        files: vec![OutboxFile { name: "resend.json".into(), content: BODY.into() }],
        state: MessageState::Pending,
        attempts: 1,
        first_attempt_at: Some(now()),
        external_id: None,
        error: None,
    }
}

fn over(transport: Arc<dyn Transport>) -> ResendChannel {
    let base = "https://api.resend.com".parse().unwrap();
    ResendChannel::over(transport, base, "re_key".into(), Arc::new(FixedClock::at(now())))
}

fn answer(status: u16, body: &Value) -> Answer {
    limited(status, body, None)
}

#[expect(clippy::unnecessary_wraps, reason = "a line of a script is an answer or an error")]
fn limited(status: u16, body: &Value, after: Option<&str>) -> Answer {
    let headers: HeaderMap = after.map(|it| ("retry-after".parse().unwrap(), it.parse().unwrap())).into_iter().collect();
    Ok(RawReply { status, headers, body: body.to_string().into_bytes() })
}

fn error(status: u16, name: &str) -> Answer {
    answer(status, &json!({"statusCode": status, "name": name, "message": "Because."}))
}

/// What came of sending when these are the answers, and how many were asked for.
async fn send(answers: Vec<Answer>) -> (Result<String, SendError>, usize) {
    let wire = Arc::new(Wire { answers: Mutex::new(answers.into()), ..Wire::default() });
    let outcome = over(wire.clone()).send(&message()).await.map(|it| it.external_id);
    let asked = wire.sent.lock().unwrap().len();
    (outcome, asked)
}

#[tokio::test]
async fn the_stored_bytes_go_out_under_the_key_of_the_message() {
    let wire = Arc::new(Wire { answers: Mutex::new([answer(200, &json!({"id": "49a3"}))].into()), ..Wire::default() });
    assert_eq!(over(wire.clone()).send(&message()).await.unwrap().external_id, "49a3");
    let sent = wire.sent.lock().unwrap();
    assert_eq!((sent[0].method.as_str(), sent[0].url.as_str()), ("POST", "https://api.resend.com/emails"));
    assert_eq!(sent[0].headers, [("idempotency-key", "d/2026-01-05/email".to_owned())]);
    assert!(matches!(&sent[0].body, Body::Exact { content, .. } if content == BODY));
}

#[tokio::test]
async fn a_key_that_no_header_can_hold_is_sent_as_its_digest_always_the_same() {
    for key in ["k".repeat(257), "Wochenbericht für Ana".to_owned(), "a b".to_owned(), String::new()] {
        let answers = [answer(200, &json!({"id": "1"})), answer(200, &json!({"id": "1"}))];
        let wire = Arc::new(Wire { answers: Mutex::new(answers.into()), ..Wire::default() });
        for _ in 0..2 {
            over(wire.clone()).send(&OutboxMessage { key: key.clone(), ..message() }).await.unwrap();
        }
        let sent = wire.sent.lock().unwrap();
        let (_, value) = &sent[0].headers[0];
        assert!(value.len() == 64 && value.bytes().all(|it| it.is_ascii_hexdigit()), "{key}: {value}");
        assert_eq!(sent[0].headers, sent[1].headers);
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_says_whether_a_mail_was_sent() {
    let check = async |answer: Answer, expected: &str, words: &str| {
        let shown = format!("{answer:?}");
        let (outcome, asked) = send(vec![answer]).await;
        let error = outcome.unwrap_err();
        let class = match &error {
            SendError::Unavailable { .. } => "unavailable",
            SendError::Refused(_) => "refused",
            _ => "unknown",
        };
        assert_eq!((class, asked), (expected, 1), "{shown}");
        assert!(error.to_string().contains(words) && error.to_string().contains("ana@x.example"), "{shown}: {error}");
    };
    check(error(401, "missing_api_key"), "refused", "RESEND_API_KEY").await;
    check(error(401, "restricted_api_key"), "refused", "RESEND_API_KEY").await;
    check(error(403, "invalid_api_key"), "refused", "RESEND_API_KEY").await;
    check(error(403, "validation_error"), "refused", "RESEND_FROM_EMAIL").await;
    check(error(400, "validation_error"), "refused", "Because.").await;
    check(error(404, "not_found"), "refused", "404").await;
    check(error(409, "invalid_idempotent_request"), "refused", "under the key of this message").await;
    check(error(409, "concurrent_idempotent_requests"), "unknown", "concurrent").await;
    check(error(422, "invalid_from_address"), "refused", "Because.").await;
    check(error(429, "daily_quota_exceeded"), "refused", "quota").await;
    check(error(429, "monthly_quota_exceeded"), "refused", "quota").await;
    check(limited(429, &json!({"name": "rate_limit_exceeded"}), Some("60")), "unavailable", "60 s").await;
    check(error(408, ""), "unknown", "408").await;
    check(error(500, "application_error"), "unknown", "application_error").await;
    check(answer(503, &json!("<html>")), "unknown", "503").await;
    check(answer(200, &json!({})), "unknown", "names no mail").await;
    check(answer(302, &json!({})), "refused", "RESEND_BASE_URL").await;
    check(Err(TransportError::Unreached("no connection".into())), "unavailable", "no connection").await;
    check(Err(TransportError::Broken("no answer in time".into())), "unknown", "no answer in time").await;
    check(Err(TransportError::TooLarge), "unknown", "larger").await;
}

#[tokio::test]
async fn what_was_in_doubt_stays_so_until_it_is_sent() {
    let refusals = || [error(401, "invalid_api_key"), error(429, "daily_quota_exceeded"), error(422, "validation_error")];
    let unreached = || Err(TransportError::Unreached("no connection".into()));
    for state in [MessageState::Sending, MessageState::Unknown] {
        for answer in refusals().into_iter().chain([unreached()]) {
            let wire = Arc::new(Wire { answers: Mutex::new([answer].into()), ..Wire::default() });
            let error = over(wire).send(&OutboxMessage { state, ..message() }).await.unwrap_err();
            assert!(matches!(&error, SendError::Unknown { .. }), "{error}");
            assert!(error.to_string().contains("in doubt since an earlier attempt"), "{error}");
        }
        let wire = Arc::new(Wire { answers: Mutex::new([answer(200, &json!({"id": "1"}))].into()), ..Wire::default() });
        assert!(over(wire).send(&OutboxMessage { state, ..message() }).await.is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn a_short_limit_is_waited_for() {
    let limit = || limited(429, &json!({"name": "rate_limit_exceeded"}), Some("2"));
    let began = tokio::time::Instant::now();
    let (outcome, asked) = send(vec![limit(), limit(), answer(200, &json!({"id": "1"}))]).await;
    assert_eq!((outcome.unwrap().as_str(), asked, began.elapsed()), ("1", 3, Duration::from_secs(4)));
    let (outcome, asked) = send(vec![limit(), limit(), limit(), limit()]).await;
    assert!(matches!(outcome, Err(SendError::Unavailable { .. })) && asked == 4);
}

#[tokio::test]
async fn a_mail_to_somebody_else_is_never_sent() {
    let file = |name: &str, content: &str| OutboxFile { name: name.into(), content: content.into() };
    let good = || file("resend.json", BODY);
    let bodies = [
        vec![],
        vec![good(), good()],
        vec![file("a.eml", BODY)],
        vec![file("resend.json", "{")],
        vec![file("resend.json", r#"{"to":[]}"#)],
        vec![file("resend.json", r#"{"to":"ben@x.example"}"#)],
        vec![file("resend.json", r#"{"to":["ana@x.example","ben@x.example"]}"#)],
        vec![file("resend.json", r#"{"to":["ana@x.example"],"bcc":["ben@x.example"]}"#)],
    ];
    for files in bodies {
        let channel = over(Arc::new(Wire::default()));
        let outcome = channel.send(&OutboxMessage { files: files.clone(), ..message() }).await;
        assert!(matches!(outcome, Err(SendError::Refused(_))), "{files:?}");
    }
    let nobody = OutboxMessage { target: String::new(), files: vec![file("resend.json", r#"{"to":""}"#)], ..message() };
    assert!(matches!(over(Arc::new(Wire::default())).send(&nobody).await, Err(SendError::Refused(_))));
}

#[tokio::test]
async fn a_message_in_doubt_is_sent_again_only_while_its_key_is_remembered() {
    let look = async |first: Option<DateTime<Utc>>| {
        over(Arc::new(Wire::default())).look_up(&OutboxMessage { first_attempt_at: first, ..message() }).await.unwrap()
    };
    for ago in [TimeDelta::zero(), TimeDelta::hours(22), TimeDelta::minutes(23 * 60 - 1), TimeDelta::minutes(-59)] {
        assert_eq!(look(Some(now() - ago)).await, LookedUp::Repeatable, "{ago}");
    }
    for ago in [TimeDelta::hours(23), TimeDelta::hours(24), TimeDelta::days(400), TimeDelta::hours(-2)] {
        let LookedUp::CannotTell { reason } = look(Some(now() - ago)).await else { panic!("{ago}") };
        assert!(reason.contains("ana@x.example") && reason.contains("https://resend.com/emails"), "{reason}");
    }
    assert!(matches!(look(None).await, LookedUp::CannotTell { .. }));
}

/// A server for one request; answers with the bytes given, and what it read.
async fn served(answer: &'static [u8]) -> (String, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/", listener.local_addr().unwrap());
    let read = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut bytes = Vec::new();
        while !bytes.ends_with(BODY.as_bytes()) {
            assert!(stream.read_buf(&mut bytes).await.unwrap() > 0);
        }
        stream.write_all(answer).await.unwrap();
        stream.shutdown().await.unwrap();
        String::from_utf8(bytes).unwrap()
    });
    (base, read)
}

async fn send_to(base: &str) -> Result<String, SendError> {
    let clock = Arc::new(FixedClock::at(now()));
    let channel = ResendChannel::new(HttpTransport::new().unwrap(), base.parse().unwrap(), "re_key".into(), clock);
    channel.send(&message()).await.map(|it| it.external_id)
}

#[tokio::test]
async fn on_the_wire_it_is_the_documented_request() {
    let (base, read) = served(b"HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\r\n{\"id\":\"49a3\"}").await;
    assert_eq!(send_to(&base).await.unwrap(), "49a3");
    let text = read.await.unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert_eq!(body, BODY);
    assert!(head.starts_with("POST /emails HTTP/1.1\r\n"), "{head}");
    let agent = concat!("user-agent: yarnnn/", env!("CARGO_PKG_VERSION"));
    let type_ = "content-type: application/json; charset=utf-8";
    for line in ["authorization: Bearer re_key", "idempotency-key: d/2026-01-05/email", agent, type_] {
        assert!(head.lines().any(|it| it == line), "{line} in {head}");
    }
}

#[tokio::test]
async fn a_server_that_hangs_up_leaves_a_doubt_and_one_that_is_not_there_leaves_none() {
    let (base, read) = served(b"").await;
    let error = send_to(&base).await.unwrap_err();
    assert!(matches!(error, SendError::Unknown { .. }), "{error}");
    read.await.unwrap();
    let error = send_to(&base).await.unwrap_err();
    assert!(matches!(error, SendError::Unavailable { .. }), "{error}");
    assert!(!error.to_string().contains("re_key"));
}
