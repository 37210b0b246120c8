#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

pub mod cron;
pub mod health;
pub mod program;
pub mod worker;
