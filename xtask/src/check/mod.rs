//! `cargo xtask check`: the rules of this repository, each a function from what is there to a list of violations.
//!
//! Start at [`run()`]; the table of checks is in `run.rs`. The rules are pure functions over the parsed metadata and the texts of
//! the files, so that each is seen to fail in a test beside it. Advisories need the network and are a manual step.

mod bans;
mod deny_file;
mod duplicates;
mod environment;
mod features;
mod hygiene;
mod layers;
mod licences;
mod links;
mod metadata;
mod migrations;
mod modules;
mod project;
mod run;
mod spdx;

pub(crate) use run::{exists, list, run};
