//! Which sentences of an item can stand in a report by themselves. Greetings, signatures, headings, rows of tables, code, quoted
//! mail and what only announces a list are passed over.

use super::read::Item;
use super::sentence::{plain, sentences, words};

/// Lines that long were broken by a mail program when the next one begins in small letters.
const BROKEN_FROM: usize = 50;
/// Fewer words than these say nothing by themselves.
const FEWEST_WORDS: usize = 3;
/// Scripts without spaces between words: so many characters are a sentence all the same.
const FEWEST_CHARACTERS: usize = 12;

const GREETINGS: [&str; 7] = ["hi", "hello", "hey", "dear", "hallo", "good morning", "good evening"];
const FAREWELLS: [&str; 12] = [
    "all the best",
    "best",
    "best regards",
    "best wishes",
    "cheers",
    "greetings",
    "kind regards",
    "many thanks",
    "regards",
    "thank you",
    "thanks",
    "yours sincerely",
];
/// What calendars write before the times and the guests of an event.
const WHEN: &str = "When: ";
const ATTENDEES: &str = "Attendees: ";

/// How a sentence stands in its item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// As part of a text.
    Sentence,
    /// As part of a list or page, without a sign at its end.
    Loose,
    /// Behind an open box.
    Open,
    /// Behind a ticked box.
    Ticked,
    /// As the time of an event.
    Time,
    /// As the guests of an event.
    Guests,
}

/// A sentence that can be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Passage {
    pub(super) shape: Shape,
    pub(super) text: String,
}

/// The sentences of an item that can be told, in its order.
pub(super) fn passages(item: &Item) -> Vec<Passage> {
    let is_page = matches!(item.platform.as_str(), "notion" | "calendar");
    own_lines(&item.text, is_page).iter().flat_map(|line| of_line(line, is_page)).collect()
}

/// The lines of the author's own words; what a mail program broke is joined.
fn own_lines(text: &str, is_page: bool) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let (mut in_code, mut is_open) = (false, false);
    for line in text.lines().map(str::trim) {
        let is_fence = line.starts_with("```");
        in_code ^= is_fence;
        if !lines.is_empty() && ends_letter(line) {
            break;
        }
        if in_code || is_fence || is_frame(line) || is_page && is_property(line) {
            is_open = false;
            continue;
        }
        match lines.last_mut().filter(|before| is_open && goes_on(before, line)) {
            Some(before) => before.extend([" ", line]),
            None => lines.push(line.to_owned()),
        }
        is_open = true;
    }
    lines
}

fn goes_on(before: &str, line: &str) -> bool {
    let is_ended = before.ends_with(['.', '!', '?', ':', '…']);
    !is_ended && before.chars().count() >= BROKEN_FROM && line.starts_with(char::is_lowercase)
}

/// Farewells, signatures and what a mail program puts before quoted mail.
fn ends_letter(line: &str) -> bool {
    line == "--" || FAREWELLS.contains(&plain(line).as_str()) || line.starts_with("On ") && line.ends_with("wrote:")
}

fn is_frame(line: &str) -> bool {
    line.starts_with(['#', '>', '|', '<'])
        || line.matches(" | ").count() > 1
        || line.ends_with(':')
        || !line.contains(char::is_alphanumeric)
        || is_greeting(line)
}

fn is_greeting(line: &str) -> bool {
    let said = plain(line);
    let greets = GREETINGS.iter().any(|it| said.strip_prefix(it).is_some_and(|rest| rest.is_empty() || rest.starts_with(' ')));
    greets && words(line) <= 4
}

/// A line such as `Owner: Ana Ruiz` of a page or an event.
fn is_property(line: &str) -> bool {
    let is_short = |(name, value): (&str, &str)| words(name) <= 3 && words(value) <= 8;
    let is_kept = line.starts_with(WHEN) || line.starts_with(ATTENDEES) || line.ends_with(['.', '!', '?']);
    !is_kept && line.split_once(": ").is_some_and(is_short)
}

