//! Reads a mailbox file mail by mail, holding one mail at a time.
//!
//! Accepts the `mboxo` and `mboxrd` quoting of `>From ` lines and both line ends. `Content-Length` headers are not believed.

use std::collections::VecDeque;
use std::io::{self, BufRead};

use chrono::{DateTime, Utc};

use super::{date, sniff};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// One mail as it lies in the file, without its separator line and unquoted.
#[derive(Debug)]
pub(super) struct RawMail {
    /// Where its separator line starts.
    pub(super) offset: u64,
    /// The date of the separator line.
    pub(super) separator: Option<DateTime<Utc>>,
    /// Its bytes, up to the limit.
    pub(super) bytes: Vec<u8>,
    /// Whether bytes over the limit were skipped.
    pub(super) is_cut: bool,
}

/// A mailbox that is read forwards from the start of a mail.
#[derive(Debug)]
pub(super) struct MboxReader<R> {
    lines: Lines<R>,
    limit: usize,
}

impl<R: BufRead> MboxReader<R> {
    /// Reads on from `offset`, which must be the start of the file or of a separator line.
    pub(super) fn new(input: R, offset: u64, limit: usize) -> Self {
        // A line is kept one byte longer than a mail may be, so that a single line can be over the limit.
        Self { lines: Lines { input, offset, limit: limit.saturating_add(1), ahead: VecDeque::new() }, limit }
    }

    /// Where the next mail starts; none at the end.
    pub(super) fn next_offset(&mut self) -> io::Result<Option<u64>> {
        while let Some(line) = self.lines.peek(0)? {
            if !line.is_blank() {
                return Ok(Some(line.offset));
            }
            self.lines.take()?;
        }
        Ok(None)
    }

    /// The next mail; none at the end.
    pub(super) fn next_mail(&mut self) -> io::Result<Option<RawMail>> {
        let Some(offset) = self.next_offset()? else {
            return Ok(None);
        };
        let mut mail = RawMail { offset, separator: None, bytes: Vec::new(), is_cut: false };
        self.read_separator(&mut mail)?;
        let mut after_blank = false;
        while !self.is_at_separator(after_blank)? {
            let Some(line) = self.lines.take()? else { break };
            after_blank = line.is_blank();
            mail.push(&line, self.limit);
        }
        mail.drop_last_blank_line();
        Ok(Some(mail))
    }

    /// Takes the separator line. What stands before the first one in a file is a mail without one.
    fn read_separator(&mut self, mail: &mut RawMail) -> io::Result<()> {
        if let Some(line) = self.lines.peek(0)?
            && line.text().starts_with(b"From ")
        {
            mail.separator = date::of_separator(line.text());
            self.lines.take()?;
        }
        Ok(())
    }

    fn is_at_separator(&mut self, after_blank: bool) -> io::Result<bool> {
        if !after_blank || !self.lines.peek(0)?.is_some_and(|line| line.bytes.starts_with(b"From ")) {
            return Ok(false);
        }
        let next = self.lines.peek(1)?.map(|line| line.bytes.clone()).unwrap_or_default();
        Ok(self.lines.peek(0)?.is_some_and(|line| sniff::is_separator(&line.bytes, &next)))
    }
}

impl RawMail {
    fn push(&mut self, line: &Line, limit: usize) {
        let bytes = unquoted(line.text());
        if self.is_cut || self.bytes.len().saturating_add(bytes.len()) > limit || line.is_cut {
            self.is_cut = true;
        } else {
            self.bytes.extend_from_slice(bytes);
        }
    }

    /// The blank line before the next separator belongs to the mailbox, not to the mail.
    fn drop_last_blank_line(&mut self) {
        let end = if self.bytes.ends_with(b"\r\n\r\n") { 2 } else { usize::from(self.bytes.ends_with(b"\n\n")) };
        // Of a mail without a body, the blank line is the end of its header.
        let kept = self.bytes.len().saturating_sub(end);
        self.bytes.truncate(kept);
    }
}

/// `>From `, `>>From ` and so on were quoted once more when they were written.
fn unquoted(line: &[u8]) -> &[u8] {
    let quotes = line.iter().take_while(|byte| **byte == b'>').count();
    let is_quoted = quotes > 0 && line.get(quotes..).is_some_and(|rest| rest.starts_with(b"From "));
    if is_quoted { line.get(1..).unwrap_or_default() } else { line }
}

#[derive(Debug)]
struct Line {
    offset: u64,
    bytes: Vec<u8>,
    is_cut: bool,
}

impl Line {
    fn is_blank(&self) -> bool {
        matches!(self.text(), b"\n" | b"\r\n" | b"")
    }

