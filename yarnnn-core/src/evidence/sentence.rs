//! Cuts running text into sentences. Used on reports; what a model does with its material is its own affair.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation as _;

/// Words after which a full stop ends nothing.
const ABBREVIATIONS: &[&str] = &[
    "e.g.", "i.e.", "mr.", "mrs.", "ms.", "dr.", "prof.", "vs.", "no.", "approx.", "ca.", "cf.", "st.", "fig.", "inc.", "ltd.",
    "jr.", "sr.", "z.b.", "bzw.", "usw.", "nr.", "resp.",
];

/// The byte ranges of the sentences of a text, trimmed, without empty ones, in order.
pub fn sentences(text: &str) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    let mut joined = false;
    for (start, sentence) in text.split_sentence_bound_indices() {
        let end = start + sentence.len();
        match ranges.last_mut() {
            Some(last) if joined => last.end = end,
            _ => ranges.push(start..end),
        }
        joined = !sentence.ends_with(['\n', '\r']) && (ends_inside_a_word(sentence) || ends_in_abbreviation(sentence));
    }
    ranges.into_iter().map(|it| trim(text, it)).filter(|it| !it.is_empty()).collect()
}

/// `2.Joanne` and `a.b` are no two sentences: after a western stop a space is due.
fn ends_inside_a_word(sentence: &str) -> bool {
    sentence.ends_with(['.', '!', '?', ':', ')', '"', '\''])
}

fn ends_in_abbreviation(sentence: &str) -> bool {
    let last = sentence.split_whitespace().next_back().unwrap_or_default();
    let last = last.trim_start_matches(['(', '"', '\'', '“']);
    let is_initial = last.strip_suffix('.').is_some_and(|it| it.chars().count() == 1 && it.chars().all(char::is_uppercase));
    is_initial || ABBREVIATIONS.contains(&last.to_lowercase().as_str())
}

fn trim(text: &str, range: Range<usize>) -> Range<usize> {
    let Some(part) = text.get(range.clone()) else { return range.start..range.start };
    let start = range.start + (part.len() - part.trim_start().len());
    start..start + part.trim().len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let found: Vec<_> = sentences(text).into_iter().map(|it| &text[it]).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn sentences_end_where_a_reader_ends_them() {
        check("We ship 1.2.3 today. It works.", &["We ship 1.2.3 today.", "It works."]);
        check("Ask Dr. Okoye, e.g. today. Done?", &["Ask Dr. Okoye, e.g. today.", "Done?"]);
        check("One line\nanother line", &["One line", "another line"]);
        check("It needs tensorflow 2.Joanne agrees!Really? Yes.", &["It needs tensorflow 2.Joanne agrees!Really?", "Yes."]);
        check("Ask J. Kim. Then go.", &["Ask J. Kim.", "Then go."]);
        check("  ", &[]);
        check("出荷しました。次は来週です。", &["出荷しました。", "次は来週です。"]);
    }

    proptest! {
        #[test]
        fn nothing_but_white_space_is_lost(text in "\\PC{0,80}") {
            let kept: String = sentences(&text).into_iter().map(|it| text[it].to_owned()).collect::<String>().split_whitespace().collect();
            let all: String = text.split_whitespace().collect();
            prop_assert_eq!(kept, all);
        }
    }
}
