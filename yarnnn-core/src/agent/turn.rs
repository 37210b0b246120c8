//! One turn of tools: the calls of an answer, carried out in order, and what the model reads of them.

use std::slice::Iter;

use serde_json::{Map, Value, json};

use super::budget::{Fitted, ResultBudget};
use super::primitive::{FailureCode, Row, ToolAnswer, ToolError, ToolFailure};
use super::registry::Registry;
use super::schema;
use super::session::Session;
use crate::error::Error;
use crate::llm::{Boundary, Content, ToolCall, ToolResult};
use crate::pipeline::StageCx;

/// Calls of one turn that are carried out.
const CALLS_PER_TURN: usize = 8;
/// Characters of everything that one turn answers.
const CHARACTERS_PER_TURN: usize = 60_000;
/// The same in bytes as they are sent, escapes and tags included: more than characters only where few are plain. Bounds what a
/// turn may cost, since no token has less than a byte.
pub(crate) const BYTES_PER_TURN: usize = 72_000;
/// What an answer to a name of no tool says it was called.
const NO_TOOL: &str = "unknown";

/// Carries the calls out, one after the other. What was answered before, in an
/// earlier try of the same session, is answered so again: in its order, since some providers use an id more than once.
pub(super) async fn answer<S: Session>(
    cx: &StageCx,
    registry: &Registry<S>,
    world: &S::World,
    calls: &[ToolCall],
    journal: &mut Iter<'_, ToolResult>,
) -> Result<Vec<Content>, Error> {
    let mut left = Room { characters: CHARACTERS_PER_TURN, bytes: BYTES_PER_TURN };
    let mut results = Vec::with_capacity(calls.len());
    for (index, call) in calls.iter().enumerate() {
        cx.check()?;
        let result = if let Some(known) = journal.next().filter(|it| it.call_id == call.id) {
            known.clone()
        } else if index < CALLS_PER_TURN {
            answer_one(registry, world, call, &mut left).await?
        } else {
            refuse(call, &ToolFailure::new(FailureCode::ExecutionError, format!("at most {CALLS_PER_TURN} calls in one turn")))
        };
        results.push(Content::ToolResult(result));
    }
    Ok(results)
}

/// What the answers of one turn may still take.
struct Room {
    characters: usize,
    bytes: usize,
}

impl Room {
    /// The answer, as much of it as there is room for, and what it takes.
    fn describe(&self, call: &ToolCall, answer: &ToolAnswer, budget: ResultBudget) -> (ToolResult, Self) {
        let mut characters = self.characters;
        loop {
            let (result, used) = describe(call, answer.clone(), budget, budget.within(characters));
            // Every boundary is as long as any other.
            let bytes = result.render(&Boundary::of("")).len();
            if bytes <= self.bytes || characters == 0 {
                return (result, Self { characters: used, bytes });
            }
            characters = used.min(characters) / 2;
        }
    }

    const fn without(&self, used: &Self) -> Self {
        let characters = self.characters.saturating_sub(used.characters);
        Self { characters, bytes: self.bytes.saturating_sub(used.bytes) }
    }
}

async fn answer_one<S: Session>(
    registry: &Registry<S>,
    world: &S::World,
    call: &ToolCall,
    left: &mut Room,
) -> Result<ToolResult, Error> {
    let Some((spec, tool)) = registry.find(&call.name) else {
        return Ok(refuse(call, &ToolFailure::new(FailureCode::NotAvailable, "there is no such tool")));
    };
    if let Err(misfit) = schema::check(&spec.input_schema, &call.input) {
        return Ok(refuse(call, &misfit.into_failure()));
    }
    match tool.call(world, call.input.clone()).await {
        Ok(answer) => {
            let (result, used) = left.describe(call, &answer, tool.budget());
            tracing::debug!(tool = spec.name, characters = used.characters, bytes = used.bytes, "a tool answered");
            *left = left.without(&used);
            Ok(result)
        }
        Err(ToolError::Answer(failure)) => {
            tracing::debug!(tool = spec.name, code = failure.code.as_str(), "a tool could not answer");
            Ok(refuse(call, &failure))
        }
        Err(ToolError::Run(error)) => Err(error),
    }
}

fn describe(call: &ToolCall, answer: ToolAnswer, whole: ResultBudget, budget: ResultBudget) -> (ToolResult, usize) {
    let ToolAnswer { message, rows_name, rows } = answer;
    let fitted = budget.fit(rows);
    let mut said = Map::from_iter([("success".to_owned(), json!(true))]);
    if rows_name.is_some() {
        said.insert("count".to_owned(), json!(fitted.rows.len()));
    }
    said.insert("message".to_owned(), json!(message));
    if let Some(cut) = what_was_cut(&fitted, budget.characters < whole.characters) {
        said.insert("cut".to_owned(), json!(cut));
    }
    let (data, material): (Vec<Map<_, _>>, Vec<_>) =
        fitted.rows.into_iter().map(|Row { data, material }| (data, material)).unzip();
    let data: Vec<Value> = data.into_iter().filter(|it| !it.is_empty()).map(Value::Object).collect();
    let data = match rows_name {
        Some(_) if data.is_empty() => None,
        Some(name) => Some(json!({ name: data })),
        None => data.into_iter().next(),
    };
    let result = ToolResult {
        call_id: call.id.clone(),
        name: call.name.clone(),
        is_error: false,
        text: Value::Object(said).to_string(),
        data,
        material: material.into_iter().flatten().collect(),
    };
    (result, fitted.characters)
}

/// What the model must know so that it does not take a part for the whole.
fn what_was_cut(fitted: &Fitted, turn_is_full: bool) -> Option<String> {
    let missing = fitted.of - fitted.rows.len();
    let mut parts = Vec::new();
    if missing > 0 {
        parts.push(format!("{missing} of {} left out", fitted.of));
    }
    if fitted.shortened > 0 {
        parts.push(format!("{} shortened", fitted.shortened));
    }
    if missing > 0 && turn_is_full {
        parts.push("this turn's results are full".to_owned());
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// A failure as the model reads it. A name that is no tool's is the model's own text and is not repeated.
fn refuse(call: &ToolCall, failure: &ToolFailure) -> ToolResult {
    let mut said = json!({ "success": false, "error": failure.code.as_str(), "message": failure.message });
    if let (Some(hint), Some(fields)) = (failure.hint, said.as_object_mut()) {
        fields.insert("retry_hint".to_owned(), json!(hint));
    }
    let is_unknown = failure.code == FailureCode::NotAvailable;
    ToolResult {
        call_id: call.id.clone(),
        name: if is_unknown { NO_TOOL.to_owned() } else { call.name.clone() },
        is_error: true,
        text: said.to_string(),
        data: None,
        material: Vec::new(),
    }
}
