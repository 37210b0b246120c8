//! Replay: answers from stored exchanges and from nothing else, and a decorator that collects them.
//!
//! A request is known by the digest of its rendered text, so that a changed prompt or changed material is noticed and never
//! answered with something old. What differs is said. Nothing here decides what is recorded or where it is kept.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use yarnnn_core::hash::Sha256;
use yarnnn_core::llm::{Boundary, LanguageModel, LlmError, ModelRequest, ModelResponse, ModelTraits};

/// Longest piece of a line that is shown when requests differ, in characters.
const SHOWN: usize = 160;

/// One request with its answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Exchange {
    /// Digest of the rendered request.
    pub request_sha256: Sha256,
    /// The rendered request; kept so that people can read what was asked and see what has changed.
    pub request: String,
    /// The answer.
    pub response: ModelResponse,
}

#[derive(Debug, Serialize, Deserialize)]
struct Recording {
    model: String,
    exchanges: Vec<Exchange>,
}

/// Why a recording cannot be used or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordingError {
    /// The file cannot be read.
    #[error("the recording {} cannot be read: {source}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The text is no recording.
    #[error("the recording is not valid JSON of the expected shape: {0}")]
    Malformed(#[from] serde_json::Error),
    /// A request and its digest do not belong together: the file was edited by hand.
    #[error("exchange {position} of the recording was changed: its request does not have the digest {digest}")]
    Altered {
        /// Which exchange, counted from 1.
        position: usize,
        /// The digest that stands there.
        digest: Sha256,
    },
}

/// Answers recorded requests with the recorded answers.
#[derive(Debug, Clone)]
pub struct RecordedModel {
    model: String,
    exchanges: BTreeMap<Sha256, Exchange>,
}

impl RecordedModel {
    /// Reads a recording from a file.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, RecordingError> {
        let path = path.as_ref();
        let json =
            std::fs::read_to_string(path).map_err(|source| RecordingError::Unreadable { path: path.to_owned(), source })?;
        Self::from_json(&json)
    }

    /// Reads a recording from its JSON text.
    pub fn from_json(json: &str) -> Result<Self, RecordingError> {
        let Recording { model, exchanges } = serde_json::from_str(json)?;
        for (position, exchange) in exchanges.iter().enumerate() {
            if Sha256::of(&exchange.request) != exchange.request_sha256 {
                return Err(RecordingError::Altered { position: position + 1, digest: exchange.request_sha256 });
            }
        }
        Ok(Self { model, exchanges: exchanges.into_iter().map(|exchange| (exchange.request_sha256, exchange)).collect() })
    }

    /// What to tell about a request that was not recorded.
    fn miss(&self, asked: &str) -> String {
        let shared =
            |exchange: &&Exchange| asked.lines().zip(exchange.request.lines()).take_while(|(left, right)| left == right).count();
        // Of equals the first by digest, so that the same miss always reads the same.
        let nearest = self.exchanges.values().rev().max_by_key(shared);
        nearest.map_or_else(
            || "the recording holds no exchanges".to_owned(),
            |exchange| {
                format!(
                    "this request was not recorded; the nearest one differs first in {}",
                    difference(&exchange.request, asked)
                )
            },
        )
    }
}

#[async_trait]
impl LanguageModel for RecordedModel {
    fn name(&self) -> String {
        format!("recorded/{}", self.model)
    }

    fn traits(&self) -> ModelTraits {
        // What it is offered has to be what was offered then: another question was not recorded.
        let uses_tools = self.exchanges.values().any(|it| offers_tools(&it.request));
        ModelTraits { uses_tools, ..ModelTraits::default() }
    }

    async fn complete(&self, request: &ModelRequest) -> Result<ModelResponse, LlmError> {
        let asked = text(request);
        match self.exchanges.get(&Sha256::of(&asked)) {
            Some(exchange) => Ok(exchange.response.clone()),
            None => Err(LlmError::Permanent { model: self.name(), detail: self.miss(&asked) }),
        }
    }
}

