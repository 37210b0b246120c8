//! The authored sample workspace and its renderers. Start at [`Sample`].
//!
//! Nothing here reads an export, and nothing here is random: the story is data, the clock is an argument.

mod archive;
mod calendar;
mod check;
pub mod generate;
pub(crate) mod identifier;
pub(crate) mod mail;
pub(crate) mod model;
pub(crate) mod moment;
mod notion;
mod slack;
mod story;
pub(crate) mod template;

pub use model::Person;
pub(crate) use slack::records as slack_records;
pub use story::{Sample, SampleCounts, SampleFiles};

#[cfg(test)]
mod tests;