fn of_line(line: &str, is_page: bool) -> Vec<Passage> {
    for (start, shape) in [(WHEN, Shape::Time), (ATTENDEES, Shape::Guests)] {
        if let Some(text) = line.strip_prefix(start).filter(|_| is_page) {
            return vec![Passage { shape, text: text.to_owned() }];
        }
    }
    let (text, mark) = unlisted(line);
    let shape = |text: &str| match mark {
        Some(Shape::Loose) | None if text.ends_with(['.', '!', '?', '…', ')']) => Shape::Sentence,
        None if !is_page => Shape::Sentence,
        it => it.unwrap_or(Shape::Loose),
    };
    let told = sentences(text).into_iter().filter(|it| can_stand(it));
    told.map(|it| Passage { shape: shape(it), text: it.to_owned() }).collect()
}

/// The text behind the sign of a list, and what that sign says.
fn unlisted(line: &str) -> (&str, Option<Shape>) {
    let number = line.trim_start_matches(|it: char| it.is_ascii_digit());
    let numbered = number.strip_prefix(['.', ')']).filter(|_| number.len() < line.len());
    let listed = line.strip_prefix(['-', '*', '•']).or(numbered).and_then(|it| it.strip_prefix(' '));
    // Services write a box without a sign of a list before it, exports with one.
    let rest = listed.unwrap_or(line);
    let boxes = [("[ ] ", Shape::Open), ("[x] ", Shape::Ticked), ("[X] ", Shape::Ticked)];
    let ticked = boxes.into_iter().find_map(|(sign, shape)| Some((rest.strip_prefix(sign)?, Some(shape))));
    ticked.unwrap_or((rest, listed.map(|_| Shape::Loose)))
}

fn can_stand(text: &str) -> bool {
    let is_long = words(text) >= FEWEST_WORDS || !text.is_ascii() && text.chars().count() >= FEWEST_CHARACTERS;
    is_long && !text.ends_with([':', ',']) && !is_greeting(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(platform: &str, text: &str) -> Vec<(Shape, String)> {
        let item = Item { platform: platform.to_owned(), text: text.to_owned(), ..Item::default() };
        passages(&item).into_iter().map(|it| (it.shape, it.text)).collect()
    }

    fn texts(platform: &str, text: &str) -> Vec<String> {
        told(platform, text).into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn of_a_letter_only_its_message_is_left() {
        let letter = "Hi Nadia,\n\nthe contract is signed and in the\nmail. Two points are open:\n\nBest regards\nAna Ruiz, head of sales\n";
        assert_eq!(texts("gmail", letter), ["the contract is signed and in the"]);
        let broken = "We moved the launch to Thursday because the importer is too\nslow for large shops.\n\nOn Monday Ben wrote:\n> Is it?";
        assert_eq!(texts("gmail", broken), ["We moved the launch to Thursday because the importer is too slow for large shops."]);
    }

    #[test]
    fn headings_tables_code_and_properties_are_passed_over() {
        let page = "Status: In progress\n# Risks of the launch\n| Risk | Chance | Owner |\nRisk | Chance | Owner\n```\nlet it = run();\n```\n\
                    It opens on Monday.\n- [x] The price page is approved\n[ ] The help pages are written\n- Price for the group";
        let expected = [
            (Shape::Sentence, "It opens on Monday."),
            (Shape::Ticked, "The price page is approved"),
            (Shape::Open, "The help pages are written"),
            (Shape::Loose, "Price for the group"),
        ];
        assert_eq!(told("notion", page), expected.map(|(shape, text)| (shape, text.to_owned())));
    }

    #[test]
    fn an_event_has_a_time_and_guests() {
        let event = "When: 2026-03-03 10:30 to 2026-03-03 11:15\nLocation: Room 4\nAttendees: Ana Ruiz, Ben Okoye";
        let expected = [(Shape::Time, "2026-03-03 10:30 to 2026-03-03 11:15"), (Shape::Guests, "Ana Ruiz, Ben Okoye")];
        assert_eq!(told("calendar", event), expected.map(|(shape, text)| (shape, text.to_owned())));
    }
}
