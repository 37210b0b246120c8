//! The whole pipeline through the library, at a fixed instant, on the sample team's month: what each type of report asks its
//! writer, and what is delivered. A changed line here is a changed line for a reader.
//!
//! The snapshots and the recording live in `fixtures/pipelines/`; `INSTA_UPDATE=always` rewrites them all.
#![allow(clippy::unwrap_used, reason = "what is not there fails the test")]

mod support;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;
use support::{Installation, NOW, file};
use yarnnn::Config;
use yarnnn::config::ModelConfig;
use yarnnn::deliverables::{CreateDeliverable, Plan, RunRequest, RunStatus, Version};
use yarnnn::evidence::SentenceState;
use yarnnn::hash::Sha256;
use yarnnn::llm::Boundary;
use yarnnn::models::{ExtractiveModel, RecordingModel};
use yarnnn::platform::{Platform, ResourceId};
use yarnnn::sync::{ContentQuery, StoredItem};

/// Lines of a prompt that are shown; what follows is more of the same material.
const SHOWN_LINES: usize = 100;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pipelines")
}

/// Compares with the files beside the recording.
fn snapshots() -> insta::internals::SettingsBindDropGuard {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("fixtures/pipelines");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind_to_scope()
}

/// The beginning of a prompt, and a digest of the rest.
fn beginning(prompt: &str) -> String {
    let lines: Vec<_> = prompt.lines().collect();
    let (shown, rest) = lines.split_at(lines.len().min(SHOWN_LINES));
    if rest.is_empty() {
        return prompt.to_owned();
    }
    format!("{}\n\n({} more lines, SHA-256 {})", shown.join("\n"), rest.len(), Sha256::of(rest.join("\n")))
}

/// Plans, writes and verifies a report of the type, and compares prompt and report.
async fn check(report_type: &str, title: &str, description: Option<&str>) -> (Installation, yarnnn::deliverables::RunOutcome) {
    let _snapshots = snapshots();
    let installation = Installation::with_sample().await;
    let create = CreateDeliverable { description: description.map(str::to_owned), ..CreateDeliverable::new(report_type, title) };
    let deliverable = installation.create(create).await;
    let (deliverables, cx) = (installation.yarnnn.deliverables(), installation.yarnnn.stage_cx());
    let plan = deliverables.plan(&cx, &RunRequest::of(installation.user.id, deliverable.id)).await.unwrap();
    insta::assert_snapshot!(format!("{report_type}.prompt"), beginning(&plan.prompt));

    let outcome = installation.run(&deliverable).await.unwrap();
    assert_eq!(outcome.status, RunStatus::Delivered);
    insta::assert_snapshot!(format!("{report_type}.report"), file(&outcome, ".md"));
    let version = outcome.version.as_ref().unwrap();
    let verification = deliverables.verify(installation.user.id, version.id).await.unwrap();
    assert_eq!(verification.count(SentenceState::Verified), outcome.tally().sentences as usize, "the key-less writer copies");
    assert_eq!(version.state.ran.as_ref().unwrap().request, Some(asked(&plan, version)), "what was planned was asked");
    (installation, outcome)
}

/// The digest of the planned request for a version, whose data another word delimits.
fn asked(plan: &Plan, version: &Version) -> Sha256 {
    let [planned, asked] = [plan.deliverable.id.as_uuid(), version.id.as_uuid()].map(|it| Boundary::of(it.as_bytes()));
    let prompt = plan.prompt.replace(planned.as_str(), asked.as_str());
    Sha256::of(format!("{prompt}\n# At most 4000 tokens\n"))
}

#[tokio::test]
async fn a_slack_channel_digest() {
    check("slack_channel_digest", "Slack digest", None).await;
}

#[tokio::test]
async fn an_inbox_brief() {
    check("gmail_inbox_brief", "Inbox brief", None).await;
}

#[tokio::test]
async fn a_notion_page_summary() {
    check("notion_page_summary", "Pages", None).await;
}

#[tokio::test]
async fn a_weekly_calendar_preview() {
    check("weekly_calendar_preview", "The week ahead", None).await;
}

#[tokio::test]
async fn a_meeting_preparation() {
    check("meeting_prep", "Before the meetings", None).await;
}

#[tokio::test]
async fn a_research_brief() {
    check("research_brief", "Printers", Some("What do we know about the label printers and their delivery?")).await;
}

#[tokio::test]
async fn a_custom_report() {
    check("custom", "Brightwater", Some("Everything about Brightwater Grocers and their contract.")).await;
}

#[tokio::test]
async fn a_status_report_in_all_its_forms() {
    let (installation, outcome) = check("status_report", "Weekly status", None).await;
    let _snapshots = snapshots();
    insta::assert_snapshot!("status_report.html", file(&outcome, ".html"));
    insta::assert_snapshot!("status_report.eml", file(&outcome, ".eml"));
    assert_eq!(installation.delivered().len(), 3);
}

