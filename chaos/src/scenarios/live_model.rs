//! 9. Random worlds behind the simulator, changed and broken in rounds, synced after each by the real clients and compared.
//!
//! The game is that of `tests/live`, with seeds that no test plays. Its databases are in memory; the back-end of the scenario is
//! only told apart to play once.

use std::collections::BTreeSet;

use anyhow::Result;
use tokio::task::spawn_blocking;

use crate::arena::Backend;
use crate::model::{Games, Plant};
use crate::report::Report;
use crate::stage::Stage;

pub(super) async fn play(stage: &Stage) -> Result<Report> {
    let mut report = Report::default();
    if matches!(stage.arena.backend, Backend::Postgres(_)) {
        report.figure("played on sqlite, in memory", 0);
        // A bug cannot be seen where nothing is played.
        report.must(stage.options.plant.is_none(), "nothing is played here");
        return Ok(report);
    }
    let plant = stage.options.plant.map(|_| Plant::CursorAhead);
    let count = if plant.is_some() { 4 } else { stage.options.of(2_000, 30) };
    // The short version is for CI, which does not look for what is new.
    let first = stage.options.of(stage.options.seed, 1_000);
    let seeds: Vec<u64> = (0..count).map(|it| first.wrapping_add(it)).collect();
    let games = spawn_blocking(move || Games::play(&seeds, &BTreeSet::new(), plant)).await??;
    for (name, figure) in games.figures() {
        report.figure(name, figure);
    }
    for lost in games.lost.iter().take(10) {
        report.must(false, format!("{lost}\n      replay: cargo test -p yarnnn --test live seeds::what"));
    }
    report.must(games.lost.is_empty(), format!("{} of {count} games are lost", games.lost.len()));
    Ok(report)
}
