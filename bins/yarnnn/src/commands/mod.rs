//! One file per command.

mod connect;
mod costs;
mod deliverables;
mod demo;
mod doctor;
mod download;
mod feedback;
mod import;
mod jobs;
mod lifecycle;
mod migrate;
mod outbox;
mod plan;
mod preferences;
mod replay;
mod run;
mod schedules;
mod search;
mod settings;
mod signals;
mod sources;
mod spent;
mod sync;
mod verify;
mod when;
mod wishes;
mod work;

mod dispatch;

pub(crate) use dispatch::dispatch;
