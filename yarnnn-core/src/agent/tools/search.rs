//! `Search`: stored items by their words, and deliverables by their titles.

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};

use super::describe::{entity_row, input, item_row};
use crate::agent::budget::{ResultBudget, first_chars};
use crate::agent::library::{Entity, ListOrder, Pattern};
use crate::agent::primitive::{FailureCode, Primitive, Row, ToolAnswer, ToolError, ToolFailure, ToolOutcome};
use crate::agent::reference::EntityKind;
use crate::agent::session::Writing;
use crate::agent::writing::WritingWorld;
use crate::llm::ToolSpec;
use crate::platform::Platform;
use crate::search::{MATCH_MARKS, SearchHit};
use crate::sync::StoredItem;

/// Characters of an excerpt (dossier §8.3).
const EXCERPT: usize = 500;
/// Deliverables that are looked at.
const DELIVERABLES: usize = 100;

/// The tool.
#[derive(Debug, Clone, Copy)]
pub struct Search;

#[derive(Deserialize)]
struct Input {
    query: String,
    scope: Option<Scope>,
    platform: Option<Platform>,
    limit: Option<u32>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Scope {
    PlatformContent,
    Deliverable,
    Document,
    Work,
    #[default]
    All,
}

#[async_trait]
impl Primitive<Writing> for Search {
    fn spec(&self) -> ToolSpec {
        let description = "Searches what is stored of the reader's platforms, and the reader's deliverables. All words must \
            occur. Results have a ref to read them whole, and those of platforms a ref to cite.";
        ToolSpec {
            name: "Search".to_owned(),
            description: description.to_owned(),
            input_schema: json!({
                "type": "object",
                "properties": {
                    "query": { "type": "string", "minLength": 1, "maxLength": 300, "description": "Words; all must occur." },
                    "scope": {
                        "type": "string", "enum": ["platform_content", "document", "deliverable", "work", "all"],
                        "description": "Where; all if left out."
                    },
                    "platform": {
                        "type": "string", "enum": ["slack", "gmail", "notion", "calendar"],
                        "description": "Only this platform."
                    },
                    "limit": { "type": "integer", "minimum": 1, "maximum": 20, "description": "10 if left out." }
                },
                "required": ["query"],
                "additionalProperties": false
            }),
        }
    }

    fn budget(&self) -> ResultBudget {
        ResultBudget { rows: 20, text: EXCERPT, characters: 24_000 }
    }

    async fn call(&self, world: &WritingWorld, given: Value) -> ToolOutcome {
        let Input { query, scope, platform, limit } = input(given)?;
        let (scope, limit) = (scope.unwrap_or_default(), limit.unwrap_or(10));
        if matches!(scope, Scope::Document | Scope::Work) {
            return Err(ToolFailure::new(FailureCode::UnsupportedType, "nothing of this kind is stored").into());
        }
        let failed = |error| ToolError::of_store(error, FailureCode::SearchFailed);
        let mut rows = Vec::new();
        if scope != Scope::Deliverable {
            rows.extend(content(world, &query, platform, limit).await.map_err(failed)?);
        }
        if scope == Scope::Deliverable || (scope == Scope::All && platform.is_none()) {
            rows.extend(deliverables(world, &query).await.map_err(failed)?);
        }
        rows.truncate(limit as usize);
        let message = format!("{} results", rows.len());
        Ok(ToolAnswer::many("results", rows, message))
    }
}

async fn content(
    world: &WritingWorld,
    query: &str,
    platform: Option<Platform>,
    limit: u32,
) -> Result<Vec<Row>, crate::StoreError> {
    let hits = world.search(query, platform, limit).await?;
    let ids: Vec<_> = hits.iter().map(|it| it.id).collect();
    let items = world.items(&ids).await?;
    let found = hits.iter().filter_map(|hit| items.iter().find(|it| it.id == hit.id).map(|item| (hit, item)));
    Ok(found.map(|(hit, item)| hit_row(world, hit, item)).collect())
}

fn hit_row(world: &WritingWorld, hit: &SearchHit, item: &StoredItem) -> Row {
    let mut row = item_row(world, item);
    row.data.insert("score".to_owned(), json!(rounded(hit.score)));
    if let Some(material) = &mut row.material {
        let excerpt = excerpt(&item.content, &hit.snippet);
        if excerpt.len() < item.content.len() {
            material.marks.push("excerpt".to_owned());
        }
        material.text = excerpt;
    }
    row
}

/// A stretch of the text, word for word, around the place where the words were found.
fn excerpt(text: &str, snippet: &str) -> String {
    let (at, found) = place(text, snippet).unwrap_or_default();
    let before = EXCERPT.saturating_sub(found) / 2;
    let start = at.saturating_sub(before).min(text.chars().count().saturating_sub(EXCERPT));
    let rest: String = text.chars().skip(start).collect();
    first_chars(&rest, EXCERPT)
}

/// Where the snippet stands in the text, or at least the first found word of it, and how long that is: in characters.
fn place(text: &str, snippet: &str) -> Option<(usize, usize)> {
    let whole = snippet.replace([MATCH_MARKS.0, MATCH_MARKS.1], "");
    let word = snippet.split([MATCH_MARKS.0, MATCH_MARKS.1]).nth(1).unwrap_or_default();
    let parts = [whole.trim_matches(|c: char| c == '…' || c.is_whitespace()), word];
    parts.into_iter().filter(|it| !it.is_empty()).find_map(|it| {
        let before = text.split_once(it)?.0;
        Some((before.chars().count(), it.chars().count()))
    })
}

/// Deliverables in whose title or description every word occurs.
async fn deliverables(world: &WritingWorld, query: &str) -> Result<Vec<Row>, crate::StoreError> {
    let words: Vec<String> = query.to_lowercase().split_whitespace().map(str::to_owned).collect();
    let pattern = Pattern {
        kind: EntityKind::Deliverable,
        filter: None,
        limit: DELIVERABLES,
        order: ListOrder::UpdatedAt,
        ascending: false,
    };
    let fits = |entity: &Entity| match entity {
        Entity::Deliverable(it) => {
            let text = format!("{} {}", it.title, it.description.as_deref().unwrap_or_default()).to_lowercase();
            !words.is_empty() && words.iter().all(|word| text.contains(word.as_str()))
        }
        Entity::Platform(_) => false,
    };
    Ok(world.entities(&pattern).await?.iter().filter(|it| fits(it)).map(entity_row).collect())
}

/// Four digits: they are read back from the ledger as they were written, which sixteen are not always, and a request that reads
/// otherwise would be asked and paid for again.
fn rounded(score: f64) -> f64 {
    format!("{score:.3e}").parse().unwrap_or_default()
}
