//! Dates and instants of the command line.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use yarnnn::platform::Interval;

use crate::exit::UsageError;

/// An RFC 3339 instant, or a date (its first instant in UTC).
pub(super) fn instant(option: &str, text: &str) -> Result<DateTime<Utc>, UsageError> {
    let date = |text: &str| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(|it| it.and_time(NaiveTime::MIN).and_utc());
    let instant = DateTime::parse_from_rfc3339(text).ok().map(|it| it.to_utc()).or_else(|| date(text));
    let wrong = || UsageError(format!("{option}: {text:?} is no instant; write 2026-11-22 or 2026-11-22T09:00:00Z"));
    instant.filter(|it| (1970..=9999).contains(&chrono::Datelike::year(it))).ok_or_else(wrong)
}

/// `FROM..TO`.
pub(super) fn window(option: &str, text: &str) -> Result<Interval, UsageError> {
    let wrong = || UsageError(format!("{option}: {text:?} is no window; write FROM..TO, for example 2017-09-01..2017-10-01"));
    let (from, to) = text.split_once("..").ok_or_else(wrong)?;
    let window = Interval { from: instant(option, from)?, to: instant(option, to)? };
    if window.from >= window.to {
        return Err(UsageError(format!("{option}: the window {text:?} ends before it begins")));
    }
    Ok(window)
}

/// An instant for people.
pub(super) fn show(instant: Option<DateTime<Utc>>) -> String {
    instant.map_or_else(|| "–".to_owned(), |it| it.format("%Y-%m-%d %H:%M").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read_or_refused_by_name() {
        assert_eq!(instant("--as-of", "2026-11-22").unwrap().to_rfc3339(), "2026-11-22T00:00:00+00:00");
        assert!(instant("--as-of", "soon").unwrap_err().0.starts_with("--as-of: \"soon\""));
        assert!(window("--window", "2026-02-02..2026-02-01").unwrap_err().0.contains("ends before"));
        assert!(window("--window", "2026-02-02").is_err());
    }
}
