//! Drafts and pages in doubt that their reader has touched meanwhile, and reports of several parts.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use yarnnn::delivery::{Channel, ChannelKind, Letter, LookedUp, MessageState, OutboxFile, OutboxMessage, SendError};
use yarnnn::id::{MessageId, VersionId};
use yarnnn::platforms::LivePlatforms;
use yarnnn::platforms::http::HttpTransport;
use yarnnn_sim::Fault;
use yarnnn_sim::notion::{Capability, Place};

use super::cuts::Cuts;
use super::desk::Desk;

const ANA: &str = "ana@readers.example";

fn letter(channel: ChannelKind, target: &str, markdown: &str, date: DateTime<Utc>) -> Letter {
    Letter {
        key: format!("a-deliverable/v1/{}", channel.as_str()),
        target: target.to_owned(),
        recipient: ANA.to_owned(),
        subject: "Wöchentlicher Stand".to_owned(),
        date,
        since: date,
        stem: "stand".to_owned(),
        markdown: markdown.to_owned(),
        html: "<p>Stand</p>".to_owned(),
        text: "Stand".to_owned(),
        chat: String::new(),
    }
}

/// The messages of a letter, as the outbox has them after a first attempt that ended in doubt.
fn in_doubt(desk: &Desk, channel: &dyn Channel, letter: &Letter) -> Vec<OutboxMessage> {
    let message = |(index, files): (usize, Vec<OutboxFile>)| OutboxMessage {
        id: MessageId::from_uuid(uuid::Uuid::nil()),
        user: desk.user.id,
        version: Some(VersionId::from_uuid(uuid::Uuid::nil())),
        key: letter.part_key(index),
        channel: channel.kind(),
        target: letter.target.clone(),
        files,
        state: MessageState::Unknown,
        attempts: 2,
        first_attempt_at: Some(letter.date),
        external_id: None,
        error: None,
    };
    channel.compose(letter).unwrap().into_iter().enumerate().map(message).collect()
}

fn channels(desk: &Desk) -> (Arc<dyn Channel>, Arc<dyn Channel>) {
    let transport = HttpTransport::new().unwrap();
    let live = LivePlatforms::new(transport.clone(), desk.config.platforms.bases.clone(), desk.office.clock.clone());
    let access = Arc::new(desk.handle(&Cuts::none(), &transport).connections().unwrap());
    (Arc::new(live.gmail_channel(access.clone())), Arc::new(live.notion_channel(access)))
}

/// A service that does what it is asked, and whose answer does not come.
async fn lost(desk: &Desk, channel: &dyn Channel, call: &'static str, message: &OutboxMessage) {
    desk.office.sim.faults().once(call, Fault::AnswerLost);
    let error = channel.send(message).await.unwrap_err();
    assert!(matches!(error, SendError::Unknown { .. }), "{error}");
    desk.office.wait();
}

#[tokio::test]
async fn a_draft_in_doubt_is_found_wherever_its_owner_left_it() {
    let desk = Desk::on_sqlite().await;
    let (gmail, _) = channels(&desk);
    let mailbox = desk.office.sim.gmail();
    let letter = letter(ChannelKind::Gmail, ANA, "", desk.office.sim.now());
    let message = &in_doubt(&desk, gmail.as_ref(), &letter)[0];
    gmail.ready(desk.user.id, ANA).await.unwrap();
    assert_eq!(gmail.look_up(message).await.unwrap(), LookedUp::NotThere);
    lost(&desk, gmail.as_ref(), "gmail.drafts.create", message).await;
    let draft = mailbox.drafts_to(ANA).remove(0);
    let LookedUp::Arrived(receipt) = gmail.look_up(message).await.unwrap() else { panic!("it is there") };
    assert_eq!(receipt.external_id, draft.id);
    // Its owner has sent it: it may be found by nothing but its subject.
    assert!(mailbox.send_draft(&draft.id));
    let LookedUp::CannotTell { reason } = gmail.look_up(message).await.unwrap() else { panic!("nobody can say") };
    assert!(reason.contains("look into your drafts"), "{reason}");
    desk.close().await;
}

