//! Which statements go into which section: fair turns by order, each sentence at most once, no two that say the same.
//!
//! Sections that look for something particular choose before those that take the best of everything. How statements are put
//! together is [`super::group`]'s matter.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use yarnnn_core::llm::{OutlineSection, SectionFocus};

use super::agenda::Agenda;
use super::score::{Candidate, Desk};
use super::sentence::Sentence;
use super::source::{Kind, Source};
use super::words::{Term, similarity};
use super::write;

/// Longest statement of two sentences, in characters.
const LONGEST_PAIR: usize = 320;

/// From this likeness on, two sentences say the same.
const SAME: f64 = 0.6;

/// What a statement must add to those chosen before it.
const LEAST_GAIN: f64 = 0.2;

/// One bullet of the report: a stretch of one item, copied.
#[derive(Debug, Clone)]
pub(super) struct Statement<'a> {
    /// The number of its item.
    pub(super) source: usize,
    /// Where the stretch begins in the item, in bytes.
    pub(super) start: usize,
    /// The stretch.
    pub(super) text: &'a str,
    /// How many sentences it has.
    pub(super) sentences: usize,
    /// The number of the event it says something about.
    pub(super) about: Option<usize>,
    terms: Vec<Term>,
}

impl<'a> Statement<'a> {
    /// A line of an item that is no sentence.
    pub(super) fn line(source: &Source<'a>, start: usize, text: &'a str) -> Self {
        let about = (source.kind == Kind::Event).then_some(source.number);
        Self { source: source.number, start, text, sentences: 1, about, terms: Vec::new() }
    }
}

/// A section with its statements, in the order in which they were chosen.
#[derive(Debug)]
pub(super) struct Section<'a> {
    /// What it is.
    pub(super) outline: &'a OutlineSection,
    /// What it says.
    pub(super) statements: Vec<Statement<'a>>,
}

/// Fills the sections of the outline.
pub(super) fn choose<'a>(desk: &Desk<'a>) -> Vec<Section<'a>> {
    let agenda = Agenda::new(desk);
    let mut chooser = Chooser::new(desk, &agenda);
    let outline: &'a [OutlineSection] = &desk.outline.sections;
    let mut sections: Vec<_> = outline.iter().map(|outline| Section { outline, statements: Vec::new() }).collect();
    let mut offers: Vec<_> = outline.iter().map(|section| chooser.offer(section.focus)).collect();
    let mut open: BTreeSet<usize> = (0..offers.len()).collect();
    while chooser.left > 0 && !open.is_empty() {
        let mut turn: Vec<usize> = open.iter().copied().take(chooser.left).collect();
        turn.sort_by_key(|number| offers.get(*number).is_none_or(|offer| takes_anything(offer.focus)));
        for number in turn {
            let (Some(offer), Some(section)) = (offers.get_mut(number), sections.get_mut(number)) else { continue };
            match chooser.next(offer) {
                Some(statement) => section.statements.push(statement),
                None => drop(open.remove(&number)),
            }
        }
    }
    sections
}

fn takes_anything(focus: SectionFocus) -> bool {
    matches!(focus, SectionFocus::Highlights | SectionFocus::Information | SectionFocus::Background)
}

fn reads_wording(focus: SectionFocus) -> bool {
    use SectionFocus::{Blockers, Decisions, Done, Metrics, NextSteps, Questions, Requests};
    matches!(focus, Blockers | Decisions | Done | Metrics | NextSteps | Questions | Requests)
}

/// What a section can still take.
struct Offer<'a> {
    focus: SectionFocus,
    /// Statements in a given order.
    lines: VecDeque<Statement<'a>>,
    /// Numbers of candidates with their value for the section.
    ranked: Vec<(usize, f64)>,
}

struct Chooser<'d, 'a> {
    desk: &'d Desk<'a>,
    agenda: &'d Agenda,
    left: usize,
    used: BTreeSet<(usize, usize)>,
    /// What was said, by title: the same people may meet twice.
    said: BTreeSet<(&'a str, &'a str)>,
    /// For each candidate, its greatest likeness to anything chosen.
    likeness: Vec<f64>,
    from_item: BTreeMap<usize, u32>,
    from_conversation: BTreeMap<usize, u32>,
    from_author: BTreeMap<&'a str, u32>,
}

impl<'d, 'a> Chooser<'d, 'a> {
    fn new(desk: &'d Desk<'a>, agenda: &'d Agenda) -> Self {
        Self {
            desk,
            agenda,
            left: usize::try_from(desk.outline.max_statements).unwrap_or(usize::MAX),
            used: BTreeSet::new(),
            said: BTreeSet::new(),
            likeness: vec![0.0; desk.candidates.len()],
            from_item: BTreeMap::new(),
            from_conversation: BTreeMap::new(),
            from_author: BTreeMap::new(),
        }
    }

