//! Slack over its Web API, and what its messages and those of export files have in common.

pub(crate) mod map;
pub(crate) mod markup;
mod rich_text;
mod stamp;
pub(crate) mod wire;
