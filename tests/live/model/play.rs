//! One game: a world, rounds of changes, a sync after each, and what did not hold.

use std::collections::BTreeSet;
use std::fmt;

use anyhow::Result;
use yarnnn::platform_sync::SyncTrigger;
use yarnnn::platforms::http::HttpTransport;
use yarnnn_sim::Running;

use super::compare::{Memory, Synced};
use super::installation::{Installation, Opening};
use super::plant::Plant;
use super::random::Random;
use super::stored::Stored;
use super::trouble::{Loss, Trouble};
use super::world::World;

/// Rounds of a game. In the last one nothing goes wrong.
const ROUNDS: u64 = 5;

/// What was compared in a game.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Played {
    /// Comparisons of a resource in which everything had to be equal.
    pub(crate) exact: usize,
    /// Items of those.
    pub(crate) items: usize,
    /// Resources that were not read to their end and said so.
    pub(crate) failures: usize,
    /// Gaps that were named.
    pub(crate) gaps: usize,
}

/// A game that was lost.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    seed: u64,
    skipped: BTreeSet<u64>,
    round: u64,
    log: Vec<String>,
    problems: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let skipped = self.skipped.iter().map(u64::to_string).collect::<Vec<_>>().join(",");
        let skipped = if skipped.is_empty() { skipped } else { format!(" YARNNN_MODEL_SKIP={skipped}") };
        writeln!(f, "YARNNN_MODEL_SEED={}{skipped} fails in round {}:", self.seed, self.round)?;
        self.log.iter().try_for_each(|it| writeln!(f, "    {it}"))?;
        self.problems.iter().try_for_each(|it| writeln!(f, "  ! {it}"))
    }
}

/// Plays the game of a seed without the rounds that are skipped.
pub(crate) async fn play(
    seed: u64,
    skipped: &BTreeSet<u64>,
    plant: Option<Plant>,
    transport: &HttpTransport,
) -> Result<Played, Failure> {
    let lost = |round, log, problems| Failure { seed, skipped: skipped.clone(), round, log, problems };
    let begun = Game::begin(seed, plant, transport).await;
    let mut game = begun.map_err(|error| lost(0, vec![], vec![format!("{error:#}")]))?;
    for round in (0..ROUNDS).filter(|it| !skipped.contains(it)) {
        game.log.push(format!("round {round}"));
        let problems = game.round(round).await.unwrap_or_else(|error| vec![format!("{error:#}")]);
        if !problems.is_empty() {
            return Err(lost(round, game.log, problems));
        }
    }
    let Memory { exact, items, failures, gaps, .. } = game.memory;
    Ok(Played { exact, items, failures, gaps })
}

/// The same failure with as few rounds as a simple search finds.
pub(crate) async fn shrunk(mut failure: Failure, transport: &HttpTransport) -> Failure {
    for round in 0..failure.round {
        let mut skipped = failure.skipped.clone();
        skipped.insert(round);
        if let Err(smaller) = play(failure.seed, &skipped, None, transport).await
            && smaller.round <= failure.round
        {
            failure = smaller;
        }
    }
    failure
}

struct Game {
    seed: u64,
    world: World,
    _running: Running,
    installation: Installation,
    memory: Memory,
    losses: Vec<Loss>,
    log: Vec<String>,
}

impl Game {
    async fn begin(seed: u64, plant: Option<Plant>, transport: &HttpTransport) -> Result<Self> {
        let world = World::of(seed);
        let running = world.sim.start().await?;
        let opening = Opening::fresh(&running, world.clock.clone(), transport.clone()).await?;
        let installation = Installation::open(&world.sim, Opening { plant, ..opening }).await?;
        Ok(Self { seed, world, _running: running, installation, memory: Memory::default(), losses: vec![], log: vec![] })
    }

    async fn round(&mut self, round: u64) -> Result<Vec<String>> {
        // Every round has chance of its own, so that leaving one out does not change the others.
        let mut random = Random::new(self.seed, round + 1);
        let is_last = round + 1 == ROUNDS;
        self.regain(&mut random, is_last).await?;
        if round > 0 {
            let waited = self.world.wait(&mut random);
            self.log.push(waited);
            for _ in 0..random.between(0, 8) {
                let changed = self.world.change(&mut random);
                self.log.push(changed);
            }
        }
        let trouble = if is_last { Trouble::default() } else { self.trouble(round, &mut random) };
        if random.once_in(2) || is_last || round == 0 {
            self.installation.choose_all().await?;
        }
        let is_manual = is_last || round == 0 || !random.once_in(4);
        self.sync(if is_manual { SyncTrigger::Manual } else { SyncTrigger::Scheduled }, &trouble).await
    }

    async fn regain(&mut self, random: &mut Random, all: bool) -> Result<()> {
        let (mut back, still): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.losses).into_iter().partition(|_| all || random.once_in(2));
        self.losses = still;
        while let Some(loss) = back.pop() {
            self.log.push(format!("back: {loss:?}"));
            let others: Vec<Loss> = back.iter().chain(&self.losses).cloned().collect();
            self.installation.regain(&loss, &others).await?;
        }
        self.installation.mend(&self.losses, false).await
    }

    fn trouble(&mut self, round: u64, random: &mut Random) -> Trouble {
        if round > 0 && random.once_in(4) {
            let loss = Loss::any(&self.world, random);
            self.log.push(format!("lost: {loss:?}"));
            self.installation.lose(&loss);
            self.losses.push(loss);
        }
        if random.once_in(5) {
            self.log.push("mail's history expires".to_owned());
            self.world.sim.gmail().expire_history();
        }
        if random.once_in(5) {
            self.log.push("calendars' tokens expire".to_owned());
            self.world.sim.calendar().expire_tokens();
        }
        let mut trouble = Trouble::default();
        self.log.extend(trouble.plan(&self.world.sim, random));
        trouble.may_fail.extend(self.losses.iter().flat_map(Loss::platforms));
        trouble
    }

    async fn sync(&mut self, trigger: SyncTrigger, trouble: &Trouble) -> Result<Vec<String>> {
        let (yarnnn, user, now) = (&self.installation.yarnnn, self.installation.user(), self.world.sim.now());
        let before = Stored::read(yarnnn, user, now).await?;
        let reports = self.installation.sync(trigger).await?;
        self.world.sim.faults().clear();
        let after = Stored::read(yarnnn, user, now).await?;
        let told = reports.iter().map(|it| format!("{} {}{}", it.platform, it.outcome.as_str(), error(it.error.as_deref())));
        self.log.push(format!("{trigger:?} sync: {}", told.collect::<Vec<_>>().join(", ")));
        let synced = Synced { world: &self.world, trigger, trouble, before: &before, after: &after, reports: &reports };
        Ok(self.memory.compare(&synced))
    }
}

fn error(error: Option<&str>) -> String {
    error.map(|it| format!(" ({it})")).unwrap_or_default()
}
