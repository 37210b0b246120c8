//! One mail per file: `.eml` files and the files of a Maildir.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use yarnnn_core::platform::Item;

use super::message::{self, Place};
use super::{date, header};
use crate::export::Limits;

/// Reads the mail of one file, or says in plain words why it cannot be read.
pub(super) fn read(path: &Path, label: &str, limits: &Limits) -> Result<Item, String> {
    let raw = bytes(path, limits.max_mail_bytes).map_err(|error| header::clean(&error.to_string()))?;
    let raw = raw.ok_or_else(|| too_large(limits))?;
    let (raw, separator) = without_separator(&raw);
    message::read(raw, Place { label, separator }, limits)
}

/// Why a mail over the limit is left out.
pub(super) fn too_large(limits: &Limits) -> String {
    format!("it is larger than {} bytes, the limit for one mail", limits.max_mail_bytes)
}

fn bytes(path: &Path, limit: usize) -> io::Result<Option<Vec<u8>>> {
    let mut raw = Vec::new();
    let limit = u64::try_from(limit).unwrap_or(u64::MAX);
    File::open(path)?.take(limit.saturating_add(1)).read_to_end(&mut raw)?;
    Ok(u64::try_from(raw.len()).is_ok_and(|read| read <= limit).then_some(raw))
}

/// Leaves out blank lines before the header, and the separator line of a mail that was cut out of a mailbox.
fn without_separator(raw: &[u8]) -> (&[u8], Option<chrono::DateTime<chrono::Utc>>) {
    let raw = raw.strip_prefix(b"\xef\xbb\xbf").unwrap_or(raw);
    let blank = raw.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    let raw = raw.get(blank..).unwrap_or_default();
    match raw.iter().position(|byte| *byte == b'\n') {
        Some(end) if raw.starts_with(b"From ") => {
            (raw.get(end + 1..).unwrap_or_default(), raw.get(..end).and_then(date::of_separator))
        }
        _ => (raw, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_lines_and_a_separator_are_left_out() {
        let (raw, date) = without_separator(b"\r\n\nFrom a@b Tue Mar  3 09:00:00 2026\nSubject: x\n\ny");
        assert_eq!(
            (raw, date.map(|it| it.to_rfc3339()).as_deref()),
            (&b"Subject: x\n\ny"[..], Some("2026-03-03T09:00:00+00:00"))
        );
        assert_eq!(without_separator(b"From: a\n\n").0, b"From: a\n\n");
        assert_eq!(without_separator(b"\n\n").0, b"");
    }
}
