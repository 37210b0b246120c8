//! What it takes to prove a sentence over 240 items, by the length of the draft, beside a plain search for the sentence.

use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use yarnnn::config::Config;
use yarnnn::deliverables::Deliverable;

use super::median;
use super::script::{Stand, Told, Wanted};
use super::world::{LONG, MIXED, World};

const ROUNDS: usize = 5;
/// One in so many.
const FEW: usize = 20;
const DRAFTS: [usize; 3] = [20, 100, 400];
const STANDS: [(Stand, &str); 3] = [(Stand::Cited, "cited"), (Stand::Uncited, "copied, uncited"), (Stand::Invented, "invented")];

pub(crate) async fn run() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let world = World::open(&Config::in_folder(folder.path())).await?;
    for (number, name, sources) in [(0, "chat, mail and pages", &MIXED[..]), (1, "long pages", &LONG[..])] {
        let user = world.person(number, sources).await?;
        let deliverable = world.deliverable(&user).await?;
        let read = shown(&world, &deliverable).await?;
        println!("verification over {} items of {name}, {:.0} KB, µs per sentence", read.0, read.1 as f64 / 1e3);
        for (stand, label) in STANDS {
            for statements in DRAFTS {
                draft(&world, &deliverable, Wanted { statements, stand }, label).await?;
            }
        }
    }
    Ok(())
}

/// Items and their bytes.
async fn shown(world: &World, deliverable: &Deliverable) -> anyhow::Result<(usize, usize)> {
    world.run(deliverable, &world.yarnnn.stage_cx()).await?;
    let told = world.script.told();
    Ok((told.items.len(), told.items.iter().map(String::len).sum()))
}

async fn draft(world: &World, deliverable: &Deliverable, wanted: Wanted, label: &str) -> anyhow::Result<()> {
    world.script.want(wanted);
    let (mut verified, mut plain) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let cx = world.yarnnn.stage_cx();
        let (outcome, _) = world.run(deliverable, &cx).await?;
        let tally = outcome.tally();
        let (written, proven) = (tally.sentences as usize, tally.with_evidence as usize);
        // A few invented ones have words in a row with some item by chance.
        let as_meant = if wanted.stand == Stand::Invented { proven * FEW <= written } else { proven == written };
        ensure!(written == wanted.statements && as_meant, "{tally:?}");
        let timings = cx.timings();
        verified.push(timings.iter().find(|it| it.stage == "verify").context("nothing was verified")?.took);
        plain.push(search(&world.script.told(), wanted.stand));
    }
    let each = |times: Vec<Duration>| median(times).as_secs_f64() * 1e6 / wanted.statements as f64;
    let (verified, plain) = (each(verified), each(plain));
    println!("  {label:<16} {:>4}: {verified:>9.1}, plain search {plain:>8.1}, ratio {:.1}", wanted.statements, verified / plain);
    Ok(())
}

/// Every sentence once in the item that it cites, or in all items up to the one that has it.
fn search(told: &Told, stand: Stand) -> Duration {
    let begun = Instant::now();
    for (text, item) in &told.statements {
        let found = match stand {
            Stand::Cited => told.items.get(*item).is_some_and(|it| it.contains(text)),
            Stand::Uncited | Stand::Invented => told.items.iter().any(|it| it.contains(text)),
        };
        black_box(found);
    }
    begun.elapsed()
}
