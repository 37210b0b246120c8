//! Finds the bytes behind a statement: a span that the statement shares verbatim with a gathered item.

use super::Evidence;
use crate::hash::Sha256;
use crate::id::ContentId;

/// A shared span is evidence from this many characters on …
pub const MIN_SPAN_CHARS: usize = 30;
/// … or from this many words on. What a statement quotes explicitly may be shorter.
pub const MIN_SPAN_WORDS: usize = 6;

/// An item that a statement may be bound to.
#[derive(Debug, Clone, Copy)]
pub struct BindableItem<'a> {
    /// The row.
    pub content_id: ContentId,
    /// Digest of its content bytes.
    pub revision: Sha256,
    /// Its content.
    pub content: &'a str,
}

/// Binds a statement to every cited item it shares a span with, else to the first gathered item that it does; else to
/// nothing, which makes it an inference.
pub fn bind(statement: &str, cited: &[BindableItem<'_>], gathered: &[BindableItem<'_>]) -> Vec<Evidence> {
    let bound: Vec<_> = cited.iter().filter_map(|item| evidence(statement, item)).collect();
    if !bound.is_empty() {
        return bound;
    }
    gathered.iter().find_map(|item| evidence(statement, item)).into_iter().collect()
}

fn evidence(statement: &str, item: &BindableItem<'_>) -> Option<Evidence> {
    let (start, quote) = quoted_span(statement, item.content).or_else(|| shared_span(statement, item.content))?;
    let end = u32::try_from(start + quote.len()).ok()?;
    let start = u32::try_from(start).ok()?;
    Some(Evidence { content_id: item.content_id, revision: item.revision, start, end, quote: quote.to_owned() })
}

/// The longest explicit quotation of the statement that stands in the content as whole words.
fn quoted_span<'a>(statement: &str, content: &'a str) -> Option<(usize, &'a str)> {
    let found = quotations(statement).into_iter().filter_map(|quote| find_words(content, quote));
    found.max_by_key(|(start, quote)| (quote.len(), std::cmp::Reverse(*start)))
}

/// What stands between quotation marks.
fn quotations(statement: &str) -> Vec<&str> {
    let mut quotes = Vec::new();
    for (open, close) in [('"', '"'), ('“', '”')] {
        let mut rest = statement;
        while let Some((_, after)) = rest.split_once(open) {
            let Some((quote, behind)) = after.split_once(close) else { break };
            quotes.push(quote.trim());
            rest = behind;
        }
    }
    quotes.retain(|it| it.chars().any(char::is_alphanumeric));
    quotes
}

fn find_words<'a>(content: &'a str, quote: &str) -> Option<(usize, &'a str)> {
    let (start, found) = content.match_indices(quote).find(|(start, found)| {
        let before = content[..*start].chars().next_back();
        let after = content[start + found.len()..].chars().next();
        let splits_word = |outside: Option<char>, inside: Option<char>| {
            outside.is_some_and(char::is_alphanumeric) && inside.is_some_and(char::is_alphanumeric)
        };
        !splits_word(before, quote.chars().next()) && !splits_word(after, quote.chars().next_back())
    })?;
    Some((start, found))
}

/// The longest span, starting at a word of the statement, that is long enough to be evidence.
fn shared_span<'a>(statement: &str, content: &'a str) -> Option<(usize, &'a str)> {
    let words = word_ranges(statement);
    let mut best: Option<(usize, &str)> = None;
    let mut covered = 0;
    for first in 0..words.len() {
        let from = words[first].0;
        if from < covered {
            continue;
        }
        let Some(least) = least_span(statement, &words[first..]) else { break };
        let Some(at) = content.find(least) else { continue };
        let length = least.len() + common_prefix(&statement[from + least.len()..], &content[at + least.len()..]);
        let span = content[at..at + length].trim_end();
        covered = from + length;
        if best.is_none_or(|(_, quote)| span.len() > quote.len()) {
            best = Some((at, span));
        }
    }
    best
}

/// The shortest span from the first of these words that is long enough.
fn least_span<'a>(statement: &'a str, words: &[(usize, usize)]) -> Option<&'a str> {
    let from = words.first()?.0;
    let spans = words.iter().enumerate().map(|(index, word)| (index + 1, &statement[from..word.1]));
    let mut long_enough = spans.filter(|(count, span)| *count >= MIN_SPAN_WORDS || span.chars().count() >= MIN_SPAN_CHARS);
    long_enough.next().map(|(_, span)| span)
}

fn word_ranges(text: &str) -> Vec<(usize, usize)> {
    text.split_whitespace()
        .map(|word| {
            let start = word.as_ptr() as usize - text.as_ptr() as usize;
            (start, start + word.len())
        })
        .collect()
}

fn common_prefix(left: &str, right: &str) -> usize {
    left.chars().zip(right.chars()).take_while(|(l, r)| l == r).map(|(l, _)| l.len_utf8()).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    const TEXT: &str = "Morning all. We move the launch to Thursday because the import is slow. Ship it. yes";

    fn item(content: &str, id: u128) -> BindableItem<'_> {
        BindableItem { content_id: ContentId::from_uuid(Uuid::from_u128(id)), revision: Sha256::of(content), content }
    }

    fn quote_of(statement: &str) -> Option<String> {
        bind(statement, &[item(TEXT, 1)], &[]).pop().map(|it| it.quote)
    }

    #[test]
    fn a_copied_sentence_is_bound_whole() {
        let sentence = "We move the launch to Thursday because the import is slow.";
        assert_eq!(quote_of(sentence).as_deref(), Some(sentence));
        assert_eq!(quote_of(&format!("As said, {sentence} Good.")).as_deref(), Some(sentence));
    }

    #[test]
    fn short_spans_need_quotation_marks_and_whole_words() {
        assert_eq!(quote_of("Ship it."), None);
        assert_eq!(quote_of("Ben said “Ship it.” yesterday").as_deref(), Some("Ship it."));
        assert_eq!(quote_of("\"es\" is Spanish"), None);
        assert_eq!(quote_of("the launch to Thursday is off").as_deref(), None);
        assert_eq!(
            quote_of("move the launch to Thursday because of rain").as_deref(),
            Some("move the launch to Thursday because")
        );
    }

    #[test]
    fn a_statement_without_a_citation_finds_its_item_and_an_invention_finds_none() {
        let others = [item("something else entirely", 2), item(TEXT, 3)];
        let found = bind("We move the launch to Thursday because the import is slow.", &[], &others);
        assert_eq!(found[0].content_id, others[1].content_id);
        assert!(bind("The launch was a triumph and everybody cheered loudly.", &[], &others).is_empty());
    }

    proptest! {
        #[test]
        fn every_quote_stands_where_it_says(content in "[a-d \"é]{0,120}", statement in "[a-d \"é]{0,80}") {
            for found in bind(&statement, &[item(&content, 1)], &[]) {
                prop_assert_eq!(&content[found.start as usize..found.end as usize], found.quote.as_str());
                prop_assert!(statement.contains(&found.quote));
            }
        }
    }
}
