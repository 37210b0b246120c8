//! One model of the table.

use std::fmt;

use chrono::NaiveDate;
use serde::Deserialize;
use yarnnn_core::llm::{ModelPrice, ModelTraits};

/// Who serves a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// Anthropic.
    Anthropic,
    /// OpenAI, and every server that speaks like it.
    #[serde(rename = "openai")]
    OpenAi,
}

impl Provider {
    /// The name in `provider/model`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::OpenAi => "openai",
        }
    }

    /// Reads the name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Anthropic, Self::OpenAi].into_iter().find(|it| it.as_str() == text)
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which of OpenAI's two ways to ask.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Api {
    /// Chat completions, which compatible servers speak too.
    #[default]
    Chat,
    /// Responses.
    Responses,
}

/// Whether a model thinks before it writes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Thinking {
    /// It does not, or is not asked to.
    #[default]
    None,
    /// As much as it finds right, because it is asked to.
    Adaptive,
    /// Always; asking is not needed.
    Always,
}

/// What is known of a model.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelEntry {
    /// Its name at the provider.
    pub id: String,
    /// Who serves it.
    pub provider: Provider,
    /// How it is asked.
    #[serde(default)]
    pub api: Api,
    /// What it costs; unknown if absent. A model that runs at home costs nothing: `price = {}`.
    #[serde(default)]
    pub price: Option<ModelPrice>,
    /// Tokens that it reads and writes at once.
    #[serde(default)]
    pub context: Option<u64>,
    /// Tokens that it writes at most.
    #[serde(default)]
    pub output: Option<u32>,
    /// Whether it thinks.
    #[serde(default)]
    pub thinking: Thinking,
    /// Room for thoughts beyond what a request allows.
    #[serde(default)]
    pub thinking_tokens: u32,
    /// How hard it thinks, in the provider's words.
    #[serde(default)]
    pub effort: Option<String>,
    /// The shortest prompt that is cached on request, in tokens. Without it nothing is.
    #[serde(default)]
    pub cache_from: Option<u64>,
    /// Whether it can be held to the schema of an answer. If not, it is asked to keep to it.
    #[serde(default = "yes")]
    pub structured: bool,
    /// Whether it can ask for tools.
    #[serde(default = "yes")]
    pub tools: bool,
}

const fn yes() -> bool {
    true
}

impl ModelEntry {
    /// A model of which nothing is known.
    pub fn unknown(provider: Provider, id: &str) -> Self {
        Self {
            id: id.to_owned(),
            provider,
            api: Api::Chat,
            price: None,
            context: None,
            output: None,
            thinking: Thinking::None,
            thinking_tokens: 0,
            effort: None,
            cache_from: None,
            structured: true,
            tools: true,
        }
    }

    /// `provider/model`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.provider, self.id)
    }

    /// What the port says of it.
    pub fn traits(&self) -> ModelTraits {
        ModelTraits {
            price: self.price.unwrap_or_default(),
            context_tokens: self.context,
            uses_tools: self.tools,
            thinking_tokens: self.thinking_tokens,
            ..ModelTraits::default()
        }
    }

    /// Whether its provider searches the web for it while it answers. Servers that speak like `OpenAI` do not.
    pub fn searches_web(&self) -> bool {
        self.provider == Provider::Anthropic || self.api == Api::Responses
    }

    /// The bound of the answer to send: what the request allows and the room for thoughts, as far as the model goes.
    pub(crate) fn output_bound(&self, allowed: u32) -> u32 {
        allowed.saturating_add(self.thinking_tokens).min(self.output.unwrap_or(u32::MAX)).max(1)
    }
}

/// An id that is gone or about to go.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetiredModel {
    /// The id.
    pub id: String,
    /// Who served it.
    pub provider: Provider,
    /// The id that is used in its place, of the same provider.
    pub successor: String,
    /// The first day on which requests for it fail.
    pub ends: NaiveDate,
}
