//! Names: what may stand in a label or heading of a report without being said by anybody.
//!
//! These are the headings of the types, words for parts of a report, and who, where, what and when the items are. Everything else in bold or in a heading is
//! a statement like any other.

use std::collections::HashSet;

use unicode_segmentation::UnicodeSegmentation as _;

use super::gathering::material::MaterialItem;
use super::kinds::Kind;
use super::report::headings::names_a_part;
use super::report::render::words;
use crate::platform::Platform;

/// What stands between names that are named together.
const SEPARATORS: [&str; 8] = [": ", ", ", " and ", " & ", " / ", " – ", " — ", " ("];
/// Signs that replies and forwards put before a subject.
const REPLY_SIGNS: [&str; 5] = ["re", "aw", "fwd", "fw", "wg"];
/// Names of days and months begin like this.
const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const MONTHS: [&str; 12] =
    ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"];
/// Words of a message that name its conversation.
const OPENING_WORDS: usize = 8;
/// Names that are shortened in a label are at least as long.
const SHORTENED_CHARS: usize = 80;
/// Longest topic.
const TOPIC_CHARS: usize = 30;

/// The names of a report.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// Headings, authors, places, titles, threads.
    known: HashSet<String>,
    /// Single words of the items.
    topics: HashSet<String>,
    /// The first words of sentences of the items.
    openings: HashSet<String>,
}

impl Names {
    /// The names of what a report is written from.
    pub fn of(items: &[MaterialItem]) -> Self {
        let mut names = Self::default();
        for kind in Kind::ALL {
            names.add(kind.label());
            kind.profile().sections.iter().for_each(|it| names.add(&it.heading));
        }
        for platform in Platform::ALL {
            names.add(words::platform(platform));
        }
        for item in items {
            names.add_item(item);
        }
        names
    }

    fn add(&mut self, name: &str) {
        self.known.extend(Some(key(name)).filter(|it| !it.is_empty()));
    }

    fn add_item(&mut self, item: &MaterialItem) {
        self.add(&item.place);
        for name in item.author.iter().chain(&item.title).chain(&item.thread) {
            self.add(name);
        }
        if let Some((name, address)) = item.author.as_deref().and_then(|it| it.split_once('<')) {
            self.add(if name.trim().is_empty() { address } else { name });
        }
        let titles = [item.title.as_deref().unwrap_or_default(), &item.place];
        self.add(without_reply_signs(titles[0]));
        for text in titles.into_iter().chain([item.content.as_str()]) {
            self.topics.extend(text.unicode_words().filter(|it| it.chars().count() <= TOPIC_CHARS).map(key));
        }
        self.openings.extend(openings(&item.content));
    }

    /// Whether a label only names.
    pub(super) fn knows(&self, label: &str) -> bool {
        let label = label.trim();
        let label = label.strip_suffix("(to do)").unwrap_or(label).trim();
        let label = label.trim_end_matches(':');
        self.is_name(label) || is_day(label) || names_a_part(label) || self.is_compound(label)
    }

    /// Whether a heading only names. One word of the material is a topic, below a section.
    pub(super) fn knows_heading(&self, level: u8, heading: &str) -> bool {
        let is_word = || heading.unicode_words().count() == 1 && self.topics.contains(&key(heading));
        self.knows(heading) || level > 2 && is_word()
    }

    fn is_name(&self, text: &str) -> bool {
        let name = key(text);
        let is_shortened = text.ends_with('…') && text.chars().count() >= SHORTENED_CHARS;
        self.known.contains(&name) || is_shortened && self.known.iter().any(|it| it.starts_with(&name))
    }

    /// Names one behind the other; the last may be a day or, behind a place, the first words of a conversation.
    fn is_compound(&self, text: &str) -> bool {
        let mut cuts: Vec<(usize, usize)> =
            SEPARATORS.iter().flat_map(|it| text.match_indices(it).map(|(at, found)| (at, at + found.len()))).collect();
        cuts.sort_unstable();
        let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
        let mut starts = vec![0];
        for (end, next) in cuts {
            if starts.iter().any(|from| self.is_name(part(*from, end))) {
                starts.push(next);
            }
        }
        let is_last = |it: &str| self.is_name(it) || is_day(it) || self.openings.contains(&key(it));
        starts.into_iter().skip(1).any(|from| is_last(part(from, text.len())))
    }
}

