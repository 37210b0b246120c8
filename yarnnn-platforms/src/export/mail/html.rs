//! HTML mail as readable text: paragraphs, lists and table cells in reading order, without markup, styles or link targets.
//!
//! It does not fetch anything and keeps no images.

use std::collections::HashMap;

use html2text::config::with_decorator;
use html2text::render::TextDecorator;
use mail_parser::decoders::html::html_to_text;

/// Wide enough that a paragraph stays on one line, so that a quote from it is found again.
const WIDTH: usize = 4_000;

/// Elements inside elements beyond which a page is not laid out but only stripped of its tags.
const MAX_DEPTH: usize = 200;

/// The same for elements of style. A browser opens those that are left open again in every paragraph, so that few make many.
const MAX_STYLES: usize = 16;

/// Bytes beyond which a page is not laid out either.
const MAX_BYTES: usize = 1024 * 1024;

/// The elements that are opened again.
const STYLES: [&str; 14] = ["a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"];

/// Elements that have no closing tag or need none.
const UNCLOSED: [&str; 17] =
    ["br", "col", "dd", "dt", "hr", "img", "input", "li", "link", "meta", "option", "p", "td", "th", "tr", "wbr", "source"];

/// The readable text of a page.
pub(crate) fn to_text(html: &str) -> String {
    if html.len() > MAX_BYTES || is_too_deep(html) {
        return html_to_text(html);
    }
    let laid_out = with_decorator(Words).raw_mode(true).unicode_strikeout(false).string_from_read(html.as_bytes(), WIDTH);
    laid_out.map_or_else(|_| html_to_text(html), |text| without_rules(&text))
}

/// Drops horizontal lines, which are drawn over the whole width.
fn without_rules(text: &str) -> String {
    let is_rule = |line: &&str| line.chars().count() > 3 && line.trim().chars().all(|it| matches!(it, '─' | '-' | '━'));
    text.lines().filter(|line| line.trim().is_empty() || !is_rule(line)).collect::<Vec<_>>().join("\n")
}

/// Whether more elements are open at some point than a page that is meant to be read has.
fn is_too_deep(html: &str) -> bool {
    let (mut open, mut styles) = (0_usize, HashMap::<String, usize>::new());
    for tag in html.split('<').skip(1) {
        let (closes, tag) = tag.strip_prefix('/').map_or((false, tag), |tag| (true, tag));
        let name: String = tag.chars().take_while(char::is_ascii_alphanumeric).take(8).collect::<String>().to_ascii_lowercase();
        if name.is_empty() || UNCLOSED.contains(&name.as_str()) {
            continue;
        }
        open = step(open, closes);
        if STYLES.contains(&name.as_str()) {
            let number = styles.entry(name).or_default();
            *number = step(*number, closes);
        }
        if open > MAX_DEPTH || styles.values().sum::<usize>() > MAX_STYLES {
            return true;
        }
    }
    false
}

fn step(open: usize, closes: bool) -> usize {
    if closes { open.saturating_sub(1) } else { open + 1 }
}

/// Shows the words of a page and the marks a reader needs: bullets, numbers and quotes.
#[derive(Debug, Clone, Copy)]
struct Words;

impl TextDecorator for Words {
    type Annotation = ();

    fn decorate_link_start(&mut self, _url: &str) -> (String, ()) {
        (String::new(), ())
    }
    fn decorate_link_end(&mut self) -> String {
        String::new()
    }
    fn decorate_em_start(&self) -> (String, ()) {
        (String::new(), ())
    }
    fn decorate_em_end(&self) -> String {
        String::new()
    }
    fn decorate_strong_start(&self) -> (String, ()) {
        (String::new(), ())
    }
    fn decorate_strong_end(&self) -> String {
        String::new()
    }
    fn decorate_strikeout_start(&self) -> (String, ()) {
        (String::new(), ())
    }
    fn decorate_strikeout_end(&self) -> String {
        String::new()
    }
    fn decorate_code_start(&self) -> (String, ()) {
        (String::new(), ())
    }
    fn decorate_code_end(&self) -> String {
        String::new()
    }
    fn decorate_preformat_first(&self) {}
    fn decorate_preformat_cont(&self) {}
    fn decorate_image(&mut self, _src: &str, title: &str) -> (String, ()) {
        (title.to_owned(), ())
    }
    fn header_prefix(&self, _level: usize) -> String {
        String::new()
    }
    fn quote_prefix(&self) -> String {
        "> ".to_owned()
    }
    fn unordered_item_prefix(&self) -> String {
        "* ".to_owned()
    }
    fn ordered_item_prefix(&self, number: i64) -> String {
        format!("{number}. ")
    }
    fn make_subblock_decorator(&self) -> Self {
        *self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_reads_like_text() {
        let html = "<html><head><style>p {color: red}</style><title>t</title></head><body><h1>Plan</h1>\
            <p>We <b>ship</b> on <a href='https://example.com/x'>Friday</a>.</p><hr><ul><li>one</li><li>two</li></ul>\
            <table><tr><td>Cost</td><td>12&nbsp;EUR</td></tr></table><blockquote>old words</blockquote></body></html>";
        insta::assert_snapshot!(to_text(html));
    }

    #[test]
    fn a_page_that_is_too_deep_is_still_read() {
        let html = format!("{}end{}", "<div>".repeat(100_000), "</div>".repeat(100_000));
        assert_eq!(to_text(&html).trim(), "end");
        let unclosed = format!("{}end", "<p><li>".repeat(20_000));
        assert!(to_text(&unclosed).contains("end"));
        assert!(to_text(&format!("{}deep", "<tr><td><table>".repeat(150))).contains("deep"));
        let styles = (0..150).fold(String::new(), |styles, number| styles + &format!("<font size={number}>"));
        let reopened = format!("<div>{styles}</div>{}", "<p>x &amp; y</p>".repeat(10_000));
        assert!(to_text(&reopened).starts_with("x & y"));
    }
}
