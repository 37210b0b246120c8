//! What pages are written in: rich text and blocks. Authors of a world start at [`Block`].
//!
//! Nothing here knows how Notion sends it over the wire; see [`super::wire`].

use serde_json::Value;

/// A run of rich text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Span {
    /// Words, perhaps with a link and a style.
    Text {
        /// The words.
        content: String,
        /// Where they link to.
        link: Option<String>,
        /// Whether they are bold.
        bold: bool,
        /// Whether they are in code style.
        code: bool,
    },
    /// A mention of a user.
    Person {
        /// The user's id.
        id: String,
        /// The user's name.
        name: String,
    },
    /// A mention of a page or database.
    Page {
        /// The page's id.
        id: String,
        /// The page's title when it was mentioned.
        title: String,
        /// Whether it is a database.
        database: bool,
    },
}

impl Span {
    /// Words without link and style.
    pub fn words(content: impl Into<String>) -> Self {
        Self::Text { content: content.into(), link: None, bold: false, code: false }
    }

    /// What a reader sees.
    pub fn plain(&self) -> String {
        match self {
            Self::Text { content, .. } => content.clone(),
            Self::Person { name, .. } => format!("@{name}"),
            Self::Page { title, .. } => title.clone(),
        }
    }
}

/// Rich text: runs in reading order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RichText(pub Vec<Span>);

impl RichText {
    /// What a reader sees.
    pub fn plain(&self) -> String {
        self.0.iter().map(Span::plain).collect()
    }
}

impl From<&str> for RichText {
    fn from(text: &str) -> Self {
        Self(if text.is_empty() { Vec::new() } else { vec![Span::words(text)] })
    }
}

impl From<String> for RichText {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<Vec<Span>> for RichText {
    fn from(spans: Vec<Span>) -> Self {
        Self(spans)
    }
}

/// What one block is and says. Sub-pages and databases are no content: they are made with their own verbs.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// A paragraph.
    Paragraph(RichText),
    /// A heading of level 1 to 3.
    Heading(u8, RichText),
    /// A list item with a bullet.
    BulletedListItem(RichText),
    /// A list item with a number.
    NumberedListItem(RichText),
    /// A box to tick.
    ToDo {
        /// What is to be done.
        text: RichText,
        /// Whether it is done.
        checked: bool,
    },
    /// A line that opens.
    Toggle(RichText),
    /// A quotation.
    Quote(RichText),
    /// A coloured box with an icon.
    Callout(RichText),
    /// Program text.
    Code {
        /// The program.
        text: RichText,
        /// Its language, in Notion's words (`plain text`, `rust`).
        language: String,
    },
    /// A table; its children are rows.
    Table {
        /// How many cells a row has.
        width: usize,
        /// Whether the first row holds the columns' names.
        header: bool,
    },
    /// A row of a table.
    TableRow(Vec<RichText>),
    /// A link shown as a card.
    Bookmark {
        /// Where it leads.
        url: String,
        /// What is written below it.
        caption: RichText,
    },
    /// A foreign page shown inside.
    Embed {
        /// The foreign page.
        url: String,
    },
    /// A line across.
    Divider,
    /// A block shown in several places. The original has no source and owns the children; copies show those.
    SyncedBlock {
        /// The original's id, for a copy.
        from: Option<String>,
    },
    /// Columns side by side; its children are columns.
    ColumnList,
    /// One column.
    Column,
    /// A picture at an address outside Notion.
    Image {
        /// Where the picture is.
        url: String,
        /// What is written below it.
        caption: RichText,
    },
    /// A type that clients of today have never heard of.
    Unknown {
        /// The type's name.
        kind: String,
        /// What stands under that name.
        value: Value,
    },
}

impl Content {
    /// Notion's name of the type.
    pub fn kind(&self) -> &str {
        match self {
            Self::Paragraph(_) => "paragraph",
            Self::Heading(1, _) => "heading_1",
            Self::Heading(2, _) => "heading_2",
            Self::Heading(..) => "heading_3",
            Self::BulletedListItem(_) => "bulleted_list_item",
            Self::NumberedListItem(_) => "numbered_list_item",
            Self::ToDo { .. } => "to_do",
            Self::Toggle(_) => "toggle",
            Self::Quote(_) => "quote",
            Self::Callout(_) => "callout",
            Self::Code { .. } => "code",
            Self::Table { .. } => "table",
            Self::TableRow(_) => "table_row",
            Self::Bookmark { .. } => "bookmark",
            Self::Embed { .. } => "embed",
            Self::Divider => "divider",
            Self::SyncedBlock { .. } => "synced_block",
            Self::ColumnList => "column_list",
            Self::Column => "column",
            Self::Image { .. } => "image",
            Self::Unknown { kind, .. } => kind,
        }
    }

