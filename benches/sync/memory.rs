//! Peak memory of the first sync of a Pro workspace, in a process of its own beside the simulator's. Linux only: read from `/proc`.

use std::process::Command;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use yarnnn::clock::SystemClock;
use yarnnn::config::Config;

use super::installation::{Address, Installation};
use super::rate::unhurried;
use super::size::Size;
use super::world::World;

/// What it may take at most, in KiB.
const MOST: u64 = 64 * 1024;

pub(crate) async fn run() -> anyhow::Result<()> {
    println!("Pro, memory");
    let world = World::of(&Size::PRO, Arc::new(SystemClock))?;
    let running = world.sim.start().await?;
    let Address { url, tokens } = Address::of(&world.sim, &running);
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("reader").arg(url).args(tokens);
    let status = tokio::task::spawn_blocking(move || command.status()).await??;
    ensure!(status.success(), "the reader failed: {status}");
    Ok(running.stop().await?)
}

/// The process that reads.
pub(crate) async fn read(place: &[String]) -> anyhow::Result<()> {
    let (url, tokens) = place.split_first().context("whence")?;
    let folder = tempfile::tempdir()?;
    let address = Address { url: url.clone(), tokens: tokens.to_vec() };
    let installation = Installation::open(unhurried(Config::in_folder(folder.path())), &address).await?;
    let before = peak_memory();
    let synced = installation.sync().await?;
    let peak = peak_memory();
    let verdict = if peak <= MOST { "within" } else { "over" };
    println!("  peak {} MB for {} items (before the sync {} MB), {verdict} 64 MB", peak / 1024, synced.items, before / 1024);
    Ok(())
}

/// High-water mark of resident memory, in KiB.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|it| it.starts_with("VmHWM:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|it| it.parse().ok()).unwrap_or(0)
}