/// A name without case, punctuation and spaces; signs without a letter or digit are themselves.
fn key(name: &str) -> String {
    let lower = name.to_lowercase();
    let words: Vec<&str> = lower.split(|it: char| !it.is_alphanumeric()).filter(|it| !it.is_empty()).collect();
    if words.is_empty() { lower.trim().to_owned() } else { words.join(" ") }
}

fn without_reply_signs(title: &str) -> &str {
    let mut rest = title.trim();
    while let Some((sign, subject)) = rest.split_once(':') {
        if !REPLY_SIGNS.contains(&sign.trim().to_lowercase().as_str()) {
            break;
        }
        rest = subject.trim_start();
    }
    rest
}

/// The first words of every sentence and line.
fn openings(content: &str) -> HashSet<String> {
    let mut words: Vec<(&str, bool)> = Vec::new();
    for line in content.lines() {
        words.extend(line.split_whitespace().map(|it| (it, it.ends_with(['.', '!', '?', ':', ';', ',', '>', '-', '*', '•']))));
        words.last_mut().into_iter().for_each(|(_, ends)| *ends = true);
    }
    let mut found = HashSet::new();
    let mut begins = true;
    for index in 0..words.len() {
        let opening = words.get(index..).unwrap_or_default();
        let said = |count: usize| key(&opening.iter().take(count).map(|(it, _)| *it).collect::<Vec<_>>().join(" "));
        if begins {
            found.insert(said(OPENING_WORDS));
            let end = opening.iter().take(OPENING_WORDS).position(|(_, ends)| *ends);
            found.extend(end.map(|it| said(it + 1)));
        }
        begins = opening.first().is_some_and(|(it, ends)| *ends || it.starts_with('@'));
    }
    found
}

/// `Friday 6 March 2026`, `15–22 November`, `2026-03-07 14:00`.
fn is_day(text: &str) -> bool {
    const MOST_WORDS: usize = 8;
    let text = key(text);
    let words: Vec<&str> = text.split(' ').collect();
    let is_named = |it: &str| DAYS.iter().chain(&MONTHS).any(|name| it == *name || it.len() == 3 && name.starts_with(it));
    let is_number = |it: &str| matches!(it.len(), 1 | 2 | 4) && it.bytes().all(|byte| byte.is_ascii_digit());
    let is_date = words.first().is_some_and(|it| it.len() == 4) && words.len() >= 3;
    words.len() <= MOST_WORDS
        && words.iter().all(|it| is_named(it) || is_number(it) || matches!(*it, "at" | "am" | "pm" | "utc"))
        && (is_date || words.iter().any(|it| is_named(it)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliverables::testing::item;

    fn names() -> Names {
        let mut mail = item("@channel Hello team,\nwe moved the launch to Thursday because the importer is slow. All is well.");
        mail.author = Some("\"Ruiz, Ana\" <ana@x.example>".into());
        mail.title = Some("Re: AW: Import, second try".into());
        mail.place = "#harbor-launch".into();
        Names::of(&[mail, item("Ship it.")])
    }

    #[test]
    fn who_where_what_and_when_are_names() {
        for name in [
            "Next steps",
            "Ana",
            "Ruiz, Ana",
            "#harbor-launch",
            "Import, second try",
            "Import, second try (to do)",
            "Ana (#harbor-launch)",
            "Ruiz, Ana and Ana",
            "Friday 6 March",
            "15–22 November 2026",
            "2026-03-07",
            "Import, second try, Saturday 7 March 14:00",
            "#harbor-launch: Import, second try",
            "#harbor-launch: we moved the launch to Thursday because the…",
            "#general: Ship it",
        ] {
            assert!(names().knows(name), "{name}");
        }
        assert!(names().knows_heading(3, "Importer"));
    }

    #[test]
    fn what_says_something_is_no_name() {
        for claim in [
            "The CEO resigned",
            "Ana resigned",
            "Ana, the CEO, resigned",
            "Ana: the launch is cancelled",
            "#harbor-launch: the importer is slow",
            "Next steps [1]",
            "Ana [1]",
            "Importer",
            "Friday we close",
            "412",
            "May 530",
            "We moved the launch to Thursday because the…",
            "",
        ] {
            assert!(!names().knows(claim), "{claim}");
        }
        assert!(!names().knows_heading(2, "Importer"));
        assert!(!names().knows_heading(3, "Bankrupt"));
    }
}
