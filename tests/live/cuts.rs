//! Runs that are cut short, again and again, get through: no page is read twice, and nothing that came meanwhile is missed.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta};
use yarnnn::Stores;
use yarnnn::connections::Provider;
use yarnnn::platform_sync::{SyncOutcome, SyncTrigger, SyncedPlatform};
use yarnnn::platforms::http::HttpTransport;
use yarnnn_sim::{Fault, Sim, VirtualClock};

use crate::model::{FixedCapacity, Installation, Opening, Stored};

const HISTORY: &str = "slack.conversations.history";
/// Calls of one method that a run may make.
const CALLS: u32 = 11;
const MESSAGES: usize = 230;
/// Messages of one answer.
const PAGE_SIZE: usize = 5;

/// The questions for pages of the channel since a number of requests, in order.
fn asked(sim: &Sim, since: usize) -> Vec<String> {
    let all = sim.journal().all();
    all.into_iter().skip(since).filter(|it| it.call == HISTORY).map(|it| it.query).collect()
}

fn is_done(reports: &[SyncedPlatform]) -> bool {
    reports.iter().all(|it| it.outcome != SyncOutcome::Failed && it.resources.iter().all(|it| it.outcome != SyncOutcome::Failed))
}

#[tokio::test]
async fn a_huge_channel_gets_through_in_parts_and_no_page_is_read_twice() {
    let clock = Arc::new(VirtualClock::at(DateTime::from_timestamp(1_772_701_200, 0).unwrap()));
    let sim = Sim::new(clock.clone());
    let ana = sim.slack().add_user("ana", "Ana");
    let channel = sim.slack().add_channel("general", false, &[&ana]);
    sim.slack().bot_joins(&channel);
    for number in 0..MESSAGES {
        sim.slack().post(&channel, &ana, &format!("mark{number:05}"));
        clock.advance(TimeDelta::minutes(1));
    }
    let running = sim.start().await.unwrap();
    let opening = Opening::fresh(&running, clock.clone(), HttpTransport::new().unwrap()).await.unwrap();
    let mut installation = Installation::found(&sim, opening.clone()).await.unwrap();
    installation.connect(Provider::Slack).await.unwrap();
    installation.choose_all().await.unwrap();
    let before = sim.journal().count();
    let (mut runs, mut late) = (0, 0);
    loop {
        // Each run is another process: nothing is left of the one before but the database.
        let capacity = Arc::new(FixedCapacity::of("conversations.history", CALLS));
        installation.yarnnn = opening.handle_over(Stores { capacity, ..opening.stores() });
        if runs == 2 {
            sim.faults().after(HISTORY, 4, 1, Fault::RetryAfter(3_600));
        }
        let reports = installation.sync_one(Provider::Slack, SyncTrigger::Scheduled).await.unwrap();
        runs += 1;
        if is_done(&reports) {
            break;
        }
        assert!(runs < 9, "it does not get through: {reports:?}");
        // It goes on while the channel is read.
        sim.slack().post(&channel, &ana, &format!("mark{:05}", 90_000 + late));
        late += 1;
        clock.advance(TimeDelta::minutes(20));
    }
    let asked = asked(&sim, before);
    let told: BTreeSet<&String> = asked.iter().collect();
    // One question was refused, and asked again by the next run.
    assert_eq!(asked.len(), told.len() + 1, "a page was read twice: {asked:#?}");
    let pages = MESSAGES.div_ceil(PAGE_SIZE);
    assert!(asked.len() <= pages + 4, "{} calls for {pages} pages", asked.len());
    println!("{MESSAGES} messages in {runs} runs of at most {CALLS} calls: {} calls", asked.len());
    let stored = Stored::read(&installation.yarnnn, installation.user(), sim.now()).await.unwrap();
    assert_eq!(
        stored.items.values().map(std::collections::BTreeMap::len).sum::<usize>(),
        MESSAGES + late,
        "what came meanwhile too"
    );
    assert!(stored.states.values().all(|it| it.gaps.is_empty() && it.cursor.is_some() && it.last_error.is_none()), "{stored:?}");
}
