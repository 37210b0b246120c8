//! The place of a text where it matches, with the found words marked. Works on the text as it is stored.

use std::collections::BTreeSet;
use std::ops::Range;

use yarnnn_core::search::MATCH_MARKS;

use super::words::{lexeme, spans};

/// About so many bytes of text are shown.
const WINDOW: usize = 240;
/// About so many of them before the first found word.
const LEAD: usize = 60;

/// A found word: its place and its finished form.
struct Match {
    place: Range<usize>,
    word: String,
}

/// The stretch of a text that holds most of the wanted words; none when it holds none.
pub(super) fn snippet(text: &str, wanted: &BTreeSet<String>) -> Option<String> {
    let matches: Vec<_> = spans(text).filter_map(|(start, word)| found(start, word, wanted)).collect();
    let best =
        (0..matches.len()).max_by_key(|index| (distinct(matches.get(*index..).unwrap_or_default()), usize::MAX - index))?;
    let window = around(text, matches.get(best)?.place.start);
    let inside = matches.iter().map(|it| &it.place).filter(|it| window.start <= it.start && it.end <= window.end);
    Some(marked(text, &window, inside))
}

/// The beginning of a text, for a match that lies elsewhere.
pub(super) fn beginning(text: &str) -> String {
    marked(text, &around(text, 0), std::iter::empty())
}

fn found(start: usize, word: &str, wanted: &BTreeSet<String>) -> Option<Match> {
    let finished = lexeme(word).filter(|it| wanted.contains(it))?;
    Some(Match { place: start..start + word.len(), word: finished })
}

/// How many different words lie in the window that begins with the first of these.
fn distinct(matches: &[Match]) -> usize {
    let Some(first) = matches.first() else { return 0 };
    let near = matches.iter().take_while(|it| it.place.end <= first.place.start + WINDOW - LEAD);
    near.map(|it| it.word.as_str()).collect::<BTreeSet<_>>().len()
}

/// The window around a place, cut between words where there are any.
fn around(text: &str, place: usize) -> Range<usize> {
    let from = boundary(text, place.saturating_sub(LEAD));
    let to = boundary(text, from.saturating_add(WINDOW));
    let start = if from == 0 { 0 } else { after_space(text, from, place) };
    let end = if to == text.len() { to } else { before_space(text, place, to) };
    start..end
}

/// The last character boundary that is not after this byte.
fn boundary(text: &str, byte: usize) -> usize {
    (0..=byte.min(text.len())).rev().find(|it| text.is_char_boundary(*it)).unwrap_or(0)
}

fn after_space(text: &str, from: usize, limit: usize) -> usize {
    let part = text.get(from..limit).unwrap_or_default();
    part.find(char::is_whitespace).map_or(from, |it| from + it)
}

fn before_space(text: &str, limit: usize, to: usize) -> usize {
    let part = text.get(limit..to).unwrap_or_default();
    part.rfind(char::is_whitespace).map_or(to, |it| limit + it)
}

/// The window's text in one line, with marks around the given places.
fn marked<'a>(text: &str, window: &Range<usize>, places: impl Iterator<Item = &'a Range<usize>>) -> String {
    let mut line = String::new();
    let mut from = window.start;
    for place in places {
        push_plain(&mut line, text.get(from..place.start).unwrap_or_default());
        line.push(MATCH_MARKS.0);
        push_plain(&mut line, text.get(place.clone()).unwrap_or_default());
        line.push(MATCH_MARKS.1);
        from = place.end;
    }
    push_plain(&mut line, text.get(from..window.end).unwrap_or_default());
    let before = if window.start > 0 { "…" } else { "" };
    let after = if window.end < text.len() { "…" } else { "" };
    format!("{before}{}{after}", line.trim())
}

/// Text without line breaks, and without our own marks, which only mean something where we set them.
fn push_plain(line: &mut String, text: &str) {
    for ch in text.chars() {
        match ch {
            ch if ch.is_whitespace() || ch.is_control() => {
                if !line.ends_with(' ') {
                    line.push(' ');
                }
            }
            ch if ch == MATCH_MARKS.0 => line.push('['),
            ch if ch == MATCH_MARKS.1 => line.push(']'),
            ch => line.push(ch),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::words::lexemes;
    use super::*;

    fn shown(text: &str, query: &str) -> Option<String> {
        snippet(text, &lexemes(query).into_iter().collect())
    }

    #[test]
    fn found_words_are_marked_in_any_inflection() {
        assert_eq!(shown("We are\n\ndeploying on Friday.", "deployed friday").unwrap(), "We are ⟦deploying⟧ on ⟦Friday⟧.");
        assert_eq!(shown("⟦fake⟧ deploy", "deploy").unwrap(), "[fake] ⟦deploy⟧");
        assert_eq!(shown("nothing here", "deploy"), None);
    }

    #[test]
    fn the_place_with_most_words_is_shown_and_cut_between_words() {
        let text = format!("budget {} the budget of the launch party {}", "filler ".repeat(80), "more ".repeat(80));
        let shown = shown(&text, "launch budget").unwrap();
        assert!(shown.contains("⟦budget⟧ of the ⟦launch⟧ party"), "{shown}");
        assert!(shown.starts_with("…filler") && shown.ends_with("more…"), "{shown}");
    }

    proptest! {
        #[test]
        fn any_text_can_be_shown(text in any::<String>(), query in "\\PC{0,12}") {
            let wanted = lexemes(&query).into_iter().collect();
            let line = snippet(&text, &wanted).unwrap_or_else(|| beginning(&text));
            prop_assert!(!line.contains('\n'));
        }

        #[test]
        fn what_is_shown_is_short(text in "(äöü|word|, |\u{301}){0,400}") {
            let wanted = lexemes("word").into_iter().collect();
            prop_assert!(snippet(&text, &wanted).unwrap_or_default().len() < 4 * WINDOW);
        }
    }
}
