//! How the statements of a section are put together: by topic, conversation, day or event.
//!
//! Group labels are names that stand in the material, or the name of a day. A section whose statements fall into one group,
//! or each into its own, is left as one list.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike as _, NaiveDate, Timelike as _, Utc};
use chrono_tz::Tz;
use unicode_segmentation::UnicodeSegmentation as _;
use yarnnn_core::llm::{Grouping, SectionFocus};

use super::clean::Task;
use super::cues;
use super::score::Desk;
use super::select::{Section, Statement};
use super::source::{Source, plain};
use super::words;

/// Fewest statements for which topics are worth looking for; a shorter list is read at a glance.
const TOPIC_STATEMENTS: usize = 8;

/// How many words of a message name its conversation.
const TITLE_WORDS: usize = 8;

/// A bullet, ready to be written.
#[derive(Debug)]
pub(super) struct Bullet<'a> {
    /// Author or title.
    pub(super) label: Option<String>,
    /// The copied text.
    pub(super) text: &'a str,
    /// How its item is cited.
    pub(super) reference: &'a str,
}

/// Bullets under one label, or without one.
#[derive(Debug)]
pub(super) struct Group<'a> {
    /// The label.
    pub(super) label: Option<String>,
    /// The bullets.
    pub(super) bullets: Vec<Bullet<'a>>,
}

/// A section, ready to be written.
#[derive(Debug)]
pub(super) struct Arranged<'a> {
    /// Its heading.
    pub(super) heading: &'a str,
    /// Its groups.
    pub(super) groups: Vec<Group<'a>>,
}

impl Arranged<'_> {
    /// Whether it says nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.groups.iter().all(|it| it.bullets.is_empty())
    }
}

type Heap<'a> = (Option<String>, Vec<Statement<'a>>);

/// Puts the statements of a section together.
pub(super) fn arrange<'a>(desk: &Desk<'a>, section: Section<'a>) -> Arranged<'a> {
    let Section { outline, statements } = section;
    let heaps = match (desk.outline.grouping, outline.focus) {
        (Grouping::Day, focus) => by_day(desk, statements, matches!(focus, SectionFocus::Events | SectionFocus::People)),
        (_, SectionFocus::Events) => vec![(None, agenda_order(desk, statements))],
        (_, SectionFocus::People | SectionFocus::Changes) => vec![(None, statements)],
        (_, SectionFocus::Threads) | (Grouping::Thread, _) => by_conversation(desk, statements),
        (Grouping::Event, _) => by_event(desk, statements),
        (Grouping::Topic, _) => by_topic(desk, statements),
    };
    let groups = heaps.into_iter().map(|(label, statements)| group(desk, label, statements)).collect();
    Arranged { heading: &outline.heading, groups }
}

fn group<'a>(desk: &Desk<'a>, label: Option<String>, statements: Vec<Statement<'a>>) -> Group<'a> {
    let bullets = statements.into_iter().filter_map(|statement| {
        let source = desk.source(statement.source)?;
        // Without its box an open task would read as a fact.
        let is_open = source.sentences.iter().any(|it| it.start == statement.start && it.task == Some(Task::Open));
        let label = source.label().map(|label| if is_open { format!("{label} (to do)") } else { label });
        Some(Bullet { label, text: statement.text, reference: &source.item.reference })
    });
    Group { label: label.filter(|it| !it.is_empty()), bullets: bullets.collect() }
}

