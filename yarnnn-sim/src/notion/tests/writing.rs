//! What is written reads back.

use proptest::prelude::*;
use serde_json::json;

use super::super::state::Schema;
use super::super::{Capability, Property, PropertyKind, parse, query};
use super::*;

fn paragraph(text: &str) -> Value {
    json!({ "object": "block", "type": "paragraph", "paragraph": { "rich_text": [{ "type": "text", "text": { "content": text } }] } })
}

#[tokio::test]
async fn a_page_that_was_made_over_http_is_read_back() {
    let world = World::new().await;
    let home = world.notion().add_page(top(), "Home", vec![]).unwrap();
    let list =
        json!({ "bulleted_list_item": { "rich_text": [{ "text": { "content": "item" } }], "children": [paragraph("below")] } });
    let body = json!({
        "parent": { "page_id": home.replace('-', "") },
        "properties": { "title": [{ "text": { "content": "Report" } }] },
        "children": [paragraph("one"), list],
    });
    let made = world.post("/v1/pages", body).await.json();
    let id = made["id"].as_str().unwrap();
    assert_eq!(plain(&made["properties"]["title"]["title"]), "Report");
    assert_eq!(world.words(id, 100).await, ["one", "item", "below"]);
    let path = format!("/v1/blocks/{id}/children");
    let first = world.listed(&path, &[], 1).await[0]["id"].clone();
    let send = async |client: &Client, body: Value| {
        client.send("PATCH", &path, "application/json", body.to_string().as_bytes()).await.unwrap()
    };
    let added = send(&world.client, json!({ "children": [paragraph("one and a half")], "after": first })).await.json();
    assert_eq!(added["results"].as_array().unwrap().len(), 1);
    let newest = world.client.with("notion-version", "2026-03-11");
    assert_eq!(send(&newest, json!({ "children": [paragraph("zero")], "position": { "type": "start" } })).await.status, 200);
    assert_eq!(code(&send(&newest, json!({ "children": [], "after": first })).await), refusal(400, "validation_error"));
    assert_eq!(world.words(id, 100).await, ["zero", "one", "one and a half", "item", "below"]);
    assert_eq!(texts(&world.notion().snapshot()[id]), world.words(id, 100).await);
}

#[tokio::test]
async fn a_row_that_was_made_over_http_follows_its_columns() {
    let world = World::new().await;
    let notion = world.notion();
    let database = notion.add_database(top(), "Tasks", &[("Kind", PropertyKind::Select)]).unwrap();
    let row = |parent: Value, properties: Value| json!({ "parent": parent, "properties": properties });
    let source = json!({ "type": "data_source_id", "data_source_id": database.data_source });
    let good = json!({ "Name": { "title": [{ "text": { "content": "Row" } }] }, "Kind": { "select": { "name": "bug" } } });
    for parent in [source.clone(), json!({ "database_id": database.id })] {
        let made = world.post("/v1/pages", row(parent, good.clone())).await.json();
        assert_eq!(made["properties"]["Kind"]["select"]["name"], "bug", "{made}");
        assert_eq!(made["parent"]["data_source_id"], database.data_source.as_str());
    }
    notion.add_data_source(&database.id, "More", &[]).unwrap();
    let wrong = [
        row(json!({ "database_id": database.id }), good.clone()),
        row(source.clone(), json!({ "Color": { "select": { "name": "red" } } })),
        row(source.clone(), json!({ "Kind": { "number": 5 } })),
        row(json!({}), good.clone()),
    ];
    for body in wrong {
        assert_eq!(code(&world.post("/v1/pages", body.clone()).await), refusal(400, "validation_error"), "{body}");
    }
    notion.trash(&database.id).unwrap();
    assert_eq!(code(&world.post("/v1/pages", row(source, good)).await), refusal(400, "validation_error"));
}

#[tokio::test]
async fn requests_beyond_the_published_sizes_are_refused_and_change_nothing() {
    let world = World::new().await;
    let home = world.notion().add_page(top(), "Home", vec![]).unwrap();
    let page = |children: Vec<Value>| json!({ "parent": { "page_id": home }, "properties": {}, "children": children });
    let before = world.notion().snapshot();
    let nested = (0..4).fold(paragraph("x"), |inner, _| json!({ "toggle": { "rich_text": [], "children": [inner] } }));
    for children in [
        (0..101).map(|_| paragraph("x")).collect(),
        vec![paragraph(&"x".repeat(2_001))],
        vec![nested],
        vec![json!({ "type": "hologram", "hologram": {} })],
        vec![json!({ "paragraph": { "rich_text": [{}] } })],
        vec![json!(7)],
    ] {
        assert_eq!(code(&world.post("/v1/pages", page(children)).await), refusal(400, "validation_error"));
    }
    assert_eq!(world.notion().snapshot(), before);
    assert_eq!(world.post("/v1/pages", page((0..100).map(|_| paragraph(&"x".repeat(2_000))).collect())).await.status, 200);
    let broken = world.client.send("POST", "/v1/pages", "application/json", b"{\"parent\":").await.unwrap();
    assert_eq!(code(&broken), refusal(400, "invalid_json"));
    world.notion().refuse(Capability::InsertContent);
    assert_eq!(code(&world.post("/v1/pages", page(vec![])).await), refusal(403, "restricted_resource"));
}

