//! The authored calendar as Google holds it.

use chrono::TimeDelta;
use chrono_tz::Tz;

use super::Calendar;
use super::model::{Details, Guest, NewCalendar, When};
use super::world::PRIMARY;
use crate::Sample;
use crate::sample::identifier;
use crate::sample::mail::MailVoice;
use crate::sample::model::Event;
use crate::sample::moment::{Moment, Timeline};
use crate::sample::template::Text;

/// Fills the owner's calendar with the story's events, under the UIDs of the calendar file.
pub(crate) fn fill(calendar: &Calendar, sample: &Sample, timeline: &Timeline) {
    calendar.add_calendar(NewCalendar::new(PRIMARY, &sample.agenda.name).zone(sample.cast.zone));
    let story = Story { sample, timeline, zone: sample.cast.zone };
    for event in &sample.agenda.events {
        let key = identifier::grouped("event", &event.key);
        let uid = format!("{key}@calendar.lumenfold.example");
        let Some(id) = calendar.add_event_as(PRIMARY, &key.replace('-', ""), &uid, story.details(event)) else { continue };
        story.exceptions(calendar, &id, event);
    }
}

struct Story<'a> {
    sample: &'a Sample,
    timeline: &'a Timeline,
    zone: Tz,
}

impl Story<'_> {
    fn details(&self, event: &Event) -> Details {
        let day = self.timeline.date(event.at.day);
        let (start, end) = match event.until {
            Some(until) => (self.at(event.at), self.at(Moment { day: event.at.day, time: until.0 })),
            None => (When::Day(day), When::Day(day.checked_add_signed(TimeDelta::days(1)).unwrap_or(day))),
        };
        let mut details = Details::new(&self.text(&event.title), start, end);
        details.description = self.text(&event.description);
        details.location.clone_from(&event.place);
        details.organizer = Some(self.guest(&event.organizer, "accepted"));
        let accepted = event.attendees.iter().map(|it| self.guest(it, "accepted"));
        details.attendees = accepted.chain(event.tentative.iter().map(|it| self.guest(it, "tentative"))).collect();
        if let Some(weeks) = event.every_weeks {
            details.recurrence.push(format!("RRULE:FREQ=WEEKLY;INTERVAL={weeks}"));
        }
        for day in &event.skipped {
            let local = self.timeline.local(Moment { day: *day, time: event.at.time });
            details.recurrence.push(format!("EXDATE;TZID={}:{}", self.zone.name(), local.format("%Y%m%dT%H%M%S")));
        }
        details
    }

    /// What is no more as it was made: a moved instance, an event that was called off.
    fn exceptions(&self, calendar: &Calendar, id: &str, event: &Event) {
        if let Some(moved) = &event.moved {
            let from = self.at(Moment { day: moved.from, time: event.at.time });
            let end = self.at(Moment { day: moved.at.day, time: moved.until.0 });
            if let Some(instance) = calendar.move_instance(PRIMARY, id, from, self.at(moved.at), end) {
                calendar.update(PRIMARY, &instance, |details| details.description = self.text(&moved.description));
            }
        }
        if event.cancelled {
            calendar.cancel(PRIMARY, id);
        }
    }

    fn at(&self, moment: Moment) -> When {
        When::from(self.timeline.instant(moment))
    }

    fn text(&self, text: &Text) -> String {
        text.render(self.timeline, &MailVoice { sample: self.sample }).trim().to_owned()
    }

    fn guest(&self, key: &str, response: &str) -> Guest {
        Guest { response: response.to_owned(), ..Guest::new(self.sample.address(key), self.sample.name(key)) }
    }
}
