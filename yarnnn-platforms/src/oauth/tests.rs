//! Signing in over a scripted wire: what is sent, what is understood, and what each kind of bad answer becomes.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use yarnnn_core::connections::{GrantError, Granted, OAuth as _, OAuthState, Provider};
use yarnnn_core::platform::PlatformError;
use yarnnn_core::testing::FixedClock;

use super::{OAuthApp, OAuthSettings, ProviderOAuth};
use crate::http::{Body, RawReply, Request, Transport, TransportError};

type Answer = Result<RawReply, TransportError>;
/// An answer, and what becomes of it.
type Bad = (fn() -> Answer, &'static str);

/// Gives the scripted answers, and keeps what was sent.
#[derive(Debug, Default)]
struct Wire {
    answers: Mutex<VecDeque<Answer>>,
    sent: Mutex<Vec<Request>>,
}

#[async_trait]
impl Transport for Wire {
    async fn send(&self, request: &Request, bearer: Option<&SecretString>) -> Answer {
        assert!(bearer.is_none(), "the client signs in, no user does");
        self.sent.lock().unwrap().push(request.clone());
        self.answers.lock().unwrap().pop_front().unwrap()
    }
}

fn settings() -> OAuthSettings {
    let app =
        |name: &str| OAuthApp { client_id: Some(format!("{name}-id")), client_secret: Some(format!("{name}-secret/+=").into()) };
    OAuthSettings {
        api: Some("https://api.example.org/yarnnn/".parse().unwrap()),
        slack: app("slack"),
        google: app("google"),
        notion: app("notion"),
        ..OAuthSettings::default()
    }
}

fn signing_in(settings: OAuthSettings, answers: Vec<Answer>) -> (ProviderOAuth, Arc<Wire>) {
    let wire = Arc::new(Wire { answers: Mutex::new(answers.into()), ..Wire::default() });
    let clock = Arc::new(FixedClock::parse("2026-11-22T09:00:00Z"));
    (ProviderOAuth::over(settings, wire.clone(), clock), wire)
}

#[expect(clippy::unnecessary_wraps, reason = "it stands among those that are none")]
fn answer(status: u16, body: &str) -> Answer {
    let headers = [("retry-after".parse().unwrap(), "90".parse().unwrap())].into_iter().collect();
    Ok(RawReply { status, headers, body: body.as_bytes().to_vec() })
}

const CODE: &str = "code-4/0Ab";
const REFRESH: &str = "refresh-1//0g";

/// What comes of a code, and what was sent for it.
async fn exchange(provider: Provider, answered: Answer) -> (Result<Granted, GrantError>, Request) {
    let (oauth, wire) = signing_in(settings(), vec![answered]);
    let granted = oauth.exchange(provider, &CODE.into()).await;
    let request = sent_once(&wire);
    (granted, request)
}

/// What comes of a refresh token, and what was sent for it.
async fn refresh(provider: Provider, answered: Answer) -> (Result<Granted, GrantError>, Request) {
    let (oauth, wire) = signing_in(settings(), vec![answered]);
    let granted = oauth.refresh(provider, &REFRESH.into()).await;
    let request = sent_once(&wire);
    (granted, request)
}

/// A code or refresh token may be good for one use: whatever comes, it is sent once.
fn sent_once(wire: &Wire) -> Request {
    let mut sent = std::mem::take(&mut *wire.sent.lock().unwrap());
    assert_eq!(sent.len(), 1);
    sent.remove(0)
}

/// The request in one line.
fn line(request: &Request) -> String {
    let body = match &request.body {
        Body::Empty => String::new(),
        Body::Form(pairs) => pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" "),
        Body::Json(value) => value.to_string(),
        Body::Exact { content, .. } => content.clone(),
    };
    let headers = request.headers.iter().map(|(name, value)| format!("{name}: {value}; ")).collect::<Vec<_>>().concat();
    format!("{} {} {headers}{body}", request.method, request.url)
}

/// The grant as text, with its secrets.
fn shown(granted: Result<Granted, GrantError>) -> Value {
    let Granted { credentials, scopes, metadata } = granted.unwrap();
    let open = |it: Option<SecretString>| it.map(|it| it.expose_secret().to_owned());
    json!({
        "access": open(credentials.access),
        "refresh": open(credentials.refresh),
        "expires_at": credentials.expires_at,
        "scopes": scopes,
        "metadata": metadata,
    })
}

