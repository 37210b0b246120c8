//! Claude, over Anthropic's Messages API.
//!
//! No sampling parameter is ever sent, because current models refuse them, and no turn of the model is ever begun for it. Blocks
//! that only the provider understands (signed thoughts, its own tools) are kept as they came and go back in their place.

mod answer;
mod client;
mod error;
mod request;
mod stream;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use client::AnthropicClient;

/// The provider's name in `provider/model` and in opaque blocks.
const PROVIDER: &str = "anthropic";
