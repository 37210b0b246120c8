//! Which lines of an item are its own words: quotes, signatures, code, tables, headings and property lines are left out.
//!
//! Lines are decided about one by one, never joined: what is copied must stand in the item as it is.

use super::source::Kind;

/// Longest item text that is read; the rest is not looked at.
const LONGEST_TEXT: usize = 64 * 1024;

/// How a list item is ticked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Task {
    /// An open box.
    Open,
    /// A ticked box.
    Done,
}

/// A line of the item's own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// Byte offset of the text in the item.
    pub(super) start: usize,
    /// The line without indentation and list marker.
    pub(super) text: &'a str,
    /// Whether its first words belong to a sentence that began on the line before.
    pub(super) continues: bool,
    /// Whether its last words belong to a sentence that goes on in the next line.
    pub(super) goes_on: bool,
    /// The box before it.
    pub(super) task: Option<Task>,
    /// Whether a blank line or something left out stands before it.
    pub(super) opens: bool,
}

/// Cuts a text into lines with their byte offsets; every character that ends a line somewhere ends one here.
pub(super) fn split_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    const ENDS: [char; 7] = ['\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'];
    let mut start = 0;
    text.split_inclusive(ENDS).map(move |line| {
        let at = start;
        start += line.len();
        (at, line.trim_end_matches(ENDS))
    })
}

/// The lines of an item that are worth cutting into sentences.
pub(super) fn own_lines<'a>(text: &'a str, kind: Kind, title: Option<&str>) -> Vec<Line<'a>> {
    let mut reader = Reader { kind, title: title.unwrap_or_default().trim(), lines: Vec::new(), in_code: false, opens: true };
    let mut in_head = kind == Kind::Page;
    for (start, raw) in split_lines(head(text, LONGEST_TEXT)) {
        if reader.kind == Kind::Mail && !reader.lines.is_empty() && ends_mail(raw) {
            break;
        }
        if in_head && (raw.trim().is_empty() || is_property(raw) || reader.is_title(raw)) {
            reader.opens = true;
            continue;
        }
        in_head = false;
        reader.take(start, raw);
    }
    mark_wraps(&mut reader.lines);
    reader.lines
}

/// The text up to a number of bytes, cut between characters.
pub(super) fn head(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or_default()
}

struct Reader<'a, 't> {
    kind: Kind,
    title: &'t str,
    lines: Vec<Line<'a>>,
    in_code: bool,
    opens: bool,
}

impl<'a> Reader<'a, '_> {
    fn take(&mut self, start: usize, raw: &'a str) {
        let trimmed = raw.trim();
        let fences = trimmed.matches("```").count();
        let was_code = self.in_code;
        self.in_code ^= fences % 2 == 1;
        if is_attribution(trimmed) {
            self.drop_attribution();
            self.opens = true;
        } else if was_code || fences > 0 || trimmed.is_empty() || self.is_title(raw) || is_left_out(raw, self.kind) {
            self.opens = true;
        } else {
            let (skipped, task) = marker(raw);
            let text = raw.get(skipped..).unwrap_or_default();
            let opens = self.opens || task.is_some() || skipped > raw.len() - raw.trim_start().len();
            self.lines.push(Line { start: start + skipped, text, continues: false, goes_on: false, task, opens });
            self.opens = false;
        }
    }

    fn is_title(&self, raw: &str) -> bool {
        self.kind != Kind::Message && !self.title.is_empty() && raw.trim_start_matches(['#', ' ']).trim() == self.title
    }

    /// The line `On Monday … Ana Ruiz <ana@…>` of an attribution that was broken before its `wrote:`.
    fn drop_attribution(&mut self) {
        if self
            .lines
            .last()
            .is_some_and(|line| !self.opens && ["On ", "Am ", "Le ", "El "].iter().any(|it| line.text.starts_with(it)))
        {
            self.lines.pop();
        }
    }
}

