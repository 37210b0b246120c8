//! Google's Custom Search JSON API. It is closed to new customers and ends on 2027-01-01: who sets up a search now lets the model's
//! provider search instead.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::Value;
use url::Url;
use yarnnn_core::agent::{WebError, WebHit, WebHits, WebQuery, WebSearch};
use yarnnn_core::llm::Usage;

use crate::http::{HttpTransport, RawReply, Request, Transport, below};

const WHAT: &str = "google customsearch";
/// Results of one question, at most.
const MOST: u32 = 10;
/// The lengths that the port promises.
const LONGEST_QUERY: usize = 200;
const LONGEST_SNIPPET: usize = 500;
const LONGEST_TITLE: usize = 300;

/// Who asks, and which of Google's search engines.
#[derive(Debug, Clone)]
pub struct CustomSearchKeys {
    /// The API key (`GOOGLE_API_KEY`).
    pub key: SecretString,
    /// The id of the engine (`GOOGLE_CSE_ID`).
    pub engine: String,
}

/// Searches with Google.
pub struct CustomSearch {
    transport: Arc<dyn Transport>,
    base: Url,
    keys: CustomSearchKeys,
}

impl fmt::Debug for CustomSearch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CustomSearch").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}

/// An answer. Without any hit it has no `items`.
#[derive(Debug, Deserialize)]
struct Answer {
    #[serde(default)]
    items: Vec<Item>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Item {
    link: String,
    title: String,
    snippet: String,
}

impl CustomSearch {
    /// Searches over this pool of connections at this address (`https://customsearch.googleapis.com`).
    pub fn new(transport: HttpTransport, base: Url, keys: CustomSearchKeys) -> Self {
        Self::over(Arc::new(transport), base, keys)
    }

    pub(super) fn over(transport: Arc<dyn Transport>, base: Url, keys: CustomSearchKeys) -> Self {
        Self { transport, base, keys }
    }

    fn request(&self, query: &WebQuery) -> Result<Request, WebError> {
        let words: Vec<&str> = query.words.split_whitespace().collect();
        let words: String = words.join(" ").chars().take(LONGEST_QUERY).collect();
        let number = query.max_results.clamp(1, MOST).to_string();
        let (key, engine) = (self.keys.key.expose_secret(), self.keys.engine.as_str());
        let arguments = [("key", key), ("cx", engine), ("q", &words), ("num", &number)];
        let wrong = |_| WebError::NeedsOperator { setting: "SEARCH_BASE_URL", detail: "it cannot have a path".to_owned() };
        Ok(Request::get(below(&self.base, &["customsearch", "v1"], &arguments).map_err(wrong)?))
    }
}

#[async_trait]
impl WebSearch for CustomSearch {
    fn name(&self) -> String {
        "Google Custom Search".to_owned()
    }

    async fn search(&self, query: &WebQuery) -> Result<WebHits, WebError> {
        let unavailable = |reason: String| WebError::Unavailable { what: WHAT.to_owned(), source: reason.into() };
        let raw = self.transport.send(&self.request(query)?, None).await.map_err(|error| unavailable(error.to_string()))?;
        if raw.status != 200 {
            return Err(refusal(&raw));
        }
        let answer: Answer = serde_json::from_slice(&raw.body)
            .map_err(|error| unavailable(format!("the answer is not what the call promises: {error}")))?;
        let (mut seen, most) = (BTreeSet::new(), usize::try_from(query.max_results.clamp(1, MOST)).unwrap_or_default());
        let hits = answer.items.iter().filter_map(hit).filter(|it| seen.insert(it.url.clone())).take(most).collect();
        Ok(WebHits { hits, usage: Usage { searches: 1, ..Usage::default() } })
    }
}

/// A result, if it is one of the web.
fn hit(item: &Item) -> Option<WebHit> {
    let url = Url::parse(&item.link).ok().filter(|it| matches!(it.scheme(), "http" | "https") && it.has_host())?;
    let line = |text: &str, longest: usize| -> String {
        let words: Vec<&str> = text.split_whitespace().collect();
        words.join(" ").chars().filter(|it| !it.is_control()).take(longest).collect()
    };
    let (title, snippet) = (line(&item.title, LONGEST_TITLE), line(&item.snippet, LONGEST_SNIPPET));
    Some(WebHit { url: url.to_string(), title, snippet })
}

/// What is wrong, by Google's reasons where it gives any.
fn refusal(raw: &RawReply) -> WebError {
    let body: Value = serde_json::from_slice(&raw.body).unwrap_or_default();
    let text = |at: &str| body.pointer(at).and_then(Value::as_str).unwrap_or_default();
    let mut details = body.pointer("/error/details").and_then(Value::as_array).into_iter().flatten();
    let detailed = details.find_map(|it| it.get("reason")?.as_str());
    let reason = detailed.unwrap_or_else(|| text("/error/errors/0/reason"));
    let message: String = text("/error/message").chars().take(300).collect();
    let said = format!("status {} ({reason}): {message}", raw.status);
    let unavailable = |said: String| WebError::Unavailable { what: WHAT.to_owned(), source: said.into() };
    let operator = |setting, detail| WebError::NeedsOperator { setting, detail };
    match (raw.status, reason) {
        (408 | 429 | 500.., _) | (403, "rateLimitExceeded" | "userRateLimitExceeded" | "RATE_LIMIT_EXCEEDED") => {
            unavailable(said)
        }
        (403, "dailyLimitExceeded" | "quotaExceeded") => unavailable(format!("{said}; the quota of the day is used up")),
        (400, "keyInvalid" | "API_KEY_INVALID" | "keyExpired" | "API_KEY_EXPIRED") | (401 | 403, _) => {
            operator("GOOGLE_API_KEY", said)
        }
        (400, _) => operator("GOOGLE_CSE_ID", format!("{said}; it may not be the id of an engine")),
        (404 | 410, _) => operator("SEARCH_BASE_URL", format!("{said}; Custom Search ends on 2027-01-01")),
        _ => operator("SEARCH_BASE_URL", said),
    }
}
