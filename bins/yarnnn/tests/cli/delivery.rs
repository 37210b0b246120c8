//! Delivery that fails, and is mended: the same bytes under the same version, one set of files, nothing half-written.

use std::fs;

use serde_json::Value;

use super::exports::{AS_OF, create, imported, put};
use super::support::{Backend, Installation};

/// Names and contents of the files that a version has in the outbox table.
async fn queued(installation: &Installation) -> Vec<(String, String)> {
    let payloads = installation.texts("select cast(payload as text) from outbox").await;
    assert_eq!(payloads.len(), 1, "one message");
    let payload: Value = serde_json::from_str(&payloads[0]).unwrap();
    let text = |it: &Value| it.as_str().unwrap().to_owned();
    payload.as_array().unwrap().iter().map(|it| (text(&it["name"]), text(&it["content"]))).collect()
}

async fn draft(installation: &Installation) -> Vec<String> {
    installation.texts("select draft_content from deliverable_versions").await
}

async fn mended_delivery_sends_the_same_bytes(backend: Backend) {
    let (installation, exports) = imported(backend).await;
    create(&installation, "Weekly");
    put(&installation.outbox(), "I am a file");
    let failed = installation.json(&["run", "Weekly", "--as-of", AS_OF], 1);
    assert_eq!((failed["status"].as_str(), failed["version_number"].as_u64()), (Some("failed"), Some(1)));
    assert_eq!((failed["deliveries"][0]["state"].as_str(), &failed["files"]), (Some("failed"), &serde_json::json!([])));
    assert!(failed["error"].as_str().unwrap().contains("outbox"), "the error names the folder: {failed}");
    assert_eq!(fs::read_to_string(installation.outbox()).unwrap(), "I am a file");
    let (queued, written) = (queued(&installation).await, draft(&installation).await);

    // News that came meanwhile belong to the next version.
    exports.add_day("2024-05-12", &format!("[{}]", super::exports::message("U1", "1715504400.000100", "The meadow is dry.")));
    installation.yarnnn(&exports.import()).expect(0);
    fs::remove_file(installation.outbox()).unwrap();
    let mended = installation.json(&["run", "Weekly"], 0);
    assert_eq!((&mended["version_id"], &mended["version_number"]), (&failed["version_id"], &failed["version_number"]));
    assert_eq!((mended["status"].as_str(), mended["deliveries"][0]["state"].as_str()), (Some("delivered"), Some("sent")));
    assert_eq!(installation.delivered(), queued, "the very bytes that were queued, and nothing else");
    assert_eq!(draft(&installation).await, written, "no new text was written");
    installation.json(&["verify", failed["version_id"].as_str().unwrap()], 0);
    installation.close().await;
}

#[tokio::test]
async fn mended_delivery_on_sqlite_sends_the_same_bytes() {
    mended_delivery_sends_the_same_bytes(Backend::Sqlite).await;
}

#[tokio::test]
async fn mended_delivery_on_postgres_sends_the_same_bytes() {
    mended_delivery_sends_the_same_bytes(Backend::Postgres).await;
}

#[tokio::test]
async fn a_file_of_somebody_else_is_not_overwritten() {
    let (installation, _) = imported(Backend::Sqlite).await;
    create(&installation, "Weekly");
    put(&installation.outbox(), "I am a file");
    let run = ["run", "Weekly", "--as-of", AS_OF, "--key", "k"];
    installation.json(&run, 1);
    fs::remove_file(installation.outbox()).unwrap();
    let queued = queued(&installation).await;
    let page = queued.iter().map(|(name, _)| name).find(|it| it.ends_with(".html")).unwrap();
    put(&installation.outbox().join(page), "mine");

    let refused = installation.json(&run, 1);
    assert!(refused["error"].as_str().unwrap().contains(page.as_str()), "{refused}");
    assert_eq!(installation.delivered(), [(page.clone(), "mine".to_owned())]);
    fs::remove_file(installation.outbox().join(page)).unwrap();
    assert_eq!(installation.json(&run, 0)["version_id"], refused["version_id"]);
    assert_eq!(installation.delivered(), queued);
}

#[tokio::test]
async fn a_report_goes_where_its_deliverable_says() {
    let (installation, _) = imported(Backend::Sqlite).await;
    let folder = installation.folder.path().join("elsewhere");
    let create = ["deliverables", "create", "--type", "status_report", "--title"];
    installation.yarnnn(&[&create[..], &["Filed", "--folder", "elsewhere"]].concat()).expect(0);
    let outcome = installation.json(&["run", "Filed", "--as-of", AS_OF], 0);
    assert_eq!(super::support::files(&folder).len(), 3);
    assert!(!installation.outbox().exists());
    let paths = outcome["files"].as_array().unwrap().iter().map(|it| it.as_str().unwrap());
    assert!(paths.clone().count() == 3 && paths.clone().all(|it| fs::exists(it).unwrap()), "{outcome}");

    installation.yarnnn(&[&create[..], &["Mailed", "--email", "Clara@Example.org"]].concat()).expect(0);
    installation.json(&["run", "Mailed", "--as-of", AS_OF], 0);
    let delivered = installation.delivered();
    let mail = &delivered.iter().find(|(name, _)| name.ends_with(".eml")).unwrap().1;
    assert!(mail.contains("To: <Clara@example.org>"), "{mail}");
    assert!(mail.contains("Subject: Mailed"), "{mail}");
}

#[tokio::test]
async fn a_destination_that_cannot_be_written_is_named() {
    let (installation, _) = imported(Backend::Sqlite).await;
    let blocked = installation.folder.path().join("blocked");
    put(&blocked, "I am a file");
    let arguments = ["deliverables", "create", "--type", "custom", "--title", "Filed", "--folder", blocked.to_str().unwrap()];
    installation.yarnnn(&arguments).expect(0);
    let said = installation.yarnnn(&["run", "Filed", "--as-of", AS_OF]).expect(1);
    assert!(said.stdout.contains(blocked.to_str().unwrap()), "{}", said.stdout);
    assert!(said.stdout.contains("run it again when that is mended"), "{}", said.stdout);
    assert!(!installation.outbox().exists(), "it does not go somewhere else instead");
}

/// A version that can never arrive does not block its deliverable: a forced run goes on past it, and it keeps waiting.
#[tokio::test]
async fn a_forced_run_goes_on_past_what_cannot_be_delivered() {
    let (installation, _) = imported(Backend::Sqlite).await;
    create(&installation, "Weekly");
    put(&installation.folder.path().join("file"), "I am a file");
    let elsewhere = installation.folder.path().join("file/out").display().to_string();
    let run = ["run", "Weekly", "--as-of", AS_OF];
    let failed = installation.json_with(&[("YARNNN_OUTBOX_DIR", &elsewhere)], &run, 1);
    assert_eq!(installation.json(&run, 1)["version_id"], failed["version_id"], "its bytes go where they were meant to");
    let forced = installation.json(&[&run[..], &["--force"]].concat(), 0);
    assert_eq!((forced["status"].as_str(), forced["version_number"].as_u64()), (Some("delivered"), Some(2)));
    assert_eq!(installation.json(&["run", "Weekly"], 1)["version_id"], failed["version_id"], "it is not forgotten");
}