/// One list where there is only one heap.
fn unless_single(heaps: Vec<Heap<'_>>) -> Vec<Heap<'_>> {
    if heaps.len() < 2 { vec![(None, flat(heaps))] } else { heaps }
}

/// One list also where nearly every statement would stand under a label of its own.
fn unless_scattered(heaps: Vec<Heap<'_>>) -> Vec<Heap<'_>> {
    let statements: usize = heaps.iter().map(|(_, statements)| statements.len()).sum();
    if heaps.len() * 4 > statements * 3 { vec![(None, flat(heaps))] } else { unless_single(heaps) }
}

fn flat(heaps: Vec<Heap<'_>>) -> Vec<Statement<'_>> {
    heaps.into_iter().flat_map(|(_, statements)| statements).collect()
}

/// Statements by a key; heaps in the order of their first statement.
fn heaps<'a, K: PartialEq>(statements: Vec<Statement<'a>>, key: impl Fn(&Statement<'a>) -> K) -> Vec<(K, Vec<Statement<'a>>)> {
    let mut found: Vec<(K, Vec<Statement<'a>>)> = Vec::new();
    for statement in statements {
        let key = key(&statement);
        match found.iter_mut().find(|(known, _)| *known == key) {
            Some((_, heap)) => heap.push(statement),
            None => found.push((key, vec![statement])),
        }
    }
    found
}

fn agenda_order<'a>(desk: &Desk<'a>, mut statements: Vec<Statement<'a>>) -> Vec<Statement<'a>> {
    statements.sort_by_key(|it| (desk.source(it.source).map(Source::age_key), it.start));
    statements
}

fn by_day<'a>(desk: &Desk<'a>, statements: Vec<Statement<'a>>, ascending: bool) -> Vec<Heap<'a>> {
    let local = |it: &Statement<'_>| {
        desk.source(it.source).and_then(|source| source.item.time).map(|time| time.with_timezone(&desk.zone))
    };
    let mut days = heaps(agenda_order(desk, statements), |it| local(it).map(|time| time.date_naive()));
    if !ascending {
        days.sort_by_key(|(day, _)| std::cmp::Reverse(*day));
    }
    // What has no day comes first: below a label it would seem to belong to that day.
    days.sort_by_key(|(day, _)| day.is_some());
    let days = days.into_iter().map(|(day, heap)| (day.map(|day| day_name(desk, day)), heap)).collect();
    if ascending { unless_single(days) } else { unless_scattered(days) }
}

/// The day's name, with its year only where that is another one than the report's.
fn day_name(desk: &Desk<'_>, day: NaiveDate) -> String {
    let is_this_year = day.year() == desk.outline.as_of.with_timezone(&desk.zone).year();
    day.format(if is_this_year { "%A %-d %B" } else { "%A %-d %B %Y" }).to_string()
}

fn by_conversation<'a>(desk: &Desk<'a>, statements: Vec<Statement<'a>>) -> Vec<Heap<'a>> {
    let name = |it: &Statement<'a>| {
        let source = desk.source(it.source)?;
        let first = desk.source(source.conversation.first).filter(|_| source.conversation.size > 1);
        Some(first.map_or_else(|| plain(&source.item.place), conversation_name))
    };
    unless_single(heaps(statements, name).into_iter().map(|(label, heap)| (label, agenda_order(desk, heap))).collect())
}

/// The place of a conversation with its title or its first words.
fn conversation_name(first: &Source<'_>) -> String {
    let place = plain(&first.item.place);
    let title = first.item.title.as_deref().map(without_reply_signs).filter(|it| !it.is_empty());
    match title.or_else(|| first.sentences.first().map(|it| opening_words(it.text))) {
        Some(title) if place.is_empty() => title,
        Some(title) => format!("{place}: {title}"),
        None => place,
    }
}

/// A subject without the signs that replies and forwards put before it.
fn without_reply_signs(title: &str) -> String {
    let mut rest = title.trim();
    while let Some((sign, subject)) = rest.split_once(':') {
        if !["re", "aw", "fwd", "fw", "wg"].contains(&sign.trim().to_lowercase().as_str()) {
            break;
        }
        rest = subject.trim_start();
    }
    plain(rest)
}

fn opening_words(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().take(TITLE_WORDS).collect();
    let more = if text.split_whitespace().nth(TITLE_WORDS).is_some() { "…" } else { "" };
    plain(&format!("{}{more}", words.join(" ").trim_end_matches([',', ';', ':', '.'])))
}

fn by_event<'a>(desk: &Desk<'a>, statements: Vec<Statement<'a>>) -> Vec<Heap<'a>> {
    let mut events = heaps(statements, |it| it.about);
    events.sort_by_key(|(event, _)| event.map(|number| desk.source(number).map(Source::age_key)));
    let has_event = events.iter().any(|(event, _)| event.is_some());
    let found = events
        .into_iter()
        .map(|(event, heap)| (event.and_then(|number| desk.source(number)).map(|it| event_name(it, desk.zone)), heap))
        .collect();
    if has_event { found } else { unless_single(found) }
}

fn event_name(event: &Source<'_>, zone: Tz) -> String {
    let title = event.item.title.as_deref().map(plain).unwrap_or_default();
    let time = event.item.time.map(|time| local_time(time, zone)).unwrap_or_default();
    let parts = [title, time];
    let parts: Vec<&str> = parts.iter().map(String::as_str).filter(|it| !it.is_empty()).collect();
    parts.join(", ")
}

/// Day and clock time; midnight is an all-day event's.
fn local_time(time: DateTime<Utc>, zone: Tz) -> String {
    let local = time.with_timezone(&zone);
    let all_day = local.num_seconds_from_midnight() == 0 || time.num_seconds_from_midnight() == 0;
    local.format(if all_day { "%A %-d %B" } else { "%A %-d %B %H:%M" }).to_string()
}

/// Greedy: the word that most statements share makes the first heap, and so on; what shares nothing comes first, unlabelled.
fn by_topic<'a>(desk: &Desk<'a>, statements: Vec<Statement<'a>>) -> Vec<Heap<'a>> {
    if statements.len() < TOPIC_STATEMENTS {
        return vec![(None, statements)];
    }
    let mut rest = statements;
    let mut found: Vec<Heap<'a>> = Vec::new();
    while let Some((label, members)) = topic(desk, &rest) {
        let (inside, outside): (Vec<_>, Vec<_>) = rest.into_iter().enumerate().partition(|(number, _)| members.contains(number));
        found.push((Some(label), inside.into_iter().map(|(_, it)| it).collect()));
        rest = outside.into_iter().map(|(_, it)| it).collect();
    }
    if found.is_empty() {
        return vec![(None, rest)];
    }
    if !rest.is_empty() {
        found.insert(0, (None, rest));
    }
    unless_scattered(found)
}

/// The word that makes the best heap among some statements: its most usual spelling, and who shares it.
fn topic(desk: &Desk<'_>, statements: &[Statement<'_>]) -> Option<(String, BTreeSet<usize>)> {
    let mut sharing: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    let mut spelling: BTreeMap<String, BTreeMap<&str, usize>> = BTreeMap::new();
    for (number, statement) in statements.iter().enumerate() {
        for word in statement.text.unicode_words() {
            if let Some(term) = topical(word) {
                *spelling.entry(term.clone()).or_default().entry(word).or_default() += 1;
                sharing.entry(term).or_default().insert(number);
            }
        }
    }
    let people = people(desk);
    let named = named(desk);
    let most = statements.len().div_ceil(2).max(2);
    // Two statements may share a common word by chance; a name, or three statements, do not.
    let is_name = |term: &String| {
        named.contains(term) || spelling.get(term).is_some_and(|it| it.keys().all(|word| word.starts_with(char::is_uppercase)))
    };
    let shared = sharing.into_iter().filter(|(term, members)| {
        (2..=most).contains(&members.len()) && !people.contains(term) && (members.len() > 2 || is_name(term))
    });
    // A word of a title or place is more of a topic than any other; among equals the longer word, then the alphabet.
    let best = shared.max_by_key(|(term, members)| {
        (members.len() + 2 * usize::from(named.contains(term)), term.chars().count(), std::cmp::Reverse(term.clone()))
    });
    let (term, members) = best?;
    let label = spelling
        .get(&term)?
        .iter()
        .max_by_key(|(word, count)| (**count, std::cmp::Reverse(**word)))
        .map(|(word, _)| (*word).to_owned())?;
    Some((capitalised(&label), members))
}

fn topical(word: &str) -> Option<String> {
    if word.contains('.') {
        return None;
    }
    let lower = word.to_lowercase();
    let term = words::term_of(&lower)?;
    let is_long = if term.is_ascii() { term.len() > 3 } else { term.chars().nth(1).is_some() };
    let is_plain =
        words::is_frame(term) || words::is_time(term) || words::is_time(&lower) || cues::is_cue(&lower) || cues::is_cue(term);
    (is_long && !is_plain).then(|| term.to_owned())
}

fn people(desk: &Desk<'_>) -> BTreeSet<String> {
    desk.sources.iter().filter_map(|it| it.item.author.as_deref()).flat_map(words::words).collect()
}

fn named(desk: &Desk<'_>) -> BTreeSet<String> {
    let names = desk.sources.iter().flat_map(|it| [it.item.title.as_deref().unwrap_or_default(), &it.item.place]);
    names.flat_map(words::words).filter_map(|word| words::term_of(&word).map(str::to_owned)).collect()
}

fn capitalised(word: &str) -> String {
    let mut signs = word.chars();
    signs.next().map(|first| first.to_uppercase().chain(signs).collect()).unwrap_or_default()
}
