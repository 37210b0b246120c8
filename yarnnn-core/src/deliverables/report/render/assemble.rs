//! Puts a report together: numbers its sources, says what was read and what was not.

use std::collections::HashMap;

use super::super::model::{Block, Report, ReportSource, parse_markdown, quotes_something};
use super::{RenderInput, inert, words};
use crate::deliverables::gathering::material::MaterialItem;
use crate::deliverables::names::Names;
use crate::deliverables::scheduling::slot::Lateness;
use crate::deliverables::version::{RunState, SourceSnapshot};
use crate::evidence::Evidence;
use crate::id::ContentId;
use crate::llm::StopReason;
use crate::platform::Platform;

/// Sources and remarks that the coverage lists one by one.
const LISTED: usize = 20;
/// Characters that are shown of a name, and of a subject or title: whoever writes to a person chooses them.
const NAME_CHARS: usize = 80;
const TITLE_CHARS: usize = 160;

pub(in crate::deliverables) fn assemble(input: &RenderInput) -> Report {
    let state = &input.version.state;
    let zone = input.deliverable.timezone(state.timezone);
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
        let sources = numbers.of_each(evidence);
        statement.misquotes = sources.is_empty() && quotes_something(&statement.text);
        statement.sources = sources;
    }
    let rows: HashMap<_, _> = input.items.iter().map(|it| (it.id, it)).collect();
    let describe = |(index, id): (usize, &ContentId)| source(index, rows.get(id).copied(), zone);
    inert::report(Report {
        title: input.version.state.title_of(&input.deliverable).to_owned(),
        kind: input.deliverable.report_type.kind().label().to_owned(),
        period: words::period(state.window, zone),
        as_of: format!("{} ({zone})", words::instant(state.as_of, zone)),
        notes: notes(state, &blocks, zone),
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
    /// The sources of a statement, each once.
    fn of_each(&mut self, evidence: &[Evidence]) -> Vec<u32> {
        let mut sources = Vec::new();
        for it in evidence {
            let number = self.of(it.content_id);
            if !sources.contains(&number) {
                sources.push(number);
            }
        }
        sources
    }

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
        author: row.author.as_deref().map(|it| words::shortened(it, NAME_CHARS)),
        place: words::shortened(&row.place, TITLE_CHARS),
        platform: row.platform.parse().map_or("Web", words::platform).to_owned(),
        title: row.title.as_deref().filter(|it| *it != row.place).map(|it| words::shortened(it, TITLE_CHARS)),
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
    let named: Vec<_> = own.iter().take(LISTED).map(|it| format!("{} ({})", name(it), it.item_count)).collect();
    Some(format!("{}: {}{}; {since}.", words::platform(platform), named.join(", "), and_more(own.len())))
}

fn place(source: &SourceSnapshot) -> String {
    format!("{} ({})", name(source), words::platform(source.resource.platform()))
}

fn name(source: &SourceSnapshot) -> String {
    words::shortened(&source.resource_name, NAME_CHARS)
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

/// When a report was due that is late, and for how many it stands.
fn late_note(late: Lateness, zone: chrono_tz::Tz) -> String {
    let due = words::instant(late.due_at, zone);
    match late.missed {
        0 => format!("This report was due on {due}, and is late."),
        missed => format!(
            "This report was due on {due}, and is late: it stands for {} as well.",
            words::count(missed as usize, "later report")
        ),
    }
}

fn notes(state: &RunState, blocks: &[Block], zone: chrono_tz::Tz) -> Vec<String> {
    let mut notes: Vec<_> = state.late.iter().map(|it| late_note(*it, zone)).collect();
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
        let quote = if misquoted == 1 { "quotes" } else { "quote" };
        let statements = words::count(misquoted, "statement");
        notes.push(format!("{statements} {quote} what stands in none of the sources, marked as such."));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliverables::testing::{deliverable, item, state_of};
    use crate::deliverables::version::{Step, Version, VersionStatus};
    use crate::evidence::SentenceRecord;
    use crate::hash::Sha256;
    use crate::id::VersionId;

    fn version(draft: &str, items: &[MaterialItem]) -> Version {
        let (of, state) = (deliverable(), state_of(items));
        Version {
            id: VersionId::from_uuid(uuid::Uuid::from_u128(2)),
            user: of.user,
            deliverable: of.id,
            number: 1,
            status: VersionStatus::Generating,
            step: Step::Verified,
            run_key: None,
            created_at: state.as_of,
            state,
            draft: Some(draft.to_owned()),
            final_content: None,
            delivery_error: None,
            held_by: None,
            held_until: None,
            delivered_at: None,
        }
    }

    /// The report of a draft whose statements were recorded so: a text, and the items by their places.
    fn assembled(draft: &str, items: &[MaterialItem], recorded: &[(&str, &[usize])]) -> Report {
        let evidence = |at: &usize| Evidence {
            content_id: items.get(*at).map_or_else(|| ContentId::from_uuid(uuid::Uuid::nil()), |it| it.id),
            revision: Sha256::of(""),
            start: 0,
            end: 0,
            quote: String::new(),
        };
        let record = |(index, (text, found)): (u32, &(&str, &[usize]))| SentenceRecord {
            index,
            text: (*text).to_owned(),
            evidence: found.iter().map(evidence).collect(),
        };
        let sentences = (0..).zip(recorded).map(record).collect();
        let version = version(draft, items);
        assemble(&RenderInput { deliverable: deliverable(), version, sentences, items: items.to_vec() })
    }

    /// The statements with the numbers of their sources.
    fn numbered(report: &Report) -> Vec<(&str, &[u32])> {
        Report::statements_of(&report.blocks).into_iter().map(|it| (it.text.as_str(), it.sources.as_slice())).collect()
    }

    const SHIPS: &str = "We ship on Friday.";
    const TESTS: &str = "All tests pass.";
    const COSTS: &str = "It costs ten euros.";

    fn items() -> Vec<MaterialItem> {
        [SHIPS, TESTS, COSTS].map(item).to_vec()
    }

    #[test]
    fn every_statement_has_the_evidence_that_was_found_for_it() {
        let draft = format!("- {SHIPS}\n- {TESTS} {COSTS}\n");
        let report = assembled(&draft, &items(), &[(SHIPS, &[2]), (TESTS, &[]), (COSTS, &[0, 2])]);
        assert_eq!(numbered(&report), [(SHIPS, &[1][..]), (TESTS, &[]), (COSTS, &[2, 1])]);
    }

    /// The same words twice: each has its own.
    #[test]
    fn equal_statements_have_their_evidence_in_order() {
        let draft = format!("- {SHIPS}\n- {TESTS}\n- {SHIPS}\n- {SHIPS}\n");
        let report = assembled(&draft, &items(), &[(SHIPS, &[0]), (TESTS, &[1]), (SHIPS, &[]), (SHIPS, &[2])]);
        assert_eq!(numbered(&report), [(SHIPS, &[1][..]), (TESTS, &[2]), (SHIPS, &[]), (SHIPS, &[3])]);
    }

    /// What was a label when the draft was verified may be a statement now, and the other way round.
    #[test]
    fn what_was_not_recorded_has_nothing_and_takes_nothing_from_others() {
        let draft = format!("- {SHIPS}\n- {TESTS}\n- {COSTS}\n");
        let report = assembled(&draft, &items(), &[(SHIPS, &[0]), (COSTS, &[2])]);
        assert_eq!(numbered(&report), [(SHIPS, &[1][..]), (TESTS, &[]), (COSTS, &[2])]);
        let report = assembled(&format!("- {COSTS}\n"), &items(), &[(SHIPS, &[0]), (TESTS, &[1]), (COSTS, &[2])]);
        assert_eq!(numbered(&report), [(COSTS, &[1][..])]);
        assert_eq!(report.sources.len(), 1, "only what the report stands on is listed");
        // Not even nearly the same words.
        let report = assembled("- We ship on Monday.\n", &items(), &[(SHIPS, &[0])]);
        assert_eq!(numbered(&report), [("We ship on Monday.", &[][..])]);
    }

    #[test]
    fn a_source_has_one_number_and_stands_once() {
        let report = assembled(&format!("- {SHIPS}\n"), &items(), &[(SHIPS, &[1, 0, 1, 1])]);
        assert_eq!(numbered(&report), [(SHIPS, &[1, 2][..])]);
        assert_eq!(report.sources.iter().map(|it| it.number).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn a_source_that_is_gone_is_said_to_be() {
        let report = assembled(&format!("- {SHIPS}\n"), &items(), &[(SHIPS, &[99])]);
        assert_eq!((report.sources[0].place.as_str(), report.sources[0].author.as_ref()), ("no longer stored", None));
    }

    #[test]
    fn a_quotation_without_a_source_is_marked_and_counted() {
        let quotes = "Ana said \"we never ship anything here\".";
        let draft = |times: usize| format!("- {SHIPS}\n{}", format!("- {quotes}\n").repeat(times));
        for (times, note) in [(1, "1 statement quotes"), (2, "2 statements quote")] {
            let report = assembled(&draft(times), &items(), &[(SHIPS, &[0])]);
            let misquotes: Vec<_> = Report::statements_of(&report.blocks).iter().map(|it| it.misquotes).collect();
            assert_eq!(misquotes, [&[false][..], &vec![true; times]].concat());
            let note = format!("{note} what stands in none of the sources, marked as such.");
            assert!(report.notes.contains(&note), "{:?}", report.notes);
        }
        let report = assembled(&draft(1), &items(), &[(SHIPS, &[0]), (quotes, &[1])]);
        assert!(Report::statements_of(&report.blocks).iter().all(|it| !it.misquotes));
    }

    /// A subject of a megabyte is no report of a megabyte.
    #[test]
    fn long_names_are_cut() {
        let long = "ü".repeat(1_000_000);
        let named = MaterialItem { author: Some(long.clone()), title: Some(format!("{long}x")), place: long, ..item(SHIPS) };
        let source = assembled(&format!("- {SHIPS}\n"), &[named], &[(SHIPS, &[0])]).sources.remove(0);
        let lengths =
            [source.author.as_ref().unwrap(), source.title.as_ref().unwrap(), &source.place].map(|it| it.chars().count());
        assert_eq!(lengths, [NAME_CHARS, TITLE_CHARS, TITLE_CHARS]);
    }
}
