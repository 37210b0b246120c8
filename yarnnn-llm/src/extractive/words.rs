//! Words: how text becomes comparable terms, and which words carry no meaning of their own.
//!
//! English stop words and plurals are known; in any other language every word counts as it stands.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use unicode_segmentation::UnicodeSegmentation as _;

/// Words that say nothing about what a sentence is about.
const STOP_WORDS: &str = "a about above actually after again all already also always am an and any anyone anything are aren't as \
    at back be because been before being but by came can can't cannot come could couldn't did didn't do does doesn't doing don't \
    done else even ever every everyone few first for from further get gets getting give go goes going gone gonna good got great \
    had hadn't has hasn't have haven't having he her here here's hers hey hi him his how i i'd i'll i'm i've if in into is isn't \
    it it's its itself just keep kind know last least less let let's like little look looks lot made make makes many may maybe me \
    might mine more most much must my need needs never new next no nor not now of off oh ok okay on once one only or other our ours \
    out over own per please put quite rather really right said same say see seem seems she should shouldn't since so some someone \
    something soon sorry still such sure take than thank thanks that that's the their them then there there's these they they're \
    thing things think this those though through till time to today too try two under until up upon us use used very via want wants \
    was wasn't way we we'd we'll we're we've well went were weren't what what's when where which while who why will with within \
    without won't would wouldn't yeah yep yes yet you you'd you'll you're you've your yours aber als am an auch auf aus bei bin bis \
    das dass dem den der des die doch du ein eine einem einen einer er es für habe haben hat ich ihr im ist ja kann mit nach nicht \
    noch nur oder sein sich sie sind so und uns vom von war was wenn wie wir wird zu zum zur";

/// Words that name a report or a meeting rather than its subject.
const FRAME_WORDS: &str = "agenda brief briefing call catch catchup chat check checkin daily digest inbox meeting monthly overview \
    planning prep preparation preview report review session standup status summary sync team update updates week weekly";

/// Words that place something in time; too common to be a topic.
const TIME_WORDS: &str = "monday tuesday wednesday thursday friday saturday sunday january february march april june july august \
    september october november december morning afternoon evening tomorrow yesterday tonight day days week weeks month months year \
    years hour hours minute minutes am pm eod";

fn set(words: &'static str) -> BTreeSet<&'static str> {
    words.split_whitespace().collect()
}

static STOP: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| set(STOP_WORDS));
static FRAME: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| set(FRAME_WORDS));
static TIME: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| set(TIME_WORDS));

/// The words of a text in lower case, apostrophes made straight.
pub(super) fn words(text: &str) -> Vec<String> {
    text.unicode_words().map(|word| word.to_lowercase().replace('’', "'")).collect()
}

/// The word as a term: possessives and plain English plurals meet their singular. `None` for words without meaning.
pub(super) fn term_of(word: &str) -> Option<&str> {
    let word = word.strip_suffix("'s").unwrap_or(word);
    let is_wordlike = word.chars().any(char::is_alphabetic) && (word.len() > 1);
    if !is_wordlike || STOP.contains(word) {
        return None;
    }
    let is_plural = word.is_ascii() && word.len() > 4 && !["ss", "us", "is"].iter().any(|end| word.ends_with(end));
    Some(if is_plural { word.strip_suffix('s').unwrap_or(word) } else { word })
}

/// Whether the word names a report or a meeting rather than its subject.
pub(super) fn is_frame(word: &str) -> bool {
    FRAME.contains(word)
}

/// Whether the word places something in time.
pub(super) fn is_time(word: &str) -> bool {
    TIME.contains(word)
}

/// A term by number; numbers are given in the order of first sight, so they do not depend on hashing.
pub(super) type Term = u32;

/// Numbers terms.
#[derive(Debug, Default)]
pub(super) struct Terms {
    numbers: HashMap<String, Term>,
}

impl Terms {
    /// The distinct terms of some words, sorted; unseen ones are given a number.
    pub(super) fn learn<'a>(&mut self, words: impl IntoIterator<Item = &'a String>) -> Vec<Term> {
        let mut terms: Vec<Term> = words.into_iter().filter_map(|word| term_of(word)).map(|term| self.number(term)).collect();
        terms.sort_unstable();
        terms.dedup();
        terms
    }

    fn number(&mut self, term: &str) -> Term {
        if let Some(number) = self.numbers.get(term) {
            return *number;
        }
        let next = Term::try_from(self.numbers.len()).unwrap_or(Term::MAX);
        self.numbers.insert(term.to_owned(), next);
        next
    }
}

/// How much two sorted term lists have in common, from 0 to 1.
pub(super) fn similarity(left: &[Term], right: &[Term]) -> f64 {
    let shared = left.iter().filter(|term| right.binary_search(term).is_ok()).count();
    let all = left.len() + right.len() - shared;
    if all == 0 { 0.0 } else { ratio(shared, all) }
}

/// A quotient of two counts.
#[expect(clippy::cast_precision_loss, reason = "counts of words and items are far below 2^52")]
pub(super) fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn inflections_meet_and_empty_words_go() {
        assert_eq!(term_of("customers"), Some("customer"));
        assert_eq!(term_of("ana's"), Some("ana"));
        assert_eq!(term_of("status"), Some("status"));
        assert_eq!(term_of("the"), None);
        assert_eq!(term_of("42"), None);
        assert_eq!(term_of("発"), Some("発"));
    }

    #[test]
    fn similarity_counts_shared_terms() {
        let mut terms = Terms::default();
        let left = terms.learn(&words("The import of the catalogue is slow"));
        let right = terms.learn(&words("Catalogue imports are slow again"));
        assert!(similarity(&left, &right) > 0.99);
        assert!(similarity(&left, &[]).abs() < f64::EPSILON);
    }
}
