//! A report as a page of Notion: requests that are made once, stored, and sent byte for byte.
//!
//! The Markdown is read back into headings, lists, quotes and paragraphs. No text of it is a link or a mention: where Markdown has
//! one, its words stay.

use pulldown_cmark::{Event, HeadingLevel, Parser, Tag, TagEnd};
use serde_json::{Value, json};
use yarnnn_core::delivery::{Letter, OutboxFile, SendError};
use yarnnn_core::hash::Sha256;

use super::publish::{FILE, PLACE, Place};

/// UTF-16 units of one text, at most (Notion takes 2,000), texts of one block (100), blocks of one request (100 with the mark), and
/// units of one request (Notion takes 500 KB).
const TEXT: usize = 1_900;
const TEXTS: usize = 40;
const BLOCKS: usize = 90;
const REQUEST: usize = 80_000;

/// The line at the end of a part, by which it is found again.
pub(super) fn mark(key: &str) -> String {
    let digest = Sha256::of(key).to_string();
    format!("{MARK}{}", digest.get(..32).unwrap_or_default())
}

/// How marks begin.
pub(super) const MARK: &str = "YARNNN report ";

/// The stored bodies: one makes the page, and each further one of a long report is appended to it.
pub(super) fn compose(letter: &Letter) -> Result<Vec<Vec<OutboxFile>>, SendError> {
    let place = Place { page: mark(&letter.key), since: letter.since };
    let parts = parts(blocks(&letter.markdown)).into_iter().enumerate().map(|(index, mut children)| {
        children.push(marked(&mark(&letter.part_key(index))));
        let body = if index > 0 {
            json!({ "children": children })
        } else {
            let title = json!([{ "type": "text", "text": { "content": cut(&letter.subject) } }]);
            json!({ "parent": { "page_id": letter.target }, "properties": { "title": { "title": title } }, "children": children })
        };
        Ok(vec![file(FILE, &body)?, file(PLACE, &place)?])
    });
    parts.collect()
}

fn file<T: serde::Serialize>(name: &str, content: &T) -> Result<OutboxFile, SendError> {
    let content = serde_json::to_string_pretty(content).map_err(|error| SendError::Refused(format!("{name}: {error}")))?;
    Ok(OutboxFile { name: name.to_owned(), content })
}

fn marked(mark: &str) -> Value {
    let text = json!([{ "type": "text", "text": { "content": mark }, "annotations": { "color": "gray" } }]);
    json!({ "type": "paragraph", "paragraph": { "rich_text": text } })
}

/// A title that fits into one text.
fn cut(title: &str) -> String {
    let mut units = 0;
    title
        .chars()
        .take_while(|it| {
            units += it.len_utf16();
            units <= TEXT
        })
        .collect()
}

/// A block on its way: its kind and its words.
struct Written {
    kind: &'static str,
    runs: Vec<Run>,
}

/// Words of one style.
struct Run {
    text: String,
    bold: bool,
    italic: bool,
}

impl Written {
    /// The block, or several where one cannot hold all of it.
    fn blocks(&self) -> Vec<(usize, Value)> {
        let texts: Vec<(usize, Value)> = self.runs.iter().flat_map(Run::texts).collect();
        let block = |texts: &[(usize, Value)]| {
            let rich: Vec<&Value> = texts.iter().map(|(_, it)| it).collect();
            let units = texts.iter().map(|(units, _)| units).sum();
            (units, json!({ "type": self.kind, self.kind: { "rich_text": rich } }))
        };
        texts.chunks(TEXTS).map(block).collect()
    }
}

impl Run {
    /// Texts that are short enough, cut between words where there are any.
    fn texts(&self) -> Vec<(usize, Value)> {
        let text = |content: &str| {
            let units = content.encode_utf16().count();
            let style = json!({ "bold": self.bold, "italic": self.italic });
            (units, json!({ "type": "text", "text": { "content": content }, "annotations": style }))
        };
        pieces(&self.text).into_iter().map(text).collect()
    }
}

