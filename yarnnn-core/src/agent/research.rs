//! Research: a session that searches the web and never sees what was synced.
//!
//! What goes in are the typed fields of a [`ResearchBrief`]; what comes out are pages. No text that a model wrote crosses over:
//! it chooses pages by number.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use minijinja::{Environment, context};

use super::budget::first_chars;
use super::primitive::{FailureCode, ToolError, ToolFailure};
use super::run::{Conversation, Script};
use super::web::{FetchPage, WebError, WebHit, WebPage, WebQuery, WebSearch};
use crate::error::Error;
use crate::llm::{Boundary, CallAccount, Content, Message, Role, StopReason, Usage};

const SYSTEM: &str = include_str!("prompts/research.md");
const TASK: &str = include_str!("prompts/research_task.md");
/// Characters of a line of a brief, and how many subjects it may have.
const TITLE_CHARS: usize = 200;
const TEXT_CHARS: usize = 600;
const SUBJECT_CHARS: usize = 100;
const SUBJECTS: usize = 10;
/// What crosses over: pages, and characters of each.
const PAGES: usize = 10;
const PAGE_CHARS: usize = 10_000;
/// Hits that are handed over when the model chose nothing and read nothing.
const HITS_WITHOUT_CHOICE: usize = 5;

/// What a brief is made from: configuration that the user wrote. Never put into it what was synced, or what a model wrote from
/// that.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResearchFields {
    /// The report's title.
    pub title: String,
    /// What it is about.
    pub description: Option<String>,
    /// From which side to look: `competitive`, `market`, …
    pub focus: Option<String>,
    /// What to look for.
    pub subjects: Vec<String>,
    /// What it is for.
    pub purpose: Option<String>,
}

/// The approved fields: each one line without control characters, and no longer than it may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResearchBrief {
    title: String,
    description: Option<String>,
    focus: Option<String>,
    subjects: Vec<String>,
    purpose: Option<String>,
}

impl ResearchBrief {
    /// Takes the fields; what is too long is cut.
    pub fn new(fields: &ResearchFields) -> Self {
        let optional = |text: &Option<String>, limit| text.as_deref().and_then(|it| line(it, limit));
        Self {
            title: line(&fields.title, TITLE_CHARS).unwrap_or_default(),
            description: optional(&fields.description, TEXT_CHARS),
            focus: optional(&fields.focus, SUBJECT_CHARS),
            subjects: fields.subjects.iter().filter_map(|it| line(it, SUBJECT_CHARS)).take(SUBJECTS).collect(),
            purpose: optional(&fields.purpose, TEXT_CHARS),
        }
    }

    /// Whether it says nothing that could be looked for.
    pub fn is_empty(&self) -> bool {
        self.title.is_empty() && self.description.is_none() && self.subjects.is_empty()
    }
}

/// One line: white space folded, without control characters and what hides or turns text, at most so many characters.
fn line(text: &str, limit: usize) -> Option<String> {
    let is_hidden = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}');
    let visible: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).filter(|c| !is_hidden(*c)).collect();
    let folded = visible.split_whitespace().collect::<Vec<_>>().join(" ");
    let cut = first_chars(&folded, limit).trim_end().to_owned();
    (!cut.is_empty()).then_some(cut)
}

/// What a research session is asked.
#[derive(Debug, Clone)]
pub struct ResearchTask {
    /// On whose account.
    pub account: CallAccount,
    /// What delimits data.
    pub boundary: Boundary,
    /// What to look for.
    pub brief: ResearchBrief,
    /// The instant that the session takes for now.
    pub at: DateTime<Utc>,
    /// How often the model may ask for tools before it must answer.
    pub rounds: u32,
    /// Searches, at most.
    pub max_searches: u32,
    /// Upper bound of each answer, in tokens.
    pub max_output_tokens: u32,
}