/// The kind of an error, and its text.
fn kind<T: std::fmt::Debug>(outcome: Result<T, GrantError>) -> (&'static str, String) {
    let error = outcome.unwrap_err();
    let kind = match &error {
        GrantError::Refused { .. } => "refused",
        GrantError::Platform(PlatformError::RateLimited { .. }) => "limited",
        GrantError::Platform(PlatformError::Unavailable { .. }) => "unavailable",
        GrantError::Platform(PlatformError::NeedsOperator { .. }) => "operator",
        GrantError::Platform(PlatformError::Protocol { .. }) => "protocol",
        other => panic!("{other:?}"),
    };
    (kind, error.to_string())
}

#[test]
fn people_are_sent_where_they_sign_in() {
    let (oauth, _) = signing_in(settings(), vec![]);
    let page = |provider| oauth.authorize_url(provider, &OAuthState::new("st-A_1")).unwrap();
    insta::assert_snapshot!(Provider::ALL.map(page).join("\n").replace('&', "\n  &"));
}

#[test]
fn the_pages_are_at_the_bases() {
    let mut settings = settings();
    settings.bases.slack = "http://127.0.0.1:8080/sim/api".parse().unwrap();
    settings.bases.google_authorize = "http://127.0.0.1:8081".parse().unwrap();
    settings.bases.notion = "http://127.0.0.1:8082/notion/".parse().unwrap();
    let (oauth, _) = signing_in(settings, vec![]);
    let page = |provider| oauth.authorize_url(provider, &OAuthState::new("s")).unwrap();
    assert!(page(Provider::Slack).starts_with("http://127.0.0.1:8080/oauth/v2/authorize?"));
    assert!(page(Provider::Google).starts_with("http://127.0.0.1:8081/o/oauth2/v2/auth?"));
    assert!(page(Provider::Notion).starts_with("http://127.0.0.1:8082/notion/v1/oauth/authorize?"));
}

#[tokio::test]
async fn a_missing_setting_is_named_and_nothing_is_sent() {
    for provider in Provider::ALL {
        let name = provider.as_str().to_uppercase();
        let without = |change: fn(&mut OAuthApp)| {
            let mut settings = settings();
            [&mut settings.slack, &mut settings.google, &mut settings.notion].into_iter().for_each(change);
            settings
        };
        let cases = [
            (without(|it| it.client_id = None), format!("{name}_CLIENT_ID")),
            (without(|it| it.client_id = Some(String::new())), format!("{name}_CLIENT_ID")),
            (without(|it| it.client_secret = None), format!("{name}_CLIENT_SECRET")),
            (OAuthSettings { api: None, ..settings() }, "API_BASE_URL".to_owned()),
        ];
        for (settings, expected) in cases {
            let named = |outcome: Result<(), GrantError>| match outcome {
                Err(GrantError::Platform(PlatformError::NeedsOperator { setting })) => setting,
                other => format!("{other:?}"),
            };
            let (oauth, wire) = signing_in(settings, vec![answer(503, "")]);
            let page = oauth.authorize_url(provider, &OAuthState::new("")).map(drop).map_err(GrantError::from);
            assert_eq!(named(page), expected);
            assert_eq!(named(oauth.exchange(provider, &CODE.into()).await.map(drop)), expected);
            if expected == "API_BASE_URL" {
                assert_eq!(kind(oauth.refresh(provider, &REFRESH.into()).await).0, "unavailable", "a refresh goes nowhere");
            } else {
                assert_eq!(named(oauth.refresh(provider, &REFRESH.into()).await.map(drop)), expected);
                assert!(wire.sent.lock().unwrap().is_empty());
            }
        }
    }
}

#[tokio::test]
async fn a_code_and_a_refresh_token_are_sent_as_each_server_wants_them() {
    let mut lines = Vec::new();
    for provider in Provider::ALL {
        lines.push(line(&exchange(provider, answer(503, "")).await.1));
        lines.push(line(&refresh(provider, answer(503, "")).await.1));
    }
    insta::assert_snapshot!(lines.join("\n"));
}

