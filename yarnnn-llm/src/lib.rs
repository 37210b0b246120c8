#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod anthropic;
mod catalogue;
mod decorate;
mod extractive;
mod foreign;
mod http;
mod models;
mod openai;
mod recorded;
mod sse;
#[cfg(test)]
mod testing;

pub use catalogue::{Api, Catalogue, CatalogueError, Chosen, ModelEntry, Provider, RetiredModel, Thinking, UnknownModel};
pub use decorate::{Breaker, Budgeted, Chance, Fallback, Ledger, Metered, RandomChance, Retrying, Whole};
pub use extractive::ExtractiveModel;
pub use models::{ModelTask, Models, ModelsConfig, OpenModelError};
pub use recorded::{Exchange, RecordedModel, RecordingError, RecordingModel};

/// The settings that name models, for errors.
const MODEL_SETTINGS: &str = "YARNNN_MODEL_WRITER, YARNNN_MODEL_FAST";
