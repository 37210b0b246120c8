//! Anthropic's Messages API, with what it refuses today. Who answers stands in [`models`](crate::models).
//!
//! - Tokens: one for every four bytes of the request's blocks as JSON (`cache_control` left out), and of what is written.
//! - Cache: what stands before a `cache_control` is kept for its five minutes or hour by the simulator's clock, from 1,024 tokens
//!   on (4,096 for Haiku 4.5). A later request reads the longest prefix that is kept.

mod check;
mod conversation;
mod request;
mod routes;
mod stream;
mod wire;

pub(crate) use routes::router;

#[cfg(test)]
mod tests;
