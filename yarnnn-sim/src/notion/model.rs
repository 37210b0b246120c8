//! What the workspace has beside blocks: properties of rows, places, capabilities; and what a perfect client holds of it all.

use chrono::{DateTime, Utc};

use super::block::RichText;

/// The kind of a database's column. Every data source has its title column beside these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PropertyKind {
    /// Rich text.
    RichText,
    /// A number.
    Number,
    /// One of several options.
    Select,
    /// A stage of work.
    Status,
    /// Some of several options.
    MultiSelect,
    /// A day, perhaps with an end.
    Date,
    /// Users.
    People,
    /// Yes or no.
    Checkbox,
    /// A web address.
    Url,
    /// Other pages.
    Relation,
    /// When the row was made; Notion fills it.
    CreatedTime,
    /// When the row was last edited; Notion fills it.
    LastEditedTime,
}

/// A value of a row's property.
#[derive(Debug, Clone, PartialEq)]
pub enum Property {
    /// Rich text.
    Text(RichText),
    /// A number.
    Number(f64),
    /// The chosen option of a select.
    Select(String),
    /// The stage of work.
    Status(String),
    /// The chosen options.
    MultiSelect(Vec<String>),
    /// A day or an instant in ISO 8601, and its end.
    Date {
        /// The start.
        start: String,
        /// The end of a range.
        end: Option<String>,
    },
    /// Ids of users.
    People(Vec<String>),
    /// Yes or no.
    Checkbox(bool),
    /// A web address.
    Url(String),
    /// Ids of pages.
    Relation(Vec<String>),
}

/// Where a new page or database lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place<'a> {
    /// At the top of the workspace.
    Workspace,
    /// In a page, or in a block of one (a toggle, a column).
    Inside(&'a str),
}

/// What an integration may be refused although its token is good; the answer is `restricted_resource`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Capability {
    /// Reading pages, blocks, databases; searching.
    ReadContent,
    /// Making pages and blocks.
    InsertContent,
    /// Reading comments.
    ReadComments,
    /// Writing comments.
    InsertComments,
    /// Reading users.
    ReadUsers,
}

/// What a perfect client holds of one block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockSnapshot {
    /// The block's id; a synced copy shows the ids of its original's children.
    pub id: String,
    /// Notion's name of the type.
    pub kind: String,
    /// How deep it lies: 1 for the page's own children.
    pub depth: usize,
    /// What it says, where its type has words. A table's row is its cells joined by ` | `, a bookmark its caption or else its
    /// address, an embed its address, a divider `---`.
    pub text: Option<String>,
}

/// What a perfect client holds of one page or row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageSnapshot {
    /// The page's id.
    pub id: String,
    /// The title; `Untitled` where there is none.
    pub title: String,
    /// The database and the data source, for a row.
    pub row_of: Option<(String, String)>,
    /// All blocks, depth first, parents before their children; sub-pages and databases left out.
    pub blocks: Vec<BlockSnapshot>,
    /// When it was last edited, to the minute as Notion tells it.
    pub last_edited: DateTime<Utc>,
}

impl PageSnapshot {
    /// The words of all blocks, a line each, blocks without words left out.
    pub fn text(&self) -> String {
        let words = self.blocks.iter().filter_map(|it| it.text.as_deref()).filter(|it| !it.is_empty());
        words.collect::<Vec<_>>().join("\n")
    }
}
