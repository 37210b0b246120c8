//! What clients send: ids, paging, rich text, blocks and property values.
//!
//! Foreign bytes: whatever is wrong is a [`Failure`] in Notion's words, with the place where it stands.

use serde_json::Value;
use uuid::Uuid;

use super::block::{Block, Content, RichText, Span};
use super::failure::Failure;
use super::model::{Property, PropertyKind};
use super::wire::LONGEST_TEXT;

/// The most blocks that one request may add to a parent.
const MOST_CHILDREN: usize = 100;
/// The most blocks in one request, nested ones included.
const MOST_BLOCKS: usize = 1_000;
/// Blocks in a request are nested at most this deep.
const DEEPEST: usize = 2;
/// The most entries of a page of results.
const LARGEST_PAGE: u64 = 100;

/// Which part of a list is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Paging {
    pub(crate) size: usize,
    pub(crate) start: Option<String>,
}

/// Reads an id in any of its spellings.
pub(crate) fn id(place: &str, text: &str) -> Result<String, Failure> {
    let wrong = |_| Failure::validation(format!("{place} should be a valid uuid, instead was `\"{text}\"`."));
    Uuid::try_parse(text).map(|it| it.hyphenated().to_string()).map_err(wrong)
}

/// Paging of a `POST`, in its body.
pub(crate) fn paging(body: &Value) -> Result<Paging, Failure> {
    let size = match body.get("page_size") {
        None | Some(Value::Null) => LARGEST_PAGE,
        Some(size) => size.as_u64().ok_or_else(|| wrong_type("body.page_size", "a number", size))?,
    };
    let start = match body.get("start_cursor") {
        None | Some(Value::Null) => None,
        Some(Value::String(start)) => Some(id("body.start_cursor", start)?),
        Some(other) => return Err(wrong_type("body.start_cursor", "a string", other)),
    };
    sized("body", size, start)
}

/// Paging of a `GET`, in its query.
pub(crate) fn paging_of_query(size: Option<&str>, start: Option<&str>) -> Result<Paging, Failure> {
    let number = |text: &str| text.parse().map_err(|_| wrong_type("query.page_size", "a number", &Value::from(text)));
    let size = size.map(number).transpose()?.unwrap_or(LARGEST_PAGE);
    sized("query", size, start.map(|it| id("query.start_cursor", it)).transpose()?)
}

fn sized(place: &str, size: u64, start: Option<String>) -> Result<Paging, Failure> {
    let wrong = |bound: &str| {
        let message = format!("{place} failed validation: {place}.page_size should be {bound}, instead was `{size}`.");
        Err(Failure::validation(message))
    };
    match size {
        0 => wrong("≥ `1`"),
        1..=LARGEST_PAGE => Ok(Paging { size: usize::try_from(size).unwrap_or_default(), start }),
        _ => wrong("≤ `100`"),
    }
}

/// A value that is not what it should be.
pub(crate) fn wrong_type(place: &str, wanted: &str, found: &Value) -> Failure {
    let part = place.split('.').next().unwrap_or(place);
    let found = if found.is_null() { "undefined".to_owned() } else { found.to_string() };
    Failure::validation(format!("{part} failed validation: {place} should be {wanted}, instead was `{found}`."))
}

/// A list, or nothing at all, which is an empty one.
pub(crate) fn list<'a>(place: &str, value: Option<&'a Value>) -> Result<&'a [Value], Failure> {
    match value {
        None => Ok(&[]),
        Some(Value::Array(entries)) => Ok(entries),
        Some(other) => Err(wrong_type(place, "an array", other)),
    }
}

/// Rich text as clients write it: of a text object only its content is required.
pub(crate) fn rich_text(place: &str, value: Option<&Value>) -> Result<RichText, Failure> {
    let spans = list(place, value)?;
    if spans.len() > MOST_CHILDREN {
        let message = format!("body failed validation: {place}.length should be ≤ `100`, instead was `{}`.", spans.len());
        return Err(Failure::validation(message));
    }
    let spans = spans.iter().enumerate().map(|(index, it)| span(&format!("{place}[{index}]"), it));
    Ok(RichText(spans.collect::<Result<_, _>>()?))
}

