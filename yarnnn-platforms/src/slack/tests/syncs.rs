//! First fills and what follows them: caps, holes, threads, late replies, edits.

use chrono::TimeDelta;
use yarnnn_core::platform::{Budget, Cursor, Fetch, FetchMode, GapKind, Next, PlatformClient as _};

use super::workspace::{Fault, Fetched, Ways, Workspace};
use crate::slack::SlackLimits;

fn hours(hours: i64) -> TimeDelta {
    TimeDelta::hours(hours)
}

/// One message a minute, the oldest first.
fn chatter(workspace: &Workspace, count: i64) {
    for minute in 0..count {
        workspace.post(TimeDelta::minutes(count - minute), &format!("message {minute}"));
    }
}

#[tokio::test]
async fn a_first_fill_brings_every_message_and_every_reply_once() {
    let slack = Workspace::new();
    chatter(&slack, 450);
    let parent = slack.post(hours(30), "a thread");
    for reply in 0..250 {
        slack.reply(&parent, hours(29) - TimeDelta::seconds(reply), &format!("reply {reply}"));
    }
    let fetched = slack.start(None).await;
    assert_eq!(fetched.texts(), slack.truth());
    assert_eq!((fetched.complete, fetched.gaps.len()), (Some(slack.window()), 0));
    let covered = fetched.covered.first().unwrap();
    assert_eq!((fetched.covered.len(), covered.from.timestamp(), covered.to), (1, 0, slack.window().to - TimeDelta::days(1)));
    let reply = fetched.items.values().find(|it| it.content == "reply 7").unwrap();
    assert_eq!((reply.content_type.as_str(), reply.metadata["thread_ts"].as_str()), ("thread_reply", Some(parent.as_str())));
    assert_eq!((reply.author.as_ref().unwrap().name.as_str(), reply.is_user_authored), ("Ben Okafor", false));
    assert!(fetched.items[&parent].is_user_authored);
}

#[tokio::test]
async fn pages_keep_to_their_budget() {
    let slack = Workspace::new();
    chatter(&slack, 57);
    let parent = slack.post(hours(30), "a thread");
    (0..9).for_each(|it| drop(slack.reply(&parent, hours(29) - TimeDelta::seconds(it), "reply")));
    let mode = FetchMode::Start { window: slack.window() };
    for (max_items, max_bytes) in [(1, usize::MAX), (7, usize::MAX), (500, 1), (500, 60)] {
        let fetched = slack.fetch(mode.clone(), Budget { max_items, max_bytes, cap: None }).await.unwrap();
        assert_eq!(fetched.texts(), slack.truth(), "{max_items} {max_bytes}");
        assert!(fetched.largest <= max_items.min(max_bytes.saturating_mul(2)), "{} in a page", fetched.largest);
    }
}

#[tokio::test]
async fn what_a_cap_cuts_is_named_and_closed_by_the_next_syncs() {
    let slack = Workspace::new();
    chatter(&slack, 250);
    let mut stored = slack.start(Some(100)).await;
    assert_eq!((stored.items.len(), stored.kinds(), stored.complete), (100, vec![GapKind::Cap], None));
    let oldest = stored.items.values().filter_map(|it| it.source_timestamp).min();
    assert_eq!((stored.gaps[0].from.unwrap().timestamp(), stored.gaps[0].to), (0, oldest));
    let mut sizes = vec![];
    for _ in 0..3 {
        let fetched = slack.since(&stored.cursor().clone(), Some(100)).await;
        sizes.push(fetched.kinds());
        stored.store(fetched);
    }
    assert_eq!(stored.texts(), slack.truth());
    // The part before the time to live is given up, and named once.
    assert_eq!(sizes, [vec![GapKind::Cap, GapKind::Cap], vec![], vec![]]);
}

