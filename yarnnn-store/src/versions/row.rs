//! A version as a row, and the JSON that it keeps.

use serde_json::{Value, json};
use sqlx::types::Json;
use yarnnn_core::StoreError;
use yarnnn_core::deliverables::{RunState, Step, Version, VersionStatus};
use yarnnn_core::id::{DeliverableId, UserId, VersionId};
use yarnnn_core::pipeline::Holder;

use crate::columns::{Id, Instant};
use crate::error::unreadable;
use crate::text::cleaned_json;

#[derive(sqlx::FromRow)]
pub(super) struct VersionRow {
    id: Id,
    user_id: Id,
    deliverable_id: Id,
    version_number: i64,
    status: String,
    run_step: String,
    run_key: Option<String>,
    run_state: Json<RunState>,
    draft_content: Option<String>,
    final_content: Option<String>,
    delivery_error: Option<String>,
    held_by: Option<String>,
    held_until: Option<Instant>,
    created_at: Instant,
    delivered_at: Option<Instant>,
}

impl TryFrom<VersionRow> for Version {
    type Error = StoreError;

    fn try_from(row: VersionRow) -> Result<Self, StoreError> {
        let bad = |field: &str| unreadable(format!("version {}", row.id.0), format!("{field} cannot be read"));
        Ok(Self {
            id: VersionId::from_uuid(row.id.0),
            user: UserId::from_uuid(row.user_id.0),
            deliverable: DeliverableId::from_uuid(row.deliverable_id.0),
            number: u32::try_from(row.version_number).map_err(|_| bad("version_number"))?,
            status: VersionStatus::parse(&row.status).ok_or_else(|| bad("status"))?,
            step: Step::parse(&row.run_step).ok_or_else(|| bad("run_step"))?,
            run_key: row.run_key,
            state: row.run_state.0,
            draft: row.draft_content,
            final_content: row.final_content,
            delivery_error: row.delivery_error,
            held_by: row.held_by.map(Holder::new),
            held_until: row.held_until.map(|it| it.0),
            created_at: row.created_at.0,
            delivered_at: row.delivered_at.map(|it| it.0),
        })
    }
}

/// What the run has decided, as it is stored.
pub(crate) fn state(state: &RunState) -> Result<Value, StoreError> {
    serde_json::to_value(state).map(cleaned_json).map_err(|error| unreadable("the state of a run", error))
}

/// What was known of the sources, in the brief's shape (`source_snapshots`).
pub(super) fn snapshots(state: &RunState) -> Result<Value, StoreError> {
    let snapshots = state.sources.iter().map(|source| {
        let mut value = serde_json::to_value(source)?;
        if let Some(map) = value.as_object_mut() {
            map.remove("resource");
            map.insert("platform".to_owned(), json!(source.resource.platform()));
            map.insert("resource_id".to_owned(), json!(source.resource.as_str()));
        }
        Ok(cleaned_json(value))
    });
    let snapshots = snapshots.collect::<Result<Vec<_>, serde_json::Error>>();
    snapshots.map(Value::Array).map_err(|error| unreadable("the sources of a run", error))
}
