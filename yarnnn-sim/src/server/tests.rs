//! What is the same for all providers, tried on Google's endpoint for the account.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::testing::Client;
use super::{CLIENT_ID, CLIENT_SECRET, Fault, Sim, VirtualClock};

fn instant() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000)
}

const USERINFO: &str = "/oauth2/v2/userinfo";

#[tokio::test]
async fn a_google_access_token_lives_an_hour_and_its_refresh_token_stays() {
    let clock = Arc::new(VirtualClock::at(instant()));
    let sim = Sim::new(clock.clone());
    let running = sim.start().await.unwrap();
    let client = Client::new(running.address);
    let refresh = sim.tokens().google_refresh(&["openid"]);
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh.as_str()),
        ("client_id", CLIENT_ID),
        ("client_secret", CLIENT_SECRET),
    ];
    let answer = client.post_form("/token", &fields).await.json();
    assert_eq!(answer["expires_in"], 3_600);
    assert_eq!(answer.get("refresh_token"), None);
    let caller = client.bearer(answer["access_token"].as_str().unwrap());
    clock.advance(TimeDelta::seconds(3_599));
    assert_eq!(caller.get(USERINFO, &[]).await.status, 200);
    clock.advance(TimeDelta::seconds(1));
    assert_eq!(caller.get(USERINFO, &[]).await.json()["error"]["status"], "UNAUTHENTICATED");
    assert_eq!(client.post_form("/token", &fields).await.status, 200);
    sim.tokens().revoke(&refresh);
    let refused = client.post_form("/token", &fields).await;
    assert_eq!((refused.status, refused.json()["error"].clone()), (400, json!("invalid_grant")));
    assert_eq!(sim.tokens().refreshes(super::Provider::Google), 2);
}

#[tokio::test]
async fn a_connection_can_end_before_and_within_an_answer() {
    let sim = Sim::new(Arc::new(VirtualClock::at(instant())));
    let running = sim.start().await.unwrap();
    let caller = Client::new(running.address).bearer(&sim.tokens().google(&["openid"]));
    for fault in [Fault::Disconnect, Fault::TruncatedBody] {
        sim.faults().once("oauth.google.userinfo", fault.clone());
        assert!(caller.send("GET", USERINFO, "", b"").await.is_err(), "{fault:?}");
        assert_eq!(caller.get(USERINFO, &[]).await.status, 200);
    }
    assert_eq!(sim.journal().calls("oauth.google.userinfo").len(), 4);
}

/// A caller of Google's endpoint for the account, which needs no world.
async fn caller(sim: &Sim) -> (super::Running, Client) {
    let running = sim.start().await.unwrap();
    let client = Client::new(running.address).bearer(&sim.tokens().google(&["openid"]));
    (running, client)
}

fn still() -> Sim {
    Sim::new(Arc::new(VirtualClock::at(instant())))
}

#[tokio::test]
async fn every_fault_of_the_wire_shows_and_is_used_up() {
    let sim = still();
    let (_running, client) = caller(&sim).await;
    let call = "oauth.google.userinfo";
    let answer = async |fault: Fault| {
        sim.faults().once(call, fault);
        client.get(USERINFO, &[]).await
    };
    let text = |body: &[u8]| String::from_utf8_lossy(body).into_owned();
    let refused = answer(Fault::Status(500, "no".to_owned())).await;
    assert_eq!((refused.status, text(&refused.body)), (500, "no".to_owned()));
    let limited = answer(Fault::RetryAfter(7)).await;
    assert_eq!((limited.status, limited.json()["error"]["errors"][0]["reason"].clone()), (429, json!("rateLimitExceeded")));
    assert_eq!(answer(Fault::Overloaded(7)).await.header("retry-after"), Some("7"));
    let page = answer(Fault::Html).await;
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let broken = answer(Fault::MalformedJson).await;
    assert!(broken.status == 200 && !broken.body.is_empty() && broken.json().is_null());
    for bytes in [23, 1_000_000] {
        let huge = answer(Fault::HugeBody(bytes)).await;
        assert_eq!((huge.body.len(), huge.json()["ok"].clone()), (bytes, json!(true)));
    }
    let moved = answer(Fault::Redirect("http://elsewhere.example/".to_owned())).await;
    assert_eq!((moved.status, moved.header("location")), (302, Some("http://elsewhere.example/")));
    assert_eq!(answer(Fault::Forbidden).await.json()["error"]["status"], "PERMISSION_DENIED");
    assert_eq!(answer(Fault::WrongTypes).await.json()["email"], 17);
    let skewed = answer(Fault::Skew(86_400)).await;
    assert_eq!(skewed.header("date"), Some("Sat, 05 Oct 2024 00:00:00 GMT"));
    assert_eq!(sim.faults().pending(), 0);
    assert_eq!(client.get(USERINFO, &[]).await.json()["email"], "owner@sim.example");
}

