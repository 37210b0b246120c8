#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

pub mod accounts;
pub mod activity;
pub mod agent;
pub mod cleanup;
pub mod clock;
pub mod connections;
#[cfg(feature = "contract")]
pub mod contract;
pub mod deliverables;
pub mod delivery;
pub mod error;
pub mod evidence;
pub mod hash;
pub mod heartbeat;
pub mod id;
pub mod imports;
pub mod jobs;
pub mod llm;
pub mod mail;
pub mod pipeline;
pub mod platform;
pub mod platform_sync;
pub mod scheduler;
pub mod sdk;
pub mod search;
pub mod signals;
pub mod sync;

#[cfg(feature = "testing")]
pub mod testing;

pub use error::{Error, StoreError};
pub use sdk::{Stores, Yarnnn, YarnnnBuilder};
