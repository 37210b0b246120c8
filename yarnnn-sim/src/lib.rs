#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod anthropic;
mod authored;
pub mod calendar;
pub mod gmail;
mod google;
pub mod models;
pub mod notion;
mod openai;
pub mod resend;
pub mod sample;
pub mod server;
pub mod slack;
pub mod web;

pub use models::SimWriter;
pub use sample::{Person, Sample, SampleCounts, SampleFiles, generate};
pub use server::{
    CLIENT_ID, CLIENT_SECRET, Fault, Faults, Journal, Limits, Provider, Request, Rotating, Running, Sim, Tokens, VirtualClock,
};
