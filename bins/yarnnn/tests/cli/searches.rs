//! Searching: words in any order and inflection, no operators, and filters that mean what they say.

use serde_json::Value;

use super::exports::imported;
use super::support::{Backend, Installation, assert_same};

/// How many items are found, and the text around each match without its marks.
fn found(installation: &Installation, arguments: &[&str]) -> Vec<String> {
    let said = installation.json(&[&["search"], arguments].concat(), 0);
    let text = |it: &Value| it["snippet"].as_str().expect("a snippet").replace(['⟦', '⟧'], "");
    said["results"].as_array().expect("results").iter().map(text).collect()
}

async fn words_meet_their_items(backend: Backend) {
    let (installation, _) = imported(backend).await;
    for query in [&["festival", "wind"][..], &["winds", "FESTIVALS"], &["moving weak kites"], &["festival wind"]] {
        let hits = found(&installation, query);
        assert_eq!(hits.len(), 1, "{query:?}: {hits:?}");
        assert!(hits[0].contains("kite festival"), "{hits:?}");
    }
    assert!(found(&installation, &["festival", "submarine"]).is_empty(), "all words must occur");
    assert_eq!(found(&installation, &["rehearsal"]).len(), 1, "a title is found");
    assert_eq!(found(&installation, &["Clara", "insurance"]).len(), 1, "an author is found");

    let hit = &installation.json(&["search", "insurance", "visitors"], 0)["results"][0];
    assert_eq!((hit["platform"].as_str(), hit["resource_id"].as_str()), (Some("gmail"), Some("label:inbox")));
    assert_eq!((hit["title"].as_str(), hit["author"].as_str()), (Some("Insurance for the festival"), Some("Clara Voss")));
    assert!(hit["timestamp"].as_str().unwrap().starts_with("2024-05-08T10:00:00"), "{hit}");
    assert!(hit["snippet"].as_str().unwrap().contains("⟦visitors⟧"), "{hit}");
    assert!(hit["content_id"].is_string() && hit["score"].is_number(), "{hit}");
    installation.close().await;
}

async fn nothing_is_an_operator(backend: Backend) {
    let (installation, _) = imported(backend).await;
    let festival = found(&installation, &["festival"]).len();
    for query in ["\"festival", "(festival", "festival*", "festival)", "+festival", "^festival", "festival:", "'festival' --"] {
        assert_eq!(found(&installation, &["--", query]).len(), festival, "{query}");
    }
    for query in ["festival OR submarine", "festival NOT submarine", "NEAR(festival submarine)", "fest*", "title:submarine", "%"]
    {
        assert!(found(&installation, &["--", query]).is_empty(), "{query}");
    }
    let before = installation.dump().await;
    for query in
        ["", " ", "\"", "' or 1=1 --", "festival'; drop table platform_content; --", "\u{0}\u{1}", "⟦", "🪁", "((((", "-"]
    {
        let query = query.replace('\0', "\u{2}");
        installation.json(&["search", "--", &query], 0);
    }
    assert_same(&installation.dump().await, &before, "nothing changes");
    installation.close().await;
}

async fn filters_narrow(backend: Backend) {
    let (installation, _) = imported(backend).await;
    let count = |arguments: &[&str]| found(&installation, arguments).len();
    assert_eq!(count(&["festival"]), 3, "a message, a mail's subject, an event's title");
    assert_eq!(count(&["festival", "--platform", "slack"]), 1);
    assert_eq!(count(&["festival", "--platform", "slack", "--platform", "calendar"]), 2);
    assert_eq!(count(&["festival", "--platform", "notion"]), 0);
    assert_eq!(count(&["meadow"]), 2);
    assert_eq!(count(&["meadow", "--source", "slack:C2"]), 1);
    assert_eq!(count(&["meadow", "--source", "slack:C1", "--source", "slack:C2"]), 2);
    assert_eq!(count(&["festival", "--source", "gmail:inbox"]), 1);
    assert_eq!(count(&["meadow", "--author", "RUIZ"]), 1);
    assert_eq!(count(&["meadow", "--author", "nobody"]), 0);
    assert_eq!(count(&["meadow", "--from", "2024-05-09"]), 1);
    assert_eq!(count(&["meadow", "--to", "2024-05-09"]), 1);
    assert_eq!(count(&["meadow", "--from", "2024-05-08T09:05:00Z", "--to", "2024-05-08T09:05:01Z"]), 1);
    assert_eq!(count(&["meadow", "--from", "2024-05-11"]), 0);
    assert_eq!(count(&["festival", "--limit", "2"]), 2);
    installation.close().await;
}

#[tokio::test]
async fn words_meet_their_items_on_sqlite() {
    words_meet_their_items(Backend::Sqlite).await;
}

#[tokio::test]
async fn words_meet_their_items_on_postgres() {
    words_meet_their_items(Backend::Postgres).await;
}

#[tokio::test]
async fn nothing_is_an_operator_on_sqlite() {
    nothing_is_an_operator(Backend::Sqlite).await;
}

#[tokio::test]
async fn nothing_is_an_operator_on_postgres() {
    nothing_is_an_operator(Backend::Postgres).await;
}

#[tokio::test]
async fn filters_narrow_on_sqlite() {
    filters_narrow(Backend::Sqlite).await;
}

#[tokio::test]
async fn filters_narrow_on_postgres() {
    filters_narrow(Backend::Postgres).await;
}

#[tokio::test]
async fn people_are_shown_where_it_matches() {
    let (installation, _) = imported(Backend::Sqlite).await;
    let shown = installation.yarnnn(&["search", "winch"]).expect(0).stdout;
    assert!(shown.contains("#general") && shown.contains("Ben Cole") && shown.contains("The new winch is blocked"), "{shown}");
    assert!(!shown.contains('\u{1b}'), "no colours where nobody looks");
    assert_eq!(installation.yarnnn(&["search", "submarine"]).expect(0).stdout, "nothing found\n");
}
