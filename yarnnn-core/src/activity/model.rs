//! Lines of the activity log.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::id::ActivityId;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ActivityKind {
    /// A platform or export was synced.
    PlatformSynced,
    /// A user's content was looked through for what calls for a report.
    SignalProcessed,
    /// A slot of a schedule came due.
    DeliverableScheduled,
    /// A report was run.
    DeliverableRun,
    /// A scheduled report was written and arrived.
    DeliverableGenerated,
    /// A person took a report as it is, or as they edited it.
    DeliverableApproved,
    /// A person refused a report.
    DeliverableRejected,
    /// A provider was connected.
    IntegrationConnected,
    /// A provider was disconnected.
    IntegrationDisconnected,
    /// Content whose time had ended was deleted.
    ContentCleanup,
    /// The scheduler has been round: the user's own numbers.
    SchedulerHeartbeat,
}

impl ActivityKind {
    const ALL: [Self; 11] = [
        Self::PlatformSynced,
        Self::SignalProcessed,
        Self::DeliverableScheduled,
        Self::DeliverableRun,
        Self::DeliverableGenerated,
        Self::DeliverableApproved,
        Self::DeliverableRejected,
        Self::IntegrationConnected,
        Self::IntegrationDisconnected,
        Self::ContentCleanup,
        Self::SchedulerHeartbeat,
    ];

    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PlatformSynced => "platform_synced",
            Self::SignalProcessed => "signal_processed",
            Self::DeliverableScheduled => "deliverable_scheduled",
            Self::DeliverableRun => "deliverable_run",
            Self::DeliverableGenerated => "deliverable_generated",
            Self::DeliverableApproved => "deliverable_approved",
            Self::DeliverableRejected => "deliverable_rejected",
            Self::IntegrationConnected => "integration_connected",
            Self::IntegrationDisconnected => "integration_disconnected",
            Self::ContentCleanup => "content_cleanup",
            Self::SchedulerHeartbeat => "scheduler_heartbeat",
        }
    }

    /// Reads the stored name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }
}

/// A line to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct NewActivity {
    /// Id of the row.
    pub id: ActivityId,
    /// What happened.
    pub kind: ActivityKind,
    /// What it is about. Together with the kind it is the line's key: a second line with the same key is not written.
    pub key: Uuid,
    /// One sentence for people.
    pub summary: String,
    /// Details with the dossier's keys.
    pub metadata: serde_json::Value,
}

/// A line as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Activity {
    /// Id of the row.
    pub id: ActivityId,
    /// What happened.
    pub kind: ActivityKind,
    /// What it is about.
    pub key: Uuid,
    /// One sentence for people.
    pub summary: String,
    /// Details.
    pub metadata: serde_json::Value,
    /// When it was written.
    pub created_at: DateTime<Utc>,
}
