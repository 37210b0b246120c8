//! The workspace in Notion's JSON, as recorded answers of the real service look.
//!
//! Reads only; what clients send is understood in [`super::parse`].

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};
use yarnnn_core::hash::Sha256;

use super::block::{Content, RichText, Span};
use super::model::{Property, PropertyKind};
use super::state::{Body, Comment, Entry, Schema, State, User, bot_id, id_of, minute};

/// The longest content of one text object; longer words come as several.
pub(crate) const LONGEST_TEXT: usize = 2_000;

/// The versions of the API that are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Version {
    /// Databases are their only data source.
    Old,
    /// Databases have data sources.
    Sources,
    /// As before, and `archived` is gone.
    Newest,
}

impl Version {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "2022-06-28" => Some(Self::Old),
            "2025-09-03" => Some(Self::Sources),
            "2026-03-11" => Some(Self::Newest),
            _ => None,
        }
    }
}

/// The workspace as one version of the API shows it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) state: &'a State,
    pub(crate) version: Version,
}

impl View<'_> {
    /// A page or row.
    pub(crate) fn page(&self, entry: &Entry) -> Value {
        let mut object = self.head("page", entry);
        object.extend(fields(json!({ "cover": null, "icon": null, "is_locked": false, "public_url": null })));
        object.insert("properties".to_owned(), self.properties(entry));
        object.insert("url".to_owned(), json!(url(&entry.title(), &entry.id)));
        if self.version != Version::Newest {
            object.insert("is_archived".to_owned(), json!(self.state.in_trash(&entry.id)));
        }
        Value::Object(object)
    }

    /// A block; a page or database inside another page is one too.
    pub(crate) fn block(&self, entry: &Entry) -> Value {
        let (kind, value) = match &entry.body {
            Body::Page { title, .. } => ("child_page", json!({ "title": title.plain() })),
            Body::Database { title } | Body::DataSource { title, .. } => ("child_database", json!({ "title": title.plain() })),
            Body::Block(content) => (content.kind(), self.content(entry, content)),
        };
        let mut object = self.head("block", entry);
        object.insert("has_children".to_owned(), json!(self.has_children(entry)));
        object.insert("type".to_owned(), json!(kind));
        object.insert(kind.to_owned(), value);
        Value::Object(object)
    }

    /// A database with the list of its data sources. Its instants are exact and written another way than everywhere else.
    pub(crate) fn database(&self, entry: &Entry) -> Value {
        let exact = |instant: DateTime<Utc>| instant.to_rfc3339_opts(SecondsFormat::Millis, false);
        let source = |it: &&Entry| json!({ "id": it.id, "name": it.title() });
        let sources: Vec<Value> = self.state.children(&entry.id).iter().map(source).collect();
        let mut object = self.head("database", entry);
        object.remove("created_by");
        object.remove("last_edited_by");
        object.extend(fields(json!({
            "title": rich_text(&title_of(entry)), "description": [], "is_inline": false, "is_locked": false,
            "created_time": exact(entry.created), "last_edited_time": exact(entry.edited), "data_sources": sources,
            "icon": null, "cover": null, "url": url("", &entry.id), "public_url": null,
        })));
        Value::Object(object)
    }

    /// A data source with its columns. Before there were data sources, this was the database.
    pub(crate) fn data_source(&self, entry: &Entry) -> Value {
        let database = entry.parent.as_deref().and_then(|it| self.state.get(it));
        let (kind, shown) =
            if self.version == Version::Old { ("database", database.unwrap_or(entry)) } else { ("data_source", entry) };
        let mut object = self.head(kind, shown);
        object.extend(fields(json!({
            "cover": null, "icon": null, "title": rich_text(&title_of(shown)), "description": [], "is_inline": false,
            "properties": schema(entry), "url": url("", &database.unwrap_or(entry).id), "public_url": null,
        })));
        if self.version != Version::Old {
            object.insert("database_parent".to_owned(), database.map_or(Value::Null, |it| self.parent(it)));
        }
        Value::Object(object)
    }

    /// What all objects begin with.
    fn head(&self, object: &str, entry: &Entry) -> Map<String, Value> {
        let trashed = self.state.in_trash(&entry.id);
        let by = json!({ "object": "user", "id": self.state.users.first().map_or_else(bot_id, |it| it.id.clone()) });
        let mut head = fields(json!({
            "object": object, "id": entry.id, "parent": self.parent(entry), "in_trash": trashed,
            "created_time": stamp(entry.created), "last_edited_time": stamp(entry.edited), "created_by": by, "last_edited_by": by,
        }));
        if self.version != Version::Newest {
            head.insert("archived".to_owned(), json!(trashed));
        }
        head
    }

    fn parent(&self, entry: &Entry) -> Value {
        let Some(parent) = entry.parent.as_deref().and_then(|it| self.state.get(it)) else {
            return json!({ "type": "workspace", "workspace": true });
        };
        let id = &parent.id;
        match &parent.body {
            Body::Page { .. } => json!({ "type": "page_id", "page_id": id }),
            Body::Block(_) => json!({ "type": "block_id", "block_id": id }),
            Body::Database { .. } => json!({ "type": "database_id", "database_id": id }),
            Body::DataSource { .. } if self.version == Version::Old => {
                json!({ "type": "database_id", "database_id": parent.parent })
            }
            Body::DataSource { .. } => json!({ "type": "data_source_id", "data_source_id": id, "database_id": parent.parent }),
        }
    }

    fn has_children(&self, entry: &Entry) -> bool {
        !matches!(entry.body, Body::Database { .. }) && !self.state.children(&entry.id).is_empty()
    }

    fn content(&self, entry: &Entry, content: &Content) -> Value {
        match content {
            Content::Paragraph(text) => json!({ "rich_text": rich_text(text), "icon": null, "color": "default" }),
            Content::Heading(_, text) => {
                json!({ "rich_text": rich_text(text), "is_toggleable": self.has_children(entry), "color": "default" })
            }
            Content::BulletedListItem(text) | Content::NumberedListItem(text) | Content::Toggle(text) | Content::Quote(text) => {
                json!({ "rich_text": rich_text(text), "color": "default" })
            }
            Content::ToDo { text, checked } => json!({ "rich_text": rich_text(text), "checked": checked, "color": "default" }),
            Content::Callout(text) => {
                json!({ "rich_text": rich_text(text), "icon": { "type": "emoji", "emoji": "💡" }, "color": "gray_background" })
            }
            Content::Code { text, language } => json!({ "caption": [], "rich_text": rich_text(text), "language": language }),
            Content::Table { width, header } => {
                json!({ "table_width": width, "has_column_header": header, "has_row_header": false })
            }
            Content::TableRow(cells) => json!({ "cells": cells.iter().map(rich_text).collect::<Vec<_>>() }),
            Content::Bookmark { url, caption } => json!({ "caption": rich_text(caption), "url": url }),
            Content::Embed { url } => json!({ "caption": [], "url": url }),
            Content::Divider | Content::ColumnList | Content::Column => json!({}),
            Content::SyncedBlock { from: None } => json!({ "synced_from": null }),
            Content::SyncedBlock { from: Some(id) } => json!({ "synced_from": { "type": "block_id", "block_id": id } }),
            Content::Image { url, caption } => {
                json!({ "caption": rich_text(caption), "type": "external", "external": { "url": url } })
            }
            Content::Unknown { value, .. } => value.clone(),
        }
    }

    /// A page's properties: its title, and for a row every column of its data source.
    fn properties(&self, entry: &Entry) -> Value {
        let Body::Page { title, properties } = &entry.body else { return json!({}) };
        let title = json!({ "id": "title", "type": "title", "title": rich_text(title) });
        let Some(schema) = self.state.schema_of(entry) else { return json!({ "title": title }) };
        let mut object = Map::from_iter([(schema.title.clone(), title)]);
        for (name, kind) in &schema.columns {
            let value = self.property(entry, *kind, properties.get(name));
            let word = kind_word(*kind);
            object.insert(name.clone(), json!({ "id": property_id(name), "type": word, word: value }));
        }
        Value::Object(object)
    }

    /// A value in the form of its column; a value of another kind counts as none.
    fn property(&self, entry: &Entry, kind: PropertyKind, value: Option<&Property>) -> Value {
        match (kind, value) {
            (PropertyKind::RichText, Some(Property::Text(text))) => rich_text(text),
            (PropertyKind::Number, Some(Property::Number(number))) => json!(number),
            (PropertyKind::Select, Some(Property::Select(name))) | (PropertyKind::Status, Some(Property::Status(name))) => {
                choice(name)
            }
            (PropertyKind::MultiSelect, Some(Property::MultiSelect(names))) => names.iter().map(|it| choice(it)).collect(),
            (PropertyKind::Date, Some(Property::Date { start, end })) => json!({ "start": start, "end": end, "time_zone": null }),
            (PropertyKind::People, Some(Property::People(ids))) => ids.iter().map(|id| self.person(id)).collect(),
            (PropertyKind::Url, Some(Property::Url(url))) => json!(url),
            (PropertyKind::Relation, Some(Property::Relation(ids))) => ids.iter().map(|id| json!({ "id": id })).collect(),
            (PropertyKind::Checkbox, value) => json!(matches!(value, Some(Property::Checkbox(true)))),
            (PropertyKind::CreatedTime, _) => json!(stamp(entry.created)),
            (PropertyKind::LastEditedTime, _) => json!(stamp(entry.edited)),
            (PropertyKind::RichText | PropertyKind::MultiSelect | PropertyKind::People | PropertyKind::Relation, _) => json!([]),
            _ => Value::Null,
        }
    }

    fn person(&self, id: &str) -> Value {
        self.state.users.iter().find(|it| it.id == id).map_or_else(|| json!({ "object": "user", "id": id }), user)
    }

    /// The integration's own user.
    pub(crate) fn bot(&self) -> Value {
        let bot = json!({
            "owner": { "type": "workspace", "workspace": true }, "workspace_name": self.state.workspace_name,
            "workspace_id": id_of("workspace"),
            "workspace_limits": { "max_file_upload_size_in_bytes": 5_242_880 },
        });
        let name = &self.state.integration_name;
        json!({ "object": "user", "id": bot_id(), "name": name, "avatar_url": null, "type": "bot", "bot": bot })
    }

    /// A comment.
    pub(crate) fn comment(&self, comment: &Comment) -> Value {
        let is_page = self.state.get(&comment.on).is_some_and(Entry::is_page);
        let kind = if is_page { "page_id" } else { "block_id" };
        let author = self.state.users.iter().find(|it| it.id == comment.by);
        let (by, name) = author.map_or(("integration", &self.state.integration_name), |it| ("user", &it.name));
        json!({
            "object": "comment", "id": comment.id, "parent": { "type": kind, kind: comment.on }, "discussion_id": comment.discussion,
            "created_time": stamp(comment.at), "last_edited_time": stamp(comment.at),
            "created_by": { "object": "user", "id": comment.by }, "rich_text": rich_text(&comment.text),
            "display_name": { "type": by, "resolved_name": name },
        })
    }
}