fn pieces(text: &str) -> Vec<&str> {
    let (mut rest, mut pieces) = (text, Vec::new());
    loop {
        let mut units = 0;
        let over = rest.char_indices().find(|(_, it)| {
            units += it.len_utf16();
            units > TEXT
        });
        let Some((limit, _)) = over else { break };
        let (head, _) = rest.split_at(limit);
        let (piece, after) = rest.split_at(head.rfind(' ').map_or(limit, |it| it + 1));
        pieces.push(piece);
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(rest);
    }
    pieces
}

/// Groups blocks into requests.
fn parts(blocks: Vec<(usize, Value)>) -> Vec<Vec<Value>> {
    let (mut parts, mut units) = (vec![Vec::new()], 0);
    for (size, block) in blocks {
        let is_full =
            parts.last().is_some_and(|it: &Vec<Value>| it.len() >= BLOCKS || (units + size > REQUEST && !it.is_empty()));
        if is_full {
            parts.push(Vec::new());
            units = 0;
        }
        units += size;
        if let Some(last) = parts.last_mut() {
            last.push(block);
        }
    }
    parts
}

/// Reads the Markdown of a report. Its first heading is the page's title.
fn blocks(markdown: &str) -> Vec<(usize, Value)> {
    let mut reading = Reading::default();
    for event in Parser::new(markdown) {
        reading.event(event);
    }
    reading.end();
    let mut written = reading.done;
    if written.first().is_some_and(|it| it.kind == "heading_1") {
        written.remove(0);
    }
    written.iter().flat_map(Written::blocks).collect()
}

#[derive(Default)]
struct Reading {
    done: Vec<Written>,
    open: Option<Written>,
    /// Of each list around this place, whether it is numbered.
    lists: Vec<bool>,
    quotes: usize,
    bold: usize,
    italic: usize,
}

impl Reading {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(Tag::Heading { level, .. }) => self.begin(heading(level)),
            Event::Start(Tag::List(first)) => {
                self.end();
                self.lists.push(first.is_some());
            }
            Event::End(TagEnd::List(_)) => {
                self.end();
                self.lists.pop();
            }
            Event::Start(Tag::Item) => {
                let is_numbered = self.lists.last().copied().unwrap_or_default();
                self.begin(if is_numbered { "numbered_list_item" } else { "bulleted_list_item" });
            }
            Event::Start(Tag::BlockQuote(_)) => self.quotes += 1,
            Event::End(TagEnd::BlockQuote(_)) => self.quotes = self.quotes.saturating_sub(1),
            // A paragraph inside of an item is the item's.
            Event::Start(Tag::Paragraph) if self.open.is_none() => self.begin(self.plain()),
            Event::End(TagEnd::Heading(_) | TagEnd::Item | TagEnd::Paragraph) => self.end(),
            Event::Start(Tag::Strong) => self.bold += 1,
            Event::End(TagEnd::Strong) => self.bold = self.bold.saturating_sub(1),
            Event::Start(Tag::Emphasis) => self.italic += 1,
            Event::End(TagEnd::Emphasis) => self.italic = self.italic.saturating_sub(1),
            Event::Text(text) | Event::Code(text) | Event::Html(text) | Event::InlineHtml(text) => self.write(&text),
            Event::SoftBreak | Event::HardBreak => self.write(" "),
            _ => {}
        }
    }

    const fn plain(&self) -> &'static str {
        if self.quotes > 0 { "quote" } else { "paragraph" }
    }

    fn begin(&mut self, kind: &'static str) {
        self.end();
        self.open = Some(Written { kind, runs: vec![] });
    }

    fn end(&mut self) {
        self.done.extend(self.open.take().filter(|it| !it.runs.is_empty()));
    }

    fn write(&mut self, text: &str) {
        let (bold, italic, plain) = (self.bold > 0, self.italic > 0, self.plain());
        let open = self.open.get_or_insert_with(|| Written { kind: plain, runs: vec![] });
        match open.runs.last_mut() {
            Some(last) if last.bold == bold && last.italic == italic => last.text.push_str(text),
            _ => open.runs.push(Run { text: text.to_owned(), bold, italic }),
        }
    }
}

