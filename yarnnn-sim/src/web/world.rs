//! The pages, and how they are found.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::pages;

/// Words that find nothing.
const EMPTY_WORDS: [&str; 18] = [
    "about", "and", "are", "for", "from", "how", "search", "that", "the", "their", "they", "this", "web", "what", "when",
    "which", "with", "you",
];

/// A page for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebPage {
    /// Where, below the web's address: `/harbor/berths`.
    pub path: String,
    /// Its title.
    pub title: String,
    /// Its text, in one paragraph.
    pub text: String,
}

impl WebPage {
    /// A page.
    pub fn new(path: &str, title: &str, text: &str) -> Self {
        Self { path: path.to_owned(), title: title.to_owned(), text: text.to_owned() }
    }

    pub(crate) fn html(&self) -> String {
        let (title, text) = (escaped(&self.title), escaped(&self.text));
        format!(
            "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title></head>\
             <body><h1>{title}</h1><p>{text}</p></body></html>"
        )
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A page that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// Where it is.
    pub url: String,
    /// Its title.
    pub title: String,
    /// The sentence that says most of what was searched for.
    pub snippet: String,
}

#[derive(Debug)]
struct State {
    pages: BTreeMap<String, WebPage>,
    base: String,
}

/// The web.
#[derive(Debug)]
pub struct Web {
    state: Mutex<State>,
}

impl Web {
    pub(crate) fn new() -> Self {
        let pages = pages::authored().into_iter().map(|it| (it.path.clone(), it)).collect();
        Self { state: Mutex::new(State { pages, base: "https://web.example".to_owned() }) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a page into the web, or in the place of another one.
    pub fn publish(&self, page: WebPage) {
        self.state().pages.insert(page.path.clone(), page);
    }

    /// Under which address searches say that the pages are: where the simulator listens, unless it is said here.
    pub fn stands_at(&self, base: &str) {
        base.trim_end_matches('/').clone_into(&mut self.state().base);
    }

    pub(crate) fn served_at(&self, address: SocketAddr) {
        let mut state = self.state();
        if state.base == "https://web.example" {
            state.base = format!("http://{address}/web");
        }
    }

    pub(crate) fn page(&self, path: &str) -> Option<WebPage> {
        self.state().pages.get(path).cloned()
    }

    /// The pages that hold at least one of the words, those with most of them first.
    pub fn search(&self, query: &str, most: usize) -> Vec<Hit> {
        let wanted: Vec<String> = words(query).filter(|it| !EMPTY_WORDS.contains(&it.as_str())).collect();
        let score = |text: &str| words(text).filter(|it| wanted.contains(it)).collect::<std::collections::BTreeSet<_>>().len();
        let state = self.state();
        let mut found: Vec<(usize, &WebPage)> = state
            .pages
            .values()
            .map(|it| (score(&format!("{} {}", it.title, it.text)), it))
            .filter(|(score, _)| *score > 0)
            .collect();
        found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        let hits = found.into_iter().take(most).map(|(_, page)| {
            let sentences: Vec<_> = page.text.split_inclusive(". ").map(str::trim).collect();
            let best = sentences.into_iter().rev().max_by_key(|it| score(it)).unwrap_or_default();
            Hit { url: format!("{}{}", state.base, page.path), title: page.title.clone(), snippet: best.to_owned() }
        });
        hits.collect()
    }
}

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|it: char| !it.is_alphanumeric()).filter(|it| it.chars().count() > 2).map(str::to_lowercase)
}