#[tokio::test]
async fn comments_are_made_and_listed_in_their_discussion() {
    let world = World::new().await;
    let page = world.notion().add_page(top(), "Page", vec![Block::paragraph("text")]).unwrap();
    let block = world.notion().snapshot()[&page].blocks[0].id.clone();
    let text = |words: &str| json!([{ "text": { "content": words } }]);
    let first = world.post("/v1/comments", json!({ "parent": { "page_id": page }, "rich_text": text("one") })).await.json();
    assert_eq!(first["display_name"]["type"], "integration");
    let more = json!({ "discussion_id": first["discussion_id"], "rich_text": text("two") });
    assert_eq!(world.post("/v1/comments", more).await.json()["parent"]["page_id"], page.as_str());
    world.post("/v1/comments", json!({ "parent": { "block_id": block }, "rich_text": text("three") })).await;
    let words = async |on: &str| {
        let found = world.listed("/v1/comments", &[("block_id", on)], 1).await;
        found.iter().map(|it| plain(&it["rich_text"])).collect::<Vec<_>>()
    };
    assert_eq!((words(&page).await, words(&block).await), (vec!["one".to_owned(), "two".to_owned()], vec!["three".to_owned()]));
    for body in [json!({ "parent": { "page_id": page } }), json!({ "rich_text": text("nowhere") })] {
        assert_eq!(code(&world.post("/v1/comments", body).await), refusal(400, "validation_error"));
    }
    assert_eq!(code(&world.get("/v1/comments").await), refusal(400, "validation_error"));
    world.notion().refuse(Capability::InsertComments);
    let body = json!({ "parent": { "page_id": page }, "rich_text": text("no") });
    assert_eq!(code(&world.post("/v1/comments", body).await), refusal(403, "restricted_resource"));
}

#[tokio::test]
async fn a_page_as_markdown_names_what_it_cannot_express() {
    let world = World::new().await;
    let page = world.notion().add_page(top(), "Page", every_kind()).unwrap();
    let answer = world.get(&format!("/v1/pages/{page}/markdown")).await.json();
    let text = answer["markdown"].as_str().unwrap();
    for part in
        ["# One\n", "first\n\tsecond\n\t\tthird\n", "- [x] done\n", "```rust\nfn main() {\n}\n```", "<td>c</td><td>d</td>"]
    {
        assert!(text.contains(part), "{part} in {text}");
    }
    let unknown = world.notion().snapshot()[&page].blocks.iter().find(|it| it.kind == "hologram").unwrap().id.clone();
    assert_eq!((&answer["unknown_block_ids"], &answer["truncated"]), (&json!([unknown]), &json!(false)));
}

#[test]
fn verbs_that_name_nothing_say_so() {
    let clock = Arc::new(VirtualClock::at(instant()));
    let sim = Sim::new(clock);
    let notion = sim.notion();
    let page = notion.add_page(top(), "Page", vec![]).unwrap();
    let before = notion.snapshot();
    assert!(notion.add_page(Place::Inside("nothing"), "Page", vec![]).is_err());
    assert!(notion.add_row(&page, "Row", &[], vec![]).is_err());
    assert!(notion.add_data_source(&page, "Tasks", &[]).is_err());
    assert!(notion.edit_block(&page, "words").is_err());
    assert!(notion.set_property("nothing", "Kind", Property::Checkbox(true)).is_err());
    assert_eq!(notion.trash("nothing").unwrap_err().to_string(), "no entry in the workspace has the id nothing");
    assert_eq!(notion.snapshot(), before);
}

fn any_json() -> impl Strategy<Value = Value> {
    let key = prop::sample::select(vec![
        "type",
        "paragraph",
        "rich_text",
        "text",
        "content",
        "children",
        "table_row",
        "cells",
        "mention",
        "and",
        "or",
        "timestamp",
        "last_edited_time",
        "property",
        "after",
        "page_size",
        "start_cursor",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z_0-9-]{0,12}".prop_map(Value::from),
        key.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..6)
                .prop_map(|fields| fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_a_client_sends_is_read_or_refused(value in any_json()) {
        let schema = Schema::new(&[("after", PropertyKind::LastEditedTime)]);
        let _ = parse::children("body.children", Some(&value));
        let _ = parse::rich_text("body.rich_text", Some(&value));
        let _ = parse::paging(&value);
        let _ = query::Filter::parse(&value, &schema);
        let _ = query::sorts(Some(&value), &schema);
        let _ = query::search_order(Some(&value));
    }
}
