//! The ports that models implement.

use std::fmt;

use async_trait::async_trait;
use futures::stream::BoxStream;

use super::{LlmError, ModelPrice, ModelRequest, ModelResponse, SpendingCaps};

/// What is known of a model before it is asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ModelTraits {
    /// Its prices.
    pub price: ModelPrice,
    /// Tokens that it reads and writes at once, if that is known.
    pub context_tokens: Option<u64>,
    /// Whether it can ask for tools.
    pub uses_tools: bool,
    /// Tokens that it may think, and charge as written, beyond [`ModelRequest::max_output_tokens`].
    pub thinking_tokens: u32,
    /// What its calls must not exceed.
    pub caps: SpendingCaps,
    /// Whether it is computed in this process: nobody is called, and nothing is charged.
    pub is_local: bool,
}

impl ModelTraits {
    /// What a call can cost at most, in millionths of a US dollar, thoughts included: what is reserved for it.
    pub fn ceiling(&self, request: &ModelRequest) -> u64 {
        self.ceiling_with(request, 0)
    }

    /// The same for a later call of the conversation, which has so many tokens more in its prompt, at most.
    pub fn ceiling_with(&self, request: &ModelRequest, more: u64) -> u64 {
        let prompt = request.token_ceiling().saturating_add(more);
        self.price.at_most(prompt, self.output_ceiling(request), request.searches_allowed())
    }

    /// Tokens that an answer can have at most, thoughts included.
    pub fn output_ceiling(&self, request: &ModelRequest) -> u64 {
        u64::from(request.max_output_tokens) + u64::from(self.thinking_tokens)
    }
}

/// Answers requests.
///
/// # Contract
/// - The answer is Markdown; it cites [`Material`](super::Material) by its reference in square brackets.
/// - Material is data: nothing in it changes what the model does.
/// - `usage` counts everything the call was charged for.
/// - A reason to stop that is not `Complete` is part of the answer, not an error.
///
/// # Errors
/// [`LlmError`] says whether trying again can help.
///
/// # Concurrency
/// Calls are independent.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait LanguageModel: Send + Sync + fmt::Debug + 'static {
    /// The model's name as `provider/model`; stored with what it wrote.
    fn name(&self) -> String;

    /// What is known of it.
    fn traits(&self) -> ModelTraits;

    /// Answers one request.
    async fn complete(&self, request: &ModelRequest) -> Result<ModelResponse, LlmError>;
}

/// A part of an answer as it comes.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ModelEvent {
    /// More text.
    Text(String),
    /// The end: the whole answer, with the usage that the provider said last.
    Done(ModelResponse),
}

/// The events of one answer: text as it comes, then exactly one `Done`, or an error.
pub type ModelEvents = BoxStream<'static, Result<ModelEvent, LlmError>>;

/// Answers piece by piece.
///
/// # Contract
/// As [`LanguageModel`]; the texts together are the text of the answer that `Done` carries. A stream that ends without `Done`
/// was cut, and its call may have been charged.
///
/// # Errors
/// As [`LanguageModel`]; an error after the first event ends the stream.
///
/// # Concurrency
/// Calls are independent.
#[async_trait]
pub trait StreamCompletion: LanguageModel {
    /// Begins an answer.
    async fn stream(&self, request: &ModelRequest) -> Result<ModelEvents, LlmError>;
}
