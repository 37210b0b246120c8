//! Finds the bytes behind a statement: a span that the statement shares verbatim with a gathered item.
//!
//! White space is compared folded, since a mail breaks its lines where a report does not; the quote is what stands in the
//! item, byte for byte.

use std::ops::Range;
use std::sync::OnceLock;

use super::Evidence;
use super::grams::Grams;
use crate::hash::Sha256;
use crate::id::ContentId;

/// A shared span is evidence from this many characters on …
pub const MIN_SPAN_CHARS: usize = 30;
/// … or from this many words on. What a statement quotes explicitly may be shorter.
pub const MIN_SPAN_WORDS: usize = 6;

/// An item that a statement may be bound to.
#[derive(Debug, Clone)]
pub struct BindableItem<'a> {
    content_id: ContentId,
    revision: Sha256,
    content: &'a str,
    folded: Folded,
    /// Of the folded text, made when something is first looked for in it.
    grams: OnceLock<Grams>,
}

impl<'a> BindableItem<'a> {
    /// A row in the revision that its content is.
    pub fn new(content_id: ContentId, content: &'a str) -> Self {
        let (revision, folded) = (Sha256::of(content), Folded::of(content));
        Self { content_id, revision, content, folded, grams: OnceLock::new() }
    }

    /// The row.
    pub const fn content_id(&self) -> ContentId {
        self.content_id
    }

    /// Its content.
    pub const fn content(&self) -> &'a str {
        self.content
    }

    /// Whether the folded content may have this span: always, if it has it.
    fn may_have(&self, span: &str) -> bool {
        self.grams.get_or_init(|| Grams::of(&self.folded.text)).may_have(span)
    }

    /// Evidence for a span of the folded content.
    fn evidence(&self, span: Range<usize>) -> Option<Evidence> {
        let span = self.folded.unfold(span, self.content)?;
        let quote = self.content.get(span.clone())?.to_owned();
        let (start, end) = (u32::try_from(span.start).ok()?, u32::try_from(span.end).ok()?);
        Some(Evidence { content_id: self.content_id, revision: self.revision, start, end, quote })
    }
}

/// A text with every run of white space as one space, and where each of its bytes stands in the original.
#[derive(Debug, Clone)]
struct Folded {
    text: String,
    origins: Vec<usize>,
}

impl Folded {
    fn of(original: &str) -> Self {
        let mut folded = Self { text: String::with_capacity(original.len()), origins: Vec::with_capacity(original.len() + 1) };
        for (at, ch) in original.char_indices() {
            let ch = if ch.is_whitespace() { ' ' } else { ch };
            if ch == ' ' && folded.text.ends_with(' ') {
                continue;
            }
            folded.text.push(ch);
            folded.origins.resize(folded.text.len(), at);
        }
        folded.origins.push(original.len());
        folded
    }

    /// The same span in the original, without white space at its ends.
    fn unfold(&self, span: Range<usize>, original: &str) -> Option<Range<usize>> {
        let part = self.text.get(span.clone())?;
        let start = span.start + (part.len() - part.trim_start().len());
        let last = start + part.trim().char_indices().next_back()?.0;
        let start = *self.origins.get(start)?;
        let last = *self.origins.get(last)?;
        let end = last + original.get(last..)?.chars().next()?.len_utf8();
        Some(start..end)
    }
}

/// An explicit quotation is evidence from this many words on; a shorter one only when it is the whole statement.
const MIN_QUOTED_WORDS: usize = 2;

/// Words from which on something between quotation marks is a quotation, and no name.
const MIN_QUOTATION_WORDS: usize = 3;

/// A long span is no evidence with fewer letters and digits than this.
const MIN_LETTERS: usize = 20;

/// Binds a statement to every cited item it shares a span with, else to the first gathered item that it does; else to
/// nothing, which makes it an inference. A short quotation counts in cited items only.
pub fn bind(statement: &str, cited: &[&BindableItem<'_>], gathered: &[BindableItem<'_>]) -> Vec<Evidence> {
    let statement = Folded::of(statement).text;
    let sought = Sought::of(&statement);
    let bound: Vec<_> = cited.iter().filter_map(|item| cited_evidence(&sought, item)).collect();
    if !bound.is_empty() {
        return bound;
    }
    let found = gathered.iter().find_map(|item| item.evidence(shared_span(&sought, item)?));
    found.into_iter().collect()
}

/// A folded statement and what is looked for in every item: from each of its words the shortest span that would be evidence.
struct Sought<'a> {
    statement: &'a str,
    least: Vec<(usize, &'a str)>,
}

