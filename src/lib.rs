#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

pub mod config;
mod connect;
mod process;
mod research;

pub use config::Config;
pub use connect::{ConnectError, builder, check_seal_key, connect, is_of_settings, open_model, open_store};
pub use process::HostProcesses;
pub use yarnnn_core::*;
pub use yarnnn_llm as models;
pub use yarnnn_platforms as platforms;
pub use yarnnn_store as store;
