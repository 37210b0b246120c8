//! Text of others as it may be shown: one line, nothing hidden, nothing that a client turns into a link, and no number that
//! looks like one of the report's own sources.
//!
//! Evidence is bound before, on the text as it was written; only what is shown changes. An address that is copied out of a report
//! has the signs that break it in it: `docs/report.md` says why there is no other way.

use super::super::model::{Block, ListItem, Report, ReportSource};

/// Breaks an address without being seen.
const BREAK: char = '\u{200b}';

/// The number of a host is looked for so many signs to each side: programs also take numbers with zeros before them.
const NUMBER_OF_HOST: usize = 64;

/// What holds a number like the report's own, and what it becomes.
const BRACKETS: [(char, char); 6] = [('[', ']'), ('［', '］'), ('【', '】'), ('〔', '〕'), ('⟦', '⟧'), ('〚', '〛')];

/// A report with all its texts inert: whatever a model or a synced name brought into them.
pub(in crate::deliverables) fn report(mut report: Report) -> Report {
    report.title = inert(&report.title);
    report.blocks.iter_mut().for_each(block);
    report.sources.iter_mut().for_each(source);
    for line in report.coverage.iter_mut().chain(&mut report.notes) {
        *line = inert(line);
    }
    report
}

fn block(block: &mut Block) {
    match block {
        Block::Heading { text, .. } => *text = inert(text),
        Block::Paragraph(it) => item(it),
        Block::List { items } => items.iter_mut().for_each(item),
    }
}

fn item(item: &mut ListItem) {
    let texts = item.label.iter_mut().chain(item.statements.iter_mut().map(|it| &mut it.text));
    texts.for_each(|it| *it = inert(it));
}

fn source(source: &mut ReportSource) {
    source.place = inert(&source.place);
    for text in source.author.iter_mut().chain(&mut source.title) {
        *text = inert(text);
    }
}

/// A text of others, to be shown.
pub(in crate::deliverables) fn inert(text: &str) -> String {
    unlinked(&unnumbered(&clean(text)))
}