    fn offer(&self, focus: SectionFocus) -> Offer<'a> {
        let lines: Vec<Statement<'a>> = match focus {
            SectionFocus::Events => self.agenda.events(self.desk),
            SectionFocus::People => self.agenda.people(self.desk),
            SectionFocus::Changes => self.agenda.changes(self.desk),
            _ => return Offer { focus, lines: VecDeque::new(), ranked: self.ranked(focus) },
        };
        Offer { focus, lines: lines.into(), ranked: Vec::new() }
    }

    /// The candidates that are worth a line in a section.
    fn ranked(&self, focus: SectionFocus) -> Vec<(usize, f64)> {
        let candidates = self.desk.candidates.iter().enumerate();
        let mut ranked: Vec<_> =
            candidates.filter_map(|(number, candidate)| self.value(candidate, focus).map(|value| (number, value))).collect();
        let top = ranked.iter().map(|(_, value)| *value).fold(0.0, f64::max);
        let floor = match focus {
            focus if reads_wording(focus) => 0.55,
            SectionFocus::Highlights => 0.5 * top,
            _ => 0.4 * top,
        };
        ranked.retain(|(_, value)| *value >= floor);
        ranked
    }

    /// What a candidate is worth to a section; `None` when it does not belong there.
    fn value(&self, candidate: &Candidate, focus: SectionFocus) -> Option<f64> {
        let source = self.desk.source(candidate.source)?;
        let fit = self.desk.fit(candidate, focus);
        let base = candidate.base;
        match focus {
            SectionFocus::Highlights => {
                Some(base + 0.3 * candidate.cues.strongest() - 0.4 * candidate.cues.question - self.elsewhere(candidate))
            }
            SectionFocus::Information => (fit >= 0.5 && source.kind != Kind::Event).then_some(base),
            SectionFocus::Threads => (fit >= 0.5).then_some(0.8 * fit + 0.6 * base + 0.3 * candidate.cues.strongest()),
            SectionFocus::Background => self.background(candidate, source).map(|relation| base + 0.5 * relation),
            _ => {
                let rivals = self.desk.outline.sections.iter().filter(|rival| reads_wording(rival.focus));
                let best = rivals.map(|rival| self.desk.fit(candidate, rival.focus)).fold(0.0, f64::max);
                (fit >= 0.5 && fit + 0.25 >= best).then_some(0.8 * fit.min(1.3) * (0.4 + 0.6 * candidate.clarity) + 0.6 * base)
            }
        }
    }

    /// What a sentence loses as a highlight when lively conversations have a section of their own and it stands in one.
    fn elsewhere(&self, candidate: &Candidate) -> f64 {
        let has_threads = self.desk.outline.sections.iter().any(|section| section.focus == SectionFocus::Threads);
        if has_threads && self.desk.fit(candidate, SectionFocus::Threads) >= 0.5 { 0.4 } else { 0.0 }
    }

    /// How much a sentence has to do with the events, or with the subject where there are none.
    fn background(&self, candidate: &Candidate, source: &Source<'a>) -> Option<f64> {
        if source.kind == Kind::Event {
            return None;
        }
        if self.agenda.is_empty() {
            return (candidate.subject > 0.0 || self.desk.outline.subject.is_none()).then_some(candidate.subject);
        }
        let sentence = source.sentences.get(candidate.sentence)?;
        self.agenda.relation(source, sentence.text).map(|(_, strength)| strength)
    }

    fn next(&mut self, offer: &mut Offer<'a>) -> Option<Statement<'a>> {
        while let Some(line) = offer.lines.pop_front() {
            if !self.used.contains(&(line.source, line.start))
                && write::can_be_cited(line.text)
                && self.is_new(line.source, line.text)
            {
                self.take(&line, [line.start]);
                return Some(line);
            }
        }
        loop {
            let (place, number) = self.best(offer)?;
            offer.ranked.swap_remove(place);
            if let Some(statement) = self.desk.candidates.get(number).and_then(|it| self.compose(it, offer.focus)) {
                return Some(statement);
            }
        }
    }

    /// The candidate that adds most to what was chosen already, with its place among them.
    fn best(&self, offer: &Offer<'a>) -> Option<(usize, usize)> {
        let mut best: Option<(f64, usize, usize)> = None;
        for (place, (number, value)) in offer.ranked.iter().enumerate() {
            let Some(gain) = self.gain(*number, *value, offer.focus).filter(|gain| *gain >= LEAST_GAIN) else {
                continue;
            };
            // Of equals the better candidate, that is, the one with the lower number.
            if best.is_none_or(|(most, _, first)| gain > most || (gain >= most && *number < first)) {
                best = Some((gain, place, *number));
            }
        }
        best.map(|(_, place, number)| (place, number))
    }

    fn gain(&self, number: usize, value: f64, focus: SectionFocus) -> Option<f64> {
        let candidate = self.desk.candidates.get(number)?;
        let source = self.desk.source(candidate.source)?;
        let likeness = self.likeness.get(number).copied().unwrap_or_default();
        if likeness >= SAME {
            return None;
        }
        let count = |counts: Option<&u32>| f64::from(counts.copied().unwrap_or_default());
        let item = count(self.from_item.get(&source.number));
        let conversation = count(self.from_conversation.get(&source.conversation.first)) - item;
        let author = count(self.from_author.get(author(source)));
        let breadth = if focus == SectionFocus::Threads { 0.2 } else { 0.06 };
        Some(value - 0.7 * likeness - 0.15 * item - breadth * conversation - 0.02 * author.min(10.0))
    }

    /// Makes a statement of a candidate: alone, or with the neighbour without which it is hard to understand.
    fn compose(&mut self, candidate: &Candidate, focus: SectionFocus) -> Option<Statement<'a>> {
        let source = self.desk.source(candidate.source)?;
        let number = candidate.sentence;
        let sentence = source.sentences.get(number)?;
        let (first, last) = self.pair(source, candidate, sentence).unwrap_or((sentence, sentence));
        let is_free = |it: &Sentence<'_>| !self.used.contains(&(source.number, it.start));
        let text = source.item.text.get(first.start..last.end())?;
        if !is_free(first) || !is_free(last) || !write::can_be_cited(text) || !self.is_new(source.number, text) {
            return None;
        }
        let about = (focus == SectionFocus::Background || self.desk.outline.grouping == yarnnn_core::llm::Grouping::Event)
            .then(|| self.agenda.relation(source, text).map(|(event, _)| event));
        let about = if source.kind == Kind::Event { Some(source.number) } else { about.flatten() };
        let sentences = if first.start == last.start { 1 } else { 2 };
        let statement =
            Statement { source: source.number, start: first.start, text, sentences, about, terms: candidate.terms.clone() };
        self.take(&statement, [first.start, last.start]);
        Some(statement)
    }

    /// The sentence with the one before it, if it points back, or with the one after it, if that does.
    fn pair<'s>(
        &self,
        source: &'s Source<'a>,
        candidate: &Candidate,
        sentence: &'s Sentence<'a>,
    ) -> Option<(&'s Sentence<'a>, &'s Sentence<'a>)> {
        let number = candidate.sentence;
        let before = number.checked_sub(1).and_then(|it| source.sentences.get(it)).filter(|_| candidate.leaning);
        let after = source.sentences.get(number.saturating_add(1)).filter(|it| !it.cut && super::score::points_back(it.text));
        let (first, last) = before.map(|it| (it, sentence)).or(after.map(|it| (sentence, it)))?;
        let text = source.item.text.get(first.start..last.end())?;
        let is_close = first.line == last.line && first.piece.saturating_add(1) == last.piece;
        let is_free = [first, last].iter().all(|it| !self.used.contains(&(source.number, it.start)));
        let fits = self.left >= 2 && text.chars().nth(LONGEST_PAIR).is_none() && !text.chars().any(char::is_control);
        (is_close && is_free && fits).then_some((first, last))
    }

    /// Whether a text was not said before under the same title; from now on it was.
    fn is_new(&mut self, source: usize, text: &'a str) -> bool {
        let title = self.desk.source(source).and_then(|source| source.item.title.as_deref()).unwrap_or_default();
        self.said.insert((title, text))
    }

    fn take<const N: usize>(&mut self, statement: &Statement<'a>, starts: [usize; N]) {
        self.left = self.left.saturating_sub(statement.sentences);
        self.used.extend(starts.map(|start| (statement.source, start)));
        let Some(source) = self.desk.source(statement.source) else { return };
        *self.from_item.entry(source.number).or_default() += 1;
        *self.from_conversation.entry(source.conversation.first).or_default() += 1;
        *self.from_author.entry(author(source)).or_default() += 1;
        for (likeness, candidate) in self.likeness.iter_mut().zip(&self.desk.candidates) {
            *likeness = similarity(&statement.terms, &candidate.terms).max(*likeness);
        }
    }
}

fn author<'a>(source: &Source<'a>) -> &'a str {
    source.item.author.as_deref().unwrap_or_default()
}
