//! Slack exports, as a zip file or a folder, from 2016 to today: channels, groups and direct messages with one file per day.
//!
//! It deliberately knows nothing of Slack's live API and never guesses who the export's owner is. Start at [`SlackExport`].

mod client;
mod day;
mod directory;
mod layout;
mod map;
mod markup;
mod people;
mod rich_text;
#[cfg(test)]
mod tests;
mod wire;

pub use client::SlackExport;
pub use layout::looks_like_slack;
