//! Channels, history and threads are read whole.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::Bench;

#[tokio::test]
async fn paging_gives_every_message_once_newest_first() {
    let bench = Bench::start().await;
    let posted: Vec<String> = (0..25).map(|index| format!("message {index}")).collect();
    for text in &posted {
        bench.post(text);
    }
    let newest_first: Vec<_> = posted.iter().rev().cloned().collect();
    for limit in ["1", "7", "25", "26"] {
        assert_eq!(bench.history(&[("limit", limit)]).await, newest_first, "{limit}");
    }
}

#[tokio::test]
async fn pages_stay_whole_while_messages_come_and_go() {
    let bench = Bench::start().await;
    let posted: Vec<String> = (0..6).map(|index| bench.post(&index.to_string())).collect();
    let arguments = [("channel", bench.channel.as_str()), ("limit", "3")];
    let first = bench.call("conversations.history", &arguments).await.json();
    bench.post("late");
    bench.sim.slack().delete(&bench.channel, &posted[5]);
    bench.sim.slack().delete(&bench.channel, &posted[2]);
    let cursor = first["response_metadata"]["next_cursor"].as_str().unwrap();
    let second = bench.call("conversations.history", &[&arguments[..], &[("cursor", cursor)]].concat()).await.json();
    assert_eq!(super::texts(second["messages"].as_array().unwrap()), ["1", "0"]);
}

#[tokio::test]
async fn the_ends_of_the_window_count_only_when_inclusive() {
    let bench = Bench::start().await;
    let stamps: Vec<String> = ["a", "b", "c", "d"].iter().map(|text| bench.post(text)).collect();
    let window = [("oldest", stamps[0].as_str()), ("latest", stamps[3].as_str())];
    assert_eq!(bench.history(&window).await, ["c", "b"]);
    assert_eq!(bench.history(&[&window[..], &[("inclusive", "true")]].concat()).await, ["d", "c", "b", "a"]);
    assert_eq!(bench.history(&[&window[..], &[("inclusive", "1"), ("limit", "1")]].concat()).await, ["d", "c", "b", "a"]);
    assert!(bench.history(&[("oldest", &stamps[3]), ("latest", &stamps[0])]).await.is_empty());
    let channel = ("channel", bench.channel.as_str());
    assert_eq!(bench.error("conversations.history", &[channel, ("oldest", "yesterday")]).await, "invalid_ts_oldest");
}

#[tokio::test]
async fn replies_stand_in_threads_and_a_broadcast_in_both() {
    let bench = Bench::start().await;
    let parent = bench.post("parent");
    bench.reply(&parent, "one");
    bench.post("between");
    bench.clock.advance(TimeDelta::seconds(1));
    let broadcast = bench.sim.slack().broadcast_reply(&bench.channel, &parent, &bench.ana, "two");
    let last = bench.reply(&parent, "three");
    assert_eq!(bench.history(&[]).await, ["two", "between", "parent"]);
    for limit in ["1", "2", "100"] {
        assert_eq!(bench.thread(&parent, &[("limit", limit)]).await, ["parent", "one", "two", "three"], "{limit}");
    }
    let after = [("oldest", broadcast.as_str())];
    assert_eq!(bench.thread(&parent, &after).await, ["parent", "three"]);
    assert_eq!(bench.thread(&parent, &[&after[..], &[("inclusive", "true")]].concat()).await, ["parent", "two", "three"]);
    assert_eq!(bench.thread(&last, &[]).await, ["three"]);
    let page = bench.call("conversations.history", &[("channel", &bench.channel)]).await.json();
    assert_eq!(page["messages"][0]["subtype"], "thread_broadcast");
    assert_eq!(page["messages"][0]["root"]["reply_count"], 3);
    let head = &page["messages"][2];
    assert_eq!(head["reply_count"], 3);
    assert_eq!(head["thread_ts"], json!(parent));
    assert_eq!(head["latest_reply"], json!(last));
    assert_eq!(head["reply_users"], json!([bench.ben, bench.ana]));
}

#[tokio::test]
async fn edits_reactions_and_deletions_show() {
    let bench = Bench::start().await;
    let slack = bench.sim.slack();
    let (kept, lonely, parent) = (bench.post("kept"), bench.post("lonely"), bench.post("parent"));
    let reply = bench.reply(&parent, "reply");
    slack.edit(&bench.channel, &kept, "changed");
    slack.react(&bench.channel, &kept, &bench.ana, "eyes");
    slack.react(&bench.channel, &kept, &bench.ben, "eyes");
    slack.react(&bench.channel, &kept, &bench.ben, "eyes");
    slack.delete(&bench.channel, &lonely);
    slack.delete(&bench.channel, &parent);
    let page = bench.call("conversations.history", &[("channel", &bench.channel)]).await.json();
    let messages = page["messages"].as_array().unwrap();
    assert_eq!(super::texts(messages), ["This message was deleted.", "changed"]);
    assert_eq!(messages[0]["subtype"], "tombstone");
    assert_eq!(messages[0]["reply_count"], 1);
    assert_eq!(messages[1]["edited"]["user"], json!(bench.ana));
    assert_eq!(messages[1]["reactions"][0]["count"], 2);
    let held: Vec<_> = slack.snapshot(&bench.channel).into_iter().map(|it| it.text).collect();
    assert_eq!(held, ["changed", "reply"]);
    slack.delete(&bench.channel, &reply);
    assert_eq!(bench.history(&[]).await, ["changed"]);
    let gone = [("channel", bench.channel.as_str()), ("ts", parent.as_str())];
    assert_eq!(bench.error("conversations.replies", &gone).await, "thread_not_found");
}

