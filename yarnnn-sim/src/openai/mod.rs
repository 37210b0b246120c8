//! `OpenAI`: chat completions, responses and the list of models. Who answers stands in [`models`](crate::models).
//!
//! - Tokens: one for every four bytes of the request's messages and tools as JSON, and of what is written. Current models think
//!   before they answer; their thoughts count as written and are not shown.
//! - Cache: every prefix from 1,024 tokens on is kept for ten minutes, without being asked for.

mod chat;
mod check;
mod list;
mod responses;
mod routes;

pub(crate) use routes::router;

#[cfg(test)]
mod tests;
