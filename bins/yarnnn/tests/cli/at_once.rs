//! Several programs at once on one database: one report, one set of files, every item once.

use std::process::{Child, Stdio};

use super::exports::{AS_OF, Exports, create, imported};
use super::support::{Backend, Installation, Said, assert_same};

/// Programs that are started together.
const PROGRAMS: usize = 4;
/// How often a race is run: a defect shows in a few of a hundred.
const ROUNDS: usize = 12;

fn together(installation: &Installation, arguments: &[&str]) -> Vec<Said> {
    let start = |_| {
        let mut command = installation.command(arguments);
        command.arg("--json").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts")
    };
    let running: Vec<Child> = (0..PROGRAMS).map(start).collect();
    running.into_iter().map(|it| it.wait_with_output().expect("the program ends").into()).collect()
}

async fn one_report_is_written(backend: Backend) {
    let (installation, _) = imported(backend).await;
    create(&installation, "Weekly");
    let run = ["run", "Weekly", "--as-of", AS_OF, "--key", "week-19"];
    let mut versions = std::collections::BTreeSet::new();
    for said in together(&installation, &run) {
        let object = said.json();
        let lost = object["error"]["code"] == "busy";
        assert_eq!(said.code, i32::from(lost), "{object:#}");
        versions.extend(object["version_id"].as_str().map(str::to_owned));
    }
    assert_eq!(versions.len(), 1, "who answers with a version answers with the same");
    let versions = installation.json(&["deliverables", "show", "Weekly"], 0)["versions"].as_array().unwrap().len();
    assert_eq!((versions, installation.delivered().len()), (1, 3));
    installation.json(&run, 0);
    assert_eq!(installation.delivered().len(), 3);
    installation.close().await;
}

/// Without a key too: a run that looked before another one opened its version must not open a second.
async fn one_report_is_written_without_a_key(backend: Backend) {
    let (original, _) = imported(backend).await;
    create(&original, "Weekly");
    for round in 0..ROUNDS {
        let installation = original.copy().await;
        for said in together(&installation, &["run", "Weekly", "--as-of", AS_OF]) {
            let object = said.json();
            let lost = object["error"]["code"] == "busy";
            assert_eq!(said.code, i32::from(lost), "round {round}: {object:#}");
        }
        assert_eq!(installation.delivered().len(), 3, "round {round}");
        installation.close().await;
    }
    original.close().await;
}

#[tokio::test]
async fn one_report_is_written_without_a_key_on_sqlite() {
    one_report_is_written_without_a_key(Backend::Sqlite).await;
}

#[tokio::test]
async fn one_report_is_written_without_a_key_on_postgres() {
    one_report_is_written_without_a_key(Backend::Postgres).await;
}

async fn every_item_is_stored_once(backend: Backend) {
    let (reference, _) = imported(backend).await;
    let installation = Installation::new(backend).await;
    installation.json(&["migrate"], 0);
    let exports = Exports::write(&installation.folder.path().join("exports"));
    for said in together(&installation, &exports.import()) {
        let object = said.json();
        assert!(said.code == 0 || object["error"]["code"] == "busy", "exit code {}: {object:#}", said.code);
    }
    installation.json(&exports.import(), 0);
    let content = |rows: Vec<String>| rows.into_iter().filter(|it| it.starts_with("platform_content")).collect::<Vec<_>>();
    assert_same(&content(installation.dump().await), &content(reference.dump().await), "imported at once");
    reference.close().await;
    installation.close().await;
}

#[tokio::test]
async fn one_report_is_written_on_sqlite() {
    one_report_is_written(Backend::Sqlite).await;
}

#[tokio::test]
async fn one_report_is_written_on_postgres() {
    one_report_is_written(Backend::Postgres).await;
}

#[tokio::test]
async fn every_item_is_stored_once_on_sqlite() {
    every_item_is_stored_once(Backend::Sqlite).await;
}

#[tokio::test]
async fn every_item_is_stored_once_on_postgres() {
    every_item_is_stored_once(Backend::Postgres).await;
}
