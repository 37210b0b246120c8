//! What a model noticed in synced content, as it may be kept: one line, bounded, without addresses and secrets.
//!
//! It becomes titles, data of later prompts and payloads of jobs; nothing of it may lead anywhere.

use crate::deliverables::report::render::clean;
use crate::jobs::payload::scrub;

/// What stands where an address was.
const REMOVED: &str = "[address removed]";

/// A text that a model made from synced content: one line of at most so many characters, without addresses, without what looks like a
/// secret, and without what is not seen.
pub fn plain_line(text: &str, most: usize) -> String {
    let line = clean(&scrub(text));
    let words: Vec<&str> = line.split(' ').map(|it| if leads_somewhere(it) { REMOVED } else { it }).collect();
    let line: String = words.join(" ").chars().take(most).collect();
    line.trim().to_owned()
}

/// Whether a word is an address of the web or of a person, or a client may take it for one.
fn leads_somewhere(word: &str) -> bool {
    let word = word.to_lowercase();
    let is_host = |it: &str| it.split_once('.').is_some_and(|(name, rest)| !name.is_empty() && !rest.is_empty());
    let before = |end: char| word.split_once(end);
    word.contains("://")
        || word.contains("www.")
        || ["mailto:", "javascript:", "data:", "tel:"].iter().any(|it| word.contains(it))
        || before('@').is_some_and(|(name, host)| !name.is_empty() && is_host(host))
        || before('/').is_some_and(|(host, _)| is_host(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_model_noticed_leads_nowhere() {
        let cases = [
            ("Prep for the harbor review, 10:30 and/or later", "Prep for the harbor review, 10:30 and/or later"),
            ("Two\n\u{202e}lines", "Two lines"),
            ("See https://evil.example/x?d=1 now", "See [address removed] now"),
            ("(www.evil.example)", "[address removed]"),
            ("go to evil.example/path", "go to [address removed]"),
            ("[x](javascript:alert(1))", "[address removed]"),
            ("ask mallory@evil.example today", "ask [address removed] today"),
            ("a token xoxb-1234567890-abcdef stays out", "a token [removed a Slack token] stays out"),
        ];
        for (text, expected) in cases {
            assert_eq!(plain_line(text, 200), expected, "{text:?}");
        }
        assert_eq!(plain_line(&"word ".repeat(100), 12), "word word wo");
    }
}
