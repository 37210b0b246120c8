//! A report that is too long for one message in Slack: its parts arrive in order and once, wherever the run dies between them.

use chrono::TimeDelta;
use yarnnn::deliverables::{RunRequest, RunStatus};
use yarnnn::delivery::{ChannelKind, MessageState, OutboxMessage};
use yarnnn_sim::models::{Prompt, Turn, Writer};
use yarnnn_sim::{Fault, Sim};

use super::cell::{Cell, call};
use super::cuts::Cuts;
use super::desk::Desk;
use crate::office::Office;
use crate::place::Backend;

/// Mails of which the report tells.
const MAILS: usize = 200;
const PARTS: usize = 3;

/// Tells of every mail.
#[derive(Debug)]
struct Long;

fn told(number: usize) -> String {
    // No six words in a row are those of another mail.
    format!("Crate {number:03} goes on board ship {number:03} at noon.")
}

impl Writer for Long {
    fn write(&self, _: &Prompt) -> Turn {
        let lines = (0..MAILS).map(|it| format!("- {}\n", told(it)));
        Turn::text(format!("## News\n\n{}", lines.collect::<String>()))
    }
}

/// So many mails with names and subjects so long that the list of sources alone fills messages in Slack.
fn many_mails(sim: &Sim) {
    for number in 0..MAILS {
        let at = sim.now() - TimeDelta::hours(2);
        let mail = format!(
            "From: \"{}\" <dock@quay.example>\r\nTo: Ana <ana@office.example>\r\nSubject: {number:03} {}\r\nDate: {}\r\n\
             Message-ID: <{number}@quay.example>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{}\r\n",
            "&".repeat(120),
            "&".repeat(190),
            at.to_rfc2822(),
            told(number)
        );
        sim.gmail().deliver_at(mail.as_bytes(), &["INBOX"], at);
    }
}

async fn desk(backend: Backend) -> Desk {
    let office = Office::on(backend).await;
    many_mails(&office.sim);
    let desk = Box::pin(Desk::of(office)).await;
    desk.office.sim.models().set_writer(Long);
    desk
}

/// The parts are there in their order, none twice, and the model wrote once.
async fn check(cell: &Cell<'_>, what: &str) {
    let messages = cell.messages().await;
    assert_eq!(messages.len(), PARTS, "{what}");
    let posted = cell.desk.office.sim.slack().posted(&cell.slack);
    let found: Vec<_> = posted.iter().map(|it| it.metadata.as_ref().unwrap()["event_payload"]["key"].as_str().unwrap()).collect();
    let queued: Vec<_> = messages.iter().map(|it| it.key.as_str()).collect();
    assert_eq!(found, queued, "{what}");
    for (message, posted) in messages.iter().zip(&posted) {
        assert_eq!((message.state, message.external_id.as_ref()), (MessageState::Sent, Some(&posted.ts)), "{what}");
    }
    assert_eq!(cell.calls(), 1, "{what}: calls of the model");
}

async fn every_place(backend: Backend) {
    let desk = Box::pin(desk(backend)).await;
    let cuts = Cuts::none();
    let cell = desk.cell(&[ChannelKind::Slack]).await;
    cell.run(&desk.handle(&cuts, &desk.transport)).await.unwrap();
    check(&cell, "nothing happens").await;
    let sends = |it: &String| ["start", "send", "settle"].iter().any(|step| it.contains(&format!(" {step}")));
    let places: Vec<_> = cuts.passed().into_iter().filter(sends).collect();
    assert_eq!(places.len(), 2 * 3 * PARTS, "{places:?}");
    for place in places {
        let cell = desk.cell(&[ChannelKind::Slack]).await;
        assert!(cell.crash_at(&place).await, "{place}");
        cell.finish().await;
        check(&cell, &place).await;
    }
    desk.close().await;
}

#[tokio::test]
async fn a_run_may_die_between_any_two_parts() {
    Box::pin(every_place(Backend::Sqlite)).await;
}

#[tokio::test]
async fn a_run_may_die_between_any_two_parts_on_postgres() {
    Box::pin(every_place(Backend::Postgres)).await;
}

/// A report that is written for tomorrow: its page is older than that, and found all the same.
#[tokio::test]
async fn the_page_of_a_report_for_tomorrow_is_made_once_and_finished() {
    let desk = Box::pin(desk(Backend::Sqlite)).await;
    let sim = &desk.office.sim;
    let lost_at = |call: &'static str, cell: &Cell<'_>| {
        sim.faults().once(call, Fault::AnswerLost);
        let tomorrow = sim.now() + TimeDelta::days(1);
        let request = RunRequest { as_of: Some(tomorrow), ..RunRequest::of(desk.user.id, cell.deliverable.id) };
        let yarnnn = desk.handle(&Cuts::none(), &desk.transport);
        async move { yarnnn.deliverables().run(&yarnnn.stage_cx(), &request).await }
    };
    for call in ["notion.pages.create", "notion.blocks.append"] {
        let cell = desk.cell(&[ChannelKind::Notion]).await;
        let ended = lost_at(call, &cell).await;
        assert!(!ended.is_ok_and(|it| it.status == RunStatus::Delivered), "{call}");
        assert_eq!(sim.faults().pending(), 0, "{call}");
        desk.office.wait();
        let messages = cell.finish().await.messages;
        assert!(messages.len() > 1 && messages.iter().all(|it| it.state == MessageState::Sent), "{call}: {messages:?}");
        let children = |it: &OutboxMessage| {
            let body: serde_json::Value = serde_json::from_str(&it.files[0].content).unwrap();
            body["children"].as_array().unwrap().len()
        };
        let pages = sim.notion().pages_in(&cell.page);
        assert_eq!(pages.len(), 1, "{call}: pages");
        assert_eq!(pages[0].blocks.len(), messages.iter().map(children).sum::<usize>(), "{call}: blocks");
    }
    desk.close().await;
}

/// What does not arrive, or may not have, holds up what comes behind it.
#[tokio::test]
async fn no_part_overtakes_another() {
    let desk = Box::pin(desk(Backend::Sqlite)).await;
    let faults = [
        Fault::RetryAfter(3_600),
        Fault::Disconnect,
        Fault::AnswerLost,
        Fault::Status(200, r#"{"ok":false,"error":"not_in_channel"}"#.to_owned()),
    ];
    for part in 0..PARTS {
        for fault in &faults {
            let what = format!("part {part}, {fault:?}");
            let cell = desk.cell(&[ChannelKind::Slack]).await;
            desk.office.sim.faults().after(call(ChannelKind::Slack), part, 1, fault.clone());
            let ended = cell.run_well().await;
            assert!(!ended.is_ok_and(|it| it.status == RunStatus::Delivered), "{what}");
            assert_eq!(desk.office.sim.faults().pending(), 0, "{what}");
            let arrived = part + usize::from(*fault == Fault::AnswerLost);
            assert_eq!(cell.arrived(ChannelKind::Slack), arrived, "{what}");
            let states: Vec<_> = cell.messages().await.into_iter().map(|it| it.state).collect();
            assert!(states.iter().skip(part + 1).all(|it| *it == MessageState::Pending), "{what}: {states:?}");
            desk.office.wait();
            cell.finish().await;
            check(&cell, &what).await;
        }
    }
    desk.close().await;
}
