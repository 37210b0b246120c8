//! Citations in a model's Markdown: what is one, and what must not be taken for the definition of one.

use std::borrow::Cow;

/// A link definition (`[s1]: http://…`) would turn citations into links. A model has no links to define: such lines go. What
/// says more than one word behind its citation is a statement and stays, with the colon out of the parser's way.
pub(in crate::deliverables) fn without_definitions(markdown: &str) -> String {
    markdown.lines().filter_map(without_definition).collect::<Vec<_>>().join("\n")
}

fn without_definition(line: &str) -> Option<Cow<'_, str>> {
    let start = line.trim_start_matches([' ', '\t', '-', '*', '+', '>']);
    let Some((name, said)) = start.strip_prefix('[').and_then(|it| it.split_once("]:")) else { return Some(line.into()) };
    if !is_citation(&name.to_lowercase()) {
        return Some(line.into());
    }
    let marks = &line[..line.len() - start.len()];
    (said.split_whitespace().nth(1).is_some()).then(|| format!("{marks}{} [{}]", said.trim(), name.to_lowercase()).into())
}

/// Whether all of it is references: `s1`, `s1, s2`.
pub(in crate::deliverables) fn is_citation(reference: &str) -> bool {
    references(reference)
        .all(|it| it.strip_prefix('s').is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())))
}

/// What is cited together.
pub(in crate::deliverables) fn references(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim)
}
