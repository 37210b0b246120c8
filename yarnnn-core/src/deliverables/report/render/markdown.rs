//! The report as Markdown and as plain text.

use std::fmt::Write as _;

use super::super::model::{Block, ListItem, QUOTATION_NOT_FOUND, Report, ReportSource, Statement};

/// How statements and names are written.
#[derive(Clone, Copy)]
enum Form {
    Markdown,
    Plain,
    /// Slack's `mrkdwn`.
    Chat,
}

pub(in crate::deliverables) fn markdown(report: &Report) -> String {
    write(report, Form::Markdown)
}

pub(in crate::deliverables) fn plain(report: &Report) -> String {
    write(report, Form::Plain)
}

pub(in crate::deliverables) fn chat(report: &Report) -> String {
    write(report, Form::Chat)
}

fn write(report: &Report, form: Form) -> String {
    let mut out = String::new();
    form.heading(&mut out, 1, &report.title);
    let _ = writeln!(out, "{} · {} · as of {}", form.text(&report.kind), form.text(&report.period), form.text(&report.as_of));
    let mut previous: Option<&Block> = None;
    for block in &report.blocks {
        // Headings bring their own distance; between others a blank line keeps them apart.
        if previous.is_some_and(|it| !matches!(it, Block::Heading { .. })) && !matches!(block, Block::Heading { .. }) {
            out.push('\n');
        }
        write_block(&mut out, block, form);
        previous = Some(block);
    }
    if !report.sources.is_empty() {
        form.heading(&mut out, 2, "Sources");
    }
    for source in &report.sources {
        let _ = writeln!(out, "{}. {}", source.number, form.text(&source_line(source)));
    }
    form.heading(&mut out, 2, "Coverage");
    for line in &report.coverage {
        let _ = writeln!(out, "- {}", form.text(line));
    }
    out.push('\n');
    for note in &report.notes {
        let _ = writeln!(out, "{}", form.emphasis(note));
    }
    out
}

fn write_block(out: &mut String, block: &Block, form: Form) {
    match block {
        Block::Heading { level, text } => form.heading(out, usize::from(*level), text),
        Block::Paragraph(item) => {
            let _ = writeln!(out, "{}", item_line(item, form));
        }
        Block::List { items } => {
            for item in items {
                let _ = writeln!(out, "- {}", item_line(item, form));
            }
        }
    }
}

fn item_line(item: &ListItem, form: Form) -> String {
    let label = item.label.iter().map(|it| form.label(it));
    let statements = item.statements.iter().enumerate().map(|(index, it)| statement(it, item.statements.get(index + 1), form));
    label.chain(statements).collect::<Vec<_>>().join(" ")
}

/// A statement with its sources; the numbers stand once behind neighbours that share them.
fn statement(statement: &Statement, next: Option<&Statement>, form: Form) -> String {
    let mut text = form.text(&statement.text);
    if statement.sources.is_empty() {
        let mark = if statement.misquotes { QUOTATION_NOT_FOUND } else { "(inference)" };
        let _ = write!(text, " {}", form.emphasis(mark));
    } else if next.is_none_or(|it| it.sources != statement.sources) {
        for number in &statement.sources {
            text.push_str(&form.number(*number));
        }
    }
    text
}

/// `Ana Ruiz, #harbor-launch (Slack), 20 Nov 2026, 14:03 — Subject`.
pub(in crate::deliverables) fn source_line(source: &ReportSource) -> String {
    let place = if source.platform.is_empty() { source.place.clone() } else { format!("{} ({})", source.place, source.platform) };
    let parts = [source.author.clone(), Some(place), source.time.clone()];
    let line = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
    source.title.as_ref().map_or(line.clone(), |title| format!("{line} — {title}"))
}

impl Form {
    fn heading(self, out: &mut String, level: usize, text: &str) {
        if !out.is_empty() {
            out.push('\n');
        }
        let _ = match self {
            Self::Markdown => writeln!(out, "{} {}\n", "#".repeat(level), self.text(text)),
            Self::Plain if level < 3 => writeln!(out, "{}\n{}\n", self.text(text).to_uppercase(), underline(text)),
            Self::Plain => writeln!(out, "{}\n", self.text(text)),
            Self::Chat => writeln!(out, "*{}*\n", self.text(text)),
        };
    }

    fn text(self, text: &str) -> String {
        match self {
            Self::Markdown => escape(text),
            Self::Plain => text.split_whitespace().collect::<Vec<_>>().join(" "),
            Self::Chat => chat_text(text),
        }
    }

    fn label(self, text: &str) -> String {
        match self {
            Self::Markdown => format!("**{}:**", escape(text)),
            Self::Plain => format!("{}:", self.text(text)),
            Self::Chat => format!("*{}:*", chat_text(text)),
        }
    }

    fn emphasis(self, text: &str) -> String {
        match self {
            Self::Markdown => format!("*{}*", escape(text)),
            Self::Plain => text.to_owned(),
            Self::Chat => format!("_{}_", chat_text(text)),
        }
    }

    fn number(self, number: u32) -> String {
        match self {
            Self::Markdown => format!(" \\[{number}\\]"),
            Self::Plain | Self::Chat => format!(" [{number}]"),
        }
    }
}

/// As long as a heading is seen to be.
fn underline(heading: &str) -> String {
    let seen = heading.split_whitespace().collect::<Vec<_>>().join(" ").to_uppercase();
    "=".repeat(seen.chars().filter(|it| *it != '\u{200b}').count())
}

/// Text as Slack shows it literally: it has three characters to escape, and takes marks only at the ends of words, which a
/// zero-width space breaks. Addresses and mentions are broken in every form, before.
fn chat_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for (index, word) in text.split_whitespace().enumerate() {
        if index > 0 {
            out.push(' ');
        }
        for ch in word.chars() {
            match ch {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '*' | '_' | '~' | '`' => out.extend(['\u{200b}', ch, '\u{200b}']),
                ch => out.push(ch),
            }
        }
    }
    out
}

/// Text as Markdown shows it literally: specials escaped, white space folded.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for (index, word) in text.split_whitespace().enumerate() {
        if index > 0 {
            out.push(' ');
        }
        for ch in word.chars() {
            if "\\`*_{}[]<>#|~&".contains(ch) || (index == 0 && out.is_empty() && "+-=".contains(ch)) {
                out.push('\\');
            }
            out.push(ch);
        }
    }
    escape_number(out)
}

/// `1.` at the start of a line would begin a list.
fn escape_number(text: String) -> String {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    match text.as_bytes().get(digits) {
        Some(b'.' | b')') if digits > 0 => format!("{}\\{}", &text[..digits], &text[digits..]),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use pulldown_cmark::{Event, Parser};

    use super::*;

    fn shown(markdown: &str) -> String {
        let texts = Parser::new(markdown).filter_map(|event| match event {
            Event::Text(text) => Some(text.to_string()),
            Event::SoftBreak => Some(" ".into()),
            _ => None,
        });
        texts.collect()
    }

    proptest! {
        #[test]
        fn escaped_text_shows_as_it_was(text in "[ -~éß漢\\n]{0,60}") {
            let folded = text.split_whitespace().collect::<Vec<_>>().join(" ");
            prop_assert_eq!(shown(&escape(&text)), folded);
        }
    }
}
