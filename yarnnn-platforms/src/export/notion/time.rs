//! Times as Notion writes them into properties. Notion gives no zone, so they are read as UTC.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};

const INSTANTS: [&str; 9] = [
    "%B %d, %Y %I:%M %p",
    "%B %d, %Y %H:%M",
    "%b %d, %Y %I:%M %p",
    "%d %B %Y %H:%M",
    "%Y/%m/%d %I:%M %p",
    "%Y/%m/%d %H:%M",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S%.f",
];

const DAYS: [&str; 5] = ["%B %d, %Y", "%b %d, %Y", "%d %B %Y", "%Y/%m/%d", "%Y-%m-%d"];

/// What the properties of a page say about its age.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Times {
    pub(super) edited: Option<DateTime<Utc>>,
    pub(super) created: Option<DateTime<Utc>>,
}

impl Times {
    /// Takes a property into account if it is about editing or creation.
    pub(super) fn note(&mut self, property: &str, value: &str) {
        let property = property.trim().to_lowercase();
        let slot = match property.as_str() {
            "last edited" | "last edited time" | "last edited at" | "last_edited_time" | "edited" | "updated" | "updated at"
            | "last updated" => &mut self.edited,
            "created" | "created time" | "created at" | "created_time" | "date created" => &mut self.created,
            _ => return,
        };
        *slot = slot.or_else(|| parse(value));
    }

    /// When the page was last written, as far as it says.
    pub(super) fn best(&self) -> Option<DateTime<Utc>> {
        self.edited.or(self.created)
    }
}

/// `March 4, 2024 10:12 AM`, `2024/03/04`, ISO 8601, each with or without a time; of a range, its start.
pub(super) fn parse(text: &str) -> Option<DateTime<Utc>> {
    let start = text.split('→').next().unwrap_or(text).trim().trim_start_matches('@');
    // A zone in parentheses is a name that cannot be trusted to be one zone.
    let start = start.split('(').next().unwrap_or(start).trim();
    if let Ok(exact) = DateTime::parse_from_rfc3339(start) {
        return Some(exact.to_utc());
    }
    let instant = INSTANTS.iter().find_map(|format| NaiveDateTime::parse_from_str(start, format).ok());
    let day = || DAYS.iter().find_map(|format| NaiveDate::parse_from_str(start, format).ok());
    instant.or_else(|| Some(day()?.and_time(NaiveTime::MIN))).map(|instant| instant.and_utc())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn notions_ways_to_write_a_time_are_read() {
        let check =
            |text: &str, expected: &str| assert_eq!(parse(text).map(|it| it.to_rfc3339()).as_deref(), Some(expected), "{text}");
        check("March 4, 2024 10:12 AM", "2024-03-04T10:12:00+00:00");
        check("@March 4, 2024 1:05 PM", "2024-03-04T13:05:00+00:00");
        check("March 4, 2024 10:12 PM (GMT+1)", "2024-03-04T22:12:00+00:00");
        check("March 4, 2024 → March 6, 2024", "2024-03-04T00:00:00+00:00");
        check("2024/03/04", "2024-03-04T00:00:00+00:00");
        check("2024/03/04 10:12", "2024-03-04T10:12:00+00:00");
        check("2024-03-04T10:12:00.000Z", "2024-03-04T10:12:00+00:00");
        check("2024-03-04T10:12:00+02:00", "2024-03-04T08:12:00+00:00");
        check("4 March 2024", "2024-03-04T00:00:00+00:00");
        assert_eq!(parse("04/03/2024"), None, "day or month first: nobody knows");
        assert_eq!(parse("yesterday"), None);
    }

    #[test]
    fn editing_counts_more_than_creation() {
        let mut times = Times::default();
        times.note("Created time", "2024/03/04");
        assert_eq!(times.best(), parse("2024/03/04"));
        times.note("Last edited time", "2024/03/06");
        times.note("Status", "2024/03/07");
        assert_eq!(times.best(), parse("2024/03/06"));
    }

    proptest! {
        #[test]
        fn any_text_can_be_read(text in "[A-Za-z0-9@/:,.+→() -]{0,40}") {
            let _ = parse(&text);
        }
    }
}
