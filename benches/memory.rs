//! Peak memory of importing a mailbox of 1 GB (`YARNNN_BENCH_MBOX_BYTES` for another size). Linux only: read from `/proc`.
#![expect(
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    reason = "a benchmark prints its figures and takes its size from a variable"
)]

use std::time::Instant;

use yarnnn::platforms::export::{self, Limits};
use yarnnn::sync::SyncOptions;
use yarnnn_sim::generate;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let bytes: u64 = std::env::var("YARNNN_BENCH_MBOX_BYTES").ok().and_then(|it| it.parse().ok()).unwrap_or(1_000_000_000);
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("big.mbox");
    generate::mbox(&path, bytes, 5)?;
    let yarnnn = yarnnn::connect(&yarnnn::Config::in_folder(folder.path())).await?;
    let user = yarnnn.local_user().await?;
    let before = peak_memory();
    let begun = Instant::now();
    for source in export::open(&path, Limits::default())?.sources {
        let outcome = yarnnn.sync().run(source.client.as_ref(), &SyncOptions::import(user.id, yarnnn.clock().now())).await?;
        println!("{} mails of {:.2} GB in {:.1?}", outcome.counts.kept, bytes as f64 / 1e9, begun.elapsed());
    }
    println!("peak memory: {} MB (before the import: {} MB)", peak_memory() / 1024, before / 1024);
    Ok(())
}

/// High-water mark of resident memory, in KiB.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|it| it.starts_with("VmHWM:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|it| it.parse().ok()).unwrap_or(0)
}
