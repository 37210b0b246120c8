//! Many games at once, on as many threads as there are.

use std::collections::BTreeSet;
use std::fmt;
use std::thread;

use anyhow::{Result, anyhow};
use futures::{StreamExt as _, stream};
use tokio::runtime;
use yarnnn::platforms::http::HttpTransport;

use super::{Failure, Plant, Played, play, shrunk};

/// Games that each thread plays at once: much of their time is spent waiting before a call is tried again.
const AT_ONCE: usize = 12;

/// What came of many games.
#[derive(Debug, Default)]
pub(crate) struct Games {
    pub(crate) played: Vec<Played>,
    pub(crate) lost: Vec<Failure>,
}

impl Games {
    /// Plays the games of these seeds. Those that are lost are made smaller, unless a bug was planted to lose them.
    pub(crate) fn play(seeds: &[u64], skipped: &BTreeSet<u64>, plant: Option<Plant>) -> Result<Self> {
        let threads = thread::available_parallelism()?.get();
        let share = |number: usize| seeds.iter().copied().skip(number).step_by(threads);
        thread::scope(|scope| {
            let running: Vec<_> = (0..threads).map(|it| scope.spawn(move || play_each(share(it), skipped, plant))).collect();
            let mut games = Self::default();
            for thread in running {
                let part = thread.join().map_err(|_| anyhow!("a game panicked"))??;
                games.played.extend(part.played);
                games.lost.extend(part.lost);
            }
            Ok(games)
        })
    }
}

fn play_each(seeds: impl Iterator<Item = u64>, skipped: &BTreeSet<u64>, plant: Option<Plant>) -> Result<Games> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let transport = HttpTransport::new()?;
        let games = seeds.map(|seed| one(seed, skipped, plant, &transport));
        let mut all = Games::default();
        let mut ended = stream::iter(games).buffer_unordered(AT_ONCE);
        while let Some(game) = ended.next().await {
            match game {
                Ok(played) => all.played.push(played),
                Err(failure) => all.lost.push(failure),
            }
        }
        Ok(all)
    })
}

async fn one(seed: u64, skipped: &BTreeSet<u64>, plant: Option<Plant>, transport: &HttpTransport) -> Result<Played, Failure> {
    match play(seed, skipped, plant, transport).await {
        Err(failure) if plant.is_none() => Err(shrunk(failure, transport).await),
        ended => ended,
    }
}

impl Games {
    /// What was compared.
    pub(crate) fn figures(&self) -> [(&'static str, usize); 5] {
        let sum = |of: fn(&Played) -> usize| self.played.iter().map(of).sum::<usize>();
        [
            ("games", self.played.len()),
            ("resources compared", sum(|it| it.exact)),
            ("items", sum(|it| it.items)),
            ("failures named", sum(|it| it.failures)),
            ("gaps named", sum(|it| it.gaps)),
        ]
    }
}

impl fmt::Display for Games {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let figures = self.figures().map(|(name, figure)| format!("{name} {figure}"));
        write!(f, "{}", figures.join(", "))?;
        self.lost.iter().try_for_each(|it| write!(f, "\n{it}"))
    }
}
