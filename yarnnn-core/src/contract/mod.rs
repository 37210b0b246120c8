//! Conformance suites of the store ports: what their documentation promises, one fact per function.
//!
//! A back-end runs every fact on a fresh, migrated store of its own; [`contract_facts!`](crate::contract_facts) lists them
//! all. A fact panics when the back-end does not keep its promise. Facts name no back-end and need no network.
#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a fact is a test: it panics when it does not hold")]

pub mod accounts;
pub mod activity;
pub mod audits;
pub mod capacity;
pub mod capacity_fixtures;
pub mod capacity_windows;
pub mod cleanup;
pub mod connection_fixtures;
pub mod connections;
pub mod content;
pub mod credentials;
pub mod deliverables;
pub mod events;
pub mod evidence;
pub mod feedback;
pub mod fixtures;
pub mod follow_ups;
pub mod heartbeat;
pub mod job_admin;
pub mod job_fixtures;
pub mod job_upkeep;
pub mod jobs_claim;
pub mod jobs_enqueue;
pub mod jobs_fairness;
pub mod jobs_finish;
pub mod jobs_keys;
pub mod jobs_lost;
pub mod jobs_rescue;
pub mod jobs_state;
pub mod leases;
pub mod ledger_fixtures;
pub mod left_runs;
pub mod lifecycle;
pub mod model_ledger;
pub mod notices;
pub mod oauth_states;
pub mod outbox;
pub mod phases;
pub mod places;
mod ports;
pub mod presence;
pub mod reading;
pub mod rebuilds;
pub mod search;
pub mod signals;
pub mod slots;
pub mod version_material;
pub mod versions;
pub mod wake_ups;
pub mod web_pages;

pub use ports::Ports;
