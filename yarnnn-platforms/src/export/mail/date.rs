//! When a mail was sent: the `Date` header, else the separator line of the mailbox, else the newest `Received`.
//!
//! Years in which nobody can have sent the mail are refused rather than guessed at.

use std::ops::RangeInclusive;

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, Utc};
use mail_parser::{HeaderName, HeaderValue, Message};

/// Mail is older than the Unix epoch only by mistake, and clocks that are wrong tend to be wrong by centuries.
const YEARS: RangeInclusive<i32> = 1970..=2100;

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// The instant a mail claims, with the mailbox's own word as the first fallback.
pub(crate) fn of_message(message: &Message<'_>, separator: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    of_header(message.header(HeaderName::Date)).or(separator).or_else(|| of_received(message))
}

fn of_header(value: Option<&HeaderValue<'_>>) -> Option<DateTime<Utc>> {
    value.and_then(HeaderValue::as_datetime).and_then(plausible)
}

fn of_received(message: &Message<'_>) -> Option<DateTime<Utc>> {
    message.received_all().find_map(|received| received.date().as_ref().and_then(plausible))
}

fn plausible(date: &mail_parser::DateTime) -> Option<DateTime<Utc>> {
    if !date.is_valid() {
        return None;
    }
    DateTime::from_timestamp(date.to_timestamp(), 0).filter(|instant| YEARS.contains(&instant.year()))
}

/// The date of a mailbox's separator line: `From sender Tue Mar  3 09:00:00 2026`, with an offset before or after the year if any.
pub(super) fn of_separator(line: &[u8]) -> Option<DateTime<Utc>> {
    let line = std::str::from_utf8(line).ok()?;
    let words: Vec<&str> = line.split_ascii_whitespace().skip(1).take(12).collect();
    let at = words.iter().position(|word| clock(word).is_some())?;
    let time = clock(words.get(at)?)?;
    let day = words.get(at.checked_sub(1)?)?.parse().ok()?;
    let month = words.get(at.checked_sub(2)?).and_then(|word| month(word))?;
    let rest = words.get(at + 1..)?;
    let year = rest.iter().find(|word| word.len() == 4)?.parse().ok().filter(|year| YEARS.contains(year))?;
    let local = NaiveDate::from_ymd_opt(year, month, day)?.and_time(time).and_utc();
    local.checked_sub_signed(rest.iter().find_map(|word| offset(word)).unwrap_or_default())
}

fn clock(word: &str) -> Option<NaiveTime> {
    NaiveTime::parse_from_str(word, "%H:%M:%S").or_else(|_| NaiveTime::parse_from_str(word, "%H:%M")).ok()
}

fn month(word: &str) -> Option<u32> {
    let index = MONTHS.iter().position(|name| word.eq_ignore_ascii_case(name))?;
    u32::try_from(index + 1).ok()
}

fn offset(word: &str) -> Option<TimeDelta> {
    let sign = match word.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits = word.get(1..).filter(|it| it.len() == 4)?;
    let minutes: i64 = digits.get(..2)?.parse::<i64>().ok()? * 60 + digits.get(2..)?.parse::<i64>().ok()?;
    Some(TimeDelta::minutes(sign * minutes))
}

#[cfg(test)]
mod tests {
    use mail_parser::MessageParser;

    use super::*;

    #[test]
    fn separators_are_read_in_all_their_spellings() {
        let cases = [
            ("From ana@example.com Tue Mar  3 09:00:00 2026", Some("2026-03-03T09:00:00+00:00")),
            ("From 1234@xxx Tue Mar 03 09:00:00 +0100 2026", Some("2026-03-03T08:00:00+00:00")),
            ("From - Tue Mar 03 09:00:00 2026", Some("2026-03-03T09:00:00+00:00")),
            ("From a@b Tue Mar  3 09:00 2026 -0500", Some("2026-03-03T14:00:00+00:00")),
            ("From a@b Tue Feb 30 09:00:00 2026", None),
            ("From a@b Tue Mar  3 09:00:00 9999", None),
            ("From my point of view", None),
        ];
        for (line, expected) in cases {
            assert_eq!(of_separator(line.as_bytes()).map(|it| it.to_rfc3339()).as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn the_date_header_wins_and_absurd_years_lose() {
        let check = |raw: &str, expected: Option<&str>| {
            let message = MessageParser::default().parse_headers(raw).unwrap();
            let separator = of_separator(b"From a Sun Mar  1 00:00:00 2026");
            let found = of_message(&message, separator.filter(|_| raw.contains("X-Mbox")));
            assert_eq!(found.map(|it| it.to_rfc3339()).as_deref(), expected, "{raw}");
        };
        check("Date: Tue, 3 Mar 2026 09:00:00 +0100\nX-Mbox: 1\n\n", Some("2026-03-03T08:00:00+00:00"));
        check("Date: Tue, 3 Mar 2926 09:00:00 +0100\nX-Mbox: 1\n\n", Some("2026-03-01T00:00:00+00:00"));
        check("Received: from a by b; Mon, 2 Mar 2026 10:00:00 +0000\n\n", Some("2026-03-02T10:00:00+00:00"));
        check("Date: yesterday\n\n", None);
    }
}
