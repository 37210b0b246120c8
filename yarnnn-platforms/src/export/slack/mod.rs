//! Slack exports, as a zip file or a folder, from 2016 to today: channels, groups and direct messages with one file per day.
//!
//! It deliberately knows nothing of Slack's live API and never guesses who the export's owner is. Start at [`SlackExport`].

mod client;
mod day;
mod directory;
mod elements;
mod layout;
mod people;
#[cfg(test)]
mod tests;

pub use client::SlackExport;
pub use layout::looks_like_slack;
