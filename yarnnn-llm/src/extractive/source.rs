//! An item of the material with what the writer needs to know about it: its kind, its sentences and its conversation.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use yarnnn_core::llm::Material;

use super::sentence::{self, Sentence};

/// How many sentences of one item are looked at.
const SENTENCES_PER_ITEM: usize = 60;

/// What an item is, as far as its text is laid out differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A chat message; also what is not known.
    Message,
    /// A mail: greeting, body, signature, quotes.
    Mail,
    /// A page: headings, properties, lists.
    Page,
    /// An event: `When:`, `Location:` and `Attendees:` lines.
    Event,
}

impl Kind {
    fn of(platform: &str) -> Self {
        match platform {
            "gmail" => Self::Mail,
            "notion" => Self::Page,
            "calendar" => Self::Event,
            _ => Self::Message,
        }
    }
}

/// Where an item stands in its conversation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Conversation {
    /// The number of the conversation's first item; the item's own when it stands alone.
    pub(super) first: usize,
    /// How many items it has.
    pub(super) size: usize,
    /// Whether somebody else wrote in it later.
    pub(super) answered: bool,
}

/// One item.
#[derive(Debug)]
pub(super) struct Source<'a> {
    /// As it came.
    pub(super) item: &'a Material,
    /// Its number in the order of the request.
    pub(super) number: usize,
    /// What it is.
    pub(super) kind: Kind,
    /// What can be shown of it.
    pub(super) sentences: Vec<Sentence<'a>>,
    /// Its conversation.
    pub(super) conversation: Conversation,
}

impl Source<'_> {
    /// Whether the item carries a mark, with or without a count (`reactions`, `reactions:5`).
    pub(super) fn has_mark(&self, mark: &str) -> bool {
        self.item.marks.iter().any(|it| it.split([':', ' ', '=']).next() == Some(mark))
    }

    /// Whether it opens its conversation.
    pub(super) fn is_first(&self) -> bool {
        self.conversation.first == self.number
    }

    /// The name that stands before a statement: the author, for events and pages the title.
    pub(super) fn label(&self) -> Option<String> {
        let author = self.item.author.as_deref().map(person);
        let title = self.item.title.as_deref().map(plain);
        let label = match self.kind {
            Kind::Message | Kind::Mail => author.or(title),
            Kind::Page | Kind::Event => title.or(author),
        };
        label.filter(|it| !it.is_empty())
    }

    /// Oldest first, then in the order of the request; items without a time come last.
    pub(super) fn age_key(&self) -> (bool, Option<DateTime<Utc>>, usize) {
        (self.item.time.is_none(), self.item.time, self.number)
    }
}

/// Reads all items.
pub(super) fn sources<'a>(items: &[&'a Material]) -> Vec<Source<'a>> {
    let conversations = conversations(items);
    let numbered = items.iter().copied().zip(conversations).enumerate();
    numbered
        .map(|(number, (item, conversation))| {
            let kind = Kind::of(&item.platform);
            let mut sentences = sentence::sentences(&item.text, kind, item.title.as_deref());
            sentences.truncate(SENTENCES_PER_ITEM);
            Source { item, number, kind, sentences, conversation }
        })
        .collect()
}

fn conversations(items: &[&Material]) -> Vec<Conversation> {
    let mut threads: BTreeMap<(&str, &str), Vec<(usize, &Material)>> = BTreeMap::new();
    for (number, item) in items.iter().copied().enumerate() {
        // A database is no conversation: its rows do not answer each other.
        if let Some(thread) = item.thread.as_deref().filter(|_| item.platform != "notion" && item.platform != "calendar") {
            threads.entry((&item.platform, thread)).or_default().push((number, item));
        }
    }
    let mut all: Vec<_> = (0..items.len()).map(|number| Conversation { first: number, size: 1, answered: false }).collect();
    for mut members in threads.into_values() {
        members.sort_by_key(|(number, item)| (item.time.is_none(), item.time, *number));
        let first = members.first().map_or(0, |(number, _)| *number);
        let mut answered = false;
        let mut later: Option<Option<&str>> = None;
        for (number, item) in members.iter().rev() {
            let author = item.author.as_deref();
            // Walking backwards: once two authors were met, whoever wrote before them was answered by at least one of them.
            answered |= later.is_some_and(|it| it != author || it.is_none());
            if let Some(slot) = all.get_mut(*number) {
                *slot = Conversation { first, size: members.len(), answered };
            }
            later = Some(author);
        }
    }
    all
}

/// A name without the address that mail headers add to it.
pub(super) fn person(author: &str) -> String {
    let name = match author.split_once('<') {
        Some((name, address)) if name.trim().is_empty() => address,
        Some((name, _)) => name,
        None => author,
    };
    plain(name.trim().trim_matches(['"', '\'', '<', '>']))
}

/// A name or title on one line, without control characters and not endless.
pub(super) fn plain(text: &str) -> String {
    const LONGEST: usize = 100;
    let words: Vec<&str> = text.split(|it: char| it.is_whitespace() || it.is_control()).filter(|it| !it.is_empty()).collect();
    let line = words.join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default().trim_end()),
        None => line,
    }
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn mail_headers_become_names() {
        assert_eq!(person("\"Ruiz, Ana\" <ana@lumenfold.example>"), "Ruiz, Ana");
        assert_eq!(person("<ana@lumenfold.example>"), "ana@lumenfold.example");
        assert_eq!(person(" Ana\n Ruiz "), "Ana Ruiz");
    }
}
