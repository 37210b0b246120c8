//! Cuts running text into sentences. Used on reports; what a model does with its material is its own affair.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation as _;

/// Words after which a full stop ends nothing.
const ABBREVIATIONS: &[&str] = &[
    "e.g.", "i.e.", "mr.", "mrs.", "ms.", "dr.", "prof.", "vs.", "no.", "approx.", "ca.", "cf.", "st.", "fig.", "inc.", "ltd.",
    "jr.", "sr.", "z.b.", "bzw.", "usw.", "nr.", "resp.",
];

/// Words that begin a sentence and no surname.
const STARTERS: &[&str] = &[
    "The", "This", "That", "It", "We", "I", "He", "She", "They", "You", "A", "An", "In", "On", "At", "But", "And", "So", "If",
    "When", "There", "Please", "Is", "Are", "Was", "No", "Not", "All",
];

/// The byte ranges of the sentences of a text, trimmed, without empty ones, in order.
pub fn sentences(text: &str) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    let mut joined = false;
    let mut before = "";
    for (start, sentence) in text.split_sentence_bound_indices() {
        let end = start + sentence.len();
        match ranges.last_mut() {
            Some(last) if joined && !begins_anew(before, sentence) => last.end = end,
            _ => ranges.push(start..end),
        }
        before = sentence;
        joined = !sentence.ends_with(['\n', '\r']) && (ends_inside_a_word(sentence) || ends_in_abbreviation(sentence));
    }
    ranges.into_iter().map(|it| trim(text, it)).filter(|it| !it.is_empty()).collect()
}

/// `2.Joanne` and `a.b` are no two sentences: after a western stop a space is due.
fn ends_inside_a_word(sentence: &str) -> bool {
    sentence.ends_with(['.', '!', '?', ':', ')', '"', '\''])
}

/// Whether a sentence begins although what stands before it looks like an abbreviation: `option B. The …`, `said no. It …`.
fn begins_anew(before: &str, sentence: &str) -> bool {
    let last = before.split_whitespace().next_back().unwrap_or_default().to_lowercase();
    let first = sentence.split_whitespace().next().unwrap_or_default();
    let counts = matches!(last.as_str(), "no." | "nr." | "fig.");
    let is_letter = last.chars().count() == 2;
    (counts && !first.starts_with(|ch: char| ch.is_numeric())) || (is_letter && STARTERS.contains(&first))
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
        check(
            "We choose option B. The board said no. Then Ana left.",
            &["We choose option B.", "The board said no.", "Then Ana left."],
        );
        check("See no. 7 and fig. 3. Done.", &["See no. 7 and fig. 3.", "Done."]);
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
