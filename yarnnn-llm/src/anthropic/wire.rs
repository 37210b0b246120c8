//! What an answer looks like on the wire. Blocks stay JSON: most of them are only passed on.

use serde::Deserialize;
use serde_json::Value;

/// An answer in one piece, or the frame with which one in pieces begins.
#[derive(Debug, Deserialize)]
pub(super) struct MessageWire {
    #[serde(default)]
    pub(super) content: Vec<Value>,
    #[serde(default)]
    pub(super) stop_reason: Option<String>,
    #[serde(default)]
    pub(super) stop_details: Option<StopDetailsWire>,
    pub(super) usage: UsageWire,
}

/// Why it was refused.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct StopDetailsWire {
    #[serde(default)]
    pub(super) category: Option<String>,
    #[serde(default)]
    pub(super) explanation: Option<String>,
}

/// What was used. In the last piece of a stream, what is left out stays as it was.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct UsageWire {
    #[serde(default)]
    pub(super) input_tokens: Option<u64>,
    #[serde(default)]
    pub(super) output_tokens: Option<u64>,
    #[serde(default)]
    pub(super) cache_read_input_tokens: Option<u64>,
    #[serde(default)]
    pub(super) cache_creation_input_tokens: Option<u64>,
    #[serde(default)]
    pub(super) server_tool_use: Option<ServerToolUseWire>,
}

/// What the provider's own tools did.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct ServerToolUseWire {
    #[serde(default)]
    pub(super) web_search_requests: Option<u64>,
}

/// One event of a stream. Names that are not known are passed over.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum EventWire {
    MessageStart {
        message: MessageWire,
    },
    ContentBlockStart {
        index: usize,
        content_block: Value,
    },
    ContentBlockDelta {
        index: usize,
        delta: Value,
    },
    MessageDelta {
        #[serde(default)]
        delta: DeltaWire,
        #[serde(default)]
        usage: Option<UsageWire>,
    },
    MessageStop,
    Error {
        #[serde(default)]
        error: Value,
    },
    #[serde(other)]
    Other,
}

/// What the end of a stream says of the message.
#[derive(Debug, Default, Deserialize)]
pub(super) struct DeltaWire {
    #[serde(default)]
    pub(super) stop_reason: Option<String>,
    #[serde(default)]
    pub(super) stop_details: Option<StopDetailsWire>,
}
