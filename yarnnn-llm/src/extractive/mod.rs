//! The writer without a key: reports made only of sentences that stand in the material, each cited.
//!
//! A request is read ([`model`]), its items are cut into sentences worth showing ([`clean`], [`sentence`], [`noise`]), these
//! are ranked ([`score`], [`cues`]), the best are given to the sections of the outline ([`select`], [`agenda`]), put together
//! ([`group`]) and laid out as Markdown ([`write`]).
//!
//! Nothing here rephrases, translates or concludes. The only words that are not copied are the outline's headings, names of
//! days and fixed punctuation.

mod agenda;
mod clean;
mod cues;
mod fallback;
mod group;
mod model;
mod noise;
mod reflow;
mod score;
mod select;
mod sentence;
mod source;
#[cfg(test)]
mod tests;
mod words;
mod write;

pub use model::ExtractiveModel;