#[tokio::test]
async fn a_call_that_hangs_ends_with_the_server() {
    let sim = still();
    let (running, client) = caller(&sim).await;
    sim.faults().once("*", Fault::Hang);
    let asked = tokio::spawn(async move { client.send("GET", USERINFO, "", b"").await });
    while sim.journal().count() == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(sim.journal().all()[0].status, None);
    running.stop().await.unwrap();
    assert!(asked.await.unwrap().is_err());
}

#[tokio::test]
async fn plans_are_carried_out_in_order_and_may_wait() {
    let sim = still();
    let (_running, client) = caller(&sim).await;
    let fails = |status: u16| Fault::Status(status, String::new());
    sim.faults().after("oauth.*", 1, 2, fails(500));
    sim.faults().times("oauth.google.userinfo", 1, fails(503));
    sim.faults().always("slack.*", fails(418));
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(client.get(USERINFO, &[]).await.status);
    }
    assert_eq!(seen, [503, 500, 500, 200]);
    assert_eq!(sim.journal().all().iter().filter_map(|it| it.status).collect::<Vec<_>>(), seen);
    assert_eq!(client.get("/nowhere", &[("a", "b c")]).await.status, 404);
    assert_eq!(sim.journal().calls("unknown")[0].parameter("a").as_deref(), Some("b c"));
}

#[tokio::test]
async fn google_answers_a_limit_in_two_ways() {
    let clock = Arc::new(VirtualClock::at(instant()));
    let sim = Sim::new(clock.clone());
    let (_running, client) = caller(&sim).await;
    sim.limits().per_minute("oauth.google.userinfo", 2);
    let reason = async || client.get(USERINFO, &[]).await.json()["error"]["errors"][0]["reason"].clone();
    assert_eq!(reason().await, json!(null));
    clock.advance(TimeDelta::seconds(30));
    assert_eq!(reason().await, json!(null));
    assert_eq!(reason().await, "rateLimitExceeded");
    assert_eq!(reason().await, "userRateLimitExceeded");
    clock.advance(TimeDelta::seconds(29));
    assert_eq!(reason().await, "rateLimitExceeded");
    clock.advance(TimeDelta::seconds(1));
    assert_eq!(reason().await, json!(null));
    assert_eq!(reason().await, "userRateLimitExceeded");
    let other = client.bearer(&sim.tokens().google(&["openid"]));
    assert_eq!(other.get(USERINFO, &[]).await.status, 200);
    assert_eq!(sim.limits().refused(), 4);
}

