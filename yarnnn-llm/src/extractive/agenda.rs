//! Statements that follow a calendar or a list of pages rather than a ranking, and what other items have to do with an event.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::clean;
use super::score::Desk;
use super::select::Statement;
use super::source::{Kind, Source};
use super::words;

/// Longest line that is copied, in bytes; a longer list of attendees ends at the last name that fits.
const LONGEST_LINE: usize = 600;

/// How many events, from the first on, other items are compared with.
const MOST_COMPARED: usize = 200;

/// From this strength on, an item has to do with an event.
const RELATED: f64 = 0.5;

/// The events of the material.
#[derive(Debug)]
pub(super) struct Agenda {
    events: Vec<Event>,
}

#[derive(Debug)]
struct Event {
    number: usize,
    title: BTreeSet<String>,
    companies: BTreeSet<String>,
    people: BTreeSet<String>,
}

impl Agenda {
    /// Reads the events, in the order in which they start.
    pub(super) fn new(desk: &Desk<'_>) -> Self {
        let sources = in_order(desk, Kind::Event);
        let mut events: Vec<Event> = sources.iter().map(|source| Event::read(source)).collect();
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for company in events.iter().flat_map(|event| &event.companies) {
            *seen.entry(company.clone()).or_default() += 1;
        }
        // The company that is in most meetings is the reader's own and tells nothing.
        let common = |company: &String| seen.get(company).is_some_and(|count| *count > 1 && count * 2 > sources.len());
        for event in &mut events {
            event.companies.retain(|company| !common(company));
        }
        Self { events }
    }

    /// Whether there are no events.
    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// The event that a text of an item has most to do with, if any, and how much.
    pub(super) fn relation(&self, source: &Source<'_>, text: &str) -> Option<(usize, f64)> {
        let frame = format!(
            "{} {} {}",
            source.item.title.as_deref().unwrap_or_default(),
            source.item.place,
            source.item.author.as_deref().unwrap_or_default()
        );
        let said: BTreeSet<String> = meaning(text).collect();
        let framed: BTreeSet<String> = meaning(&frame).collect();
        let strengths = self.events.iter().take(MOST_COMPARED).map(|event| (event.number, event.strength(&said, &framed)));
        // Of equals the event that starts first.
        strengths.filter(|(_, strength)| *strength >= RELATED).reduce(|best, next| if next.1 > best.1 { next } else { best })
    }

    /// Each event with its time, then what it is about, where that is said.
    pub(super) fn events<'a>(&self, desk: &Desk<'a>) -> Vec<Statement<'a>> {
        let sources: Vec<_> = self.events.iter().filter_map(|event| desk.source(event.number)).collect();
        let times = sources.iter().filter_map(|source| line(source, "When:").or_else(|| any_line(source)));
        let details = sources.iter().filter_map(|source| opening(source).or_else(|| line(source, "Location:")));
        times.chain(details).collect()
    }

    /// Who takes part in each event.
    pub(super) fn people<'a>(&self, desk: &Desk<'a>) -> Vec<Statement<'a>> {
        let sources = self.events.iter().filter_map(|event| desk.source(event.number));
        sources.filter_map(|source| line(source, "Attendees:")).collect()
    }

    /// The first meaningful sentence of each page, newest page first.
    #[expect(clippy::unused_self, reason = "the three lists are asked for in the same way")]
    pub(super) fn changes<'a>(&self, desk: &Desk<'a>) -> Vec<Statement<'a>> {
        let mut pages: Vec<_> = in_order(desk, Kind::Page);
        pages.sort_by_key(|source| (source.item.time.is_none(), Reverse(source.item.time), source.number));
        pages.into_iter().filter_map(|source| opening(source).or_else(|| any_line(source))).collect()
    }
}

impl Event {
    fn read(source: &Source<'_>) -> Self {
        let attendees =
            line(source, "Attendees:").map(|it| it.text.trim_start_matches("Attendees:").to_owned()).unwrap_or_default();
        let title = source.item.title.as_deref().unwrap_or_default();
        Self {
            number: source.number,
            title: meaning(title).filter(|word| !words::is_frame(word) && !words::is_time(word)).collect(),
            companies: attendees.split([',', ' ', '<', '>', ';']).filter_map(company).collect(),
            people: attendees.split([',', ';']).flat_map(person).collect(),
        }
    }

