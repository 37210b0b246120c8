//! What the command line prints: tables and colours for people, one JSON object for programs.

use std::io::{ErrorKind, IsTerminal as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use comfy_table::{ContentArrangement, Table, presets};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde_json::Value;

/// How to print.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    json: bool,
    color: bool,
    progress: bool,
    broken: Arc<AtomicBool>,
}

/// A colour with a meaning.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Tone {
    Good,
    Warning,
    Bad,
    Faint,
    Strong,
}

impl Output {
    /// Prints for people, unless `json`; in colour on a terminal, unless told otherwise.
    pub(crate) fn new(json: bool, no_color: bool) -> Self {
        let color = !json && !no_color && !yarnnn::config::no_color() && std::io::stdout().is_terminal();
        Self { json, color, progress: std::io::stderr().is_terminal(), broken: Arc::default() }
    }

    /// Whether standard output holds one JSON object and nothing else.
    pub(crate) const fn is_json(&self) -> bool {
        self.json
    }

    /// Prints the one object of a command.
    pub(crate) fn json(&self, value: &Value) {
        self.print(&escaped(&format!("{value:#}")));
    }

    /// A line for people; nothing with `--json`.
    pub(crate) fn line(&self, text: &str) {
        if !self.json {
            self.print(&printable(text));
        }
    }

    /// Whether everything for standard output got there; a reader who left early (a closed pipe) is no failure.
    pub(crate) fn is_complete(&self) -> bool {
        !self.broken.load(Ordering::Relaxed)
    }

    fn print(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        let written = writeln!(out, "{text}").and_then(|()| out.flush());
        if written.is_err_and(|error| error.kind() != ErrorKind::BrokenPipe) {
            self.broken.store(true, Ordering::Relaxed);
        }
    }

    /// A line on standard error: progress and remarks.
    #[expect(clippy::unused_self, reason = "everything that is printed goes through an `Output`")]
    pub(crate) fn note(&self, text: &str) {
        // Nobody can be told that standard error is broken.
        let _ = writeln!(std::io::stderr().lock(), "{}", printable(text));
    }

    /// The last words of a command that failed.
    pub(crate) fn error(&self, text: &str) {
        self.note(&format!("error: {text}"));
    }

    /// Text in a tone.
    pub(crate) fn tone(&self, text: &str, tone: Tone) -> String {
        let code = match tone {
            Tone::Good => "32",
            Tone::Warning => "33",
            Tone::Bad => "31",
            Tone::Faint => "2",
            Tone::Strong => "1",
        };
        if self.color { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// A table for people; nothing with `--json`.
    pub(crate) fn table(&self, header: &[&str], rows: Vec<Vec<String>>) {
        if self.json {
            return;
        }
        let mut table = Table::new();
        table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
        table.set_header(header);
        for row in rows {
            table.add_row(row);
        }
        self.line(&table.to_string());
    }

    /// The step at hand, on a terminal.
    pub(crate) fn steps(&self) -> ProgressBar {
        if self.progress { ProgressBar::new_spinner() } else { ProgressBar::hidden() }
    }

    /// Whether standard error is a terminal, where progress can be drawn.
    pub(crate) const fn is_live(&self) -> bool {
        self.progress
    }

    /// A bar for each of these, on a terminal.
    pub(crate) fn bars(&self, names: &[&str]) -> Vec<ProgressBar> {
        let all = MultiProgress::new();
        let bar = |name: &&str| {
            let bar = if self.progress { all.add(ProgressBar::new_spinner()) } else { ProgressBar::hidden() };
            if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix:<9} {wide_msg} {elapsed}") {
                bar.set_style(style);
            }
            bar.with_prefix((*name).to_owned())
        };
        names.iter().map(bar).collect()
    }

    /// A bar for work of unknown length; silent where standard error is no terminal.
    pub(crate) fn spinner(&self, text: &str) -> ProgressBar {
        if !self.progress {
            self.note(text);
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::new_spinner().with_message(text.to_owned());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} · {human_pos} records · {elapsed}") {
            bar.set_style(style);
        }
        bar
    }
}

/// JSON with its remaining control characters escaped: the same value, and safe on a terminal.
fn escaped(json: &str) -> String {
    use std::fmt::Write as _;
    let mut safe = String::with_capacity(json.len());
    for ch in json.chars() {
        match ch {
            '\n' => safe.push(ch),
            ch if ch.is_control() => drop(write!(safe, "\\u{:04x}", u32::from(ch))),
            ch => safe.push(ch),
        }
    }
    safe
}

/// Foreign text may hold control sequences; only line breaks, tabs and our own colours pass.
fn printable(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(ch) = rest.chars().next() {
        let ours =
            ["\x1b[32m", "\x1b[33m", "\x1b[31m", "\x1b[2m", "\x1b[1m", "\x1b[0m"].into_iter().find(|it| rest.starts_with(it));
        let length = ours.map_or(ch.len_utf8(), str::len);
        match ours {
            Some(code) => clean.push_str(code),
            None if ch.is_control() && !matches!(ch, '\n' | '\t') => clean.push('\u{fffd}'),
            None => clean.push(ch),
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_keeps_its_value() {
        let value = serde_json::json!({ "text": "a\u{92}b\u{7f}c\u{1b}" });
        let printed = escaped(&format!("{value:#}"));
        assert!(!printed.chars().any(|ch| ch.is_control() && ch != '\n'));
        assert_eq!(serde_json::from_str::<Value>(&printed).unwrap(), value);
    }

    #[test]
    fn foreign_control_sequences_do_not_reach_the_terminal() {
        assert_eq!(
            printable("\x1b[32mok\x1b[0m \x1b]0;title\x07 \x1b[2J"),
            "\x1b[32mok\x1b[0m \u{fffd}]0;title\u{fffd} \u{fffd}[2J"
        );
    }
}