#[test]
fn units_are_counted_together_and_scaled() {
    let limits = super::Limits::default();
    limits.published();
    let now = instant();
    for _ in 0..1_200 {
        assert_eq!(limits.admit("gmail.messages.get", "a", now), Ok(()));
    }
    assert_eq!(limits.admit("gmail.history.list", "a", now), Err(60));
    assert_eq!(limits.admit("gmail.history.list", "b", now), Ok(()));
    limits.scale(60.0);
    assert_eq!(limits.admit("gmail.history.list", "a", now), Err(1));
    assert_eq!(limits.admit("gmail.history.list", "a", now + TimeDelta::seconds(1)), Ok(()));
    limits.clear();
    limits.interval("slack.users.info", TimeDelta::milliseconds(1_500));
    assert_eq!(limits.admit("slack.users.info", "a", now), Ok(()));
    assert_eq!(limits.admit("slack.users.info", "a", now + TimeDelta::milliseconds(1_000)), Err(1));
    assert_eq!(limits.admit("slack.users.info", "a", now + TimeDelta::milliseconds(1_500)), Ok(()));
}

#[test]
fn a_dear_call_waits_until_enough_cheap_ones_have_left_the_window() {
    let limits = super::Limits::default();
    limits.per_minute("gmail.*", 100);
    for second in 0..10 {
        assert_eq!(limits.admit("gmail.labels.list", "a", instant() + TimeDelta::seconds(second)), Ok(()));
    }
    let now = instant() + TimeDelta::seconds(10);
    assert_eq!(limits.admit("gmail.messages.send", "a", now), Err(59));
    assert_eq!(limits.admit("gmail.messages.send", "a", now + TimeDelta::seconds(58)), Err(1));
    assert_eq!(limits.admit("gmail.messages.send", "a", now + TimeDelta::seconds(59)), Ok(()));
}

#[tokio::test]
async fn notion_exchanges_a_code_with_basic_authorization() {
    let sim = still();
    let running = sim.start().await.unwrap();
    let here = "https://app.example/callback";
    let basic = |secret: &str| {
        use base64::Engine as _;
        let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{CLIENT_ID}:{secret}"));
        Client::new(running.address).with("authorization", &format!("Basic {encoded}"))
    };
    let code = sim.tokens().authorization_code(super::Provider::Notion, &[], here);
    let body = json!({ "grant_type": "authorization_code", "code": code, "redirect_uri": here });
    let wrong = basic("wrong").post_json("/v1/oauth/token", &body).await;
    assert_eq!((wrong.status, wrong.json()["error"].clone()), (401, json!("invalid_client")));
    let issued = basic(CLIENT_SECRET).post_json("/v1/oauth/token", &body).await;
    assert_eq!(issued.json()["token_type"], "bearer");
    let token = issued.json()["access_token"].as_str().unwrap().to_owned();
    assert!(sim.tokens().check(super::Provider::Notion, Some(&token)).is_ok());
    assert_eq!(basic(CLIENT_SECRET).post_json("/v1/oauth/token", &body).await.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn a_google_code_brings_a_refresh_token_with_the_scopes_that_were_granted() {
    let sim = still();
    let running = sim.start().await.unwrap();
    let client = Client::new(running.address);
    let here = "http://127.0.0.1/callback";
    let code = sim.tokens().authorization_code(super::Provider::Google, &["openid", "email"], here);
    let exchange = async |redirect_uri: &str, secret: &str| {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", redirect_uri),
            ("client_id", CLIENT_ID),
            ("client_secret", secret),
        ];
        client.post_form("/token", &fields).await
    };
    assert_eq!(exchange(here, "wrong").await.status, 401);
    let issued = exchange(here, CLIENT_SECRET).await.json();
    assert_eq!(issued["scope"], "openid email");
    assert!(issued["refresh_token"].as_str().unwrap().starts_with("1//"));
    assert_eq!(exchange(here, CLIENT_SECRET).await.json()["error"], "invalid_grant");
    let narrow = client.bearer(&sim.tokens().google(&["https://www.googleapis.com/auth/gmail.readonly"]));
    let refused = narrow.get(USERINFO, &[]).await.json();
    assert_eq!(refused["error"]["details"][0]["reason"], "ACCESS_TOKEN_SCOPE_INSUFFICIENT");
}
