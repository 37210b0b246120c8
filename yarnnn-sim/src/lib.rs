#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

pub mod sample;

pub use sample::{Person, Sample, SampleCounts, SampleFiles, generate};
