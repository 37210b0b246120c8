//! The writer that makes mistakes.

use super::faithful;
use super::prompt::Prompt;
use super::read;
use super::sentence::sentences;
use super::turn::Turn;

/// A mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slip {
    /// Every copied sentence says something else than its item.
    WrongQuotes,
    /// Items are cited that are not there.
    UnknownItems,
    /// True sentences are cited with the item of another one.
    SwappedItems,
    /// JSON where Markdown was asked for.
    Json,
    /// No text at all.
    Empty,
    /// A heading and nothing under it.
    OnlyHeading,
    /// The whole answer stands in a fenced block.
    Fenced,
    /// The first answer is empty, the next ones are as they should be.
    EmptyOnce,
}

pub(super) fn write(prompt: &Prompt, slip: Slip) -> Turn {
    let honest = faithful::write(prompt);
    if !prompt.tools.is_empty() && !prompt.has_results() {
        return honest;
    }
    let text = honest.said();
    match slip {
        Slip::WrongQuotes => {
            Turn::text(mapped(&text, |line| line.rsplit_once(" [").map(|(said, cited)| format!("{} [{cited}", bent(said)))))
        }
        Slip::UnknownItems => {
            Turn::text(mapped(&text, |line| line.rsplit_once(" [s").map(|(said, cited)| format!("{said} [s9{cited}"))))
        }
        Slip::SwappedItems => Turn::text(swapped(&text)),
        Slip::Json => {
            let items = read::items(&prompt.asked());
            let lines: Vec<_> = items.iter().filter_map(|it| sentences(&it.text).first().map(|it| (*it).to_owned())).collect();
            Turn::text(serde_json::json!({ "report": lines }).to_string())
        }
        Slip::OnlyHeading => Turn::text("## Highlights\n"),
        Slip::Fenced => Turn::text(format!("```markdown\n{text}```\n")),
        Slip::EmptyOnce if prompt.turns.iter().any(|it| it.by_model) => honest,
        Slip::Empty | Slip::EmptyOnce => Turn::text(""),
    }
}

fn mapped(text: &str, change: impl Fn(&str) -> Option<String>) -> String {
    text.lines().map(|it| change(it).unwrap_or_else(|| it.to_owned()) + "\n").collect()
}

/// The same words, but every other one in another place.
fn bent(said: &str) -> String {
    let mark = if said.starts_with("- ") { "- " } else { "" };
    let mut words: Vec<&str> = said.strip_prefix("- ").unwrap_or(said).split(' ').collect();
    words.reverse();
    format!("{mark}{} by 4711 percent", words.join(" "))
}

/// Every citation takes the place of the one before it.
fn swapped(text: &str) -> String {
    let cited: Vec<&str> = text.lines().filter_map(|it| it.rsplit_once(" [").map(|(_, cited)| cited)).collect();
    let mut next = cited.iter().cycle().skip(1);
    mapped(text, |_| None)
        .lines()
        .map(|line| match (line.rsplit_once(" ["), line.starts_with("- ")) {
            (Some((said, _)), true) => format!("{said} [{}\n", next.next().copied().unwrap_or_default()),
            _ => format!("{line}\n"),
        })
        .collect()
}
