//! A model in this process that answers with a draft of a given size, made from the items that it is shown.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serde_json::json;
use yarnnn::llm::{Content, LanguageModel, LlmError, ModelRequest, ModelResponse, ModelTraits, StopReason, Usage};

use super::watch::{Part, Watch};
use super::world;

/// From one item to the next that is quoted; a prime, so that each has its turn.
const STRIDE: usize = 97;

/// How the statements of a draft stand to the items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stand {
    /// Copied, with a citation.
    Cited,
    /// Copied, without one.
    Uncited,
    /// In no item.
    Invented,
}

/// What to write.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) statements: usize,
    pub(crate) stand: Stand,
}

/// The last answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told {
    /// The text of each item that was shown.
    pub(crate) items: Vec<String>,
    /// Each statement, with the item it was copied from.
    pub(crate) statements: Vec<(String, usize)>,
}

/// The model.
#[derive(Debug)]
pub(crate) struct Script {
    watch: Watch,
    state: Mutex<(Wanted, Told)>,
}

impl Script {
    pub(crate) fn new(watch: Watch) -> Self {
        let wanted = Wanted { statements: 24, stand: Stand::Cited };
        Self { watch, state: Mutex::new((wanted, Told::default())) }
    }

    pub(crate) fn want(&self, wanted: Wanted) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).0 = wanted;
    }

    pub(crate) fn told(&self) -> Told {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).1.clone()
    }

    fn answer(&self, request: &ModelRequest) -> String {
        let (wanted, told) = &mut *self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let content = request.messages.iter().flat_map(|it| &it.content);
        let items = content.filter_map(|it| if let Content::Material(items) = it { Some(items) } else { None }).flatten();
        told.items = items.map(|it| it.text.clone()).collect();
        told.statements = (0..wanted.statements).map(|number| statement(*wanted, number, &told.items)).collect();
        let line = |(text, item): &(String, usize)| match wanted.stand {
            Stand::Cited => format!("- {text} [s{}]\n", item + 1),
            Stand::Uncited | Stand::Invented => format!("- {text}\n"),
        };
        format!("## Summary\n{}", told.statements.iter().map(line).collect::<String>())
    }
}

/// The first sentence of each item, then the second, from all over the items.
fn statement(wanted: Wanted, number: usize, items: &[String]) -> (String, usize) {
    let item = number * STRIDE % items.len().max(1);
    let copied = items.get(item).and_then(|it| it.split_inclusive(". ").nth(number / items.len()));
    match (wanted.stand, copied) {
        (Stand::Cited | Stand::Uncited, Some(text)) => (text.trim().to_owned(), item),
        _ => (world::sentence(1_000_000_000 + number as u64), item),
    }
}

#[async_trait]
impl LanguageModel for Script {
    fn name(&self) -> String {
        "script/script".to_owned()
    }

    fn traits(&self) -> ModelTraits {
        ModelTraits { uses_tools: true, ..ModelTraits::default() }
    }

    async fn complete(&self, request: &ModelRequest) -> Result<ModelResponse, LlmError> {
        self.watch.press(Part::Ledger);
        let response = ModelResponse::of_text(self.answer(request), StopReason::Complete, Usage::default());
        self.watch.note(Part::Ledger, json!(request).to_string());
        self.watch.note(Part::Ledger, json!(response).to_string());
        Ok(response)
    }
}

/// Presses the watch where the run begins to ask, and where it has its answer.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) inner: Arc<dyn LanguageModel>,
    pub(crate) watch: Watch,
}

#[async_trait]
impl LanguageModel for Asked {
    fn name(&self) -> String {
        self.inner.name()
    }

    fn traits(&self) -> ModelTraits {
        self.inner.traits()
    }

    async fn complete(&self, request: &ModelRequest) -> Result<ModelResponse, LlmError> {
        self.watch.press(Part::Prompt);
        let response = self.inner.complete(request).await;
        self.watch.press(Part::Ledger);
        response
    }
}
