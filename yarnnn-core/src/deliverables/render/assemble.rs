//! Puts a report together: numbers its sources, says what was read and what was not.

use std::collections::HashMap;

use super::super::report::{Report, ReportSource, parse_markdown};
use super::super::version::{RunState, SourceSnapshot};
use super::{RenderInput, words};
use crate::id::ContentId;
use crate::platform::Platform;
use crate::sync::StoredItem;

/// Sources and remarks that the coverage lists one by one.
const LISTED: usize = 20;

pub(super) fn assemble(input: &RenderInput) -> Report {
    let zone = input.deliverable.timezone();
    let state = &input.version.state;
    let mut blocks = parse_markdown(input.version.draft.as_deref().unwrap_or_default());
    let mut numbers = Numbers::default();
    for (statement, record) in Report::statements_mut(&mut blocks).into_iter().zip(&input.sentences) {
        let mut sources: Vec<u32> = record.evidence.iter().map(|it| numbers.of(it.content_id)).collect();
        sources.dedup();
        statement.sources = sources;
    }
    let rows: HashMap<_, _> = input.items.iter().map(|it| (it.id, it)).collect();
    let describe = |(index, id): (usize, &ContentId)| source(index, rows.get(id).copied(), zone);
    Report {
        title: input.deliverable.title.clone(),
        kind: input.deliverable.report_type.kind().label().to_owned(),
        period: words::period(state.window, zone),
        as_of: format!("{} ({zone})", words::instant(state.as_of, zone)),
        blocks,
        sources: numbers.order.iter().enumerate().map(describe).collect(),
        coverage: coverage(state, zone),
        notes: notes(state),
    }
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

fn source(index: usize, row: Option<&StoredItem>, zone: chrono_tz::Tz) -> ReportSource {
    let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
    let Some(row) = row else {
        let place = "no longer stored".to_owned();
        return ReportSource { number, author: None, place, platform: String::new(), title: None, time: None };
    };
    ReportSource {
        number,
        author: row.author.as_ref().map(|it| it.name.clone()),
        place: row.resource_name.clone(),
        platform: words::platform(row.resource.platform()).to_owned(),
        title: row.title.clone().filter(|it| *it != row.resource_name),
        time: row.source_timestamp.map(|at| words::instant(at, zone)),
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

fn notes(state: &RunState) -> Vec<String> {
    let mut notes = Vec::new();
    if state.window_moved {
        notes.push("Nothing newer is stored, so this report covers the last stretch that has content.".to_owned());
    }
    let tally = state.tally.unwrap_or_default();
    let model = state.ran.as_ref().map_or("", |it| it.model.as_str());
    notes.push(match model {
        "extractive" => "Written without a language model: every statement is copied word for word from its source.".to_owned(),
        model => format!("Written by {model}."),
    });
    if tally.inference > 0 {
        let statements = words::count(tally.sentences as usize, "statement");
        notes.push(format!("{} of {statements} could not be traced to a source and are marked as inference.", tally.inference));
    }
    notes
}
