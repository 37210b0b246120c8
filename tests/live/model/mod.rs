//! A random world behind the simulator, changed in rounds, synced after each, and compared with what is stored.
//!
//! A seed decides everything. Start at `play`; what must be equal stands in `compare`, what may go wrong in `trouble`. The
//! module is also a part of the chaos program, which plays more seeds.

mod compare;
mod dates;
mod games;
mod installation;
mod mail;
mod pages;
#[path = "../../support/permits.rs"]
mod permits;
mod plant;
mod play;
mod random;
mod stored;
mod team;
mod trouble;
mod words;
mod world;

pub(crate) use games::Games;
pub(crate) use installation::{Installation, Opening};
#[allow(unused_imports, reason = "the chaos program counts no calls")]
pub(crate) use permits::FixedCapacity;
pub(crate) use plant::Plant;
pub(crate) use play::{Failure, Played, play, shrunk};
pub(crate) use stored::Stored;
pub(crate) use world::World;
