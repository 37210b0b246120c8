//! Passes, records and preferences as rows.

use serde::de::DeserializeOwned;
use serde_json::Value;
use sqlx::FromRow;
use sqlx::types::Json;
use yarnnn_core::StoreError;
use yarnnn_core::cleanup::PassPlace;
use yarnnn_core::id::{DeliverableId, PassId, UserId};
use yarnnn_core::signals::{Pass, PassTrigger, SignalPreferences, SignalRecord};

use crate::columns::{Id, Instant};
use crate::error::unreadable;

#[derive(FromRow)]
pub(super) struct PassRow {
    id: Id,
    user_id: Id,
    signals_filter: String,
    pass_trigger: String,
    started_at: Instant,
    shown: Option<Json<Value>>,
    outcome: Option<Json<Value>>,
    ended_at: Option<Instant>,
}

impl PassRow {
    /// Which pass, and whose; also where nothing else can be read.
    pub(super) fn ids(&self) -> (PassId, UserId) {
        (PassId::from_uuid(self.id.0), UserId::from_uuid(self.user_id.0))
    }

    /// Its place among passes by their beginning.
    pub(super) const fn place(&self) -> PassPlace {
        (self.started_at.0, PassId::from_uuid(self.id.0))
    }
}

impl TryFrom<PassRow> for Pass {
    type Error = StoreError;

    fn try_from(row: PassRow) -> Result<Self, StoreError> {
        let id = row.id.0;
        let bad = |field: &str| unreadable(format!("signal pass {id}"), format!("{field} cannot be read"));
        Ok(Self {
            id: PassId::from_uuid(id),
            user: UserId::from_uuid(row.user_id.0),
            filter: row.signals_filter.parse().map_err(|_| bad("signals_filter"))?,
            trigger: PassTrigger::parse(&row.pass_trigger).ok_or_else(|| bad("pass_trigger"))?,
            started_at: row.started_at.0,
            shown: read(row.shown).map_err(|_| bad("shown"))?.unwrap_or_default(),
            outcome: read(row.outcome).map_err(|_| bad("outcome"))?,
            ended_at: row.ended_at.map(|it| it.0),
        })
    }
}

fn read<T: DeserializeOwned>(column: Option<Json<Value>>) -> Result<Option<T>, serde_json::Error> {
    column.map(|it| serde_json::from_value(it.0)).transpose()
}

#[derive(FromRow)]
pub(super) struct RecordRow {
    signal_type: String,
    signal_ref: String,
    last_triggered_at: Instant,
    deliverable_id: Option<Id>,
    metadata: Json<Value>,
}

impl From<RecordRow> for SignalRecord {
    fn from(row: RecordRow) -> Self {
        Self {
            signal_type: row.signal_type,
            signal_ref: row.signal_ref,
            last_triggered_at: row.last_triggered_at.0,
            deliverable: row.deliverable_id.map(|it| DeliverableId::from_uuid(it.0)),
            metadata: row.metadata.0,
        }
    }
}

#[derive(FromRow)]
pub(super) struct PreferencesRow {
    signal_meeting_prep: bool,
    signal_silence_alert: bool,
    signal_contact_drift: bool,
}

impl From<PreferencesRow> for SignalPreferences {
    fn from(row: PreferencesRow) -> Self {
        Self {
            meeting_prep: row.signal_meeting_prep,
            silence_alert: row.signal_silence_alert,
            contact_drift: row.signal_contact_drift,
        }
    }
}
