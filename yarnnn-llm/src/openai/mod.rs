//! OpenAI's models, and every server that speaks like OpenAI.
//!
//! There are two ways to ask: chat completions, which compatible servers know too, and responses, in which reasoning is kept as
//! an encrypted block and goes back in its place. The table of models says which one a model is asked in. Nothing is stored at
//! the provider.

mod answer;
mod client;
mod error;
mod request;
mod stream;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use client::OpenAiClient;

/// The provider's name in `provider/model` and in opaque blocks.
const PROVIDER: &str = "openai";
