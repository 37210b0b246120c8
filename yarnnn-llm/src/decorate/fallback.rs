//! Another model in the place of one that is down.

use std::sync::Arc;

use async_trait::async_trait;
use yarnnn_core::llm::{LanguageModel, LlmError, ModelEvents, ModelRequest, ModelResponse, ModelTraits, StreamCompletion};

/// Asks the second model what the first one cannot answer for the time being: after its last try, or while it is left alone.
///
/// Its name is the first one's. Which of them answered stands in the answer, and in the ledger, where each has its own rows.
#[derive(Debug, Clone)]
pub struct Fallback {
    first: Arc<dyn StreamCompletion>,
    second: Arc<dyn StreamCompletion>,
}

impl Fallback {
    /// Puts a model behind another.
    pub fn new(first: Arc<dyn StreamCompletion>, second: Arc<dyn StreamCompletion>) -> Self {
        Self { first, second }
    }

    fn passes_on(&self, error: &LlmError) -> bool {
        if error.is_transient() {
            tracing::warn!(%error, instead = self.second.name(), "another model is asked");
        }
        error.is_transient()
    }
}

#[async_trait]
impl LanguageModel for Fallback {
    fn name(&self) -> String {
        self.first.name()
    }

    /// Those of the first; the prices are the dearer ones of both, and the limits the narrower ones.
    fn traits(&self) -> ModelTraits {
        let (first, second) = (self.first.traits(), self.second.traits());
        let contexts = [first.context_tokens, second.context_tokens];
        ModelTraits {
            price: if second.price.output > first.price.output { second.price } else { first.price },
            context_tokens: contexts.into_iter().flatten().min(),
            uses_tools: first.uses_tools && second.uses_tools,
            thinking_tokens: first.thinking_tokens.max(second.thinking_tokens),
            caps: first.caps,
            is_local: first.is_local && second.is_local,
        }
    }

    async fn complete(&self, request: &ModelRequest) -> Result<ModelResponse, LlmError> {
        match self.first.complete(request).await {
            Err(error) if self.passes_on(&error) => {
                let mut response = self.second.complete(request).await?;
                response.by.get_or_insert_with(|| self.second.name());
                Ok(response)
            }
            answer => answer,
        }
    }
}

#[async_trait]
impl StreamCompletion for Fallback {
    async fn stream(&self, request: &ModelRequest) -> Result<ModelEvents, LlmError> {
        match self.first.stream(request).await {
            Err(error) if self.passes_on(&error) => self.second.stream(request).await,
            answer => answer,
        }
    }
}
