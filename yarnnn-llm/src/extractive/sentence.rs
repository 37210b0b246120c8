//! Sentences: where they begin and end in a line, so that each can be copied exactly as it stands.
//!
//! Boundaries are those of Unicode, corrected for what chat and mail do: abbreviations, versions, addresses. A sentence never
//! spans a line break. Which sentences are noise is [`super::noise`]'s matter.

use unicode_segmentation::UnicodeSegmentation as _;

use super::clean::{self, Line, Task};
use super::noise;
use super::source::Kind;

/// A sentence as it stands in an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sentence<'a> {
    /// Its exact text.
    pub(super) text: &'a str,
    /// Byte offset of its first character in the item.
    pub(super) start: usize,
    /// The line it stands on; neighbours on one line can be copied together.
    pub(super) line: usize,
    /// Its place on the line.
    pub(super) piece: usize,
    /// Whether the line ends before the sentence does.
    pub(super) cut: bool,
    /// The box before it.
    pub(super) task: Option<Task>,
}

impl Sentence<'_> {
    /// Byte offset after its last character.
    pub(super) fn end(&self) -> usize {
        self.start + self.text.len()
    }
}

/// The sentences of an item that could be shown, in their order.
pub(super) fn sentences<'a>(text: &'a str, kind: Kind, title: Option<&str>) -> Vec<Sentence<'a>> {
    let mut found = Vec::new();
    for (number, line) in clean::own_lines(text, kind, title).iter().enumerate() {
        let pieces = split(line.text);
        let last = pieces.len().saturating_sub(1);
        for (piece, (offset, part)) in pieces.into_iter().enumerate() {
            // The end of a sentence without its beginning tells nobody anything.
            let headless = line.continues && piece == 0;
            let cut = line.goes_on && piece == last;
            let sentence = trimmed(line, offset, part, (number, piece), cut);
            if !headless && noise::is_worth_showing(sentence.text) {
                found.push(sentence);
            }
        }
    }
    found
}

fn trimmed<'a>(line: &Line<'a>, offset: usize, part: &'a str, (number, piece): (usize, usize), cut: bool) -> Sentence<'a> {
    let text = trim_signs(part);
    // `trim_signs` only shortens, so the distance of the two starts is the number of bytes that went away in front.
    let skipped = text.as_ptr().addr().saturating_sub(part.as_ptr().addr());
    Sentence { text, start: line.start + offset + skipped, line: number, piece, cut, task: line.task }
}

/// The sentences of one line with their byte offsets.
pub(super) fn split(line: &str) -> Vec<(usize, &str)> {
    let mut pieces: Vec<(usize, usize)> = Vec::new();
    for (start, part) in line.split_sentence_bound_indices() {
        for (offset, part) in split_before_small_letters(part) {
            let (start, end) = (start + offset, start + offset + part.len());
            match pieces.last_mut() {
                Some(last) if is_false_end(line.get(last.0..last.1).unwrap_or_default()) => last.1 = end,
                _ => pieces.push((start, end)),
            }
        }
    }
    pieces.into_iter().filter_map(|(start, end)| line.get(start..end).map(|part| (start, part))).collect()
}

/// Splits after a full stop also when a small letter follows, as chats are written; Unicode does not.
fn split_before_small_letters(part: &str) -> Vec<(usize, &str)> {
    let mut pieces = Vec::new();
    let mut start = 0;
    for (position, _) in part.match_indices(". ") {
        let end = position + 2;
        let is_small = part.get(end..).and_then(|rest| rest.chars().next()).is_some_and(char::is_lowercase);
        let piece = part.get(start..end).unwrap_or_default();
        let last = piece.trim_end_matches(['.', ' ']).rsplit(' ').next().unwrap_or_default();
        if is_small && last.chars().nth(2).is_some() && last != "etc" && !piece.ends_with(".. ") {
            pieces.push((start, piece));
            start = end;
        }
    }
    pieces.push((start, part.get(start..).unwrap_or_default()));
    pieces
}

/// Whether the boundary after a piece is none: an abbreviation, an initial, or no space where one is due.
fn is_false_end(piece: &str) -> bool {
    const ABBREVIATIONS: &str = "|e.g|i.e|mr|mrs|ms|dr|prof|vs|approx|no|nr|fig|st|inc|ltd|co|corp|cf|al|resp|incl|est|dept|\
        z.b|bzw|ca|d.h|u.a|jan|feb|mar|apr|jun|jul|aug|sep|sept|oct|nov|dec|";
    let bare = piece.trim_end();
    let Some(word) = bare.strip_suffix('.') else {
        return bare.len() == piece.len() && bare.ends_with(['!', '?', ':']);
    };
    if bare.len() == piece.len() {
        return true;
    }
    let last = word.rsplit([' ', '\u{a0}', '(', '\t']).next().unwrap_or_default();
    let is_initial = last.chars().count() == 1 && last.chars().all(char::is_uppercase);
    let lower = last.to_lowercase();
    is_initial || (!lower.is_empty() && !lower.contains('|') && ABBREVIATIONS.contains(&format!("|{lower}|")))
}

