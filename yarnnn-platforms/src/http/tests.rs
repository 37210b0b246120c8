//! What a session does with answers of every kind, over a scripted wire and with time that stands still.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use reqwest::header::HeaderMap;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use yarnnn_core::jobs::CapacityLimits;
use yarnnn_core::platform::{AccessTokens, Call, CallGate, PlatformError};
use yarnnn_core::testing::FixedClock;

use super::{Dialect, RawReply, Request, Session, Transport, TransportError, Verdict, retry_after};

#[derive(Debug, Default)]
struct Wire {
    answers: Mutex<VecDeque<Result<RawReply, TransportError>>>,
    tokens: Mutex<Vec<String>>,
}

#[async_trait]
impl Transport for Wire {
    async fn send(&self, _: &Request, bearer: Option<&SecretString>) -> Result<RawReply, TransportError> {
        self.tokens.lock().unwrap().push(bearer.unwrap().expose_secret().to_owned());
        self.answers.lock().unwrap().pop_front().unwrap()
    }
}

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

#[derive(Debug, Default)]
struct Gate(Mutex<u32>);

#[async_trait]
impl CallGate for Gate {
    async fn admit(&self, _: &Call<'_>) -> Result<(), PlatformError> {
        *self.0.lock().unwrap() += 1;
        Ok(())
    }
}

struct Plain;

impl Dialect for Plain {
    fn judge(&self, call: &'static str, status: u16, headers: &HeaderMap, _: &Value) -> Verdict {
        match status {
            200 => Verdict::Good,
            401 => Verdict::Renew { reason: "expired".into() },
            429 => Verdict::Retry { after: retry_after(headers), reason: "limit".into(), limited: true },
            500.. => Verdict::Retry { after: None, reason: status.to_string(), limited: false },
            _ => Verdict::Fail(PlatformError::Protocol { call: call.into(), detail: status.to_string() }),
        }
    }
}

#[expect(clippy::unnecessary_wraps, reason = "a line of a script is an answer or an error")]
fn answer(status: u16, body: &str) -> Result<RawReply, TransportError> {
    Ok(RawReply { status, headers: HeaderMap::new(), body: body.as_bytes().to_vec() })
}

#[expect(clippy::unnecessary_wraps, reason = "a line of a script is an answer or an error")]
fn limited(seconds: u32) -> Result<RawReply, TransportError> {
    let headers = [("retry-after".parse().unwrap(), seconds.to_string().parse().unwrap())].into_iter().collect();
    Ok(RawReply { status: 429, headers, body: vec![] })
}

/// What came of a call whose answers are these, which tokens were sent, and how long it took.
async fn call(answers: Vec<Result<RawReply, TransportError>>) -> (Result<Value, String>, Vec<String>, Duration) {
    let refused = answers.iter().flatten().filter(|it| it.status == 429).count();
    let wire = Arc::new(Wire { answers: Mutex::new(answers.into()), ..Wire::default() });
    let gate = Arc::new(Gate::default());
    let clock = Arc::new(FixedClock::parse("2026-01-05T09:00:00Z"));
    let session = Session::over(wire.clone(), Arc::new(Tokens), gate.clone(), clock);
    let call = Call { name: "test call", pool: "all", cost: 0, limits: &CapacityLimits::default() };
    let began = tokio::time::Instant::now();
    let reply = session.call(&Plain, &call, Request::get("http://localhost/x".parse().unwrap())).await;
    let sent = std::mem::take(&mut *wire.tokens.lock().unwrap());
    // What the provider did not take goes again on its leave.
    let asked = sent.len() - refused.min(sent.len() - 1);
    assert_eq!(*gate.0.lock().unwrap() as usize, asked, "every call asks the gate");
    (reply.map(|it| it.body).map_err(|it| it.to_string()), sent, began.elapsed())
}

