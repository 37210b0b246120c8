//! `ReadPage`: a page that a search of the same session found. It takes no address, so a model cannot make one up.

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
pub struct ReadPage;

#[derive(Deserialize)]
struct Input {
    #[serde(rename = "ref")]
    reference: String,
}

#[async_trait]
impl Primitive<Research> for ReadPage {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "ReadPage".to_owned(),
            description: "Reads a page that a search found, by its ref.".to_owned(),
            input_schema: json!({
                "type": "object",
                "properties": {
                    "ref": { "type": "string", "minLength": 2, "maxLength": 8, "description": "The ref of a result, like w3." }
                },
                "required": ["ref"],
                "additionalProperties": false
            }),
        }
    }

    fn budget(&self) -> ResultBudget {
        ResultBudget { rows: 1, text: 12_000, characters: 13_000 }
    }

    async fn call(&self, world: &ResearchWorld, given: Value) -> ToolOutcome {
        let Input { reference } = input(given)?;
        let number = reference.strip_prefix('w').and_then(|it| it.parse().ok());
        let invalid = || ToolFailure::new(FailureCode::InvalidRef, "ref must be that of a result, like w3");
        let number = number.ok_or_else(invalid)?;
        let page = world.page(number).await?;
        let material = Some(web_material(number, &page.url, &page.title, page.text));
        Ok(ToolAnswer::one(Row { data: Map::new(), material }, "the page follows"))
    }
}