/// A member of the workspace.
pub(crate) fn user(user: &User) -> Value {
    json!({
        "object": "user", "id": user.id, "name": user.name, "avatar_url": null, "type": "person",
        "person": { "email": user.email, "email_verified": true },
    })
}

/// Rich text; words beyond the limit of one text object go on in the next.
pub(crate) fn rich_text(text: &RichText) -> Value {
    text.0.iter().flat_map(span).collect()
}

fn span(span: &Span) -> Vec<Value> {
    let object = |kind: &str, value: Value, plain: &str, href: Option<&str>, (bold, code): (bool, bool)| {
        let annotations = json!({
            "bold": bold, "italic": false, "strikethrough": false, "underline": false, "code": code, "color": "default",
        });
        json!({ "type": kind, kind: value, "annotations": annotations, "plain_text": plain, "href": href })
    };
    match span {
        Span::Text { content, link, bold, code } => {
            let link = link.as_deref();
            let text = |part: &String| json!({ "content": part, "link": link.map(|url| json!({ "url": url })) });
            pieces(content).iter().map(|part| object("text", text(part), part, link, (*bold, *code))).collect()
        }
        Span::Person { id, .. } => {
            let mention = json!({ "type": "user", "user": { "object": "user", "id": id } });
            vec![object("mention", mention, &span.plain(), None, (false, false))]
        }
        Span::Page { id, title, database } => {
            let kind = if *database { "database" } else { "page" };
            let mention = json!({ "type": kind, kind: { "id": id } });
            vec![object("mention", mention, title, Some(&url("", id)), (false, false))]
        }
    }
}

