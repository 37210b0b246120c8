//! What is known of models: prices, limits, capabilities, and what has taken the place of ids that are gone.
//!
//! Models are configuration. The table that is built in can be overlaid by a file, and ids that stand in neither can be used too;
//! nothing is known of those.

mod choose;
mod entry;
mod load;
#[cfg(test)]
mod tests;

pub use choose::{Chosen, UnknownModel};
pub use entry::{Api, ModelEntry, Provider, RetiredModel, Thinking};
pub use load::{Catalogue, CatalogueError};
