//! `GetSystemState`: how fresh the reader's platforms are, and what failed.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::describe::input;
use crate::agent::budget::ResultBudget;
use crate::agent::library::{PlatformState, ResourceView, SystemState};
use crate::agent::primitive::{FailureCode, Primitive, Row, ToolAnswer, ToolError, ToolOutcome};
use crate::agent::session::Writing;
use crate::agent::writing::WritingWorld;
use crate::clock::instant_text;
use crate::llm::ToolSpec;
use crate::platform::Platform;

/// Of each platform (dossier §8.4).
const RESOURCES: usize = 10;
const UNSYNCED: usize = 20;

/// The tool.
#[derive(Debug, Clone, Copy)]
pub struct GetSystemState;

#[derive(Deserialize)]
struct Input {
    scope: Option<Scope>,
    platform: Option<Platform>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Scope {
    #[default]
    Full,
    Sync,
    Scheduler,
    Jobs,
}

#[async_trait]
impl Primitive<Writing> for GetSystemState {
    fn spec(&self) -> ToolSpec {
        let description = "Tells how fresh what is stored is, by platform and resource, and which jobs failed in the last day. \
            Use it when missing or old content matters for what you write.";
        ToolSpec {
            name: "GetSystemState".to_owned(),
            description: description.to_owned(),
            input_schema: json!({
                "type": "object",
                "properties": {
                    "scope": {
                        "type": "string", "enum": ["full", "sync", "scheduler", "jobs"],
                        "description": "full if left out."
                    },
                    "platform": {
                        "type": "string", "enum": ["slack", "gmail", "notion", "calendar"],
                        "description": "Only this platform."
                    }
                },
                "additionalProperties": false
            }),
        }
    }

    fn budget(&self) -> ResultBudget {
        ResultBudget { rows: 1, text: 200, characters: 16_000 }
    }

    async fn call(&self, world: &WritingWorld, given: Value) -> ToolOutcome {
        let Input { scope, platform } = input(given)?;
        let state = world.state().await.map_err(|error| ToolError::of_store(error, FailureCode::StateFetchFailed))?;
        let data = describe(&state, scope.unwrap_or_default(), platform, world.as_of());
        Ok(ToolAnswer::one(Row { data, material: None }, "the state follows"))
    }
}

fn describe(state: &SystemState, scope: Scope, platform: Option<Platform>, at: DateTime<Utc>) -> Map<String, Value> {
    let wants = |part: Scope| scope == Scope::Full || scope == part;
    let mut data = Map::from_iter([("captured_at".to_owned(), json!(instant_text(at)))]);
    if wants(Scope::Sync) {
        let chosen = state.platforms.iter().filter(|it| platform.is_none_or(|wanted| it.view.platform == wanted));
        data.insert("platform_sync_status".to_owned(), chosen.map(|it| describe_platform(it, at)).collect());
    }
    if wants(Scope::Jobs) {
        data.insert("failed_jobs".to_owned(), json!(state.failed_jobs));
    }
    if wants(Scope::Scheduler) {
        data.insert("scheduler_health".to_owned(), json!(state.scheduler));
    }
    data
}

fn describe_platform(state: &PlatformState, at: DateTime<Utc>) -> Value {
    let view = &state.view;
    let resources: Value = view.resources.iter().take(RESOURCES).map(|it| describe_resource(it, at)).collect();
    json!({
        "platform": view.platform,
        "status": view.status,
        "last_synced_at": view.last_synced_at,
        "freshness": freshness(view.last_synced_at, at),
        "resources": resources,
        "resources_count": view.resources.len(),
        "landscape": state.unsynced.iter().take(UNSYNCED).collect::<Vec<_>>(),
    })
}

fn describe_resource(view: &ResourceView, at: DateTime<Utc>) -> Value {
    let mut fields = json!(view);
    if let Some(fields) = fields.as_object_mut() {
        fields.insert("freshness".to_owned(), json!(freshness(view.last_synced_at, at)));
    }
    fields
}

/// How old something is, in words (dossier §8.4).
fn freshness(synced_at: Option<DateTime<Utc>>, at: DateTime<Utc>) -> String {
    let Some(synced_at) = synced_at else { return "never synced".to_owned() };
    let age = at - synced_at;
    match (age.num_hours(), age.num_days()) {
        (..1, _) => "fresh".to_owned(),
        (hours @ ..24, _) => format!("{hours} hours ago"),
        (_, days @ ..7) => format!("{days} days ago"),
        (_, days) => format!("stale ({days} days)"),
    }
}