#[tokio::test]
async fn what_is_cut_from_what_is_new_is_closed_too() {
    let slack = Workspace::new();
    slack.post(hours(50), "before");
    let mut stored = slack.start(Some(1_000)).await;
    chatter(&slack, 120);
    let fetched = slack.since(&stored.cursor().clone(), Some(50)).await;
    assert_eq!((fetched.items.len(), fetched.kinds()), (50, vec![GapKind::Cap]));
    stored.store(fetched);
    slack.post(TimeDelta::seconds(1), "newest");
    for _ in 0..2 {
        stored.store(slack.since(&stored.cursor().clone(), Some(50)).await);
    }
    assert_eq!((stored.texts(), stored.gaps.len()), (slack.truth(), 0));
}

#[tokio::test]
async fn threads_beyond_twenty_wait_and_are_named() {
    let slack = Workspace::new();
    for thread in 0..45 {
        let parent = slack.post(hours(100) - TimeDelta::minutes(thread), "parent");
        slack.reply(&parent, hours(50) - TimeDelta::minutes(thread), "reply");
    }
    let mut stored = slack.start(Some(1_000)).await;
    assert_eq!((stored.items.len(), stored.kinds(), stored.complete), (65, vec![GapKind::UnreadThread], None));
    assert!(stored.gaps[0].reason.contains("the replies of 25 threads"), "{}", stored.gaps[0].reason);
    for expected in [85, 90] {
        stored.store(slack.since(&stored.cursor().clone(), Some(500)).await);
        assert_eq!(stored.items.len(), expected);
    }
    assert_eq!((stored.texts(), stored.gaps.len()), (slack.truth(), 0));
}

#[tokio::test]
async fn late_replies_and_edits_come_with_the_next_sweep() {
    let slack = Workspace::new();
    let old = slack.post(hours(100), "old parent");
    slack.reply(&old, hours(99), "early");
    let lonely = slack.post(hours(90), "nobody answered yet");
    let edited = slack.post(hours(80), "tpyo");
    let mut stored = slack.start(Some(1_000)).await;
    slack.clock.advance(hours(1));
    slack.reply(&old, TimeDelta::minutes(30), "late");
    slack.reply(&lonely, TimeDelta::minutes(20), "at last");
    slack.edit(&edited, "typo");
    slack.post(TimeDelta::minutes(10), "news that the cursor moves to");
    stored.store(slack.since(&stored.cursor().clone(), Some(500)).await);
    assert_eq!(stored.items.len(), 5, "only what is new, until a sweep is due");
    slack.clock.advance(hours(5));
    slack.calls();
    stored.store(slack.since(&stored.cursor().clone(), Some(500)).await);
    assert_eq!(stored.texts(), slack.truth());
    assert_eq!(slack.calls()["conversations.replies"], 2, "no thread is read that did not grow");
}

#[tokio::test]
async fn late_replies_are_found_whatever_the_clock_says() {
    for ahead in [hours(2), hours(-2)] {
        let slack = Workspace::new();
        slack.state().ahead = ahead;
        let old = slack.post(hours(100), "old parent");
        slack.post(TimeDelta::minutes(1), "newest");
        let mut stored = slack.start(Some(1_000)).await;
        slack.clock.advance(hours(1));
        slack.reply(&old, TimeDelta::minutes(50), "late");
        slack.clock.advance(hours(6));
        stored.store(slack.since(&stored.cursor().clone(), Some(500)).await);
        assert_eq!(stored.texts(), slack.truth(), "{ahead}");
    }
}

#[tokio::test]
async fn a_reply_that_is_written_during_a_sweep_is_found_by_the_next() {
    let slack = Workspace::new();
    let (old, older) = (slack.post(hours(99), "on the first page"), slack.post(hours(100), "on the second page"));
    let mut stored = slack.start(Some(1_000)).await;
    slack.clock.advance(hours(7));
    let mut fetch = Fetched::request(slack.window());
    (fetch.mode, fetch.budget.max_items) = (FetchMode::Since(stored.cursor().clone()), 1);
    let mut is_late = false;
    loop {
        let page = slack.client(SlackLimits::default()).fetch(&fetch).await.unwrap();
        let has_listed = page.items.iter().any(|it| it.item_id == old);
        stored.items.extend(page.items.into_iter().map(|it| (it.item_id.clone(), it)));
        if has_listed && !is_late {
            is_late = true;
            slack.reply(&old, TimeDelta::seconds(2), "behind the sweep's back");
            slack.reply(&older, TimeDelta::seconds(1), "before its eyes");
        }
        match page.next {
            Next::Page(token) => fetch.page = Some(token),
            Next::Done { cursor, .. } => break stored.cursor = cursor,
        }
    }
    assert_eq!((is_late, stored.items.len()), (true, 3));
    slack.clock.advance(hours(7));
    stored.store(slack.since(&stored.cursor().clone(), Some(500)).await);
    assert_eq!(stored.texts(), slack.truth());
}

