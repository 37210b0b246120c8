//! The client.

use async_trait::async_trait;
use reqwest::header::{HeaderMap, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use url::Url;
use yarnnn_core::llm::{LanguageModel, LlmError, ModelEvents, ModelRequest, ModelResponse, ModelTraits, StreamCompletion};

use super::stream::Assembler;
use super::wire::MessageWire;
use super::{answer, error, request};
use crate::catalogue::ModelEntry;
use crate::http::{Answer, Refusal, Transport, collected, events, garbled, unreachable};

/// The version of the API that is spoken.
const VERSION: &str = "2023-06-01";
/// Longer answers come in pieces, also where the caller wants them whole: a connection that is silent for minutes is cut by
/// what stands in between.
const LONG_ANSWER: u32 = 8_000;

/// One of Anthropic's models.
#[derive(Debug)]
pub(crate) struct AnthropicClient {
    model: ModelEntry,
    url: Url,
    key: SecretString,
    transport: Transport,
}

impl AnthropicClient {
    /// `url` is the address of the messages.
    pub(crate) fn new(model: ModelEntry, url: Url, key: SecretString, transport: Transport) -> Self {
        Self { model, url, key, transport }
    }

    async fn send(&self, body: &Value, stream: bool) -> Result<Answer, LlmError> {
        let name = self.model.name();
        let answer = self.transport.post(self.url.clone(), self.headers(stream)?, body).await;
        let answer = answer.map_err(|error| unreachable(&name, &error))?;
        if answer.is_good() { Ok(answer) } else { Err(Refusal::read(answer).await.judged(&error::VENDOR, &name)) }
    }

    fn headers(&self, stream: bool) -> Result<HeaderMap, LlmError> {
        let mut key = HeaderValue::from_str(self.key.expose_secret().trim()).map_err(|_| LlmError::NeedsOperator {
            model: self.model.name(),
            setting: error::VENDOR.key,
            detail: "it holds characters that no key has".to_owned(),
        })?;
        key.set_sensitive(true);
        let mut headers = HeaderMap::new();
        headers.insert("x-api-key", key);
        headers.insert("anthropic-version", HeaderValue::from_static(VERSION));
        if stream {
            headers.insert("accept", HeaderValue::from_static("text/event-stream"));
            headers.insert("accept-encoding", HeaderValue::from_static("identity"));
        }
        Ok(headers)
    }
}

#[async_trait]
impl LanguageModel for AnthropicClient {
    fn name(&self) -> String {
        self.model.name()
    }

    fn traits(&self) -> ModelTraits {
        self.model.traits()
    }

    async fn complete(&self, request: &ModelRequest) -> Result<ModelResponse, LlmError> {
        if self.model.output_bound(request.max_output_tokens) > LONG_ANSWER {
            return collected(&self.name(), self.stream(request).await?).await;
        }
        let answer = self.send(&request::body(&self.model, request, false)?, false).await?;
        let body = answer.body().await.map_err(|error| unreachable(&self.name(), &error))?;
        let message: MessageWire =
            serde_json::from_slice(&body).map_err(|_| garbled(&self.name(), "the answer is no message in JSON"))?;
        Ok(answer::answer(message))
    }
}

#[async_trait]
impl StreamCompletion for AnthropicClient {
    async fn stream(&self, request: &ModelRequest) -> Result<ModelEvents, LlmError> {
        let answer = self.send(&request::body(&self.model, request, true)?, true).await?;
        Ok(events(answer, Assembler::new(self.name())))
    }
}
