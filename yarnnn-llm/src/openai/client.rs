//! The client.

use async_trait::async_trait;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use url::Url;
use yarnnn_core::llm::{LanguageModel, LlmError, ModelEvents, ModelRequest, ModelResponse, ModelTraits, StreamCompletion};

use super::answer::{self, Uncounted};
use super::stream::{ChatAssembler, ResponseAssembler};
use super::{error, request};
use crate::catalogue::{Api, ModelEntry};
use crate::http::{Answer, Refusal, Transport, collected, events, garbled, unreachable};

/// Longer answers come in pieces, also where the caller wants them whole: a connection that is silent for minutes is cut by
/// what stands in between.
const LONG_ANSWER: u32 = 8_000;

/// A model of OpenAI or of a server that speaks like it.
#[derive(Debug)]
pub(crate) struct OpenAiClient {
    model: ModelEntry,
    url: Url,
    key: Option<SecretString>,
    transport: Transport,
}

impl OpenAiClient {
    /// `url` is the address of what the model's way to ask wants: chat completions or responses.
    pub(crate) fn new(model: ModelEntry, url: Url, key: Option<SecretString>, transport: Transport) -> Self {
        Self { model, url, key, transport }
    }

    async fn send(&self, body: &Value, stream: bool) -> Result<Answer, LlmError> {
        let name = self.model.name();
        let answer = self.transport.post(self.url.clone(), self.headers(stream)?, body).await;
        let answer = answer.map_err(|error| unreachable(&name, &error))?;
        if answer.is_good() { Ok(answer) } else { Err(Refusal::read(answer).await.judged(&error::VENDOR, &name)) }
    }

    fn headers(&self, stream: bool) -> Result<HeaderMap, LlmError> {
        let mut headers = HeaderMap::new();
        if let Some(key) = &self.key {
            let bearer = format!("Bearer {}", key.expose_secret().trim());
            let mut bearer = HeaderValue::from_str(&bearer).map_err(|_| LlmError::NeedsOperator {
                model: self.model.name(),
                setting: error::VENDOR.key,
                detail: "it holds characters that no key has".to_owned(),
            })?;
            bearer.set_sensitive(true);
            headers.insert(AUTHORIZATION, bearer);
        }
        if stream {
            headers.insert("accept", HeaderValue::from_static("text/event-stream"));
            headers.insert("accept-encoding", HeaderValue::from_static("identity"));
        }
        Ok(headers)
    }
}

#[async_trait]
impl LanguageModel for OpenAiClient {
    fn name(&self) -> String {
        self.model.name()
    }

    fn traits(&self) -> ModelTraits {
        self.model.traits()
    }

    async fn complete(&self, request: &ModelRequest) -> Result<ModelResponse, LlmError> {
        let name = self.name();
        if self.model.output_bound(request.max_output_tokens) > LONG_ANSWER {
            return collected(&name, self.stream(request).await?).await;
        }
        let answer = self.send(&request::body(&self.model, request, false)?, false).await?;
        let body = answer.body().await.map_err(|error| unreachable(&name, &error))?;
        let no_json = |_| garbled(&name, "the answer is no JSON of its kind");
        let uncounted = Uncounted::of(&self.model, request);
        match self.model.api {
            Api::Chat => answer::chat(serde_json::from_slice(&body).map_err(no_json)?, &name, uncounted),
            Api::Responses => answer::response(serde_json::from_slice(&body).map_err(no_json)?, &name, uncounted),
        }
    }
}

#[async_trait]
impl StreamCompletion for OpenAiClient {
    async fn stream(&self, request: &ModelRequest) -> Result<ModelEvents, LlmError> {
        let answer = self.send(&request::body(&self.model, request, true)?, true).await?;
        let uncounted = Uncounted::of(&self.model, request);
        Ok(match self.model.api {
            Api::Chat => events(answer, ChatAssembler::new(self.name(), uncounted)),
            Api::Responses => events(answer, ResponseAssembler::new(self.name(), uncounted)),
        })
    }
}
