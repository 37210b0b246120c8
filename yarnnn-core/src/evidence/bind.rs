//! Finds the bytes behind a statement: a span that the statement shares verbatim with a gathered item.
//!
//! White space is compared folded, since a mail breaks its lines where a report does not; the quote is what stands in the
//! item, byte for byte.
//!
//! Statements and items are text of others: whatever they look like, no more of them is compared than an [`Effort`] allows. What
//! is not looked at proves nothing.

use std::ops::Range;
use std::sync::OnceLock;

use super::Evidence;
use super::effort::Effort;
use super::grams::{Grams, WINDOW};
use crate::hash::Sha256;
use crate::id::ContentId;

/// A shared span is evidence from this many characters on …
pub const MIN_SPAN_CHARS: usize = 30;
/// … or from this many words on. What a statement quotes explicitly may be shorter.
pub const MIN_SPAN_WORDS: usize = 6;

/// Of a statement so many bytes are looked for in items, its end is not: several pages are no sentence.
const MAX_STATEMENT_BYTES: usize = 4_000;
/// Of an item so many bytes are looked at, its end is not. What is synced is shorter ([`MAX_CONTENT_CHARS`]); a page of the web
/// need not be.
///
/// [`MAX_CONTENT_CHARS`]: crate::sync::MAX_CONTENT_CHARS
const MAX_ITEM_BYTES: usize = 256 * 1024;
/// Words among which the shortest span that is evidence is looked for.
const MAX_LEAST_WORDS: usize = 64;

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
        let (revision, folded) = (Sha256::of(content), Folded::of(beginning(content, MAX_ITEM_BYTES)));
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

    /// Whether this is evidence of it: of this revision, and its quote stands there byte for byte.
    pub fn holds(&self, evidence: &Evidence) -> bool {
        let range = evidence.start as usize..evidence.end as usize;
        let is_this = self.content_id == evidence.content_id && self.revision == evidence.revision;
        is_this && self.content.get(range) == Some(evidence.quote.as_str())
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
pub fn bind(statement: &str, cited: &[&BindableItem<'_>], gathered: &[BindableItem<'_>], effort: &mut Effort) -> Vec<Evidence> {
    let statement = Folded::of(statement).text;
    let sought = Sought::of(beginning(&statement, MAX_STATEMENT_BYTES), effort);
    let bound: Vec<_> = cited.iter().filter_map(|item| cited_evidence(&sought, item, effort)).collect();
    if !bound.is_empty() {
        return bound;
    }
    let found = gathered.iter().find_map(|item| item.evidence(shared_span(&sought, item, effort)?));
    found.into_iter().collect()
}

/// The beginning of a text, up to the last word that ends within so many bytes.
fn beginning(text: &str, most: usize) -> &str {
    if text.len() <= most {
        return text;
    }
    let end = (0..=most).rev().find(|it| text.is_char_boundary(*it)).unwrap_or_default();
    let head = text.get(..end).unwrap_or_default();
    head.rfind(char::is_whitespace).and_then(|it| head.get(..it)).filter(|it| !it.is_empty()).unwrap_or(head)
}

/// A folded statement and what is looked for in every item: what it quotes, and from each of its words the shortest span that
/// would be evidence.
struct Sought<'a> {
    statement: &'a str,
    quotes: Vec<&'a str>,
    least: Vec<(usize, &'a str)>,
}

impl<'a> Sought<'a> {
    fn of(statement: &'a str, effort: &mut Effort) -> Self {
        let words = word_ranges(statement);
        let mut least = Vec::new();
        for (first, &(from, _)) in words.iter().enumerate() {
            let among = words.get(first..words.len().min(first + MAX_LEAST_WORDS)).unwrap_or_default();
            least.extend(least_span(statement, among, effort).map(|it| (from, it)));
        }
        Self { statement, quotes: sought_quotes(statement), least }
    }
}

/// The longer of what a statement quotes and what it shares.
fn cited_evidence(sought: &Sought<'_>, item: &BindableItem<'_>, effort: &mut Effort) -> Option<Evidence> {
    let spans = [quoted_span(sought, &item.folded.text, effort), shared_span(sought, item, effort)];
    item.evidence(spans.into_iter().flatten().max_by_key(Range::len)?)
}

/// Binds neighbours that a writer copied in one go: when they stand one after the other in a cited item, and together are
/// long enough, each is bound to its own part of that span, however short it is by itself.
pub fn bind_run(statements: &[&str], cited: &[&BindableItem<'_>], effort: &mut Effort) -> Option<Vec<Evidence>> {
    let folded: Vec<String> = statements.iter().map(|it| Folded::of(it).text.trim().to_owned()).collect();
    let (first, whole) = (folded.first()?, folded.join(" "));
    if folded.len() < 2 || !is_long_enough(&whole) {
        return None;
    }
    cited.iter().find_map(|item| {
        effort.spend(item.folded.text.len())?;
        let mut starts = item.folded.text.match_indices(first.as_str()).map(|(at, _)| at);
        let spans = starts.find_map(|at| following_spans(&item.folded.text, at, &folded, effort))?;
        spans.into_iter().map(|span| item.evidence(span)).collect()
    })
}

/// Where the statements stand in the text, if they follow each other from this place on with nothing but spaces between.
fn following_spans(text: &str, mut at: usize, statements: &[String], effort: &mut Effort) -> Option<Vec<Range<usize>>> {
    let mut spans = Vec::new();
    for statement in statements {
        effort.spend(statement.len())?;
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

/// The quotations of a statement that may be evidence by themselves.
fn sought_quotes(statement: &str) -> Vec<&str> {
    let inside = |open, close| statement.trim().strip_prefix(open).and_then(|it| it.strip_suffix(close)).map(str::trim);
    let whole = |quote: &str| inside('"', '"') == Some(quote) || inside('“', '”') == Some(quote);
    quotations(statement).into_iter().filter(|it| words_in(it) >= MIN_QUOTED_WORDS || whole(it)).collect()
}

/// The longest explicit quotation of the statement that stands in the content as whole words.
fn quoted_span(sought: &Sought<'_>, content: &str, effort: &mut Effort) -> Option<Range<usize>> {
    let found = sought.quotes.iter().filter_map(|quote| find_words(content, quote, effort));
    found.max_by_key(|span| (span.len(), std::cmp::Reverse(span.start)))
}

/// Whether everything that a statement quotes stands in one of the items, word for word. A few words between quotation marks are a
/// name. The whole statement counts, however long it is; what there is no effort left to look for does not stand.
pub fn quotations_stand(statement: &str, items: &[&BindableItem<'_>], effort: &mut Effort) -> bool {
    let statement = Folded::of(statement).text;
    long_quotations(&statement).into_iter().all(|quote| {
        let quote = quote.trim_end_matches(|it: char| !it.is_alphanumeric());
        items.iter().any(|item| find_words(&item.folded.text, quote, effort).is_some())
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

fn find_words(content: &str, quote: &str, effort: &mut Effort) -> Option<Range<usize>> {
    effort.spend(content.len())?;
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
fn shared_span(sought: &Sought<'_>, item: &BindableItem<'_>, effort: &mut Effort) -> Option<Range<usize>> {
    let content = item.folded.text.as_str();
    let mut best: Option<Range<usize>> = None;
    let mut covered = 0;
    for &(from, least) in &sought.least {
        if from < covered {
            continue;
        }
        let may_have = item.may_have(least);
        if effort.spend(if may_have { content.len() } else { WINDOW }).is_none() {
            break;
        }
        let (true, Some(statement)) = (may_have, sought.statement.get(from..)) else { continue };
        let mut places = content.match_indices(least);
        let Some(span) = places.find_map(|(at, _)| whole_words(statement, content, (at, least), effort)) else { continue };
        covered = from + span.len();
        if best.as_ref().is_none_or(|it| it.len() < span.len()) {
            best = Some(span);
        }
    }
    best
}

/// As far as statement and content agree from here on, back to the last place where no word is cut.
fn whole_words(statement: &str, content: &str, (at, least): (usize, &str), effort: &mut Effort) -> Option<Range<usize>> {
    effort.spend(0)?;
    if begins_inside(content, at) {
        return None;
    }
    let rest = content.get(at..)?;
    let length = common_prefix(statement, rest);
    effort.spend(length)?;
    let ends = rest.get(..length)?.char_indices().rev().map(|(start, ch)| at + start + ch.len_utf8());
    let mut spans = ends.map(|end| at..end).take_while(|span| span.len() >= least.trim_end().len());
    spans.find(|span| {
        let is_whole = splits_no_word(content, span) && effort.spend(span.len()).is_some();
        is_whole && content.get(span.clone()).is_some_and(is_long_enough)
    })
}

/// Whether whatever begins here, two characters or more, begins inside of a word or number.
fn begins_inside(content: &str, at: usize) -> bool {
    let before: Vec<_> = content.get(..at).unwrap_or_default().chars().rev().take(2).collect();
    let inside: Vec<_> = content.get(at..).unwrap_or_default().chars().take(2).collect();
    cuts(&before, &inside)
}

/// The shortest span from the first of these words that is long enough.
fn least_span<'a>(statement: &'a str, words: &[(usize, usize)], effort: &mut Effort) -> Option<&'a str> {
    let from = words.first()?.0;
    // The sign that ends a word in the statement need not stand in the source.
    let spans = words.iter().filter_map(|word| statement.get(from..word.1));
    let mut both = spans.flat_map(|span| [span.trim_end_matches(|ch: char| !ch.is_alphanumeric()), span]);
    both.find(|it| effort.spend(it.len()).is_some() && is_long_enough(it))
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

    fn bound(statement: &str, cited: &[&BindableItem<'_>], gathered: &[BindableItem<'_>]) -> Vec<Evidence> {
        bind(statement, cited, gathered, &mut Effort::of_a_draft())
    }

    fn quote_of(statement: &str) -> Option<String> {
        bound(statement, &[&item(TEXT, 1)], &[]).pop().map(|it| it.quote)
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
        assert_eq!(bound(sentence, &[&item(content, 1)], &[])[0].quote, sentence);
    }

    #[test]
    fn an_address_alone_proves_nothing() {
        let address = "(https://notes.example.com/Launch-plan-9249b017b5b750ee8c6ad6b68e0297bc)";
        assert!(!is_long_enough(address) && is_long_enough(&format!("read the launch plan {address}")));
    }

    #[test]
    fn words_and_numbers_are_not_cut_and_signs_prove_nothing() {
        let found = |content: &str, statement: &str| bound(statement, &[&item(content, 1)], &[]).pop().map(|it| it.quote);
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
        assert!(bound("The \"launch is fine\" was the last word of Ana.", &[], &other).is_empty());
        assert_eq!(bound("The \"launch is fine\" was the last word of Ana.", &[&other[0]], &other)[0].quote, "launch is fine");
    }

    #[test]
    fn a_statement_without_a_citation_finds_its_item_and_an_invention_finds_none() {
        let others = [item("something else entirely", 2), item(TEXT, 3)];
        let found = bound("We move the launch to Thursday because the import is slow.", &[], &others);
        assert_eq!(found[0].content_id, others[1].content_id);
        assert!(bound("The launch was a triumph and everybody cheered loudly.", &[], &others).is_empty());
    }

    #[test]
    fn a_sentence_that_the_source_breaks_over_lines_is_bound_to_its_bytes() {
        let content = "Hi,\r\n\r\nwe moved the launch to Thursday because the\r\n importer is too slow. Bye";
        let found = bound("we moved the launch to Thursday because the importer is too slow.", &[&item(content, 1)], &[]);
        assert_eq!(found[0].quote, "we moved the launch to Thursday because the\r\n importer is too slow.");
        assert_eq!(&content[found[0].start as usize..found[0].end as usize], found[0].quote);
    }

    #[test]
    fn neighbours_that_were_copied_together_are_bound_together() {
        let it = item(TEXT, 1);
        let found = bind_run(&["because the import is slow.", "Ship it."], &[&it], &mut Effort::of_a_draft()).unwrap();
        assert_eq!(found[1].quote, "Ship it.");
        assert!(
            bind_run(&["We move the launch to Thursday because the import is slow.", "yes"], &[&it], &mut Effort::of_a_draft())
                .is_none(),
            "not neighbours"
        );
        assert!(bind_run(&["Ship it.", "yes"], &[&it], &mut Effort::of_a_draft()).is_none(), "too short together");
    }

    /// What it takes to bind a statement to cited items and to find it among all, without a bound, and whether the bound was met.
    fn taken(statement: &str, contents: &[String]) -> (u64, bool) {
        let items: Vec<_> = contents.iter().zip(1..).map(|(content, id)| item(content, id)).collect();
        let (mut endless, mut bounded) = (Effort::endless(), Effort::of_a_draft());
        let found = bind(statement, &[&items[0]], &items, &mut bounded);
        if bounded.is_over() {
            return (u64::MAX, true);
        }
        assert_eq!(bind(statement, &[&items[0]], &items, &mut endless), found, "a bound that is not met changes nothing");
        (endless.taken(), false)
    }

    /// Six words that begin inside of a word, so that each place has to be looked at and none is evidence.
    const GLUED: &str = "xaaaa aaaa aaaa aaaa aaaa aaaa";

    /// A month of ordinary messages and pages, as long as they may be.
    fn ordinary() -> Vec<String> {
        let words = ["launch", "importer", "Thursday", "shops", "the", "is", "because", "slow", "label", "printer", "we", "move"];
        let text = |seed: usize| {
            let word = |at: usize| words[(at * at + at / 3 + seed * 7) % words.len()];
            let sentence = |from: usize| (from..from + 14).map(word).collect::<Vec<_>>().join(" ");
            (0..150).map(|it| format!("{} {}.", sentence(it * seed), it + seed)).collect::<Vec<_>>().join(" ")
        };
        (1..=60).map(text).collect()
    }

    #[test]
    fn ordinary_text_takes_a_small_part_of_what_it_may() {
        let items = ordinary();
        for statement in [
            "We move the launch to Thursday because the importer is slow for the label printer of the shops.".to_owned(),
            format!("{} Ben agrees.", items[59].get(..1_500).unwrap()),
            "The \"label printer\" and the “slow importer” are what “nobody has said yet”, as Ana wrote.".to_owned(),
        ] {
            let (taken, is_over) = taken(&statement, &items);
            assert!(!is_over && taken < 1_000_000, "{taken}: {statement}");
        }
    }

    #[test]
    fn what_repeats_itself_is_given_up_and_proves_nothing_more() {
        for (statement, content) in [
            (vec!["aaaa"; 6_000].join(" "), vec![GLUED; 1_200].join(" ")),
            (vec!["a"; 15_000].join(" "), vec!["a"; 18_000].join(" ")),
            ("a".repeat(30_000), "a".repeat(36_000)),
            ("- ".repeat(15_000), "- ".repeat(18_000)),
            (format!("{}one two three four five six", "- ".repeat(15_000)), "- ".repeat(18_000)),
            (format!("://{}", "/a".repeat(15_000)), format!("://{}", "/a".repeat(18_000))),
            ("\"a b\" ".repeat(5_000), "xa bx ".repeat(6_000)),
        ] {
            let items = vec![content; 20];
            let mut effort = Effort::of_a_draft();
            let all: Vec<_> = items.iter().zip(1..).map(|(content, id)| item(content, id)).collect();
            let cited: Vec<_> = all.iter().collect();
            for found in bind(&statement, &cited, &all, &mut effort) {
                let of = all.iter().find(|it| it.content_id() == found.content_id).unwrap();
                assert!(of.holds(&found), "{}", found.quote.len());
            }
            let statements: Vec<_> = statement.split(' ').collect();
            effort.next_statement();
            bind_run(&statements, &cited, &mut effort);
            effort.next_statement();
            quotations_stand(&statement, &cited, &mut effort);
        }
        let glued = vec![vec![GLUED; 1_200].join(" "); 20];
        assert!(taken(&vec!["aaaa"; 6_000].join(" "), &glued).1, "the bound is met");
    }

    #[test]
    fn the_end_of_what_is_too_long_proves_nothing() {
        let said = "We move the launch to Thursday because the import is slow.";
        let padding = "x1 ".repeat(MAX_ITEM_BYTES / 3);
        assert_eq!(bound(said, &[&item(&format!("{padding}{said}"), 1)], &[]), []);
        assert_eq!(bound(&format!("{}{said}", "x1 ".repeat(MAX_STATEMENT_BYTES / 3)), &[&item(said, 1)], &[]), []);
        assert_eq!(beginning("one two three", 12), "one two");
        assert_eq!(beginning("éé", 3), "é");
    }

    #[test]
    fn a_quotation_that_there_is_no_effort_left_to_look_for_does_not_stand() {
        let (quotes, content) = ("\"one two three\" ".repeat(1_000), format!("one two three {}", "y".repeat(40_000)));
        let it = item(&content, 1);
        assert!(quotations_stand("\"one two three\"", &[&it], &mut Effort::of_a_draft()));
        assert!(!quotations_stand(&quotes, &[&it], &mut Effort::of_a_draft()));
    }

    proptest! {
        #[test]
        fn what_repeats_itself_is_bound_as_without_a_bound_or_not_at_all(
            word in "[ab-]{1,3}", glue in "[x -]{0,2}", said in 1_usize..300, written in 1_usize..900,
        ) {
            taken(&vec![word.as_str(); said].join(" "), &[format!("{glue}{word} ").repeat(written)]);
        }

        #[test]
        fn every_quote_stands_where_it_says(content in "[a-d \"“”é漢🎉.,0-2\n]{0,120}", statement in "[a-d \"“”é漢🎉.,0-2\n]{0,80}") {
            for found in bound(&statement, &[&item(&content, 1)], &[]) {
                prop_assert_eq!(&content[found.start as usize..found.end as usize], found.quote.as_str());
                let folded = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
                prop_assert!(folded(&statement).contains(&folded(&found.quote)));
            }
        }
    }
}
