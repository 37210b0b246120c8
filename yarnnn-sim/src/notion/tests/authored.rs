//! The authored workspace says over HTTP what its export says.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};

use serde_json::json;

use super::*;
use crate::Sample;

/// The export's Markdown files, by the id in their names.
fn exported() -> BTreeMap<String, String> {
    let directory = tempfile::tempdir().unwrap();
    let files = Sample::load().write_exports(instant(), directory.path()).unwrap();
    let mut zip = zip::ZipArchive::new(Cursor::new(std::fs::read(files.notion).unwrap())).unwrap();
    let mut found = BTreeMap::new();
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index).unwrap();
        let name = entry.name().unwrap().into_owned();
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        if let Some(stem) = name.strip_suffix(".md") {
            found.insert(stem[stem.len() - 32..].to_owned(), text);
        }
    }
    found
}

/// A line without the marks of Markdown: what a reader of either form holds.
fn bare(line: &str) -> String {
    let marks = ["- [x] ", "- [ ] ", "### ", "## ", "# ", "- ", "> "];
    let rest = marks.iter().find_map(|mark| line.strip_prefix(mark)).unwrap_or(line);
    let rest = rest.split_once(". ").filter(|(number, _)| number.parse::<u8>().is_ok()).map_or(rest, |(_, rest)| rest);
    let row = rest.strip_prefix("| ").and_then(|it| it.strip_suffix(" |")).unwrap_or(rest);
    let mut text = String::new();
    let mut left = row;
    while let Some((before, after)) = left.split_once('[') {
        let (label, after) = after.split_once("](").unwrap();
        text.push_str(before);
        text.push_str(label);
        left = after.split_once(')').unwrap().1;
    }
    text + left
}

#[tokio::test]
async fn every_page_and_row_has_the_id_the_title_and_the_words_of_its_export() {
    let clock = Arc::new(VirtualClock::at(instant()));
    let world = World::of(Sim::sample(clock.clone()), clock).await;
    let exported = exported();
    let snapshot = world.notion().snapshot();
    let counts = Sample::load().counts();
    assert_eq!((snapshot.len(), exported.len()), (counts.pages + counts.rows, counts.pages + counts.rows));
    assert_eq!(snapshot.values().filter(|it| it.row_of.is_some()).count(), counts.rows);
    for (id, page) in &snapshot {
        let text = &exported[&id.replace('-', "")];
        let (title, body) = text.split_once("\n\n").unwrap();
        // A row's columns stand between its title and its words.
        let body = if page.row_of.is_some() { body.split_once("\n\n").map_or("", |(_, body)| body) } else { body };
        assert_eq!(title, format!("# {}", page.title));
        let expected: Vec<String> =
            body.lines().filter(|it| !it.is_empty() && !it.starts_with("```") && !it.starts_with("| ---")).map(bare).collect();
        assert_eq!(page.text().lines().collect::<Vec<_>>(), expected, "{title}");
        assert_eq!(world.words(id, 7).await, texts(page));
    }
}

#[tokio::test]
async fn the_roadmap_is_found_and_queried_newest_first() {
    let clock = Arc::new(VirtualClock::at(instant()));
    let world = World::of(Sim::sample(clock.clone()), clock).await;
    let filter = json!({ "filter": { "property": "object", "value": "data_source" } });
    let sources = world.posted("/v1/search", filter, 100).await;
    assert_eq!(plain(&sources[0]["title"]), "Roadmap");
    let query = format!("/v1/data_sources/{}/query", sources[0]["id"].as_str().unwrap());
    let newest = json!({ "sorts": [{ "timestamp": "last_edited_time", "direction": "descending" }] });
    let rows = world.posted(&query, newest, 2).await;
    assert_eq!(rows.len(), Sample::load().counts().rows);
    let first = &rows[0]["properties"];
    assert_eq!(plain(&first["Name"]["title"]), "HB-247 Minimum version on the server");
    assert_eq!(first["Owner"]["people"][0]["name"], "Priya Raman");
    assert_eq!(
        (&first["Status"]["status"]["name"], &first["Due"]["date"]["start"]),
        (&json!("In progress"), &json!("2026-03-09"))
    );
    assert_eq!(first["Last edited time"]["last_edited_time"], "2026-03-07T15:50:00.000Z");
}
