//! The first sync of a world and one a day later, under the published limits and with the providers' latencies, against what
//! those limits allow.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use yarnnn::clock::Clock;
use yarnnn::config::Config;
use yarnnn::platforms::Pace;

use super::bound::{self, LATENCIES, Which};
use super::installation::{Address, Installation, Parts};
use super::quick::{QuickClock, QuickPermits, shown};
use super::size::Size;
use super::world::World;

/// How many times as fast everything passes, unless `YARNNN_BENCH_FACTOR` says otherwise; 1 is real time.
const FACTOR: u32 = 3;

pub(crate) async fn run(size: &Size) -> anyhow::Result<()> {
    let factor = std::env::var("YARNNN_BENCH_FACTOR").ok().and_then(|it| it.parse().ok()).unwrap_or(FACTOR);
    let clock = Arc::new(QuickClock::new(factor));
    let shared: Arc<dyn Clock> = clock.clone();
    let mut world = World::of(size, shared.clone())?;
    let limits = world.sim.limits();
    limits.published();
    for (platform, milliseconds) in LATENCIES {
        limits.latency_of(&format!("{platform}.*"), Duration::from_millis(milliseconds.into()) / factor);
    }
    let running = world.sim.start().await?;
    let folder = tempfile::tempdir()?;
    let parts = Parts {
        config: Config::in_folder(folder.path()),
        clock: shared,
        pace: Pace::default(),
        permits: |inner, factor| Arc::new(QuickPermits { inner, factor }),
        factor,
    };
    let installation = Installation::open(parts, &Address::of(&world.sim, &running)).await?;
    println!("{} ({factor} times as fast; all times as the clock shows them)", size.name);
    clock.skip(TimeDelta::hours(2));
    measure(size, Which::First, &installation, &world, factor).await?;
    clock.skip(TimeDelta::hours(20));
    world.day(size)?;
    clock.skip(TimeDelta::hours(4));
    measure(size, Which::Later, &installation, &world, factor).await?;
    drop(installation);
    Ok(running.stop().await?)
}

async fn measure(size: &Size, which: Which, it: &Installation, world: &World, factor: u32) -> anyhow::Result<()> {
    world.sim.journal().clear();
    let refused = world.sim.limits().refused();
    let synced = it.sync().await?;
    let (seconds, bound) = (shown(synced.took, factor), bound::seconds(size, which));
    let requests = world.sim.journal().count();
    let (name, brief) = match which {
        Which::First => ("first", size.brief[0]),
        Which::Later => ("a day later", size.brief[1]),
    };
    println!("  {name}: {seconds:.1} s, bound {bound:.1} s, ratio {:.3}; brief {brief}", seconds / bound);
    println!(
        "    {requests} requests ({} needed) for {} items, {:.2} per item; refused {}",
        bound::calls(size, which),
        synced.items,
        requests as f64 / synced.items.max(1) as f64,
        world.sim.limits().refused() - refused
    );
    let each: Vec<_> = synced.each.iter().map(|(provider, took)| format!("{provider} {:.1} s", shown(*took, factor))).collect();
    println!("    {}", each.join(", "));
    let mut calls: BTreeMap<&str, usize> = BTreeMap::new();
    for request in world.sim.journal().all() {
        *calls.entry(request.call).or_default() += 1;
    }
    let calls: Vec<_> = calls.into_iter().map(|(call, count)| format!("{call} {count}")).collect();
    println!("    {}", calls.join(", "));
    Ok(())
}
