//! What a word is: a run of letters and digits, whatever the script; lower case, without accents, stemmed.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::{canonical_combining_class, is_combining_mark};

use super::stem::stem;

/// Longer runs are cut: nobody searches for them, and an index has its limits.
const MAX_WORD_CHARS: usize = 64;

/// The finished words of a text, in order.
pub(super) fn lexemes(text: &str) -> Vec<String> {
    spans(text).filter_map(|(_, word)| lexeme(word)).collect()
}

/// The runs of letters and digits of a text, each with its first byte. Scripts that are written without spaces between
/// words (Chinese, Japanese) are cut character by character.
pub(super) fn spans(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let rest = text.get(from..)?;
        let start = from + rest.find(is_word)?;
        let word = text.get(start..)?;
        let first = word.chars().next()?;
        let length =
            if is_alone(first) { first.len_utf8() } else { word.find(|ch| !is_word(ch) || is_alone(ch)).unwrap_or(word.len()) };
        from = start + length;
        Some((start, text.get(start..from)?))
    })
}

/// The finished form of one run; none when nothing of it is left.
pub(super) fn lexeme(word: &str) -> Option<String> {
    // By far the most words: what follows would come to the same, only slower.
    if word.is_ascii() && word.len() <= MAX_WORD_CHARS {
        return (!word.is_empty()).then(|| stem(word.to_ascii_lowercase()));
    }
    let parts = word.chars().take(MAX_WORD_CHARS).nfkd().flat_map(char::to_lowercase);
    // Accents, points and the like fall away; signs that are letters of their own (class 0) stay.
    let folded: String = parts.filter(|ch| ch.is_alphanumeric() && canonical_combining_class(*ch) == 0).collect();
    (!folded.is_empty()).then(|| stem(folded))
}

fn is_word(ch: char) -> bool {
    ch.is_alphanumeric() || is_combining_mark(ch)
}

/// Whether a character is a word by itself: ideographs and kana.
fn is_alone(ch: char) -> bool {
    matches!(u32::from(ch), 0x3040..=0x30ff | 0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xf900..=0xfaff | 0x2_0000..=0x3_ffff)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_cut_at_everything_but_letters_and_digits() {
        let cases = [
            ("foo-bar a@b.c C++ #general", "foo bar a b c c gener"),
            ("AND OR NOT NEAR * - \" ( ) : ^", "and or not near"),
            ("Crème BRÛLÉE e\u{301}te\u{301}", "creme brule et"),
            ("v1.2.3 1e5 snake_case “quoted” don’t", "v1 2 3 1e5 snake case quot don t"),
            ("東京 Tower ١٢", "東 京 tower ١٢"),
            ("किताब का शहर", "किताब का शहर"),
            ("שָׁלוֹם", "שלום"),
            ("…—!?", ""),
        ];
        for (text, words) in cases {
            assert_eq!(lexemes(text).join(" "), words, "{text}");
        }
    }

    proptest! {
        #[test]
        fn spans_are_parts_of_the_text_in_order(text in "\\PC{0,60}") {
            let mut end = 0;
            for (start, word) in spans(&text) {
                prop_assert!(start >= end && text[start..].starts_with(word) && !word.is_empty());
                end = start + word.len();
            }
        }

        #[test]
        fn the_short_way_comes_to_the_same(word in "[A-Za-z0-9]{1,20}") {
            prop_assert_eq!(lexeme(&word), lexeme(&format!("{word}\u{301}")));
        }

        #[test]
        fn lexemes_hold_letters_and_digits_only(text in any::<String>()) {
            prop_assert!(lexemes(&text).iter().all(|word| !word.is_empty() && word.chars().all(char::is_alphanumeric)));
        }
    }
}
