//! The calls that write: new pages and rows, blocks at the end of something, comments.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Value, json};

use super::block::RichText;
use super::failure::Failure;
use super::model::{Capability, Property};
use super::parse;
use super::routes::{Ask, answer, object};
use super::state::{At, Body, Comment, NoSuchEntry, Schema, bot_id};
use super::wire::{Version, property_id};
use crate::Sim;

pub(super) async fn create_page(State(sim): State<Sim>, headers: HeaderMap, body: Bytes) -> Response {
    answer(&sim, &headers, Some(Capability::InsertContent), |ask| {
        let body = object(&body)?;
        let (parent, schema) = parent(&ask, body.get("parent").unwrap_or(&Value::Null))?;
        editable(&ask, &parent)?;
        let new = properties(schema.as_ref(), body.get("properties").unwrap_or(&Value::Null))?;
        let blocks = parse::children("body.children", body.get("children"))?;
        let id = ask.state.next_id();
        let id = ask.state.insert(id, Some(&parent), new, ask.now).map_err(|it| gone(&ask, &it))?;
        ask.state.insert_blocks(&id, blocks, At::End, ask.now).map_err(|it| gone(&ask, &it))?;
        Ok(ask.view().page(ask.page(&id)?))
    })
}

/// Only for the compiler: what was found a moment ago, under the same lock, is still there.
fn gone(ask: &Ask<'_>, missing: &NoSuchEntry) -> Failure {
    ask.missing("block", &missing.id)
}

/// Where a new page goes, and for a row the columns that it has to follow.
fn parent(ask: &Ask<'_>, value: &Value) -> Result<(String, Option<Schema>), Failure> {
    let field = |name: &str| value.get(name).and_then(Value::as_str);
    if let Some(id) = field("page_id") {
        return Ok((ask.page(id)?.id.clone(), None));
    }
    let source = match (field("data_source_id"), field("database_id")) {
        (Some(id), _) => ask.data_source(id)?,
        (None, Some(id)) => ask.only_source(id)?,
        (None, None) => return Err(parse::wrong_type("body.parent", "a page or data source", value)),
    };
    Ok((source.0.id.clone(), Some(source.1.clone())))
}

/// What lies in the trash cannot be added to.
fn editable(ask: &Ask<'_>, id: &str) -> Result<(), Failure> {
    if ask.state.in_trash(id) {
        let message = "Can't edit block that is archived. You must unarchive the block before editing.";
        return Err(Failure::validation(message));
    }
    Ok(())
}

/// The body of a new page. A page in a page has a title only; a row has what its data source has columns for.
fn properties(schema: Option<&Schema>, value: &Value) -> Result<Body, Failure> {
    let mut title = RichText::default();
    let mut properties: BTreeMap<String, Property> = BTreeMap::new();
    for (name, value) in value.as_object().into_iter().flatten() {
        let place = format!("body.properties.{name}");
        let column = schema.and_then(|it| it.columns.iter().find(|(known, _)| known == name || property_id(known) == *name));
        if name == "title" || schema.is_some_and(|it| it.title == *name) {
            title = parse::rich_text(&place, value.get("title").or(Some(value)))?;
        } else if let Some((name, kind)) = column {
            properties.extend(parse::property(&place, *kind, value)?.map(|value| (name.clone(), value)));
        } else {
            return Err(Failure::validation(format!("{name} is not a property that exists.")));
        }
    }
    Ok(Body::Page { title, properties })
}

pub(super) async fn append(State(sim): State<Sim>, headers: HeaderMap, Path(id): Path<String>, body: Bytes) -> Response {
    answer(&sim, &headers, Some(Capability::InsertContent), |ask| {
        let body = object(&body)?;
        let parent = ask.block(&id)?.id.clone();
        editable(&ask, &parent)?;
        if body.get("children").is_none() {
            return Err(parse::wrong_type("body.children", "defined", &Value::Null));
        }
        let blocks = parse::children("body.children", body.get("children"))?;
        let after = after(&ask, &body)?;
        let at = match &after {
            Some(Position::After(block)) => At::After(block),
            Some(Position::Start) => At::Start,
            None => At::End,
        };
        let added = ask.state.insert_blocks(&parent, blocks, at, ask.now).map_err(|it| gone(&ask, &it))?;
        let results: Vec<Value> = added.iter().filter_map(|it| ask.state.get(it)).map(|it| ask.view().block(it)).collect();
        Ok(json!({ "object": "list", "results": results, "next_cursor": null, "has_more": false, "type": "block", "block": {} }))
    })
}

enum Position {
    Start,
    After(String),
}

/// Where blocks go: `after` until the newest version, `position` from it on.
fn after(ask: &Ask<'_>, body: &Value) -> Result<Option<Position>, Failure> {
    let after = |value: &Value| {
        let block = value.as_str().ok_or_else(|| parse::wrong_type("body.after", "a string", value))?;
        Ok(Some(Position::After(ask.block(block)?.id.clone())))
    };
    let newest = ask.version == Version::Newest;
    match (body.get("after"), body.get("position")) {
        (Some(value), _) if newest => Err(parse::wrong_type("body.after", "not present", value)),
        (_, Some(value)) if !newest => Err(parse::wrong_type("body.position", "not present", value)),
        (Some(value), _) => after(value),
        (None, Some(value)) => match value.get("type").and_then(Value::as_str) {
            Some("start") => Ok(Some(Position::Start)),
            Some("end") => Ok(None),
            Some("after_block") => after(value.pointer("/after_block/id").unwrap_or(&Value::Null)),
            _ => Err(parse::wrong_type("body.position.type", "`\"after_block\"`, `\"start\"` or `\"end\"`", value)),
        },
        (None, None) => Ok(None),
    }
}

pub(super) async fn create_comment(State(sim): State<Sim>, headers: HeaderMap, body: Bytes) -> Response {
    answer(&sim, &headers, Some(Capability::InsertComments), |ask| {
        let body = object(&body)?;
        let text = parse::rich_text("body.rich_text", body.get("rich_text"))?;
        if text.plain().is_empty() {
            return Err(parse::wrong_type("body.rich_text", "defined", &Value::Null));
        }
        let (on, discussion) = commented(&ask, &body)?;
        let id = ask.state.next_id();
        let discussion = discussion.unwrap_or_else(|| ask.state.next_id());
        let comment = Comment { id, discussion, on, by: bot_id(), at: ask.now, text };
        let shown = ask.view().comment(&comment);
        ask.state.comments.push(comment);
        Ok(shown)
    })
}

/// What is commented on, and in which discussion when it goes on with one.
fn commented(ask: &Ask<'_>, body: &Value) -> Result<(String, Option<String>), Failure> {
    let field = |path: &str| body.pointer(path).and_then(Value::as_str);
    if let Some(id) = field("/discussion_id") {
        let discussion = parse::id("body failed validation: body.discussion_id", id)?;
        let known = ask.state.comments.iter().find(|it| it.discussion == discussion && ask.state.is_shared(&it.on));
        return known.map(|it| (it.on.clone(), Some(discussion.clone()))).ok_or_else(|| ask.missing("discussion", &discussion));
    }
    let on = match (field("/parent/page_id"), field("/parent/block_id")) {
        (Some(page), _) => ask.page(page)?,
        (None, Some(block)) => ask.block(block)?,
        (None, None) => return Err(parse::wrong_type("body.parent", "defined", &Value::Null)),
    };
    Ok((on.id.clone(), None))
}