#[tokio::test]
async fn slack_grants_a_bot() {
    let body = json!({
        "ok": true, "access_token": "xoxe.xoxb-1", "token_type": "bot", "scope": "chat:write,channels:read", "bot_user_id": "U0BOT",
        "app_id": "A1", "team": {"id": "T1", "name": "Slack"}, "enterprise": null, "authed_user": {"id": "U1", "scope": "x"},
        "refresh_token": "xoxe-1", "expires_in": 43_200, "is_enterprise_install": false,
    });
    insta::assert_json_snapshot!(shown(exchange(Provider::Slack, answer(200, &body.to_string())).await.0));
    let body = json!({"ok": true, "access_token": "xoxb-2", "scope": "chat:write", "enterprise": {"id": "E1"}, "team": null});
    let granted = shown(refresh(Provider::Slack, answer(200, &body.to_string())).await.0);
    assert_eq!((&granted["refresh"], &granted["expires_at"]), (&Value::Null, &Value::Null), "without rotation it does not end");
    assert_eq!(granted["metadata"], json!({"enterprise_id": "E1", "scope": "chat:write"}));
}

#[tokio::test]
async fn slack_s_own_sample_is_understood() {
    let mut body: Value = serde_json::from_str(include_str!("../../tests/fixtures/slack/oauth/oauth.v2.access.json")).unwrap();
    let (what, text) = kind(exchange(Provider::Slack, answer(200, &body.to_string())).await.0);
    assert_eq!((what, text.as_str()), ("protocol", "slack oauth.v2.access: the answer is neither a token nor an error"));
    body["ok"] = true.into();
    for text in ["/access_token", "/refresh_token", "/scope", "/bot_user_id", "/team/id", "/team/name", "/authed_user/id"] {
        *body.pointer_mut(text).unwrap() = text.into();
    }
    insta::assert_json_snapshot!(shown(exchange(Provider::Slack, answer(200, &body.to_string())).await.0));
}

#[tokio::test]
async fn google_grants_an_hour_and_says_whose() {
    let claims = URL_SAFE_NO_PAD
        .encode(json!({"sub": "1180", "email": "ana@example.org", "name": "Ana ü", "aud": "google-id"}).to_string());
    let scope = "openid https://www.googleapis.com/auth/userinfo.email https://www.googleapis.com/auth/gmail.readonly";
    let mut body = json!({
        "access_token": "ya29.a", "expires_in": 3599, "refresh_token": "1//0g", "scope": scope, "token_type": "Bearer",
        "id_token": format!("e30.{claims}.c2ln"),
    });
    insta::assert_json_snapshot!(shown(exchange(Provider::Google, answer(200, &body.to_string())).await.0));
    body.as_object_mut().unwrap().remove("refresh_token");
    for bad in [json!("e30"), json!("e30.!!.x"), json!("a.bm90IGpzb24.c"), json!(7), json!(null)] {
        body["id_token"] = bad;
        let granted = shown(refresh(Provider::Google, answer(200, &body.to_string())).await.0);
        assert_eq!((&granted["refresh"], &granted["metadata"]), (&Value::Null, &json!({"scope": scope})));
    }
}

#[tokio::test]
async fn notion_grants_a_workspace() {
    let body = json!({
        "access_token": "ntn_1", "token_type": "bearer", "refresh_token": "nrt_1", "bot_id": "b-1", "workspace_icon": "🎉",
        "workspace_id": "w-1", "workspace_name": "Notes", "owner": {"type": "user", "user": {"id": "u-1", "object": "user"}},
        "duplicated_template_id": null, "request_id": "r-1",
    });
    insta::assert_json_snapshot!(shown(exchange(Provider::Notion, answer(200, &body.to_string())).await.0));
}

