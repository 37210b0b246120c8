//! Peak memory of a run, in a process of its own. Linux only: read from `/proc`.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};
use yarnnn::config::Config;

use super::world::{MIXED, World};

pub(crate) async fn run() -> anyhow::Result<()> {
    println!("memory of a run, 1,000 candidates, SQLite");
    let folder = tempfile::tempdir()?;
    let world = World::open(&Config::in_folder(folder.path())).await?;
    world.person(0, &MIXED).await?;
    drop(world);
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("reader").arg(folder.path());
    let status = tokio::task::spawn_blocking(move || command.status()).await??;
    ensure!(status.success(), "the reader failed: {status}");
    Ok(())
}

/// The process that runs it.
pub(crate) async fn read(place: &[String]) -> anyhow::Result<()> {
    let folder = place.first().context("where")?;
    let world = World::open(&Config::in_folder(Path::new(folder))).await?;
    let user = world.yarnnn.user("person0@example.org".parse()?).await?;
    let deliverable = world.deliverable(&user).await?;
    let before = peak_memory();
    world.run(&deliverable, &world.yarnnn.stage_cx()).await?;
    let peak = peak_memory();
    let material: usize = world.script.told().items.iter().map(String::len).sum();
    println!("  peak {} KB for {} KB of material (before the run {} KB)", peak, material / 1024, before);
    Ok(())
}

/// High-water mark of resident memory, in KiB.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|it| it.starts_with("VmHWM:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|it| it.parse().ok()).unwrap_or(0)
}
