//! A run over a thousand candidates, by its stages, beside the same rows read and the same bytes written plainly.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use yarnnn::config::{Config, DatabaseConfig};
use yarnnn::deliverables::RunOutcome;
use yarnnn::id::UserId;

use super::bound::{Plain, write};
use super::millis;
use super::watch::{Part, Seen};
use super::world::{MIXED, World};

const DATABASE: &str = "yarnnn_bench_reports";
const ROUNDS: usize = 15;
/// Rows that a run reads of its thousand candidates: 240 of each source.
const ROWS: usize = 960;
/// Commits of the outbox besides the one that queues: begun, settled.
const SENDING: usize = 2;

pub(crate) async fn run() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let config = Config::in_folder(folder.path());
    let world = World::open(&config).await?;
    measure("SQLite", &world, Plain::sqlite(folder.path()).await?).await?;
    drop(world);
    let Ok(admin) = std::env::var("YARNNN_TEST_POSTGRES_URL") else {
        println!("Postgres: run `cargo xtask bench`, which starts one");
        return Ok(());
    };
    let mut connection = PgConnection::connect(&admin).await.context("the test Postgres")?;
    connection.execute(AssertSqlSafe(format!("drop database if exists {DATABASE} with (force)"))).await?;
    connection.execute(AssertSqlSafe(format!("create database {DATABASE}"))).await?;
    let url = admin.replacen("/postgres?", &format!("/{DATABASE}?"), 1);
    ensure!(url != admin, "the address of the test Postgres has another form than expected");
    let world = World::open(&Config { database: DatabaseConfig::new(&url)?, ..config }).await?;
    measure("Postgres", &world, Plain::postgres(&url).await?).await?;
    drop(world);
    connection.execute(AssertSqlSafe(format!("drop database {DATABASE} with (force)"))).await?;
    Ok(())
}

/// A run and its bound: by part, what each took.
struct Round {
    seen: Seen,
    bound: Vec<(Part, Duration)>,
}

impl Round {
    fn bound(&self, part: Part) -> Duration {
        self.bound.iter().filter(|it| it.0 == part).map(|it| it.1).sum()
    }
}

/// Every round has a person of its own: nothing was retained or reported before. The first warms up.
async fn measure(name: &str, world: &World, mut plain: Plain) -> anyhow::Result<()> {
    let mut rounds = Vec::new();
    for number in 0..=ROUNDS {
        let user = world.person(number, &MIXED).await?;
        let deliverable = world.deliverable(&user).await?;
        let (outcome, seen) = world.run(&deliverable, &world.yarnnn.stage_cx()).await?;
        let tally = outcome.tally();
        ensure!(tally.sentences == 24 && tally.with_evidence == 24, "{tally:?}");
        let bound = bound(&mut plain, user.id, &outcome, &seen).await?;
        rounds.push(Round { seen, bound });
    }
    rounds.remove(0);
    show(name, &rounds);
    Ok(())
}

async fn bound(plain: &mut Plain, user: UserId, outcome: &RunOutcome, seen: &Seen) -> anyhow::Result<Vec<(Part, Duration)>> {
    let folder = tempfile::tempdir()?;
    let mut bound = vec![(Part::Gather, plain.read(user, ROWS).await?)];
    for (part, payload) in &seen.commits {
        bound.push((*part, plain.commit(payload).await?));
    }
    for _ in 0..SENDING {
        bound.push((Part::Outbox, plain.commit("").await?));
    }
    let files = outcome.messages.iter().flat_map(|it| &it.files);
    bound.push((Part::Outbox, write(files, folder.path())?));
    Ok(bound)
}

fn show(name: &str, rounds: &[Round]) {
    let of = |take: &dyn Fn(&Round) -> Duration| millis(rounds.iter().map(take).min().unwrap_or_default());
    println!("{name}, 1,000 candidates, 240 items, 24 statements, ms, the quickest of {ROUNDS}");
    for part in Part::OURS {
        let (took, bound) = (of(&|it| it.seen.took(part)), of(&|it| it.bound(part)));
        let ratio = if bound > 0.0 { format!("{bound:>7.2} {:>5.2}", took / bound) } else { String::new() };
        println!("  {:<8} {took:>7.2} {ratio}", part.name());
    }
    let (took, bound) = (of(&|it| it.seen.ours()), of(&|it| it.bound.iter().map(|it| it.1).sum()));
    println!("  {:<8} {took:>7.2} {bound:>7.2} {:>5.2}", "all", took / bound);
    let bytes: usize = rounds.last().map_or(0, |it| it.seen.commits.iter().map(|it| it.1.len()).sum());
    println!("  {:.0} KB written", bytes as f64 / 1e3);
}
