//! Whether the authored story holds together: every name names somebody, every reply follows what it answers, every day
//! lies inside the month.
//!
//! It judges references and times, not prose.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use super::Sample;
use super::model::{Channel, Event, Mail, Post};
use super::template::{Piece, Text};

/// The days of the whole story.
pub(crate) const DAYS: RangeInclusive<i32> = -30..=7;
/// The days on which something was said: never later than the clock, whatever its time of day.
pub(crate) const PAST: RangeInclusive<i32> = -30..=-1;

/// Everything that is wrong, in sentences.
pub(crate) fn problems(sample: &Sample) -> Vec<String> {
    let mut checker = Checker { sample, found: Vec::new() };
    checker.require(sample.person(&sample.cast.owner).is_some(), || "the owner is not a member".to_owned());
    let zone = sample.cast.zone;
    checker.require(zone == chrono_tz::Europe::Lisbon, || format!("the calendar has no rules for the zone {zone}"));
    checker.keys();
    sample.channels.iter().for_each(|channel| checker.channel(channel));
    sample.mailbox.mails.iter().for_each(|mail| checker.mail(mail));
    sample.agenda.events.iter().for_each(|event| checker.event(event));
    checker.workspace();
    checker.found
}

struct Checker<'a> {
    sample: &'a Sample,
    found: Vec<String>,
}

