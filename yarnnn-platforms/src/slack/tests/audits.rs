//! What is stored, read once more: edits, deletions, and lists that lie.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use yarnnn_core::platform::{Budget, FetchMode, Interval, KnownItem, PlatformError};

use super::workspace::{Fault, Fetched, Workspace};

fn hours(hours: i64) -> TimeDelta {
    TimeDelta::hours(hours)
}

#[tokio::test]
async fn edits_come_back_and_what_was_deleted_is_gone() {
    let slack = Workspace::new();
    for hour in 1..300 {
        slack.post(hours(hour), &format!("message {hour}"));
    }
    let parent = slack.post(hours(400), "parent");
    let replies: Vec<String> = (0..5).map(|it| slack.reply(&parent, hours(399 - it), &format!("reply {it}"))).collect();
    let buried = slack.post(hours(410), "buried");
    slack.reply(&buried, hours(405), "stays");
    let lost = slack.post(hours(420), "a whole thread");
    let lost_reply = slack.reply(&lost, hours(419), "with its reply");
    let mut stored = slack.start(None).await;
    let doomed: Vec<String> = [7, 8, 250].map(|hour| slack.ago(hours(hour))).to_vec();
    for it in &doomed {
        slack.delete(it);
    }
    slack.edit(&slack.ago(hours(9)), "edited");
    slack.edit(&replies[1], "edited reply");
    slack.delete(&replies[2]);
    slack.delete(&buried);
    slack.delete(&lost_reply);
    slack.delete(&lost);
    let audited = slack.audit(&stored).await.unwrap();
    let expected = [&doomed[..], &[replies[2].clone(), buried, lost, lost_reply]].concat();
    assert_eq!(audited.gone, expected.into_iter().collect());
    assert_eq!((audited.cursor.as_ref(), audited.complete, audited.gaps.len()), (None, None, 0));
    stored.store(audited);
    assert_eq!(stored.texts(), slack.truth());
}

#[tokio::test]
async fn an_audit_lists_the_time_to_live_whatever_is_stored_of_it() {
    let slack = Workspace::new();
    slack.post(hours(24 * 15), "nothing stored lies there");
    let nothing = Fetched::default();
    let audited = slack.audit(&nothing).await.unwrap();
    assert_eq!((audited.items.len(), slack.calls()["conversations.history"]), (0, 1), "an empty list is believed here");
    let lacked = slack.post(hours(24 * 13), "what a list lacked");
    let reply = slack.reply(&lacked, hours(1), "and what was said to it");
    let stored = slack.post(hours(24), "stored");
    let mut known = slack.start(None).await;
    known.items.retain(|id, _| *id == stored);
    let found: Vec<String> = slack.audit(&known).await.unwrap().items.into_keys().collect();
    assert_eq!(found, [lacked, stored, reply]);
}

#[tokio::test]
async fn a_list_that_lies_is_an_error_and_nothing_is_gone() {
    let slack = Workspace::new();
    (1..10).for_each(|hour| drop(slack.post(hours(hour), "there")));
    let stored = slack.start(None).await;
    // The list, the list asked for again, and what is looked up.
    (0..20).for_each(|_| slack.fault("conversations.history", 0, Fault::Empty));
    let error = slack.audit(&stored).await.unwrap_err().to_string();
    assert!(error.starts_with("slack conversations.history: the list is empty but message 17"), "{error}");
    let slack = Workspace::new();
    (1..10).for_each(|hour| drop(slack.post(hours(hour), "there")));
    let stored = slack.start(None).await;
    slack.fault("conversations.history", 0, Fault::Torn);
    let audited = slack.audit(&stored).await.unwrap();
    assert_eq!((audited.texts(), audited.gone.len()), (slack.truth(), 0), "what a torn list lacks is found by itself");
}

#[tokio::test]
async fn an_empty_thread_is_an_error_and_nothing_is_gone() {
    let slack = Workspace::new();
    let parent = slack.post(hours(9), "parent");
    slack.reply(&parent, hours(8), "reply");
    let stored = slack.start(None).await;
    slack.fault("conversations.replies", 0, Fault::Empty);
    let error = slack.audit(&stored).await.unwrap_err();
    assert!(matches!(&error, PlatformError::Protocol { call, .. } if call == "slack conversations.replies"), "{error}");
}

#[tokio::test]
async fn what_a_plan_hides_is_not_gone() {
    let slack = Workspace::new();
    let old = slack.post(hours(24 * 100), "hidden by now");
    slack.post(hours(1), "shown");
    let stored = slack.start(None).await;
    slack.delete(&old);
    let body = json!({"ok": true, "messages": [{"ts": slack.ago(hours(1)), "text": "shown", "user": "U1"}], "is_limited": true});
    slack.fault("conversations.history", 0, Fault::Answer(200, body.to_string()));
    assert_eq!(slack.audit(&stored).await.unwrap().gone.len(), 0);
}

#[tokio::test]
async fn an_audit_looks_up_two_hundred_and_leaves_the_rest_to_the_next() {
    let slack = Workspace::new();
    let posts: Vec<String> = (0..260).map(|it| slack.post(hours(1) + TimeDelta::minutes(it), "post")).collect();
    let mut stored = slack.start(None).await;
    for it in posts.iter().skip(1) {
        slack.delete(it);
    }
    let audited = slack.audit(&stored).await.unwrap();
    assert_eq!(audited.gone.len(), 200);
    stored.store(audited);
    stored.store(slack.audit(&stored).await.unwrap());
    assert_eq!(stored.texts(), slack.truth());
}

#[tokio::test]
async fn long_ago_only_what_is_stored_is_listed() {
    let slack = Workspace::new();
    (0..2_000).for_each(|it| drop(slack.post(hours(24 * 30) + TimeDelta::minutes(it), "never stored")));
    let old = slack.post(hours(24 * 90), "stored");
    let edited = slack.post(hours(24 * 30) + TimeDelta::seconds(7), "stored too");
    let mut stored = slack.start(None).await;
    stored.items.retain(|id, _| [&old, &edited].contains(&id));
    slack.edit(&old, "edited");
    slack.calls();
    let audited = slack.audit(&stored).await.unwrap();
    assert_eq!(audited.items[&old].content, "edited");
    assert_eq!(slack.calls()["conversations.history"], 2, "what lies between is skipped");
}

#[tokio::test]
async fn what_lies_before_the_window_is_looked_up_by_turns() {
    let slack = Workspace::new();
    let posts: Vec<String> = (0..450).map(|it| slack.post(hours(1_000) + TimeDelta::minutes(it), "post")).collect();
    let stored = slack.start(None).await;
    for it in &posts {
        slack.delete(it);
    }
    let mut gone = std::collections::BTreeSet::new();
    for _ in 0..4 {
        let window = Interval { from: slack.window().to - TimeDelta::days(14), to: slack.window().to };
        let audit = FetchMode::Audit { window, known: stored.known(), cursor: None };
        gone.extend(slack.fetch(audit, Budget::default()).await.unwrap().gone);
        slack.clock.advance(TimeDelta::days(1));
    }
    assert_eq!(gone.len(), 450);
}

#[tokio::test]
async fn ids_that_are_no_times_are_left_alone() {
    let slack = Workspace::new();
    let at: DateTime<Utc> = slack.window().from;
    let foreign = KnownItem { item_id: "<mail@example.org>".into(), source_timestamp: Some(at), metadata: json!(null) };
    let audit = FetchMode::Audit { window: slack.window(), known: [foreign].into(), cursor: None };
    assert_eq!(slack.fetch(audit, Budget::default()).await.unwrap().gone.len(), 0);
}
