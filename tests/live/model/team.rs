//! Slack's part of the world: channels, threads, and what people do to them.

use chrono::{DateTime, TimeDelta, Utc};
use yarnnn::platform::Platform;
use yarnnn_sim::Sim;
use yarnnn_sim::slack::Held;

use super::random::Random;
use super::words::{Words, marks};
use super::world::Expected;

/// What YARNNN does not keep.
const FILTERED: [&str; 3] = ["bot_message", "channel_join", "channel_topic"];

/// Who and where.
#[derive(Debug)]
pub(crate) struct Team {
    people: Vec<String>,
    pub(crate) channels: Vec<String>,
}

impl Team {
    /// Three people, two or three channels, and what they have said for some weeks.
    pub(crate) fn make(sim: &Sim, random: &mut Random, words: &mut Words) -> Self {
        let slack = sim.slack();
        let people: Vec<String> = ["ana", "ben", "cleo"].iter().map(|it| slack.add_user(it, &it.to_uppercase())).collect();
        let members: Vec<&str> = people.iter().map(String::as_str).collect();
        let mut channels = vec![];
        for number in 0..random.between(2, 3) {
            let channel = slack.add_channel(&format!("channel-{number}"), number == 1, &members);
            slack.bot_joins(&channel);
            channels.push(channel);
        }
        let mut team = Self { people, channels };
        for channel in team.channels.clone() {
            for _ in 0..random.between(0, 12) {
                let at = sim.now() - TimeDelta::minutes(random.between(1, 12 * 24 * 60));
                let parent = slack.post_at(&channel, &team.person(random), &words.sentence(), at);
                for _ in 0..random.between(0, 4) {
                    let later = TimeDelta::minutes(random.between(0, (sim.now() - at).num_minutes()));
                    slack.reply_at(&channel, &parent, &team.person(random), &words.sentence(), at + later);
                }
            }
        }
        team.change(sim, random, words);
        team
    }

    fn person(&self, random: &mut Random) -> String {
        random.pick(&self.people).cloned().unwrap_or_default()
    }

    /// Something happens; says what.
    pub(crate) fn change(&mut self, sim: &Sim, random: &mut Random, words: &mut Words) -> String {
        let slack = sim.slack();
        let Some(channel) = random.pick(&self.channels).cloned() else { return "no channel".to_owned() };
        let person = self.person(random);
        let held = slack.snapshot(&channel);
        let some = random.pick(&held).map(|it| it.ts.clone()).filter(|_| !random.once_in(3));
        let text = words.sentence();
        let what = match (random.below(14), some) {
            (0..=3, Some(ts)) => format!("reply to {ts}: {}", slack.reply(&channel, &ts, &person, &text)),
            (4, Some(ts)) => format!("broadcast to {ts}: {}", slack.broadcast_reply(&channel, &ts, &person, &text)),
            (5..=7, Some(ts)) => {
                slack.edit(&channel, &ts, &text);
                format!("edit {ts}")
            }
            (8..=9, Some(ts)) => {
                slack.delete(&channel, &ts);
                format!("delete {ts}")
            }
            (10, Some(ts)) => {
                slack.react(&channel, &ts, &person, "thumbsup");
                format!("react to {ts}")
            }
            (0, _) => format!("noise {}", slack.system_message(&channel, &person, "channel_join", &text)),
            (1, _) => format!("bot {}", slack.bot_message(&channel, "deploy", &text)),
            (2, _) => {
                slack.rename_user(&person, &words.word());
                format!("rename {person}")
            }
            (3, _) => {
                slack.rename_channel(&channel, &format!("renamed-{}", random.below(1_000)));
                "rename channel".to_owned()
            }
            _ => format!("post {}", slack.post(&channel, &person, &text)),
        };
        format!("slack {channel}: {what}")
    }

    /// What a sync that misses nothing stores of a channel.
    pub(crate) fn expected(&self, sim: &Sim, channel: &str) -> Vec<Expected> {
        if !self.channels.iter().any(|it| it == channel) {
            return vec![];
        }
        let life = Platform::Slack.time_to_live();
        let held = sim.slack().snapshot(channel);
        let kept = held.iter().filter(|it| !it.subtype.as_deref().is_some_and(|it| FILTERED.contains(&it)));
        let expected = |it: &Held| {
            let old_thread = it.thread_ts.as_deref().is_some_and(|it| instant(it) < sim.now() - life);
            Expected {
                id: it.ts.clone(),
                at: instant(&it.ts),
                marks: marks(&it.text),
                is_needed: !old_thread,
                is_told: it.thread_ts.is_none(),
            }
        };
        kept.map(expected).collect()
    }
}

fn instant(ts: &str) -> DateTime<Utc> {
    let micros = ts.replace('.', "").parse().unwrap_or_default();
    DateTime::from_timestamp_micros(micros).unwrap_or_default()
}