impl<'a> Sought<'a> {
    fn of(statement: &'a str) -> Self {
        let words = word_ranges(statement);
        let least = (0..words.len()).map_while(|first| Some((words[first].0, least_span(statement, &words[first..])?)));
        Self { statement, least: least.collect() }
    }
}

/// The longer of what a statement quotes and what it shares.
fn cited_evidence(sought: &Sought<'_>, item: &BindableItem<'_>) -> Option<Evidence> {
    let spans = [quoted_span(sought.statement, &item.folded.text), shared_span(sought, item)];
    item.evidence(spans.into_iter().flatten().max_by_key(Range::len)?)
}

/// Binds neighbours that a writer copied in one go: when they stand one after the other in a cited item, and together are
/// long enough, each is bound to its own part of that span, however short it is by itself.
pub fn bind_run(statements: &[&str], cited: &[&BindableItem<'_>]) -> Option<Vec<Evidence>> {
    let folded: Vec<String> = statements.iter().map(|it| Folded::of(it).text.trim().to_owned()).collect();
    let (first, whole) = (folded.first()?, folded.join(" "));
    if folded.len() < 2 || !is_long_enough(&whole) {
        return None;
    }
    cited.iter().find_map(|item| {
        let mut starts = item.folded.text.match_indices(first.as_str()).map(|(at, _)| at);
        let spans = starts.find_map(|at| following_spans(&item.folded.text, at, &folded))?;
        spans.into_iter().map(|span| item.evidence(span)).collect()
    })
}

/// Where the statements stand in the text, if they follow each other from this place on with nothing but spaces between.
fn following_spans(text: &str, mut at: usize, statements: &[String]) -> Option<Vec<Range<usize>>> {
    let mut spans = Vec::with_capacity(statements.len());
    for statement in statements {
        let rest = text.get(at..)?;
        at += rest.len() - rest.trim_start().len();
        let span = at..at + statement.len();
        if !text.get(at..)?.starts_with(statement.as_str()) || !splits_no_word(text, &span) {
            return None;
        }
        spans.push(span);
        at += statement.len();
    }
    Some(spans)
}

/// Whether a copied span is evidence by itself; a shorter one must be quoted explicitly. Signs alone prove nothing: only words
/// count as words, and a long span must mostly be letters and digits. Nor does an address alone prove what is said beside it.
pub fn is_long_enough(span: &str) -> bool {
    let says = |it: &char| it.is_alphanumeric();
    let folded = span.split_whitespace().collect::<Vec<_>>().join(" ");
    let is_address = folded.contains("://") && !folded.contains(' ');
    let is_long = !is_address && folded.chars().count() >= MIN_SPAN_CHARS && folded.chars().filter(says).count() >= MIN_LETTERS;
    is_long || words_in(span) >= MIN_SPAN_WORDS
}

fn words_in(span: &str) -> usize {
    span.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).count()
}

/// The longest explicit quotation of the statement that stands in the content as whole words.
fn quoted_span(statement: &str, content: &str) -> Option<Range<usize>> {
    let inside = |open, close| statement.trim().strip_prefix(open).and_then(|it| it.strip_suffix(close)).map(str::trim);
    let whole = |quote: &str| inside('"', '"') == Some(quote) || inside('“', '”') == Some(quote);
    let quotes = quotations(statement).into_iter().filter(|it| words_in(it) >= MIN_QUOTED_WORDS || whole(it));
    quotes.filter_map(|quote| find_words(content, quote)).max_by_key(|span| (span.len(), std::cmp::Reverse(span.start)))
}