fn pieces(content: &str) -> Vec<String> {
    let characters: Vec<char> = content.chars().collect();
    characters.chunks(LONGEST_TEXT).map(|it| it.iter().collect()).collect()
}

/// An instant, cut to its minute.
pub(crate) fn stamp(instant: DateTime<Utc>) -> String {
    minute(instant).to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// The address of a page in the app.
pub(crate) fn url(title: &str, id: &str) -> String {
    let words = title.split(|it: char| !it.is_ascii_alphanumeric()).filter(|it| !it.is_empty());
    let digits = id.replace('-', "");
    format!("https://app.notion.com/p/{}", words.chain([digits.as_str()]).collect::<Vec<_>>().join("-"))
}

fn title_of(entry: &Entry) -> RichText {
    RichText::from(entry.title())
}

fn schema(entry: &Entry) -> Value {
    let Body::DataSource { schema: Schema { title, columns }, .. } = &entry.body else { return json!({}) };
    let column = |id: &str, name: &str, word: &str, value: Value| json!({ "id": id, "name": name, "description": null, "type": word, word: value });
    let mut object = Map::from_iter([(title.clone(), column("title", title, "title", json!({})))]);
    for (name, kind) in columns {
        let value = match kind {
            PropertyKind::Select | PropertyKind::MultiSelect => json!({ "options": [] }),
            PropertyKind::Status => json!({ "options": [], "groups": [] }),
            PropertyKind::Number => json!({ "format": "number" }),
            _ => json!({}),
        };
        object.insert(name.clone(), column(&property_id(name), name, kind_word(*kind), value));
    }
    Value::Object(object)
}

/// Notion's word for a kind of property.
pub(crate) fn kind_word(kind: PropertyKind) -> &'static str {
    match kind {
        PropertyKind::RichText => "rich_text",
        PropertyKind::Number => "number",
        PropertyKind::Select => "select",
        PropertyKind::Status => "status",
        PropertyKind::MultiSelect => "multi_select",
        PropertyKind::Date => "date",
        PropertyKind::People => "people",
        PropertyKind::Checkbox => "checkbox",
        PropertyKind::Url => "url",
        PropertyKind::Relation => "relation",
        PropertyKind::CreatedTime => "created_time",
        PropertyKind::LastEditedTime => "last_edited_time",
    }
}

/// The short id of a property, which belongs to its name.
pub(crate) fn property_id(name: &str) -> String {
    Sha256::of(format!("property/{name}")).to_string().chars().take(4).collect()
}

fn choice(name: &str) -> Value {
    json!({ "id": id_of(&format!("option {name}")), "name": name, "color": "default" })
}

/// The members of an object literal.
fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}