#[tokio::test]
async fn lists_show_what_the_bot_may_know() {
    let bench = Bench::start().await;
    let slack = bench.sim.slack();
    for index in 0..12 {
        slack.add_channel(&format!("public-{index}"), false, &[&bench.ana]);
    }
    let bot = slack.team().bot_user_id;
    slack.add_channel("secret", true, &[&bench.ana]);
    let shared = slack.add_channel("shared", true, &[&bench.ana, &bot]);
    let old = slack.add_channel("old", false, &[&bench.ana]);
    slack.archive(&old);
    let types = ("types", "public_channel,private_channel");
    let all = bench.pages("conversations.list", &[types, ("limit", "5")], "channels").await;
    assert_eq!(all.iter().map(Vec::len).collect::<Vec<_>>(), [5, 5, 5]);
    let names = |pages: &[Vec<Value>]| -> BTreeSet<String> {
        pages.iter().flatten().map(|it| it["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&all).len(), 15);
    assert!(!names(&all).contains("secret"));
    let living = bench.pages("conversations.list", &[types, ("exclude_archived", "true")], "channels").await;
    assert_eq!(living.concat().len(), 14);
    let own = bench.pages("users.conversations", &[types], "channels").await;
    assert_eq!(names(&own), BTreeSet::from(["general".to_owned(), "shared".to_owned()]));
    slack.bot_leaves(&shared);
    assert_eq!(bench.error("conversations.info", &[("channel", &shared)]).await, "channel_not_found");
    assert_eq!(bench.error("conversations.history", &[("channel", &old)]).await, "not_in_channel");
    assert_eq!(bench.error("conversations.join", &[("channel", &old)]).await, "is_archived");
    slack.unarchive(&old);
    assert_eq!(bench.call("conversations.join", &[("channel", &old)]).await.json()["channel"]["is_member"], true);
    assert_eq!(bench.call("conversations.join", &[("channel", &old)]).await.json()["warning"], "already_in_channel");
    let joined = bench.call("conversations.history", &[("channel", &old)]).await.json();
    assert_eq!(joined["messages"][0]["subtype"], "channel_join");
}

#[tokio::test]
async fn a_query_a_form_and_json_say_the_same() {
    let bench = Bench::start().await;
    for text in ["a", "b", "c"] {
        bench.post(text);
    }
    let path = "/api/conversations.history";
    let arguments = [("channel", bench.channel.as_str()), ("limit", "2")];
    let by_query = bench.client.get(path, &arguments).await.json();
    assert_eq!(by_query["messages"].as_array().unwrap().len(), 2);
    assert_eq!(bench.client.post_form(path, &arguments).await.json(), by_query);
    let body = json!({ "channel": bench.channel, "limit": 2, "cursor": null });
    assert_eq!(bench.client.post_json(path, &body).await.json(), by_query);
    let broken = bench.client.send("POST", path, "application/json", b"{").await.unwrap().json();
    assert_eq!(broken["error"], "invalid_json");
    let nothing = bench.client.send("POST", "/api/auth.test", "application/json", b"").await.unwrap().json();
    assert_eq!(nothing["ok"], true, "{nothing}");
}

#[tokio::test]
async fn the_bot_posts_with_metadata_that_only_shows_on_request() {
    let bench = Bench::start().await;
    let parent = bench.post("parent");
    let metadata = json!({ "event_type": "report", "event_payload": { "id": 7 } });
    let body = json!({ "channel": "#general", "text": "a report", "thread_ts": parent, "metadata": metadata });
    let posted = bench.client.post_json("/api/chat.postMessage", &body).await.json();
    assert_eq!((&posted["ok"], &posted["channel"]), (&json!(true), &json!(bench.channel)));
    let arguments = [("channel", bench.channel.as_str()), ("ts", parent.as_str())];
    let plain = bench.call("conversations.replies", &arguments).await.json();
    assert_eq!(plain["messages"][1]["ts"], posted["ts"]);
    assert_eq!(plain["messages"][1].get("metadata"), None);
    let full = [&arguments[..], &[("include_all_metadata", "true")]].concat();
    assert_eq!(bench.call("conversations.replies", &full).await.json()["messages"][1]["metadata"], metadata);
    bench.sim.slack().archive(&bench.channel);
    assert_eq!(bench.error("chat.postMessage", &[("channel", &bench.channel), ("text", "x")]).await, "is_archived");
}

#[tokio::test]
async fn people_are_listed_and_found() {
    let bench = Bench::start().await;
    bench.sim.slack().rename_user(&bench.ana, "Ana Maria");
    bench.sim.slack().remove_user(&bench.ben);
    let members = bench.pages("users.list", &[("limit", "3")], "members").await.concat();
    assert_eq!(members.len(), 4);
    let ana = bench.call("users.info", &[("user", &bench.ana)]).await.json();
    assert_eq!(ana["user"]["profile"]["display_name"], "Ana Maria");
    assert_eq!(bench.call("users.info", &[("user", &bench.ben)]).await.json()["user"]["deleted"], true);
    assert_eq!(bench.error("users.info", &[("user", "U0")]).await, "user_not_found");
    let found = bench.call("users.lookupByEmail", &[("email", "ana@sim.example")]).await.json();
    assert_eq!(found["user"]["id"], json!(bench.ana));
    let opened = bench.call("conversations.open", &[("users", &bench.ana)]).await.json();
    let again = bench.call("conversations.open", &[("users", &bench.ana)]).await.json();
    assert_eq!((&opened["channel"], again["already_open"].as_bool()), (&again["channel"], Some(true)));
}