/// The newest items of a platform as the store has them.
async fn newest(installation: &Installation, platform: Platform) -> Vec<StoredItem> {
    let content = installation.yarnnn.content();
    let known = content.coverage(installation.user.id, &[]).await.unwrap();
    let resources: Vec<ResourceId> = known.into_iter().map(|it| it.resource).filter(|it| it.platform() == platform).collect();
    let query = ContentQuery { user: installation.user.id, resources, within: None, at: NOW.parse().unwrap(), limit: 4 };
    content.query(&query).await.unwrap()
}

fn shown(item: &StoredItem) -> serde_json::Value {
    json!({
        "resource": item.resource,
        "resource_name": item.resource_name,
        "item_id": item.item_id,
        "content_type": item.content_type,
        "content": item.content,
        "title": item.title,
        "author": item.author,
        "is_user_authored": item.is_user_authored,
        "source_timestamp": item.source_timestamp,
        "metadata": item.metadata,
        "retained": item.retained,
    })
}

#[tokio::test]
async fn stored_items_of_every_platform() {
    let _snapshots = snapshots();
    let installation = Installation::with_sample().await;
    for platform in Platform::ALL {
        let items: Vec<_> = newest(&installation, platform).await.iter().map(shown).collect();
        insta::assert_json_snapshot!(format!("stored_items.{platform}"), items);
    }
}

/// Everything but the remarks at the end, which name the writer.
fn body(markdown: &str) -> Vec<&str> {
    markdown.lines().filter(|it| !it.starts_with('*')).collect()
}

#[tokio::test]
async fn a_recording_replays_to_the_same_report() {
    let _snapshots = snapshots();
    let weekly = || CreateDeliverable::new("status_report", "Weekly status");
    let recording = Arc::new(RecordingModel::new(ExtractiveModel::new()));
    let live = Installation::with_sample().await.written_by(recording.clone()).await;
    let written = live.run(&live.create(weekly()).await).await.unwrap();
    insta::assert_binary_snapshot!("exchange.json", recording.to_json().unwrap().into_bytes());

    let replayed = Installation::with_sample().await;
    let config = Config { model: ModelConfig::recorded(fixtures().join("exchange.snap.json")), ..replayed.config() };
    let replayed = Installation { yarnnn: yarnnn::connect(&config).await.unwrap(), ..replayed };
    let again = replayed.create(weekly()).await;
    let request = RunRequest { as_of: Some(NOW.parse().unwrap()), ..RunRequest::of(replayed.user.id, again.id) };
    let again = replayed.yarnnn.deliverables().run(&replayed.yarnnn.stage_cx(), &request).await.unwrap();
    assert_eq!(again.status, RunStatus::Delivered, "{:?}", again.error);
    assert_eq!(body(file(&again, ".md")), body(file(&written, ".md")));
    assert_eq!(again.tally(), written.tally());
    assert_eq!(again.version.as_ref().unwrap().state.ran.as_ref().unwrap().model, "recorded/extractive");
    assert!(file(&written, ".md").contains("Written without a language model"));
    assert!(file(&again, ".md").contains("Written by recorded/extractive."), "{}", file(&again, ".md"));
}

#[tokio::test]
async fn a_changed_prompt_misses_and_says_where() {
    let installation = Installation::with_sample().await;
    let config = Config { model: ModelConfig::recorded(fixtures().join("exchange.snap.json")), ..installation.config() };
    let recorded = Installation { yarnnn: yarnnn::connect(&config).await.unwrap(), ..installation };
    let deliverable = recorded.create(CreateDeliverable::new("status_report", "Weekly report")).await;
    let request = RunRequest { as_of: Some(NOW.parse().unwrap()), ..RunRequest::of(recorded.user.id, deliverable.id) };
    let outcome = recorded.yarnnn.deliverables().run(&recorded.yarnnn.stage_cx(), &request).await.unwrap();
    assert_eq!(outcome.status, RunStatus::Failed);
    insta::assert_snapshot!(outcome.error.unwrap(), @r#"
    the model recorded/extractive cannot answer: this request was not recorded; the nearest one differs first in line 15:
      recorded: Write the status report "Weekly status".
      asked:    Write the status report "Weekly report".
    "#);
    assert!(recorded.delivered().is_empty() && outcome.messages.is_empty(), "nothing is written instead");
}

/// The same history gives the same bytes, whatever the machine.
#[tokio::test]
async fn the_same_history_delivers_the_same_bytes() {
    let mut delivered = vec![];
    for _ in 0..2 {
        let installation = Installation::with_sample().await;
        let deliverable = installation.create(CreateDeliverable::new("meeting_prep", "Before the meetings")).await;
        let outcome = installation.run(&deliverable).await.unwrap();
        delivered.push(outcome.messages.into_iter().map(|it| (it.id, it.key, it.files)).collect::<Vec<_>>());
    }
    assert!(delivered[0] == delivered[1]);
}
