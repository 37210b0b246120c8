//! Undoes the line width of mail programs, so that a sentence is read whole.
//!
//! A line break inside a sentence becomes a space of the same length: every offset stays, and what is copied differs from the
//! source in white space only.

/// From this many characters on a line counts as full.
const WIDE: usize = 55;

/// The text of a mail with its broken sentences whole.
pub(super) fn reflow(text: &str) -> String {
    let mut whole = String::with_capacity(text.len());
    let mut lines = text.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        let words = line.trim_end_matches(['\n', '\r']);
        whole.push_str(words);
        let ending = line.get(words.len()..).unwrap_or_default();
        match lines.peek() {
            Some(next) if goes_on(words, next) => whole.extend(ending.chars().map(|_| ' ')),
            _ => whole.push_str(ending),
        }
    }
    whole
}

/// Whether the next line carries a sentence on: nothing ended, nothing begins, and the line is full or the next word small.
fn goes_on(line: &str, next: &str) -> bool {
    let is_open = !line.trim().is_empty() && !line.trim_end().ends_with(['.', '!', '?', ':', '。', '！', '？', '…', ';', '>']);
    let is_own = !line.trim_start().starts_with(['>', '|', '#']) && !line.starts_with("--");
    let first = next.chars().next();
    let is_lower = first.is_some_and(char::is_lowercase);
    let is_word = first.is_some_and(|it| it.is_alphabetic() || "(\"'“‘".contains(it));
    is_open && is_own && is_word && (is_lower || line.chars().count() >= WIDE)
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn a_broken_sentence_is_whole_and_everything_else_stays() {
        let mail = "We moved the launch to Thursday because the importer is too slow for\r\nlarge shops. It is fine.\nNew paragraph\n\n> quoted text that is long enough to be a full line of mail\nno\n- a list\n- of things\n";
        let whole = reflow(mail);
        assert!(whole.contains("too slow for  large shops."));
        assert_eq!(whole.len(), mail.len());
        assert_eq!(whole.matches('\n').count(), mail.matches('\n').count() - 1);
        assert_eq!(whole.split_whitespace().collect::<Vec<_>>(), mail.split_whitespace().collect::<Vec<_>>());
    }
}
