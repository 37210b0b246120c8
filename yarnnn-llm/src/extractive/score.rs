//! How telling each sentence is: what it is about, how new it is, where it stands and what was marked about its item.
//!
//! Only weights and counts; nothing here knows sections. What a section looks for is decided in [`super::select`].

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use yarnnn_core::llm::{Material, Outline, SectionFocus};

use super::cues::Cues;
use super::source::{self, Kind, Source};
use super::words::{self, Term, Terms, ratio};

/// How many sentences are compared with each other; the rest is left to its score alone.
const MOST_CANDIDATES: usize = 1_500;

/// In how many items of one place the same sentence makes it a footer.
const FOOTER_COPIES: usize = 3;

/// A sentence that could be shown.
#[derive(Debug)]
pub(super) struct Candidate {
    /// The number of its item.
    pub(super) source: usize,
    /// Its number among the item's sentences.
    pub(super) sentence: usize,
    /// What it is about, sorted.
    pub(super) terms: Vec<Term>,
    /// What its wording speaks for.
    pub(super) cues: Cues,
    /// How telling it is by itself; about 0 to 2.
    pub(super) base: f64,
    /// How much of the subject it names, 0 to 1.
    pub(super) subject: f64,
    /// How well it can be understood alone, 0 to 1.
    pub(super) clarity: f64,
    /// Whether it begins with a word that points back.
    pub(super) dangling: bool,
    /// Whether it is better understood after the sentence before it.
    pub(super) leaning: bool,
}

/// Everything that is known before the first statement is chosen.
#[derive(Debug)]
pub(super) struct Desk<'a> {
    /// The shape of the answer.
    pub(super) outline: &'a Outline,
    /// The items, by number.
    pub(super) sources: Vec<Source<'a>>,
    /// The sentences, best first.
    pub(super) candidates: Vec<Candidate>,
    /// The zone of local days; UTC where the outline's is unknown.
    pub(super) zone: Tz,
}

impl<'a> Desk<'a> {
    /// Reads the material.
    pub(super) fn new(outline: &'a Outline, items: &[&'a Material]) -> Self {
        let sources = source::sources(items);
        let zone = outline.timezone.parse().unwrap_or(Tz::UTC);
        let candidates = candidates(outline, &sources);
        Self { outline, sources, candidates, zone }
    }

    /// The item of a number.
    pub(super) fn source(&self, number: usize) -> Option<&Source<'a>> {
        self.sources.get(number)
    }

    /// How well a candidate fits a section; 0.5 and more is a fit.
    pub(super) fn fit(&self, candidate: &Candidate, focus: SectionFocus) -> f64 {
        let Some(source) = self.source(candidate.source) else { return 0.0 };
        let marked = |mark: &str, bonus: f64| if source.has_mark(mark) { bonus } else { 0.0 };
        let cues = &candidate.cues;
        match focus {
            SectionFocus::Decisions => cues.decision + marked("decision", 0.3),
            SectionFocus::Done => cues.done + ticked(source, candidate, super::clean::Task::Done),
            SectionFocus::Blockers => cues.blocker + marked("blocker", 0.3),
            SectionFocus::NextSteps => cues.next + ticked(source, candidate, super::clean::Task::Open),
            SectionFocus::Requests => {
                cues.request + (cues.question + cues.request) * (marked("mention", 0.3) + marked("urgent", 0.2))
            }
            SectionFocus::Questions => open_question(source, candidate),
            SectionFocus::Metrics => cues.metric,
            SectionFocus::Information => 1.0 - cues.request.max(cues.question),
            SectionFocus::Threads => lively(source),
            SectionFocus::Background => 0.5 + candidate.subject,
            _ => 1.0,
        }
    }
}

fn ticked(source: &Source<'_>, candidate: &Candidate, task: super::clean::Task) -> f64 {
    let found = source.sentences.get(candidate.sentence).and_then(|it| it.task);
    if found == Some(task) { 1.0 } else { 0.0 }
}

/// A question nobody answered. Without a conversation only a mark can tell; then it counts for less.
fn open_question(source: &Source<'_>, candidate: &Candidate) -> f64 {
    if candidate.cues.question < 0.5 || source.conversation.answered {
        return 0.0;
    }
    let certain = source.has_mark("unanswered") || source.conversation.size > 1 || source.kind == Kind::Mail;
    let chatty = source.kind == Kind::Page || candidate.terms.len() < 2;
    let doubt: f64 = if certain { 0.0 } else { 0.3 };
    1.0 - doubt - if chatty { 0.3 } else { 0.0 }
}

/// How much goes on in the item's conversation.
fn lively(source: &Source<'_>) -> f64 {
    let size = source.conversation.size;
    let hot = source.has_mark("hot");
    if size < 3 && !hot {
        return 0.0;
    }
    let opening = if source.is_first() { 0.25 } else { 0.0 };
    0.5 + ratio(size.min(20), 40) + if hot { 0.3 } else { 0.0 } + opening
}

