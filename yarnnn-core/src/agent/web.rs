//! The ports to the web. Only research sessions have them, and those never see synced content.

use std::fmt;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::error::Cause;
pub use crate::llm::WebHit;
use crate::llm::{CallAccount, LlmError, Usage};

/// A search of the web.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebQuery {
    /// On whose account.
    pub account: CallAccount,
    /// The words: at most 200 characters on one line.
    pub words: String,
    /// Results, at most; 1 to 10.
    pub max_results: u32,
}

/// Results in order, each address once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebHits {
    /// The results.
    pub hits: Vec<WebHit>,
    /// What the search used, when a model made it.
    pub usage: Usage,
}

/// A page as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebPage {
    /// Where it was found in the end, after redirects.
    pub url: String,
    /// Its title.
    pub title: String,
    /// Its text, without markup; cut where the reader's limit is.
    pub text: String,
    /// When it was read.
    pub fetched_at: DateTime<Utc>,
}

/// What the web can answer instead.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WebError {
    /// It may work later.
    #[error("{what} is unavailable: {source}")]
    Unavailable {
        /// What was asked.
        what: String,
        /// Why.
        source: Cause,
    },
    /// The address is not one that may be read: not public, not the web, too large, no text.
    #[error("{url} is not read: {reason}")]
    Refused {
        /// Which address.
        url: String,
        /// Why.
        reason: String,
    },
    /// A setting is missing or wrong.
    #[error("{setting}: {detail}")]
    NeedsOperator {
        /// Its name.
        setting: &'static str,
        /// What is wrong.
        detail: String,
    },
    /// The model that searches answered with an error.
    #[error(transparent)]
    Model(#[from] LlmError),
}

/// Searches the web.
///
/// # Contract
/// Results in the engine's order, each address once, none that is no `http(s)` address. No hit is no error.
///
/// # Errors
/// [`WebError`] says whether trying again can help.
///
/// # Concurrency
/// Searches are independent.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait WebSearch: Send + Sync + fmt::Debug + 'static {
    /// What searches, for people and plans.
    fn name(&self) -> String;

    /// Searches.
    async fn search(&self, query: &WebQuery) -> Result<WebHits, WebError>;
}

/// Reads pages of the public web.
///
/// # Contract
/// Only addresses that resolve to public unicast addresses, checked for every hop, after resolution; no credentials are sent; bytes,
/// time, redirects and the ratio of compression are bounded.
///
/// # Errors
/// [`WebError`] says whether trying again can help.
///
/// # Concurrency
/// Pages are independent.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait FetchPage: Send + Sync + fmt::Debug + 'static {
    /// Reads one page.
    async fn fetch(&self, url: &str) -> Result<WebPage, WebError>;
}
