//! Embeds the library: import export files, write a report, print it. Offline, no key.
#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use yarnnn::deliverables::{CreateDeliverable, RunRequest};
use yarnnn::platforms::export::{self, Limits};
use yarnnn::sync::SyncOptions;
use yarnnn_sim::sample::Sample;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let yarnnn = yarnnn::connect(&yarnnn::Config::in_folder(folder.path())).await?;
    let user = yarnnn.local_user().await?;

    let sample = Sample::load().write_exports(yarnnn.clock().now(), &folder.path().join("exports"))?;
    for path in [sample.slack, sample.mail, sample.calendar, sample.notion] {
        for source in export::open(&path, Limits::default())?.sources {
            let outcome = yarnnn.sync().run(source.client.as_ref(), &SyncOptions::import(user.id, yarnnn.clock().now())).await?;
            println!(
                "{}: {} kept, {} filtered, {} failed",
                source.kind.as_str(),
                outcome.counts.kept,
                outcome.counts.filtered,
                outcome.counts.failed
            );
        }
    }

    let weekly = CreateDeliverable::new("status_report", "Weekly status");
    let weekly = yarnnn.deliverables().create(&user, weekly).await?;
    let outcome = yarnnn.deliverables().run(&yarnnn.stage_cx(), &RunRequest::of(user.id, weekly.id)).await?;
    println!("\n{}", outcome.version.and_then(|it| it.final_content).unwrap_or_default());
    Ok(())
}
