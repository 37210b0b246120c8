//! Pages as Markdown and Markdown as pages: Notion's own rendering of a page, and the sample's authored texts turned into blocks.
//!
//! The Markdown that is read is what the sample's authors write, not every Markdown there is.

use super::block::{Block, Content, RichText, Span};
use super::state::{Body, Entry, State};
use super::wire;

/// How deep blocks are followed.
const DEEPEST: usize = 64;

/// A page's content in Notion's Markdown, and the ids of the blocks that it cannot express.
pub(crate) fn render(state: &State, page: &str) -> (String, Vec<String>) {
    let mut writer = Writer { state, text: String::new(), unknown: Vec::new() };
    writer.children(page, 0);
    (writer.text.trim_end().to_owned(), writer.unknown)
}

struct Writer<'a> {
    state: &'a State,
    text: String,
    unknown: Vec<String>,
}

impl Writer<'_> {
    fn line(&mut self, depth: usize, line: &str) {
        for part in line.split('\n') {
            self.text.extend(std::iter::repeat_n('\t', depth));
            self.text.push_str(part);
            self.text.push('\n');
        }
    }

    fn children(&mut self, id: &str, depth: usize) {
        if depth > DEEPEST {
            return;
        }
        for child in self.state.children(id) {
            match &child.body {
                Body::Page { .. } => self.link(depth, "page", child),
                Body::Database { .. } | Body::DataSource { .. } => self.link(depth, "database", child),
                Body::Block(content) => self.block(depth, child, content),
            }
        }
    }

    fn link(&mut self, depth: usize, tag: &str, entry: &Entry) {
        let title = entry.title();
        self.line(depth, &format!("<{tag} url=\"{}\">{title}</{tag}>", wire::url(&title, &entry.id)));
    }

    /// A block between two tags.
    fn enclosed(&mut self, depth: usize, id: &str, tag: &str) {
        self.line(depth, &format!("<{tag}>"));
        self.children(id, depth + 1);
        self.line(depth, &format!("</{tag}>"));
    }

    fn block(&mut self, depth: usize, entry: &Entry, content: &Content) {
        let id = entry.id.as_str();
        let marked = |mark: &str, text: &RichText| format!("{mark} {}", inline(text));
        let line = match content {
            Content::Paragraph(text) => inline(text),
            Content::Heading(level, text) => marked(&"#".repeat(usize::from(*level)), text),
            Content::BulletedListItem(text) => marked("-", text),
            Content::NumberedListItem(text) => marked("1.", text),
            Content::ToDo { text, checked: false } => marked("- [ ]", text),
            Content::ToDo { text, checked: true } => marked("- [x]", text),
            Content::Quote(text) => marked(">", text),
            Content::Code { text, language } => format!("```{language}\n{}\n```", text.plain()),
            Content::Divider => "---".to_owned(),
            Content::Bookmark { url, caption } => {
                format!("[{}]({url})", Some(inline(caption)).filter(|it| !it.is_empty()).unwrap_or_else(|| url.clone()))
            }
            Content::Image { url, caption } => format!("![{}]({url})", inline(caption)),
            Content::Embed { url } => format!("<embed src=\"{url}\"/>"),
            Content::Callout(text) => {
                self.line(depth, "<callout icon=\"💡\">");
                self.line(depth + 1, &inline(text));
                self.children(id, depth + 1);
                return self.line(depth, "</callout>");
            }
            Content::Toggle(text) => {
                self.line(depth, &format!("<details>\n<summary>{}</summary>", inline(text)));
                self.children(id, depth + 1);
                return self.line(depth, "</details>");
            }
            Content::TableRow(cells) => {
                let cells: Vec<String> = cells.iter().map(inline).collect();
                format!("<tr><td>{}</td></tr>", cells.join("</td><td>"))
            }
            Content::Table { .. } => return self.enclosed(depth, id, "table"),
            Content::ColumnList => return self.enclosed(depth, id, "columns"),
            Content::Column => return self.enclosed(depth, id, "column"),
            Content::SyncedBlock { from: None } => return self.enclosed(depth, id, "synced_block"),
            Content::SyncedBlock { from: Some(_) } => return self.enclosed(depth, id, "synced_block_reference"),
            Content::Unknown { kind, .. } => {
                self.unknown.push(id.to_owned());
                format!("<unknown url=\"{}\" alt=\"{kind}\"/>", wire::url("", id))
            }
        };
        self.line(depth, &line);
        if !content.is_unsupported() {
            self.children(id, depth + 1);
        }
    }
}

fn inline(text: &RichText) -> String {
    let span = |span: &Span| match span {
        Span::Text { content, link, bold, code } => {
            let content = if *code { format!("`{content}`") } else { content.clone() };
            let content = if *bold { format!("**{content}**") } else { content };
            link.as_ref().map_or_else(|| content.clone(), |url| format!("[{content}]({url})"))
        }
        Span::Person { id, name } => format!("<mention-user url=\"user://{id}\">{name}</mention-user>"),
        Span::Page { id, title, database } => {
            let tag = if *database { "mention-database" } else { "mention-page" };
            format!("<{tag} url=\"{}\">{title}</{tag}>", wire::url("", id))
        }
    };
    text.0.iter().map(span).collect()
}

/// Authored Markdown as blocks. `words` turns the text of one block into rich text.
pub(crate) fn blocks(markdown: &str, words: &dyn Fn(&str) -> RichText) -> Vec<Block> {
    let mut found = Vec::new();
    let mut lines = markdown.lines().peekable();
    while let Some(line) = lines.next() {
        if line.trim().is_empty() {
            continue;
        }
        if line.starts_with("```") {
            let program: Vec<&str> = lines.by_ref().take_while(|it| !it.starts_with("```")).collect();
            found.push(Block::code("plain text", program.join("\n")));
        } else if line.starts_with('|') {
            let mut rows = vec![line];
            while let Some(next) = lines.next_if(|it| it.starts_with('|')) {
                rows.push(next);
            }
            found.push(table(&rows, words));
        } else {
            found.push(block(line, words));
        }
    }
    found
}

/// Makes a block of the words after a mark.
type Make = fn(RichText) -> Block;

fn block(line: &str, words: &dyn Fn(&str) -> RichText) -> Block {
    let marks: [(&str, Make); 8] = [
        ("### ", |text| Block::heading(3, text)),
        ("## ", |text| Block::heading(2, text)),
        ("# ", |text| Block::heading(1, text)),
        ("- [x] ", |text| Block::to_do(text, true)),
        ("- [ ] ", |text| Block::to_do(text, false)),
        ("- ", |text| Block::bullet(text)),
        ("> ", |text| Block::quote(text)),
        ("---", |_| Block::divider()),
    ];
    for (mark, make) in marks {
        if let Some(rest) = line.strip_prefix(mark) {
            return make(words(rest));
        }
    }
    let number = line.split_once(". ").filter(|(number, _)| !number.is_empty() && number.bytes().all(|it| it.is_ascii_digit()));
    number.map_or_else(|| Block::paragraph(words(line)), |(_, rest)| Block::numbered(words(rest)))
}

/// Rows between bars; the row of dashes below the columns' names is none.
fn table(rows: &[&str], words: &dyn Fn(&str) -> RichText) -> Block {
    let rule = |row: &str| row.chars().all(|it| matches!(it, '|' | '-' | ':' | ' '));
    let cells = |row: &str| row.trim().trim_matches('|').split('|').map(|it| words(it.trim())).collect();
    Block::table(rows.iter().copied().filter(|it| !rule(it)).map(cells).collect())
}
