//! What goes wrong: single answers, and rights that are lost and come back.

use std::collections::{BTreeMap, BTreeSet};

use yarnnn::connections::Provider;
use yarnnn::platform::Platform;
use yarnnn_sim::notion::Capability;
use yarnnn_sim::{Fault, Sim};

use super::random::Random;
use super::world::World;

/// Calls that list something, with whose they are.
const LISTS: [(&str, Platform); 9] = [
    ("slack.conversations.history", Platform::Slack),
    ("slack.conversations.replies", Platform::Slack),
    ("gmail.messages.list", Platform::Gmail),
    ("gmail.history.list", Platform::Gmail),
    ("calendar.events.list", Platform::Calendar),
    ("notion.data_sources.query", Platform::Notion),
    ("notion.blocks.children", Platform::Notion),
    ("notion.search", Platform::Notion),
    ("slack.conversations.list", Platform::Slack),
];
/// Of these, the lists whose entries a later sync lists once more.
const LISTED_AGAIN: usize = 6;
/// Other calls.
const OTHERS: [(&str, Platform); 7] = [
    ("slack.users.info", Platform::Slack),
    ("gmail.messages.get", Platform::Gmail),
    ("gmail.labels.list", Platform::Gmail),
    ("calendar.calendarList.list", Platform::Calendar),
    ("notion.pages.get", Platform::Notion),
    ("notion.users.me", Platform::Notion),
    ("slack.auth.test", Platform::Slack),
];

/// Tries of a call after its first.
const RETRIES: usize = 3;

/// What the faults of one round may do to it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trouble {
    /// Platforms of which something may fail, and say so.
    pub(crate) may_fail: BTreeSet<Platform>,
    /// Platforms whose lists may lack entries without saying so.
    pub(crate) silent: BTreeSet<Platform>,
    /// How many tries of each call come to nothing.
    wasted: BTreeMap<&'static str, usize>,
}

impl Trouble {
    /// Plans what goes wrong in a round; says what.
    pub(crate) fn plan(&mut self, sim: &Sim, random: &mut Random) -> Vec<String> {
        let count = [0, 0, 1, 1, 2, 3].get(random.below(6)).copied().unwrap_or(0);
        (0..count).map(|_| self.plan_one(sim, random)).collect()
    }

    fn plan_one(&mut self, sim: &Sim, random: &mut Random) -> String {
        let all: Vec<_> = LISTS.iter().chain(&OTHERS).copied().collect();
        let (mut call, mut platform) = random.pick(&all).copied().unwrap_or(LISTS[0]);
        let mut count = 1;
        let fault = match random.below(20) {
            // Limits in quick succession, more than a call bears, or longer than it waits.
            0..=3 => {
                count = usize::try_from(random.between(1, 3)).unwrap_or(1);
                Fault::RetryAfter(0)
            }
            4 => self.failing(platform, Fault::RetryAfter(3_600)),
            5 => {
                count = 9;
                self.failing(platform, Fault::RetryAfter(0))
            }
            6 => Fault::Overloaded(0),
            7 => Fault::Status(500, String::new()),
            8 => Fault::Disconnect,
            9 => Fault::TruncatedBody,
            10..=12 => Fault::DuplicatePage,
            13..=14 => {
                (call, platform) = random.pick(&LISTS[..LISTED_AGAIN]).copied().unwrap_or(LISTS[0]);
                self.silent.insert(platform);
                self.failing(platform, if random.once_in(2) { Fault::TornPage } else { Fault::EmptyOk })
            }
            15 => self.failing(platform, Fault::Html),
            16 => self.failing(platform, Fault::MalformedJson),
            17 => self.failing(platform, Fault::WrongTypes),
            18 => self.failing(platform, Fault::Redirect("http://127.0.0.1:9/elsewhere".to_owned())),
            _ => self.failing(platform, Fault::Forbidden),
        };
        let skip = random.below(4);
        self.waste(call, platform, count, &fault);
        let said = format!("{call}: {count} times {fault:?} after {skip}");
        sim.faults().after(call, skip, count, fault);
        said
    }

    /// Several faults of a call may meet in one: together they can be more than the tries that it has.
    fn waste(&mut self, call: &'static str, platform: Platform, count: usize, fault: &Fault) {
        let wasted = self.wasted.entry(call).or_default();
        if matches!(
            fault,
            Fault::RetryAfter(0) | Fault::Overloaded(_) | Fault::Status(..) | Fault::Disconnect | Fault::TruncatedBody
        ) {
            *wasted += count;
        }
        if *wasted > RETRIES {
            self.may_fail.insert(platform);
        }
    }

    fn failing(&mut self, platform: Platform, fault: Fault) -> Fault {
        self.may_fail.insert(platform);
        fault
    }
}

/// A right that is lost.
#[derive(Debug, Clone)]
pub(crate) enum Loss {
    /// The bot is out of a channel.
    Channel(String),
    /// The app may no longer read channels.
    SlackScope,
    /// A calendar is no longer shared.
    Calendar(String),
    /// Google grants Gmail no more.
    GoogleScope,
    /// A page or database is no longer shared.
    Page(String),
    /// The integration may no longer read.
    NotionReading,
    /// A token is revoked.
    Token(Provider),
}

impl Loss {
    /// One of them.
    pub(crate) fn any(world: &World, random: &mut Random) -> Self {
        let pages: Vec<String> =
            world.pages.single.iter().chain(world.pages.databases.iter().map(|(id, _)| id)).cloned().collect();
        match random.below(9) {
            0..=1 => Self::Channel(random.pick(&world.team.channels).cloned().unwrap_or_default()),
            2 => Self::SlackScope,
            3 => Self::Calendar(random.pick(&world.dates.calendars).cloned().unwrap_or_default()),
            4 => Self::GoogleScope,
            5..=6 => Self::Page(random.pick(&pages).cloned().unwrap_or_default()),
            7 => Self::NotionReading,
            _ => Self::Token(random.pick(&Provider::ALL).copied().unwrap_or(Provider::Slack)),
        }
    }

    /// Whose syncs may fail by it.
    pub(crate) fn platforms(&self) -> &'static [Platform] {
        match self {
            Self::Channel(_) | Self::SlackScope => &[Platform::Slack],
            Self::Calendar(_) => &[Platform::Calendar],
            Self::GoogleScope => &[Platform::Gmail, Platform::Calendar],
            Self::Page(_) | Self::NotionReading => &[Platform::Notion],
            Self::Token(provider) => provider.platforms(),
        }
    }

    /// It is lost. Scopes and tokens are the business of [`Installation`](super::Installation).
    pub(crate) fn begin(&self, sim: &Sim) {
        match self {
            Self::Channel(id) => sim.slack().bot_leaves(id),
            Self::Calendar(id) => _ = sim.calendar().remove_access(id),
            Self::Page(id) => _ = sim.notion().unshare(id),
            Self::NotionReading => sim.notion().refuse(Capability::ReadContent),
            Self::SlackScope | Self::GoogleScope | Self::Token(_) => {}
        }
    }

    /// It comes back.
    pub(crate) fn end(&self, sim: &Sim) {
        match self {
            Self::Channel(id) => sim.slack().bot_joins(id),
            Self::Calendar(id) => _ = sim.calendar().restore_access(id),
            Self::Page(id) => _ = sim.notion().share(id),
            Self::NotionReading => sim.notion().grant(Capability::ReadContent),
            Self::SlackScope | Self::GoogleScope | Self::Token(_) => {}
        }
    }
}
