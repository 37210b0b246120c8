//! What Slack refuses and what it answers instead of a page: each is loud, names the call, and says what to do.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde_json::json;
use yarnnn_core::platform::{Fetch, FetchMode, Next, PlatformClient as _, PlatformError};

use super::workspace::{Fault, Fetched, Workspace};
use crate::slack::SlackLimits;

fn refusal(word: &str) -> Fault {
    Fault::Answer(200, json!({"ok": false, "error": word}).to_string())
}

/// What comes of a first fill whose second list is answered with this, and with the same when it is asked for again.
async fn outcome(fault: Fault) -> Result<Fetched, PlatformError> {
    let slack = Workspace::new();
    (0..450).for_each(|it| drop(slack.post(TimeDelta::minutes(it), "text")));
    slack.fault("conversations.history", 1, fault.clone());
    slack.fault("conversations.history", 0, fault);
    slack.try_start(None).await.inspect(|it| assert_eq!(it.texts(), slack.truth()))
}

#[tokio::test(start_paused = true)]
async fn what_may_pass_is_tried_again() {
    let limited = Fault::Answer(429, json!({"ok": false, "error": "ratelimited"}).to_string());
    let passing = ["ratelimited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"];
    for fault in passing.map(refusal).into_iter().chain([limited, Fault::Answer(503, "<html>".into()), Fault::Broken]) {
        assert_eq!(outcome(fault.clone()).await.unwrap().items.len(), 450, "{fault:?}");
    }
}

#[tokio::test]
async fn what_a_person_must_do_is_said() {
    for word in ["token_revoked", "account_inactive", "not_authed", "invalid_auth", "token_expired"] {
        let error = outcome(refusal(word)).await.unwrap_err();
        assert!(matches!(&error, PlatformError::NeedsUser { action } if action.ends_with("connect Slack again")), "{error}");
    }
    let body = json!({"ok": false, "error": "missing_scope", "needed": "groups:history", "provided": "channels:history"});
    let error = outcome(Fault::Answer(200, body.to_string())).await.unwrap_err().to_string();
    assert!(error.starts_with("slack conversations.history: the app lacks a scope; add groups:history"), "{error}");
}

