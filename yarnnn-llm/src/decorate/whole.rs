//! A model that answers whole, as one that answers in pieces.

use std::sync::Arc;

use async_trait::async_trait;
use futures::{StreamExt as _, stream};
use yarnnn_core::llm::{
    LanguageModel, LlmError, ModelEvent, ModelEvents, ModelRequest, ModelResponse, ModelTraits, StreamCompletion,
};

/// A model that answers whole, as one that answers in pieces: all of the text is the only piece.
#[derive(Debug, Clone)]
pub struct Whole(Arc<dyn LanguageModel>);

impl Whole {
    /// Wraps a model.
    pub fn new(inner: Arc<dyn LanguageModel>) -> Self {
        Self(inner)
    }
}

#[async_trait]
impl LanguageModel for Whole {
    fn name(&self) -> String {
        self.0.name()
    }

    fn traits(&self) -> ModelTraits {
        self.0.traits()
    }

    async fn complete(&self, request: &ModelRequest) -> Result<ModelResponse, LlmError> {
        self.0.complete(request).await
    }
}

#[async_trait]
impl StreamCompletion for Whole {
    async fn stream(&self, request: &ModelRequest) -> Result<ModelEvents, LlmError> {
        self.0.complete(request).await.map(told)
    }
}

/// An answer that is there already, as the events of one that comes.
pub(super) fn told(response: ModelResponse) -> ModelEvents {
    let text = Some(response.text()).filter(|it| !it.is_empty()).map(ModelEvent::Text);
    stream::iter(text.into_iter().chain([ModelEvent::Done(response)]).map(Ok)).boxed()
}