/// A request as it is recorded. The word that delimits data is another one in every run; what is asked is the same.
fn text(request: &ModelRequest) -> String {
    ModelRequest { boundary: Boundary::of("recorded"), ..request.clone() }.render()
}

/// Whether a recorded request offers tools. They stand before the first turn, where nothing is synced.
fn offers_tools(request: &str) -> bool {
    request.split("\n# User\n").next().is_some_and(|it| it.contains("\n# Tool "))
}

/// The first line that differs, in both texts.
fn difference(recorded: &str, asked: &str) -> String {
    let (mut old, mut new) = (recorded.lines(), asked.lines());
    for number in 1_usize.. {
        match (old.next(), new.next()) {
            (None, None) => break,
            (left, right) if left != right => {
                return format!("line {number}:\n  recorded: {}\n  asked:    {}", shown(left, right), shown(right, left));
            }
            _ => {}
        }
    }
    "its line ends".to_owned()
}

/// A line around the place where it departs from another one.
fn shown(line: Option<&str>, other: Option<&str>) -> String {
    const LEAD: usize = 40;
    let Some(line) = line else { return "(no such line)".to_owned() };
    let same = line.chars().zip(other.unwrap_or_default().chars()).take_while(|(left, right)| left == right).count();
    let skipped = if line.chars().nth(SHOWN).is_some() { same.saturating_sub(LEAD) } else { 0 };
    let part: String = line.chars().skip(skipped).take(SHOWN).collect();
    let before = if skipped > 0 { "…" } else { "" };
    let after = if line.chars().nth(skipped.saturating_add(SHOWN)).is_some() { "…" } else { "" };
    format!("{before}{part}{after}")
}

/// Passes requests on to another model and keeps what was asked and answered.
#[derive(Debug)]
pub struct RecordingModel<M> {
    inner: M,
    exchanges: Mutex<Vec<Exchange>>,
}

impl<M: LanguageModel> RecordingModel<M> {
    /// Wraps a model; nothing is recorded yet.
    pub const fn new(inner: M) -> Self {
        Self { inner, exchanges: Mutex::new(Vec::new()) }
    }

    /// The exchanges so far, in the order of the first time each request was answered. Of a request that was asked again the
    /// last answer is kept. Refusals are not recorded.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.exchanges.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The recording as JSON, as [`RecordedModel::from_json`] reads it.
    pub fn to_json(&self) -> Result<String, RecordingError> {
        let recording = Recording { model: self.inner.name(), exchanges: self.exchanges() };
        Ok(serde_json::to_string_pretty(&recording)? + "\n")
    }

    fn record(&self, exchange: Exchange) {
        let mut exchanges = self.exchanges.lock().unwrap_or_else(PoisonError::into_inner);
        match exchanges.iter_mut().find(|known| known.request_sha256 == exchange.request_sha256) {
            Some(known) => *known = exchange,
            None => exchanges.push(exchange),
        }
    }
}

#[async_trait]
impl<M: LanguageModel> LanguageModel for RecordingModel<M> {
    fn name(&self) -> String {
        self.inner.name()
    }

    fn traits(&self) -> ModelTraits {
        self.inner.traits()
    }

    async fn complete(&self, request: &ModelRequest) -> Result<ModelResponse, LlmError> {
        let response = self.inner.complete(request).await?;
        let rendered = text(request);
        self.record(Exchange { request_sha256: Sha256::of(&rendered), request: rendered, response: response.clone() });
        Ok(response)
    }
}

#[cfg(test)]
mod tests {
    use yarnnn_core::id::UserId;
    use yarnnn_core::llm::{CallAccount, Content, Message, Role, StopReason, ToolSpec, Usage};

    use super::*;

    #[derive(Debug)]
    struct Echo;

    #[async_trait]
    impl LanguageModel for Echo {
        fn name(&self) -> String {
            "house/echo".to_owned()
        }

        fn traits(&self) -> ModelTraits {
            ModelTraits::default()
        }

        async fn complete(&self, request: &ModelRequest) -> Result<ModelResponse, LlmError> {
            if request.purpose == "refuse" {
                return Err(LlmError::ContextTooLong { model: self.name() });
            }
            let usage = Usage { calls: 1, ..Usage::default() };
            Ok(ModelResponse::of_text(request.render(), StopReason::Complete, usage))
        }
    }