fn span(place: &str, value: &Value) -> Result<Span, Failure> {
    if let Some(mention) = value.get("mention") {
        return mentioned(place, mention);
    }
    let content = value.pointer("/text/content").and_then(Value::as_str);
    let content = content.ok_or_else(|| wrong_type(&format!("{place}.text.content"), "a string", &Value::Null))?;
    let length = content.chars().count();
    if length > LONGEST_TEXT {
        let place = format!("{place}.text.content.length");
        return Err(Failure::validation(format!("body failed validation: {place} should be ≤ `2000`, instead was `{length}`.")));
    }
    let style = |name: &str| value.pointer(&format!("/annotations/{name}")).and_then(Value::as_bool).unwrap_or_default();
    let link = value.pointer("/text/link/url").and_then(Value::as_str).map(str::to_owned);
    Ok(Span::Text { content: content.to_owned(), link, bold: style("bold"), code: style("code") })
}

fn mentioned(place: &str, mention: &Value) -> Result<Span, Failure> {
    let at = |kind: &str| mention.pointer(&format!("/{kind}/id")).and_then(Value::as_str);
    let place = format!("{place}.mention");
    if let Some(user) = at("user") {
        return Ok(Span::Person { id: id(&place, user)?, name: "user".to_owned() });
    }
    let page = at("page").map(|it| (it, false)).or_else(|| at("database").map(|it| (it, true)));
    let (page, database) = page.ok_or_else(|| wrong_type(&place, "a user, page or database", mention))?;
    Ok(Span::Page { id: id(&place, page)?, title: "Untitled".to_owned(), database })
}

/// The blocks that a request adds.
pub(crate) fn children(place: &str, value: Option<&Value>) -> Result<Vec<Block>, Failure> {
    let mut left = MOST_BLOCKS;
    blocks(place, value, 0, &mut left)
}

fn blocks(place: &str, value: Option<&Value>, depth: usize, left: &mut usize) -> Result<Vec<Block>, Failure> {
    let entries = list(place, value)?;
    let many = entries.len();
    if many > MOST_CHILDREN {
        let message = format!("body failed validation: {place}.length should be ≤ `100`, instead was `{many}`.");
        return Err(Failure::validation(message));
    }
    if depth > DEEPEST && many > 0 {
        return Err(wrong_type(place, "not present", &Value::from("nested too deep")));
    }
    *left = left.checked_sub(many).ok_or_else(|| Failure::validation("body failed validation: more than 1000 blocks."))?;
    entries.iter().enumerate().map(|(index, it)| block(&format!("{place}[{index}]"), it, depth, left)).collect()
}

fn block(place: &str, value: &Value, depth: usize, left: &mut usize) -> Result<Block, Failure> {
    let known = |key: &&String| !matches!(key.as_str(), "object" | "type");
    let named = value.get("type").and_then(Value::as_str);
    let only = || value.as_object().and_then(|it| it.keys().find(known)).map(String::as_str);
    let kind = named.or_else(only).ok_or_else(|| wrong_type(place, "a block", value))?;
    let place = format!("{place}.{kind}");
    let inner = value.get(kind).ok_or_else(|| wrong_type(&place, "defined", &Value::Null))?;
    let content = content(&place, kind, inner)?;
    let below = inner.get("children").or_else(|| value.get("children"));
    let children = blocks(&format!("{place}.children"), below, depth + 1, left)?;
    Ok(Block { content, children })
}

