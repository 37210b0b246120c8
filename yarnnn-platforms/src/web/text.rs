//! A page as text: characters, title, words. Nothing in it is followed, run or loaded.

use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::decoders::html::html_to_text;

use crate::export::mail::html::to_text;

/// The longest text that is handed on; the rest of the page is cut.
pub(super) const MAX_TEXT: usize = 100_000;
const MAX_TITLE: usize = 300;
/// Where a page may say in which characters it is written.
const HEAD: usize = 1_024;
/// Elements whose content is nothing to read.
const UNREAD: [&str; 5] = ["script", "style", "noscript", "template", "svg"];

/// What kind of page it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Html,
    Plain,
}

/// The kind that a `Content-Type` names, and the characters.
pub(super) fn kind(content_type: &str) -> Option<(Kind, Option<String>)> {
    let mut parts = content_type.split(';').map(str::trim);
    let kind = match parts.next()?.to_ascii_lowercase().as_str() {
        "text/html" => Kind::Html,
        "text/plain" => Kind::Plain,
        _ => return None,
    };
    let is_charset = |it: &str| it.get(..8).is_some_and(|it| it.eq_ignore_ascii_case("charset="));
    let charset = parts.find(|it| is_charset(it)).and_then(|it| it.get(8..)).map(|it| it.trim_matches('"').to_ascii_lowercase());
    Some((kind, charset.filter(|it| !it.is_empty())))
}

/// Title and text. The title is empty where the page has none.
pub(super) fn read(bytes: &[u8], kind: Kind, charset: Option<&str>) -> (String, String) {
    match kind {
        Kind::Plain => (String::new(), tidy(&decoded(bytes, charset))),
        Kind::Html => {
            let declared = charset.map(str::to_owned).or_else(|| declared(bytes));
            let html = decoded(bytes, declared.as_deref());
            let lower = html.to_ascii_lowercase();
            let title = element(&html, &lower, "title").map(html_to_text).unwrap_or_default();
            let words: Vec<&str> = title.split_whitespace().collect();
            let title = words.join(" ").chars().filter(|it| !it.is_control()).take(MAX_TITLE).collect();
            (title, tidy(&to_text(&readable(&html, &lower))))
        }
    }
}

/// The characters of the bytes. What is not known or wrong is read as UTF-8, with marks in place of what is none.
fn decoded(bytes: &[u8], charset: Option<&str>) -> String {
    let lossy = || String::from_utf8_lossy(bytes).into_owned();
    match charset {
        None | Some("utf-8" | "utf8") => lossy(),
        Some(name) => charset_decoder(name.as_bytes()).map_or_else(lossy, |decode| decode(bytes)),
    }
}

/// What the page itself says about its characters.
fn declared(bytes: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(bytes.get(..HEAD).unwrap_or(bytes)).to_ascii_lowercase();
    let (_, rest) = head.split_once("<meta")?;
    let (_, rest) = rest.split_once("charset=")?;
    let name: String = rest.trim_start_matches(['"', '\'']).chars().take_while(|it| is_of_name(*it)).collect();
    Some(name).filter(|it| !it.is_empty())
}

fn is_of_name(it: char) -> bool {
    it.is_ascii_alphanumeric() || matches!(it, '-' | '_' | ':' | '.')
}

/// The content of the first element of a name. `lower` is the page in small letters: as long as the page, byte for byte.
fn element<'a>(html: &'a str, lower: &str, name: &str) -> Option<&'a str> {
    let start = opening(lower, name, 0)?;
    let inside = start + lower.get(start..)?.find('>')? + 1;
    let end = inside + lower.get(inside..)?.find(&format!("</{name}"))?;
    html.get(inside..end)
}

/// Where the tag of an element begins: `<title` and not `<titles`.
fn opening(lower: &str, name: &str, from: usize) -> Option<usize> {
    let tag = format!("<{name}");
    let mut at = from;
    loop {
        let found = at + lower.get(at..)?.find(&tag)?;
        let next = lower.as_bytes().get(found + tag.len());
        if next.is_none_or(|it| !it.is_ascii_alphanumeric() && *it != b'-') {
            return Some(found);
        }
        at = found + tag.len();
    }
}

/// The page without what nobody reads. An element that is not closed takes the rest of the page with it.
fn readable(html: &str, lower: &str) -> String {
    let (mut text, mut at) = (String::with_capacity(html.len()), 0);
    // The next opening of each name, found anew only when it has been passed: a page of openings costs no more than one of words.
    let mut next: Vec<(usize, &str)> = UNREAD.iter().filter_map(|name| Some((opening(lower, name, 0)?, *name))).collect();
    while let Some(&(start, name)) = next.iter().min() {
        text.push_str(html.get(at..start).unwrap_or_default());
        let close = format!("</{name}");
        let Some(end) = lower.get(start..).and_then(|it| it.find(&close)).map(|it| start + it) else { return text };
        at = lower.get(end..).and_then(|it| it.find('>')).map_or(html.len(), |it| end + it + 1);
        next = next
            .into_iter()
            .filter_map(|(found, name)| if found < at { Some((opening(lower, name, at)?, name)) } else { Some((found, name)) })
            .collect();
    }
    text.push_str(html.get(at..).unwrap_or_default());
    text
}

/// Without what no reader needs and no database takes, and not too long.
fn tidy(text: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    for line in text.lines().map(str::trim_end) {
        let repeats = line.is_empty() && lines.last().is_none_or(|it| it.is_empty());
        if !repeats {
            lines.push(line);
        }
    }
    let plain = |it: &char| !it.is_control() || matches!(it, '\n' | '\t');
    let text: String = lines.join("\n").chars().filter(plain).take(MAX_TEXT).collect();
    text.trim_end().to_owned()
}
