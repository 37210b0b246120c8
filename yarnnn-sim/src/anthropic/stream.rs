//! A message as a stream of events.

use axum::response::Response;
use serde_json::{Value, json};

use super::wire::{Block, Message};
use crate::server::{Events, pieces};

pub(super) fn respond(message: &Message) -> Response {
    let mut events = Events::default();
    let mut send = |name: &str, mut data: Value| {
        data["type"] = json!(name);
        events.named(name, &data);
    };
    send("message_start", json!({ "message": message.started() }));
    for (index, block) in message.blocks.iter().enumerate() {
        send("content_block_start", json!({ "index": index, "content_block": opened(&block.value) }));
        if index == 0 {
            send("ping", json!({}));
        }
        for delta in deltas(block) {
            send("content_block_delta", json!({ "index": index, "delta": delta }));
        }
        send("content_block_stop", json!({ "index": index }));
    }
    let delta = json!({
        "stop_reason": message.stop_reason,
        "stop_sequence": message.stop_sequence,
        "stop_details": message.stop_details,
    });
    let mut usage = json!({ "output_tokens": message.usage.output });
    if message.usage.searches > 0 {
        usage["server_tool_use"] = message.searches();
    }
    send("message_delta", json!({ "delta": delta, "usage": usage }));
    send("message_stop", json!({}));
    events.respond()
}

/// The block without what comes piece by piece.
fn opened(block: &Value) -> Value {
    let mut block = block.clone();
    for (name, empty) in [("text", json!("")), ("thinking", json!("")), ("signature", json!("")), ("citations", json!([]))] {
        if let Some(field) = block.get_mut(name) {
            *field = empty;
        }
    }
    if let Some(input) = block.get_mut("input") {
        *input = json!({});
    }
    block
}

fn deltas(block: &Block) -> Vec<Value> {
    let value = &block.value;
    let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
    match text("type") {
        "text" => {
            let citations = value.get("citations").and_then(Value::as_array).into_iter().flatten();
            let cited = citations.map(|it| json!({ "type": "citations_delta", "citation": it }));
            cited.chain(pieces(text("text")).into_iter().map(|it| json!({ "type": "text_delta", "text": it }))).collect()
        }
        "thinking" => {
            let mut deltas: Vec<_> =
                pieces(text("thinking")).into_iter().map(|it| json!({ "type": "thinking_delta", "thinking": it })).collect();
            deltas.push(json!({ "type": "signature_delta", "signature": text("signature") }));
            deltas
        }
        "tool_use" | "server_tool_use" => {
            let input = block.broken.clone().unwrap_or_else(|| value.get("input").map(Value::to_string).unwrap_or_default());
            let all = std::iter::once(String::new()).chain(pieces(&input));
            all.map(|it| json!({ "type": "input_json_delta", "partial_json": it })).collect()
        }
        _ => Vec::new(),
    }
}
