//! Who answers behind the model providers, and what the providers remember. Start at [`Models`] and [`Writer`].
//!
//! The providers' folders ([`anthropic`](crate::anthropic), `openai`) read requests into a [`Prompt`] and write a [`Turn`] in
//! their own form. Tokens are counted by one rule: one for every four bytes, begun ones counted.

mod careless;
mod count;
mod faithful;
mod fit;
mod known;
mod prompt;
mod read;
mod sentence;
mod turn;
mod world;
mod writer;

pub use careless::Slip;
pub use prompt::{OfferedTool, Part, Prompt, Spoken};
pub use turn::{End, Turn, Written};
pub use world::{ModelCall, Models, TokenUse};
pub use writer::{Scripted, SimWriter, Writer};

pub(crate) use count::tokens;
pub(crate) use known::{Known, Thinking, known};
pub(crate) use world::{Answered, CacheMark};

#[cfg(test)]
mod tests;
