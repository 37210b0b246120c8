//! The demo's writer: a simulated model of this machine behind the real client, under a name that says so in what it writes.

use std::sync::Arc;

use async_trait::async_trait;
use yarnnn::llm::{LanguageModel, LlmError, ModelRequest, ModelResponse, ModelTraits};

/// The model whose provider is simulated: its way of being asked, its tools and its prices.
pub(super) const MODEL: &str = "anthropic/claude-sonnet-5-5";

/// A model whose provider is simulated.
#[derive(Debug)]
pub(super) struct Simulated(pub(super) Arc<dyn LanguageModel>);

#[async_trait]
impl LanguageModel for Simulated {
    fn name(&self) -> String {
        let name = self.0.name();
        format!("simulated/{}", name.split_once('/').map_or(name.as_str(), |(_, model)| model))
    }

    fn traits(&self) -> ModelTraits {
        self.0.traits()
    }

    async fn complete(&self, request: &ModelRequest) -> Result<ModelResponse, LlmError> {
        let response = self.0.complete(request).await?;
        Ok(ModelResponse { by: Some(self.name()), ..response })
    }
}
