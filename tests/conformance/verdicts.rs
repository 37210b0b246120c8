//! What came out: a line per call, and whether the clients made every call that stands in their code.

use std::collections::BTreeSet;
use std::fmt;
use std::net::SocketAddr;
use std::path::Path;

use crate::expected::{Expected, Gap, Operation, Refused};
use crate::proxy::Seen;
use crate::spec::Spec;

/// What is said of one operation.
pub(crate) struct Line {
    provider: &'static str,
    operation: String,
    accepted: String,
    refused: String,
    good: bool,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { provider, operation, accepted, refused, good } = self;
        write!(f, "| {provider} | `{operation}` | {accepted} | {refused} | {} |", if *good { "ok" } else { "**FAILED**" })
    }
}

/// A line for each operation that is expected, and one for each that is not but was seen.
pub(crate) async fn lines(provider: &'static Expected, spec: &Spec, seen: &[Seen], mock: SocketAddr) -> Vec<Line> {
    let mut lines = Vec::new();
    for operation in provider.operations {
        let of_it: Vec<&Seen> = seen.iter().filter(|it| spec.operation(&it.request).as_deref() == Some(operation.name)).collect();
        lines.push(line(provider.name, operation, spec, &of_it, mock).await);
    }
    let known: BTreeSet<&str> = provider.operations.iter().map(|it| it.name).collect();
    let called = seen.iter().map(|it| {
        let unknown = || format!("{} {}, which is no operation", it.request.method, it.request.path);
        spec.operation(&it.request).unwrap_or_else(unknown)
    });
    let foreign: BTreeSet<String> = called.filter(|it| !known.contains(it.as_str())).collect();
    lines.extend(foreign.into_iter().map(|operation| Line {
        provider: provider.name,
        operation,
        accepted: "not expected".to_owned(),
        refused: String::new(),
        good: false,
    }));
    lines
}

async fn line(provider: &'static str, operation: &Operation, spec: &Spec, seen: &[&Seen], mock: SocketAddr) -> Line {
    let mut problems: BTreeSet<String> = seen.iter().filter_map(|it| objection(it)).collect();
    problems.extend(unknown_arguments(operation, spec, seen));
    if seen.is_empty() {
        problems.insert("never called".to_owned());
    }
    let mut good = problems.is_empty();
    let mut refused = Vec::new();
    for change in operation.refused {
        let (text, is_refused) = refusal(*change, seen, mock).await;
        good &= is_refused;
        refused.push(text);
    }
    let accepted = if problems.is_empty() {
        let arguments: BTreeSet<&str> = seen.iter().flat_map(|it| it.request.arguments()).collect();
        let arguments = arguments.into_iter().collect::<Vec<_>>().join(", ");
        format!("{} of {}{}{arguments}", seen.len(), seen.len(), if arguments.is_empty() { "" } else { ": " })
    } else {
        problems.into_iter().collect::<Vec<_>>().join("; ")
    };
    Line { provider, operation: operation.name.to_owned(), accepted, refused: refused.join("<br>"), good }
}

/// Why a request as the client made it was not accepted.
fn objection(seen: &Seen) -> Option<String> {
    let accepted = (200..300).contains(&seen.status) && seen.objections.is_empty();
    (!accepted).then(|| format!("{} {}", seen.status, seen.objections.join("; ")))
}

fn unknown_arguments(operation: &Operation, spec: &Spec, seen: &[&Seen]) -> Option<String> {
    let known = spec.arguments(operation.name);
    let sent: BTreeSet<&str> = seen.iter().flat_map(|it| it.request.arguments()).collect();
    let unknown: Vec<&str> = sent.into_iter().filter(|it| !known.contains(*it)).collect();
    (!unknown.is_empty()).then(|| format!("not in the specification: {}", unknown.join(", ")))
}

/// What the mock server says to the first good request that can be changed so, and whether it refuses it.
async fn refusal(change: Refused, seen: &[&Seen], mock: SocketAddr) -> (String, bool) {
    let (name, changed) = match change {
        Refused::Without(name) => (format!("without `{name}`"), seen.iter().find_map(|it| it.request.without(name))),
        Refused::Spoiled(name) => (format!("`{name}` = abc"), seen.iter().find_map(|it| it.request.spoiled(name))),
    };
    let Some(changed) = changed else { return (format!("{name}: no request has it"), false) };
    let answer = changed.send(mock, "").await;
    let why = answer.objections();
    let is_refused = (400..500).contains(&answer.status()) && !why.is_empty();
    (format!("{name}: {} {}", answer.status(), why.join("; ")), is_refused)
}

/// Prints the lines; how many failed.
pub(crate) fn print(provider: &Expected, lines: &[Line]) -> usize {
    for line in lines {
        println!("{line}");
    }
    for Gap { path, why, .. } in provider.gaps {
        println!("| {} | `…{path}` | shown to the specification with a change: {why} | | |", provider.name);
    }
    lines.iter().filter(|it| !it.good).count()
}

/// Prints what the client made of the specification's example answers.
pub(crate) fn print_examples(provider: &str, read: &str) {
    println!("| {provider} | its example answers | read: {read} | | ok |");
}

/// Prints the calls that stand in a client's code and were not made; how many.
pub(crate) fn print_missing(provider: &str, called: &BTreeSet<String>) -> usize {
    let written = calls_in_code(provider);
    assert!(!written.is_empty(), "the calls of {provider} are not where they were");
    let missing: Vec<&String> = written.iter().filter(|it| !called.contains(*it)).collect();
    for call in &missing {
        println!("| {provider} | `{call}` | in the code, never made | | **FAILED** |");
    }
    missing.len()
}

/// The names under which a client makes its calls: `"slack users.info"`.
fn calls_in_code(provider: &str) -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("yarnnn-platforms/src").join(provider);
    let text = std::fs::read_to_string(folder.join("calls.rs")).unwrap();
    let code = text.lines().filter(|it| !it.trim_start().starts_with("//"));
    let quoted = code.flat_map(|line| line.split('"').skip(1).step_by(2));
    quoted.filter(|it| it.strip_prefix(provider).is_some_and(|it| it.starts_with(' '))).map(str::to_owned).collect()
}
