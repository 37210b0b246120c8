//! Custom Search: what is asked, and what its answers mean.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use reqwest::header::HeaderMap;
use secrecy::SecretString;
use serde_json::{Value, json};
use yarnnn_core::agent::{WebError, WebHits, WebQuery, WebSearch as _};
use yarnnn_core::id::UserId;
use yarnnn_core::llm::CallAccount;

use crate::http::{RawReply, Request, Transport, TransportError};
use crate::web::{CustomSearch, CustomSearchKeys};

#[derive(Debug)]
struct Wire {
    answer: Mutex<Option<Result<RawReply, TransportError>>>,
    asked: Mutex<Vec<Request>>,
}

#[async_trait]
impl Transport for Wire {
    async fn send(&self, request: &Request, bearer: Option<&SecretString>) -> Result<RawReply, TransportError> {
        assert!(bearer.is_none());
        self.asked.lock().unwrap().push(request.clone());
        self.answer.lock().unwrap().take().unwrap()
    }
}

async fn ask(words: &str, max_results: u32, answer: Result<RawReply, TransportError>) -> (Result<WebHits, WebError>, String) {
    let wire = Arc::new(Wire { answer: Mutex::new(Some(answer)), asked: Mutex::default() });
    let keys = CustomSearchKeys { key: "AIza-secret".into(), engine: "0123:abc".into() };
    let search = CustomSearch::over(wire.clone(), "https://customsearch.googleapis.com".parse().unwrap(), keys);
    assert!(!format!("{search:?}").contains("AIza"));
    let query = WebQuery { account: CallAccount::of(UserId::LOCAL), words: words.to_owned(), max_results };
    let outcome = search.search(&query).await;
    let asked = wire.asked.lock().unwrap()[0].url.to_string();
    (outcome, asked)
}

fn reply(status: u16, body: &Value) -> RawReply {
    RawReply { status, headers: HeaderMap::new(), body: body.to_string().into_bytes() }
}

#[tokio::test]
async fn hits_are_addresses_of_the_web_each_once_in_order() {
    let item = |link: &str| json!({"link": link, "title": "A\n title", "snippet": "what\u{a0}...\nit says"});
    let links = [
        "https://b.example/",
        "javascript:alert(1)",
        "https://a.example/x",
        "https://b.example",
        "no address",
        "http://c.example",
    ];
    let answer = json!({"kind": "customsearch#search", "items": links.map(item)});
    let (outcome, asked) = ask("  launch\nplan & more ", 3, Ok(reply(200, &answer))).await;
    let found = outcome.unwrap();
    let urls: Vec<&str> = found.hits.iter().map(|it| it.url.as_str()).collect();
    assert_eq!(urls, ["https://b.example/", "https://a.example/x", "http://c.example/"]);
    assert_eq!((found.hits[0].title.as_str(), found.hits[0].snippet.as_str()), ("A title", "what ... it says"));
    assert_eq!(found.usage.searches, 1);
    let expected =
        "https://customsearch.googleapis.com/customsearch/v1?key=AIza-secret&cx=0123%3Aabc&q=launch+plan+%26+more&num=3";
    assert_eq!(asked, expected);
}

#[tokio::test]
async fn no_hit_is_no_error_and_bounds_are_kept() {
    let (outcome, asked) =
        ask(&"long ".repeat(100), 99, Ok(reply(200, &json!({"searchInformation": {"totalResults": "0"}})))).await;
    assert_eq!(outcome.unwrap().hits, []);
    assert!(asked.ends_with("&num=10") && asked.matches("long").count() == 40, "{asked}");
    assert!(ask("x", 0, Ok(reply(200, &json!({})))).await.1.ends_with("&num=1"));
    let long = json!({"items": [{"link": "https://a.example", "title": "t".repeat(999), "snippet": "s".repeat(999)}]});
    let hits = ask("x", 1, Ok(reply(200, &long))).await.0.unwrap().hits;
    assert_eq!((hits[0].title.len(), hits[0].snippet.len()), (300, 500));
}

#[tokio::test]
async fn an_error_says_what_to_do_and_never_the_key() {
    let old = |reason: &str| json!({"error": {"code": 0, "message": "Because.", "errors": [{"reason": reason}]}});
    let new = |reason: &str| json!({"error": {"message": "Because.", "details": [{"@type": "x", "reason": reason}], "errors": [{"reason": "badRequest"}]}});
    let cases = [
        (Ok(reply(429, &new("RATE_LIMIT_EXCEEDED"))), "later"),
        (Ok(reply(429, &old("dailyLimitExceeded"))), "later"),
        (Ok(reply(403, &old("dailyLimitExceeded"))), "later"),
        (Ok(reply(403, &old("quotaExceeded"))), "later"),
        (Ok(reply(503, &Value::Null)), "later"),
        (Ok(reply(200, &json!("<html>"))), "later"),
        (Ok(reply(200, &json!({"items": 3}))), "later"),
        (Err(TransportError::Unreached("no connection".into())), "later"),
        (Err(TransportError::Broken("no answer in time".into())), "later"),
        (Ok(reply(400, &new("API_KEY_INVALID"))), "GOOGLE_API_KEY"),
        (Ok(reply(400, &old("keyInvalid"))), "GOOGLE_API_KEY"),
        (Ok(reply(403, &old("accessNotConfigured"))), "GOOGLE_API_KEY"),
        (Ok(reply(403, &new("SERVICE_DISABLED"))), "GOOGLE_API_KEY"),
        (Ok(reply(400, &old("badRequest"))), "GOOGLE_CSE_ID"),
        (Ok(reply(404, &Value::Null)), "SEARCH_BASE_URL"),
        (Ok(reply(410, &old("gone"))), "SEARCH_BASE_URL"),
        (Ok(reply(302, &Value::Null)), "SEARCH_BASE_URL"),
    ];
    for (answer, expected) in cases {
        let shown = format!("{answer:?}");
        let error = ask("x", 1, answer).await.0.unwrap_err();
        let class = match &error {
            WebError::Unavailable { .. } => "later",
            WebError::NeedsOperator { setting, .. } => setting,
            _ => "another",
        };
        assert_eq!(class, expected, "{shown}: {error}");
        assert!(!error.to_string().contains("AIza"), "{error}");
    }
}
