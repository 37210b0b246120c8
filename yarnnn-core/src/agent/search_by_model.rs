//! A search of the web that a model's provider makes.

use std::sync::Arc;

use async_trait::async_trait;

use super::budget::first_chars;
use super::research::is_web;
use super::web::{WebError, WebHit, WebHits, WebQuery, WebSearch};
use crate::llm::{Boundary, Content, LanguageModel, Material, Message, ModelRequest, Role, ServerTool, StopReason, Usage};

const SYSTEM: &str = include_str!("prompts/web_search.md");
/// Upper bound of an answer (dossier §8.3).
const MAX_OUTPUT_TOKENS: u32 = 2_048;
/// Searches that the provider may make for one query.
const SEARCHES: u32 = 1;
/// How often it may pause.
const PAUSES: usize = 2;
const SNIPPET_CHARS: usize = 500;
const TITLE_CHARS: usize = 300;

/// Searches by asking a model whose provider searches. What the model says about it is left out; the hits are what counts.
#[derive(Debug, Clone)]
pub struct ModelWebSearch {
    model: Arc<dyn LanguageModel>,
}

impl ModelWebSearch {
    /// Searches with this model.
    pub const fn new(model: Arc<dyn LanguageModel>) -> Self {
        Self { model }
    }
}

#[async_trait]
impl WebSearch for ModelWebSearch {
    fn name(&self) -> String {
        self.model.name()
    }

    async fn search(&self, query: &WebQuery) -> Result<WebHits, WebError> {
        let mut request = request(query);
        let mut found = WebHits::default();
        for _ in 0..=PAUSES {
            let response = self.model.complete(&request).await?;
            add(&mut found, &response.content, response.usage, query.max_results as usize);
            if response.stop != StopReason::Paused || response.content.is_empty() {
                break;
            }
            request.messages.push(Message { role: Role::Assistant, content: response.content });
        }
        Ok(found)
    }
}

/// The words come from a model that has read pages: they are data, and stand where data stands.
fn request(query: &WebQuery) -> ModelRequest {
    let words = Material {
        content: None,
        reference: "q1".to_owned(),
        platform: "web".to_owned(),
        place: "search".to_owned(),
        author: None,
        time: None,
        title: None,
        thread: None,
        marks: Vec::new(),
        text: query.words.clone(),
    };
    ModelRequest {
        purpose: "agent.web_search".to_owned(),
        account: query.account,
        boundary: boundary(query),
        system: SYSTEM.trim().to_owned(),
        messages: vec![Message { role: Role::User, content: vec![Content::Material(vec![words])] }],
        tools: Vec::new(),
        answers_now: false,
        server_tools: vec![ServerTool::WebSearch { max_uses: SEARCHES }],
        schema: None,
        max_output_tokens: MAX_OUTPUT_TOKENS,
    }
}

/// From ids that no author of a page knows.
fn boundary(query: &WebQuery) -> Boundary {
    let version = query.account.version.map(|it| it.to_string()).unwrap_or_default();
    Boundary::of(format!("web search {} {version}", query.account.user))
}

fn add(found: &mut WebHits, content: &[Content], usage: Usage, limit: usize) {
    found.usage += usage;
    let hits = content.iter().filter_map(|it| match it {
        Content::WebHits(hits) => Some(hits),
        _ => None,
    });
    for hit in hits.flatten() {
        let is_new = found.hits.iter().all(|it| it.url != hit.url);
        if is_new && is_web(&hit.url) && found.hits.len() < limit {
            let (title, snippet) = (first_chars(&hit.title, TITLE_CHARS), first_chars(&hit.snippet, SNIPPET_CHARS));
            found.hits.push(WebHit { url: hit.url.clone(), title, snippet });
        }
    }
}