/// Whether everything that a statement quotes stands in one of the items, word for word. A few words between quotation marks are a
/// name.
pub fn quotations_stand(statement: &str, items: &[&BindableItem<'_>]) -> bool {
    let statement = Folded::of(statement).text;
    long_quotations(&statement).into_iter().all(|quote| {
        let quote = quote.trim_end_matches(|it: char| !it.is_alphanumeric());
        items.iter().any(|item| find_words(&item.folded.text, quote).is_some())
    })
}

/// What a statement quotes, names left out.
pub fn long_quotations(statement: &str) -> Vec<&str> {
    quotations(statement).into_iter().filter(|it| words_in(it) >= MIN_QUOTATION_WORDS).collect()
}

/// What stands between quotation marks.
fn quotations(statement: &str) -> Vec<&str> {
    let mut quotes = Vec::new();
    for (open, close) in [('"', '"'), ('“', '”'), ('„', '“'), ('«', '»')] {
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

fn find_words(content: &str, quote: &str) -> Option<Range<usize>> {
    let spans = content.match_indices(quote).map(|(start, found)| start..start + found.len());
    spans.into_iter().find(|span| splits_no_word(content, span))
}

/// Whether a span begins and ends where words and numbers do: `15` is no part of `15,000`, nor `5` of `1.5`.
fn splits_no_word(content: &str, span: &Range<usize>) -> bool {
    let (Some(before), Some(inside), Some(after)) =
        (content.get(..span.start), content.get(span.clone()), content.get(span.end..))
    else {
        return false;
    };
    let backwards = |text: &str| text.chars().rev().take(2).collect::<Vec<_>>();
    let forwards = |text: &str| text.chars().take(2).collect::<Vec<_>>();
    let at_start = cuts(&backwards(before), &forwards(inside));
    let at_end = cuts(&backwards(inside), &forwards(after));
    !at_start && !at_end
}

/// Whether a word or number goes on over a border; the signs on each side are given from the border outwards.
fn cuts(left: &[char], right: &[char]) -> bool {
    let digit = |ch: Option<&char>| ch.is_some_and(char::is_ascii_digit);
    let point = |ch: Option<&char>| ch.is_some_and(|it| matches!(it, '.' | ',' | ':'));
    let before_point = digit(left.first()) && point(right.first()) && digit(right.get(1));
    let behind_point = digit(right.first()) && point(left.first()) && digit(left.get(1));
    goes_on(left.first().copied(), right.first().copied()) || before_point || behind_point
}

fn goes_on(left: Option<char>, right: Option<char>) -> bool {
    let in_word = |ch: Option<char>| ch.is_some_and(|it| it.is_alphanumeric() && !is_ideographic(it));
    in_word(left) && in_word(right)
}

/// Kana and ideographs stand next to each other without spaces.
fn is_ideographic(ch: char) -> bool {
    matches!(u32::from(ch), 0x3040..=0x30ff | 0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xac00..=0xd7af)
}

/// The longest span of whole words, starting at a word of the statement, that is long enough to be evidence.
fn shared_span(sought: &Sought<'_>, item: &BindableItem<'_>) -> Option<Range<usize>> {
    let (statement, content) = (sought.statement, item.folded.text.as_str());
    let mut best: Option<Range<usize>> = None;
    let mut covered = 0;
    for &(from, least) in &sought.least {
        if from < covered || !item.may_have(least) {
            continue;
        }
        let Some(span) = content.match_indices(least).find_map(|(at, _)| whole_words(&statement[from..], content, at, least))
        else {
            continue;
        };
        covered = from + span.len();
        if best.as_ref().is_none_or(|it| span.len() > it.len()) {
            best = Some(span);
        }
    }
    best
}

/// As far as statement and content agree from here on, back to the last place where no word is cut.
fn whole_words(statement: &str, content: &str, at: usize, least: &str) -> Option<Range<usize>> {
    let length = common_prefix(statement, &content[at..]);
    let ends = content[at..at + length].char_indices().rev().map(|(start, ch)| at + start + ch.len_utf8());
    let mut spans = ends.map(|end| at..end).take_while(|span| span.len() >= least.trim_end().len());
    spans.find(|span| splits_no_word(content, span) && is_long_enough(&content[span.clone()]))
}

/// The shortest span from the first of these words that is long enough.
fn least_span<'a>(statement: &'a str, words: &[(usize, usize)]) -> Option<&'a str> {
    let from = words.first()?.0;
    // The sign that ends a word in the statement need not stand in the source.
    let spans = words.iter().map(|word| &statement[from..word.1]);
    let both = spans.flat_map(|span| [span.trim_end_matches(|ch: char| !ch.is_alphanumeric()), span]);
    both.into_iter().find(|it| is_long_enough(it))
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
        BindableItem::new(ContentId::from_uuid(Uuid::from_u128(id)), content)
    }

    fn quote_of(statement: &str) -> Option<String> {
        bind(statement, &[&item(TEXT, 1)], &[]).pop().map(|it| it.quote)
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
        assert_eq!(quote_of("He said \"yes\" to everything that was asked"), None, "one common word proves nothing");
        assert_eq!(quote_of("\"yes\"").as_deref(), Some("yes"), "unless it is all that is said");
        assert_eq!(quote_of("the launch to Thursday is off").as_deref(), None);
        assert_eq!(
            quote_of("move the launch to Thursday because of rain").as_deref(),
            Some("move the launch to Thursday because")
        );
    }

    #[test]
    fn a_copied_sentence_with_a_quotation_is_bound_whole() {
        let content = "We are done. It is called \"done\" when the tests pass on both machines.";
        let sentence = "It is called \"done\" when the tests pass on both machines.";
        assert_eq!(bind(sentence, &[&item(content, 1)], &[])[0].quote, sentence);
    }

    #[test]
    fn an_address_alone_proves_nothing() {
        let address = "(https://notes.example.com/Launch-plan-9249b017b5b750ee8c6ad6b68e0297bc)";
        assert!(!is_long_enough(address) && is_long_enough(&format!("read the launch plan {address}")));
    }

    #[test]
    fn words_and_numbers_are_not_cut_and_signs_prove_nothing() {
        let found = |content: &str, statement: &str| bind(statement, &[&item(content, 1)], &[]).pop().map(|it| it.quote);
        let budget = found("The budget of the party is 15,000 EUR", "The budget of the party is 15.");
        assert_eq!(budget.as_deref(), Some("The budget of the party is"), "the number is not part of it");
        for (item, said) in [
            ("1.5 million EUR were paid to us in May", "5 million EUR were paid to us"),
            ("15,000 EUR were paid to the landlord", "000 EUR were paid to the landlord"),
        ] {
            assert_eq!(found(item, said).filter(|it| it.starts_with(char::is_numeric)), None, "{said}");
        }
        let moved = found("The board call was moved to Monday at 10:30.", "The board call was moved to Monday at 10.");
        assert_eq!(moved.as_deref(), Some("The board call was moved to Monday at"));
        let launch = found("We move the launch to Thursday, because it rains", "We move the launch to Thursday.");
        assert_eq!(launch.as_deref(), Some("We move the launch to Thursday"));
        assert_eq!(found("Please be all on timetable there now", "Please be all on time there now"), None);
        assert_eq!(found("x ------------------------------ y", "Ana was fired ------------------------------ today"), None);
        assert_eq!(found("- - - - - - - -", "a - - - - - - b"), None);
        assert_eq!(
            found(
                "来週の月曜日に新しい倉庫へ引っ越すことを全員で決めましたのでよろしくお願いします",
                "来週の月曜日に新しい倉庫へ引っ越すことを全員で決めましたのでよろしくお願いします"
            )
            .map(|it| it.chars().count()),
            Some(40)
        );
    }

    #[test]
    fn a_short_quotation_counts_only_where_it_is_cited() {
        let other = [item("there is no reason to worry, the launch is fine", 7)];
        assert!(bind("The \"launch is fine\" was the last word of Ana.", &[], &other).is_empty());
        assert_eq!(bind("The \"launch is fine\" was the last word of Ana.", &[&other[0]], &other)[0].quote, "launch is fine");
    }

    #[test]
    fn a_statement_without_a_citation_finds_its_item_and_an_invention_finds_none() {
        let others = [item("something else entirely", 2), item(TEXT, 3)];
        let found = bind("We move the launch to Thursday because the import is slow.", &[], &others);
        assert_eq!(found[0].content_id, others[1].content_id);
        assert!(bind("The launch was a triumph and everybody cheered loudly.", &[], &others).is_empty());
    }

    #[test]
    fn a_sentence_that_the_source_breaks_over_lines_is_bound_to_its_bytes() {
        let content = "Hi,\r\n\r\nwe moved the launch to Thursday because the\r\n importer is too slow. Bye";
        let found = bind("we moved the launch to Thursday because the importer is too slow.", &[&item(content, 1)], &[]);
        assert_eq!(found[0].quote, "we moved the launch to Thursday because the\r\n importer is too slow.");
        assert_eq!(&content[found[0].start as usize..found[0].end as usize], found[0].quote);
    }

    #[test]
    fn neighbours_that_were_copied_together_are_bound_together() {
        let it = item(TEXT, 1);
        let found = bind_run(&["because the import is slow.", "Ship it."], &[&it]).unwrap();
        assert_eq!(found[1].quote, "Ship it.");
        assert!(
            bind_run(&["We move the launch to Thursday because the import is slow.", "yes"], &[&it]).is_none(),
            "not neighbours"
        );
        assert!(bind_run(&["Ship it.", "yes"], &[&it]).is_none(), "too short together");
    }

    proptest! {
        #[test]
        fn every_quote_stands_where_it_says(content in "[a-d \"“”é漢🎉.,0-2\n]{0,120}", statement in "[a-d \"“”é漢🎉.,0-2\n]{0,80}") {
            for found in bind(&statement, &[&item(&content, 1)], &[]) {
                prop_assert_eq!(&content[found.start as usize..found.end as usize], found.quote.as_str());
                let folded = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
                prop_assert!(folded(&statement).contains(&folded(&found.quote)));
            }
        }
    }
}
