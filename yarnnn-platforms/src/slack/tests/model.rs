//! Random lives of a channel: whatever happens between syncs, what is stored is what is there, minus what is named.

use std::sync::Arc;

use chrono::TimeDelta;
use proptest::prelude::*;
use yarnnn_core::platform::{Budget, FetchMode, GapKind};

use super::workspace::{Fault, Fetched, Workspace};

/// Something happens; the numbers choose whom it happens to.
#[derive(Debug, Clone)]
enum Event {
    Post(u8),
    Reply(u8),
    Edit(u8),
    Delete(u8),
    Wait(u8),
    Sync(u8),
    Audit,
    Trouble(bool, Trouble),
}

#[derive(Debug, Clone, Copy)]
enum Trouble {
    Broken,
    Torn,
    Empty,
}

fn event() -> impl Strategy<Value = Event> {
    let trouble = prop_oneof![Just(Trouble::Broken), Just(Trouble::Torn), Just(Trouble::Empty)];
    prop_oneof![
        6 => (1_u8..40).prop_map(Event::Post),
        6 => any::<u8>().prop_map(Event::Reply),
        2 => any::<u8>().prop_map(Event::Edit),
        3 => any::<u8>().prop_map(Event::Delete),
        2 => (1_u8..6).prop_map(Event::Wait),
        6 => (3_u8..30).prop_map(Event::Sync),
        1 => Just(Event::Audit),
        2 => (any::<bool>(), trouble).prop_map(|(history, trouble)| Event::Trouble(history, trouble)),
    ]
}

struct Life {
    slack: Arc<Workspace>,
    stored: Fetched,
    serial: usize,
}

impl Life {
    fn pick(&self, choice: u8, among: impl Fn(&str) -> bool) -> Option<String> {
        let ids: Vec<String> = self.slack.truth().into_keys().filter(|it| among(it)).collect();
        ids.get(usize::from(choice) % ids.len().max(1)).cloned()
    }

    fn say(&mut self) -> String {
        self.slack.clock.advance(TimeDelta::minutes(1));
        self.serial += 1;
        format!("text {}", self.serial)
    }

    async fn happen(&mut self, event: Event) {
        let now = TimeDelta::zero();
        match event {
            Event::Post(count) => (0..count).for_each(|_| {
                let text = self.say();
                self.slack.post(now, &text);
            }),
            Event::Reply(choice) => {
                let text = self.say();
                if let Some(parent) = self.pick(choice, |it| self.slack.is_top_level(it)) {
                    self.slack.reply(&parent, now, &text);
                }
            }
            Event::Edit(choice) => {
                let text = self.say();
                if let Some(id) = self.pick(choice, |_| true) {
                    self.slack.edit(&id, &text);
                }
            }
            Event::Delete(choice) => {
                if let Some(id) = self.pick(choice, |_| true) {
                    self.slack.delete(&id);
                }
            }
            Event::Wait(hours) => self.slack.clock.advance(TimeDelta::hours(hours.into())),
            Event::Sync(cap) => self.sync(Some(cap.into())).await,
            Event::Audit => self.audit().await,
            Event::Trouble(history, trouble) => {
                let method = if history { "conversations.history" } else { "conversations.replies" };
                let fault = match trouble {
                    Trouble::Broken => Fault::Broken,
                    Trouble::Torn => Fault::Torn,
                    Trouble::Empty => Fault::Empty,
                };
                self.slack.fault(method, 0, fault);
            }
        }
    }

    /// A sync that fails leaves everything as it was.
    async fn sync(&mut self, cap: Option<u32>) {
        let mode = match &self.stored.cursor {
            Some(cursor) => FetchMode::Since(cursor.clone()),
            None => FetchMode::Start { window: self.slack.window() },
        };
        let budget = Budget { cap, max_items: 7, ..Budget::default() };
        if let Ok(fetched) = self.slack.fetch(mode, budget).await {
            self.stored.store(fetched);
        }
    }

    async fn audit(&mut self) {
        if let Ok(audited) = self.slack.audit(&self.stored).await {
            let gaps = std::mem::take(&mut self.stored.gaps);
            self.stored.store(audited);
            self.stored.gaps = gaps;
        }
    }

    fn is_named(&self, ts: &str) -> bool {
        let at = ts.parse::<crate::slack::stamp::Ts>().unwrap().instant().unwrap();
        let cuts = self.stored.gaps.iter().filter(|it| it.kind == GapKind::Cap);
        cuts.into_iter().any(|it| it.from.is_none_or(|from| from <= at) && it.to.is_none_or(|to| at < to))
    }

    /// Top-level messages that are missing and lie in no gap.
    fn unnamed(&self) -> Vec<String> {
        let missing = |it: &String| self.slack.is_top_level(it) && !self.stored.items.contains_key(it) && !self.is_named(it);
        self.slack.truth().into_keys().filter(missing).collect()
    }
}

async fn live(events: Vec<Event>) -> Result<(), TestCaseError> {
    // A list that was cut at its end does not show it: the next sweep does.
    let mut is_deceived = false;
    let mut life = Life { slack: Workspace::new(), stored: Fetched::default(), serial: 0 };
    for event in events {
        is_deceived |= matches!(event, Event::Trouble(_, Trouble::Torn | Trouble::Empty));
        let is_sync = matches!(event, Event::Sync(_));
        life.happen(event).await;
        if is_sync && !is_deceived {
            prop_assert_eq!(life.unnamed(), Vec::<String>::new());
        }
    }
    life.slack.calm();
    life.slack.clock.advance(TimeDelta::hours(7));
    life.sync(None).await;
    life.sync(None).await;
    if !is_deceived {
        // A sweep sees everything but what was deleted, and edits of replies.
        let missing: Vec<String> = life.slack.truth().into_keys().filter(|it| !life.stored.items.contains_key(it)).collect();
        prop_assert_eq!(missing, Vec::<String>::new());
    }
    life.audit().await;
    prop_assert_eq!(life.stored.gaps.len(), 0);
    prop_assert_eq!(life.stored.texts(), life.slack.truth());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn what_is_stored_is_what_is_there(events in prop::collection::vec(event(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(live(events))?;
    }
}
