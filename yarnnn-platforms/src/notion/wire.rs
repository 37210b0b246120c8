//! What Notion sends. Additions, absent and null fields are tolerated; what a sync cannot do without is required.

use std::ops::RangeInclusive;

use chrono::{DateTime, Datelike as _, Utc};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use yarnnn_core::platform::{Platform, ResourceId};

/// Years in which something can have been edited.
const YEARS: RangeInclusive<i32> = 1970..=2200;

/// One page of a list. Entries are read one by one, so that a strange one costs itself.
#[derive(Debug, Deserialize)]
pub(super) struct List {
    pub(super) results: Vec<Value>,
    pub(super) has_more: bool,
    pub(super) next_cursor: Option<String>,
    #[serde(default)]
    request_status: Option<RequestStatus>,
}

#[derive(Debug, Deserialize)]
struct RequestStatus {
    #[serde(rename = "type", default)]
    kind: Option<String>,
}

impl List {
    /// The query matched more than Notion lists (10 000 entries): following the cursor does not reach the rest.
    pub(super) fn is_capped(&self) -> bool {
        self.request_status.as_ref().and_then(|it| it.kind.as_deref()) == Some("incomplete")
    }
}

/// A page, or a row of a database.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Page {
    #[serde(deserialize_with = "dashed")]
    pub(super) id: String,
    #[serde(deserialize_with = "instant")]
    pub(super) last_edited_time: DateTime<Utc>,
    #[serde(default)]
    pub(super) last_edited_by: Option<Person>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) parent: Parent,
    #[serde(default, deserialize_with = "or_default")]
    in_trash: bool,
    #[serde(default, deserialize_with = "or_default")]
    archived: bool,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) properties: Map<String, Value>,
    #[serde(default)]
    pub(super) url: Option<String>,
}

impl Page {
    pub(super) const fn is_trashed(&self) -> bool {
        self.in_trash || self.archived
    }
}

/// Where something stands.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Parent {
    #[serde(rename = "type")]
    kind: Option<String>,
    page_id: Option<String>,
    database_id: Option<String>,
    data_source_id: Option<String>,
    block_id: Option<String>,
}

impl Parent {
    /// The kind in Notion's word (`workspace`, `page_id`, `data_source_id`, …).
    pub(super) fn kind(&self) -> &str {
        let told = self.kind.as_deref();
        let guesses = [
            (&self.data_source_id, "data_source_id"),
            (&self.database_id, "database_id"),
            (&self.page_id, "page_id"),
            (&self.block_id, "block_id"),
        ];
        let guess = || guesses.into_iter().find(|(id, _)| id.is_some()).map_or("workspace", |(_, kind)| kind);
        told.unwrap_or_else(guess)
    }

    pub(super) fn page(&self) -> Option<String> {
        self.page_id.as_deref().map(normal)
    }

    pub(super) fn database(&self) -> Option<String> {
        self.database_id.as_deref().map(normal)
    }

    pub(super) fn data_source(&self) -> Option<String> {
        self.data_source_id.as_deref().map(normal)
    }

    /// Whether it makes a page a row.
    pub(super) fn is_table(&self) -> bool {
        matches!(self.kind(), "data_source_id" | "database_id")
    }
}

/// Who edited something. Usually only the id is told.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Person {
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) bot: Option<Bot>,
}

/// What Notion says of the integration itself.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Bot {
    pub(super) workspace_id: Option<String>,
    pub(super) workspace_name: Option<String>,
    pub(super) owner: Option<Owner>,
}

/// Whom an integration acts for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Owner {
    pub(super) user: Option<Identified>,
}

/// Something of which only the id matters.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Identified {
    pub(super) id: String,
}

/// A database: a frame around data sources.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Database {
    #[serde(default)]
    pub(super) title: Value,
    pub(super) data_sources: Vec<DataSourceName>,
    #[serde(default, deserialize_with = "or_default")]
    in_trash: bool,
    #[serde(default, deserialize_with = "or_default")]
    archived: bool,
}

impl Database {
    pub(super) const fn is_trashed(&self) -> bool {
        self.in_trash || self.archived
    }
}

/// A data source as its database names it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct DataSourceName {
    #[serde(deserialize_with = "dashed")]
    pub(super) id: String,
}

/// A data source, or a whole database, as a search finds it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Table {
    #[serde(deserialize_with = "dashed")]
    pub(super) id: String,
    #[serde(default)]
    pub(super) title: Value,
    #[serde(default, deserialize_with = "optional_instant")]
    pub(super) last_edited_time: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) parent: Parent,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) database_parent: Option<Parent>,
    #[serde(default, deserialize_with = "or_default")]
    in_trash: bool,
    #[serde(default, deserialize_with = "or_default")]
    archived: bool,
    #[serde(default)]
    pub(super) url: Option<String>,
}

impl Table {
    pub(super) const fn is_trashed(&self) -> bool {
        self.in_trash || self.archived
    }
}

/// A block of a page.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Block {
    pub(super) id: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) has_children: bool,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl Block {
    /// What stands under the name of its type.
    pub(super) fn content(&self) -> &Value {
        self.rest.get(&self.kind).unwrap_or(&Value::Null)
    }

    /// Whether it shows what stands elsewhere.
    pub(super) fn is_copy(&self) -> bool {
        self.kind == "synced_block" && self.content().get("synced_from").is_some_and(|it| !it.is_null())
    }
}

/// The one spelling of an id.
pub(super) fn normal(id: &str) -> String {
    ResourceId::new(Platform::Notion, id).map_or_else(|_| String::new(), |it| it.as_str().to_owned())
}

fn dashed<'de, D: Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    let id = normal(&String::deserialize(input)?);
    if id.is_empty() { Err(serde::de::Error::custom("an empty id")) } else { Ok(id) }
}

/// An instant at which somebody can have edited something.
fn instant<'de, D: Deserializer<'de>>(input: D) -> Result<DateTime<Utc>, D::Error> {
    let instant = DateTime::<Utc>::deserialize(input)?;
    if YEARS.contains(&instant.year()) { Ok(instant) } else { Err(serde::de::Error::custom("a time before 1970 or after 2200")) }
}

fn optional_instant<'de, D: Deserializer<'de>>(input: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    #[derive(Deserialize)]
    struct Instant(#[serde(deserialize_with = "instant")] DateTime<Utc>);
    Ok(Option::<Instant>::deserialize(input)?.map(|it| it.0))
}

fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(input: D) -> Result<T, D::Error> {
    Option::deserialize(input).map(Option::unwrap_or_default)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    proptest! {
        #[test]
        fn what_was_edited_at_no_time_is_no_page(seconds in prop_oneof![
            DateTime::<Utc>::MIN_UTC.timestamp()..=DateTime::<Utc>::MAX_UTC.timestamp(),
            -100_000_000_i64..8_000_000_000,
        ]) {
            let edited = DateTime::from_timestamp(seconds, 0).unwrap();
            let page = json!({"id": "a0000000-0000-4000-8000-000000000000", "last_edited_time": edited});
            let is_known = (1970..=2200).contains(&edited.year());
            prop_assert_eq!(serde_json::from_value::<Page>(page.clone()).is_ok(), is_known);
            prop_assert_eq!(serde_json::from_value::<Table>(page).is_ok(), is_known);
        }
    }

    #[test]
    fn a_table_need_not_say_when_it_was_edited() {
        for table in [json!({"id": "a"}), json!({"id": "a", "last_edited_time": null})] {
            assert_eq!(serde_json::from_value::<Table>(table).unwrap().last_edited_time, None);
        }
    }
}
