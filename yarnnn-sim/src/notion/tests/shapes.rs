//! The objects' fields, compared with those of answers that were recorded from the real service at 2025-09-03.

use std::collections::BTreeSet;

use serde_json::json;

use super::super::{Property, PropertyKind};
use super::*;

const PAGE: &str = "archived cover created_by created_time icon id in_trash is_archived is_locked last_edited_by last_edited_time \
                    object parent properties public_url request_id url";
const BLOCK: &str = "archived created_by created_time has_children id in_trash last_edited_by last_edited_time object paragraph \
                     parent request_id type";
const DATABASE: &str = "archived cover created_time data_sources description icon id in_trash is_inline is_locked last_edited_time \
                        object parent public_url request_id title url";
const DATA_SOURCE: &str = "archived cover created_by created_time database_parent description icon id in_trash is_inline \
                           last_edited_by last_edited_time object parent properties public_url request_id title url";
const BOT: &str = "avatar_url bot id name object request_id type";
const LIST: &str = "has_more next_cursor object page_or_data_source request_id results type";
const COMMENT: &str = "created_by created_time discussion_id display_name id last_edited_time object parent rich_text";
const TEXT: &str = "annotations href plain_text text type";

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn words(text: &str) -> BTreeSet<&str> {
    text.split_whitespace().collect()
}

#[tokio::test]
async fn objects_have_the_fields_of_the_recorded_ones() {
    let world = World::new().await;
    let notion = world.notion();
    let page = notion.add_page(top(), "Page", vec![Block::paragraph("text")]).unwrap();
    let database = notion.add_database(Place::Inside(&page), "Tasks", &[]).unwrap();
    let block = notion.snapshot()[&page].blocks[0].id.clone();
    notion.add_comment(&page, &notion.add_user("Ana", "ana@sim.example"), "Good").unwrap();
    for (path, expected) in [
        (format!("pages/{page}"), PAGE),
        (format!("blocks/{block}"), BLOCK),
        (format!("databases/{}", database.id), DATABASE),
        (format!("data_sources/{}", database.data_source), DATA_SOURCE),
        ("users/me".to_owned(), BOT),
    ] {
        assert_eq!(keys(&world.get(&format!("/v1/{path}")).await.json()), words(expected), "{path}");
    }
    let list = world.post("/v1/search", json!({})).await.json();
    assert_eq!(keys(&list), words(LIST));
    let comments = world.listed("/v1/comments", &[("block_id", &page)], 1).await;
    assert_eq!(keys(&comments[0]), words(COMMENT));
    let block = world.get(&format!("/v1/blocks/{block}")).await.json();
    assert_eq!(keys(&block["paragraph"]["rich_text"][0]), words(TEXT));
    let error = world.get("/v1/pages/00000000-0000-0000-0000-000000000000").await.json();
    assert_eq!(keys(&error), words("additional_data code message object request_id status"));
}