    fn strength(&self, said: &BTreeSet<String>, framed: &BTreeSet<String>) -> f64 {
        let both = |set: &BTreeSet<String>| set.iter().filter(|word| said.contains(*word) || framed.contains(*word)).count();
        let named =
            words::ratio(self.title.intersection(said).count(), 2) + words::ratio(self.title.intersection(framed).count(), 3);
        let company = if both(&self.companies) > 0 { 0.6 } else { 0.0 };
        let people = words::ratio(self.people.intersection(said).count().min(2), 4)
            + words::ratio(self.people.intersection(framed).count().min(1), 4);
        (named.min(1.0) + company + people).min(2.0)
    }
}

/// The words of a text that mean something, those inside addresses too.
fn meaning(text: &str) -> impl Iterator<Item = String> {
    words::words(&text.replace(['.', '@', '_'], " ")).into_iter().filter_map(|word| words::term_of(&word).map(str::to_owned))
}

/// The name of the company in an address, unless it is a mail provider.
fn company(word: &str) -> Option<String> {
    const PROVIDERS: [&str; 8] = ["gmail", "googlemail", "outlook", "hotmail", "yahoo", "icloud", "gmx", "proton"];
    let (_, domain) = word.split_once('@')?;
    let mut labels = domain.rsplit('.').skip(1);
    let name = labels.find(|label| label.len() > 3)?.to_lowercase();
    (!PROVIDERS.contains(&name.as_str())).then_some(name)
}

/// The words of an attendee's name or of the part before the `@`.
fn person(attendee: &str) -> Vec<String> {
    let name = attendee.split(['<', '@']).next().unwrap_or_default();
    words::words(&name.replace(['.', '_'], " ")).into_iter().filter(|word| word.chars().nth(2).is_some()).collect()
}

/// The items of a kind, oldest first.
fn in_order<'d, 'a>(desk: &'d Desk<'a>, kind: Kind) -> Vec<&'d Source<'a>> {
    let mut found: Vec<_> = desk.sources.iter().filter(|source| source.kind == kind).collect();
    found.sort_by_key(|source| source.age_key());
    found
}

/// The first line that begins with a name.
fn line<'a>(source: &Source<'a>, name: &str) -> Option<Statement<'a>> {
    lines(source).find(|statement| statement.text.starts_with(name) && statement.text.len() > name.len())
}

/// The first line that says anything beyond the title.
fn any_line<'a>(source: &Source<'a>) -> Option<Statement<'a>> {
    let title = source.item.title.as_deref().unwrap_or_default().trim();
    lines(source).find(|it| {
        it.text.trim_start_matches(['#', ' ']) != title
            && it.text.split_whitespace().nth(1).is_some()
            && !it.text.starts_with(['|', '<'])
    })
}

fn lines<'a>(source: &Source<'a>) -> impl Iterator<Item = Statement<'a>> {
    let cut = clean::split_lines(clean::head(&source.item.text, 64 * 1024))
        .map(|(start, raw)| (start + raw.len() - raw.trim_start().len(), shortened(raw.trim())));
    cut.filter(|(_, text)| !text.chars().any(char::is_control)).map(|(start, text)| Statement::line(source, start, text))
}

fn shortened(line: &str) -> &str {
    if line.len() <= LONGEST_LINE {
        return line;
    }
    let head = clean::head(line, LONGEST_LINE);
    head.rsplit_once([',', ' ']).map_or(head, |(kept, _)| kept).trim_end_matches([',', ' '])
}

/// The first sentence, preferably one that stands there whole.
fn opening<'a>(source: &Source<'a>) -> Option<Statement<'a>> {
    let whole = source.sentences.iter().find(|sentence| !sentence.cut && !sentence.text.ends_with(':'));
    whole.or(source.sentences.first()).map(|sentence| Statement::line(source, sentence.start, sentence.text))
}