    /// The block's own rich text, where its type has one.
    pub fn rich_text(&self) -> Option<&RichText> {
        match self {
            Self::Paragraph(text)
            | Self::Heading(_, text)
            | Self::BulletedListItem(text)
            | Self::NumberedListItem(text)
            | Self::ToDo { text, .. }
            | Self::Toggle(text)
            | Self::Quote(text)
            | Self::Callout(text)
            | Self::Code { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The place of the block's own rich text; a bookmark's or picture's caption counts as its text.
    pub(crate) fn rich_text_mut(&mut self) -> Option<&mut RichText> {
        match self {
            Self::Paragraph(text)
            | Self::Heading(_, text)
            | Self::BulletedListItem(text)
            | Self::NumberedListItem(text)
            | Self::ToDo { text, .. }
            | Self::Toggle(text)
            | Self::Quote(text)
            | Self::Callout(text)
            | Self::Code { text, .. }
            | Self::Bookmark { caption: text, .. }
            | Self::Image { caption: text, .. } => Some(text),
            _ => None,
        }
    }

    /// Whether Notion refuses to list what lies in it.
    pub(crate) fn is_unsupported(&self) -> bool {
        self.kind() == "unsupported"
    }

    /// What a reader of plain text holds of this block alone; none for types without words.
    pub fn reading(&self) -> Option<String> {
        match self {
            Self::TableRow(cells) => Some(cells.iter().map(RichText::plain).collect::<Vec<_>>().join(" | ")),
            Self::Bookmark { url, caption } => {
                Some(Some(caption.plain()).filter(|it| !it.is_empty()).unwrap_or_else(|| url.clone()))
            }
            Self::Embed { url } => Some(url.clone()),
            Self::Divider => Some("---".to_owned()),
            other => other.rich_text().map(RichText::plain),
        }
    }
}

/// A block with what lies in it, as an author writes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// What it is and says.
    pub content: Content,
    /// What lies in it.
    pub children: Vec<Block>,
}

impl From<Content> for Block {
    fn from(content: Content) -> Self {
        Self { content, children: Vec::new() }
    }
}

impl Block {
    /// A paragraph.
    pub fn paragraph(text: impl Into<RichText>) -> Self {
        Content::Paragraph(text.into()).into()
    }

    /// A heading of level 1 to 3.
    pub fn heading(level: u8, text: impl Into<RichText>) -> Self {
        Content::Heading(level, text.into()).into()
    }

    /// A list item with a bullet.
    pub fn bullet(text: impl Into<RichText>) -> Self {
        Content::BulletedListItem(text.into()).into()
    }

    /// A list item with a number.
    pub fn numbered(text: impl Into<RichText>) -> Self {
        Content::NumberedListItem(text.into()).into()
    }

    /// A box to tick.
    pub fn to_do(text: impl Into<RichText>, checked: bool) -> Self {
        Content::ToDo { text: text.into(), checked }.into()
    }

    /// A line that opens.
    pub fn toggle(text: impl Into<RichText>) -> Self {
        Content::Toggle(text.into()).into()
    }

    /// A quotation.
    pub fn quote(text: impl Into<RichText>) -> Self {
        Content::Quote(text.into()).into()
    }

    /// A coloured box.
    pub fn callout(text: impl Into<RichText>) -> Self {
        Content::Callout(text.into()).into()
    }

    /// Program text.
    pub fn code(language: &str, text: impl Into<RichText>) -> Self {
        Content::Code { text: text.into(), language: language.to_owned() }.into()
    }

    /// A table whose first row holds the columns' names.
    pub fn table(rows: Vec<Vec<RichText>>) -> Self {
        let width = rows.iter().map(Vec::len).max().unwrap_or_default();
        let rows = rows.into_iter().map(|cells| Content::TableRow(cells).into()).collect();
        Self { content: Content::Table { width, header: true }, children: rows }
    }

    /// A link shown as a card; without a caption, text an empty one.
    pub fn bookmark(url: &str, caption: impl Into<RichText>) -> Self {
        Content::Bookmark { url: url.to_owned(), caption: caption.into() }.into()
    }

    /// A foreign page shown inside.
    pub fn embed(url: &str) -> Self {
        Content::Embed { url: url.to_owned() }.into()
    }

    /// A line across.
    pub fn divider() -> Self {
        Content::Divider.into()
    }

    /// The original of a block that is shown in several places.
    pub fn synced(children: Vec<Block>) -> Self {
        Self { content: Content::SyncedBlock { from: None }, children }
    }

    /// A copy of a synced block.
    pub fn synced_copy(original: &str) -> Self {
        Content::SyncedBlock { from: Some(original.to_owned()) }.into()
    }

    /// Columns side by side.
    pub fn columns(columns: Vec<Vec<Block>>) -> Self {
        let column = |children| Self { content: Content::Column, children };
        Self { content: Content::ColumnList, children: columns.into_iter().map(column).collect() }
    }

    /// A picture outside Notion.
    pub fn image(url: &str, caption: impl Into<RichText>) -> Self {
        Content::Image { url: url.to_owned(), caption: caption.into() }.into()
    }

    /// A block of a type that nobody knows yet.
    pub fn unknown(kind: &str) -> Self {
        Content::Unknown { kind: kind.to_owned(), value: serde_json::json!({ "strength": 7 }) }.into()
    }

    /// A block that Notion shows to no integration; who asks what lies in it is refused.
    pub fn unsupported() -> Self {
        Content::Unknown { kind: "unsupported".to_owned(), value: serde_json::json!({}) }.into()
    }

    /// The same block with these children.
    #[must_use]
    pub fn with(mut self, children: Vec<Block>) -> Self {
        self.children = children;
        self
    }
}
