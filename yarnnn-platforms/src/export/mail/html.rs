//! HTML mail as readable text: paragraphs, lists and table cells in reading order, without markup, styles or link targets.
//!
//! It does not fetch anything and keeps no images.

use html2text::config::with_decorator;
use html2text::render::TextDecorator;

/// Wide enough that a paragraph stays on one line, so that a quote from it is found again.
const WIDTH: usize = 4_000;

/// Elements inside elements beyond which the page is not laid out but only stripped of its tags.
const MAX_DEPTH: usize = 200;

/// Bytes beyond which the page is not laid out either.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// The readable text of a page.
pub(super) fn to_text(html: &str) -> String {
    if html.len() > MAX_BYTES || is_deeper_than(html, MAX_DEPTH) {
        return strip_tags(html);
    }
    let laid_out = with_decorator(Words).raw_mode(true).unicode_strikeout(false).string_from_read(html.as_bytes(), WIDTH);
    laid_out.map_or_else(|_| strip_tags(html), |text| without_rules(&text))
}

/// Drops horizontal lines, which are drawn over the whole width.
fn without_rules(text: &str) -> String {
    let is_rule = |line: &&str| line.chars().count() > 3 && line.trim().chars().all(|it| matches!(it, '─' | '-' | '━'));
    text.lines().filter(|line| line.trim().is_empty() || !is_rule(line)).collect::<Vec<_>>().join("\n")
}

/// Whether more elements are open at some point than allowed. Closing tags that are missing only make it more careful.
fn is_deeper_than(html: &str, allowed: usize) -> bool {
    let mut open = 0_usize;
    let mut unclosed = 0_usize;
    for tag in html.split('<').skip(1) {
        match tag.bytes().next() {
            Some(b'/') => open = open.saturating_sub(1),
            Some(first) if first.is_ascii_alphabetic() && is_void(tag) => unclosed += 1,
            Some(first) if first.is_ascii_alphabetic() => open += 1,
            _ => {}
        }
        if open > allowed {
            return true;
        }
    }
    unclosed > MAX_BYTES / 16
}

/// Elements that have no closing tag or need none.
fn is_void(tag: &str) -> bool {
    let name: String = tag.chars().take_while(char::is_ascii_alphanumeric).take(8).collect::<String>().to_ascii_lowercase();
    matches!(
        name.as_str(),
        "br" | "hr"
            | "img"
            | "input"
            | "link"
            | "meta"
            | "col"
            | "wbr"
            | "p"
            | "li"
            | "tr"
            | "td"
            | "th"
            | "dt"
            | "dd"
            | "option"
    )
}

/// What stands between tags, for pages that are too large or too deep to lay out.
fn strip_tags(html: &str) -> String {
    let mut text = String::new();
    for piece in html.split('<') {
        let shown = piece.split_once('>').map_or(if text.is_empty() { piece } else { "" }, |(_, shown)| shown);
        text.push_str(shown);
        if !shown.ends_with(char::is_whitespace) {
            text.push(' ');
        }
    }
    text
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
    }
}
