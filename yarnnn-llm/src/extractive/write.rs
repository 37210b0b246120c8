//! The report as Markdown: headings, labels, copied text with its specials escaped, citations.
//!
//! Escaping is such that a `CommonMark` parser gives back exactly the copied characters, also with the usual extensions.

use yarnnn_core::evidence::is_long_enough;

use super::group::{Arranged, Bullet, Group};

/// Writes the sections that have something to say, up to a number of bytes. The flag tells whether all of it fitted.
pub(super) fn report(sections: &[Arranged<'_>], limit: usize) -> (String, bool) {
    let mut page = Page { text: String::new(), limit };
    for section in sections {
        let mut heading = Some(format!("## {}\n", escape(section.heading.trim())));
        for group in &section.groups {
            if !page.group(&mut heading, group) {
                return (page.text, false);
            }
        }
    }
    (page.text, true)
}

struct Page {
    text: String,
    limit: usize,
}

impl Page {
    /// Writes a group; headings are written with the first bullet below them, so none can stand alone.
    fn group(&mut self, heading: &mut Option<String>, group: &Group<'_>) -> bool {
        let mut label = group.label.as_ref().map(|label| format!("### {}\n", escape(label)));
        for bullet in &group.bullets {
            let mut block = String::new();
            if let Some(heading) = heading.take() {
                block += if self.text.is_empty() { "" } else { "\n" };
                block += &heading;
            }
            block += &label.take().unwrap_or_default();
            block += &line(bullet);
            if self.text.len().saturating_add(block.len()) > self.limit {
                return false;
            }
            self.text += &block;
        }
        true
    }
}

fn line(bullet: &Bullet<'_>) -> String {
    let label = bullet.label.as_ref().map(|label| format!("**{}:** ", escape(label))).unwrap_or_default();
    let quote = if needs_quotes(bullet.text) { "\"" } else { "" };
    format!("- {label}{quote}{}{quote} [{}]\n", escape(bullet.text), bullet.reference)
}

/// Whether a text is too short to be recognised in its item unless it is quoted.
fn needs_quotes(text: &str) -> bool {
    !is_long_enough(text)
}

/// Whether a text can stand in a bullet so that it is found in its item: not empty, on one line, and quotable if it is short.
pub(super) fn can_be_cited(text: &str) -> bool {
    let is_line = !text.is_empty() && text.trim() == text && !text.chars().any(char::is_control);
    let is_quotable = !text.contains('"') || !needs_quotes(text);
    is_line && is_quotable
}

/// Escapes what Markdown would take for itself.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    let mut previous = None;
    for (position, sign) in text.char_indices() {
        let after = text.get(position + sign.len_utf8()..).unwrap_or_default();
        let before = text.get(..position).unwrap_or_default();
        if is_special(sign, previous, before, after) {
            escaped.push('\\');
        }
        escaped.push(sign);
        previous = Some(sign);
    }
    escaped
}

fn is_special(sign: char, previous: Option<char>, before: &str, after: &str) -> bool {
    let next = after.chars().next();
    match sign {
        '\\' | '`' | '*' | '[' | ']' | '<' | '{' | '}' | '~' | '|' | '$' | '^' => true,
        // Inside a word an underscore is only itself.
        '_' => !(previous.is_some_and(char::is_alphanumeric) && next.is_some_and(char::is_alphanumeric)),
        '&' => is_entity(after),
        '>' | '+' | '-' | '=' | ':' => before.is_empty(),
        // At the start a heading, at the end what closes one.
        '#' => before.is_empty() || after.chars().all(|it| it == '#'),
        // The number of a list.
        '.' | ')' => !before.is_empty() && before.len() <= 9 && before.bytes().all(|it| it.is_ascii_digit()),
        _ => false,
    }
}

fn is_entity(after: &str) -> bool {
    const LONGEST_NAME: usize = 40;
    let name = after.chars().take(LONGEST_NAME).position(|it| !it.is_ascii_alphanumeric() && it != '#');
    name.is_some_and(|end| end > 0 && after.chars().nth(end) == Some(';'))
}