const fn heading(level: HeadingLevel) -> &'static str {
    match level {
        HeadingLevel::H1 => "heading_1",
        HeadingLevel::H2 => "heading_2",
        _ => "heading_3",
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;

    use super::*;

    fn letter(markdown: &str) -> Letter {
        Letter {
            key: "d/v1/notion".into(),
            target: "59833787-2cf9-4fdf-8782-e53db20768a5".into(),
            recipient: String::new(),
            subject: "Weekly status".into(),
            date: DateTime::UNIX_EPOCH,
            since: DateTime::UNIX_EPOCH,
            stem: "weekly".into(),
            markdown: markdown.into(),
            html: String::new(),
            text: String::new(),
            chat: String::new(),
        }
    }

    fn bodies(markdown: &str) -> Vec<Value> {
        let parts = compose(&letter(markdown)).unwrap();
        parts.iter().map(|it| serde_json::from_str(&it[0].content).unwrap()).collect()
    }

    fn words(block: &Value) -> String {
        let kind = block["type"].as_str().unwrap();
        let texts = block[kind]["rich_text"].as_array().unwrap();
        texts.iter().map(|it| it["text"]["content"].as_str().unwrap()).collect()
    }

    #[test]
    fn markdown_becomes_blocks_without_links() {
        let markdown = "# Weekly status\n\nReport · as of\n\n## Done\n\n- **Launch:** moves *soon* \\[1\\]\n- see [here](https://evil.example)\n\n\
            > said\n\n### Sources\n\n1. Ana\n";
        let bodies = bodies(markdown);
        let [body] = bodies.as_slice() else { panic!("{bodies:?}") };
        let children = body["children"].as_array().unwrap();
        let seen: Vec<(&str, String)> = children.iter().map(|it| (it["type"].as_str().unwrap(), words(it))).collect();
        let expected = [
            ("paragraph", "Report · as of".to_owned()),
            ("heading_2", "Done".to_owned()),
            ("bulleted_list_item", "Launch: moves soon [1]".to_owned()),
            ("bulleted_list_item", "see here".to_owned()),
            ("quote", "said".to_owned()),
            ("heading_3", "Sources".to_owned()),
            ("numbered_list_item", "Ana".to_owned()),
            ("paragraph", mark("d/v1/notion")),
        ];
        assert_eq!(seen, expected);
        let text = body.to_string();
        assert!(!text.contains("evil.example") && !text.contains("\"link\"") && !text.contains("mention"), "{text}");
        assert_eq!(body["parent"]["page_id"], "59833787-2cf9-4fdf-8782-e53db20768a5");
    }

    #[test]
    fn a_long_report_becomes_several_requests_each_with_its_mark() {
        let bodies = bodies(&"- one more line of the report\n".repeat(250));
        assert_eq!(bodies.len(), 3);
        for (index, body) in bodies.iter().enumerate() {
            let children = body["children"].as_array().unwrap();
            assert!(children.len() <= 100 && (index == 0) == body.get("parent").is_some());
            let key = if index == 0 { "d/v1/notion".to_owned() } else { format!("d/v1/notion/{:02}", index + 1) };
            assert_eq!(words(children.last().unwrap()), mark(&key));
        }
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_is_too_long(text in "([a-z😀é]{1,2500} ?){0,8}") {
            let bodies = bodies(&text);
            let blocks: Vec<&Value> = bodies.iter().flat_map(|it| it["children"].as_array().unwrap()).collect();
            let kept: String = blocks.iter().map(|it| words(it)).filter(|it| !it.starts_with(MARK)).collect();
            let folded = |it: &str| it.split_whitespace().collect::<String>();
            prop_assert_eq!(folded(&kept), folded(&text));
            for block in blocks {
                let kind = block["type"].as_str().unwrap();
                let texts = block[kind]["rich_text"].as_array().unwrap();
                prop_assert!(texts.len() <= 100);
                prop_assert!(texts.iter().all(|it| it["text"]["content"].as_str().unwrap().encode_utf16().count() <= 2_000));
            }
        }
    }
}
