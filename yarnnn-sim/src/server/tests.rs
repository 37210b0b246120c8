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
