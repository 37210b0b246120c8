//! Instants and stretches of time in words.

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::platform::{Interval, Platform};

/// `20 Nov 2026, 14:03`.
pub(in crate::deliverables) fn instant(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format("%-d %b %Y, %H:%M").to_string()
}

/// `15–22 November 2026`: the local days of a stretch, both included.
pub(in crate::deliverables) fn period(window: Interval, zone: Tz) -> String {
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
pub(in crate::deliverables) const fn platform(platform: Platform) -> &'static str {
    match platform {
        Platform::Slack => "Slack",
        Platform::Gmail => "Mail",
        Platform::Notion => "Notion",
        Platform::Calendar => "Calendar",
    }
}

/// `1 item`, `2 items`.
pub(in crate::deliverables) fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// At most so many characters of a text; what was cut is shown to be.
pub(in crate::deliverables) fn shortened(text: &str, most: usize) -> String {
    if text.chars().nth(most).is_none() {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_too_long_is_cut() {
        for (text, expected) in
            [("abcd", "abcd"), ("abcde", "abc…"), ("ab cde", "ab…"), ("", ""), ("äöüß", "äöüß"), ("äöüßx", "äöü…")]
        {
            assert_eq!(shortened(text, 4), expected);
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
