//! What the command line prints: tables and colours for people, one JSON object for programs.

use std::io::IsTerminal as _;

use comfy_table::{ContentArrangement, Table, presets};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

/// How to print.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    json: bool,
    color: bool,
    progress: bool,
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
        Self { json, color, progress: std::io::stderr().is_terminal() }
    }

    /// Whether standard output holds one JSON object and nothing else.
    pub(crate) const fn is_json(&self) -> bool {
        self.json
    }

    /// Prints the one object of a command.
    pub(crate) fn json(&self, value: &Value) {
        write_line(&mut std::io::stdout().lock(), &format!("{value:#}"));
    }

    /// A line for people; nothing with `--json`.
    pub(crate) fn line(&self, text: &str) {
        if !self.json {
            write_line(&mut std::io::stdout().lock(), text);
        }
    }

    /// A line on standard error: progress and remarks.
    pub(crate) fn note(&self, text: &str) {
        write_line(&mut std::io::stderr().lock(), text);
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

/// A closed pipe ends the reader's interest, not the command's work.
fn write_line(out: &mut impl std::io::Write, text: &str) {
    let _ = writeln!(out, "{}", printable(text));
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
    fn foreign_control_sequences_do_not_reach_the_terminal() {
        assert_eq!(
            printable("\x1b[32mok\x1b[0m \x1b]0;title\x07 \x1b[2J"),
            "\x1b[32mok\x1b[0m \u{fffd}]0;title\u{fffd} \u{fffd}[2J"
        );
    }
}
