//! Tokens, scopes and refusals are Slack's.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{Bench, SCOPES};
use crate::server::testing::Client;
use crate::server::{CLIENT_ID, CLIENT_SECRET};
use crate::{Fault, Provider};

#[tokio::test]
async fn a_token_that_is_not_good_is_named_as_what_it_is() {
    let bench = Bench::start().await;
    let tokens = bench.sim.tokens();
    let with = |token: &str| Client::new(bench.client.address).bearer(token);
    let error = async |client: &Client| client.get("/api/auth.test", &[]).await.json()["error"].clone();
    assert_eq!(error(&Client::new(bench.client.address)).await, "not_authed");
    assert_eq!(error(&with("xoxb-never-issued")).await, "invalid_auth");
    assert_eq!(error(&with(&tokens.notion())).await, "invalid_auth");
    let token = tokens.slack(&SCOPES);
    assert_eq!(error(&with(&token)).await, Value::Null);
    tokens.expire(&token);
    assert_eq!(error(&with(&token)).await, "token_expired");
    let token = tokens.slack(&SCOPES);
    tokens.revoke(&token);
    assert_eq!(error(&with(&token)).await, "token_revoked");
    tokens.deactivate(&token);
    assert_eq!(error(&with(&token)).await, "account_inactive");
}

#[tokio::test]
async fn scopes_are_told_and_enforced() {
    let bench = Bench::start().await;
    let token = bench.sim.tokens().slack(&["channels:read"]);
    let client = Client::new(bench.client.address).bearer(&token);
    let answer = client.get("/api/auth.test", &[]).await;
    assert_eq!((answer.header("x-oauth-scopes"), &answer.json()["ok"]), (Some("channels:read"), &json!(true)));
    let refused = client.get("/api/conversations.history", &[("channel", &bench.channel)]).await.json();
    let expected = json!({ "ok": false, "error": "missing_scope", "needed": "channels:history", "provided": "channels:read" });
    assert_eq!(refused, expected);
    let private = client.get("/api/conversations.list", &[("types", "public_channel,private_channel")]).await.json();
    assert_eq!(private["needed"], "groups:read");
}

#[tokio::test]
async fn wrong_arguments_are_refused_with_status_200() {
    let bench = Bench::start().await;
    let channel = ("channel", bench.channel.as_str());
    let other = bench.sim.slack().add_channel("other", false, &[&bench.sim.slack().team().bot_user_id]);
    for text in ["a", "b"] {
        bench.sim.slack().post(&other, &bench.ana, text);
    }
    let foreign = bench.call("conversations.history", &[("channel", &other), ("limit", "1")]).await.json();
    let foreign = foreign["response_metadata"]["next_cursor"].as_str().unwrap();
    assert!(!foreign.is_empty());
    let cases: [(_, &[_], _); 8] = [
        ("conversations.history", &[], "invalid_arguments"),
        ("conversations.history", &[("channel", "C0")], "channel_not_found"),
        ("conversations.history", &[channel, ("limit", "0")], "invalid_arguments"),
        ("conversations.history", &[channel, ("cursor", foreign)], "invalid_cursor"),
        ("conversations.history", &[channel, ("cursor", "%%%")], "invalid_cursor"),
        ("conversations.replies", &[channel, ("ts", "1.000001")], "thread_not_found"),
        ("conversations.list", &[("types", "everything")], "invalid_types"),
        ("files.list", &[], "unknown_method"),
    ];
    for (method, arguments, expected) in cases {
        assert_eq!(bench.error(method, arguments).await, expected, "{method} {arguments:?}");
    }
}

#[tokio::test]
async fn a_restricted_app_gets_fifteen_messages_a_minute() {
    let bench = Bench::start().await;
    for index in 0..40 {
        bench.post(&index.to_string());
    }
    bench.sim.limits().slack_restricted();
    let arguments = [("channel", bench.channel.as_str()), ("limit", "200")];
    let page = bench.call("conversations.history", &arguments).await.json();
    assert_eq!(page["messages"].as_array().unwrap().len(), 15);
    bench.clock.advance(TimeDelta::seconds(20));
    let refused = bench.call("conversations.history", &arguments).await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("40")));
    assert_eq!(refused.json(), json!({ "ok": false, "error": "ratelimited" }));
    bench.clock.advance(TimeDelta::seconds(40));
    assert_eq!(bench.call("conversations.history", &arguments).await.status, 200);
}

