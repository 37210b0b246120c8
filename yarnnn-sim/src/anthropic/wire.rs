//! A message as it is answered.

use serde_json::{Value, json};

use crate::Sim;
use crate::models::{Answered, End, TokenUse, Written};
use crate::sample::identifier;

/// What a model is said to think before every answer.
pub(super) const THOUGHT: &str = "I read what is asked, then what the material says, and answer with what it shows.";

/// A message that is complete.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) id: String,
    pub(super) model: &'static str,
    pub(super) blocks: Vec<Block>,
    pub(super) stop_reason: String,
    pub(super) stop_sequence: Option<String>,
    pub(super) stop_details: Option<Value>,
    pub(super) usage: TokenUse,
}

/// A block, and how its input is streamed where it is none.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) value: Value,
    pub(super) broken: Option<String>,
}

impl From<Value> for Block {
    fn from(value: Value) -> Self {
        Self { value, broken: None }
    }
}

pub(super) fn id(kind: &str, key: &str) -> String {
    let digits = identifier::grouped(kind, key).replace('-', "");
    format!("{kind}_01{}", digits.get(..22).unwrap_or_default())
}

impl Message {
    /// Puts an answer into blocks. Searches are carried out here.
    pub(super) fn of(sim: &Sim, model: &'static str, answered: Answered, thinks: bool, stops: &[String]) -> Self {
        let number = answered.number;
        let mut message = Self {
            id: id("msg", &number.to_string()),
            model,
            blocks: Vec::new(),
            stop_reason: "end_turn".to_owned(),
            stop_sequence: None,
            stop_details: None,
            usage: answered.usage,
        };
        message.end(&answered.turn.end);
        for (index, part) in answered.turn.parts.into_iter().enumerate() {
            message.part(sim, &format!("{number}/{index}"), part, stops);
        }
        if answered.was_cut {
            "max_tokens".clone_into(&mut message.stop_reason);
        }
        if thinks {
            message.think(sim, number);
        }
        if message.stop_reason == "pause_turn" {
            sim.models().paused(message.ids("server_tool_use"));
        }
        message
    }

    fn end(&mut self, end: &End) {
        self.stop_reason = match end {
            End::Complete => return,
            End::Paused => "pause_turn".to_owned(),
            End::Other(reason) => reason.clone(),
            End::Refused { category, explanation } => {
                self.stop_details = Some(json!({ "type": "refusal", "category": category, "explanation": explanation }));
                "refusal".to_owned()
            }
        };
    }

    fn part(&mut self, sim: &Sim, key: &str, part: Written, stops: &[String]) {
        match part {
            Written::Text(text) => self.text(&text, stops),
            Written::Call { name, input } => self.call(key, &name, &input, None),
            Written::BrokenCall { name, input } => self.call(key, &name, &json!({}), Some(input)),
            Written::Search(query) => self.search(sim, key, &query),
        }
    }

    fn text(&mut self, text: &str, stops: &[String]) {
        let stop = stops.iter().filter_map(|it| Some((text.find(it.as_str())?, it))).min();
        let text = stop.map_or(text, |(at, _)| text.get(..at).unwrap_or_default());
        if let Some((_, stop)) = stop {
            "stop_sequence".clone_into(&mut self.stop_reason);
            self.stop_sequence = Some(stop.clone());
        }
        if !text.is_empty() {
            self.blocks.push(json!({ "type": "text", "text": text }).into());
        }
    }

    fn call(&mut self, key: &str, name: &str, input: &Value, broken: Option<String>) {
        if self.stop_reason == "end_turn" {
            "tool_use".clone_into(&mut self.stop_reason);
        }
        let caller = json!({ "type": "direct" });
        let value = json!({ "type": "tool_use", "id": id("toolu", key), "name": name, "input": input, "caller": caller });
        self.blocks.push(Block { value, broken });
    }

    /// The search, what it found, and a sentence of each page that cites it.
    fn search(&mut self, sim: &Sim, key: &str, query: &str) {
        let id = id("srvtoolu", key);
        let hits = sim.web().search(query, 5);
        let caller = json!({ "type": "direct" });
        let use_ =
            json!({ "type": "server_tool_use", "id": id, "name": "web_search", "input": { "query": query }, "caller": caller });
        let results: Vec<_> = hits
            .iter()
            .map(|it| {
                let content = identifier::grouped("page", &it.url);
                json!({ "type": "web_search_result", "title": it.title, "url": it.url, "encrypted_content": content, "page_age": null })
            })
            .collect();
        let result = json!({ "type": "web_search_tool_result", "tool_use_id": id, "content": results, "caller": caller });
        self.blocks.extend([use_.into(), result.into()]);
        self.usage.searches += 1;
        sim.models().searched(1);
        if self.stop_reason == "pause_turn" {
            return;
        }
        for hit in hits {
            let citation = json!({
                "type": "web_search_result_location",
                "cited_text": hit.snippet,
                "url": hit.url,
                "title": hit.title,
                "encrypted_index": identifier::grouped("index", &hit.url),
            });
            self.blocks.push(json!({ "type": "text", "text": hit.snippet, "citations": [citation] }).into());
        }
    }

    /// Puts a signed thought in front.
    fn think(&mut self, sim: &Sim, number: u64) {
        let signature = identifier::grouped("signature", &format!("{number}/{THOUGHT}")).replace('-', "");
        let block = json!({ "type": "thinking", "thinking": THOUGHT, "signature": signature });
        sim.models().thought(&self.ids("tool_use").collect::<Vec<_>>(), &block, &signature, THOUGHT);
        self.blocks.insert(0, block.into());
    }

    fn ids(&self, kind: &str) -> impl Iterator<Item = String> {
        let wanted =
            self.blocks.iter().map(|it| &it.value).filter(move |it| it.get("type").and_then(Value::as_str) == Some(kind));
        wanted.filter_map(|it| it.get("id")?.as_str().map(str::to_owned))
    }

    /// The whole of it.
    pub(super) fn json(&self) -> Value {
        let mut message = self.started();
        message["content"] = self.blocks.iter().map(|it| it.value.clone()).collect();
        message["stop_reason"] = json!(self.stop_reason);
        message["stop_sequence"] = json!(self.stop_sequence);
        message["stop_details"] = json!(self.stop_details);
        message["usage"]["output_tokens"] = json!(self.usage.output);
        if self.usage.searches > 0 {
            message["usage"]["server_tool_use"] = self.searches();
        }
        message
    }

    pub(super) fn searches(&self) -> Value {
        json!({ "web_search_requests": self.usage.searches, "web_fetch_requests": 0 })
    }

    /// How it begins in a stream.
    pub(super) fn started(&self) -> Value {
        let usage = json!({
            "input_tokens": self.usage.input,
            "cache_creation_input_tokens": self.usage.cache_write,
            "cache_read_input_tokens": self.usage.cache_read,
            "cache_creation": { "ephemeral_5m_input_tokens": self.usage.cache_write, "ephemeral_1h_input_tokens": 0 },
            "output_tokens": 1,
            "service_tier": "standard",
            "inference_geo": "not_available",
        });
        json!({
            "model": self.model,
            "id": self.id,
            "type": "message",
            "role": "assistant",
            "content": [],
            "stop_reason": null,
            "stop_sequence": null,
            "stop_details": null,
            "usage": usage,
        })
    }
}