/// One line without what hides in it: control characters, what turns the direction of text, what has no width. A joiner stays
/// where writing needs it: between two characters beyond ASCII, as in Persian words and in joined emoji.
pub(crate) fn clean(text: &str) -> String {
    let seen: Vec<char> = text.chars().filter(|it| it.is_whitespace() || !is_hidden(*it)).collect();
    let mut kept = String::with_capacity(text.len());
    let mut previous = ' ';
    for (index, ch) in seen.iter().copied().enumerate() {
        let next = seen.get(index + 1).copied().unwrap_or(' ');
        let stays = match ch {
            '\u{200c}' | '\u{200d}' => is_joined(previous) && is_joined(next) && !is_selector(next),
            _ if is_selector(ch) => is_joined(previous) && !is_selector(previous),
            _ => true,
        };
        if stays {
            kept.push(ch);
            previous = ch;
        }
    }
    kept.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_joined(ch: char) -> bool {
    !ch.is_ascii() && !ch.is_whitespace() && !matches!(ch, '\u{200c}' | '\u{200d}')
}

/// Chooses between the text and the emoji form of a character.
const fn is_selector(ch: char) -> bool {
    matches!(ch, '\u{fe0e}' | '\u{fe0f}')
}

fn is_hidden(ch: char) -> bool {
    ch.is_control()
        || matches!(ch,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{3164}' | '\u{feff}'
            | '\u{ffa0}' | '\u{180b}'..='\u{180f}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0d}' | '\u{fff9}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// `[3]` is how the report names its third source; what others write so stands in round brackets.
fn unnumbered(text: &str) -> String {
    let mut signs: Vec<char> = text.chars().collect();
    let mut open: Option<usize> = None;
    let mut has_number = false;
    for index in 0..signs.len() {
        let Some(&ch) = signs.get(index) else { break };
        if BRACKETS.iter().any(|(opening, _)| *opening == ch) {
            (open, has_number) = (Some(index), false);
        } else if BRACKETS.iter().any(|(_, closing)| *closing == ch) {
            if let Some(start) = open.take().filter(|_| has_number) {
                for (at, round) in [(start, '('), (index, ')')] {
                    signs.get_mut(at).into_iter().for_each(|it| *it = round);
                }
            }
        } else if ch.is_numeric() {
            has_number = true;
        } else if ch.is_alphabetic() {
            open = None;
        }
    }
    signs.into_iter().collect()
}

/// Breaks what clients take for an address: `scheme:`, `//`, `@`, `www.` and any `name.tld`.
fn unlinked(text: &str) -> String {
    let signs: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len() + 8);
    for (index, ch) in signs.iter().copied().enumerate() {
        let before = index.checked_sub(1).and_then(|it| signs.get(it)).copied().unwrap_or(' ');
        let rest = signs.get(index + 1..).unwrap_or_default();
        let after = rest.first().copied().unwrap_or(' ');
        if ch == '@' && !before.is_whitespace() {
            out.push(BREAK);
        }
        let breaks = match ch {
            '@' => !after.is_whitespace(),
            ':' => ends_scheme(before, after),
            '/' | '\\' => matches!(after, '/' | '\\'),
            '.' | '。' | '．' | '｡' => is_in_name(ch, before, rest) || is_in_number_of_host(&signs, index),
            _ => false,
        };
        // On both sides of a dot: some look for `www.` alone.
        if breaks && ch == '.' {
            out.push(BREAK);
        }
        out.push(ch);
        if breaks {
            out.push(BREAK);
        }
    }
    out
}

fn ends_scheme(before: char, after: char) -> bool {
    let is_clock = before.is_ascii_digit() && after.is_ascii_digit();
    matches!(after, '/' | '\\') || before.is_alphanumeric() && !after.is_whitespace() && !is_clock
}

/// Whether a dot stands inside the number of a host: four parts of digits.
fn is_in_number_of_host(signs: &[char], at: usize) -> bool {
    let is_part = |it: &&char| it.is_ascii_digit() || **it == '.';
    let before = signs.get(..at).unwrap_or_default().iter().rev().take(NUMBER_OF_HOST).take_while(is_part);
    let from = signs.get(at..).unwrap_or_default().iter().take(NUMBER_OF_HOST).take_while(is_part);
    before.chain(from).filter(|it| **it == '.').count() >= 3
}

/// Whether a dot stands inside a name of a host. One letter behind it is an abbreviation, digits around it are a number.
fn is_in_name(dot: char, before: char, rest: &[char]) -> bool {
    let is_part = |it: char| !it.is_whitespace() && !it.is_ascii_punctuation() && (dot == '.' || it.is_ascii_alphanumeric());
    let after = rest.iter().copied().take_while(|it| is_part(*it)).take(2).collect::<Vec<_>>();
    let is_number = before.is_ascii_digit() && after.first().is_some_and(char::is_ascii_digit);
    is_part(before) && after.len() == 2 && !is_number
        || matches!(before, 'w' | 'W') && after.first().is_some_and(char::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_hides_goes_and_what_is_written_stays() {
        for (given, shown) in [
            ("a\u{0}b\u{1b}[31mc\u{7f}\u{9b}d", "ab[31mcd"),
            ("one\r\n two\t\u{85}three\u{2028}four", "one two three four"),
            ("pay\u{202e}lla\u{202c} \u{2066}now\u{2069}\u{200f}\u{61c}", "paylla now"),
            ("s\u{200b}e\u{200c}c\u{200d}r\u{2060}e\u{feff}t\u{ad}", "secret"),
            ("hi\u{e0001}\u{e0068}\u{e0069}\u{e007f}", "hi"),
            ("x\u{fe0f}\u{fe01}\u{e0101}y", "xy"),
            ("👩\u{200d}💻 ❤\u{fe0f}\u{200d}🔥", "👩\u{200d}💻 ❤\u{fe0f}\u{200d}🔥"),
            ("می\u{200c}خواهم", "می\u{200c}خواهم"),
            ("é\u{200d}\u{200c}\u{200d}é", "é\u{200d}é"),
        ] {
            assert_eq!(clean(given), shown, "{given:?}");
        }
    }

    #[test]
    fn no_number_of_others_looks_like_a_source() {
        for (given, shown) in [
            ("It is proven. [1]", "It is proven. (1)"),
            ("So [1][2], [3, 4] and [ 5–7 ]", "So (1)(2), (3, 4) and ( 5–7 )"),
            ("[\u{200b}1\u{2060}]", "(1)"),
            ("［1］【２】〔３〕 [①] [¹]", "(1)(２)(３) (①) (¹)"),
            ("[[1]]", "[(1)]"),
            ("see [s3] and [x] and array[i]", "see [s3] and [x] and array[i]"),
        ] {
            assert_eq!(inert(given), shown, "{given:?}");
        }
    }

    #[test]
    fn nothing_is_an_address() {
        for (given, shown) in [
            ("https://evil.example/a?b=c", "https:|/|/evil|.|example/a?b=c"),
            ("hxxp:\\\\evil", "hxxp:|\\|\\evil"),
            ("//evil.example", "/|/evil|.|example"),
            ("javascript:alert(1) tel:+49 mailto:a@b.de", "javascript:|alert(1) tel:|+49 mailto:|a|@|b|.|de"),
            ("WWW.1.de", "WWW|.|1|.|de"),
            ("www.1und1.de", "www|.|1und1|.|de"),
            ("evil.com, t.co/x and рф.рф", "evil|.|com, t|.|co/x and рф|.|рф"),
            ("evil。com 😀.tk", "evil。|com 😀|.|tk"),
            ("ht\u{200b}tps:/\u{2060}/evil.example", "https:|/|/evil|.|example"),
            ("at 10.0.0.7:80/x", "at 10|.|0|.|0|.|7:80/x"),
            ("@here", "@|here"),
            ("At 14:03 we had 15,000.50 EUR, v2.3.1, e.g. this. Next: go. 来週。月曜", ""),
        ] {
            let expected = if shown.is_empty() { given.to_owned() } else { shown.replace('|', "\u{200b}") };
            assert_eq!(inert(given), expected, "{given:?}");
        }
    }

    proptest! {
        #[test]
        fn inert_text_stays_as_it_is(text in "(\\PC|[\\[\\]@:/.\u{200b}-\u{200f}\u{fe0f}\u{202e}a1 ]){0,40}") {
            let once = inert(&text);
            prop_assert_eq!(inert(&once), once.clone());
            prop_assert!(!once.contains("//") && !once.chars().any(char::is_control), "{:?}", once);
        }
    }
}
