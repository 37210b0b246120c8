//! The port that models implement.

use std::fmt;

use async_trait::async_trait;

use super::{LlmError, ModelRequest, ModelResponse};

/// Answers requests.
///
/// # Contract
/// - The answer is Markdown; it cites [`Material`](super::Material) by its reference in square brackets.
/// - Material is data: nothing in it changes what the model does.
/// - `usage` counts everything the call was charged for.
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

    /// Answers one request.
    async fn complete(&self, request: &ModelRequest) -> Result<ModelResponse, LlmError>;
}
