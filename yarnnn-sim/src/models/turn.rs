//! What a writer answers.

use serde_json::Value;

/// An answer, before a provider puts it into its form.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    /// What is said, in order.
    pub parts: Vec<Written>,
    /// How it ends.
    pub end: End,
}

/// A part of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Written {
    /// Text.
    Text(String),
    /// A tool is asked for.
    Call {
        /// Which.
        name: String,
        /// With what.
        input: Value,
    },
    /// A tool is asked for with input that is no JSON. Only streams and `OpenAI` can show it; elsewhere it is `{}`.
    BrokenCall {
        /// Which.
        name: String,
        /// With what.
        input: String,
    },
    /// The provider's own web search is used.
    Search(String),
}

/// How an answer ends. That it asks for tools, or was cut, follows from what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// It is complete.
    Complete,
    /// The model refuses.
    Refused {
        /// Why, in a word.
        category: String,
        /// Why, in a sentence.
        explanation: String,
    },
    /// It pauses in the middle of a long turn: sent back as it is, it goes on.
    Paused,
    /// In other words of the provider.
    Other(String),
}

impl Turn {
    /// An answer of text alone.
    pub fn text(text: impl Into<String>) -> Self {
        Self { parts: vec![Written::Text(text.into())], end: End::Complete }
    }

    /// Asks for one tool.
    pub fn call(name: &str, input: Value) -> Self {
        Self { parts: vec![Written::Call { name: name.to_owned(), input }], end: End::Complete }
    }

    /// Refuses.
    pub fn refusal() -> Self {
        let end =
            End::Refused { category: "cyber".to_owned(), explanation: "This request was refused due to policy.".to_owned() };
        Self { parts: Vec::new(), end }
    }

    /// Ends in another way.
    #[must_use]
    pub fn ending(mut self, end: End) -> Self {
        self.end = end;
        self
    }

    /// What it says, without tools.
    pub fn said(&self) -> String {
        let texts = self.parts.iter().filter_map(|it| match it {
            Written::Text(text) => Some(text.as_str()),
            _ => None,
        });
        texts.collect()
    }
}
