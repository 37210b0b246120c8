//! Cuts a calendar file into its events and time zones, each with the line it starts at.
//!
//! It reads nothing inside them: what is broken in one event stays in that event.

/// What a piece of the file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The properties of a calendar itself.
    Calendar,
    /// An event.
    Event,
    /// The definition of a time zone.
    Zone,
}

/// One piece of the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) kind: Kind,
    /// Which calendar of the file it belongs to.
    pub(super) calendar: usize,
    /// The line of its `BEGIN`, counted from one.
    pub(super) line: usize,
    /// Its lines with `BEGIN` and `END`.
    pub(super) text: String,
    /// Whether its `END` is there.
    pub(super) is_complete: bool,
}

/// Whether the first bytes of a file are those of a calendar, or of an event without one.
pub fn looks_like_ics(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let first = head.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default().trim_ascii_end();
    first.eq_ignore_ascii_case(b"BEGIN:VCALENDAR") || first.eq_ignore_ascii_case(b"BEGIN:VEVENT")
}

/// The pieces of a file, in its order.
pub(super) fn frames(text: &str) -> Vec<Frame> {
    let mut cutter = Cutter::default();
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        cutter.line(line.strip_suffix('\r').unwrap_or(line), index + 1);
    }
    cutter.close(false);
    cutter.frames
}

/// The longest description of a calendar itself that is kept, in bytes.
const MAX_CALENDAR_TEXT: usize = 64 * 1024;

#[derive(Default)]
struct Cutter {
    frames: Vec<Frame>,
    open: Option<Frame>,
    /// Components that are open inside the open one, or that are passed over.
    inner: Vec<String>,
    calendars: usize,
    /// Where the properties of the current calendar are.
    calendar_frame: Option<usize>,
}

impl Cutter {
    fn line(&mut self, line: &str, number: usize) {
        match bracket(line) {
            Some((true, name)) => self.begin(&name, line, number),
            Some((false, name)) => self.end(&name, line),
            None => self.content(line),
        }
    }

    fn begin(&mut self, name: &str, line: &str, number: usize) {
        let kind = match name {
            "VCALENDAR" => return self.begin_calendar(number),
            "VEVENT" => Kind::Event,
            "VTIMEZONE" if self.open.is_none() => Kind::Zone,
            _ => {
                self.inner.push(name.to_owned());
                return self.content(line);
            }
        };
        // An event inside an event means that the first one lost its end.
        self.close(false);
        let calendar = self.calendars.saturating_sub(1);
        self.open = Some(Frame { kind, calendar, line: number, text: format!("{line}\n"), is_complete: false });
    }

    fn begin_calendar(&mut self, number: usize) {
        self.close(false);
        self.calendar_frame = Some(self.frames.len());
        let text = "BEGIN:VCALENDAR\n".to_owned();
        self.frames.push(Frame { kind: Kind::Calendar, calendar: self.calendars, line: number, text, is_complete: true });
        self.calendars += 1;
    }

    fn end(&mut self, name: &str, line: &str) {
        match name {
            "VCALENDAR" => {
                self.close(false);
                self.calendar_frame = None;
            }
            "VEVENT" | "VTIMEZONE" if self.is_open(name) => {
                self.content(line);
                self.close(true);
            }
            _ => {
                self.content(line);
                if let Some(index) = self.inner.iter().rposition(|open| open == name) {
                    self.inner.truncate(index);
                }
            }
        }
    }

    fn is_open(&self, name: &str) -> bool {
        let kind = if name == "VEVENT" { Kind::Event } else { Kind::Zone };
        self.open.as_ref().is_some_and(|it| it.kind == kind)
    }

    fn content(&mut self, line: &str) {
        let target = match (&mut self.open, self.calendar_frame) {
            (Some(open), _) => Some(open),
            (None, Some(index)) if self.inner.is_empty() => {
                self.frames.get_mut(index).filter(|it| it.text.len() < MAX_CALENDAR_TEXT)
            }
            _ => None,
        };
        if let Some(frame) = target {
            frame.text.push_str(line);
            frame.text.push('\n');
        }
    }

    fn close(&mut self, is_complete: bool) {
        self.inner.clear();
        if let Some(frame) = self.open.take() {
            self.frames.push(Frame { is_complete, ..frame });
        }
    }
}

/// `BEGIN:x` or `END:x`: whether it begins, and the name in upper case.
fn bracket(line: &str) -> Option<(bool, String)> {
    let (word, name) = line.split_once(':')?;
    let begins = word.eq_ignore_ascii_case("BEGIN");
    (begins || word.eq_ignore_ascii_case("END")).then(|| (begins, name.trim().to_ascii_uppercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<(Kind, usize, usize, bool)> {
        frames(text).into_iter().map(|it| (it.kind, it.calendar, it.line, it.is_complete)).collect()
    }

    #[test]
    fn a_calendar_is_recognised_by_its_first_line() {
        for head in ["BEGIN:VCALENDAR\r\n", "\u{feff}\n\nbegin:vcalendar\n", "BEGIN:VEVENT\nUID:1", "BEGIN:VCALENDAR"] {
            assert!(looks_like_ics(head.as_bytes()), "{head:?}");
        }
        for head in ["", "BEGIN:VCARD\n", "# BEGIN:VCALENDAR", "[event]\nname = 1\n"] {
            assert!(!looks_like_ics(head.as_bytes()), "{head:?}");
        }
    }

    #[test]
    fn every_event_is_a_piece_of_its_own() {
        let text = "BEGIN:VCALENDAR\nX-WR-CALNAME:Work\nBEGIN:VTIMEZONE\nBEGIN:STANDARD\nEND:STANDARD\nEND:VTIMEZONE\nBEGIN:VEVENT\n\
            UID:1\nBEGIN:VALARM\nEND:VALARM\nEND:VEVENT\nBEGIN:VTODO\nUID:2\nEND:VTODO\nEND:VCALENDAR\nbegin:vcalendar\nBEGIN:VEVENT\nUID:3\n";
        assert_eq!(
            cut(text),
            [
                (Kind::Calendar, 0, 1, true),
                (Kind::Zone, 0, 3, true),
                (Kind::Event, 0, 7, true),
                (Kind::Calendar, 1, 16, true),
                (Kind::Event, 1, 17, false),
            ]
        );
        assert_eq!(frames(text)[0].text, "BEGIN:VCALENDAR\nX-WR-CALNAME:Work\n");
    }

    #[test]
    fn an_event_without_its_end_does_not_swallow_the_next() {
        let text = "BEGIN:VEVENT\nUID:1\nBEGIN:VEVENT\nUID:2\nEND:VEVENT\n";
        assert_eq!(cut(text), [(Kind::Event, 0, 1, false), (Kind::Event, 0, 3, true)]);
    }
}
