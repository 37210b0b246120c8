//! The mail service as a caller over HTTP sees it.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta};
use serde_json::{Value, json};

use crate::server::testing::{Answer, Client};
use crate::server::{Fault, Provider};
use crate::{Running, Sim, VirtualClock};

struct Bench {
    sim: Sim,
    clock: Arc<VirtualClock>,
    client: Client,
    _running: Running,
}

impl Bench {
    async fn start() -> Self {
        let clock = Arc::new(VirtualClock::at(DateTime::UNIX_EPOCH + TimeDelta::days(20_000)));
        let sim = Sim::new(clock.clone());
        let running = sim.start().await.unwrap();
        let client = Client::new(running.address).bearer(&sim.tokens().key(Provider::Resend)).with("user-agent", "test/1");
        Self { sim, clock, client, _running: running }
    }

    async fn send(&self, key: &str, body: &Value) -> Answer {
        self.client.with("idempotency-key", key).post_json("/emails", body).await
    }
}

fn mail(subject: &str) -> Value {
    json!({ "from": "YARNNN <reports@sim.example>", "to": ["ana@sim.example"], "subject": subject, "html": "<p>Hi</p>", "text": "Hi" })
}

fn refusal(answer: &Answer) -> (u16, String) {
    let body = answer.json();
    assert_eq!(body["statusCode"], answer.status);
    (answer.status, body["name"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_mail_is_in_the_inbox_and_can_be_asked_for() {
    let bench = Bench::start().await;
    let id = bench.client.post_json("/emails", &mail("One")).await.json()["id"].as_str().unwrap().to_owned();
    let inbox = bench.sim.mail().inbox_of("ana@sim.example");
    assert_eq!((inbox.len(), inbox[0].subject.as_str(), &inbox[0].id), (1, "One", &id));
    let read = bench.client.get(&format!("/emails/{id}"), &[]).await.json();
    assert_eq!((&read["subject"], &read["last_event"]), (&json!("One"), &json!("delivered")));
    assert_eq!(refusal(&bench.client.get("/emails/none", &[]).await), (404, "not_found".to_owned()));
}

#[tokio::test]
async fn a_key_is_remembered_for_a_day() {
    let bench = Bench::start().await;
    let first = bench.send("a/1", &mail("One")).await.json();
    assert_eq!(bench.send("a/1", &mail("One")).await.json(), first);
    assert_eq!(refusal(&bench.send("a/1", &mail("Two")).await), (409, "invalid_idempotent_request".to_owned()));
    bench.clock.advance(TimeDelta::hours(23));
    assert_eq!(bench.send("a/1", &mail("One")).await.json(), first);
    assert_eq!(bench.sim.mail().inbox().len(), 1);
    bench.clock.advance(TimeDelta::hours(1));
    assert_ne!(bench.send("a/1", &mail("One")).await.json(), first);
    assert_eq!(bench.sim.mail().inbox().len(), 2, "the key is forgotten, and the mail is sent again");
    assert_eq!(refusal(&bench.send(&"k".repeat(257), &mail("One")).await), (400, "invalid_idempotency_key".to_owned()));
}

#[tokio::test]
async fn a_key_in_flight_is_refused_and_works_afterwards() {
    let bench = Bench::start().await;
    bench.sim.mail().hold();
    let body = mail("One");
    let second = async {
        bench.sim.mail().holds(1).await;
        let again = mail("One");
        let answer = tokio::select! {
            answer = bench.send("a/1", &again) => answer,
            () = bench.sim.mail().holds(2) => panic!("two requests with one key are in flight"),
        };
        bench.sim.mail().release();
        answer
    };
    let (first, second) = tokio::join!(bench.send("a/1", &body), second);
    assert_eq!((first.status, refusal(&second)), (200, (409, "concurrent_idempotent_requests".to_owned())));
    assert_eq!(bench.send("a/1", &body).await.json(), first.json());
    assert_eq!(bench.sim.mail().inbox().len(), 1);
}

#[tokio::test]
async fn an_answer_that_is_lost_leaves_the_mail_and_its_key() {
    let bench = Bench::start().await;
    bench.sim.faults().once("resend.emails.send", Fault::AnswerLost);
    bench.sim.faults().once("resend.emails.send", Fault::Disconnect);
    let body = mail("One").to_string();
    let keyed = bench.client.with("idempotency-key", "a/1");
    for expected in [1, 1] {
        assert!(keyed.send("POST", "/emails", "application/json", body.as_bytes()).await.is_err());
        assert_eq!(bench.sim.mail().inbox().len(), expected);
    }
    assert_eq!(bench.send("a/1", &mail("One")).await.status, 200);
    assert_eq!(bench.sim.mail().inbox().len(), 1);
}

#[tokio::test]
async fn strangers_are_turned_away() {
    let bench = Bench::start().await;
    let nameless = Client::new(bench.client.address).bearer(&bench.sim.tokens().key(Provider::Resend));
    let answer = nameless.post_json("/emails", &mail("One")).await;
    assert_eq!((answer.status, answer.body.as_slice()), (403, b"error code: 1010".as_slice()));
    let keyless = Client::new(bench.client.address).with("user-agent", "test/1");
    assert_eq!(refusal(&keyless.post_json("/emails", &mail("One")).await), (401, "missing_api_key".to_owned()));
    let wrong = keyless.bearer("re_wrong").post_json("/emails", &mail("One")).await;
    assert_eq!(refusal(&wrong), (403, "invalid_api_key".to_owned()));
    bench.sim.mail().verify_only(&["other.example"]);
    assert_eq!(refusal(&bench.client.post_json("/emails", &mail("One")).await), (403, "validation_error".to_owned()));
    assert!(bench.sim.mail().inbox().is_empty());
}

#[tokio::test]
async fn mails_that_make_no_sense_are_refused() {
    let bench = Bench::start().await;
    let with = |name: &str, value: Value| {
        let mut mail = mail("One");
        mail[name] = value;
        mail
    };
    let many: Vec<_> = (0..51).map(|it| format!("a{it}@b.example")).collect();
    for (body, name) in [
        (with("to", Value::Null), "missing_required_field"),
        (with("subject", json!("")), "missing_required_field"),
        (with("from", json!("nobody")), "invalid_from_address"),
        (with("to", json!("ana at sim")), "validation_error"),
        (with("to", json!(many)), "validation_error"),
        (json!({ "from": "a@b.example", "to": "c@d.example", "subject": "x" }), "validation_error"),
    ] {
        assert_eq!(refusal(&bench.client.post_json("/emails", &body).await), (422, name.to_owned()), "{body}");
    }
    // A refused request leaves its key free.
    assert_eq!(bench.send("a/1", &with("from", json!("nobody"))).await.status, 422);
    assert_eq!(bench.send("a/1", &mail("One")).await.status, 200);
}

#[tokio::test]
async fn limits_and_quotas_are_told_apart_by_name() {
    let bench = Bench::start().await;
    bench.sim.limits().published();
    for left in (0..5).rev() {
        let answer = bench.client.post_json("/emails", &mail("One")).await;
        let said = ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"]
            .map(|it| answer.header(it).unwrap_or_default().to_owned());
        assert_eq!((answer.status, said), (200, ["5".to_owned(), left.to_string(), "1".to_owned()]));
    }
    let limited = bench.client.post_json("/emails", &mail("One")).await;
    assert_eq!(refusal(&limited), (429, "rate_limit_exceeded".to_owned()));
    assert_eq!((limited.header("retry-after"), limited.header("ratelimit-remaining")), (Some("1"), Some("0")));
    bench.clock.advance(TimeDelta::seconds(1));
    bench.sim.mail().daily_quota(Some(5));
    let spent = bench.client.post_json("/emails", &mail("One")).await;
    assert_eq!((refusal(&spent), spent.header("retry-after")), ((429, "daily_quota_exceeded".to_owned()), None));
    bench.clock.advance(TimeDelta::days(1));
    assert_eq!(bench.client.post_json("/emails", &mail("One")).await.status, 200);
}
