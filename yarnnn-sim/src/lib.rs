#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod authored;
pub mod calendar;
pub mod gmail;
mod google;
pub mod notion;
pub mod sample;
pub mod server;
pub mod slack;

pub use sample::{Person, Sample, SampleCounts, SampleFiles, generate};
pub use server::{
    CLIENT_ID, CLIENT_SECRET, Fault, Faults, Journal, Limits, Provider, Request, Rotating, Running, Sim, Tokens, VirtualClock,
};
