//! Filters, orders and pages of lists.
//!
//! Instants are compared as Notion tells them, to the minute: what a client reads is what it may filter by.

use std::cmp::Ordering;

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Value, json};

use super::failure::Failure;
use super::model::{Property, PropertyKind};
use super::parse::{Paging, list, wrong_type};
use super::state::{Body, Entry, Schema, minute};

/// Compound filters are nested at most this deep.
const DEEPEST: usize = 2;

/// A part of a list in Notion's form. A cursor is the id of the entry with which the next part begins; one that names no entry of
/// this list is refused.
pub(crate) fn page<T>(
    kind: &str,
    all: &[T],
    paging: &Paging,
    id: impl Fn(&T) -> &str,
    shown: impl Fn(&T) -> Value,
) -> Result<Value, Failure> {
    let start = match &paging.start {
        None => 0,
        Some(cursor) => all
            .iter()
            .position(|it| id(it) == cursor)
            .ok_or_else(|| Failure::validation(format!("The start_cursor provided is invalid: {cursor}")))?,
    };
    let results: Vec<Value> = all.iter().skip(start).take(paging.size).map(shown).collect();
    let next = all.get(start + paging.size).map(|it| id(it).to_owned());
    Ok(json!({
        "object": "list", "results": results, "has_more": next.is_some(), "next_cursor": next, "type": kind, kind: {},
    }))
}

/// A filter on rows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Filter {
    All(Vec<Filter>),
    Any(Vec<Filter>),
    Time { column: Timestamp, condition: Condition, bound: Bound },
}

/// One of the two instants that every row has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Timestamp {
    Created,
    Edited,
}

impl Timestamp {
    fn parse(place: &str, value: &Value) -> Result<Self, Failure> {
        match value.as_str() {
            Some("created_time") => Ok(Self::Created),
            Some("last_edited_time") => Ok(Self::Edited),
            _ => Err(wrong_type(place, "`\"created_time\"` or `\"last_edited_time\"`", value)),
        }
    }

    fn of(self, entry: &Entry) -> DateTime<Utc> {
        minute(if self == Self::Created { entry.created } else { entry.edited })
    }

    fn name(self) -> &'static str {
        if self == Self::Created { "created_time" } else { "last_edited_time" }
    }
}

/// How an instant is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    Equals,
    Before,
    After,
    OnOrBefore,
    OnOrAfter,
}

/// What an instant is compared with; a bare date means its whole day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bound {
    Day(NaiveDate),
    Instant(DateTime<Utc>),
}

impl Filter {
    /// Reads the `filter` of a query.
    pub(crate) fn parse(value: &Value, schema: &Schema) -> Result<Self, Failure> {
        Self::read("body.filter", value, schema, 0)
    }

    fn read(place: &str, value: &Value, schema: &Schema, depth: usize) -> Result<Self, Failure> {
        let parts = |name: &str| -> Option<Result<Vec<Self>, Failure>> {
            let inner = value.get(name)?;
            let place = format!("{place}.{name}");
            if depth == DEEPEST {
                return Some(Err(wrong_type(&place, "not present", inner)));
            }
            Some(list(&place, Some(inner)).and_then(|it| it.iter().map(|it| Self::read(&place, it, schema, depth + 1)).collect()))
        };
        if let Some(parts) = parts("and") {
            return parts.map(Self::All);
        }
        if let Some(parts) = parts("or") {
            return parts.map(Self::Any);
        }
        let column = match (value.get("timestamp"), value.get("property").and_then(Value::as_str)) {
            (Some(name), _) => Timestamp::parse(&format!("{place}.timestamp"), name)?,
            (None, Some(name)) => time_column(name, schema)?,
            (None, None) => return Err(wrong_type(place, "a filter on a timestamp, a property, `and` or `or`", value)),
        };
        let name = column.name();
        let inner = value.get(name).or_else(|| value.get("date"));
        let place = format!("{place}.{name}");
        let (condition, bound) = condition(&place, inner.ok_or_else(|| wrong_type(&place, "defined", &Value::Null))?)?;
        Ok(Self::Time { column, condition, bound })
    }

    /// Whether a row is wanted.
    pub(crate) fn admits(&self, entry: &Entry) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|it| it.admits(entry)),
            Self::Any(parts) => parts.iter().any(|it| it.admits(entry)),
            Self::Time { column, condition, bound } => {
                let instant = column.of(entry);
                let order = match bound {
                    Bound::Day(day) => instant.date_naive().cmp(day),
                    Bound::Instant(bound) => instant.cmp(bound),
                };
                condition.holds(order)
            }
        }
    }
}

impl Condition {
    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equals => order.is_eq(),
            Self::Before => order.is_lt(),
            Self::After => order.is_gt(),
            Self::OnOrBefore => order.is_le(),
            Self::OnOrAfter => order.is_ge(),
        }
    }
}

/// The instant behind a column that Notion fills.
fn time_column(name: &str, schema: &Schema) -> Result<Timestamp, Failure> {
    match schema.kind(name) {
        Some(PropertyKind::CreatedTime) => Ok(Timestamp::Created),
        Some(PropertyKind::LastEditedTime) => Ok(Timestamp::Edited),
        Some(_) => Err(Failure::validation(format!("The simulator has no filters on the property {name}; use a timestamp."))),
        None => Err(Failure::validation(format!("Could not find property with name or id: {name}"))),
    }
}

