//! Messages that nobody can look up, and channels that fail for good.

use chrono::TimeDelta;
use yarnnn::deliverables::RunStatus;
use yarnnn::delivery::{ChannelKind, HeldDecision, MessageState};
use yarnnn_sim::Fault;

use super::cell::{Cell, call, pairs, singles, triples};
use super::desk::Desk;

/// Resend remembers keys for so long.
const REMEMBERED: TimeDelta = TimeDelta::hours(24);

fn state(messages: &[yarnnn::delivery::OutboxMessage], channel: ChannelKind) -> MessageState {
    messages.iter().find(|it| it.channel == channel).unwrap().state
}

/// A mail in doubt that Resend no longer remembers, and what a person says about it.
async fn held(cell: &Cell<'_>, fault: &Fault, decision: HeldDecision) {
    let sim = &cell.desk.office.sim;
    let what = format!("{fault:?}, {decision:?}");
    let ended = cell.fail(ChannelKind::Email, fault).await;
    assert!(!ended.is_ok_and(|it| it.status == RunStatus::Delivered), "{what}");
    assert_eq!(state(&cell.messages().await, ChannelKind::Email), MessageState::Unknown, "{what}");
    cell.desk.office.clock.advance(REMEMBERED);
    let asked = sim.journal().calls(call(ChannelKind::Email)).len();
    for _ in 0..2 {
        let outcome = cell.run_well().await.unwrap();
        assert_eq!(outcome.status, RunStatus::Failed, "{what}");
        assert_eq!(state(&outcome.messages, ChannelKind::Email), MessageState::Held, "{what}");
        assert!(outcome.error.is_some_and(|it| it.contains("resend.com/emails")), "{what}: it says where to look");
        cell.desk.office.wait();
    }
    assert_eq!(sim.journal().calls(call(ChannelKind::Email)).len(), asked, "{what}: it is never sent by itself");
    cell.decide(decision).await;
    let outcome = cell.finish().await;
    assert_eq!(state(&outcome.messages, ChannelKind::Email), MessageState::Sent, "{what}");
    let sent_again = usize::from(decision == HeldDecision::SendAgain);
    assert_eq!(sim.journal().calls(call(ChannelKind::Email)).len(), asked + sent_again, "{what}");
    assert_eq!(cell.arrived(ChannelKind::Email), 1, "{what}");
    for other in cell.channels.iter().filter(|it| **it != ChannelKind::Email) {
        assert_eq!(cell.arrived(*other), 1, "{what}: {}", other.as_str());
    }
    assert_eq!(cell.calls(), cell.desk.calls, "{what}");
}

#[tokio::test]
async fn after_a_day_a_person_says_whether_a_mail_arrived() {
    let desk = Desk::on_sqlite().await;
    let cases = [
        (Fault::AnswerLost, HeldDecision::Arrived),
        (Fault::AnswerWithheld, HeldDecision::Arrived),
        (Fault::Hang, HeldDecision::SendAgain),
        (Fault::Disconnect, HeldDecision::SendAgain),
    ];
    for set in singles().into_iter().chain(triples()).filter(|it| it.contains(&ChannelKind::Email)) {
        for (fault, decision) in &cases {
            held(&desk.cell(&set).await, fault, *decision).await;
        }
    }
    desk.close().await;
}

/// Just within the time that Resend remembers, the same request is sent once more and nothing arrives twice.
#[tokio::test]
async fn within_a_day_a_mail_in_doubt_is_sent_again_under_its_key() {
    let desk = Desk::on_sqlite().await;
    for fault in [Fault::AnswerLost, Fault::Hang] {
        let cell = desk.cell(&[ChannelKind::Email]).await;
        assert!(!cell.fail(ChannelKind::Email, &fault).await.is_ok_and(|it| it.status == RunStatus::Delivered));
        desk.office.clock.advance(TimeDelta::hours(22));
        cell.check(&format!("{fault:?}"), &cell.finish().await).await;
    }
    desk.close().await;
}

/// A channel that refuses for good, in every place among the others.
#[tokio::test]
async fn a_channel_that_fails_for_good_repeats_no_other() {
    let desk = Desk::on_sqlite().await;
    let sim = &desk.office.sim;
    for set in pairs().into_iter().chain(triples()) {
        // What is only kept cannot fail.
        for victim in set.iter().filter(|it| **it != ChannelKind::Download) {
            let what = format!("{set:?}, {}", victim.as_str());
            let cell = desk.cell(&set).await;
            let (status, refusal) = match victim {
                ChannelKind::Email => (403, r#"{"statusCode":403,"name":"validation_error","message":"not verified"}"#),
                ChannelKind::Gmail => {
                    (403, r#"{"error":{"code":403,"message":"No.","errors":[{"reason":"insufficientPermissions"}]}}"#)
                }
                ChannelKind::Notion => {
                    (403, r#"{"object":"error","status":403,"code":"restricted_resource","message":"Insufficient permissions."}"#)
                }
                _ => (200, r#"{"ok":false,"error":"not_in_channel"}"#),
            };
            if *victim == ChannelKind::Folder {
                std::fs::write(&cell.folder, "I am a file").unwrap();
            } else {
                sim.faults().always(call(*victim), Fault::Status(status, refusal.to_owned()));
            }
            for _ in 0..4 {
                let outcome = cell.run_well().await.unwrap();
                assert_eq!(outcome.status, RunStatus::Failed, "{what}");
                for message in outcome.messages {
                    let is_victim = message.channel == *victim;
                    let expected = if is_victim { MessageState::Failed } else { MessageState::Sent };
                    assert_eq!(message.state, expected, "{what}: {message:?}");
                    assert_eq!(cell.arrived(message.channel), usize::from(!is_victim), "{what}");
                }
                desk.office.wait();
            }
            sim.faults().clear();
            let _ = std::fs::remove_file(&cell.folder);
            cell.check(&what, &cell.finish().await).await;
        }
    }
    desk.close().await;
}