/// Takes spaces, emoji and emphasis away from both ends.
fn trim_signs(part: &str) -> &str {
    let mut text = part;
    loop {
        let shorter = strip_shortcodes(text.trim_matches(|it: char| it.is_whitespace() || is_pictorial(it)));
        let shorter = unwrapped(shorter);
        if shorter.len() == text.len() {
            return text;
        }
        text = shorter;
    }
}

/// Takes away an emphasis that encloses the whole sentence.
fn unwrapped(text: &str) -> &str {
    for sign in ["**", "__", "*", "_", "~"] {
        if let Some(inner) = text.strip_prefix(sign).and_then(|it| it.strip_suffix(sign)).filter(|it| !it.contains(sign)) {
            return inner;
        }
    }
    text
}

fn strip_shortcodes(text: &str) -> &str {
    let is_code = |code: &str| {
        !code.is_empty()
            && code.chars().any(char::is_alphabetic)
            && code.chars().all(|it| it.is_ascii_alphanumeric() || "_-+".contains(it))
    };
    if let Some((code, rest)) = text.strip_prefix(':').and_then(|it| it.split_once(':')).filter(|(code, _)| is_code(code)) {
        let _ = code;
        return rest;
    }
    match text.strip_suffix(':').and_then(|it| it.rsplit_once(':')).filter(|(_, code)| is_code(code)) {
        Some((rest, _)) => rest,
        None => text,
    }
}

/// Emoji and other pictures, with the signs that join them.
pub(super) fn is_pictorial(sign: char) -> bool {
    matches!(u32::from(sign), 0x2190..=0x2BFF | 0x1_F000..=0x1_FAFF | 0xFE0F | 0x200D | 0x20E3 | 0xE000..=0xF8FF)
}

#[cfg(test)]
mod unit {
    use proptest::prelude::*;

    use super::*;

    fn cut(line: &str) -> Vec<&str> {
        split(line).into_iter().map(|(_, part)| part.trim()).collect()
    }

    #[test]
    fn sentences_end_where_a_reader_would_end_them() {
        assert_eq!(cut("We ship on Monday. Ben tests it! Who signs?"), ["We ship on Monday.", "Ben tests it!", "Who signs?"]);
        assert_eq!(cut("hello all. the import is slow etc. and so on"), ["hello all.", "the import is slow etc. and so on"]);
        assert_eq!(cut("発売は木曜日です。輸入が遅いからです。"), ["発売は木曜日です。", "輸入が遅いからです。"]);
    }

    #[test]
    fn dots_inside_are_no_ends() {
        for whole in [
            "Mr. Okoye signed e.g. The lease and the order.",
            "Version 2.4.1 is on https://lumenfold.example/a.B?c=1.2 since noon.",
            "It costs 3.50 euros per shop.",
            "J. Moreau calls the bank.",
        ] {
            assert_eq!(cut(whole), [whole]);
        }
    }

    #[test]
    fn pictures_and_emphasis_are_trimmed_from_the_ends() {
        assert_eq!(trim_signs(" 🎉 :tada: *We shipped it today* ✅ "), "We shipped it today");
        assert_eq!(trim_signs("*a* and *b*"), "*a* and *b*");
        assert_eq!(trim_signs("at 10:30: we start"), "at 10:30: we start");
    }

    #[test]
    fn halves_of_broken_sentences_are_told() {
        let mail = "We moved the launch of the new importer to Thursday because it is far\ntoo slow for large shops. The bank agrees with us.";
        let found = sentences(mail, Kind::Mail, None);
        let seen: Vec<_> = found.iter().map(|it| (it.text, it.cut)).collect();
        assert_eq!(
            seen,
            [
                ("We moved the launch of the new importer to Thursday because it is far", true),
                ("The bank agrees with us.", false)
            ]
        );
    }

    proptest! {
        #[test]
        fn every_sentence_stands_in_the_text(text in any::<String>(), kind in prop::sample::select(&[Kind::Message, Kind::Mail, Kind::Page, Kind::Event][..])) {
            for sentence in sentences(&text, kind, None) {
                prop_assert_eq!(text.get(sentence.start..sentence.end()), Some(sentence.text));
            }
        }

        #[test]
        fn nothing_of_a_line_is_lost(line in "[ -~äß。]{0,80}") {
            let joined: String = split(&line).into_iter().map(|(_, part)| part).collect();
            prop_assert_eq!(joined, line);
        }
    }
}