#[tokio::test(start_paused = true)]
async fn a_good_answer_is_handed_on() {
    let (body, sent, took) = call(vec![answer(200, r#"{"a":1}"#)]).await;
    assert_eq!((body, sent, took), (Ok(json!({"a": 1})), vec!["old".to_owned()], Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn what_may_pass_is_tried_four_times_and_then_named() {
    let broken = || Err(TransportError::Broken("no answer in time".into()));
    let (body, sent, _) = call(vec![broken(), answer(503, "<html>"), answer(200, "{}")]).await;
    assert_eq!((body, sent.len()), (Ok(json!({})), 3));
    let (body, sent, took) = call(vec![broken(), broken(), broken(), broken()]).await;
    assert_eq!((body.unwrap_err().as_str(), sent.len()), ("test call cannot be read: no answer in time", 4));
    assert!(took >= Duration::from_millis(3_500) && took <= Duration::from_secs(7), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_limit_is_waited_for_as_long_as_it_says_or_put_off() {
    let (body, _, took) = call(vec![limited(7), limited(3), answer(200, "{}")]).await;
    assert_eq!((body.is_ok(), took), (true, Duration::from_secs(10)));
    let (body, sent, took) = call(vec![limited(121)]).await;
    assert_eq!((sent.len(), took), (1, Duration::ZERO));
    assert_eq!(body.unwrap_err(), "test call: rate limited until 2026-01-05 09:02:01 UTC");
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_renewed_once() {
    let (body, sent, _) = call(vec![answer(401, "{}"), answer(200, "{}")]).await;
    assert_eq!((body.is_ok(), sent), (true, vec!["old".to_owned(), "new".to_owned()]));
    let (body, sent, _) = call(vec![answer(401, "{}"), answer(401, "{}")]).await;
    assert_eq!(sent.len(), 2);
    assert!(body.unwrap_err().contains("a token that was just renewed is refused (expired)"));
}

#[tokio::test(start_paused = true)]
async fn what_is_no_json_is_an_error_that_names_the_call() {
    for (status, body) in [(200, "<html>"), (200, ""), (200, r#"{"a":"#), (302, "{}"), (204, "")] {
        let (outcome, sent, _) = call(vec![answer(status, body)]).await;
        assert_eq!(sent.len(), 1, "{status} {body}");
        assert!(outcome.unwrap_err().starts_with("test call: status "), "{status} {body}");
    }
    let (outcome, ..) = call(vec![Err(TransportError::TooLarge)]).await;
    assert_eq!(outcome.unwrap_err(), "test call: the answer is larger than 32 MiB");
}

#[tokio::test(start_paused = true)]
async fn a_chunk_of_calls_asks_once_for_the_cost_of_all_and_each_retry_for_itself() {
    #[derive(Debug, Default)]
    struct Costs(Mutex<Vec<u32>>);

    #[async_trait]
    impl CallGate for Costs {
        async fn admit(&self, call: &Call<'_>) -> Result<(), PlatformError> {
            self.0.lock().unwrap().push(call.cost);
            Ok(())
        }
    }

    let answers = vec![answer(200, "1"), answer(503, ""), answer(200, "3"), answer(200, "<html>"), answer(200, "2")];
    let wire = Arc::new(Wire { answers: Mutex::new(answers.into()), ..Wire::default() });
    let gate = Arc::new(Costs::default());
    let session = Session::over(wire, Arc::new(Tokens), gate.clone(), Arc::new(FixedClock::parse("2026-01-05T09:00:00Z")));
    let call = Call { name: "test call", pool: "all", cost: 5, limits: &CapacityLimits::default() };
    let requests = vec![Request::get("http://localhost/x".parse().unwrap()); 4];
    let answers = session.call_each(&Plain, &call, requests).await.unwrap().into_iter();
    let bodies: Vec<Value> = answers.map(|it| it.map_or(Value::Null, |it| it.body)).collect();
    assert_eq!(bodies, [json!(1), json!(2), json!(3), Value::Null], "a broken answer is no other's");
    assert_eq!(gate.0.lock().unwrap().as_slice(), [20, 5]);
}
