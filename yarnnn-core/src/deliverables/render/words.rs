//! Instants and stretches of time in words.

use std::borrow::Cow;

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::platform::{Interval, Platform};

/// A space without width.
const BREAK: char = '\u{200b}';

/// `20 Nov 2026, 14:03`.
pub(in super::super) fn instant(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format("%-d %b %Y, %H:%M").to_string()
}

/// `15–22 November 2026`: the local days of a stretch, both included.
pub(in super::super) fn period(window: Interval, zone: Tz) -> String {
    let from = window.from.with_timezone(&zone).date_naive();
    let to = (window.to - TimeDelta::microseconds(1)).with_timezone(&zone).date_naive();
    if from == to {
        return to.format("%-d %B %Y").to_string();
    }
    let end = to.format("%-d %B %Y");
    match (from.year() == to.year(), from.month() == to.month()) {
        (true, true) => format!("{}–{end}", from.format("%-d")),
        (true, false) => format!("{} – {end}", from.format("%-d %B")),
        _ => format!("{} – {end}", from.format("%-d %B %Y")),
    }
}

/// The platform's name for people.
pub(in super::super) const fn platform(platform: Platform) -> &'static str {
    match platform {
        Platform::Slack => "Slack",
        Platform::Gmail => "Mail",
        Platform::Notion => "Notion",
        Platform::Calendar => "Calendar",
    }
}

/// `1 item`, `2 items`.
pub(in super::super) fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// Text in which no program finds an address to make a link of: what a model wrote must not lead anywhere, and others may have
/// told it what to write. It looks as it did.
pub(in super::super) fn unlinked(text: &str) -> Cow<'_, str> {
    if !text.split_whitespace().any(is_address) {
        return text.into();
    }
    let words = text.split_inclusive(char::is_whitespace);
    words.map(|it| if is_address(it.trim_end()) { broken(it) } else { it.to_owned() }).collect()
}

/// Whether programs make a link of a word: it has a scheme, or a host and what stands there.
fn is_address(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    let has_host = || {
        let host = word.split(['/', '?', '#']).next().filter(|it| it.len() < word.len()).unwrap_or_default();
        let last = host.rsplit_once('.').map(|(_, it)| it.split(':').next().unwrap_or_default());
        last.is_some_and(|it| it.len() > 1 && it.chars().all(char::is_alphabetic))
    };
    ["://", "www.", "mailto:"].iter().any(|it| word.contains(it)) || has_host()
}

/// A word with breaks of no width where programs look for the parts of an address.
fn broken(word: &str) -> String {
    let mut out = String::with_capacity(word.len() + 12);
    for ch in word.chars() {
        match ch {
            '.' | ':' => out.extend([BREAK, ch, BREAK]),
            ch => out.push(ch),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_program_finds_an_address() {
        for address in
            ["see https://a.example/x?y", "(www.a.example)", "mailto:a@b.example", "a.example/x", "HTTP://a", "b.co:80/x"]
        {
            let shown = unlinked(address);
            let is_linked = ["://", "www.", "mailto:", "a.example", "b.co"].iter().any(|it| shown.to_lowercase().contains(it));
            assert!(!is_linked, "{address}");
            assert_eq!(shown.replace(BREAK, ""), address);
        }
        for words in ["Either/or at 10:30.", "Version 1.2/3 of it, e.g. this.", "Ana Ruiz <ana@a.example>", "A. B."] {
            assert_eq!(unlinked(words), words);
        }
    }

    fn check(from: &str, to: &str, zone: Tz, expected: &str) {
        let window = Interval { from: from.parse().unwrap(), to: to.parse().unwrap() };
        assert_eq!(period(window, zone), expected);
    }

    #[test]
    fn a_period_names_the_local_days_it_touches() {
        check("2026-11-15T00:00:00Z", "2026-11-23T00:00:00Z", Tz::UTC, "15–22 November 2026");
        check("2026-11-15T00:00:00Z", "2026-11-22T18:00:00Z", Tz::Asia__Seoul, "15–23 November 2026");
        check("2026-10-28T00:00:00Z", "2026-11-02T00:00:00Z", Tz::UTC, "28 October – 1 November 2026");
        check("2025-12-30T00:00:00Z", "2026-01-02T00:00:00Z", Tz::UTC, "30 December 2025 – 1 January 2026");
        check("2026-11-15T08:00:00Z", "2026-11-15T09:00:00Z", Tz::UTC, "15 November 2026");
    }
}
