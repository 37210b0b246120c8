//! Items per second with no limits and without latency: what our own work costs, the simulator's included.

use std::sync::Arc;

use anyhow::{Context as _, ensure};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use yarnnn::clock::{Clock, SystemClock};
use yarnnn::config::{Config, DatabaseConfig};
use yarnnn::jobs::CapacityLimits;
use yarnnn::platforms::Pace;
use yarnnn::platforms::notion::NotionLimits;
use yarnnn::platforms::slack::SlackLimits;

use super::installation::{Address, Installation, Parts};
use super::size::Size;
use super::world::World;

const DATABASE: &str = "yarnnn_bench_sync";

pub(crate) async fn run() -> anyhow::Result<()> {
    println!("Pro, no limits, no latency");
    let folder = tempfile::tempdir()?;
    once("SQLite", Config::in_folder(folder.path())).await?;
    let Ok(admin) = std::env::var("YARNNN_TEST_POSTGRES_URL") else {
        println!("  Postgres: run `cargo xtask bench`, which starts one");
        return Ok(());
    };
    let mut connection = PgConnection::connect(&admin).await.context("the test Postgres")?;
    connection.execute(AssertSqlSafe(format!("drop database if exists {DATABASE} with (force)"))).await?;
    connection.execute(AssertSqlSafe(format!("create database {DATABASE}"))).await?;
    let url = admin.replacen("/postgres?", &format!("/{DATABASE}?"), 1);
    ensure!(url != admin, "the address of the test Postgres has another form than expected");
    once("Postgres", Config { database: DatabaseConfig::new(&url)?, ..Config::in_folder(folder.path()) }).await?;
    connection.execute(AssertSqlSafe(format!("drop database {DATABASE} with (force)"))).await?;
    Ok(())
}

async fn once(name: &str, config: Config) -> anyhow::Result<()> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let world = World::of(&Size::PRO, clock)?;
    let running = world.sim.start().await?;
    let installation = Installation::open(unhurried(config), &Address::of(&world.sim, &running)).await?;
    world.sim.journal().clear();
    let synced = installation.sync().await?;
    let (seconds, requests) = (synced.took.as_secs_f64(), world.sim.journal().count());
    println!(
        "  {name}: {} items in {seconds:.2} s, {:.0} items/s, {:.0} requests/s",
        synced.items,
        synced.items as f64 / seconds,
        requests as f64 / seconds
    );
    drop(installation);
    Ok(running.stop().await?)
}

/// In real time, with permits for every call but no limit on them.
pub(crate) fn unhurried(config: Config) -> Parts {
    let free = CapacityLimits::default;
    let slack = SlackLimits {
        list: free(),
        history: free(),
        replies: free(),
        conversation: free(),
        users: free(),
        probe: free(),
        post: free(),
        ..SlackLimits::default()
    };
    let pace = Pace { slack, gmail: free(), calendar: free(), notion: NotionLimits { requests: free() } };
    Parts { config, clock: Arc::new(SystemClock), pace, permits: |inner, _| inner, factor: 1 }
}
