//! Corners in which defects were found: a refused command leaves nothing behind, nothing beside an export is lost.

use super::exports::{Exports, create, imported, put};
use super::support::{Backend, Installation};

/// An unpacked Slack export in a folder does not swallow what lies beside it.
#[tokio::test]
async fn a_folder_gives_everything_that_is_in_it() {
    let installation = Installation::new(Backend::Sqlite).await;
    let folder = installation.folder.path().join("exports");
    Exports::write(&folder);
    put(&folder.join("notes.toml"), "a = 1\n");
    let said = installation.json(&["import", folder.to_str().unwrap()], 0);
    let kinds: Vec<_> = said["sources"].as_array().unwrap().iter().map(|it| it["kind"].as_str().unwrap()).collect();
    assert_eq!((kinds.len(), said["ignored"].as_array().unwrap().len()), (3, 1), "{kinds:?}");
}

/// A report that looks back does not move into the future because an event is stored there.
#[tokio::test]
async fn an_event_far_ahead_does_not_move_a_report_that_looks_back() {
    let (installation, _) = imported(Backend::Sqlite).await;
    let calendar = installation.folder.path().join("far.ics");
    put(
        &calendar,
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:21000101T090000Z\r\nSUMMARY:Far away\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
    );
    installation.yarnnn(&["import", calendar.to_str().unwrap()]).expect(0);
    create(&installation, "Weekly");
    installation.json(&["run", "Weekly"], 0);
    let delivered = installation.delivered();
    let markdown = &delivered.iter().find(|(name, _)| name.ends_with(".md")).unwrap().1;
    assert!(markdown.contains("as of 14 May 2024"), "{}", markdown.lines().take(4).collect::<String>());
}

/// A source is named in a search as it is named in `deliverables create`; an unknown one is refused.
#[tokio::test]
async fn a_search_takes_a_source_by_name() {
    let (installation, _) = imported(Backend::Sqlite).await;
    let found = installation.json(&["search", "meadow", "--source", "slack:#kites"], 0);
    assert_eq!(found["results"].as_array().unwrap().len(), 1, "{found}");
    installation.json(&["search", "meadow", "--source", "slack:#nowhere"], 2);
}

/// What is wrong with the settings is found before a database is made.
#[tokio::test]
async fn a_refused_command_makes_no_database_user() {
    let installation = Installation::new(Backend::Sqlite).await;
    installation.json(&["--user", "nobody", "doctor"], 2);
    assert!(!installation.folder.path().join("test.db").exists());
}

#[tokio::test]
async fn a_refused_command_makes_no_database_model() {
    let installation = Installation::new(Backend::Sqlite).await;
    installation.json_with(&[("YARNNN_MODEL_WRITER", "recorded/none.json")], &["search", "kite"], 3);
    assert!(!installation.folder.path().join("test.db").exists());
}

/// An empty database that may not be migrated is a matter of configuration, and the message says what to do.
#[tokio::test]
async fn a_database_without_schema_is_said_to_be_so() {
    let installation = Installation::new(Backend::Sqlite).await;
    let said = installation.json_with(&[("YARNNN_MIGRATE", "off")], &["search", "kite"], 3);
    assert!(said["error"]["message"].as_str().unwrap().contains("migrate"), "{said}");
}

/// Before everything that is stored there is nothing to report, and no report says that nothing newer is stored.
#[tokio::test]
async fn an_instant_before_everything_is_not_moved_into_its_future() {
    let (installation, _) = imported(Backend::Sqlite).await;
    create(&installation, "Weekly");
    let said = installation.yarnnn(&["run", "Weekly", "--as-of", "2020-01-01"]);
    let delivered = installation.delivered();
    let note = delivered.iter().any(|(_, text)| text.contains("Nothing newer is stored"));
    assert!(!note, "exit {}: a report of 2024 for 2020 that says that nothing newer is stored", said.code);
}