#[tokio::test]
async fn a_renewed_token_uses_up_its_refresh_token() {
    let bench = Bench::start().await;
    let pair = bench.sim.tokens().slack_rotating(&SCOPES);
    let client = Client::new(bench.client.address);
    let works = async |token: &str| client.bearer(token).get("/api/auth.test", &[]).await.json()["error"].clone();
    let renew = async |refresh: &str| {
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh),
            ("client_id", CLIENT_ID),
            ("client_secret", CLIENT_SECRET),
        ];
        client.post_form("/api/oauth.v2.access", &fields).await.json()
    };
    assert_eq!(works(&pair.access).await, Value::Null);
    bench.clock.advance(TimeDelta::hours(12));
    assert_eq!(works(&pair.access).await, "token_expired");
    let first = renew(&pair.refresh).await;
    assert_eq!((&first["ok"], &first["expires_in"]), (&json!(true), &json!(43_200)));
    assert_eq!(works(first["access_token"].as_str().unwrap()).await, Value::Null);
    assert_eq!(renew(&pair.refresh).await["error"], "invalid_refresh_token");
    assert_eq!(renew(first["refresh_token"].as_str().unwrap()).await["ok"], true);
    assert_eq!(bench.sim.tokens().refreshes(Provider::Slack), 2);
}

#[tokio::test]
async fn a_code_is_good_once_for_its_own_address() {
    let bench = Bench::start().await;
    let client = Client::new(bench.client.address);
    let exchange = async |code: &str, redirect_uri: &str, secret: &str| {
        let fields = [("code", code), ("redirect_uri", redirect_uri), ("client_id", CLIENT_ID), ("client_secret", secret)];
        client.post_form("/api/oauth.v2.access", &fields).await.json()
    };
    let here = "https://app.example/callback";
    let code = bench.sim.tokens().authorization_code(Provider::Slack, &["channels:read"], here);
    assert_eq!(exchange(&code, here, "wrong").await["error"], "bad_client_secret");
    let issued = exchange(&code, here, CLIENT_SECRET).await;
    assert_eq!((&issued["scope"], &issued["ok"]), (&json!("channels:read"), &json!(true)));
    assert_eq!(issued["team"]["id"], json!(bench.sim.slack().team().id));
    assert_eq!(exchange(&code, here, CLIENT_SECRET).await["error"], "invalid_code");
    let code = bench.sim.tokens().authorization_code(Provider::Slack, &["channels:read"], here);
    assert_eq!(exchange(&code, "https://elsewhere.example", CLIENT_SECRET).await["error"], "bad_redirect_uri");
    let code = bench.sim.tokens().authorization_code(Provider::Slack, &["channels:read"], here);
    bench.clock.advance(TimeDelta::minutes(10));
    assert_eq!(exchange(&code, here, CLIENT_SECRET).await["error"], "invalid_code");
}

#[tokio::test]
async fn faults_change_pages() {
    let bench = Bench::start().await;
    let posted: Vec<String> = (0..4).map(|index| bench.post(&index.to_string())).collect();
    let call = "slack.conversations.history";
    let faults = bench.sim.faults();
    faults.once(call, Fault::EmptyOk);
    let empty = bench.call("conversations.history", &[("channel", &bench.channel), ("limit", "2")]).await.json();
    assert_eq!((&empty["ok"], &empty["messages"], &empty["has_more"]), (&json!(true), &json!([]), &json!(false)));
    faults.after(call, 1, 1, Fault::DuplicatePage);
    assert_eq!(bench.history(&[("limit", "2")]).await, ["3", "2", "3", "2", "1", "0"]);
    faults.once(call, Fault::TornPage);
    assert_eq!(bench.history(&[("limit", "2")]).await, ["3", "1", "0"]);
    faults.once(call, Fault::Skew(-3_600));
    let skewed = bench.call("conversations.history", &[("channel", &bench.channel)]).await.json();
    let seconds: i64 = posted[3].split('.').next().unwrap().parse().unwrap();
    assert!(skewed["messages"][0]["ts"].as_str().unwrap().starts_with(&(seconds - 3_600).to_string()));
    faults.once("*", Fault::WrongTypes);
    let wrong = bench.call("conversations.history", &[("channel", &bench.channel)]).await.json();
    assert!(wrong["messages"].is_object() && wrong["ok"] == true);
    assert_eq!(faults.pending(), 0);
}