/// The samples of this library may not be copied; `YARNNN_CONFORMANCE_DIR` says where they are when the tests are built.
#[tokio::test]
async fn recorded_answers_of_notion_are_understood() {
    let Some(folder) = option_env!("YARNNN_CONFORMANCE_DIR") else {
        eprintln!("YARNNN_CONFORMANCE_DIR is not set: the recorded answers of Notion are not read");
        return;
    };
    let read = |name| std::fs::read_to_string(format!("{folder}/notion/jomei-testdata/{name}.json")).unwrap();
    let granted = shown(exchange(Provider::Notion, answer(200, &read("create_token"))).await.0);
    assert_eq!(granted["access"], "token1");
    let metadata = json!({"bot_id": "bot1", "workspace_id": "workspaceid_1", "workspace_name": "workspace_1"});
    assert_eq!(granted["metadata"], metadata);
    let (what, text) = kind(exchange(Provider::Notion, answer(400, &read("create_token_error"))).await.0);
    assert_eq!((what, text.as_str()), ("refused", "Notion refused: invalid_grant: Invalid code."));
}

#[tokio::test]
async fn each_error_has_its_meaning() {
    use Provider::{Google, Notion, Slack};
    let mut lines = Vec::new();
    for (provider, status, body) in [
        (Slack, 200, r#"{"ok":false,"error":"invalid_code"}"#),
        (Slack, 200, r#"{"ok":false,"error":"code_already_used"}"#),
        (Slack, 200, r#"{"ok":false,"error":"invalid_refresh_token"}"#),
        (Slack, 200, r#"{"ok":false,"error":"token_revoked"}"#),
        (Slack, 400, r#"{"error":"invalid_grant","error_description":"Token has been revoked."}"#),
        (Slack, 200, r#"{"ok":false,"error":"invalid_client_id"}"#),
        (Slack, 200, r#"{"ok":false,"error":"bad_client_secret"}"#),
        (Slack, 200, r#"{"ok":false,"error":"bad_redirect_uri"}"#),
        (Slack, 200, r#"{"ok":false,"error":"ratelimited"}"#),
        (Slack, 200, r#"{"ok":false,"error":"fatal_error"}"#),
        (Slack, 200, r#"{"ok":false,"error":"invalid_grant_type"}"#),
        (Slack, 200, r#"{"ok":false}"#),
        (Slack, 200, r#"{"ok":false,"access_token":"xoxb-1"}"#),
        (Slack, 200, r#"{"access_token":"xoxb-1"}"#),
        (Slack, 200, r#"{"ok":true,"authed_user":{"access_token":"xoxp-1"}}"#),
        (Google, 400, r#"{"error":"invalid_grant","error_description":"Token has been expired or revoked."}"#),
        (Google, 401, r#"{"error":"invalid_client","error_description":"The OAuth client was not found."}"#),
        (Google, 401, r#"{"error":"unauthorized_client"}"#),
        (Google, 400, r#"{"error":"redirect_uri_mismatch","error_description":"Bad Request"}"#),
        (Google, 403, r#"{"error":"rate_limit_exceeded"}"#),
        (Google, 400, r#"{"error":"invalid_request","error_description":"Missing required parameter: code"}"#),
        (Google, 403, r#"{"error":{"code":403,"message":"Not allowed.","status":"PERMISSION_DENIED"}}"#),
        (Google, 200, r#"{"error":"invalid_grant","access_token":"ya29.a"}"#),
        (Google, 200, r#"{"token_type":"Bearer","expires_in":3599}"#),
        (Google, 200, r#"{"access_token":""}"#),
        (Google, 200, r#"{"access_token":"ya29.a","expires_in":0}"#),
        (Google, 200, r#"{"access_token":"ya29.a","expires_in":"soon"}"#),
        (Google, 200, r#"{"access_token":"ya29.a","expires_in":99999999999999999}"#),
        (Notion, 400, r#"{"error":"invalid_grant","error_description":"Invalid code."}"#),
        (Notion, 401, r#"{"error":"invalid_client"}"#),
        (Notion, 401, r#"{"object":"error","status":401,"code":"unauthorized","message":"API token is invalid."}"#),
        (Notion, 400, r#"{"object":"error","status":400,"code":"validation_error","message":"body failed validation"}"#),
        (Notion, 409, r#"{"object":"error","status":409,"code":"conflict_error","message":"Try again."}"#),
    ] {
        let (what, text) = kind(refresh(provider, answer(status, body)).await.0);
        lines.push(format!("{provider} {status} {body}\n  {what}: {text}"));
    }
    insta::assert_snapshot!(lines.join("\n"));
}

#[tokio::test]
async fn what_is_no_answer_names_the_call() {
    let html = "<html>sign in</html>";
    let answers: [Bad; 12] = [
        (|| answer(429, "slow down"), "limited"),
        (|| answer(500, "<html>"), "unavailable"),
        (|| answer(503, r#"{"error":"invalid_grant"}"#), "unavailable"),
        (|| Err(TransportError::Broken("no answer in time".into())), "unavailable"),
        (|| Err(TransportError::TooLarge), "protocol"),
        (|| answer(200, ""), "protocol"),
        (|| answer(200, r#"{"ok":true,"access_token":"a"#), "protocol"),
        (|| answer(200, r#"["access_token"]"#), "protocol"),
        (|| answer(200, "null"), "protocol"),
        (|| answer(302, "{}"), "protocol"),
        (|| answer(404, "not found"), "protocol"),
        (|| answer(400, r#"{"error":17}"#), "protocol"),
    ];
    for provider in Provider::ALL {
        let call = super::adapter::server(provider).names().call;
        for (answered, expected) in answers {
            let (what, text) = kind(exchange(provider, answered()).await.0);
            assert!(what == expected && text.starts_with(call), "{provider} {answered:?}: {what}: {text}");
            let (what, text) = kind(refresh(provider, answered()).await.0);
            assert!(what == expected && text.starts_with(call), "{provider} {answered:?}: {what}: {text}");
        }
        let (what, text) = kind(exchange(provider, answer(200, html)).await.0);
        assert!(what == "protocol" && !text.contains("sign in"), "{text}");
        let (_, text) = kind(refresh(provider, answer(429, "")).await.0);
        assert_eq!(text, format!("{call}: rate limited until 2026-11-22 09:01:30 UTC"));
    }
}

/// Answers that repeat what was asked, and nearly a token.
fn repeating(asked: &str) -> Vec<String> {
    let long = format!("{asked}\n{}", "x".repeat(10_000));
    let answers = [
        json!({"ok": false, "error": "invalid_grant", "error_description": asked}),
        json!({"ok": false, "error": asked}),
        json!({"object": "error", "code": "other", "message": long}),
        json!({"error": {"status": "INVALID", "message": long}}),
        json!({"ok": true, "access_token": [asked, "granted-token"]}),
        json!({"ok": true, "access_token": {"granted-token": asked}}),
        json!({"ok": true, "access_token": "granted-token", "expires_in": asked}),
        json!(asked),
    ];
    answers.iter().map(Value::to_string).chain([format!("<html>{asked}"), format!("{{\"access_token\":\"{asked}")]).collect()
}

#[tokio::test]
async fn no_secret_stands_in_an_error() {
    for provider in Provider::ALL {
        let secret = format!("{provider}-secret/+=");
        let secret_in_form = format!("{provider}-secret%2F%2B%3D");
        let basic = base64::engine::general_purpose::STANDARD.encode(format!("{provider}-id:{secret}"));
        for (grant, in_form) in [(CODE, "code-4%2F0Ab"), (REFRESH, "refresh-1%2F%2F0g")] {
            let secrets = [grant, in_form, &secret, &secret_in_form, &basic, "granted-token"];
            for body in repeating(&secrets[..5].join(" and ")) {
                for status in [200, 302, 400, 401, 500] {
                    let answered = answer(status, &body);
                    let (outcome, _) = match grant {
                        CODE => exchange(provider, answered).await,
                        _ => refresh(provider, answered).await,
                    };
                    let error = outcome.unwrap_err();
                    let text = format!("{error} {error:?}");
                    let told: Vec<_> = secrets.iter().filter(|it| text.contains(**it)).collect();
                    assert!(told.is_empty(), "{provider} {status} {body}: {text}");
                    assert!(error.to_string().len() < 500 && !error.to_string().contains('\n'), "{error}");
                }
            }
        }
        let (oauth, _) = signing_in(settings(), vec![]);
        let text = format!("{oauth:?}");
        assert!(!text.contains("-secret") && text.contains("-id"), "{text}");
    }
}
