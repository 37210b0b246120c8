//! From settings to models that are ready to be asked.

mod open;
#[cfg(test)]
mod tests;

pub use open::{ModelTask, Models, ModelsConfig, OpenModelError};
