//! One file per command.

mod deliverables;
mod demo;
mod doctor;
mod import;
mod jobs;
mod migrate;
mod plan;
mod run;
mod search;
mod verify;
mod when;
mod work;

mod dispatch;

pub(crate) use dispatch::dispatch;
