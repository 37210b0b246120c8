//! Schedules as they are stored: `{frequency, day, time, timezone}`, and `cron` and `pinned` where there is something to say.
//!
//! What is written is exact. What is read never fails, because rows of older installations hold nulls and worse (dossier §6.2;
//! §13, 42), and a row that cannot be read would stop its report for good.

use chrono::{NaiveTime, Weekday};
use chrono_tz::Tz;
use serde::Serializer;
use serde_json::Value;

use super::cron::Cron;
use super::recurrence::{Frequency, Schedule};
use super::words::{day_name, monday, nine, parse_time};

impl Schedule {
    /// Reads a stored schedule; null, an empty object and what is no object are none. A line that can be read makes it custom,
    /// whatever its frequency says; without one, an unknown or missing frequency is weekly. A day that cannot be read is Monday,
    /// a time 09:00, a zone UTC. It is pinned if it says so, or says nothing and has a time.
    pub fn stored(value: &Value) -> Option<Self> {
        value.as_object().filter(|it| !it.is_empty())?;
        let text = |field: &str| value.get(field).and_then(Value::as_str);
        let cron = text("cron").and_then(|it| Cron::read(it).ok());
        let named = Frequency::ALL.into_iter().find(|it| *it != Frequency::Custom && text("frequency") == Some(it.as_str()));
        let time = text("time").and_then(parse_time);
        let said = value.get("pinned").and_then(Value::as_bool);
        Some(Self {
            frequency: if cron.is_some() { Frequency::Custom } else { named.unwrap_or(Frequency::Weekly) },
            day: text("day").and_then(|it| it.parse().ok()).unwrap_or_else(monday),
            time: time.unwrap_or_else(nine),
            timezone: text("timezone").and_then(|it| it.parse().ok()).unwrap_or(Tz::UTC),
            pinned: cron.is_some() || said.unwrap_or(time.is_some()),
            cron,
        })
    }
}

impl From<Value> for Schedule {
    /// As [`Schedule::stored`]; what is none is weekly with every default.
    fn from(value: Value) -> Self {
        let weekly =
            Self { frequency: Frequency::Weekly, day: monday(), time: nine(), timezone: Tz::UTC, cron: None, pinned: false };
        Self::stored(&value).unwrap_or(weekly)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde takes")]
pub(super) fn day<S: Serializer>(day: &Weekday, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&day_name(*day).to_lowercase())
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde takes")]
pub(super) fn time<S: Serializer>(time: &NaiveTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&time.format("%H:%M"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let pinned = Schedule::parse("biweekly", Some("friday"), Some("17:30"), Some("Europe/Berlin")).unwrap();
        let object = json!({ "frequency": "biweekly", "day": "friday", "time": "17:30", "timezone": "Europe/Berlin" });
        assert_eq!(json!(pinned), object);
        let spread = Schedule { pinned: false, ..pinned.clone() };
        assert_eq!(json!(spread)["pinned"], false);
        let custom = Schedule::custom("0 9 * * mon-fri", Some("Asia/Seoul")).unwrap();
        let cron = "0 9 * * mon-fri";
        let object = json!({ "frequency": "custom", "day": "monday", "time": "09:00", "timezone": "Asia/Seoul", "cron": cron });
        assert_eq!(json!(custom), object);
        for schedule in [pinned, spread, custom] {
            assert_eq!(serde_json::from_value::<Schedule>(json!(schedule)).unwrap(), schedule);
            assert_eq!(Schedule::stored(&json!(schedule)), Some(schedule));
        }
    }

    #[test]
    fn rows_of_older_installations_read_as_the_defaults() {
        let weekly = Schedule::parse("weekly", None, None, None).unwrap();
        let (daily, pinned) = (Schedule::parse("daily", None, None, None).unwrap(), Schedule { pinned: true, ..weekly.clone() });
        let cron = |text: &str| Schedule { timezone: Tz::Asia__Seoul, ..Schedule::from(json!({ "cron": text })) };
        let rows = [
            (json!({ "frequency": "weekly", "day": null, "time": "25:99" }), &weekly),
            (json!({ "frequency": "hourly", "day": "someday", "time": 9, "timezone": "Mars/Base" }), &weekly),
            (json!({ "frequency": null, "cron": null, "pinned": "yes" }), &weekly),
            (json!({ "frequency": "daily", "cron": "@reboot" }), &daily),
            (json!({ "frequency": "custom", "cron": "0 0 30 2 *" }), &weekly),
            (json!({ "frequency": "custom", "cron": "0 0 0 * * *", "day": ["monday"] }), &weekly),
            (json!({ "frequency": "weekly", "time": "09:00" }), &pinned),
            (json!({ "frequency": "daily", "cron": "*/5 * * * *", "timezone": "Asia/Seoul" }), &cron("*/5 * * * *")),
        ];
        for (row, expected) in rows {
            assert_eq!(Schedule::stored(&row).as_ref(), Some(expected), "{row}");
        }
        for nothing in [json!(null), json!({}), json!("weekly"), json!([])] {
            assert_eq!(Schedule::stored(&nothing), None, "{nothing}");
        }
        assert_eq!(cron("*/5 * * * *").next_after("2026-01-01T00:00:00Z".parse().unwrap()).timestamp() % 3_600, 300);
    }
}
