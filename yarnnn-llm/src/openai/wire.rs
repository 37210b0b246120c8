//! What answers look like on the wire, in both ways to ask.

use serde::Deserialize;
use serde_json::Value;

/// A chat completion, or a piece of one.
#[derive(Debug, Deserialize)]
pub(super) struct ChatWire {
    #[serde(default)]
    pub(super) choices: Vec<ChoiceWire>,
    #[serde(default)]
    pub(super) usage: Option<ChatUsageWire>,
    /// Some servers say in the middle of a stream what went wrong.
    #[serde(default)]
    pub(super) error: Option<Value>,
}

/// Its only choice.
#[derive(Debug, Deserialize)]
pub(super) struct ChoiceWire {
    /// The whole, or what is new.
    #[serde(alias = "delta", default)]
    pub(super) message: ChatMessageWire,
    #[serde(default)]
    pub(super) finish_reason: Option<String>,
}

/// What is said.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ChatMessageWire {
    #[serde(default)]
    pub(super) content: Option<String>,
    #[serde(default)]
    pub(super) refusal: Option<String>,
    #[serde(default)]
    pub(super) tool_calls: Option<Vec<ToolCallWire>>,
}

/// A call of a tool, or a piece of one.
#[derive(Debug, Deserialize)]
pub(super) struct ToolCallWire {
    #[serde(default)]
    pub(super) index: Option<usize>,
    #[serde(default)]
    pub(super) id: Option<String>,
    #[serde(default)]
    pub(super) function: Option<FunctionWire>,
}

/// What is called.
#[derive(Debug, Default, Deserialize)]
pub(super) struct FunctionWire {
    #[serde(default)]
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) arguments: Option<String>,
}

/// What a chat completion used.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct ChatUsageWire {
    #[serde(default)]
    pub(super) prompt_tokens: Option<u64>,
    #[serde(default)]
    pub(super) completion_tokens: Option<u64>,
    #[serde(default)]
    pub(super) prompt_tokens_details: Option<CachedWire>,
}

/// What of the prompt the cache was used for.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct CachedWire {
    #[serde(default)]
    pub(super) cached_tokens: Option<u64>,
    #[serde(default)]
    pub(super) cache_write_tokens: Option<u64>,
}

/// A response. Its items stay JSON: most of them are only passed on.
#[derive(Debug, Deserialize)]
pub(super) struct ResponseWire {
    pub(super) status: String,
    #[serde(default)]
    pub(super) output: Vec<Value>,
    #[serde(default)]
    pub(super) incomplete_details: Option<IncompleteWire>,
    #[serde(default)]
    pub(super) error: Option<Value>,
    #[serde(default)]
    pub(super) usage: Option<ResponseUsageWire>,
}

/// Why it is not complete.
#[derive(Debug, Deserialize)]
pub(super) struct IncompleteWire {
    #[serde(default)]
    pub(super) reason: Option<String>,
}

/// What a response used.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct ResponseUsageWire {
    #[serde(default)]
    pub(super) input_tokens: Option<u64>,
    #[serde(default)]
    pub(super) output_tokens: Option<u64>,
    #[serde(default)]
    pub(super) input_tokens_details: Option<CachedWire>,
}

/// One event of a response that comes in pieces. Names that are not known are passed over.
#[derive(Debug, Deserialize)]
#[serde(tag = "type")]
pub(super) enum ResponseEventWire {
    #[serde(rename = "response.created", alias = "response.in_progress")]
    Begun,
    #[serde(rename = "response.output_text.delta")]
    Text { delta: String },
    #[serde(rename = "response.completed", alias = "response.incomplete", alias = "response.failed")]
    Ended { response: ResponseWire },
    #[serde(rename = "error")]
    Error(Value),
    #[serde(other)]
    Other,
}
