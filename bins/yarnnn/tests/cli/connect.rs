//! Connecting with a token of one's own: what is stored, what is refused, and what is asked for before anything else.

use serde_json::json;

use super::support::live::{GOOGLE_SCOPES, Live, SLACK_SCOPES};
use super::support::{Backend, Said};

async fn each_provider_is_connected(backend: Backend) {
    let live = Live::new(backend).await;
    let slack = live.connect("slack", &live.sim.tokens().slack(&SLACK_SCOPES), 0);
    assert_eq!((slack["provider"].as_str(), &slack["replaced"], &slack["purged"]), (Some("slack"), &json!(false), &json!(0)));
    assert_eq!(slack["account_id"], live.sim.slack().team().id);
    assert_eq!(slack["platforms"], json!([{ "platform": "slack", "resources": 2, "selected": 2, "problem": null }]));
    let notion = live.connect("notion", &live.sim.tokens().notion(), 0);
    assert_eq!(notion["platforms"][0]["selected"], 2, "{notion:#}");
    let google = live.connect("google", &live.sim.tokens().google_refresh(&GOOGLE_SCOPES), 0);
    let names: Vec<_> = google["platforms"].as_array().unwrap().iter().map(|it| it["platform"].as_str().unwrap()).collect();
    assert_eq!(names, ["gmail", "calendar"]);
    let reads = |it: &serde_json::Value| it.as_str().unwrap().ends_with("readonly");
    assert!(!google["missing_scopes"].as_array().unwrap().iter().any(reads), "only what writes was not granted: {google:#}");
    for it in google["platforms"].as_array().unwrap() {
        assert!(it["problem"].is_null() && it["selected"].as_u64().unwrap() > 0, "{google:#}");
    }

    let stored = live
        .installation
        .texts("select credentials_encrypted from platform_connections where credentials_encrypted is not null")
        .await;
    assert!(stored.len() >= 2 && stored.iter().all(|it| it.starts_with("v1:")), "sealed: {stored:?}");
    let again = live.connect("slack", &live.sim.tokens().slack(&SLACK_SCOPES), 0);
    assert_eq!((&again["replaced"], &again["purged"]), (&json!(true), &json!(0)));
    live.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_provider_is_connected_on_sqlite() {
    each_provider_is_connected(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_provider_is_connected_on_postgres() {
    each_provider_is_connected(Backend::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_setting_stops_it_before_anybody_is_asked() {
    let live = Live::new(Backend::Sqlite).await;
    let refused = |settings: &[(&str, Option<&str>)], provider: &str| {
        let said = live.json_with(settings, &["connect", provider, "--token-env", "NO_SUCH_TOKEN"], 3);
        assert_eq!(said["error"]["code"], "configuration");
        said["error"]["message"].as_str().unwrap().to_owned()
    };
    let message = refused(&[("INTEGRATION_ENCRYPTION_KEY", None)], "slack");
    assert!(message.contains("INTEGRATION_ENCRYPTION_KEY") && message.contains("yarnnn doctor --new-key"), "{message}");
    for placeholder in ["changeme", "your-key-here", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="] {
        let message = refused(&[("INTEGRATION_ENCRYPTION_KEY", Some(placeholder))], "slack");
        assert!(message.contains("INTEGRATION_ENCRYPTION_KEY") && message.contains("--new-key"), "{message}");
    }
    assert!(refused(&[("GOOGLE_CLIENT_ID", None)], "google").starts_with("GOOGLE_CLIENT_ID"));
    assert!(refused(&[("GOOGLE_CLIENT_SECRET", None)], "google").starts_with("GOOGLE_CLIENT_SECRET"));
    assert_eq!(live.sim.journal().count(), 0, "nobody was called");
    assert!(!live.installation.folder.path().join("test.db").exists(), "and nothing was made");
}

async fn a_key_that_opens_nothing_seals_nothing(backend: Backend) {
    let live = Live::new(backend).await;
    let (slack, notion) = (live.sim.tokens().slack(&SLACK_SCOPES), live.sim.tokens().notion());
    live.connect("slack", &slack, 0);
    live.sync(0);
    let calls = live.sim.journal().count();
    let other = yarnnn::store::SealKeys::generate();
    let key = ("INTEGRATION_ENCRYPTION_KEY", Some(other.as_str()));
    let with = |token: &str, arguments: &[&str], code| {
        live.json_with(&[key, ("TOKEN", Some(token))], &[arguments, &["--token-env", "TOKEN"]].concat(), code)
    };
    for (provider, token) in [("slack", &slack), ("notion", &notion)] {
        let said = with(token, &["connect", provider], 3);
        let message = said["error"]["message"].as_str().unwrap();
        assert!(message.starts_with("INTEGRATION_ENCRYPTION_KEY: ") && message.contains("`yarnnn doctor`"), "{message}");
    }
    assert_eq!(live.sim.journal().count(), calls, "nobody was called");
    live.sync(0);

    let again = with(&slack, &["connect", "slack", "--lost-key"], 0);
    assert_eq!((&again["replaced"], &again["purged"]), (&json!(true), &json!(0)), "it is the same account");
    assert_eq!(live.contents("slack").await.len(), 3);
    live.json_with(&[key], &["sync"], 0);
    with(&notion, &["connect", "notion"], 0);
    live.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_opens_nothing_seals_nothing_on_sqlite() {
    a_key_that_opens_nothing_seals_nothing(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_opens_nothing_seals_nothing_on_postgres() {
    a_key_that_opens_nothing_seals_nothing(Backend::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_comes_from_a_variable_or_standard_input() {
    let live = Live::new(Backend::Sqlite).await;
    let token = live.sim.tokens().slack(&SLACK_SCOPES);
    let said = live.json_with(&[("MY_TOKEN", Some(&format!(" {token}\n")))], &["connect", "slack", "--token-env", "MY_TOKEN"], 0);
    assert_eq!(said["provider"], "slack");
    for (provider, token) in [("slack", ""), ("slack", "  "), ("slack", "xoxb-1 xoxb-2")] {
        let said = live.connect(provider, token, 2);
        assert!(said["error"]["message"].as_str().unwrap().contains("token"), "{said}");
    }
    let unset = live.json(&["connect", "slack", "--token-env", "NOT_SET"], 2);
    assert!(unset["error"]["message"].as_str().unwrap().contains("NOT_SET"), "{unset}");
    assert!(live.json(&["connect", "teams"], 2)["error"]["message"].as_str().unwrap().contains("no provider"));
    let said: Said = live.yarnnn(&["connect"]);
    said.expect(2);
}

async fn a_refused_token_leaves_nothing(backend: Backend) {
    let live = Live::new(backend).await;
    for (provider, token) in [("slack", "xoxb-wrong"), ("notion", "ntn_wrong"), ("google", "1//wrong")] {
        let said = live.connect(provider, token, 1);
        let message = said["error"]["message"].as_str().unwrap();
        assert!(!message.contains("wrong") && message.len() > 20, "{provider}: {message}");
    }
    assert!(live.installation.texts("select platform from platform_connections").await.is_empty());
    let narrow = live.connect("slack", &live.sim.tokens().slack(&["channels:read"]), 1);
    assert!(narrow["error"]["message"].as_str().unwrap().contains("channels:history"), "{narrow}");
    live.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_token_leaves_nothing_on_sqlite() {
    a_refused_token_leaves_nothing(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_token_leaves_nothing_on_postgres() {
    a_refused_token_leaves_nothing(Backend::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_granted_is_said() {
    let live = Live::new(Backend::Sqlite).await;
    let only_mail = live.sim.tokens().google_refresh(&["https://www.googleapis.com/auth/gmail.readonly", "openid", "email"]);
    let said = live.connect("google", &only_mail, 0);
    assert!(said["missing_scopes"].to_string().contains("calendar"), "{said:#}");
    let calendar = said["platforms"].as_array().unwrap().iter().find(|it| it["platform"] == "calendar").unwrap();
    assert!(calendar["problem"].as_str().unwrap().contains("calendar"), "{said:#}");
    let synced = live.json(&["sync"], 0);
    assert_eq!(synced["platforms"].as_array().unwrap().len(), 1, "only what was granted: {synced:#}");
    let asked = live.json(&["sync", "calendar"], 1);
    assert_eq!(asked["platforms"][0]["outcome"], "failed", "what was asked for is not passed over: {asked:#}");
    assert!(asked["platforms"][0]["error"].as_str().unwrap().contains("yarnnn connect google"), "{asked:#}");
}

async fn disconnecting_takes_what_came(backend: Backend) {
    let (live, _) = Live::with_slack(backend).await;
    live.sync(0);
    assert_eq!(live.contents("slack").await.len(), 3);
    let said = live.json(&["connect", "--remove", "slack"], 0);
    assert_eq!((&said["removed"], &said["purged"]), (&json!(true), &json!(3)));
    assert!(live.contents("slack").await.is_empty());
    assert!(live.installation.texts("select platform from platform_connections").await.is_empty());
    assert_eq!(live.json(&["connect", "--remove", "slack"], 1)["error"]["code"], "not_found");
    live.close().await;
}

async fn choices_come_back_with_the_account(backend: Backend) {
    let (live, token) = Live::with_slack(backend).await;
    let source = |channel: &str| format!("slack:{channel}");
    let (general, random) = (source(&live.team.general), source(&live.team.random));
    live.json(&["sources", "select", &random], 0);
    live.json(&["sources", "exclude", &general], 0);
    let choices = || live.json(&["sources"], 0)["sources"].as_array().unwrap().clone();
    let chosen = |all: &[serde_json::Value]| {
        let mut chosen: Vec<_> =
            all.iter().map(|it| (it["resource_id"].clone(), it["selected"].clone(), it["excluded"].clone())).collect();
        chosen.sort_by_key(|it| it.0.to_string());
        chosen
    };
    let before = chosen(&choices());
    live.json(&["connect", "--remove", "slack"], 0);
    let again = live.connect("slack", &token, 0);
    assert_eq!((&again["replaced"], &again["platforms"][0]["selected"]), (&json!(false), &json!(1)), "{again:#}");
    assert_eq!(chosen(&choices()), before);
    assert!(before.contains(&(json!(live.team.general), json!(false), json!(true))), "{before:?}");
    live.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn choices_come_back_with_the_account_on_sqlite() {
    choices_come_back_with_the_account(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn choices_come_back_with_the_account_on_postgres() {
    choices_come_back_with_the_account(Backend::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn disconnecting_takes_what_came_on_sqlite() {
    disconnecting_takes_what_came(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn disconnecting_takes_what_came_on_postgres() {
    disconnecting_takes_what_came(Backend::Postgres).await;
}
