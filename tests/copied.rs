//! What the key-less writer copies is always proven: whatever people write, no statement of its reports is an inference.
#![allow(clippy::unwrap_used, reason = "what is not there fails the test")]

mod support;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use serde_json::json;
use support::{Installation, NOW};
use yarnnn::deliverables::{CreateDeliverable, RunStatus};
use yarnnn::hash::Sha256;
use yarnnn::platform::{Author, ContentType, Item, Platform, Resource, ResourceId, ResourceKind};
use yarnnn::testing::ScriptedPlatform;

/// What people write, and what programs put between it.
const PARTS: [&str; 30] = [
    "We decided to move the launch",
    "to Thursday",
    "because the importer is slow",
    "it is blocked by the review",
    "I will send it by Friday",
    "Can you please check this",
    "412 of 530 shops",
    "15,000.50 EUR",
    "J. F. Kim",
    "Dr. Okoye",
    "e.g. the tills",
    "v2.3.1",
    "see https://x.example/a_b?c=d&e=f",
    "image_5abcf66b-81ba-47fc-bf39-b9642bda.jpg",
    "\"done\"",
    "“fertig”",
    "[s3]",
    "**bold**",
    "<script>",
    "&amp;",
    "来週の月曜日に引っ越します。",
    "größer als 5 %",
    "🎉",
    "done",
    "- ",
    "> quoted",
    "yes",
    "#tag",
    "a\\b",
    "don’t",
];
const GLUE: [&str; 8] = [" ", " ", " ", ". ", ".\n", "\n", "? ", "!"];

fn text() -> impl Strategy<Value = String> {
    let piece = (prop::sample::select(PARTS.to_vec()), prop::sample::select(GLUE.to_vec()))
        .prop_map(|(part, glue)| format!("{part}{glue}"));
    prop::collection::vec(piece, 1..14).prop_map(|pieces| pieces.concat())
}

fn client(platform: Platform, content_type: ContentType, texts: &[(String, String)]) -> ScriptedPlatform {
    let id = ResourceId::new(platform, "C1").unwrap();
    let now: DateTime<Utc> = NOW.parse().unwrap();
    let item = |(index, (author, text)): (i32, &(String, String))| Item {
        item_id: index.to_string(),
        content_type,
        content_hash: Sha256::of(text),
        content: text.clone(),
        title: (content_type == ContentType::Email).then(|| format!("Re: {author}")),
        author: Some(Author { name: author.clone(), id: None }),
        is_user_authored: false,
        source_timestamp: Some(now - TimeDelta::hours(1) * (index + 1)),
        metadata: json!({}),
        records: 1,
    };
    let resource = Resource::new(id, "#c", ResourceKind::Channel);
    ScriptedPlatform::new(platform).with(resource, (0..).zip(texts).map(item).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn nothing_copied_is_an_inference(
        texts in prop::collection::vec((prop::sample::select(vec!["Ana Ruiz", "J. Kim", "Dr. h. c. M. Li", "ben@x.example"]), text()), 1..10),
        mail in any::<bool>(),
        report_type in prop::sample::select(vec!["status_report", "custom", "research_brief"]),
    ) {
        let texts: Vec<_> = texts.into_iter().map(|(author, text)| (author.to_owned(), text)).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (platform, content_type) = if mail { (Platform::Gmail, ContentType::Email) } else { (Platform::Slack, ContentType::Message) };
        let (status, tally, draft) = runtime.block_on(async {
            let installation = Installation::new().await;
            installation.sync(&client(platform, content_type, &texts)).await;
            let deliverable = installation.create(CreateDeliverable::new(report_type, "Report")).await;
            let outcome = installation.run(&deliverable).await.unwrap();
            (outcome.status, outcome.tally(), outcome.version.and_then(|it| it.draft).unwrap_or_default())
        });
        // A few words that are noise are no report; what is a report is proven.
        if status == RunStatus::Delivered {
            prop_assert_eq!(tally.inference, 0, "{}\n{:#?}", draft, texts);
            prop_assert!(tally.sentences > 0);
        }
    }
}