fn content(place: &str, kind: &str, inner: &Value) -> Result<Content, Failure> {
    let rich = |key: &str| rich_text(&format!("{place}.{key}"), inner.get(key));
    let url = || {
        let found = inner.get("url").or_else(|| inner.pointer("/external/url")).and_then(Value::as_str);
        found.map(str::to_owned).ok_or_else(|| wrong_type(&format!("{place}.url"), "a string", &Value::Null))
    };
    Ok(match kind {
        "paragraph" => Content::Paragraph(rich("rich_text")?),
        "heading_1" => Content::Heading(1, rich("rich_text")?),
        "heading_2" => Content::Heading(2, rich("rich_text")?),
        "heading_3" => Content::Heading(3, rich("rich_text")?),
        "bulleted_list_item" => Content::BulletedListItem(rich("rich_text")?),
        "numbered_list_item" => Content::NumberedListItem(rich("rich_text")?),
        "to_do" => {
            let checked = inner.get("checked").and_then(Value::as_bool).unwrap_or_default();
            Content::ToDo { text: rich("rich_text")?, checked }
        }
        "toggle" => Content::Toggle(rich("rich_text")?),
        "quote" => Content::Quote(rich("rich_text")?),
        "callout" => Content::Callout(rich("rich_text")?),
        "code" => {
            let language = inner.get("language").and_then(Value::as_str).unwrap_or("plain text");
            Content::Code { text: rich("rich_text")?, language: language.to_owned() }
        }
        "table" => {
            let width = inner.get("table_width").and_then(Value::as_u64).and_then(|it| usize::try_from(it).ok());
            let width = width.ok_or_else(|| wrong_type(&format!("{place}.table_width"), "a number", &Value::Null))?;
            Content::Table { width, header: inner.get("has_column_header").and_then(Value::as_bool).unwrap_or_default() }
        }
        "table_row" => {
            let place = format!("{place}.cells");
            let cells = list(&place, inner.get("cells"))?.iter().map(|it| rich_text(&place, Some(it)));
            Content::TableRow(cells.collect::<Result<_, _>>()?)
        }
        "bookmark" => Content::Bookmark { url: url()?, caption: rich("caption")? },
        "embed" => Content::Embed { url: url()? },
        "divider" => Content::Divider,
        "column_list" => Content::ColumnList,
        "column" => Content::Column,
        "image" => Content::Image { url: url()?, caption: rich("caption")? },
        "synced_block" => {
            let from = inner.pointer("/synced_from/block_id").and_then(Value::as_str);
            Content::SyncedBlock { from: from.map(|it| id(place, it)).transpose()? }
        }
        _ => return Err(wrong_type(place, "a known block type", inner)),
    })
}

/// A row's value, as its column wants it; nothing where the client clears the value.
pub(crate) fn property(place: &str, kind: PropertyKind, value: &Value) -> Result<Option<Property>, Failure> {
    let place = format!("{place}.{}", super::wire::kind_word(kind));
    let inner = value.get(super::wire::kind_word(kind)).ok_or_else(|| wrong_type(&place, "defined", &Value::Null))?;
    if inner.is_null() {
        return Ok(None);
    }
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let texts = |key: &str| -> Result<Vec<String>, Failure> {
        Ok(list(&place, Some(inner))?.iter().filter_map(|it| text(it, key)).collect())
    };
    let wrong = |wanted: &str| wrong_type(&place, wanted, inner);
    Ok(Some(match kind {
        PropertyKind::RichText => Property::Text(rich_text(&place, Some(inner))?),
        PropertyKind::Number => Property::Number(inner.as_f64().ok_or_else(|| wrong("a number"))?),
        PropertyKind::Select => Property::Select(text(inner, "name").ok_or_else(|| wrong("an option"))?),
        PropertyKind::Status => Property::Status(text(inner, "name").ok_or_else(|| wrong("an option"))?),
        PropertyKind::MultiSelect => Property::MultiSelect(texts("name")?),
        PropertyKind::Date => {
            let start = text(inner, "start").ok_or_else(|| wrong("a date"))?;
            Property::Date { start, end: text(inner, "end") }
        }
        PropertyKind::People => Property::People(texts("id")?),
        PropertyKind::Relation => Property::Relation(texts("id")?),
        PropertyKind::Checkbox => Property::Checkbox(inner.as_bool().ok_or_else(|| wrong("a boolean"))?),
        PropertyKind::Url => Property::Url(inner.as_str().ok_or_else(|| wrong("a string"))?.to_owned()),
        PropertyKind::CreatedTime | PropertyKind::LastEditedTime => return Err(wrong("not present")),
    }))
}