impl ResearchTask {
    pub(super) fn into_script(self) -> Result<Script, Error> {
        if self.brief.is_empty() {
            return Err(Error::Invalid("a research brief needs a title, a description or a subject".to_owned()));
        }
        let content = vec![Content::Text(self.render()?)];
        Ok(Script {
            account: self.account,
            purpose: "agent.research",
            boundary: self.boundary,
            system: SYSTEM.trim().to_owned(),
            messages: vec![Message { role: Role::User, content }],
            rounds: self.rounds,
            answers_now: false,
            max_output_tokens: self.max_output_tokens,
        })
    }

    pub(super) fn render(&self) -> Result<String, Error> {
        let ResearchBrief { title, description, focus, subjects, purpose } = &self.brief;
        let (today, searches) = (self.at.date_naive().to_string(), self.max_searches);
        Environment::new()
            .render_str(TASK, context! { title, description, focus, subjects, purpose, today, searches })
            .map_err(|error| Error::Failed(format!("the research prompt cannot be rendered: {error}")))
    }
}

/// What research sessions reach the web with.
#[derive(Debug, Clone)]
pub struct ResearchMeans {
    /// Searches.
    pub search: Arc<dyn WebSearch>,
    /// Reads pages, if that is possible.
    pub pages: Option<Arc<dyn FetchPage>>,
}

/// What the tools of one research session see: the web. Addresses come from searches of this session and from nowhere else.
pub struct ResearchWorld {
    means: ResearchMeans,
    account: CallAccount,
    at: DateTime<Utc>,
    max_searches: u32,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    /// In the order of their numbers, from 1.
    hits: Vec<WebHit>,
    pages: BTreeMap<usize, WebPage>,
    searches: u32,
    usage: Usage,
}

impl fmt::Debug for ResearchWorld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResearchWorld").field("means", &self.means).field("at", &self.at).finish_non_exhaustive()
    }
}

impl ResearchWorld {
    pub(super) fn open(means: ResearchMeans, task: &ResearchTask) -> Self {
        let ResearchTask { account, at, max_searches, .. } = *task;
        Self { means, account, at, max_searches, seen: Mutex::default() }
    }

    /// Searches, and answers the hits with their numbers: the same address has the same number.
    ///
    /// # Errors
    /// A failure for the model; the run goes on.
    pub async fn search(&self, words: &str, max_results: u32) -> Result<Vec<(usize, WebHit)>, ToolError> {
        self.count_search()?;
        let query = WebQuery { account: self.account, words: words.to_owned(), max_results };
        let found = self.means.search.search(&query).await.map_err(|it| failure(&it))?;
        let mut seen = self.seen();
        seen.usage += found.usage;
        let hits = found.hits.into_iter().filter(|it| is_web(&it.url)).take(max_results as usize);
        Ok(hits.map(|it| (seen.number(&it), it)).collect())
    }

    /// Reads the page with this number.
    ///
    /// # Errors
    /// A failure for the model; the run goes on.
    pub async fn page(&self, number: usize) -> Result<WebPage, ToolError> {
        let unknown = || ToolFailure::new(FailureCode::NotFound, "no search of this session found a page with this ref");
        let pages = self.means.pages.as_ref().ok_or_else(no_pages)?;
        let (hit, read) = {
            let seen = self.seen();
            (seen.hit(number).cloned().ok_or_else(unknown)?, seen.pages.get(&number).cloned())
        };
        if let Some(page) = read {
            return Ok(page);
        }
        let page = pages.fetch(&hit.url).await.map_err(|it| failure(&it))?;
        self.seen().pages.insert(number, page.clone());
        Ok(page)
    }

