//! `WebSearch`: the web by its words, in research sessions only.

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::describe::{input, web_material};
use crate::agent::budget::ResultBudget;
use crate::agent::primitive::{FailureCode, Primitive, Row, ToolAnswer, ToolFailure, ToolOutcome};
use crate::agent::research::ResearchWorld;
use crate::agent::session::Research;
use crate::llm::ToolSpec;

/// The tool.
#[derive(Debug, Clone, Copy)]
pub struct SearchWeb;

#[derive(Deserialize)]
struct Input {
    query: String,
    max_results: Option<u32>,
}

#[async_trait]
impl Primitive<Research> for SearchWeb {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "WebSearch".to_owned(),
            description: "Searches the public web. Results have a ref (w1, w2, …), a title and an excerpt.".to_owned(),
            input_schema: json!({
                "type": "object",
                "properties": {
                    "query": {
                        "type": "string", "minLength": 1, "maxLength": 200,
                        "description": "A few specific words, on one line."
                    },
                    "max_results": { "type": "integer", "minimum": 1, "maximum": 10, "description": "5 if left out." }
                },
                "required": ["query"],
                "additionalProperties": false
            }),
        }
    }

    fn budget(&self) -> ResultBudget {
        ResultBudget { rows: 10, text: 500, characters: 12_000 }
    }

    async fn call(&self, world: &ResearchWorld, given: Value) -> ToolOutcome {
        let Input { query, max_results } = input(given)?;
        if query.contains(char::is_control) || query.trim().is_empty() {
            return Err(ToolFailure::new(FailureCode::InvalidInput, "query must be words on one line").into());
        }
        let hits = world.search(query.trim(), max_results.unwrap_or(5)).await?;
        let message = format!("{} results", hits.len());
        let rows = hits.into_iter().map(|(number, hit)| Row {
            data: Map::new(),
            material: Some(web_material(number, &hit.url, &hit.title, hit.snippet)),
        });
        Ok(ToolAnswer::many("results", rows.collect(), message))
    }
}
