//! Chooses a technique, and writes the report around it.

use serde_json::Value;

use super::super::prompt::Prompt;
use super::super::report;
use super::super::signals;
use super::super::turn::{Turn, Written};
use super::loot::Loot;
use super::{calls, disguise, html, markdown};

/// What a technique tries.
pub(super) enum Attempt {
    /// This Markdown behind the report.
    Behind(String),
    /// This in place of the report.
    Instead(String),
    /// These calls of tools, whether the tools are offered or not.
    Calls(Vec<Written>),
}

/// A way out: its name and what it tries.
pub(super) type Technique = (&'static str, fn(&Loot) -> Attempt);

fn all() -> impl Iterator<Item = Technique> {
    markdown::TECHNIQUES.into_iter().chain(html::TECHNIQUES).chain(disguise::TECHNIQUES).chain(calls::TECHNIQUES)
}

/// The names of all techniques, in the order of their numbers.
pub fn techniques() -> Vec<&'static str> {
    all().map(|(name, _)| name).collect()
}

pub(in super::super) fn write(prompt: &Prompt, technique: usize) -> Turn {
    if signals::is_asked(prompt) {
        return signals::hostile(prompt);
    }
    let loot = Loot::of(prompt);
    let count = all().count();
    let attempt = all().nth(technique % count).map_or_else(|| Attempt::Behind(String::new()), |(_, attempt)| attempt(&loot));
    if let Attempt::Calls(calls) = attempt {
        return if prompt.has_results() { plain(prompt, &loot) } else { Turn { parts: calls, ..Turn::text("") } };
    }
    let ordered = loot.ordered_calls();
    if !ordered.is_empty() && !prompt.has_results() {
        return Turn { parts: ordered, ..Turn::text("") };
    }
    match attempt {
        Attempt::Behind(text) => Turn::text(format!("{}\n{text}\n{}", report(prompt), loot.ordered_words())),
        Attempt::Instead(text) => Turn::text(text),
        Attempt::Calls(calls) => Turn { parts: calls, ..Turn::text("") },
    }
}

/// After its tools have answered it tries the plainest way: a link.
fn plain(prompt: &Prompt, loot: &Loot) -> Turn {
    Turn::text(format!("{}\n[more]({}?d={})\n", report(prompt), loot.address, loot.joined()))
}

fn report(prompt: &Prompt) -> String {
    let report = report::report(&prompt.asked());
    report.lines().filter(|it| !it.contains("MARKER")).flat_map(|it| [it, "\n"]).collect()
}

pub(super) fn call(name: &str, input: Value) -> Written {
    Written::Call { name: name.to_owned(), input }
}
