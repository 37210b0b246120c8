//! Whole exports through the port: what is kept, what is left out, and that every record is counted once.

use std::path::Path;

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use serde_json::{Value, json};
use yarnnn_core::platform::{
    Budget, Fetch, FetchMode, FetchPage, Interval, Next, PageToken, PlatformClient, PlatformError, Resource, ResourceId,
    ResourceKind,
};

use super::*;
use crate::export::Limits;
use crate::export::archive::testing::{folder_of, zip_file};

const USERS: &str = r#"[
    {"id": "U1", "team_id": "T1", "name": "ana", "profile": {"display_name": "Ana"}},
    {"id": "U2", "team_id": "T1", "name": "ben", "real_name": "Ben Okafor", "profile": {"display_name": ""}}
]"#;
const CHANNELS: &str = r#"[{"id": "C1", "name": "general", "members": ["U1", "U2"]}, {"id": "C9", "name": "empty"}]"#;
const DMS: &str = r#"[{"id": "D1", "members": ["U1", "U2"]}]"#;

fn first_day() -> String {
    json!([
        {"type": "message", "subtype": "channel_join", "user": "U1", "ts": "1451692800.000001", "text": "<@U1> has joined"},
        {"type": "message", "user": "U1", "ts": "1451692801.000007", "text": "Plan: <https://x.org|draft> &amp; notes, <@U2>?",
         "thread_ts": "1451692801.000007", "reply_count": 2, "reactions": [{"name": "tada", "users": ["U1", "U2"], "count": 2}],
         "edited": {"user": "U1", "ts": "1451692900.000000"}},
        {"type": "message", "user": "U2", "ts": "1451692802.000000", "thread_ts": "1451692801.000007", "text": "Yes"},
        {"type": "message", "subtype": "thread_broadcast", "user": "U2", "ts": "1451692803.000000",
         "thread_ts": "1451692801.000007", "text": "Yes, all of it"},
        {"type": "message", "user": "U2", "ts": "1451692804.000000", "text": "",
         "files": [{"name": "plan.pdf", "mimetype": "application/pdf", "size": 12}, {"name": "", "title": "photo"}]},
        {"type": "message", "subtype": "file_share", "user": "U1", "ts": "1451692805.000000",
         "text": "<@U1|ana> uploaded a file: <https://x.org/f|f>", "file": {"name": "f.txt"}},
        {"type": "message", "user": "U3", "ts": "1451692806.000000", "text": "hi", "user_profile": {"real_name": "Cleo"}},
        {"type": "message", "subtype": "bot_message", "bot_id": "B1", "ts": "1451692807.000000", "text": "build passed"},
        {"type": "message", "subtype": "tombstone", "user": "USLACKBOT", "ts": "1451692808.000000", "text": "deleted"},
        {"type": "message", "user": "U1", "ts": "1451692809.000000", "text": " "},
        {"type": "message", "user": "U1", "text": "no time"},
        17
    ])
    .to_string()
}