#[tokio::test]
async fn a_row_has_every_column_in_its_own_form() {
    let world = World::new().await;
    let notion = world.notion();
    let ana = notion.add_user("Ana", "ana@sim.example");
    let columns = [
        ("Note", PropertyKind::RichText),
        ("Weight", PropertyKind::Number),
        ("Kind", PropertyKind::Select),
        ("Status", PropertyKind::Status),
        ("Tags", PropertyKind::MultiSelect),
        ("Due", PropertyKind::Date),
        ("Owner", PropertyKind::People),
        ("Done", PropertyKind::Checkbox),
        ("Link", PropertyKind::Url),
        ("Needs", PropertyKind::Relation),
        ("Made", PropertyKind::CreatedTime),
        ("Changed", PropertyKind::LastEditedTime),
    ];
    let database = notion.add_database(top(), "Tasks", &columns).unwrap();
    let empty = notion.add_row(&database.data_source, "", &[], vec![]).unwrap();
    let values = [
        ("Note", Property::Text("a note".into())),
        ("Weight", Property::Number(2.5)),
        ("Kind", Property::Select("bug".to_owned())),
        ("Status", Property::Status("Done".to_owned())),
        ("Tags", Property::MultiSelect(vec!["x".to_owned(), "y".to_owned()])),
        ("Due", Property::Date { start: "2026-03-09".to_owned(), end: None }),
        ("Owner", Property::People(vec![ana.clone()])),
        ("Done", Property::Checkbox(true)),
        ("Link", Property::Url("https://a.example".to_owned())),
        ("Needs", Property::Relation(vec![empty.clone()])),
    ];
    let full = notion.add_row(&database.data_source, "Full", &values, vec![]).unwrap();
    let full = world.get(&format!("/v1/pages/{full}")).await.json();
    let parent = json!({ "type": "data_source_id", "data_source_id": database.data_source, "database_id": database.id });
    assert_eq!(full["parent"], parent);
    let value = |name: &str| {
        let property = &full["properties"][name];
        property[property["type"].as_str().unwrap()].clone()
    };
    assert_eq!((plain(&value("Note")), value("Weight"), value("Done")), ("a note".to_owned(), json!(2.5), json!(true)));
    assert_eq!((&value("Kind")["name"], &value("Status")["name"]), (&json!("bug"), &json!("Done")));
    assert_eq!((&value("Tags")[1]["name"], &value("Due")["start"]), (&json!("y"), &json!("2026-03-09")));
    assert_eq!((&value("Owner")[0]["person"]["email"], &value("Needs")[0]["id"]), (&json!("ana@sim.example"), &json!(empty)));
    assert_eq!((value("Link"), value("Made")), (json!("https://a.example"), json!("2026-03-08T12:00:00.000Z")));
    let empty = world.get(&format!("/v1/pages/{empty}")).await.json()["properties"].clone();
    assert_eq!(
        (&empty["Name"]["title"], &empty["Due"]["date"], &empty["Tags"]["multi_select"]),
        (&json!([]), &json!(null), &json!([]))
    );
    let schema = world.get(&format!("/v1/data_sources/{}", database.data_source)).await.json()["properties"].clone();
    assert_eq!(keys(&schema), keys(&full["properties"]));
    assert!(keys(&schema).iter().all(|it| schema[it]["id"] == full["properties"][it]["id"]));
}

#[tokio::test]
async fn a_database_lists_its_data_sources_and_the_old_version_knows_only_one() {
    let world = World::new().await;
    let notion = world.notion();
    let database = notion.add_database(top(), "Tasks", &[("Kind", PropertyKind::Select)]).unwrap();
    let row = notion.add_row(&database.data_source, "Row", &[], vec![]).unwrap();
    let old = World { client: world.client.with("notion-version", "2022-06-28"), ..world };
    let answer = old.get(&format!("/v1/databases/{}", database.id)).await.json();
    assert!(answer["properties"]["Kind"].is_object() && answer.get("data_sources").is_none(), "{answer}");
    let query = format!("/v1/databases/{}/query", database.id);
    let rows = old.posted(&query, json!({}), 100).await;
    assert_eq!((ids(&rows), &rows[0]["parent"]["database_id"]), (vec![row.as_str()], &json!(database.id)));
    assert_eq!(code(&old.get(&format!("/v1/data_sources/{}", database.data_source)).await), refusal(400, "invalid_request_url"));
    let filter = json!({ "filter": { "property": "object", "value": "database" } });
    assert_eq!(ids(&old.posted("/v1/search", filter.clone(), 100).await), [database.id.as_str()]);
    let second = old.notion().add_data_source(&database.id, "More tasks", &[]).unwrap();
    assert_eq!(code(&old.post(&query, json!({})).await), refusal(400, "validation_error"));
    assert_eq!(old.posted("/v1/search", filter, 100).await.len(), 0);
    let new = World { client: old.client.with("notion-version", "2026-03-11"), ..old };
    let answer = new.get(&format!("/v1/databases/{}", database.id)).await.json();
    let sources: Vec<&str> = answer["data_sources"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect();
    assert_eq!(sources, [database.data_source.as_str(), &second]);
    assert!(answer.get("archived").is_none() && answer["in_trash"] == false, "{answer}");
    assert_eq!(code(&new.post(&query, json!({})).await), refusal(400, "invalid_request_url"));
}
