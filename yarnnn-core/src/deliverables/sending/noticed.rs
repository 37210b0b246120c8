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
    // What hides in a secret keeps it from being known: what is not seen goes first.
    let line = scrub(&clean(text));
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
    use proptest::prelude::*;

    use super::*;
    use crate::jobs::payload::secret_in;

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
            ("a token xoxb-\u{200b}1234567890-abc\u{ad}def stays out", "a token [removed a Slack token] stays out"),
            ("k\u{2060}ey s\u{200d}k-ant-\u{feff}abcdefghijklmnopqrst", "key [removed an Anthropic key]"),
            ("ask mal\u{200b}lory@ev\u{2060}il.example", "ask [address removed]"),
        ];
        for (text, expected) in cases {
            assert_eq!(plain_line(text, 200), expected, "{text:?}");
        }
        assert_eq!(plain_line(&"word ".repeat(100), 12), "word word wo");
    }

    proptest! {
        /// A job that carries it is never refused for a secret.
        #[test]
        fn no_secret_is_put_together(
            parts in proptest::collection::vec("xoxb-|sk-ant-|[0-9a-z]{0,9}|[ \u{200b}\u{200d}\u{2060}\u{feff}\u{ad}\u{202e}\n\u{1}]", 0..24)
        ) {
            let line = plain_line(&parts.concat(), 200);
            prop_assert_eq!(secret_in(&line), None, "{:?}", line);
            prop_assert_eq!(clean(&line), line.clone());
        }
    }
}