fn files() -> Vec<(&'static str, String)> {
    let second_day =
        r#"[{"ts": "1451779200.000000", "user": "U9", "text": "\ud83d broken"}, {"ts": 1451779201, "text": "fine"}]"#;
    vec![
        ("users.json", USERS.to_owned()),
        ("channels.json", CHANNELS.to_owned()),
        ("dms.json", DMS.to_owned()),
        ("general/2016-01-02.json", first_day()),
        ("general/2016-01-03.json", second_day.to_owned()),
        ("general/2016-01-04.json", r#"{"not": "an array"}"#.to_owned()),
        (
            "general/2016-01-05.json",
            r#"[{"ts": "1451952000.000000", "user": "U1", "text": "before the break"}, {"ts":"#.to_owned(),
        ),
        ("general/canvas_in_the_conversation.json", "{}".to_owned()),
        ("D1/2016-01-02.json", r#"[{"ts": "1451692800.000000", "user": "U2", "text": "just us"}]"#.to_owned()),
        ("unlisted/2016-01-02.json", "[]".to_owned()),
    ]
}

fn export(path: &Path) -> SlackExport {
    SlackExport::open(path, Limits::default()).unwrap()
}

fn fetch(resource: &ResourceId, page: Option<PageToken>, budget: Budget) -> Fetch {
    let window = Interval { from: DateTime::<Utc>::UNIX_EPOCH, to: DateTime::<Utc>::MAX_UTC };
    Fetch { resource: resource.clone(), kind: ResourceKind::Channel, mode: FetchMode::Start { window }, page, budget }
}

/// All pages of one resource.
async fn pages(export: &SlackExport, resource: &ResourceId, budget: Budget) -> Vec<FetchPage> {
    let (mut pages, mut token) = (Vec::new(), None);
    loop {
        let page = export.fetch(&fetch(resource, token, budget)).await.unwrap();
        let next = page.next.clone();
        pages.push(page);
        match next {
            Next::Page(after) => token = Some(after),
            Next::Done { .. } => return pages,
        }
    }
}

fn shown(pages: &[FetchPage]) -> Value {
    let items = pages.iter().flat_map(|page| &page.items);
    json!({
        "items": items.map(|item| json!({
            "item_id": item.item_id,
            "type": item.content_type.as_str(),
            "content": item.content,
            "author": item.author,
            "timestamp": item.source_timestamp,
            "metadata": item.metadata,
        })).collect::<Vec<_>>(),
        "gone": pages.iter().flat_map(|page| &page.gone).collect::<Vec<_>>(),
        "filtered": pages.iter().flat_map(|page| &page.filtered).collect::<Vec<_>>(),
        "quarantined": pages.iter().flat_map(|page| &page.quarantined).collect::<Vec<_>>(),
        "covered": pages.iter().flat_map(|page| &page.covered).collect::<Vec<_>>(),
        "gaps": pages.iter().flat_map(|page| &page.gaps).collect::<Vec<_>>(),
    })
}

fn records(page: &FetchPage) -> usize {
    let filtered: u32 = page.filtered.iter().map(|(_, count)| count).sum();
    page.items.len() + page.quarantined.len() + usize::try_from(filtered).unwrap()
}

async fn resources(export: &SlackExport) -> Vec<Resource> {
    export.resources(None).await.unwrap().resources
}

#[tokio::test]
async fn conversations_are_listed_with_ids_and_names() {
    let (_kept, zip) = zip_file(&files());
    let export = export(&zip);
    let listed: Vec<_> = resources(&export).await.into_iter().map(|it| (it.id.as_str().to_owned(), it.name)).collect();
    let expected = [("C1", "#general"), ("D1", "Ana, Ben Okafor"), ("name:unlisted", "#unlisted")];
    assert_eq!(listed, expected.map(|(id, name)| (id.to_owned(), name.to_owned())));
    let probe = export.probe().await.unwrap();
    assert_eq!((probe.account_id.as_str(), probe.account_name.as_deref()), ("T1", Some("export")));
}

#[tokio::test]
async fn a_channel_is_read_with_every_record_accounted_for() {
    let (_kept, zip) = zip_file(&files());
    let export = export(&zip);
    let all = pages(&export, &"slack:C1".parse().unwrap(), Budget::default()).await;
    assert_eq!(all.len(), 1);
    // 12 and 2 elements, a file that is no array, and one element before a break.
    assert_eq!(records(&all[0]), 12 + 2 + 1 + 2);
    insta::assert_json_snapshot!(shown(&all));
}

#[tokio::test]
async fn pages_of_any_size_add_up_to_the_same() {
    let folder = folder_of(&files());
    let export = export(folder.path());
    let channel = "slack:C1".parse().unwrap();
    let whole = pages(&export, &channel, Budget::default()).await;
    for (max_items, max_bytes) in [(0, 0), (1, 1_000), (2, 1_000), (5, 1_000), (12, 1_000), (500, 1), (500, 40)] {
        let split = pages(&export, &channel, Budget { max_items, max_bytes, cap: None }).await;
        assert!(split.len() > 1 && split.iter().all(|page| records(page) > 0));
        let ids = |pages: &[FetchPage]| pages.iter().flat_map(|it| &it.items).map(|it| it.item_id.clone()).collect::<Vec<_>>();
        assert_eq!(ids(&split), ids(&whole), "{max_items} {max_bytes}");
        assert_eq!(split.iter().map(records).sum::<usize>(), records(&whole[0]), "{max_items} {max_bytes}");
        assert_eq!(shown(&split)["covered"], shown(&whole)["covered"]);
        assert_eq!(shown(&split)["quarantined"], shown(&whole)["quarantined"]);
    }
}

#[tokio::test]
async fn the_revision_is_that_of_the_raw_text() {
    let read = |users: &'static str| async move {
        let day = r#"[{"ts": "1.000000", "user": "U1", "text": "ask <@U2>"}]"#;
        let (_kept, zip) = zip_file(&[("users.json", users), ("general/2016-01-02.json", day)]);
        let export = export(&zip);
        pages(&export, &"slack:name:general".parse().unwrap(), Budget::default()).await.remove(0).items.remove(0)
    };
    let before = read(USERS).await;
    let after = read(r#"[{"id": "U2", "name": "Benjamin"}]"#).await;
    assert_eq!((before.content.as_str(), after.content.as_str()), ("ask @Ben Okafor", "ask @Benjamin"));
    assert_eq!(before.content_hash, after.content_hash);
    assert_eq!(before.content_hash, yarnnn_core::hash::Sha256::of("ask <@U2>"));
}

#[tokio::test]
async fn broken_lists_cost_names_and_not_messages() {
    let day = r#"[{"ts": "1.000000", "user": "U1", "text": "hi"}]"#;
    let files = [("x/users.json", "nonsense"), ("x/channels.json", r#"[{"id": "C1", "name": "general"}, 3]"#)];
    let (_kept, zip) = zip_file(&[files[0], files[1], ("x/general/2016-01-02.json", day), ("../y.json", "")]);
    let export = export(&zip);
    let listed = export.resources(None).await.unwrap();
    assert_eq!(listed.resources[0].id.as_str(), "C1");
    insta::assert_json_snapshot!(listed.quarantined);
    let page = pages(&export, &listed.resources[0].id, Budget::default()).await.remove(0);
    assert_eq!(page.items[0].author.as_ref().unwrap().name, "U1");
}

#[tokio::test]
async fn what_is_not_there_is_said_in_the_ports_words() {
    let (_kept, zip) = zip_file(&files());
    let export = export(&zip);
    let gone = export.fetch(&fetch(&"slack:C404".parse().unwrap(), None, Budget::default())).await;
    assert!(matches!(gone, Err(PlatformError::ResourceGone { .. })));
    let foreign = fetch(&"slack:C1".parse().unwrap(), Some(PageToken::new("foreign")), Budget::default());
    assert!(matches!(export.fetch(&foreign).await, Err(PlatformError::Protocol { .. })));
    let beyond = fetch(&"slack:C1".parse().unwrap(), Some(PageToken::new("99:0")), Budget::default());
    assert!(matches!(export.fetch(&beyond).await.unwrap().next, Next::Done { cursor: None, .. }));
    let (_kept, zip) = zip_file(&[("notes.txt", "x")]);
    assert_eq!(
        SlackExport::open(&zip, Limits::default()).unwrap_err().to_string(),
        "export.zip: it holds neither channels.json nor folders with files like 2024-05-31.json"
    );
}

/// Text that is nearly what an export holds.
fn nearly_json() -> impl Strategy<Value = Vec<u8>> {
    let token = prop::sample::select(vec![
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "\"ts\"",
        "\"1.5\"",
        "\"text\"",
        "\"\\ud800\"",
        "null",
        "1e999",
        "\"id\"",
        "\"U1\"",
        "\"files\"",
    ]);
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..80),
        prop::collection::vec(token, 0..24).prop_map(|tokens| tokens.concat().into_bytes()),
    ]
}

proptest! {
    #[test]
    fn arbitrary_files_never_panic(users in nearly_json(), channels in nearly_json(), day in nearly_json()) {
        let files = [("users.json", users), ("channels.json", channels), ("general/2016-01-02.json", day)];
        let folder = folder_of(&files);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let export = export(folder.path());
            for resource in resources(&export).await {
                pages(&export, &resource.id, Budget { max_items: 2, max_bytes: 10, cap: None }).await;
            }
        });
    }

    #[test]
    fn every_element_is_one_record(kinds in prop::collection::vec(0_usize..6, 0..40), max_items in 1_usize..10) {
        let element = |(index, kind): (usize, &usize)| match kind {
            0 => json!({"ts": format!("{index}.5"), "text": "said", "user": "U1"}),
            1 => json!({"ts": format!("{index}.5"), "text": "x", "subtype": "channel_join"}),
            2 => json!({"ts": format!("{index}.5"), "text": ""}),
            3 => json!({"text": "no ts"}),
            4 => json!({"ts": format!("{index}.5"), "text": "x", "subtype": "tombstone"}),
            _ => json!([index]),
        };
        let day = Value::Array(kinds.iter().enumerate().map(element).collect()).to_string();
        let folder = folder_of(&[("general/2016-01-02.json", day)]);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let total: usize = runtime.block_on(async {
            let export = export(folder.path());
            let budget = Budget { max_items, max_bytes: 1_000, cap: None };
            pages(&export, &"slack:name:general".parse().unwrap(), budget).await.iter().map(records).sum()
        });
        prop_assert_eq!(total, kinds.len());
    }
}
