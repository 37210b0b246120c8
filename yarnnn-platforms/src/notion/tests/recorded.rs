//! What the real API answered, as far as a call of ours could receive it, and samples in its shape.

use std::collections::BTreeMap;

use reqwest::header::HeaderMap;
use serde_json::{Map, Value};

use crate::http::{Dialect as _, Verdict};
use crate::notion::errors::NotionDialect;
use crate::notion::map::{page_resource, table_resource};
use crate::notion::properties;
use crate::notion::text::{Said, block};
use crate::notion::wire::{Block, Database, List, Page, Person, Table};

const RECORDED: &str = include_str!("../../../tests/fixtures/notion/recorded.json");
const SAMPLES: [&str; 6] = [
    include_str!("../../../tests/fixtures/notion/samples/example-database.json"),
    include_str!("../../../tests/fixtures/notion/samples/example-page.json"),
    include_str!("../../../tests/fixtures/notion/samples/example-search.json"),
    include_str!("../../../tests/fixtures/notion/samples/meeting-notes-page.json"),
    include_str!("../../../tests/fixtures/notion/samples/reimport-workspace.json"),
    include_str!("../../../tests/fixtures/notion/samples/synced-workspace.json"),
];

fn recorded() -> Vec<Value> {
    serde_json::from_str(RECORDED).unwrap()
}

fn read<T: serde::de::DeserializeOwned>(body: &Value, what: &Value) -> T {
    serde_json::from_value(body.clone()).unwrap_or_else(|error| panic!("{what}: {error}"))
}

#[test]
fn every_recorded_answer_to_a_call_of_ours_can_be_read() {
    let mut seen = BTreeMap::new();
    for answer in recorded() {
        let (body, status) = (&answer["body"], answer["status"].as_u64().unwrap());
        let call = format!("{} {}", answer["method"].as_str().unwrap(), answer["path"].as_str().unwrap());
        let verdict = NotionDialect.judge("notion call", u16::try_from(status).unwrap(), &HeaderMap::new(), body);
        match (status, call.as_str()) {
            (400, _) => assert!(matches!(verdict, Verdict::Fail(_)), "{answer}"),
            (401, _) => assert!(matches!(verdict, Verdict::Renew { .. }), "{answer}"),
            (404, _) => assert!(matches!(verdict, Verdict::Good), "{answer}"),
            (_, "GET /v1/users/me" | "GET /v1/users/ID") => assert!(read::<Person>(body, &answer).name.is_some()),
            (_, "GET /v1/pages/ID") => drop(read::<Page>(body, &answer)),
            (_, "GET /v1/databases/ID") => assert!(!read::<Database>(body, &answer).data_sources.is_empty()),
            (_, "GET /v1/blocks/ID/children" | "POST /v1/search" | "POST /v1/data_sources/ID/query") => {
                drop(read::<List>(body, &answer));
            }
            _ => continue,
        }
        *seen.entry(format!("{status} {call}")).or_insert(0) += 1;
    }
    insta::assert_json_snapshot!(seen);
}

/// Every object that stands anywhere in the answers, by what becomes of it.
#[derive(Default)]
struct Sorted(BTreeMap<String, u32>);

impl Sorted {
    fn walk(&mut self, value: &Value) {
        match value {
            Value::Object(object) => {
                self.object(value, object);
                object.values().for_each(|it| self.walk(it));
            }
            Value::Array(values) => values.iter().for_each(|it| self.walk(it)),
            _ => {}
        }
    }

    fn object(&mut self, value: &Value, object: &Map<String, Value>) {
        let kind = object.get("object").and_then(Value::as_str).unwrap_or_default();
        let becomes = match kind {
            "" => return,
            "block" => {
                let found: Block = read(value, value);
                let said = match block(&found.kind, found.content()) {
                    Said::Words(_) => "text",
                    Said::Nothing => "no text of its own",
                    Said::Unknown(_) => "named as unsupported",
                };
                format!("block {}: {said}", found.kind)
            }
            "page" => {
                for (name, property) in object.get("properties").and_then(Value::as_object).into_iter().flatten() {
                    self.property(name, property);
                }
                // Samples that hold no more than a part of a page cannot come from the API.
                let whole = object.contains_key("last_edited_time");
                let is_resource = whole.then(|| page_resource(&read::<Page>(value, value)).is_some());
                format!("page: {}", is_resource.map_or("a part", |it| if it { "resource" } else { "row, or in the trash" }))
            }
            "data_source" => {
                let table: Table = read(value, value);
                let resource = table_resource(kind, &table);
                format!(
                    "data source: {}",
                    resource.map_or("names no database", |it| if it.is_some() { "resource" } else { "in the trash" })
                )
            }
            "database" if !object.contains_key("data_sources") => "database: of a version before data sources".to_owned(),
            "database" => {
                let database: Database = read(value, value);
                format!("database: {}", if database.is_trashed() { "in the trash" } else { "its data sources" })
            }
            "user" if object.contains_key("type") => {
                let _: Person = read(value, value);
                "user: a name".to_owned()
            }
            other => format!("{other}: ignored"),
        };
        *self.0.entry(becomes).or_insert(0) += 1;
    }

    fn property(&mut self, name: &str, property: &Value) {
        let kind = property["type"].as_str().unwrap_or("without a type");
        let one = Map::from_iter([(name.to_owned(), property.clone())]);
        let read = properties::read(&one);
        let is_read = !(read.title.is_empty() && read.lines.is_empty());
        let said = if is_read { "read" } else { "empty" };
        *self.0.entry(format!("property {kind}: {said}")).or_insert(0) += 1;
    }
}

#[test]
fn every_object_in_the_recorded_answers_is_mapped_or_ignored_by_type() {
    let mut sorted = Sorted::default();
    for answer in recorded() {
        sorted.walk(&answer["body"]);
    }
    insta::assert_json_snapshot!(sorted.0);
}

#[test]
fn every_object_in_the_samples_is_mapped_or_ignored_by_type() {
    let mut sorted = Sorted::default();
    for sample in SAMPLES {
        sorted.walk(&serde_json::from_str(sample).unwrap());
    }
    insta::assert_json_snapshot!(sorted.0);
}

#[test]
fn every_object_in_the_older_samples_is_mapped_or_ignored_by_type() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/notion/older");
    let mut sorted = Sorted::default();
    for entry in std::fs::read_dir(folder).unwrap() {
        sorted.walk(&serde_json::from_slice(&std::fs::read(entry.unwrap().path()).unwrap()).unwrap());
    }
    insta::assert_json_snapshot!(sorted.0);
}
