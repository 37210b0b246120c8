//! After every sync the stored set equals the source's, minus what is named: two hundred random worlds.

use std::collections::BTreeSet;

use super::model::{Games, Plant};

/// Worlds that are played. `cargo xtask chaos live-model` plays two thousand.
const SEEDS: u64 = 200;
/// Worlds within which every planted bug must have been seen.
const SEEDS_OF_A_BUG: u64 = 8;

#[expect(clippy::disallowed_methods, reason = "a failing seed is played again by its number")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[test]
fn what_is_stored_is_what_is_there() {
    let seed = variable("YARNNN_MODEL_SEED").map(|it| it.parse::<u64>().unwrap());
    let count = variable("YARNNN_MODEL_SEEDS").map_or(SEEDS, |it| it.parse().unwrap());
    let skipped: BTreeSet<u64> = variable("YARNNN_MODEL_SKIP").unwrap_or_default().split(',').flat_map(str::parse).collect();
    let seeds: Vec<u64> = seed.map_or(0..count, |it| it..it + 1).collect();
    let games = Games::play(&seeds, &skipped, None).unwrap();
    println!("{games}");
    assert!(
        games.lost.is_empty(),
        "{} of {} games are lost; each is played again by its variables",
        games.lost.len(),
        seeds.len()
    );
}

#[test]
fn every_planted_bug_is_seen() {
    for plant in Plant::ALL {
        let is_seen = |seed: &u64| !Games::play(&[*seed], &BTreeSet::new(), Some(plant)).unwrap().lost.is_empty();
        let seed = (0..SEEDS_OF_A_BUG).find(is_seen);
        println!("{plant:?} is seen in the world of seed {}", seed.unwrap_or_else(|| panic!("nobody sees {plant:?}")));
    }
}
