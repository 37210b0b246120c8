//! What the tools say of the things that they show.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::agent::library::Entity;
use crate::agent::material::material_of;
use crate::agent::primitive::{FailureCode, Row, ToolFailure};
use crate::agent::writing::WritingWorld;
use crate::clock::instant_text;
use crate::llm::Material;
use crate::sync::StoredItem;

/// The input as the tool's own type. The loop has checked it against the schema before; what still does not fit is the schema's
/// fault, and is answered as any other misfit.
pub(super) fn input<T: DeserializeOwned>(given: Value) -> Result<T, ToolFailure> {
    serde_json::from_value(given).map_err(|_| ToolFailure::new(FailureCode::InvalidInput, "the input does not fit the schema"))
}

/// An item with its whole text, cited.
pub(super) fn item_row(world: &WritingWorld, item: &StoredItem) -> Row {
    let reference = world.cite(item);
    let data = fields(json!({
        "entity_type": "platform_content",
        "ref": format!("platform_content:{}", item.id),
        "cite": reference,
        "content_type": item.content_type.as_str(),
        "fetched_at": instant_text(item.fetched_at),
        "retained": item.retained,
    }));
    Row { data, material: Some(material_of(reference, item)) }
}

/// Something that is no content, and cannot be cited.
pub(super) fn entity_row(entity: &Entity) -> Row {
    let kind = match entity {
        Entity::Deliverable(_) => "deliverable",
        Entity::Platform(_) => "platform",
    };
    let data = serde_json::to_value(entity).unwrap_or_default();
    Row::of(json!({ "entity_type": kind, "ref": entity.reference(), "data": data }))
}

/// A page of the web.
pub(super) fn web_material(number: usize, url: &str, title: &str, text: String) -> Material {
    let host = url.split("://").nth(1).and_then(|it| it.split(['/', '?', '#']).next()).unwrap_or_default();
    Material {
        content: None,
        reference: format!("w{number}"),
        platform: "web".to_owned(),
        place: host.chars().take(100).collect(),
        author: None,
        time: None,
        title: (!title.is_empty()).then(|| title.chars().take(300).collect()),
        thread: None,
        marks: Vec::new(),
        text,
    }
}

fn fields(data: Value) -> Map<String, Value> {
    Row::of(data).data
}
