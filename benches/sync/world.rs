//! The worlds, and a day in them.

use std::sync::Arc;

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use yarnnn::clock::Clock;
use yarnnn_sim::Sim;
use yarnnn_sim::calendar::Details;
use yarnnn_sim::notion::{Block, Place, Property, PropertyKind};

use super::size::{EDITED_ROWS, EVENTS, MAILS, MESSAGES, REPLIES, ROWS, Size, THREADS};

const CALENDAR: &str = "primary";
const WORDS: [&str; 24] = [
    "the",
    "rollout",
    "of",
    "billing",
    "moves",
    "to",
    "Thursday",
    "because",
    "our",
    "tests",
    "found",
    "two",
    "gaps",
    "and",
    "Priya",
    "wants",
    "them",
    "closed",
    "before",
    "customers",
    "see",
    "new",
    "invoices",
    "again",
];

/// A world of some size.
pub(crate) struct World {
    pub(crate) sim: Sim,
    channels: Vec<Channel>,
    /// Ids of the labels, `INBOX` first.
    pub(crate) labels: Vec<String>,
    pages: Vec<String>,
    /// Rows of each database.
    rows: Vec<Vec<String>>,
    events: Vec<(String, DateTime<Utc>)>,
    /// Counts everything that is written: no two texts are the same.
    written: usize,
}

struct Channel {
    id: String,
    message: String,
    thread: String,
    author: String,
}

impl World {
    pub(crate) fn of(size: &Size, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        let sim = Sim::new(clock);
        let mut world = Self { sim, channels: vec![], labels: vec![], pages: vec![], rows: vec![], events: vec![], written: 0 };
        world.slack(size);
        world.mails(size);
        world.calendar();
        world.notion(size)?;
        Ok(world)
    }

    fn text(&mut self, words: usize) -> String {
        self.written += 1;
        let chosen: Vec<_> = (0..words).filter_map(|it| WORDS.get((it * 7 + self.written * 5) % WORDS.len())).copied().collect();
        format!("No. {}: {}.", self.written, chosen.join(" "))
    }

    fn slack(&mut self, size: &Size) {
        let slack = self.sim.clone();
        let slack = slack.slack();
        let authors: Vec<_> =
            (0..size.authors).map(|it| slack.add_user(&format!("person{it}"), &format!("Person {it}"))).collect();
        let begin = self.sim.now() - TimeDelta::days(10);
        let step = TimeDelta::days(9) / i32::try_from(MESSAGES).unwrap_or(i32::MAX);
        for number in 0..size.channels {
            let id = slack.add_channel(&format!("channel-{number}"), false, &[]);
            slack.bot_joins(&id);
            let author = |it: usize| authors.get((it + number) % authors.len()).cloned().unwrap_or_default();
            let mut at = begin;
            let mut parents: Vec<String> = Vec::new();
            for index in 0..MESSAGES - THREADS * REPLIES {
                let text = self.text(12);
                parents.push(slack.post_at(&id, &author(index), &text, at));
                at += step;
            }
            for thread in 0..THREADS {
                for index in 0..REPLIES {
                    let text = self.text(8);
                    slack.reply_at(&id, &parents[thread * 20], &author(index), &text, at);
                    at += step;
                }
            }
            self.channels.push(Channel { id, message: parents[50].clone(), thread: parents[20].clone(), author: author(0) });
        }
    }

    fn mails(&mut self, size: &Size) {
        for number in 0..size.labels {
            let label = if number == 0 { "INBOX".to_owned() } else { self.sim.gmail().add_label(&format!("Projects/{number}")) };
            for index in 0..MAILS {
                let age = TimeDelta::hours(2 + i64::try_from(index * 9).unwrap_or(0));
                self.deliver(&label, self.sim.now() - age);
            }
            self.labels.push(label);
        }
    }

