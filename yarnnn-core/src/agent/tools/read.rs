//! `Read`: one thing whole, or a part of it, by reference.

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};

use super::describe::{entity_row, input, item_row};
use crate::agent::budget::ResultBudget;
use crate::agent::primitive::{FailureCode, Primitive, Row, ToolAnswer, ToolError, ToolFailure, ToolOutcome};
use crate::agent::reference::{EntityKind, Identifier, Reference};
use crate::agent::session::Writing;
use crate::agent::writing::WritingWorld;
use crate::id::ContentId;
use crate::llm::ToolSpec;
use crate::sync::StoredItem;

/// The tool.
#[derive(Debug, Clone, Copy)]
pub struct Read;

#[derive(Deserialize)]
struct Input {
    #[serde(rename = "ref")]
    one: Option<String>,
    refs: Option<Vec<String>>,
}

#[async_trait]
impl Primitive<Writing> for Read {
    fn spec(&self) -> ToolSpec {
        let description = "Reads things whole, by ref: what you cite (s12), platform_content:<id>, deliverable:<id> or \
            deliverable:latest (with its newest report), platform:slack. A path after the identifier reads a part.";
        ToolSpec {
            name: "Read".to_owned(),
            description: description.to_owned(),
            input_schema: json!({
                "type": "object",
                "properties": {
                    "ref": { "type": "string", "minLength": 1, "maxLength": 512, "description": "What to read." },
                    "refs": {
                        "type": "array", "minItems": 1, "maxItems": 10,
                        "items": { "type": "string", "minLength": 1, "maxLength": 512 },
                        "description": "Several at once."
                    }
                },
                "additionalProperties": false
            }),
        }
    }

    fn budget(&self) -> ResultBudget {
        ResultBudget { rows: 11, text: 12_000, characters: 40_000 }
    }

    async fn call(&self, world: &WritingWorld, given: Value) -> ToolOutcome {
        let Input { one, refs } = input(given)?;
        match (one, refs) {
            (None, None) => Err(ToolFailure::new(FailureCode::MissingRef, "ref or refs is missing").into()),
            (Some(one), None) => Ok(ToolAnswer::one(read(world, &one).await?, "it follows")),
            (one, Some(refs)) => batch(world, one.into_iter().chain(refs).collect()).await,
        }
    }
}

/// Each by itself: what cannot be read is told in its place.
async fn batch(world: &WritingWorld, refs: Vec<String>) -> ToolOutcome {
    let mut rows = Vec::with_capacity(refs.len());
    let mut failed = 0;
    for text in refs {
        rows.push(match read(world, &text).await {
            Ok(mut row) => {
                row.data.insert("success".to_owned(), json!(true));
                row
            }
            Err(ToolError::Answer(failure)) => {
                failed += 1;
                Row::of(json!({ "ref": text, "success": false, "error": failure.code.as_str() }))
            }
            Err(run) => return Err(run),
        });
    }
    let message = format!("{} read, {failed} not", rows.len() - failed);
    Ok(ToolAnswer::many("results", rows, message))
}

async fn read(world: &WritingWorld, text: &str) -> Result<Row, ToolError> {
    if let Some(id) = world.cited(text) {
        return Ok(item_row(world, &item(world, id).await?));
    }
    let reference: Reference = text.parse().map_err(|it| ToolFailure::new(FailureCode::InvalidRef, format!("{it}")))?;
    if reference.is_collection() {
        return Err(invalid("a ref names one thing").hint("use List for many").into());
    }
    if matches!(reference.identifier, Identifier::New | Identifier::Current) {
        return Err(invalid("there is no such thing in this session").into());
    }
    match reference.kind {
        EntityKind::PlatformContent => content(world, &reference).await,
        EntityKind::Deliverable | EntityKind::Platform => entity(world, &reference).await,
        EntityKind::System => Err(unsupported().hint("use GetSystemState").into()),
        _ => Err(unsupported().into()),
    }
}

async fn content(world: &WritingWorld, reference: &Reference) -> Result<Row, ToolError> {
    let item = if let Identifier::Named(name) = &reference.identifier {
        let id = name.parse::<ContentId>().map_err(|_| invalid("the identifier of content is a UUID"))?;
        item(world, id).await?
    } else {
        let newest = world.newest(None, 1).await.map_err(read_failed)?;
        newest.into_iter().next().ok_or_else(not_found)?
    };
    let row = item_row(world, &item);
    if reference.path.is_empty() { Ok(row) } else { part(&view(&row), reference) }
}

async fn entity(world: &WritingWorld, reference: &Reference) -> Result<Row, ToolError> {
    let whole = Reference { path: Vec::new(), ..reference.clone() };
    let entity = world.entity(&whole).await.map_err(read_failed)?.ok_or_else(not_found)?;
    let row = entity_row(&entity);
    if reference.path.is_empty() {
        return Ok(row);
    }
    part(row.data.get("data").unwrap_or(&Value::Null), reference)
}

async fn item(world: &WritingWorld, id: ContentId) -> Result<StoredItem, ToolError> {
    let rows = world.items(&[id]).await.map_err(read_failed)?;
    rows.into_iter().next().ok_or_else(|| not_found().into())
}

/// What a path into content leads through: what its row shows and nothing else.
fn view(row: &Row) -> Value {
    let mut fields = row.data.clone();
    let material = row.material.as_ref().and_then(|it| serde_json::to_value(it).ok());
    if let Some(Value::Object(shown)) = material {
        fields.extend(shown);
    }
    Value::Object(fields)
}

fn part(whole: &Value, reference: &Reference) -> Result<Row, ToolError> {
    let found = reference.path.iter().try_fold(whole, |value, part| match value {
        Value::Array(items) => items.get(part.parse::<usize>().ok()?),
        other => other.get(part),
    });
    let found = found.ok_or_else(not_found)?;
    let reference = reference.to_string();
    Ok(Row::of(json!({ "ref": reference, "data": found })))
}

fn invalid(message: &'static str) -> ToolFailure {
    ToolFailure::new(FailureCode::InvalidRef, message)
}

fn not_found() -> ToolFailure {
    ToolFailure::new(FailureCode::NotFound, "it does not exist, or exists no longer")
}

fn unsupported() -> ToolFailure {
    ToolFailure::new(FailureCode::UnsupportedType, "nothing of this kind can be read")
}

fn read_failed(error: crate::StoreError) -> ToolError {
    ToolError::of_store(error, FailureCode::ReadFailed)
}
