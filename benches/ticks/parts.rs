//! What is measured.

use std::time::{Duration, Instant};

use anyhow::ensure;
use chrono::{DateTime, Utc};
use yarnnn::scheduler::TICK;
use yarnnn_server::cron::{self, TickMode};

use super::limit;
use super::place::{Place, at};

const ALL: u64 = 1_000_000;
const SOME: u64 = 10_000;
/// Ticks of which the median is told.
const TICKS: usize = 11;

/// Nothing is due: beside how many schedules does not matter.
pub(crate) async fn quiet(place: &Place) -> anyhow::Result<()> {
    let mut few = None;
    for schedules in [1_000, ALL] {
        place.fill(schedules, |_| at(23, 0)).await?;
        // What is done once in an hour is done by the first.
        let hourly = tick(place, at(8, 0), 0).await?;
        let mut times = Vec::with_capacity(TICKS);
        for index in 1..=TICKS {
            times.push(tick(place, at(8, 0) + TICK * i32::try_from(index)?, 0).await?);
        }
        times.sort();
        let median = times[TICKS / 2];
        let ratio = median.as_secs_f64() / few.get_or_insert(median).as_secs_f64();
        println!("  none of {schedules} due: p50 {median:.1?}, of that with 1,000 {ratio:.2}; the first of an hour {hourly:.1?}");
    }
    Ok(())
}

/// Ten thousand are due.
pub(crate) async fn ten_thousand(place: &Place) -> anyhow::Result<()> {
    place.fill(ALL, |number| if number < SOME { at(8, 0) } else { at(23, 0) }).await?;
    tick(place, at(7, 0), 0).await?;
    let time = tick(place, at(8, 5), SOME).await?;
    println!("  {SOME} of {ALL} due: {time:.1?}, {:.0}/s", SOME as f64 / time.as_secs_f64());
    Ok(())
}

/// All are due in the same minute.
pub(crate) async fn one_minute(place: &Place) -> anyhow::Result<()> {
    let raw = match place.url() {
        Some(url) => {
            place.fill(ALL, |_| at(8, 0)).await?;
            Some(limit::fire_everything(url).await?)
        }
        None => None,
    };
    place.fill(ALL, |_| at(8, 0)).await?;
    tick(place, at(7, 0), 0).await?;
    let time = tick(place, at(8, 5), ALL).await?;
    let ratio =
        raw.map(|raw| format!("; plain inserts of the same rows {raw:.1?}, ratio {:.2}", raw.as_secs_f64() / time.as_secs_f64()));
    println!("  {ALL} due in one minute: {time:.1?}, {:.0}/s{}", ALL as f64 / time.as_secs_f64(), ratio.unwrap_or_default());
    Ok(())
}

/// All are due in the same hour, each at a minute of its own.
pub(crate) async fn one_hour(place: &Place) -> anyhow::Result<()> {
    place.fill(ALL, |number| at(8, u32::try_from(number % 60).unwrap_or_default())).await?;
    tick(place, at(7, 0), 0).await?;
    let (mut times, mut now, mut fired) = (vec![], at(8, 0), 0);
    while fired < ALL {
        let minutes = (now - at(8, 0)).num_minutes().unsigned_abs() + 1;
        let due = (0..ALL).filter(|it| it % 60 < minutes).count() as u64 - fired;
        times.push(tick(place, now, due).await?);
        (now, fired) = (now + TICK, fired + due);
    }
    let (longest, sum) = (times.iter().max().copied().unwrap_or_default(), times.iter().sum::<Duration>());
    println!("  {ALL} due in one hour, spread: {} ticks, longest {longest:.1?}, together {sum:.1?}", times.len());
    Ok(())
}

/// One tick as the program makes it, which must fire so many.
async fn tick(place: &Place, now: DateTime<Utc>, due: u64) -> anyhow::Result<Duration> {
    place.clock.set(now);
    let begun = Instant::now();
    let tick = cron::unified_scheduler(&place.yarnnn, now, &TickMode::Queue).await?;
    let time = begun.elapsed();
    ensure!(tick.report.errors().next().is_none(), "{:?}", tick.report);
    ensure!(tick.deliverables.fired == due, "fired {} of {due}", tick.deliverables.fired);
    Ok(time)
}