fn condition(place: &str, value: &Value) -> Result<(Condition, Bound), Failure> {
    let known = [
        ("equals", Condition::Equals),
        ("before", Condition::Before),
        ("after", Condition::After),
        ("on_or_before", Condition::OnOrBefore),
        ("on_or_after", Condition::OnOrAfter),
    ];
    let found = known.into_iter().find_map(|(name, condition)| Some((name, condition, value.get(name)?)));
    let (name, condition, bound) = found.ok_or_else(|| wrong_type(place, "a condition on a date", value))?;
    let wrong = || wrong_type(&format!("{place}.{name}"), "a valid ISO 8601 date string", bound);
    let text = bound.as_str().ok_or_else(wrong)?;
    let day = || text.parse().ok().map(Bound::Day);
    let instant = || DateTime::parse_from_rfc3339(text).ok().map(|it| Bound::Instant(it.to_utc()));
    Ok((condition, day().or_else(instant).ok_or_else(wrong)?))
}

/// One key by which rows are ordered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sort {
    key: Key,
    descending: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Key {
    Time(Timestamp),
    Title,
    Column(String),
}

/// Reads the `sorts` of a query.
pub(crate) fn sorts(value: Option<&Value>, schema: &Schema) -> Result<Vec<Sort>, Failure> {
    list("body.sorts", value)?.iter().map(|it| sort("body.sorts", it, schema)).collect()
}

/// Reads the `sort` of a search, which knows one key only.
pub(crate) fn search_order(value: Option<&Value>) -> Result<Sort, Failure> {
    let Some(value) = value.filter(|it| !it.is_null()) else {
        return Ok(Sort { key: Key::Time(Timestamp::Edited), descending: true });
    };
    let timestamp = value.get("timestamp").unwrap_or(&Value::Null);
    if timestamp.as_str() != Some("last_edited_time") {
        return Err(wrong_type("body.sort.timestamp", "`\"last_edited_time\"`", timestamp));
    }
    Ok(Sort { key: Key::Time(Timestamp::Edited), descending: descending("body.sort", value)? })
}

fn sort(place: &str, value: &Value, schema: &Schema) -> Result<Sort, Failure> {
    let key = match (value.get("timestamp"), value.get("property").and_then(Value::as_str)) {
        (Some(name), _) => Key::Time(Timestamp::parse(&format!("{place}.timestamp"), name)?),
        (None, Some(name)) if name == schema.title || name == "title" => Key::Title,
        (None, Some(name)) => match schema.kind(name) {
            Some(PropertyKind::CreatedTime) => Key::Time(Timestamp::Created),
            Some(PropertyKind::LastEditedTime) => Key::Time(Timestamp::Edited),
            Some(_) => Key::Column(name.to_owned()),
            None => return Err(Failure::validation(format!("Could not find sort property with name or id: {name}"))),
        },
        (None, None) => return Err(wrong_type(place, "a sort by a timestamp or a property", value)),
    };
    Ok(Sort { key, descending: descending(place, value)? })
}

fn descending(place: &str, value: &Value) -> Result<bool, Failure> {
    match value.get("direction").map_or(Some("ascending"), Value::as_str) {
        Some("ascending") => Ok(false),
        Some("descending") => Ok(true),
        _ => Err(wrong_type(&format!("{place}.direction"), "`\"ascending\"` or `\"descending\"`", value)),
    }
}

/// Orders rows by several keys; rows that are equal in all of them stand in the order of their ids, so that pages fit together.
pub(crate) fn order(rows: &mut [&Entry], sorts: &[Sort]) {
    rows.sort_by(|left, right| {
        let keys = sorts.iter().map(|sort| {
            let order = compare(&sort.key, left, right);
            if sort.descending { order.reverse() } else { order }
        });
        keys.fold(Ordering::Equal, Ordering::then).then_with(|| left.id.cmp(&right.id))
    });
}

fn compare(key: &Key, left: &Entry, right: &Entry) -> Ordering {
    match key {
        Key::Time(column) => column.of(left).cmp(&column.of(right)),
        Key::Title => left.title().cmp(&right.title()),
        Key::Column(name) => {
            let (left, right) = (value(left, name), value(right, name));
            match (left, right) {
                (Some(Property::Number(left)), Some(Property::Number(right))) => left.total_cmp(right),
                (left, right) => left.map(words).cmp(&right.map(words)),
            }
        }
    }
}

fn value<'a>(entry: &'a Entry, name: &str) -> Option<&'a Property> {
    match &entry.body {
        Body::Page { properties, .. } => properties.get(name),
        _ => None,
    }
}

/// A value as text that sorts.
fn words(value: &Property) -> String {
    match value {
        Property::Text(text) => text.plain(),
        Property::Number(number) => number.to_string(),
        Property::Select(text) | Property::Status(text) | Property::Url(text) | Property::Date { start: text, .. } => {
            text.clone()
        }
        Property::MultiSelect(texts) | Property::People(texts) | Property::Relation(texts) => texts.join(", "),
        Property::Checkbox(checked) => u8::from(*checked).to_string(),
    }
}