    #[tokio::test]
    async fn tools_are_offered_when_they_were_offered_then() {
        let tool = ToolSpec { name: "Search".into(), description: "Finds.".into(), input_schema: serde_json::json!({}) };
        for (tools, uses_tools) in [(vec![tool], true), (vec![], false)] {
            let recording = RecordingModel::new(Echo);
            recording.complete(&ModelRequest { tools, ..request("one\n# Tool Fake\n") }).await.unwrap();
            let model = RecordedModel::from_json(&recording.to_json().unwrap()).unwrap();
            assert_eq!(model.traits().uses_tools, uses_tools);
        }
    }

    fn request(text: &str) -> ModelRequest {
        let message = Message { role: Role::User, content: vec![Content::Text(text.to_owned())] };
        ModelRequest {
            purpose: "deliverables.write".into(),
            account: CallAccount::of(UserId::LOCAL),
            boundary: Boundary::of("a version"),
            tools: vec![],
            answers_now: false,
            server_tools: vec![],
            schema: None,
            system: "Be brief.".into(),
            messages: vec![message],
            max_output_tokens: 100,
        }
    }

    async fn recording(texts: &[&str]) -> String {
        let model = RecordingModel::new(Echo);
        for text in texts {
            model.complete(&request(text)).await.unwrap();
        }
        model.to_json().unwrap()
    }

    #[tokio::test]
    async fn what_was_recorded_is_replayed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("exchanges.json");
        std::fs::write(&path, recording(&["one", "two"]).await).unwrap();
        let model = RecordedModel::load(&path).unwrap();
        assert_eq!(model.name(), "recorded/house/echo");
        for text in ["one", "two"] {
            // Another run has another word that delimits its data.
            let again = ModelRequest { boundary: Boundary::of("another version"), ..request(text) };
            assert_eq!(model.complete(&again).await.unwrap(), Echo.complete(&request(text)).await.unwrap());
        }
    }

    #[tokio::test]
    async fn a_miss_says_what_differs() {
        let model = RecordedModel::from_json(&recording(&["first line\nsecond line", "other"]).await).unwrap();
        let error = model.complete(&request("first line\nchanged line")).await.unwrap_err();
        insta::assert_snapshot!(error, @r"
        the model recorded/house/echo cannot answer: this request was not recorded; the nearest one differs first in line 8:
          recorded: second line
          asked:    changed line
        ");
        let long = "x".repeat(5_000);
        let error = model.complete(&request(&format!("first line\n{long}"))).await.unwrap_err().to_string();
        assert!(error.len() < 700, "{}", error.len());
        assert!(error.contains("asked:    xxx"));
    }

    #[tokio::test]
    async fn an_empty_recording_says_so() {
        let model = RecordedModel::from_json(&recording(&[]).await).unwrap();
        let error = model.complete(&request("one")).await.unwrap_err();
        assert!(matches!(&error, LlmError::Permanent { detail, .. } if detail == "the recording holds no exchanges"), "{error}");
    }

    #[tokio::test]
    async fn altered_or_foreign_files_are_refused() {
        let altered = recording(&["one"]).await.replace("Be brief.", "Be long.");
        assert!(matches!(RecordedModel::from_json(&altered), Err(RecordingError::Altered { position: 1, .. })));
        assert!(matches!(RecordedModel::from_json("[]"), Err(RecordingError::Malformed(_))));
        assert!(matches!(RecordedModel::load("/nowhere/at/all.json"), Err(RecordingError::Unreadable { .. })));
    }

    #[tokio::test]
    async fn a_repeated_request_is_kept_once_and_refusals_are_not() {
        let model = RecordingModel::new(Echo);
        for _ in 0..2 {
            model.complete(&request("one")).await.unwrap();
        }
        let refused = ModelRequest { purpose: "refuse".into(), ..request("two") };
        assert!(model.complete(&refused).await.is_err());
        assert_eq!(model.exchanges().len(), 1);
        assert_eq!(model.name(), "house/echo");
    }
}