#[tokio::test]
async fn replies_under_what_was_deleted_or_said_by_an_app_are_read() {
    let slack = Workspace::new();
    let deleted = slack.post(hours(9), "to be deleted");
    slack.reply(&deleted, hours(8), "still here");
    slack.delete(&deleted);
    let app = slack.put(&slack.ago(hours(7)), serde_json::json!({"subtype": "bot_message", "bot_id": "B1", "text": "build"}));
    slack.reply(&app, hours(6), "thanks, app");
    let fetched = slack.start(Some(1_000)).await;
    assert_eq!(fetched.items.values().map(|it| it.content.as_str()).collect::<Vec<_>>(), ["still here", "thanks, app"]);
    assert_eq!(fetched.gone.iter().collect::<Vec<_>>(), [&deleted, &app]);
    assert_eq!(
        fetched.filtered.iter().map(|(it, count)| (it.as_str(), *count)).collect::<Vec<_>>(),
        [("bot_message", 1), ("tombstone", 1)]
    );
}

#[tokio::test]
async fn what_no_longer_says_anything_is_gone() {
    for by_audit in [false, true] {
        let slack = Workspace::new();
        let (parent, lonely) = (slack.post(hours(9), "parent"), slack.post(hours(8), "to be emptied"));
        let reply = slack.reply(&parent, hours(7), "to be emptied too");
        let mut stored = slack.start(Some(1_000)).await;
        slack.edit(&lonely, "");
        slack.edit(&reply, "");
        slack.clock.advance(hours(7));
        let fetched =
            if by_audit { slack.audit(&stored).await.unwrap() } else { slack.since(&stored.cursor().clone(), Some(500)).await };
        assert_eq!(fetched.filtered["empty"], if by_audit { 2 } else { 1 });
        stored.store(fetched);
        // A sweep does not read a thread that did not grow.
        assert_eq!(stored.ids(), if by_audit { vec![parent.as_str()] } else { vec![parent.as_str(), &reply] });
    }
}

#[tokio::test]
async fn a_broadcast_counts_once() {
    let slack = Workspace::new();
    let parent = slack.post(hours(9), "parent");
    let mut reply = serde_json::json!({"user": "U2", "text": "for all", "thread_ts": parent});
    reply["subtype"] = "thread_broadcast".into();
    slack.put(&slack.ago(hours(8)), reply);
    let fetch = FetchMode::Start { window: slack.window() };
    let fetched = slack.fetch(fetch, Budget { max_items: 1, ..Budget::default() }).await.unwrap();
    assert_eq!((fetched.items.len(), fetched.texts()), (2, slack.truth()));
}

#[tokio::test]
async fn a_bare_ts_of_an_older_installation_goes_on_from_there() {
    let slack = Workspace::new();
    chatter(&slack, 30);
    let truth: Vec<String> = slack.truth().into_keys().collect();
    let parent = slack.post(hours(90), "parent");
    slack.reply(&parent, hours(80), "never read by older installations");
    let fetched = slack.since(&Cursor::new(truth[20].clone()), Some(500)).await;
    assert_eq!(fetched.texts(), slack.truth(), "the time to live is swept at once");
}