/// Marks where a sentence was broken by the line width of a mail program.
fn mark_wraps(lines: &mut [Line<'_>]) {
    const WIDE: usize = 55;
    let mut previous: Option<&mut Line<'_>> = None;
    for line in lines {
        if let Some(before) = previous.take().filter(|_| !line.opens) {
            let is_open = !before.text.trim_end().ends_with(['.', '!', '?', ':', '。', '！', '？', '…', ';']);
            let is_lower = line.text.chars().next().is_some_and(char::is_lowercase);
            if is_open && (is_lower || before.text.chars().count() >= WIDE) {
                before.goes_on = true;
                line.continues = true;
            }
        }
        previous = Some(line);
    }
}

/// How many bytes of indentation and list markers stand before the words, and the box among them.
fn marker(raw: &str) -> (usize, Option<Task>) {
    let mut rest = raw.trim_start();
    let mut task = None;
    loop {
        let (next, found) = after_marker(rest);
        task = task.or(found);
        if next.len() == rest.len() {
            return (raw.len() - rest.len(), task);
        }
        rest = next.trim_start();
    }
}

fn after_marker(text: &str) -> (&str, Option<Task>) {
    const BOXES: [(&str, Task); 5] =
        [("[ ] ", Task::Open), ("[x] ", Task::Done), ("[X] ", Task::Done), ("☐", Task::Open), ("☑", Task::Done)];
    if let Some((rest, task)) = BOXES.iter().find_map(|(sign, task)| text.strip_prefix(sign).map(|rest| (rest, *task))) {
        return (rest, Some(task));
    }
    let bullet =
        text.strip_prefix(['-', '*', '+', '•', '–', '·', '◦', '▪', '●', '‣']).filter(|rest| rest.starts_with([' ', '\t']));
    let number = text.trim_start_matches(|it: char| it.is_ascii_digit());
    let digits = text.len() - number.len();
    let number = number.strip_prefix(['.', ')']).filter(|rest| (1..=3).contains(&digits) && rest.starts_with([' ', '\t']));
    (bullet.or(number).unwrap_or(text), None)
}

/// Whether the rest of a mail is a signature, a list's trailer, a patch or the mail that is answered.
fn ends_mail(raw: &str) -> bool {
    const SIGN_OFFS: &str = "|best|best regards|best wishes|kind regards|warm regards|warmly|regards|cheers|thanks|thanks again|\
        many thanks|thank you|thanks and regards|thanks & regards|sincerely|sincerely yours|yours|yours sincerely|all the best|\
        viele grüße|liebe grüße|beste grüße|mit freundlichen grüßen|freundliche grüße|cordialement|saludos|";
    let line = raw.trim();
    let lower = line.to_lowercase();
    let sign_off = lower.trim_end_matches([',', '!', '.', ' ']);
    line == "--"
        || line.starts_with("-----Original")
        || line.starts_with("diff --git ")
        || line.starts_with("@@ -")
        || line.starts_with("_______")
        || lower.starts_with("sent from my ")
        || (!sign_off.is_empty() && !sign_off.contains('|') && SIGN_OFFS.contains(&format!("|{sign_off}|")))
}

fn is_attribution(line: &str) -> bool {
    ["wrote:", "writes:", "schrieb:", "a écrit :", "escribió:"].iter().any(|end| line.ends_with(end)) && line.len() < 200
}

fn is_left_out(raw: &str, kind: Kind) -> bool {
    let line = raw.trim();
    let is_indented = raw.starts_with("    ") || raw.starts_with('\t');
    match kind {
        Kind::Mail if is_header(line) || line.starts_with(['$', '%', '#', '|']) => return true,
        Kind::Mail if is_indented && !line.ends_with(['.', '!', '?']) => return true,
        Kind::Event if is_event_line(line) => return true,
        _ => {}
    }
    line.starts_with('>')
        || line.starts_with('<')
        || line.starts_with("&gt;")
        || is_heading(line)
        || is_rule(line)
        || is_machine(line)
}

fn is_heading(line: &str) -> bool {
    line.starts_with('#') && line.trim_start_matches('#').starts_with(' ')
}

/// Rules, table rows and borders.
fn is_rule(line: &str) -> bool {
    line.starts_with('|') || line.matches(" | ").count() >= 2 || !line.chars().any(char::is_alphanumeric)
}

/// Stack traces, logs and patches.
fn is_machine(line: &str) -> bool {
    const STARTS: [&str; 9] =
        ["Traceback (", "File \"", "Caused by:", "Exception in thread", "diff --git ", "@@ -", "+++ ", "--- a/", "index "];
    let is_frame = line.starts_with("at ") && line.contains('(') && line.ends_with(')') && line.contains('.');
    let is_log = line.starts_with('[') && line.chars().take(30).filter(char::is_ascii_digit).count() >= 4;
    let mut date = line.bytes().take(11);
    let is_dated = date.len() == 11 && date.all(|it| it.is_ascii_digit() || b"-/:.T ".contains(&it));
    // A clock with seconds is a machine's.
    let is_timed = line.as_bytes().windows(8).any(|it| {
        it.iter().zip(b"00:00:00").all(|(sign, shape)| if *shape == b':' { sign == shape } else { sign.is_ascii_digit() })
    });
    let is_index = line.starts_with("index ") && !line.contains("..");
    is_frame || is_log || is_dated || is_timed || (STARTS.iter().any(|it| line.starts_with(it)) && !is_index)
}

fn is_header(line: &str) -> bool {
    const NAMES: &str = "|from|to|cc|bcc|sent|date|subject|reply-to|message-id|von|an|gesendet|betreff|datum|";
    line.split_once(':').is_some_and(|(name, value)| {
        let name = name.trim_matches(['*', ' ']).to_lowercase();
        value.starts_with([' ', '\t', '*']) && !name.is_empty() && !name.contains('|') && NAMES.contains(&format!("|{name}|"))
    })
}

/// The lines that calendars add to every event.
pub(super) fn is_event_line(line: &str) -> bool {
    ["When:", "Location:", "Attendees:", "Organizer:"].iter().any(|it| line.starts_with(it))
}

/// A line such as `Status: In progress` at the top of a page.
fn is_property(raw: &str) -> bool {
    let line = raw.trim();
    line.split_once(": ").or_else(|| line.strip_suffix(':').map(|name| (name, ""))).is_some_and(|(name, value)| {
        let is_name = name.split_whitespace().count() <= 3 && name.len() <= 40 && !name.contains(['.', '?', '!']);
        is_name && !value.trim_end().ends_with(['.', '!', '?']) && value.split_whitespace().count() <= 12
    })
}

#[cfg(test)]
mod unit {
    use super::*;

    fn texts(text: &str, kind: Kind) -> Vec<&str> {
        own_lines(text, kind, Some("Launch plan")).into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn quotes_and_signatures_are_not_the_authors_words() {
        let mail = "Hello Ben\n\nThe contract is fine.\n\nOn Monday, 2 March, Ben Okoye\n<ben@lumenfold.example> wrote:\n\
                    > Is the contract fine?\n\nBest,\nAna\n+49 151 0000\n";
        assert_eq!(texts(mail, Kind::Mail), ["Hello Ben", "The contract is fine."]);
        assert_eq!(texts("Yes.\n-- \nAna Ruiz\nLead", Kind::Mail), ["Yes."]);
        assert_eq!(texts("Thanks,\nit works now.", Kind::Mail), ["Thanks,", "it works now."]);
        assert_eq!(texts("Done.\n_______________\nlist mailing list", Kind::Mail), ["Done."]);
    }

    #[test]
    fn code_traces_and_tables_are_left_out() {
        let text = "It fails:\n```\nlet x = 1;\n```\nTraceback (most recent call last):\n  File \"a.py\", line 3\n| a | b |\n|---|---|\n\
                    2026-03-01 12:00:01 INFO started\nworker failed at 07:27:13\nat com.shop.Import.run(Import.java:12)\nand then it stops.";
        assert_eq!(texts(text, Kind::Message), ["It fails:", "and then it stops."]);
    }

    #[test]
    fn page_properties_and_headings_are_left_out() {
        let page = "# Launch plan\n\nStatus: In progress\nOwner: Ana\n\nWe open on Monday.\n## Risks\n- [ ] Ask the bank\n- [x] Print labels";
        let lines = own_lines(page, Kind::Page, Some("Launch plan"));
        let seen: Vec<_> = lines.iter().map(|line| (line.text, line.task)).collect();
        assert_eq!(seen, [("We open on Monday.", None), ("Ask the bank", Some(Task::Open)), ("Print labels", Some(Task::Done))]);
    }

    #[test]
    fn event_lines_are_kept_apart() {
        let event = "Launch plan\nWhen: 3 March 10:00 to 11:00\nWe go through the checklist.\nLocation: Room 4";
        assert_eq!(texts(event, Kind::Event), ["We go through the checklist."]);
    }

    #[test]
    fn sentences_broken_by_the_line_width_are_known() {
        let mail =
            "We moved the launch to Thursday because the importer is too slow for\nlarge shops. It is fine.\nNew paragraph";
        let lines = own_lines(mail, Kind::Mail, None);
        let wraps: Vec<_> = lines.iter().map(|line| (line.continues, line.goes_on)).collect();
        assert_eq!(wraps, [(false, true), (true, false), (false, false)]);
    }

    #[test]
    fn markers_are_skipped_and_offsets_hold() {
        let text = "  1. First thing\n• second thing\r\n   - * third";
        for line in own_lines(text, Kind::Message, None) {
            assert_eq!(text.get(line.start..line.start + line.text.len()), Some(line.text));
        }
        assert_eq!(texts(text, Kind::Message), ["First thing", "second thing", "third"]);
    }
}
