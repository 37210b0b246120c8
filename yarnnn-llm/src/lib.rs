#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod extractive;
mod recorded;

pub use extractive::ExtractiveModel;
pub use recorded::{Exchange, RecordedModel, RecordingError, RecordingModel};