#[tokio::test]
async fn a_quiet_channel_costs_one_call_and_its_cursor_stays() {
    let slack = Workspace::new();
    chatter(&slack, 3);
    let stored = slack.start(Some(1_000)).await;
    slack.clock.advance(hours(1));
    slack.calls();
    let fetched = slack.since(stored.cursor(), Some(500)).await;
    assert_eq!((fetched.items.len(), fetched.cursor()), (0, stored.cursor()));
    assert_eq!(slack.calls().into_iter().collect::<Vec<_>>(), [("conversations.history".to_owned(), 1)]);
}

#[tokio::test]
async fn a_channel_without_messages_is_proved_and_starts_when_it_starts() {
    let slack = Workspace::new();
    let mut stored = slack.start(Some(1_000)).await;
    assert_eq!((stored.items.len(), stored.complete), (0, Some(slack.window())));
    assert_eq!(slack.calls()["conversations.history"], 2, "an empty list is asked for twice");
    slack.clock.advance(hours(1));
    slack.post(TimeDelta::minutes(5), "first");
    stored.store(slack.since(&stored.cursor().clone(), Some(500)).await);
    assert_eq!(stored.texts(), slack.truth());
}

#[tokio::test]
async fn a_restricted_app_gets_fifteen_at_a_time_and_everything_in_the_end() {
    let slack = Workspace::new();
    chatter(&slack, 100);
    slack.state().most = 15;
    for limits in [SlackLimits::restricted(), SlackLimits::default()] {
        let fetch = FetchMode::Start { window: slack.window() };
        let fetched = slack.fetch_by(limits, fetch, Budget::default()).await.unwrap();
        assert_eq!(fetched.texts(), slack.truth());
    }
}

#[tokio::test]
async fn a_restricted_app_makes_one_call_at_a_time() {
    for (limits, most) in [(SlackLimits::default(), 4), (SlackLimits::restricted(), 1)] {
        let slack = Workspace::new();
        for thread in 0..6 {
            let parent = slack.post(hours(30) - TimeDelta::minutes(thread), "parent");
            slack.reply(&parent, hours(20) - TimeDelta::minutes(thread), "reply");
        }
        let fetch = FetchMode::Start { window: slack.window() };
        let stored = slack.fetch_by(limits.clone(), fetch, Budget::default()).await.unwrap();
        assert_eq!((stored.texts(), slack.most_at_once("conversations.replies")), (slack.truth(), most));
        // Half of the list is missing, and looked up.
        slack.fault("conversations.history", 0, Fault::Torn);
        (0..6).for_each(|it| drop(slack.post(hours(15) - TimeDelta::minutes(it), "news")));
        let audit = FetchMode::Audit { window: slack.window(), known: stored.known(), cursor: None };
        slack.fetch_by(limits, audit, Budget::default()).await.unwrap();
        assert_eq!(slack.most_at_once("conversations.history"), most);
    }
}

#[tokio::test]
async fn a_server_that_knows_cursors_or_bounds_only_is_read_to_its_end() {
    for ways in [Ways::All, Ways::NoCursors, Ways::NoBounds, Ways::BareThreads] {
        let slack = Workspace::new();
        slack.state().ways = ways;
        chatter(&slack, 450);
        let parent = slack.post(hours(30), "parent");
        let replies: Vec<String> = (0..450).map(|it| slack.reply(&parent, hours(29) - TimeDelta::seconds(it), "reply")).collect();
        for (max_items, max_bytes, cap) in [(500, usize::MAX, None), (70, 400, None), (500, usize::MAX, Some(150))] {
            let budget = Budget { max_items, max_bytes, cap };
            let mut stored = slack.fetch(FetchMode::Start { window: slack.window() }, budget).await.unwrap();
            while cap.is_some() && !stored.gaps.is_empty() {
                stored.store(slack.since(&stored.cursor().clone(), cap).await);
            }
            assert_eq!(stored.texts().len(), slack.truth().len(), "{ways:?} {budget:?}");
        }
        let mut stored = slack.start(None).await;
        slack.clock.advance(hours(7));
        slack.reply(&parent, TimeDelta::minutes(3), "late");
        stored.store(slack.since(&stored.cursor().clone(), None).await);
        assert_eq!(stored.texts(), slack.truth(), "{ways:?}");
        slack.delete(&replies[400]);
        slack.delete(&slack.ago(hours(7) + TimeDelta::minutes(420)));
        stored.store(slack.audit(&stored).await.unwrap());
        assert_eq!(stored.texts(), slack.truth(), "{ways:?}");
    }
}

