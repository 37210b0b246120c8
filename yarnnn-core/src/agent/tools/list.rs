//! `List`: what there is of a kind, in short.

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};

use super::describe::{entity_row, input, item_row};
use crate::agent::budget::ResultBudget;
use crate::agent::library::{FieldFilter, ListOrder, Pattern};
use crate::agent::primitive::{FailureCode, Primitive, Row, ToolAnswer, ToolError, ToolFailure, ToolOutcome};
use crate::agent::reference::{EntityKind, Reference};
use crate::agent::session::Writing;
use crate::agent::writing::WritingWorld;
use crate::llm::ToolSpec;
use crate::platform::Platform;

/// Rows, at most.
const MOST: usize = 50;

/// The tool.
#[derive(Debug, Clone, Copy)]
pub struct List;

#[derive(Deserialize)]
struct Input {
    pattern: String,
    limit: Option<usize>,
    order_by: Option<Order>,
    ascending: Option<bool>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Order {
    UpdatedAt,
    CreatedAt,
    Title,
}

#[async_trait]
impl Primitive<Writing> for List {
    fn spec(&self) -> ToolSpec {
        let description = "Lists what there is: platform_content:* (the newest items; platform_content:?platform=slack for one \
            platform), deliverable:* (deliverable:?status=active), platform:*.";
        ToolSpec {
            name: "List".to_owned(),
            description: description.to_owned(),
            input_schema: json!({
                "type": "object",
                "properties": {
                    "pattern": { "type": "string", "minLength": 1, "maxLength": 512, "description": "type:* or type:?key=value" },
                    "limit": { "type": "integer", "minimum": 1, "maximum": 50, "description": "20 if left out." },
                    "order_by": {
                        "type": "string", "enum": ["updated_at", "created_at", "title"],
                        "description": "updated_at if left out; items are always the newest ones."
                    },
                    "ascending": { "type": "boolean", "description": "false if left out." }
                },
                "required": ["pattern"],
                "additionalProperties": false
            }),
        }
    }

    fn budget(&self) -> ResultBudget {
        ResultBudget { rows: MOST, text: 200, characters: 20_000 }
    }

    async fn call(&self, world: &WritingWorld, given: Value) -> ToolOutcome {
        let pattern = pattern(input(given)?)?;
        let rows = match pattern.kind {
            EntityKind::PlatformContent => items(world, &pattern).await,
            EntityKind::Deliverable | EntityKind::Platform => {
                let entities = world.entities(&pattern).await;
                entities.map(|it| it.iter().map(entity_row).collect())
            }
            _ => return Err(ToolFailure::new(FailureCode::UnsupportedType, "nothing of this kind can be listed").into()),
        };
        let rows = rows.map_err(|error| ToolError::of_store(error, FailureCode::ListFailed))?;
        let message = format!("{} items", rows.len());
        Ok(ToolAnswer::many("items", rows, message))
    }
}

async fn items(world: &WritingWorld, pattern: &Pattern) -> Result<Vec<Row>, crate::StoreError> {
    let platform = match &pattern.filter {
        Some(FieldFilter::Platform(platform)) => Some(*platform),
        _ => None,
    };
    let mut items = world.newest(platform, u32::try_from(pattern.limit).unwrap_or(u32::MAX)).await?;
    match pattern.order {
        ListOrder::Title => items.sort_by_cached_key(|it| it.title.as_deref().unwrap_or_default().to_lowercase()),
        ListOrder::UpdatedAt | ListOrder::CreatedAt => items.reverse(),
    }
    if !pattern.ascending {
        items.reverse();
    }
    Ok(items.iter().map(|it| item_row(world, it)).collect())
}

fn pattern(given: Input) -> Result<Pattern, ToolFailure> {
    let Input { pattern, limit, order_by, ascending } = given;
    let reference: Reference = pattern.parse().map_err(|it| invalid(format!("{it}")))?;
    if !reference.is_collection() {
        return Err(invalid("a pattern names many: type:* or type:?key=value").hint("use Read for one"));
    }
    let mut limit = limit.unwrap_or(20);
    let mut filter = None;
    for (key, value) in &reference.filters {
        match (key.as_str(), reference.kind) {
            ("limit", _) => limit = value.parse().map_err(|_| invalid("limit is a number"))?,
            ("status", EntityKind::Deliverable) => filter = Some(FieldFilter::Status(value.clone())),
            ("platform", EntityKind::PlatformContent) => {
                let platform: Platform =
                    value.parse().map_err(|_| invalid("the platforms are slack, gmail, notion, calendar"))?;
                filter = Some(FieldFilter::Platform(platform));
            }
            _ => return Err(invalid("the filters are limit; status of deliverables; platform of platform_content")),
        }
    }
    let order = match order_by {
        None | Some(Order::UpdatedAt) => ListOrder::UpdatedAt,
        Some(Order::CreatedAt) => ListOrder::CreatedAt,
        Some(Order::Title) => ListOrder::Title,
    };
    let limit = limit.clamp(1, MOST);
    Ok(Pattern { kind: reference.kind, filter, limit, order, ascending: ascending.unwrap_or_default() })
}

fn invalid(message: impl Into<String>) -> ToolFailure {
    ToolFailure::new(FailureCode::InvalidPattern, message)
}