#[tokio::test]
async fn a_long_page_is_made_in_parts_and_each_of_them_once() {
    let desk = Desk::on_sqlite().await;
    let (_, notion) = channels(&desk);
    let sim = &desk.office.sim;
    let parent = sim.notion().add_page(Place::Workspace, "Reports", vec![]).unwrap();
    notion.ready(desk.user.id, &parent).await.unwrap();
    let letter = letter(ChannelKind::Notion, &parent, &"- one line of the report\n".repeat(250), sim.now());
    let parts = in_doubt(&desk, notion.as_ref(), &letter);
    assert_eq!(parts.len(), 3);
    let error = notion.send(&parts[1]).await.unwrap_err().to_string();
    assert!(error.contains("first part is gone"), "{error}");
    for (part, call) in parts.iter().zip(["notion.pages.create", "notion.blocks.append", "notion.blocks.append"]) {
        let before = notion.look_up(part).await.unwrap();
        assert_eq!(before, LookedUp::NotThere, "{}", part.key);
        lost(&desk, notion.as_ref(), call, part).await;
        let after = notion.look_up(part).await.unwrap();
        assert!(matches!(after, LookedUp::Arrived(_)), "{}: {after:?}", part.key);
    }
    let pages = sim.notion().pages_in(&parent);
    assert_eq!((pages.len(), pages[0].blocks.len()), (1, 253));
    desk.close().await;
}

#[tokio::test]
async fn a_page_without_its_last_line_is_for_a_person_to_tell() {
    let desk = Desk::on_sqlite().await;
    let (_, notion) = channels(&desk);
    let sim = &desk.office.sim;
    let parent = sim.notion().add_page(Place::Workspace, "Reports", vec![]).unwrap();
    let letter = letter(ChannelKind::Notion, &parent, "One line.\n", sim.now());
    let message = &in_doubt(&desk, notion.as_ref(), &letter)[0];
    // An older page of the same title is none of its business.
    let older = sim.notion().add_page(Place::Inside(&parent), "Wöchentlicher Stand", vec![]).unwrap();
    sim.notion().set_times(&older, sim.now() - TimeDelta::days(7), sim.now()).unwrap();
    assert_eq!(notion.look_up(message).await.unwrap(), LookedUp::NotThere);
    lost(&desk, notion.as_ref(), "notion.pages.create", message).await;
    let page = sim.notion().pages_in(&parent).pop().unwrap();
    sim.notion().trash(&page.blocks.last().unwrap().id).unwrap();
    let told = notion.look_up(message).await.unwrap();
    assert!(matches!(told, LookedUp::CannotTell { .. }), "{told:?}");
    desk.close().await;
}

#[tokio::test]
async fn what_is_missing_is_named_before_anything_is_written() {
    let desk = Desk::on_sqlite().await;
    let (_, notion) = channels(&desk);
    let sim = &desk.office.sim;
    let page = sim.notion().add_page(Place::Workspace, "Reports", vec![]).unwrap();
    let ready = async || notion.ready(desk.user.id, &page).await.map_err(|it| it.to_string());
    sim.notion().unshare(&page).unwrap();
    assert!(ready().await.unwrap_err().contains("connections"));
    sim.notion().share(&page).unwrap();
    sim.notion().trash(&page).unwrap();
    assert!(ready().await.unwrap_err().contains("bin"));
    sim.notion().restore(&page).unwrap();
    assert_eq!(ready().await, Ok(()));
    sim.notion().refuse(Capability::InsertContent);
    let letter = letter(ChannelKind::Notion, &page, "One line.\n", sim.now());
    let error = notion.send(&in_doubt(&desk, notion.as_ref(), &letter)[0]).await.unwrap_err();
    assert!(matches!(&error, SendError::Refused(it) if it.contains("Insert content")), "{error}");
    desk.close().await;
}
