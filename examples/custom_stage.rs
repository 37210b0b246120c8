//! A stage of your own between the writer and the verifier. Here: addresses are redacted before anybody reads them, and what
//! the stage changed is bound to evidence, or marked as inference, like everything else.
#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use std::sync::Arc;

use async_trait::async_trait;
use yarnnn::Error;
use yarnnn::deliverables::{CreateDeliverable, Draft, RunRequest};
use yarnnn::pipeline::{Stage, StageCx};
use yarnnn::platforms::export::{self, Limits};
use yarnnn::sync::SyncOptions;
use yarnnn_sim::sample::Sample;

/// Replaces every word with an `@` inside.
struct RedactAddresses;

#[async_trait]
impl Stage<Draft> for RedactAddresses {
    type Output = Draft;

    fn name(&self) -> &'static str {
        "redact_addresses"
    }

    async fn run(&self, _cx: &StageCx, draft: Draft) -> Result<Draft, Error> {
        let is_address = |word: &str| word.trim_matches('@').contains('@');
        let redact = |line: &str| {
            line.split(' ').map(|word| if is_address(word) { "(address)" } else { word }).collect::<Vec<_>>().join(" ")
        };
        Ok(Draft { markdown: draft.markdown.lines().map(redact).collect::<Vec<_>>().join("\n") })
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let config = yarnnn::Config::in_folder(folder.path());
    let yarnnn = yarnnn::builder(&config).await?.revise_drafts_with(Arc::new(RedactAddresses)).build();
    let (user, now) = (yarnnn.local_user().await?, yarnnn.clock().now());
    let sample = Sample::load().write_exports(now, &folder.path().join("exports"))?;
    for source in export::open(&sample.mail, Limits::default())?.sources {
        yarnnn.sync().run(source.client.as_ref(), &SyncOptions::import(user.id, now)).await?;
    }
    let brief = yarnnn.deliverables().create(&user, CreateDeliverable::new("gmail_inbox_brief", "Inbox brief")).await?;
    let cx = yarnnn.stage_cx();
    let outcome = yarnnn.deliverables().run(&cx, &RunRequest::of(user.id, brief.id)).await?;
    let stages: Vec<_> = cx.timings().into_iter().map(|it| it.stage).collect();
    println!("{}\nstages: {}", outcome.version.and_then(|it| it.final_content).unwrap_or_default(), stages.join(" → "));
    Ok(())
}
