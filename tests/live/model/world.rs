//! The whole world: four platforms of one person, and the clock that they share with the product.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use yarnnn::platform::Platform;
use yarnnn_sim::{Sim, VirtualClock};

use super::dates::Dates;
use super::mail::Mailbox;
use super::pages::Pages;
use super::random::Random;
use super::team::Team;
use super::words::{Marks, Words};

/// What a sync that misses nothing stores of one item.
#[derive(Debug, Clone)]
pub(crate) struct Expected {
    pub(crate) id: String,
    pub(crate) at: DateTime<Utc>,
    pub(crate) marks: Marks,
    /// Whether it must be there; else it may.
    pub(crate) is_needed: bool,
    /// Whether a sync that only asks what is new is told of it.
    pub(crate) is_told: bool,
}

/// The world.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) sim: Sim,
    pub(crate) clock: Arc<VirtualClock>,
    pub(crate) team: Team,
    pub(crate) dates: Dates,
    pub(crate) pages: Pages,
    mailbox: Mailbox,
    words: Words,
}

/// When all worlds begin: a Thursday, three days before the clocks are changed in New York.
fn beginning() -> DateTime<Utc> {
    DateTime::from_timestamp(1_772_701_200, 0).unwrap_or_default()
}

impl World {
    /// The world of a seed.
    pub(crate) fn of(seed: u64) -> Self {
        let mut random = Random::new(seed, 0);
        let clock = Arc::new(VirtualClock::at(beginning()));
        let sim = Sim::new(clock.clone());
        let mut words = Words::default();
        let team = Team::make(&sim, &mut random, &mut words);
        let mailbox = Mailbox::make(&sim, &mut random, &mut words);
        let dates = Dates::make(&sim, &mut random, &mut words);
        let pages = Pages::make(&sim, &mut random, &mut words);
        Self { sim, clock, team, dates, pages, mailbox, words }
    }

    /// Time passes: mostly minutes or hours, sometimes days, rarely more than any life.
    pub(crate) fn wait(&self, random: &mut Random) -> String {
        let minutes = match random.below(12) {
            0..=4 => random.between(1, 60),
            5..=8 => random.between(60, 24 * 60),
            9..=10 => random.between(24 * 60, 5 * 24 * 60),
            _ => random.between(10 * 24 * 60, 40 * 24 * 60),
        };
        let span = TimeDelta::minutes(minutes) + TimeDelta::milliseconds(random.between(0, 59_999));
        self.clock.advance(span);
        format!("{minutes} minutes pass")
    }

    /// Something happens somewhere; says what.
    pub(crate) fn change(&mut self, random: &mut Random) -> String {
        let (sim, words) = (&self.sim, &mut self.words);
        match random.below(10) {
            0..=3 => self.team.change(sim, random, words),
            4..=5 => self.mailbox.change(sim, random, words),
            6..=7 => self.dates.change(sim, random, words),
            _ => self.pages.change(sim, random, words),
        }
    }

    /// What a sync that misses nothing stores of a resource.
    pub(crate) fn expected(&self, platform: Platform, resource: &str) -> Vec<Expected> {
        match platform {
            Platform::Slack => self.team.expected(&self.sim, resource),
            Platform::Gmail => Mailbox::expected(&self.sim, resource.trim_start_matches("label:")),
            Platform::Calendar => Dates::expected(&self.sim, resource),
            Platform::Notion => Pages::expected(&self.sim, resource),
        }
    }
}
