//! A request as a writer sees it, whichever provider it came to.

use serde_json::Value;

/// What a writer is asked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Prompt {
    /// The provider: `anthropic` or `openai`.
    pub provider: &'static str,
    /// The model that was asked for.
    pub model: String,
    /// The standing instructions.
    pub system: String,
    /// The conversation, oldest turn first.
    pub turns: Vec<Spoken>,
    /// The tools that the caller carries out.
    pub tools: Vec<OfferedTool>,
    /// The JSON Schema that the answer has to fit, if any.
    pub schema: Option<Value>,
    /// How often the provider's own web search may be used.
    pub searches: u32,
    /// How much may be written.
    pub max_tokens: u64,
}

/// One turn of the conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Spoken {
    /// Whether the model said it.
    pub by_model: bool,
    /// What was said, in order.
    pub parts: Vec<Part>,
}

/// A part of a turn.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// Text.
    Text(String),
    /// The model asked for a tool.
    Call {
        /// Which.
        name: String,
        /// With what.
        input: Value,
    },
    /// What the tool answered.
    Result(String),
}

/// A tool that is offered.
#[derive(Debug, Clone, PartialEq)]
pub struct OfferedTool {
    /// Its name.
    pub name: String,
    /// What it is said to do.
    pub description: String,
    /// JSON Schema of its input.
    pub schema: Value,
}

impl Prompt {
    /// Everything that stands in the context, one part a paragraph.
    pub fn context(&self) -> String {
        let mut parts = vec![self.system.clone()];
        parts.extend(self.tools.iter().map(|it| format!("{} {} {}", it.name, it.description, it.schema)));
        parts.extend(self.turns.iter().flat_map(|it| &it.parts).map(|part| match part {
            Part::Text(text) | Part::Result(text) => text.clone(),
            Part::Call { name, input } => format!("{name} {input}"),
        }));
        parts.join("\n\n")
    }

    /// What was said to the model and what tools answered, without the system's words and its own.
    pub fn asked(&self) -> String {
        let parts = self.turns.iter().filter(|it| !it.by_model).flat_map(|it| &it.parts).filter_map(|part| match part {
            Part::Text(text) | Part::Result(text) => Some(text.as_str()),
            Part::Call { .. } => None,
        });
        parts.collect::<Vec<_>>().join("\n\n")
    }

    /// Whether a tool has answered in this conversation.
    pub fn has_results(&self) -> bool {
        self.turns.iter().flat_map(|it| &it.parts).any(|it| matches!(it, Part::Result(_)))
    }
}
