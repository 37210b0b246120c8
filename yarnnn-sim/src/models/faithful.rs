//! The writer that does what it is asked, always in the same way.
//!
//! It takes whole sentences from the delimited items, one a bullet, and cites the item. Sentences of its own stand in paragraphs
//! of their own, without a citation. What an earlier report said and still stands is not said again.

use serde_json::{Value, json};

use super::fit;
use super::prompt::{OfferedTool, Part, Prompt};
use super::read::{self, Claim, Item, Outline};
use super::sentence::{escaped, plain, sentences, words};
use super::signals;
use super::turn::{Turn, Written};

/// Shorter sentences are put between quotation marks, so that it is plain that they were copied.
const LONG_ENOUGH: usize = 6;
/// How many statements there are when nobody says.
const MOST: usize = 20;
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

/// The answer to a question for a report, or for findings where no outline is given.
pub(super) fn report(asked: &str) -> String {
    let (items, claims) = (read::items(asked), read::claims(asked));
    let outline = read::outline(asked);
    let mut left = outline.most.unwrap_or(MOST);
    let mut page = String::new();
    let changed = changed(&items, &claims, &mut left);
    let told: Vec<&str> = changed.iter().map(|(_, it)| it.as_str()).collect();
    let claims: Vec<_> = claims.into_iter().filter(|it| it.status != "standing" || !read::wants_the_whole(asked)).collect();
    let fresh = fresh(&items, &claims, &told);
    let sections = arranged(&outline, &fresh);
    if left > 2 && fresh.len() > 1 {
        left -= 1;
        page.push_str("Here is what the material says.\n\n");
    }
    let lines = chosen(&sections, left);
    if !changed.is_empty() {
        let heading = outline.sections.first().map_or("Findings", |(heading, _)| heading);
        page = format!("{page}## {}\n\nSome of what was said before has changed.\n\n", escaped(heading));
        page.extend(changed.iter().map(|(item, text)| bullet(item, text)));
        page.push('\n');
    }
    for (index, (heading, lines)) in lines.iter().enumerate().filter(|(_, (_, lines))| !lines.is_empty()) {
        if index > 0 || changed.is_empty() {
            page = format!("{page}## {}\n\n", escaped(heading));
        }
        page.extend(lines.iter().map(|(item, text)| bullet(item, text)));
        page.push('\n');
    }
    if page.is_empty() { "There is nothing new to say.\n".to_owned() } else { page.trim_end().to_owned() + "\n" }
}

/// The sentences that say what has become of changed claims. They and the sentence before them count as statements.
fn changed<'a>(items: &'a [Item], claims: &[Claim], left: &mut usize) -> Vec<(&'a Item, String)> {
    let mut found: Vec<(&Item, String)> = Vec::new();
    for claim in claims.iter().filter(|it| it.status == "changed") {
        let item = claim.now.iter().find_map(|now| items.iter().find(|it| it.reference == *now));
        if let Some((item, text)) = item.and_then(|it| Some((it, best(it, &[claim.text.as_str()])?)))
            && found.len() + 2 <= *left
            && found.iter().all(|(_, it)| *it != text)
        {
            found.push((item, text));
        }
    }
    if !found.is_empty() {
        *left -= found.len() + 1;
    }
    found
}

/// The sentence of an item that is nearest to some words, and not the same.
fn best(item: &Item, near: &[&str]) -> Option<String> {
    let near: Vec<String> = near.iter().map(|it| plain(it)).collect();
    let shared =
        |text: &str| plain(text).split(' ').filter(|word| near.iter().any(|it| it.split(' ').any(|it| it == *word))).count();
    let all = sentences(&item.text);
    let long = all.iter().filter(|it| words(it) >= LONG_ENOUGH && !near.contains(&plain(it)));
    long.max_by_key(|it| shared(it)).or_else(|| all.first()).map(|it| (*it).to_owned())
}

/// One sentence of each item, without what was said before, here or in earlier reports.
fn fresh<'a>(items: &'a [Item], claims: &[Claim], told: &[&str]) -> Vec<(&'a Item, String)> {
    let old: Vec<String> = claims.iter().map(|it| plain(&it.text)).chain(told.iter().map(|it| plain(it))).collect();
    let mut found: Vec<(&Item, String)> = Vec::new();
    for item in items {
        let is_new = |text: &&str| {
            let plain = plain(text);
            let said = old.iter().any(|it| it.contains(&plain) || (words(it) >= LONG_ENOUGH && plain.contains(it.as_str())));
            !said && found.iter().all(|(_, it)| *it != **text)
        };
        let all = sentences(&item.text);
        let long = all.iter().copied().filter(|it| words(it) >= LONG_ENOUGH).find(is_new);
        // A short one is quoted, which takes that it holds no quotation mark.
        let any = || all.iter().copied().filter(|it| words(it) < LONG_ENOUGH && !it.contains('"')).find(is_new);
        if let Some(text) = long.or_else(any) {
            found.push((item, text.to_owned()));
        }
    }
    found
}

type Lines<'a> = Vec<(&'a Item, String)>;

/// The sentences by section: each goes where the meaning shares most words and marks with it, else where fewest are.
fn arranged<'a>(outline: &Outline, found: &[(&'a Item, String)]) -> Vec<(String, Lines<'a>)> {
    let named = outline.sections.iter().map(|(heading, meaning)| (heading.clone(), plain(&format!("{heading} {meaning}"))));
    let mut sections: Vec<(String, String, Lines<'a>)> = named.map(|(heading, words)| (heading, words, Vec::new())).collect();
    if sections.is_empty() {
        sections.push(("Findings".to_owned(), String::new(), Vec::new()));
    }
    for (item, text) in found {
        let about = plain(&format!("{} {text}", item.marks));
        let score =
            |meaning: &str| about.split(' ').filter(|it| it.len() > 4 && meaning.contains(it.get(..5).unwrap_or(it))).count();
        let place = sections.iter_mut().max_by_key(|(_, meaning, lines)| (score(meaning), std::cmp::Reverse(lines.len())));
        if let Some((_, _, lines)) = place {
            lines.push((item, text.clone()));
        }
    }
    sections.into_iter().map(|(heading, _, lines)| (heading, lines)).collect()
}

/// As many sentences as are allowed, taken from the sections in turn.
fn chosen<'a>(sections: &[(String, Lines<'a>)], most: usize) -> Vec<(String, Lines<'a>)> {
    let mut chosen: Vec<(String, Lines<'a>)> = sections.iter().map(|(heading, _)| (heading.clone(), Vec::new())).collect();
    let (mut left, mut row) = (most, 0);
    while left > 0 && sections.iter().any(|(_, lines)| lines.len() > row) {
        for (section, to) in sections.iter().zip(&mut chosen) {
            if let Some(line) = section.1.get(row).filter(|_| left > 0) {
                to.1.push(line.clone());
                left -= 1;
            }
        }
        row += 1;
    }
    chosen
}

fn bullet(item: &Item, text: &str) -> String {
    let quote = if words(text) < LONG_ENOUGH { "\"" } else { "" };
    format!("- {quote}{}{quote} [{}]\n", escaped(text), item.reference)
}