#[cfg(test)]
pub(super) mod unit {
    use std::fmt::Write as _;

    use proptest::prelude::*;
    use pulldown_cmark::{Event, Options, Parser};

    use super::*;

    /// Everything a parser may have switched on, except what changes plain quotes and dashes.
    fn options() -> Options {
        Options::all() - Options::ENABLE_SMART_PUNCTUATION
    }

    pub(in crate::extractive) fn plain_text(markdown: &str) -> String {
        let mut text = String::new();
        for event in Parser::new_ext(markdown, options()) {
            match event {
                Event::Text(part) => text.push_str(&part),
                Event::SoftBreak | Event::HardBreak => text.push('\n'),
                Event::Start(_) | Event::End(_) => {}
                other => write!(text, "{other:?}").unwrap(),
            }
        }
        text
    }

    fn check(text: &str) {
        let escaped = escape(text);
        assert_eq!(plain_text(&format!("- {escaped} [s1]\n")), format!("{text} [s1]"), "alone: {escaped}");
        assert_eq!(plain_text(&format!("- **Ana:** \"{escaped}\" [s1]\n")), format!("Ana: \"{text}\" [s1]"), "quoted: {escaped}");
        assert_eq!(plain_text(&format!("- **{escaped}:** so [s1]\n")), format!("{text}: so [s1]"), "label: {escaped}");
        assert_eq!(plain_text(&format!("### {escaped}\n")), text, "heading: {escaped}");
    }

    #[test]
    fn specials_come_back_as_they_were() {
        for text in [
            "1. no list",
            "- no list",
            "+ no list",
            "# no heading #",
            "C# and F#",
            "ends with ##",
            "a &amp; b &#35; R&D &copy;",
            "<script>alert(1)</script>",
            "<https://lumenfold.example>",
            "[x](javascript:alert)",
            "see [s3] and ![s4] and [^1]",
            "back\\slash \\* end\\",
            "snake_case __init__ _em_ a_b_",
            "**bold** ~~gone~~ `code` $x$ ^up^ |a|b|",
            "heading {#id .class}",
            "a -- b ... \"quoted\" 'single'",
            "12345) text",
            "> quote",
            ": definition",
            "=== ---",
            "[ ] task",
            "[!NOTE]",
        ] {
            check(text);
        }
    }

    #[test]
    fn short_texts_are_quoted_and_long_ones_are_not() {
        let bullet = |text| Bullet { label: Some("Ben Okoye".to_owned()), text, reference: "s7" };
        assert_eq!(line(&bullet("Ship it now.")), "- **Ben Okoye:** \"Ship it now.\" [s7]\n");
        assert_eq!(
            line(&bullet("We ship the importer on Thursday.")),
            "- **Ben Okoye:** We ship the importer on Thursday. [s7]\n"
        );
        assert!(!can_be_cited("the \"old\" one"));
        assert!(can_be_cited("the \"old\" one is slower than the new one"));
    }

    #[test]
    fn nothing_is_written_beyond_the_limit() {
        let bullets =
            (0..3).map(|_| Bullet { label: None, text: "We ship the importer on Thursday.", reference: "s1" }).collect();
        let section = Arranged { heading: "Done", groups: vec![Group { label: None, bullets }] };
        assert_eq!(
            report(std::slice::from_ref(&section), 60),
            ("## Done\n- We ship the importer on Thursday. [s1]\n".to_owned(), false)
        );
        assert_eq!(report(&[section], 10), (String::new(), false));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn any_text_survives_markdown(text in "[^\\p{Cc}\\p{Zl}\\p{Zp}]{1,40}") {
            let text = text.trim();
            prop_assume!(!text.is_empty());
            check(text);
        }

        #[test]
        fn any_signs_survive_markdown(text in "[-a1 \\\\`*_{}\\[\\]<>#+!|~$^&;:.()=\"']{1,16}") {
            let text = text.trim();
            prop_assume!(!text.is_empty());
            check(text);
        }
    }
}
