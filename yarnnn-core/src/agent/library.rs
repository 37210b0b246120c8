//! The port to what a writing session reads besides content: deliverables, connections, how the system stands.
//!
//! What an entity shows is a type with named fields. There is none for a credential, a recipient or an account, so these cannot be
//! read.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::Serialize;

use super::reference::{EntityKind, Reference};
use crate::error::StoreError;
use crate::id::{DeliverableId, JobId, UserId};
use crate::platform::{Platform, ResourceId};

/// Reads what belongs to a user and is not content.
///
/// # Contract
/// - Another user's entity does not exist. Nothing is changed.
/// - `read` takes references to one `deliverable` or `platform`; for any other kind nothing exists. `latest` is the one that was
///   made last (deliverables) or synced last (platforms).
/// - `list` answers at most `limit` entities of the kind that fit the filter, in the order asked for.
///
/// # Errors
/// `Unavailable` or `Corrupt`; never `NotFound`.
///
/// # Concurrency
/// Any number of readers.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Library: Send + Sync + 'static {
    /// One entity, with everything that may be shown of it.
    async fn read(&self, user: UserId, reference: &Reference) -> Result<Option<Entity>, StoreError>;

    /// Entities of one kind, in short.
    async fn list(&self, user: UserId, pattern: &Pattern) -> Result<Vec<Entity>, StoreError>;

    /// How sync stands for the user, and how jobs and the scheduler stood at an instant.
    async fn state(&self, user: UserId, at: DateTime<Utc>) -> Result<SystemState, StoreError>;
}

/// Which entities are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// Of which kind.
    pub kind: EntityKind,
    /// Only those with this value.
    pub filter: Option<FieldFilter>,
    /// At most this many.
    pub limit: usize,
    /// By what they are sorted.
    pub order: ListOrder,
    /// Whether the smallest comes first.
    pub ascending: bool,
}

/// A value that entities must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldFilter {
    /// Deliverables in this state.
    Status(String),
    /// Content of this platform.
    Platform(Platform),
}

/// By what entities are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListOrder {
    /// When something last happened to them: a run, a sync.
    UpdatedAt,
    /// When they were made.
    CreatedAt,
    /// By title or name.
    Title,
}

/// Something that can be read and is not content.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Entity {
    /// A standing report configuration.
    Deliverable(DeliverableView),
    /// A platform.
    Platform(PlatformView),
}

impl Entity {
    /// How it is read again.
    pub fn reference(&self) -> String {
        match self {
            Self::Deliverable(it) => format!("deliverable:{}", it.id),
            Self::Platform(it) => format!("platform:{}", it.platform),
        }
    }
}

/// What is shown of a deliverable.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DeliverableView {
    /// Id.
    pub id: DeliverableId,
    /// Title.
    pub title: String,
    /// Whether a model made the title, from everything that the user has.
    #[serde(skip)]
    pub titled_by_model: bool,
    /// What it is about.
    pub description: Option<String>,
    /// Its type, as the user named it.
    pub deliverable_type: String,
    /// `active`, `paused` or `archived`.
    pub status: String,
    /// When it runs, in words.
    pub schedule: Option<String>,
    /// The names of what it reads.
    pub sources: Vec<String>,
    /// Its next run.
    pub next_run_at: Option<DateTime<Utc>>,
    /// Its last run.
    pub last_run_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Its newest report that was finished; left out of lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latest_version: Option<ReportView>,
}

/// What is shown of a report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReportView {
    /// 1, 2, 3, … within the deliverable.
    pub version_number: u32,
    /// `generating`, `delivered` or `failed`.
    pub status: String,
    /// When it was begun.
    pub created_at: DateTime<Utc>,
    /// When it arrived.
    pub delivered_at: Option<DateTime<Utc>>,
    /// What it says.
    pub content: Option<String>,
}

/// What is shown of a platform.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlatformView {
    /// Which one.
    pub platform: Platform,
    /// How its connection stands; `imported` when there is none and its content came from files.
    pub status: String,
    /// When it was last synced.
    pub last_synced_at: Option<DateTime<Utc>>,
    /// Items of the last runs of all resources.
    pub total_items_synced: u64,
    /// Resources that were synced at least once.
    pub synced_resources_count: usize,
    /// Its resources; left out of lists.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<ResourceView>,
}

/// What is shown of a resource.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ResourceView {
    /// Which one.
    pub resource_id: ResourceId,
    /// Its name.
    pub resource_name: String,
    /// Whether it was ever read to its end.
    pub is_covered: bool,
    /// Items of the last run.
    pub item_count: u64,
    /// When it was last read to its end.
    pub last_synced_at: Option<DateTime<Utc>>,
    /// What went wrong in the last run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
}

/// How the system stands (dossier §8.4), as far as it is known.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SystemState {
    /// Each platform that is connected or has content.
    pub platforms: Vec<PlatformState>,
    /// Jobs of the user that failed in the last 24 hours, newest first, at most ten.
    pub failed_jobs: Vec<FailedJob>,
    /// How the scheduler stands; none when it never completed a tick.
    pub scheduler: Option<SchedulerHealth>,
}

/// How a platform stands.
#[derive(Debug, Clone, PartialEq)]
pub struct PlatformState {
    /// The platform and its resources.
    pub view: PlatformView,
    /// What could be synced besides, by name.
    pub unsynced: Vec<String>,
}

/// A job that failed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FailedJob {
    /// Id.
    pub job_id: JobId,
    /// What it was for.
    pub kind: String,
    /// What went wrong.
    pub error_message: Option<String>,
    /// When.
    pub failed_at: Option<DateTime<Utc>>,
}

/// How the scheduler stands: it is the installation's, so everybody may know.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SchedulerHealth {
    /// When it completed its last tick by then, by the clock on the wall.
    pub last_heartbeat_at: DateTime<Utc>,
}