#[tokio::test]
async fn what_cannot_be_trusted_is_an_error_that_names_the_call() {
    let answers = [
        ("{}", "no `ok`"),
        (r#"{"ok": "yes"}"#, "no `ok`"),
        (r#"{"ok": true}"#, "missing field `messages`"),
        (r#"{"ok": true, "messages": null}"#, "the answer is not what the call promises"),
        (r#"{"ok": true, "messages": {"a": 1}}"#, "the answer is not what the call promises"),
        (r#"{"ok": true, "messages": [], "has_more": true}"#, "an empty page says that there is more"),
        (r#"{"ok": true, "messages": [], "has_more": false}"#, "an empty page where the page before announced more"),
        (r#"{"ok": true, "messages": [7], "has_more": true}"#, "not one message of a page can be read"),
        (r#"{"ok": false}"#, "refused without a reason"),
        (r#"{"ok": false, "error": "ekm_access_denied"}"#, "refused with ekm_access_denied"),
        ("<html>please log in</html>", "are not the JSON that was asked for"),
        (r#"{"ok": tr"#, "are not the JSON that was asked for"),
    ];
    for (body, expected) in answers {
        let error = outcome(Fault::Answer(200, body.to_owned())).await.unwrap_err();
        assert!(matches!(&error, PlatformError::Protocol { call, .. } if call == "slack conversations.history"), "{error}");
        assert!(error.to_string().contains(expected), "{body}: {error}");
    }
    let foreign = Fault::Answer(404, "nothing here".into());
    assert!(outcome(foreign).await.unwrap_err().to_string().contains("status 404"));
}

#[tokio::test]
async fn a_first_list_that_is_wrongly_empty_is_noticed() {
    let slack = Workspace::new();
    slack.post(TimeDelta::minutes(1), "there");
    slack.fault("conversations.history", 0, Fault::Empty);
    let error = slack.try_start(None).await.unwrap_err().to_string();
    assert!(error.contains("the list is empty but message"), "{error}");
}

#[tokio::test]
async fn elements_that_are_no_messages_are_named_and_the_others_kept() {
    let slack = Workspace::new();
    let body = json!({"ok": true, "messages": [7, {"text": "no ts"}, {"ts": "soon", "text": "x"},
        {"ts": "1772300000.000100", "text": "fine", "user": "U1", "reactions": 7}]});
    slack.fault("conversations.history", 0, Fault::Answer(200, body.to_string()));
    let fetched = slack.start(None).await;
    assert_eq!(fetched.ids(), ["1772300000.000100"]);
    assert_eq!(fetched.complete, None, "what could not be read may be what is stored");
    assert_eq!(
        fetched.quarantined,
        [
            "slack conversations.history, channel C1: message 1 of an answer: it is not a JSON object",
            "slack conversations.history, channel C1: message 2 of an answer: it has no ts, by which Slack tells messages apart",
            "slack conversations.history, channel C1: message 3 of an answer: it has no ts, by which Slack tells messages apart",
        ]
    );
}

#[tokio::test]
async fn what_was_read_before_a_call_that_may_pass_is_a_page() {
    let slack = Workspace::new();
    (0..450).for_each(|it| drop(slack.post(TimeDelta::minutes(it), "text")));
    slack.fault("conversations.history", 1, Fault::Broken);
    (0..3).for_each(|_| slack.fault("conversations.history", 0, Fault::Broken));
    let client = slack.client(SlackLimits::default());
    tokio::time::pause();
    let page = client.fetch(&Fetched::request(slack.window())).await.unwrap();
    assert!(matches!(page.next, yarnnn_core::platform::Next::Page(_)));
}

/// Reads the pages of a fetch until one fails: the items, and why.
async fn until_it_fails(slack: &std::sync::Arc<Workspace>, mut fetch: Fetch) -> (BTreeSet<String>, PlatformError) {
    let (client, mut items) = (slack.client(SlackLimits::default()), BTreeSet::new());
    loop {
        match client.fetch(&fetch).await {
            Ok(page) => {
                items.extend(page.items.into_iter().map(|it| it.item_id));
                let Next::Page(token) = page.next else { panic!("it did not fail") };
                fetch.page = Some(token);
            }
            Err(error) => return (items, error),
        }
    }
}

#[tokio::test]
async fn one_failing_thread_does_not_throw_the_others_away() {
    let slack = Workspace::new();
    for thread in 0..4 {
        let parent = slack.post(TimeDelta::hours(9 - thread), "parent");
        slack.reply(&parent, TimeDelta::minutes(9 - thread), "reply");
    }
    slack.fault("conversations.replies", 1, refusal("fatal_word"));
    // Whatever is read after the other three is refused too.
    slack.fault("conversations.replies", 2, refusal("fatal_word"));
    let (items, error) = until_it_fails(&slack, Fetched::request(slack.window())).await;
    assert!(error.to_string().contains("conversations.replies: refused with fatal_word"), "{error}");
    assert_eq!(items.len(), 7);
}

#[tokio::test]
async fn one_failing_look_up_does_not_throw_the_others_away() {
    let slack = Workspace::new();
    (1..6).for_each(|hour| drop(slack.post(TimeDelta::hours(hour), "there")));
    let stored = slack.start(None).await;
    // Of what is listed the older half is missing, so that it is looked up.
    slack.fault("conversations.history", 0, Fault::Torn);
    slack.fault("conversations.history", 1, refusal("fatal_word"));
    slack.fault("conversations.history", 1, refusal("fatal_word"));
    let mode = FetchMode::Audit { window: slack.window(), known: stored.known(), cursor: None };
    let (items, error) = until_it_fails(&slack, Fetch { mode, ..Fetched::request(slack.window()) }).await;
    assert!(error.to_string().contains("conversations.history: refused with fatal_word"), "{error}");
    assert_eq!(items.len(), 4);
}

#[tokio::test]
async fn a_public_channel_is_joined_and_any_other_needs_an_invitation() {
    let slack = Workspace::new();
    slack.post(TimeDelta::minutes(1), "there");
    slack.state().is_member = false;
    assert_eq!(slack.start(None).await.texts(), slack.truth());
    for (word, expected) in [
        ("method_not_supported_for_channel_type", "invite the app to C1"),
        ("channel_not_found", "invite the app to C1"),
        ("is_archived", "unarchive C1 or leave it out"),
        ("missing_scope", "add the scope channels:join"),
    ] {
        (slack.state().is_member, slack.state().cannot_join) = (false, Some(word));
        let error = slack.try_start(None).await.unwrap_err();
        assert!(matches!(&error, PlatformError::NeedsUser { action } if action.contains(expected)), "{error}");
    }
}

#[tokio::test]
async fn a_channel_that_is_not_there_is_gone() {
    let error = outcome(refusal("channel_not_found")).await.unwrap_err();
    assert!(matches!(&error, PlatformError::ResourceGone { resource } if resource.as_str() == "C1"), "{error}");
}

#[tokio::test]
async fn the_probe_names_workspace_and_scopes_and_what_is_missing() {
    let slack = Workspace::new();
    let client = slack.client(SlackLimits::default());
    let probe = client.probe().await.unwrap();
    assert_eq!((probe.account_id.as_str(), probe.account_name.as_deref(), probe.scopes.len()), ("T1", Some("Acme"), 0));
    slack.state().scopes = Some("channels:read, channels:history,users:read");
    assert_eq!(client.probe().await.unwrap().scopes, ["channels:read", "channels:history", "users:read"]);
    slack.state().scopes = Some("channels:read,chat:write");
    let error = client.probe().await.unwrap_err().to_string();
    assert!(error.contains("the app lacks channels:history, users:read"), "{error}");
}

#[tokio::test]
async fn channels_are_listed_once_over_all_pages() {
    let slack = Workspace::new();
    let channel = |index: usize| {
        json!({"id": format!("C{index}"), "name": format!("c{index}"), "is_private": false, "num_members": index,
               "is_member": true, "topic": {"value": "t"}, "purpose": {"value": "p"}})
    };
    slack.state().channels = (0..450).map(channel).collect();
    slack.state().channels[7] = json!({"name": "no id"});
    slack.state().scopes = Some("channels:read,channels:history,users:read");
    let client = slack.client(SlackLimits::default());
    let (mut resources, mut quarantined, mut token) = (vec![], vec![], None);
    loop {
        let page = client.resources(token).await.unwrap();
        resources.extend(page.resources);
        quarantined.extend(page.quarantined);
        token = page.next;
        if token.is_none() {
            break;
        }
    }
    assert_eq!((resources.len(), quarantined.len()), (449, 1));
    assert_eq!((resources[8].id.to_string().as_str(), resources[8].name.as_str()), ("slack:C9", "#c9"));
    let metadata = json!({"is_private": false, "num_members": 9, "topic": "t", "purpose": "p", "is_member": true});
    assert_eq!(resources[8].metadata, metadata);
    assert_eq!(slack.calls()["conversations.list"], 4, "private channels were asked for once");
}

#[tokio::test]
async fn a_list_of_channels_without_end_is_an_error_that_names_the_call() {
    let names: [(&[&str], &str); 3] = [(&["a"], "does not go on"), (&["a", "b"], "does not go on"), (&[], "does not end")];
    for (cursors, expected) in names {
        let slack = Workspace::new();
        for page in 0..1_000 {
            let next = cursors.get(page % cursors.len().max(1)).map_or_else(|| page.to_string(), |it| (*it).to_owned());
            let body = json!({"ok": true, "channels": [], "response_metadata": {"next_cursor": next}});
            slack.fault("conversations.list", 0, Fault::Answer(200, body.to_string()));
        }
        let client = slack.client(SlackLimits::default());
        let mut token = None;
        let error = loop {
            match client.resources(token).await {
                Ok(page) => token = Some(page.next.unwrap()),
                Err(error) => break error,
            }
        };
        assert!(matches!(&error, PlatformError::Protocol { call, .. } if call == "slack conversations.list"), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
}
