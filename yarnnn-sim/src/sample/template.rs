//! Authored text with placeholders for days, people, channels, pages and links.
//!
//! A placeholder that does not exist is an error when the story is loaded, never text in a report. How a mention looks is
//! the renderer's business; see [`Voice`].

use serde::Deserialize;

use super::moment::{Timeline, day_offset};

/// The text has a placeholder that does not exist, or one that is not closed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a placeholder; write {{date:+4}}, {{weekday:+4}}, {{@person}}, {{#channel}}, {{page:key}} or {{link:url|label}}"
)]
pub(crate) struct InvalidPlaceholder(String);

/// One part of an authored text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    Words(String),
    Day { format: &'static str, day: i32 },
    Person(String),
    Channel(String),
    Page(String),
    Link { url: String, label: String },
}

/// An authored text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Text(Vec<Piece>);

impl Text {
    pub(crate) fn pieces(&self) -> &[Piece] {
        &self.0
    }

    /// The text in the given voice.
    pub(crate) fn render(&self, timeline: &Timeline, voice: &dyn Voice) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Words(words) => voice.words(words),
            Piece::Day { format, day } => timeline.date(*day).format(format).to_string(),
            Piece::Person(key) => voice.person(key),
            Piece::Channel(key) => voice.channel(key),
            Piece::Page(key) => voice.page(key),
            Piece::Link { url, label } => voice.link(url, label),
        };
        self.0.iter().map(piece).collect()
    }
}

impl TryFrom<String> for Text {
    type Error = InvalidPlaceholder;

    fn try_from(text: String) -> Result<Self, InvalidPlaceholder> {
        let mut pieces = Vec::new();
        let mut rest = text.as_str();
        while let Some((words, after)) = rest.split_once('{') {
            if !words.is_empty() {
                pieces.push(Piece::Words(words.to_owned()));
            }
            let (inside, after) = after.split_once('}').ok_or_else(|| InvalidPlaceholder(after.to_owned()))?;
            pieces.push(placeholder(inside).ok_or_else(|| InvalidPlaceholder(inside.to_owned()))?);
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Words(rest.to_owned()));
        }
        Ok(Self(pieces))
    }
}

/// Reads what stands between the braces.
fn placeholder(inside: &str) -> Option<Piece> {
    if let Some(key) = inside.strip_prefix('@') {
        return Some(Piece::Person(key.to_owned()));
    }
    if let Some(key) = inside.strip_prefix('#') {
        return Some(Piece::Channel(key.to_owned()));
    }
    let (kind, value) = inside.split_once(':')?;
    let format = match kind {
        "page" => return Some(Piece::Page(value.to_owned())),
        "link" => {
            let (url, label) = value.split_once('|')?;
            return Some(Piece::Link { url: url.to_owned(), label: label.to_owned() });
        }
        "date" => "%-d %B",
        "weekday" => "%A",
        "day" => "%A %-d %B",
        "month" => "%B",
        "long" => "%B %-d, %Y",
        _ => return None,
    };
    Some(Piece::Day { format, day: day_offset(value)? })
}

/// How one platform writes the parts of a text.
pub(crate) trait Voice {
    fn words(&self, words: &str) -> String {
        words.to_owned()
    }
    fn person(&self, key: &str) -> String;
    fn channel(&self, key: &str) -> String;
    fn page(&self, key: &str) -> String;
    fn link(&self, url: &str, label: &str) -> String;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    struct Bare;

    impl Voice for Bare {
        fn person(&self, key: &str) -> String {
            format!("<{key}>")
        }
        fn channel(&self, key: &str) -> String {
            format!("#{key}")
        }
        fn page(&self, key: &str) -> String {
            format!("[{key}]")
        }
        fn link(&self, url: &str, label: &str) -> String {
            format!("{label} ({url})")
        }
    }

    fn render(text: &str) -> String {
        let now = "2026-03-08T12:00:00Z".parse().unwrap();
        Text::try_from(text.to_owned()).unwrap().render(&Timeline::new(now, chrono_tz::Europe::Lisbon), &Bare)
    }

    #[test]
    fn placeholders_become_what_they_stand_for() {
        assert_eq!(
            render("{@ana} moved it from {date:-2} to {weekday:+4} {date:+4}."),
            "<ana> moved it from 6 March to Thursday 12 March."
        );
        assert_eq!(render("{day:+4}, {month:-10}, {long:+4}"), "Thursday 12 March, February, March 12, 2026");
        assert_eq!(
            render("See {page:plan}, {#general}, {link:https://a.example|notes}"),
            "See [plan], #general, notes (https://a.example)"
        );
    }

    #[test]
    fn a_wrong_placeholder_is_an_error() {
        for text in ["{date:4}", "{dat:+4}", "{open", "{link:https://a.example}", "{}"] {
            assert!(Text::try_from(text.to_owned()).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[ -~{}é]{0,60}") {
            let _ = Text::try_from(text);
        }
    }
}
