//! Importing: every record is counted once, what cannot be read is named, and nothing is stored twice.

use std::fs;

use serde_json::{Value, json};

use super::exports::{Exports, imported, message, put};
use super::support::{Backend, Installation, assert_same};

/// `kept`, `filtered`, `failed`, `new`, `unchanged`.
fn counts(of: &Value) -> [i64; 5] {
    ["kept", "filtered", "failed", "new", "unchanged"].map(|it| of[it].as_i64().expect("a count"))
}

async fn every_record_is_counted_and_a_second_import_adds_nothing(backend: Backend) {
    let installation = Installation::new(backend).await;
    let exports = Exports::write(&installation.folder.path().join("exports"));
    let first = installation.json(&exports.import(), 0);
    let kinds: Vec<_> = first["sources"].as_array().unwrap().iter().map(|it| it["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["slack_export", "mbox", "ics"]);
    let sources: Vec<_> = first["sources"].as_array().unwrap().iter().map(counts).collect();
    assert_eq!(sources, [[6, 1, 0, 6, 0], [2, 0, 0, 2, 0], [2, 0, 0, 2, 0]]);
    assert_eq!(counts(&first["totals"]), [10, 1, 0, 10, 0]);
    assert_eq!(first["sources"][0]["filtered_by_reason"], json!({ "channel_join": 1 }));

    let before = installation.dump().await;
    let second = installation.json(&exports.import(), 0);
    assert_eq!(counts(&second["totals"]), [10, 1, 0, 0, 10]);
    assert_same(&installation.dump().await, &before, "nothing changes");
    installation.close().await;
}

#[tokio::test]
async fn every_record_is_counted_once_on_sqlite() {
    every_record_is_counted_and_a_second_import_adds_nothing(Backend::Sqlite).await;
}

#[tokio::test]
async fn every_record_is_counted_once_on_postgres() {
    every_record_is_counted_and_a_second_import_adds_nothing(Backend::Postgres).await;
}

#[tokio::test]
async fn an_edited_message_is_a_new_revision_and_nothing_else_is() {
    let (installation, exports) = imported(Backend::Sqlite).await;
    let file = exports.slack.join("general/2024-05-08.json");
    let text = fs::read_to_string(&file).unwrap();
    put(&file, &text.replace("approved and paid", "approved but not paid"));
    let again = installation.json(&exports.import(), 0);
    assert_eq!(counts(&again["totals"]), [10, 1, 0, 1, 9]);
    let rows = "select content from platform_content where content like 'The permit%' order by is_current";
    let rows = installation.texts(rows).await;
    assert_eq!(rows.len(), 2);
    assert!(rows[1].contains("not paid"), "the newer revision is the current one: {rows:?}");
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_named_and_the_rest_goes_on() {
    let installation = Installation::new(Backend::Sqlite).await;
    let exports = Exports::write(&installation.folder.path().join("exports"));
    exports.add_day("2024-05-11", "[{\"ts\": \"1715");
    exports.add_day("2024-05-12", &format!("[{}]", message("U1", "1715504400.000100", "The meadow is dry again.")));
    let said = installation.json(&exports.import(), 1);
    assert_eq!(counts(&said["totals"]), [11, 1, 1, 11, 0]);
    let errors = said["sources"][0]["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0]["item"].as_str().unwrap().contains("kites/2024-05-11.json"), "{errors:?}");
    assert!(!errors[0]["reason"].as_str().unwrap().is_empty());

    let shown = installation.yarnnn(&exports.import()).expect(1);
    assert!(shown.stdout.contains("kites/2024-05-11.json"), "{}", shown.stdout);
}

#[tokio::test]
async fn an_unsupported_file_fails_when_named_and_is_ignored_in_a_folder() {
    let installation = Installation::new(Backend::Sqlite).await;
    let exports = Exports::write(&installation.folder.path().join("exports"));
    let folder = installation.folder.path().join("mixed");
    put(&folder.join("deep/inbox.mbox"), &fs::read_to_string(&exports.mail).unwrap());
    put(&folder.join("club.ics"), &fs::read_to_string(&exports.calendar).unwrap());
    put(&folder.join("notes.toml"), "[club]\nname = \"kites\"\n");
    put(&folder.join("empty.mbox"), "");

    let named = installation.json(&["import", folder.join("notes.toml").to_str().unwrap(), exports.mail.to_str().unwrap()], 1);
    assert_eq!(counts(&named["totals"]), [2, 0, 1, 2, 0]);
    let error = &named["sources"][0]["errors"][0];
    assert!(error["item"].as_str().unwrap().ends_with("notes.toml"), "{error}");
    assert!(error["reason"].as_str().unwrap().starts_with("unsupported"), "{error}");

    let inside = installation.json(&["import", folder.to_str().unwrap()], 0);
    assert_eq!(inside["totals"]["failed"], 0);
    let ignored: Vec<_> = inside["ignored"].as_array().unwrap().iter().map(|it| it["path"].as_str().unwrap()).collect();
    assert_eq!(ignored.len(), 2, "{ignored:?}");
    assert!(ignored[0].ends_with("empty.mbox") && ignored[1].ends_with("notes.toml"), "{ignored:?}");
    assert_eq!(inside["sources"].as_array().unwrap().len(), 2, "what can be read is read");
}

#[tokio::test]
async fn what_a_file_is_stands_in_its_content() {
    let installation = Installation::new(Backend::Sqlite).await;
    let exports = Exports::write(&installation.folder.path().join("exports"));
    let misnamed = installation.folder.path().join("calendar.zip");
    fs::copy(&exports.calendar, &misnamed).unwrap();
    let said = installation.json(&["import", misnamed.to_str().unwrap()], 0);
    assert_eq!((&said["sources"][0]["kind"], &said["sources"][0]["platform"]), (&json!("ics"), &json!("calendar")));
}

#[tokio::test]
async fn a_torn_archive_is_named_and_the_other_files_are_read() {
    let installation = Installation::new(Backend::Sqlite).await;
    let exports = Exports::write(&installation.folder.path().join("exports"));
    let torn = installation.folder.path().join("torn.zip");
    put(&torn, "PK\u{3}\u{4} and then nothing");
    let said = installation.json(&["import", torn.to_str().unwrap(), exports.mail.to_str().unwrap()], 1);
    assert_eq!(counts(&said["totals"]), [2, 0, 1, 2, 0]);
    assert!(said["sources"][0]["errors"][0]["item"].as_str().unwrap().ends_with("torn.zip"));
}

#[tokio::test]
async fn the_window_bounds_recurring_events_only() {
    let installation = Installation::new(Backend::Sqlite).await;
    let calendar = installation.folder.path().join("weekly.ics");
    put(
        &calendar,
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:w@x\r\nDTSTART:20240506T090000Z\r\nDTEND:20240506T093000Z\r\n\
         RRULE:FREQ=WEEKLY\r\nSUMMARY:Weekly flight\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
    );
    let said = installation.json(&["import", calendar.to_str().unwrap(), "--window", "2024-05-06..2024-05-27"], 0);
    assert_eq!(counts(&said["totals"]), [1, 0, 0, 1, 0], "a series is one record");
    let starts = installation.texts("select source_timestamp from platform_content order by source_timestamp").await;
    let days: Vec<_> = starts.iter().map(|it| &it[..10]).collect();
    assert_eq!(days, ["2024-05-06", "2024-05-13", "2024-05-20"]);
}

#[tokio::test]
async fn a_file_named_twice_is_stored_once() {
    let installation = Installation::new(Backend::Sqlite).await;
    let exports = Exports::write(&installation.folder.path().join("exports"));
    let mail = exports.mail.to_str().unwrap();
    let said = installation.json(&["import", mail, mail], 0);
    assert_eq!(counts(&said["totals"]), [4, 0, 0, 2, 2]);
}
