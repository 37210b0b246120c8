//! A recorded writer through the environment: the same report from the same question, and a loud miss for another one.

use std::sync::Arc;

use yarnnn::Config;
use yarnnn::config::{DatabaseConfig, OutboxConfig};
use yarnnn::deliverables::{RunOutcome, RunRequest};
use yarnnn::models::{ExtractiveModel, RecordingModel};

use super::exports::{AS_OF, create, imported, put};
use super::support::{Backend, Installation};

/// Runs the deliverable once through the library, and answers what was asked and answered.
async fn record(installation: &Installation, deliverable: &str) -> (String, RunOutcome) {
    let outbox = OutboxConfig::in_folder(installation.outbox());
    let database = DatabaseConfig::new(&installation.url).unwrap();
    let config = Config { database, outbox, ..Config::in_folder(installation.folder.path()) };
    let recording = Arc::new(RecordingModel::new(ExtractiveModel::new()));
    let yarnnn = yarnnn::builder(&config).await.unwrap().model(recording.clone()).build();
    let user = yarnnn.local_user().await.unwrap();
    let request = RunRequest::of(user.id, deliverable.parse().unwrap());
    let request = RunRequest { as_of: Some(AS_OF.parse().unwrap()), ..request };
    let outcome = yarnnn.deliverables().run(&yarnnn.stage_cx(), &request).await.unwrap();
    (recording.to_json().unwrap(), outcome)
}

/// Everything but the remarks at the end, which name the writer.
fn body(markdown: &str) -> Vec<&str> {
    markdown.lines().filter(|it| !it.starts_with('*')).collect()
}

#[tokio::test]
async fn a_recording_writes_the_same_report_and_nothing_else() {
    let (installation, exports) = imported(Backend::Sqlite).await;
    let deliverable = create(&installation, "Weekly");
    let copy = installation.copy().await;
    let (recording, outcome) = record(&copy, &deliverable).await;
    put(&installation.folder.path().join("exchange.json"), &recording);

    let variables = [("YARNNN_MODEL_WRITER", "recorded/exchange.json")];
    let replayed = installation.json_with(&variables, &["run", "Weekly", "--as-of", AS_OF], 0);
    assert_eq!(replayed["with_evidence"].as_u64(), Some(outcome.tally().with_evidence.into()));
    let delivered = installation.delivered();
    let markdown = &delivered.iter().find(|(name, _)| name.ends_with(".md")).unwrap().1;
    assert_eq!(body(markdown), body(outcome.version.unwrap().final_content.as_deref().unwrap()));
    assert!(markdown.contains("Written by recorded/extractive."), "{markdown}");
    installation.json(&["verify", replayed["version_id"].as_str().unwrap()], 0);

    // Other material is another question.
    exports.add_day("2024-05-12", &format!("[{}]", super::exports::message("U1", "1715504400.000100", "The meadow is dry.")));
    installation.yarnnn(&exports.import()).expect(0);
    let missed = installation.json_with(&variables, &["run", "Weekly", "--as-of", AS_OF], 1);
    assert_eq!((missed["status"].as_str(), missed["version_number"].as_u64()), (Some("failed"), Some(2)));
    let error = missed["error"].as_str().unwrap();
    assert!(error.contains("was not recorded") && error.contains("asked:    This is a further report"), "{error}");
    assert_eq!(installation.delivered(), delivered);
}

#[tokio::test]
async fn a_recording_that_was_edited_is_refused() {
    let (installation, _) = imported(Backend::Sqlite).await;
    let deliverable = create(&installation, "Weekly");
    let (recording, _) = record(&installation.copy().await, &deliverable).await;
    for (name, text) in [("edited.json", recording.replace("Weekly", "Daily")), ("torn.json", recording[..99].to_owned())] {
        put(&installation.folder.path().join(name), &text);
        let variable = format!("recorded/{name}");
        let said = installation.json_with(&[("YARNNN_MODEL_WRITER", &variable)], &["run", "Weekly", "--as-of", AS_OF], 3);
        let message = said["error"]["message"].as_str().unwrap();
        assert!(message.starts_with("YARNNN_MODEL_WRITER: ") && message.contains(name), "{message}");
    }
    assert!(!installation.outbox().exists());
}