#[tokio::test]
async fn a_thread_that_is_empty_since_then_is_asked_for_as_a_whole() {
    let slack = Workspace::new();
    slack.state().ways = Ways::BareThreads;
    let parent = slack.post(hours(9), "parent");
    slack.reply(&parent, hours(8), "early");
    let mut stored = slack.start(None).await;
    slack.clock.advance(hours(7));
    // The list still tells of a reply that is deleted before the thread is read.
    let late = slack.ago(TimeDelta::minutes(1));
    let told = serde_json::json!({"ts": parent, "text": "parent", "user": "U1", "reply_count": 2, "latest_reply": late});
    let list = serde_json::json!({"ok": true, "messages": [told]});
    slack.fault("conversations.history", 1, Fault::Answer(200, list.to_string()));
    slack.calls();
    stored.store(slack.since(&stored.cursor().clone(), None).await);
    assert_eq!((stored.texts(), slack.calls()["conversations.replies"]), (slack.truth(), 2));
}

#[tokio::test]
async fn a_torn_or_repeated_page_loses_nothing() {
    for fault in [Fault::Torn, Fault::Repeated] {
        let slack = Workspace::new();
        chatter(&slack, 450);
        let parent = slack.post(hours(30), "parent");
        (0..450).for_each(|it| drop(slack.reply(&parent, hours(29) - TimeDelta::seconds(it), "reply")));
        slack.fault("conversations.history", 1, fault.clone());
        slack.fault("conversations.replies", 1, fault.clone());
        assert_eq!(slack.start(None).await.texts(), slack.truth(), "{fault:?}");
    }
}

#[tokio::test]
async fn the_end_of_a_first_fill_is_asked_for_twice() {
    for (torn, cap, calls) in [(9, None, 3), (0, None, 3), (1, None, 5), (9, Some(300), 2), (9, Some(299), 2)] {
        let slack = Workspace::new();
        // Beyond the time to live, where no sweep and no audit lists it again.
        (0..300).for_each(|it| drop(slack.post(hours(24 * 20) + TimeDelta::minutes(it), "old")));
        slack.fault("conversations.history", torn, Fault::Torn);
        let stored = slack.start(cap).await;
        assert_eq!((stored.texts().len(), slack.calls()["conversations.history"]), (cap.unwrap_or(300) as usize, calls));
    }
}

#[tokio::test]
async fn a_thread_that_shows_less_than_it_counts_is_asked_again() {
    let slack = Workspace::new();
    let parent = slack.post(hours(3), "parent");
    slack.reply(&parent, hours(2), "the only reply");
    slack.fault("conversations.replies", 0, Fault::Torn);
    assert_eq!(slack.start(None).await.texts(), slack.truth());
}

#[tokio::test]
async fn names_are_asked_for_once_per_client() {
    let slack = Workspace::new();
    chatter(&slack, 20);
    slack.post(hours(9), "ask <@U2>, <@U9> or <#C2|> and <#C2>, not <#C9>");
    let client = slack.client(SlackLimits::default());
    let mut fetch = Fetched::request(slack.window());
    fetch.budget.max_items = 3;
    for _ in 0..2 {
        let mut page = client.fetch(&fetch).await.unwrap();
        while let Next::Page(token) = &page.next {
            let next = Fetch { page: Some(token.clone()), ..fetch.clone() };
            page = client.fetch(&next).await.unwrap();
        }
        let last = page.items.first().unwrap();
        assert_eq!(last.content, "ask @Ben Okafor, @U9 or #plans and #plans, not #C9");
    }
    let calls = slack.calls();
    assert_eq!((calls["users.info"], calls["conversations.info"]), (3, 2));
}