struct Draft {
    candidate: Candidate,
    words: Vec<String>,
}

fn candidates(outline: &Outline, sources: &[Source<'_>]) -> Vec<Candidate> {
    let mut terms = Terms::default();
    let mut drafts = drafts(sources, &mut terms);
    drop_repetitions(&mut drafts, sources);
    let weights = weights(&drafts, sources.len());
    let subject = Subject::new(outline, &mut terms);
    let clock = Clock::new(sources, outline.as_of);
    let raw: Vec<f64> = drafts.iter().map(|draft| centrality(&draft.candidate.terms, &weights)).collect();
    let top = percentile(&raw).max(f64::MIN_POSITIVE);
    let mut found: Vec<Candidate> = Vec::with_capacity(drafts.len());
    for (draft, central) in drafts.into_iter().zip(raw) {
        let mut candidate = draft.candidate;
        let Some(source) = sources.get(candidate.source) else { continue };
        candidate.subject = subject.overlap(&candidate.terms, source, &mut terms);
        let merit = 0.7 * (central / top).min(1.0) + subject.weight * candidate.subject;
        let standing = marks(source) + 0.2 * clock.recency(source.item.time) + position(source, candidate.sentence);
        candidate.clarity = clarity(source, &candidate);
        candidate.base = (merit + standing + 0.2 * candidate.cues.strongest()) * candidate.clarity;
        found.push(candidate);
    }
    found.sort_by(|left, right| {
        right.base.total_cmp(&left.base).then((left.source, left.sentence).cmp(&(right.source, right.sentence)))
    });
    found.truncate(MOST_CANDIDATES);
    found
}

fn drafts(sources: &[Source<'_>], terms: &mut Terms) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for source in sources {
        for (number, sentence) in source.sentences.iter().enumerate() {
            let words = words::words(sentence.text);
            let terms = terms.learn(&words);
            let candidate = Candidate {
                source: source.number,
                sentence: number,
                leaning: is_dangling(&words) || (terms.len() <= 3 && names_nothing(&words)),
                terms,
                cues: Cues::of(sentence.text, &words),
                base: 0.0,
                subject: 0.0,
                clarity: 0.0,
                dangling: is_dangling(&words),
            };
            drafts.push(Draft { candidate, words });
        }
    }
    drafts
}

/// Keeps of equal sentences the oldest, and none of those that stand under many items of one place.
fn drop_repetitions(drafts: &mut Vec<Draft>, sources: &[Source<'_>]) {
    let mut copies: BTreeMap<(String, &str), BTreeSet<usize>> = BTreeMap::new();
    let mut oldest: BTreeMap<String, _> = BTreeMap::new();
    for draft in &*drafts {
        let Some(source) = sources.get(draft.candidate.source) else { continue };
        let text = draft.words.join(" ");
        copies.entry((text.clone(), &source.item.place)).or_default().insert(source.number);
        let key = (source.age_key(), draft.candidate.sentence);
        oldest.entry(text).and_modify(|it| *it = key.min(*it)).or_insert(key);
    }
    let footers: BTreeSet<&String> =
        copies.iter().filter(|(_, items)| items.len() >= FOOTER_COPIES).map(|((text, _), _)| text).collect();
    drafts.retain(|draft| {
        let text = draft.words.join(" ");
        let key = sources.get(draft.candidate.source).map(|source| (source.age_key(), draft.candidate.sentence));
        !footers.contains(&text) && key.as_ref() == oldest.get(&text)
    });
}

/// What each term is worth: much said, but not said everywhere.
fn weights(drafts: &[Draft], items: usize) -> BTreeMap<Term, f64> {
    let mut counts: BTreeMap<(Term, usize), u32> = BTreeMap::new();
    for draft in drafts {
        for term in &draft.candidate.terms {
            *counts.entry((*term, draft.candidate.source)).or_default() += 1;
        }
    }
    let mut mass: BTreeMap<Term, f64> = BTreeMap::new();
    for ((term, _), count) in counts {
        // A word said ten times in one mail counts for less than one said in ten messages.
        *mass.entry(term).or_default() += f64::from(count).ln_1p();
    }
    let all = ratio(items.max(1) + drafts.len(), 2);
    mass.into_iter().map(|(term, mass)| (term, mass.ln_1p() * (all / mass).ln_1p())).collect()
}

fn centrality(terms: &[Term], weights: &BTreeMap<Term, f64>) -> f64 {
    let sum: f64 = terms.iter().filter_map(|term| weights.get(term)).sum();
    // Long sentences collect words; the exponent takes most, not all, of that advantage away.
    sum / (ratio(terms.len(), 1) + 3.0).powf(0.75)
}

fn percentile(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len().saturating_mul(95) / 100).or(sorted.last()).copied().unwrap_or_default()
}

struct Subject {
    terms: Vec<Term>,
    weight: f64,
}

impl Subject {
    fn new(outline: &Outline, terms: &mut Terms) -> Self {
        let (text, weight) = outline.subject.as_deref().map_or((outline.title.as_str(), 0.25), |subject| (subject, 0.8));
        let words: Vec<String> =
            words::words(text).into_iter().filter(|word| !words::is_frame(word) && !words::is_time(word)).collect();
        Self { terms: terms.learn(&words), weight }
    }

    /// The share of the subject that a sentence names; what only its title or place names counts half.
    fn overlap(&self, sentence: &[Term], source: &Source<'_>, terms: &mut Terms) -> f64 {
        if self.terms.is_empty() {
            return 0.0;
        }
        let frame = format!("{} {}", source.item.place, source.item.title.as_deref().unwrap_or_default());
        let frame = terms.learn(&words::words(&frame));
        let named = self.terms.iter().filter(|term| sentence.binary_search(term).is_ok()).count();
        let framed = self.terms.iter().filter(|term| frame.binary_search(term).is_ok()).count();
        ratio(named, self.terms.len()).max(0.5 * ratio(framed, self.terms.len()))
    }
}

struct Clock {
    oldest: Option<DateTime<Utc>>,
    newest: DateTime<Utc>,
}

impl Clock {
    fn new(sources: &[Source<'_>], as_of: DateTime<Utc>) -> Self {
        Self { oldest: sources.iter().filter_map(|it| it.item.time).min(), newest: as_of }
    }

    /// From 0 for the oldest item to 1 for now and later.
    fn recency(&self, time: Option<DateTime<Utc>>) -> f64 {
        let (Some(time), Some(oldest)) = (time, self.oldest) else { return 0.0 };
        let seconds =
            |from: DateTime<Utc>, to: DateTime<Utc>| usize::try_from(to.signed_duration_since(from).num_seconds()).unwrap_or(0);
        ratio(seconds(oldest, time), seconds(oldest, self.newest)).min(1.0)
    }
}

fn marks(source: &Source<'_>) -> f64 {
    const BONUS: [(&str, f64); 7] = [
        ("urgent", 0.3),
        ("hot", 0.2),
        ("mention", 0.2),
        ("decision", 0.15),
        ("blocker", 0.15),
        ("reactions", 0.15),
        ("unanswered", 0.1),
    ];
    let sum: f64 = BONUS.iter().filter(|(mark, _)| source.has_mark(mark)).map(|(_, bonus)| bonus).sum();
    sum.min(0.5)
}

/// Mails, pages and conversations say early what they are about.
fn position(source: &Source<'_>, sentence: usize) -> f64 {
    let first = match source.kind {
        Kind::Mail | Kind::Page => 0.25,
        Kind::Message if source.is_first() && source.conversation.size > 1 => 0.2,
        Kind::Message => 0.1,
        Kind::Event => 0.0,
    };
    first / ratio(sentence + 1, 1)
}

/// How well a sentence can be understood where it will stand: alone.
fn clarity(source: &Source<'_>, candidate: &Candidate) -> f64 {
    let Some(sentence) = source.sentences.get(candidate.sentence) else { return 0.0 };
    let length = sentence.text.chars().count();
    let faults = [
        (sentence.cut, 0.45),
        (candidate.dangling, 0.75),
        (candidate.terms.len() < 2, 0.5),
        (length < 40, 0.8),
        (length > 260, 0.85),
        (sentence.text.contains("://"), 0.85),
        (sentence.text.contains("]("), 0.7),
        (sentence.text.starts_with('@'), 0.85),
        (sentence.text.starts_with('('), 0.7),
        (sentence.text.ends_with(':'), 0.6),
    ];
    faults.iter().filter(|(is_so, _)| *is_so).map(|(_, factor)| factor).product()
}

/// Whether a sentence speaks of something that it does not name: "Could you sign it by Thursday?".
fn names_nothing(words: &[String]) -> bool {
    ["it", "this", "that", "them", "these", "those", "one"].iter().any(|pointer| words.iter().any(|word| word == pointer))
}

/// Whether a text begins with a word that points back.
pub(super) fn points_back(text: &str) -> bool {
    is_dangling(&words::words(text))
}

fn is_dangling(words: &[String]) -> bool {
    const POINTERS: &[&str] = &[
        "it",
        "it's",
        "its",
        "this",
        "that",
        "that's",
        "these",
        "those",
        "they",
        "they're",
        "he",
        "she",
        "but",
        "and",
        "so",
        "because",
        "however",
        "also",
        "then",
        "therefore",
        "otherwise",
        "instead",
        "yes",
        "no",
        "yeah",
        "ok",
        "okay",
        "well",
        "or",
        "hence",
        "besides",
        "same",
        "there",
        "their",
        "both",
        "which",
        "maybe",
        "still",
        "actually",
        "anyway",
    ];
    words.first().is_some_and(|word| POINTERS.contains(&word.as_str()))
}
