//! Prices the usage of every answer.

use std::sync::Arc;

use async_trait::async_trait;
use futures::StreamExt as _;
use yarnnn_core::llm::{
    LanguageModel, LlmError, ModelEvent, ModelEvents, ModelPrice, ModelRequest, ModelResponse, ModelTraits, StreamCompletion,
};

/// Prices the usage of every answer, by the prices among the model's traits.
#[derive(Debug, Clone)]
pub struct Metered(Arc<dyn StreamCompletion>);

impl Metered {
    /// Wraps a model that counts tokens but not money.
    pub fn new(inner: Arc<dyn StreamCompletion>) -> Self {
        Self(inner)
    }
}

fn priced(mut response: ModelResponse, price: &ModelPrice) -> ModelResponse {
    response.usage.cost_micro_usd = price.cost(&response.usage);
    response
}

#[async_trait]
impl LanguageModel for Metered {
    fn name(&self) -> String {
        self.0.name()
    }

    fn traits(&self) -> ModelTraits {
        self.0.traits()
    }

    async fn complete(&self, request: &ModelRequest) -> Result<ModelResponse, LlmError> {
        let price = self.traits().price;
        self.0.complete(request).await.map(|it| priced(it, &price))
    }
}

#[async_trait]
impl StreamCompletion for Metered {
    async fn stream(&self, request: &ModelRequest) -> Result<ModelEvents, LlmError> {
        let price = self.traits().price;
        let events = self.0.stream(request).await?;
        let event = move |event| match event {
            Ok(ModelEvent::Done(response)) => Ok(ModelEvent::Done(priced(response, &price))),
            other => other,
        };
        Ok(events.map(event).boxed())
    }
}