    /// The line without a byte order mark, which only the first line of a file can have.
    fn text(&self) -> &[u8] {
        let text = (self.offset == 0).then(|| self.bytes.strip_prefix(BYTE_ORDER_MARK)).flatten();
        text.unwrap_or(&self.bytes)
    }
}

/// Lines with their offsets, a few of them looked at in advance, none longer in memory than the limit.
#[derive(Debug)]
struct Lines<R> {
    input: R,
    offset: u64,
    limit: usize,
    ahead: VecDeque<Line>,
}

impl<R: BufRead> Lines<R> {
    fn peek(&mut self, index: usize) -> io::Result<Option<&Line>> {
        while self.ahead.len() <= index {
            let Some(line) = self.read()? else { break };
            self.ahead.push_back(line);
        }
        Ok(self.ahead.get(index))
    }

    fn take(&mut self) -> io::Result<Option<Line>> {
        self.peek(0)?;
        Ok(self.ahead.pop_front())
    }

    fn read(&mut self) -> io::Result<Option<Line>> {
        let mut line = Line { offset: self.offset, bytes: Vec::new(), is_cut: false };
        loop {
            let buffer = match self.input.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let piece = end.map_or(buffer, |end| buffer.get(..=end).unwrap_or(buffer));
            let kept = piece.len().min(self.limit.saturating_sub(line.bytes.len()));
            line.bytes.extend_from_slice(piece.get(..kept).unwrap_or_default());
            line.is_cut |= kept < piece.len();
            let read = piece.len();
            self.input.consume(read);
            self.offset = self.offset.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
            if end.is_some() || read == 0 {
                return Ok((self.offset > line.offset).then_some(line));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mails(text: &str, limit: usize) -> Vec<(u64, String, bool)> {
        // A tiny buffer makes every line cross its border.
        let mut reader = MboxReader::new(io::BufReader::with_capacity(3, text.as_bytes()), 0, limit);
        let next = || reader.next_mail().unwrap();
        std::iter::from_fn(next).map(|it| (it.offset, String::from_utf8(it.bytes).unwrap(), it.is_cut)).collect()
    }

    fn bodies(text: &str) -> Vec<String> {
        mails(text, 1000).into_iter().map(|(_, body, _)| body).collect()
    }

    const DATED: &str = "From a@b Tue Mar  3 09:00:00 2026\n";

    #[test]
    fn mails_are_separated_after_blank_lines_only() {
        let text = format!("\n{DATED}A: 1\n\none\n{DATED}still one\n\n{DATED}A: 2\n\ntwo");
        assert_eq!(bodies(&text), [format!("A: 1\n\none\n{DATED}still one\n"), "A: 2\n\ntwo".to_owned()]);
        assert_eq!(mails(&text, 1000).iter().map(|it| it.0).collect::<Vec<_>>(), [1, 90]);
    }

    #[test]
    fn a_sentence_that_begins_with_from_is_no_separator() {
        let text = format!("{DATED}A: 1\n\nhello\n\nFrom here it goes on.\nReally.\n\nFrom a@b\nA: 2\n\ntwo\n");
        assert_eq!(bodies(&text), ["A: 1\n\nhello\n\nFrom here it goes on.\nReally.\n", "A: 2\n\ntwo\n"]);
    }

    #[test]
    fn quoting_and_windows_line_ends_are_undone() {
        let text = format!("{DATED}A: 1\n\n>From me\n>>From you\n> From them\n").replace('\n', "\r\n");
        assert_eq!(bodies(&text), ["A: 1\r\n\r\nFrom me\r\n>From you\r\n> From them\r\n"]);
    }

    #[test]
    fn a_mail_over_the_limit_is_cut_and_the_next_one_is_whole() {
        let text = format!("{DATED}A: 1\n\n{}\n{}\n\n{DATED}A: 2\n\ntwo\n", "x".repeat(5), "y".repeat(500));
        assert_eq!(mails(&text, 20), [(0, "A: 1\n\nxxxxx\n".to_owned(), true), (548, "A: 2\n\ntwo\n".to_owned(), false)]);
    }

    #[test]
    fn what_stands_before_the_first_separator_is_a_mail_too() {
        assert_eq!(bodies(&format!("A: 0\n\nlost\n\n{DATED}A: 1\n\none\n")), ["A: 0\n\nlost\n", "A: 1\n\none\n"]);
        assert_eq!(bodies(&format!("\u{feff}{DATED}A: 1\n\none\n")), ["A: 1\n\none\n"]);
        assert!(bodies("\n\r\n\n").is_empty());
    }
}
