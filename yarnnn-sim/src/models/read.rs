//! What a model reads out of a prompt: the outline, delimited material, what was reported before.

/// An item of the material.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) reference: String,
    pub(super) platform: String,
    pub(super) author: String,
    pub(super) title: String,
    pub(super) marks: String,
    pub(super) text: String,
}

impl Item {
    pub(super) fn is_marked(&self, mark: &str) -> bool {
        self.marks.split_whitespace().any(|it| it == mark)
    }
}

/// An item with what is said about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Described {
    pub(super) reference: String,
    pub(super) platform: String,
    pub(super) place: String,
    pub(super) title: Option<String>,
    pub(super) marks: String,
    pub(super) text: String,
}

/// Something that was reported before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) status: String,
    /// The items in which it changed.
    pub(super) now: Vec<String>,
    pub(super) text: String,
}

/// The shape that is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Outline {
    pub(super) title: String,
    pub(super) most: Option<usize>,
    /// Headings and what they mean.
    pub(super) sections: Vec<(String, String)>,
}

/// The items of all material, each reference once.
pub(super) fn items(text: &str) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    for block in blocks(text, "material") {
        for (attributes, content) in elements(block, "item") {
            let Some(reference) = attribute(attributes, "ref").filter(|it| !it.is_empty()) else { continue };
            if items.iter().all(|it| it.reference != reference) {
                let given = |name: &str| attribute(attributes, name).unwrap_or_default();
                let (platform, author, title, marks) = (given("platform"), given("author"), given("title"), given("marks"));
                items.push(Item { reference, platform, author, title, marks, text: unescaped(content) });
            }
        }
    }
    items
}

/// All items of all material, with what is said about them.
pub(super) fn described(text: &str) -> Vec<Described> {
    let elements = blocks(text, "material").into_iter().flat_map(|it| elements(it, "item"));
    let said = |attributes: &str, name: &str| attribute(attributes, name).unwrap_or_default();
    let items = elements.map(|(attributes, content)| Described {
        reference: said(attributes, "ref"),
        platform: said(attributes, "platform"),
        place: said(attributes, "place"),
        title: attribute(attributes, "title"),
        marks: said(attributes, "marks"),
        text: unescaped(content),
    });
    items.collect()
}

/// What earlier reports said.
pub(super) fn claims(text: &str) -> Vec<Claim> {
    let elements = blocks(text, "reported").into_iter().flat_map(|it| elements(it, "claim"));
    let claims = elements.map(|(attributes, content)| Claim {
        status: attribute(attributes, "status").unwrap_or_default(),
        now: attribute(attributes, "now").unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
        text: unescaped(content),
    });
    claims.collect()
}

/// The outline. What stands in blocks of data is not looked at.
pub(super) fn outline(text: &str) -> Outline {
    let mut outline = Outline::default();
    for line in without_blocks(text).lines() {
        if let Some(rest) = line.strip_prefix("Report: ") {
            rest.split(" (").next().unwrap_or_default().clone_into(&mut outline.title);
        } else if let Some(rest) = line.strip_prefix("At most ") {
            outline.most = rest.split(' ').next().and_then(|it| it.parse().ok());
        } else if let Some((heading, meaning)) = line.strip_prefix("- ## ").and_then(|it| it.split_once(": ")) {
            outline.sections.push((heading.to_owned(), meaning.to_owned()));
        }
    }
    outline
}

/// What the reader wants to know, where that is said. What stands in blocks of data is not looked at.
pub(super) fn wanted(text: &str) -> String {
    let said = without_blocks(text);
    said.lines().find_map(|it| it.strip_prefix("What the reader wants: ")).unwrap_or_default().to_owned()
}

/// Whether what was said before is to be said again. What stands in blocks of data is not looked at.
pub(super) fn wants_the_whole(text: &str) -> bool {
    without_blocks(text).contains("tell the whole again")
}

/// The text without delimited data.
pub(super) fn without_blocks(text: &str) -> String {
    let mut text = text.to_owned();
    for kind in ["material", "reported", "data"] {
        while let Some((from, to)) = span(&text, kind, 0).map(|(from, _, _, to)| (from, to)) {
            text.replace_range(from..to, "");
        }
    }
    text
}

/// The contents of the blocks `<kind-word>` to `</kind-word>`.
fn blocks<'a>(text: &'a str, kind: &str) -> Vec<&'a str> {
    let (mut blocks, mut from) = (Vec::new(), 0);
    while let Some((_, start, end, next)) = span(text, kind, from) {
        blocks.extend(text.get(start..end));
        from = next;
    }
    blocks
}

/// Where the next block begins, where its content begins and ends, and where it ends.
fn span(text: &str, kind: &str, from: usize) -> Option<(usize, usize, usize, usize)> {
    let opening = format!("<{kind}-");
    let mut at = from;
    loop {
        let begin = at + text.get(at..)?.find(&opening)?;
        let rest = text.get(begin + 1..)?;
        let name = rest.split('>').next().unwrap_or_default();
        let start = begin + name.len() + 2;
        let closing = format!("</{name}>");
        let is_name = name.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-');
        match text.get(start..).and_then(|it| it.find(&closing)).filter(|_| is_name) {
            Some(length) => return Some((begin, start, start + length, start + length + closing.len())),
            None => at = begin + opening.len(),
        }
    }
}

/// The elements of a block: their attributes and contents.
fn elements<'a>(block: &'a str, name: &str) -> Vec<(&'a str, &'a str)> {
    let (opening, closing) = (format!("<{name} "), format!("</{name}>"));
    let parts = block.split(closing.as_str()).filter_map(|it| it.split_once(opening.as_str())?.1.split_once('>'));
    parts.collect()
}

fn attribute(attributes: &str, name: &str) -> Option<String> {
    let start = format!("{name}=\"");
    let found = format!(" {attributes}");
    let value = found.split_once(&format!(" {start}"))?.1.split('"').next()?;
    Some(unescaped(value))
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}
