//! Puts a report together: numbers its sources, says what was read and what was not.

use std::collections::HashMap;

use super::super::material::MaterialItem;
use super::super::names::Names;
use super::super::report::{Block, Report, ReportSource, parse_markdown, quotes_something};
use super::super::version::{RunState, SourceSnapshot};
use super::{RenderInput, inert, words};
use crate::id::ContentId;
use crate::llm::StopReason;
use crate::platform::Platform;

/// Sources and remarks that the coverage lists one by one.
const LISTED: usize = 20;

pub(super) fn assemble(input: &RenderInput) -> Report {
    let zone = input.deliverable.timezone();
    let state = &input.version.state;
    let mut blocks = parse_markdown(input.version.draft.as_deref().unwrap_or_default(), &Names::of(&input.items));
    let mut numbers = Numbers::default();
    let mut records = input.sentences.iter();
    for statement in Report::statements_mut(&mut blocks) {
        // Names may have changed since the draft was verified: a statement has only what was found for its very words.
        let mut ahead = records.clone();
        let record = ahead.find(|it| it.text == statement.text);
        if record.is_some() {
            records = ahead;
        }
        let evidence = record.map(|it| it.evidence.as_slice()).unwrap_or_default();
        let mut sources: Vec<u32> = evidence.iter().map(|it| numbers.of(it.content_id)).collect();
        sources.dedup();
        statement.misquotes = sources.is_empty() && quotes_something(&statement.text);
        statement.sources = sources;
    }
    let rows: HashMap<_, _> = input.items.iter().map(|it| (it.id, it)).collect();
    let describe = |(index, id): (usize, &ContentId)| source(index, rows.get(id).copied(), zone);
    inert::report(Report {
        title: input.deliverable.title.clone(),
        kind: input.deliverable.report_type.kind().label().to_owned(),
        period: words::period(state.window, zone),
        as_of: format!("{} ({zone})", words::instant(state.as_of, zone)),
        notes: notes(state, &blocks),
        blocks,
        sources: numbers.order.iter().enumerate().map(describe).collect(),
        coverage: coverage(state, zone),
    })
}

/// Numbers sources in the order in which the report first stands on them.
#[derive(Default)]
struct Numbers {
    known: HashMap<ContentId, u32>,
    order: Vec<ContentId>,
}

impl Numbers {
    fn of(&mut self, id: ContentId) -> u32 {
        if let Some(number) = self.known.get(&id) {
            return *number;
        }
        self.order.push(id);
        let number = u32::try_from(self.order.len()).unwrap_or(u32::MAX);
        self.known.insert(id, number);
        number
    }
}

fn source(index: usize, row: Option<&MaterialItem>, zone: chrono_tz::Tz) -> ReportSource {
    let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
    let Some(row) = row else {
        let place = "no longer stored".to_owned();
        return ReportSource { number, author: None, place, platform: String::new(), title: None, time: None };
    };
    ReportSource {
        number,
        author: row.author.clone(),
        place: row.place.clone(),
        platform: row.platform.parse().map_or("Web", words::platform).to_owned(),
        title: row.title.clone().filter(|it| *it != row.place),
        time: row.time.map(|at| words::instant(at, zone)),
    }
}

fn coverage(state: &RunState, zone: chrono_tz::Tz) -> Vec<String> {
    let (read, empty): (Vec<_>, Vec<_>) = state.sources.iter().partition(|it| it.item_count > 0);
    let mut lines = vec![format!(
        "Read {} from {} of {}.",
        words::count(state.material.len(), "item"),
        read.len(),
        words::count(state.sources.len(), "source")
    )];
    if state.reported_before > 0 {
        let items = words::count(state.reported_before as usize, "item");
        lines.push(format!("Left out {items} that earlier reports had, unchanged since."));
    }
    if state.left_out > 0 {
        let items = words::count(state.left_out as usize, "item");
        lines.push(format!("Left out {items}, the oldest: the writer cannot read more at once."));
    }
    lines.extend(Platform::ALL.into_iter().filter_map(|it| read_line(it, &read, zone)));
    if !empty.is_empty() {
        let names: Vec<_> = empty.iter().take(LISTED).map(|it| place(it)).collect();
        lines.push(format!("Nothing in this period: {}{}.", names.join(", "), and_more(empty.len())));
    }
    let unseen: Vec<_> = state.sources.iter().filter(|it| !it.gaps.is_empty() || it.last_error.is_some()).collect();
    lines.extend(unseen.iter().take(LISTED).map(|it| unseen_line(it)));
    if unseen.len() > LISTED {
        lines.push(format!("Not everything was seen{} either.", and_more(unseen.len())));
    }
    lines
}

