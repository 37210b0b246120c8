//! The writer that does what it is asked, always in the same way.
//!
//! It asks for a tool where there are some, searches where it may, and writes the [report](super::report) from what it was given.

use serde_json::{Value, json};

use super::fit;
use super::prompt::{OfferedTool, Part, Prompt};
use super::read;
use super::report::report;
use super::sentence::plain;
use super::signals;
use super::turn::{Turn, Written};

/// Words that say nothing of what a report is about.
const EMPTY_WORDS: [&str; 24] = [
    "about", "after", "answer", "before", "daily", "every", "find", "from", "give", "into", "monthly", "report", "results",
    "search", "that", "their", "these", "this", "weekly", "what", "which", "with", "words", "your",
];

pub(super) fn write(prompt: &Prompt) -> Turn {
    if signals::is_asked(prompt) {
        return signals::faithful(prompt);
    }
    if !prompt.tools.is_empty() && !prompt.has_results() {
        return ask(prompt);
    }
    let asked = prompt.asked();
    if let Some(schema) = &prompt.schema {
        return Turn::text(fit::value(schema, &asked).to_string());
    }
    if prompt.searches > 0 {
        return if prompt.has_results() { Turn::text("That is what there is.") } else { search(&asked) };
    }
    if researches(prompt) {
        return Turn::text(read::items(&asked).iter().map(|it| it.reference.as_str()).collect::<Vec<_>>().join(" "));
    }
    Turn::text(report(&asked))
}

/// Whether the web was searched by a tool: then the answer is which pages are worth reading.
fn researches(prompt: &Prompt) -> bool {
    let is_search = |it: &Part| matches!(it, Part::Call { name, .. } if name == "WebSearch");
    read::outline(&prompt.asked()).sections.is_empty() && prompt.turns.iter().flat_map(|it| &it.parts).any(is_search)
}

/// Lets the provider search for the words that stand in the material; without any, for those of the question.
fn search(asked: &str) -> Turn {
    let given = read::items(asked).into_iter().next().map(|it| it.text);
    Turn { parts: vec![Written::Search(given.unwrap_or_else(|| subject(asked).join(" ")))], ..Turn::text("") }
}

/// Asks for the tool that finds something about the subject.
fn ask(prompt: &Prompt) -> Turn {
    let named = |name: &str| prompt.tools.iter().find(|it| it.name == name);
    let Some(tool) = named("WebSearch").or_else(|| named("Search")).or_else(|| prompt.tools.first()) else {
        return Turn::text("");
    };
    let words = subject(&prompt.asked());
    let query = if tool.name == "WebSearch" { words.join(" ") } else { words.into_iter().next().unwrap_or_default() };
    Turn::call(&tool.name, input(tool, &query))
}

/// An input that fits, with the query where the tool takes one.
fn input(tool: &OfferedTool, query: &str) -> Value {
    let mut input = fit::value(&tool.schema, query);
    if !input.is_object() {
        input = json!({});
    }
    let takes = |name: &str| tool.schema.get("properties").is_some_and(|it| it.get(name).is_some());
    if takes("query") {
        input["query"] = json!(query);
    }
    input
}

/// The words of the title; without an outline, of what was said outside of data. The longest comes first.
pub(super) fn subject(asked: &str) -> Vec<String> {
    let title = read::outline(asked).title;
    let text = if title.is_empty() { read::without_blocks(asked) } else { title.clone() };
    let mut found: Vec<String> = Vec::new();
    for word in plain(&text).split(' ').filter(|it| it.chars().count() > 3 && !EMPTY_WORDS.contains(it)) {
        if !found.iter().any(|it| it == word) {
            found.push(word.to_owned());
        }
    }
    if found.is_empty() {
        found.push(plain(&text).split(' ').next().unwrap_or_default().to_owned());
    }
    found.truncate(8);
    found.sort_by_key(|it| std::cmp::Reverse(it.chars().count()));
    found
}
