//! The agent: one loop in which a model reads, asks for tools and writes.
//!
//! What a session may do is decided by its type. A writing session has read synced content and therefore has no tool that
//! reaches out; a research session reaches out and never sees synced content. Neither can change anything.

mod pages;
mod task;
mod web;

#[cfg(feature = "testing")]
pub use pages::MockWebPages;
pub use pages::{NewWebPage, StoredWebPage, WebPages};
pub use task::{AgentAnswer, AgentTask};
pub use web::{FetchPage, WebError, WebHit, WebHits, WebPage, WebQuery, WebSearch};
#[cfg(feature = "testing")]
pub use web::{MockFetchPage, MockWebSearch};