fn and_more(count: usize) -> String {
    if count > LISTED { format!(" and in {} more", count - LISTED) } else { String::new() }
}

/// One platform's sources with their items, and when the one that was read longest ago was read.
fn read_line(platform: Platform, read: &[&SourceSnapshot], zone: chrono_tz::Tz) -> Option<String> {
    let own: Vec<_> = read.iter().filter(|it| it.resource.platform() == platform).collect();
    let oldest = own.iter().map(|it| it.synced_at).min()?;
    let since =
        oldest.map_or_else(|| "not yet read to its end".to_owned(), |at| format!("last read {}", words::instant(at, zone)));
    let named: Vec<_> = own.iter().take(LISTED).map(|it| format!("{} ({})", it.resource_name, it.item_count)).collect();
    Some(format!("{}: {}{}; {since}.", words::platform(platform), named.join(", "), and_more(own.len())))
}

fn place(source: &SourceSnapshot) -> String {
    format!("{} ({})", source.resource_name, words::platform(source.resource.platform()))
}

fn unseen_line(source: &SourceSnapshot) -> String {
    let gaps = source.gaps.iter().map(|it| it.reason.clone());
    let reasons: Vec<_> = gaps.chain(source.last_error.clone()).take(3).collect();
    format!("Not seen in {}: {}.", place(source), reasons.join("; ").trim_end_matches('.'))
}

/// What the reader must know of an answer that did not end by itself.
fn stop_note(stop: &StopReason) -> Option<String> {
    let why = match stop {
        StopReason::Complete | StopReason::Refused { .. } => return None,
        // A turn that pauses until nobody waits any more is cut as well.
        StopReason::OutputLimit | StopReason::Paused | StopReason::ContextFull => "reached its limit".to_owned(),
        StopReason::ToolUse => "asked for more than it may look up".to_owned(),
        StopReason::Other(reason) => format!("stopped because of \"{}\"", named(reason)),
    };
    Some(format!("The writer {why}: the end may be missing."))
}

/// A provider's name for something, with nothing in it that a page or a mail would read as its own.
fn named(reason: &str) -> String {
    const LONGEST: usize = 60;
    let safe = |it: &char| it.is_ascii_alphanumeric() || matches!(it, ' ' | '_' | '-');
    let name: String = reason.chars().filter(safe).take(LONGEST).collect();
    if name.trim().is_empty() { "unknown".to_owned() } else { name.trim().to_owned() }
}

fn notes(state: &RunState, blocks: &[Block]) -> Vec<String> {
    let mut notes = Vec::new();
    if state.window_moved {
        notes.push("Nothing newer is stored, so this report covers the last stretch that has content.".to_owned());
    }
    if state.quiet {
        notes.push("Written without a language model: nothing is new.".to_owned());
        return notes;
    }
    let (tally, ran) = (state.tally.unwrap_or_default(), state.ran.clone().unwrap_or_default());
    notes.push(match ran.model.as_str() {
        "extractive" => "Written without a language model: every statement is copied word for word from its source.".to_owned(),
        model => format!("Written by {model}."),
    });
    notes.extend(ran.stop.as_ref().and_then(stop_note));
    let misquoted = Report::statements_of(blocks).into_iter().filter(|it| it.misquotes).count();
    if tally.inference > 0 {
        let statements = words::count(tally.sentences as usize, "statement");
        notes.push(format!("{} of {statements} could not be traced to a source and are marked as inference.", tally.inference));
    }
    if misquoted > 0 {
        notes.push(format!("{} quotes what stands in none of the sources, and says so.", words::count(misquoted, "statement")));
    }
    notes
}
