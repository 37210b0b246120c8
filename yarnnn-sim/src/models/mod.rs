//! Who answers behind the model providers, and what the providers remember. Start at [`Models`] and [`Writer`].
//!
//! The providers' folders (`anthropic`, `openai`) read requests into a [`Prompt`] and write a [`Turn`] in
//! their own form. Tokens are counted by one rule: one for every four bytes, begun ones counted.

mod careless;
mod count;
mod cue;
mod faithful;
mod fit;
mod hostile;
mod known;
mod passage;
mod prompt;
mod read;
mod report;
mod section;
mod sentence;
mod signals;
mod turn;
mod world;
mod writer;

pub use careless::Slip;
pub use hostile::techniques;
pub use prompt::{OfferedTool, Part, Prompt, Spoken};
pub use signals::Referring;
pub use turn::{End, Turn, Written};
pub use world::{ModelCall, Models, TokenUse};
pub use writer::{Scripted, SimWriter, Writer};

pub(crate) use count::{marks, tokens};
pub(crate) use known::{Known, Thinking, all, known};
pub(crate) use world::{Answered, CacheMark};

#[cfg(test)]
mod tests;