    /// The pages that the answer names, in its order; else those that were read; else the first hits.
    pub(super) fn into_findings(self, conversation: Conversation, model: String) -> Findings {
        let seen = self.seen.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut chosen = numbers_in(&conversation.text);
        chosen.retain(|it| seen.hit(*it).is_some());
        if chosen.is_empty() {
            chosen = seen.pages.keys().copied().collect();
        }
        if chosen.is_empty() {
            chosen = (1..=seen.hits.len()).take(HITS_WITHOUT_CHOICE).collect();
        }
        let pages = chosen.into_iter().filter_map(|it| seen.finding(it, self.at)).take(PAGES).collect();
        let mut usage = conversation.usage;
        usage += seen.usage;
        Findings { pages, searches: seen.searches, model, stop: conversation.stop, usage }
    }

    fn count_search(&self) -> Result<(), ToolFailure> {
        let mut seen = self.seen();
        if seen.searches >= self.max_searches {
            return Err(ToolFailure::new(FailureCode::NotAvailable, "all searches of this session are used up"));
        }
        seen.searches += 1;
        Ok(())
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn number(&mut self, hit: &WebHit) -> usize {
        let known = self.hits.iter().position(|it| it.url == hit.url);
        known.unwrap_or_else(|| {
            self.hits.push(hit.clone());
            self.hits.len() - 1
        }) + 1
    }

    fn hit(&self, number: usize) -> Option<&WebHit> {
        self.hits.get(number.checked_sub(1)?)
    }

    /// A page, or what the search said of it; none if that is nothing.
    fn finding(&self, number: usize, at: DateTime<Utc>) -> Option<Finding> {
        let hit = self.hit(number)?;
        let read = self.pages.get(&number).cloned();
        let is_read = read.is_some();
        let page = read.unwrap_or_else(|| {
            let WebHit { url, title, snippet } = hit.clone();
            WebPage { url, title, text: snippet, fetched_at: at }
        });
        let page = WebPage {
            title: line(&page.title, TITLE_CHARS).or_else(|| line(&hit.title, TITLE_CHARS)).unwrap_or_default(),
            text: first_chars(page.text.trim(), PAGE_CHARS),
            ..page
        };
        (!page.text.is_empty()).then_some(Finding { page, is_read })
    }
}

/// What research brings back.
#[derive(Debug, Clone, PartialEq)]
pub struct Findings {
    /// Pages, the most useful first.
    pub pages: Vec<Finding>,
    /// How often it searched.
    pub searches: u32,
    /// The model, as `provider/model`.
    pub model: String,
    /// Why it stopped.
    pub stop: StopReason,
    /// What all calls used together, those of the searches included.
    pub usage: Usage,
}

/// A page of the web: untrusted text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The page; of one that was only found, its text is what the search said of it.
    pub page: WebPage,
    /// Whether it was read.
    pub is_read: bool,
}

/// The numbers that a text names as `w1`, `w2`, …, each once, in its order.
fn numbers_in(text: &str) -> Vec<usize> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter_map(|it| it.strip_prefix('w')?.parse().ok());
    let mut numbers = Vec::new();
    for number in words {
        if !numbers.contains(&number) {
            numbers.push(number);
        }
    }
    numbers
}

pub(super) fn is_web(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    rest.is_some_and(|it| !it.is_empty() && !it.starts_with('/')) && !url.contains(|c: char| c.is_control() || c.is_whitespace())
}

fn no_pages() -> ToolFailure {
    ToolFailure::new(FailureCode::NotAvailable, "pages cannot be read here")
}

/// What went wrong, in fixed words: the error's own may hold an address or a page's text.
fn failure(error: &WebError) -> ToolFailure {
    tracing::warn!(error = %error, "the web did not answer");
    let (message, hint) = match error {
        WebError::Unavailable { .. } => ("the web did not answer", Some("go on with what is there")),
        WebError::Refused { .. } => ("this page is not read", Some("choose another page")),
        WebError::NeedsOperator { .. } => ("the web cannot be searched until a setting is changed", None),
        WebError::Model(_) => ("the search did not answer", Some("go on with what is there")),
    };
    let failure = ToolFailure::new(FailureCode::WebSearchFailed, message);
    hint.map_or(failure.clone(), |it| failure.hint(it))
}