    fn deliver(&mut self, label: &str, at: DateTime<Utc>) {
        let (subject, body) = (self.text(5), self.text(80));
        let (number, date) = (self.written, at.to_rfc2822());
        let raw = format!(
            "From: Dana <dana@example.org>\r\nTo: owner@sim.example\r\nSubject: {subject}\r\nDate: {date}\r\n\
             Message-ID: <{number}@example.org>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n"
        );
        self.sim.gmail().deliver_at(raw.as_bytes(), &[label], at);
    }

    fn calendar(&mut self) {
        for index in 0..EVENTS {
            let start = self.sim.now() - TimeDelta::days(5) + TimeDelta::hours(i64::try_from(index * 10).unwrap_or(0));
            let details = Details::new(&self.text(4), start, start + TimeDelta::hours(1));
            let id = self.sim.calendar().add_event(CALENDAR, details).unwrap_or_default();
            self.events.push((id, start));
        }
    }

    fn notion(&mut self, size: &Size) -> anyhow::Result<()> {
        let edited = self.sim.now() - TimeDelta::days(20);
        for _ in 0..size.pages {
            let mut blocks: Vec<Block> = (0..12).map(|_| Block::paragraph(self.text(30))).collect();
            blocks.push(Block::toggle(self.text(4)).with(vec![Block::paragraph(self.text(20)), Block::paragraph(self.text(20))]));
            let title = self.text(4);
            let id = self.sim.notion().add_page(Place::Workspace, &title, blocks)?;
            self.sim.notion().set_times(&id, edited, edited)?;
            self.pages.push(id);
        }
        let columns = [("Stage", PropertyKind::Status), ("Points", PropertyKind::Number)];
        for _ in 0..size.databases {
            let title = self.text(3);
            let made = self.sim.notion().add_database(Place::Workspace, &title, &columns)?;
            let mut rows = Vec::new();
            for index in 0..ROWS {
                let values = [("Stage", Property::Status("Open".to_owned())), ("Points", Property::Number(index as f64))];
                let blocks = (0..3).map(|_| Block::paragraph(self.text(20))).collect();
                let title = self.text(5);
                let id = self.sim.notion().add_row(&made.data_source, &title, &values, blocks)?;
                // Edits lie apart: Notion tells them to the minute.
                let edited = edited + TimeDelta::minutes(i64::try_from(index).unwrap_or(0));
                self.sim.notion().set_times(&id, edited, edited)?;
                rows.push(id);
            }
            self.rows.push(rows);
        }
        Ok(())
    }

    /// Two of a hundred items are new or change; in every channel one message is new, one is edited, and one old thread grows.
    pub(crate) fn day(&mut self, size: &Size) -> anyhow::Result<()> {
        let texts: Vec<_> = (0..self.channels.len()).map(|_| [self.text(12), self.text(12), self.text(8)]).collect();
        for (channel, [new, edit, late]) in self.channels.iter().zip(texts) {
            let slack = self.sim.slack();
            slack.post(&channel.id, &channel.author, &new);
            slack.edit(&channel.id, &channel.message, &edit);
            slack.reply(&channel.id, &channel.thread, &channel.author, &late);
        }
        for label in self.labels.clone() {
            self.deliver(&label, self.sim.now());
        }
        let (event, start) = self.events.last().cloned().context("no event")?;
        let later = start + TimeDelta::hours(2);
        self.sim.calendar().update(CALENDAR, &event, |details| {
            (details.start, details.end) = (later.into(), (later + TimeDelta::hours(1)).into());
        });
        for page in self.pages.clone().iter().take(size.edited_pages()) {
            let text = self.text(10);
            self.sim.notion().append_block(page, Block::paragraph(text))?;
        }
        for row in self.rows.iter().flat_map(|rows| rows.iter().take(EDITED_ROWS)) {
            self.sim.notion().set_property(row, "Stage", Property::Status("Done".to_owned()))?;
        }
        Ok(())
    }
}
