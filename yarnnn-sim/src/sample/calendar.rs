//! The owner's calendar as an iCalendar file, with the rules of the team's time zone.
//!
//! Instances of a series are never written out, as calendars do not do so either; only a moved one is an event of its own.

use chrono::{NaiveDateTime, TimeDelta};

use super::Sample;
use super::identifier;
use super::mail::MailVoice;
use super::model::{Event, Move};
use super::moment::{Moment, Timeline};
use super::template::Text;

/// The rules of Europe/Lisbon since 1996.
const LISBON: &str = "BEGIN:VTIMEZONE\r
TZID:Europe/Lisbon\r
BEGIN:DAYLIGHT\r
TZNAME:WEST\r
TZOFFSETFROM:+0000\r
TZOFFSETTO:+0100\r
DTSTART:19960331T010000\r
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r
END:DAYLIGHT\r
BEGIN:STANDARD\r
TZNAME:WET\r
TZOFFSETFROM:+0100\r
TZOFFSETTO:+0000\r
DTSTART:19961027T020000\r
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r
END:STANDARD\r
END:VTIMEZONE\r
";

/// The file's bytes.
pub(super) fn render(sample: &Sample, timeline: &Timeline) -> Vec<u8> {
    let mut file = File { sample, timeline, output: String::new() };
    for (name, value) in [("BEGIN", "VCALENDAR"), ("PRODID", "-//Lumenfold//Sample calendar//EN"), ("VERSION", "2.0")] {
        file.line(name, value);
    }
    file.line("CALSCALE", "GREGORIAN");
    file.line("METHOD", "PUBLISH");
    file.line("X-WR-CALNAME", &escaped(&sample.agenda.name));
    file.line("X-WR-TIMEZONE", sample.cast.zone.name());
    file.output.push_str(LISBON);
    for event in &sample.agenda.events {
        file.event(event);
        if let Some(moved) = &event.moved {
            file.moved(event, moved);
        }
    }
    file.line("END", "VCALENDAR");
    file.output.into_bytes()
}

struct File<'a> {
    sample: &'a Sample,
    timeline: &'a Timeline,
    output: String,
}

impl File<'_> {
    /// Writes a property, folded so that no line is longer than 75 bytes.
    fn line(&mut self, name: &str, value: &str) {
        let mut width = 0;
        for character in format!("{name}:{value}").chars() {
            if width + character.len_utf8() > 75 {
                self.output.push_str("\r\n ");
                width = 1;
            }
            self.output.push(character);
            width += character.len_utf8();
        }
        self.output.push_str("\r\n");
    }

    fn event(&mut self, event: &Event) {
        self.begin(event);
        match event.until {
            Some(until) => {
                self.local("DTSTART", self.timeline.local(event.at));
                self.local("DTEND", self.timeline.date(event.at.day).and_time(until.0));
            }
            None => self.whole_day(event.at.day),
        }
        if let Some(weeks) = event.every_weeks {
            self.line("RRULE", &format!("FREQ=WEEKLY;INTERVAL={weeks}"));
        }
        for day in &event.skipped {
            self.local("EXDATE", self.timeline.local(Moment { day: *day, time: event.at.time }));
        }
        self.describe(event, &event.description);
    }

    /// An instance of a series at another time.
    fn moved(&mut self, event: &Event, moved: &Move) {
        self.begin(event);
        self.local("RECURRENCE-ID", self.timeline.local(Moment { day: moved.from, time: event.at.time }));
        self.local("DTSTART", self.timeline.local(moved.at));
        self.local("DTEND", self.timeline.date(moved.at.day).and_time(moved.until.0));
        self.describe(event, &moved.description);
    }

    fn begin(&mut self, event: &Event) {
        self.line("BEGIN", "VEVENT");
        self.line("UID", &format!("{}@calendar.lumenfold.example", identifier::grouped("event", &event.key)));
        let stamp = self.timeline.now().format("%Y%m%dT%H%M%SZ").to_string();
        self.line("DTSTAMP", &stamp);
    }

    fn local(&mut self, name: &str, time: NaiveDateTime) {
        let zone = self.sample.cast.zone.name();
        self.line(&format!("{name};TZID={zone}"), &time.format("%Y%m%dT%H%M%S").to_string());
    }

    fn whole_day(&mut self, day: i32) {
        let first = self.timeline.date(day);
        let after = first.checked_add_signed(TimeDelta::days(1)).unwrap_or(first);
        self.line("DTSTART;VALUE=DATE", &first.format("%Y%m%d").to_string());
        self.line("DTEND;VALUE=DATE", &after.format("%Y%m%d").to_string());
    }

    fn describe(&mut self, event: &Event, description: &Text) {
        let voice = MailVoice { sample: self.sample };
        self.line("SUMMARY", &escaped(&event.title.render(self.timeline, &voice)));
        let description = description.render(self.timeline, &voice);
        for (name, value) in [("DESCRIPTION", description.trim()), ("LOCATION", event.place.as_str())] {
            if !value.is_empty() {
                self.line(name, &escaped(value));
            }
        }
        self.line("STATUS", if event.cancelled { "CANCELLED" } else { "CONFIRMED" });
        self.people(event);
        self.line("END", "VEVENT");
    }

    fn people(&mut self, event: &Event) {
        let sample = self.sample;
        let person = |key: &str| (format!("CN=\"{}\"", sample.name(key)), format!("mailto:{}", sample.address(key)));
        let (name, address) = person(&event.organizer);
        self.line(&format!("ORGANIZER;{name}"), &address);
        let accepted = event.attendees.iter().map(|key| (key, "ACCEPTED"));
        for (key, answer) in accepted.chain(event.tentative.iter().map(|key| (key, "TENTATIVE"))) {
            let (name, address) = person(key);
            self.line(&format!("ATTENDEE;{name};ROLE=REQ-PARTICIPANT;PARTSTAT={answer}"), &address);
        }
    }
}

/// A text value: separators and line ends are escaped.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace(';', "\\;").replace(',', "\\,").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_are_escaped() {
        assert_eq!(escaped("a, b; c\\d\ne"), "a\\, b\\; c\\\\d\\ne");
    }
}