impl Checker<'_> {
    fn require(&mut self, holds: bool, problem: impl FnOnce() -> String) {
        if !holds {
            self.found.push(problem());
        }
    }

    /// No two things of a kind share a key, because identifiers are made of keys.
    fn keys(&mut self) {
        let cast = &self.sample.cast;
        let people = cast.people.iter().map(|it| &it.key).chain(cast.contacts.iter().map(|it| &it.key));
        let workspace = &self.sample.workspace;
        let rows = workspace.databases.iter().flat_map(|it| &it.rows).map(|it| &it.key);
        let pages = workspace.pages.iter().map(|it| &it.key).chain(workspace.databases.iter().map(|it| &it.key)).chain(rows);
        let kinds: [Vec<&String>; 5] = [
            people.chain(cast.bots.iter().map(|it| &it.key)).collect(),
            self.sample.channels.iter().map(|it| &it.name).collect(),
            self.sample.mailbox.mails.iter().map(|it| &it.key).collect(),
            self.sample.agenda.events.iter().map(|it| &it.key).collect(),
            pages.collect(),
        ];
        for keys in kinds {
            let mut seen = BTreeSet::new();
            for key in keys {
                self.require(seen.insert(key), || format!("the key {key} is used twice"));
            }
        }
    }

    fn known(&mut self, place: &str, key: &str) {
        let known = self.sample.identity(key).is_some();
        self.require(known, || format!("{place}: nobody is called {key}"));
    }

    fn day(&mut self, place: &str, day: i32, days: &RangeInclusive<i32>) {
        self.require(days.contains(&day), || format!("{place}: day {day} is outside {days:?}"));
    }

    fn text(&mut self, place: &str, text: &Text) {
        for piece in text.pieces() {
            match piece {
                Piece::Day { day, .. } => self.day(place, *day, &DAYS),
                Piece::Person(key) => self.known(place, key),
                Piece::Channel(key) => {
                    let known = self.sample.channels.iter().any(|it| it.name == *key);
                    self.require(known, || format!("{place}: there is no channel {key}"));
                }
                Piece::Page(key) => self.page_key(place, key),
                Piece::Words(_) | Piece::Link { .. } => {}
            }
        }
    }

    fn page_key(&mut self, place: &str, key: &str) {
        let workspace = &self.sample.workspace;
        let known = workspace.pages.iter().any(|it| it.key == key) || workspace.databases.iter().any(|it| it.key == key);
        self.require(known, || format!("{place}: there is no page {key}"));
    }

    fn channel(&mut self, channel: &Channel) {
        for member in &channel.members {
            self.known(&channel.name, member);
        }
        for post in &channel.posts {
            self.post(&channel.name, post);
            for reply in &post.replies {
                self.post(&channel.name, reply);
                self.require(reply.at >= post.at, || format!("{}: a reply stands before {:?}", channel.name, post.at));
                self.require(reply.replies.is_empty(), || format!("{}: a reply has replies", channel.name));
            }
        }
    }

    fn post(&mut self, place: &str, post: &Post) {
        self.known(place, &post.by);
        self.day(place, post.at.day, &PAST);
        self.text(place, &post.text);
        post.reactions.values().flatten().for_each(|key| self.known(place, key));
        if let Some(edited) = post.edited {
            self.day(place, edited.day, &PAST);
            self.require(edited >= post.at, || format!("{place}: edited before it was written"));
        }
    }

    fn mail(&mut self, mail: &Mail) {
        let place = format!("mail {}", mail.key);
        self.day(&place, mail.at.day, &PAST);
        self.require(mail.text.is_some() || mail.html.is_some(), || format!("{place} is empty"));
        for key in mail.to.iter().chain(&mail.cc).chain([&mail.from]) {
            self.known(&place, key);
            self.require(!self.sample.address(key).is_empty(), || format!("{place}: {key} has no address"));
        }
        for text in [Some(&mail.subject), mail.text.as_ref(), mail.html.as_ref()].into_iter().flatten() {
            self.text(&place, text);
        }
        if let Some(answered) = &mail.answers {
            let earlier = self.sample.mail(answered).is_some_and(|it| it.at < mail.at);
            self.require(earlier, || format!("{place}: {answered} is not an earlier mail"));
        }
    }

    fn event(&mut self, event: &Event) {
        let place = format!("event {}", event.key);
        for key in event.attendees.iter().chain(&event.tentative).chain([&event.organizer]) {
            self.known(&place, key);
        }
        let moved = event.moved.iter().flat_map(|it| [it.from, it.at.day]);
        for day in event.skipped.iter().copied().chain(moved).chain([event.at.day]) {
            self.day(&place, day, &DAYS);
        }
        let ends_later = event.until.is_none_or(|until| until.0 > event.at.time);
        self.require(ends_later, || format!("{place} ends before it begins"));
        self.instances(&place, event);
        self.text(&place, &event.title);
        self.text(&place, &event.description);
        let texts = event.moved.iter().map(|it| &it.description);
        texts.for_each(|text| self.text(&place, text));
    }

    /// What is skipped or moved is an instance of the series.
    fn instances(&mut self, place: &str, event: &Event) {
        let days = i32::from(event.every_weeks.unwrap_or_default()) * 7;
        for day in event.skipped.iter().copied().chain(event.moved.iter().map(|it| it.from)) {
            let taken = day > event.at.day && (day - event.at.day).checked_rem(days) == Some(0);
            self.require(taken, || format!("{place}: the series has no instance on day {day}"));
        }
    }

    fn workspace(&mut self) {
        let workspace = &self.sample.workspace;
        for page in &workspace.pages {
            self.day(&page.title, page.edited.day, &PAST);
            self.text(&page.title, &page.body);
            self.parent(&page.title, page.parent.as_deref());
        }
        for database in &workspace.databases {
            self.parent(&database.title, database.parent.as_deref());
            for row in &database.rows {
                self.day(&row.title, row.edited.day, &PAST);
                self.day(&row.title, row.due, &DAYS);
                self.text(&row.title, &row.body);
                self.known(&row.title, &row.owner);
            }
        }
    }

    /// A parent exists, and the chain of parents ends.
    fn parent(&mut self, place: &str, parent: Option<&str>) {
        let mut above = parent;
        for _ in 0..=self.sample.workspace.pages.len() {
            let Some(key) = above else { return };
            let Some(page) = self.sample.page(key) else { break };
            above = page.parent.as_deref();
        }
        self.require(false, || format!("{place}: its parent is missing or lies in itself"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(change: impl FnOnce(&mut Sample)) -> Vec<String> {
        let mut sample = Sample::load();
        change(&mut sample);
        problems(&sample)
    }

    fn text(text: &str) -> Text {
        text.to_owned().try_into().unwrap()
    }

    #[test]
    fn names_that_name_nothing_are_found() {
        let changed = found(|sample| {
            sample.channels[0].posts[0].by = "nobody".to_owned();
            sample.channels[0].posts[1].text = text("{page:none} {#none}");
            sample.mailbox.mails[0].answers = Some("none".to_owned());
        });
        assert_eq!(
            changed,
            [
                "general: nobody is called nobody",
                "general: there is no page none",
                "general: there is no channel none",
                "mail welcome-launch: none is not an earlier mail"
            ]
        );
    }

    #[test]
    fn times_that_cannot_be_are_found() {
        let changed = found(|sample| {
            sample.channels[0].posts[0].at.day = 0;
            sample.mailbox.mails[0].subject = text("{date:+8}");
            sample.agenda.events[0].skipped.push(-14);
        });
        assert_eq!(changed.iter().filter(|it| it.contains("a reply stands before")).count(), 4);
        assert!(changed.contains(&"general: day 0 is outside -30..=-1".to_owned()), "{changed:?}");
        assert!(changed.contains(&"mail welcome-launch: day 8 is outside -30..=7".to_owned()), "{changed:?}");
        assert!(changed.contains(&"event stand-up: the series has no instance on day -14".to_owned()), "{changed:?}");
    }

    #[test]
    fn keys_and_parents_are_checked() {
        let changed = found(|sample| {
            sample.mailbox.mails[1].key = "welcome-launch".to_owned();
            sample.workspace.pages[0].parent = Some("launch-plan".to_owned());
        });
        assert!(changed.contains(&"the key welcome-launch is used twice".to_owned()), "{changed:?}");
        assert!(changed.contains(&"Harbor: its parent is missing or lies in itself".to_owned()), "{changed:?}");
    }
}
