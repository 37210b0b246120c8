//! Server-sent events: how they are written, and how a fault changes a stream of them.

use axum::body::Bytes;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Value;

use super::reply;

const STRANGER: &str = "event: quantum_flux\ndata: {\"type\":\"quantum_flux\",\"index\":0,\"delta\":{\"type\":\"flux\"}}\n\n";

/// Characters of one piece of an answer.
const PIECE: usize = 24;

/// Events one after the other, to be sent as one answer.
#[derive(Debug, Default)]
pub(crate) struct Events(String);

impl Events {
    /// An event with a name.
    pub(crate) fn named(&mut self, name: &str, data: &Value) {
        self.0.extend(["event: ", name, "\n"]);
        self.data(data);
    }

    /// An event without a name.
    pub(crate) fn data(&mut self, data: &Value) {
        self.text(&data.to_string());
    }

    /// An event whose data is no JSON.
    pub(crate) fn text(&mut self, data: &str) {
        self.0.extend(["data: ", data, "\n\n"]);
    }

    /// The answer.
    pub(crate) fn respond(self) -> Response {
        reply::text(StatusCode::OK, "text/event-stream; charset=utf-8", self.0)
    }
}

/// The pieces in which a text is sent.
pub(crate) fn pieces(text: &str) -> Vec<String> {
    let signs: Vec<char> = text.chars().collect();
    signs.chunks(PIECE).map(|it| it.iter().collect()).collect()
}

/// The first half of the events, then an error. Anthropic's streams have a name for it.
pub(super) fn broken_off(body: &Bytes, call: &str) -> String {
    let text = String::from_utf8_lossy(body);
    let events: Vec<&str> = text.split_inclusive("\n\n").collect();
    let mut kept: String = events.iter().take(events.len() / 2).copied().collect();
    let error = serde_json::json!({ "type": "overloaded_error", "message": "Overloaded" });
    let (name, data) = match call {
        "openai.chat.completions" => {
            ("", serde_json::json!({ "error": { "message": "The server had an error", "type": "server_error" } }))
        }
        "openai.responses" => (
            "error",
            serde_json::json!({ "type": "error", "code": "server_error", "message": "The server had an error", "param": null }),
        ),
        _ => ("error", serde_json::json!({ "type": "error", "error": error })),
    };
    let mut end = Events::default();
    if name.is_empty() {
        end.data(&data);
    } else {
        end.named(name, &data);
    }
    kept.push_str(&end.0);
    kept
}

/// The stream with a strange event behind every other one.
pub(super) fn with_unknown(body: &Bytes) -> String {
    let text = String::from_utf8_lossy(body);
    let events = text.split_inclusive("\n\n").enumerate();
    events.flat_map(|(index, event)| [event, if index % 2 == 0 { STRANGER } else { "" }]).collect()
}
