//! What people made of versions: how it stands in their rows, and the port that reads it.

use async_trait::async_trait;
use serde_json::Value;
use sqlx::types::Json;
use yarnnn_core::StoreError;
use yarnnn_core::deliverables::{EditCategories, Feedback, FeedbackStore, NewFeedback, VersionStatus};
use yarnnn_core::id::{DeliverableId, UserId, VersionId};

use crate::SqlStore;
use crate::columns::{Id, Instant};
use crate::db::on_pool;
use crate::error::{Doing as _, unreadable};
use crate::text::{cleaned, cleaned_json};

macro_rules! feedback_where {
    ($condition:literal) => {
        concat!(
            "select id, version_number, status, edited_content, edit_categories, edit_distance_score, feedback_notes, approved_at ",
            "from deliverable_versions where ",
            $condition
        )
    };
}
const OF_VERSION: &str = feedback_where!("id = $1 and user_id = $2");
const GIVEN: &str = feedback_where!(
    "deliverable_id = $1 and user_id = $2 and (edited_content is not null or feedback_notes is not null) \
     order by version_number desc limit $3"
);
const SCORES: &str = "select edit_distance_score from deliverable_versions \
    where deliverable_id = $1 and user_id = $2 and edit_distance_score is not null order by version_number desc limit $3";

/// New feedback as it is bound; what is none leaves its column as it was.
pub(super) struct Said {
    pub(super) approved: bool,
    pub(super) notes: Option<String>,
    pub(super) edited: Option<String>,
    pub(super) diff: Option<Value>,
    pub(super) categories: Option<Value>,
    pub(super) distance: Option<f64>,
}

impl Said {
    pub(super) fn of(feedback: NewFeedback) -> Result<Self, StoreError> {
        let (edited, metrics) = feedback.edited.unzip();
        let json = |value: Result<Value, serde_json::Error>| value.map(cleaned_json).map_err(|it| unreadable("an edit", it));
        Ok(Self {
            approved: feedback.approved,
            notes: feedback.notes.map(cleaned),
            edited: edited.map(cleaned),
            diff: metrics.as_ref().map(|it| json(serde_json::to_value(&it.diff))).transpose()?,
            categories: metrics.as_ref().map(|it| json(serde_json::to_value(&it.categories))).transpose()?,
            distance: metrics.map(|it| it.distance),
        })
    }
}

#[derive(sqlx::FromRow)]
struct FeedbackRow {
    id: Id,
    version_number: i64,
    status: String,
    edited_content: Option<String>,
    edit_categories: Option<Json<EditCategories>>,
    edit_distance_score: Option<f64>,
    feedback_notes: Option<String>,
    approved_at: Option<Instant>,
}

impl TryFrom<FeedbackRow> for Feedback {
    type Error = StoreError;

    fn try_from(row: FeedbackRow) -> Result<Self, StoreError> {
        let bad = |field: &str| unreadable(format!("version {}", row.id.0), format!("{field} cannot be read"));
        Ok(Self {
            version: VersionId::from_uuid(row.id.0),
            number: u32::try_from(row.version_number).map_err(|_| bad("version_number"))?,
            status: VersionStatus::parse(&row.status).ok_or_else(|| bad("status"))?,
            edited: row.edited_content,
            categories: row.edit_categories.map(|it| it.0).unwrap_or_default(),
            distance: row.edit_distance_score,
            notes: row.feedback_notes,
            approved_at: row.approved_at.map(|it| it.0),
        })
    }
}

#[async_trait]
impl FeedbackStore for SqlStore {
    async fn of_version(&self, user: UserId, version: VersionId) -> Result<Feedback, StoreError> {
        let query = on_pool!(&self.db, pool => sqlx::query_as::<_, FeedbackRow>(OF_VERSION)
            .bind(Id(version.as_uuid())).bind(Id(user.as_uuid())).fetch_one(pool).await);
        query.doing(format!("version {version}"))?.try_into()
    }

    async fn given(&self, user: UserId, deliverable: DeliverableId, limit: u32) -> Result<Vec<Feedback>, StoreError> {
        let query = on_pool!(&self.db, pool => sqlx::query_as::<_, FeedbackRow>(GIVEN)
            .bind(Id(deliverable.as_uuid())).bind(Id(user.as_uuid())).bind(i64::from(limit)).fetch_all(pool).await);
        query.doing("the feedback on a deliverable")?.into_iter().map(Feedback::try_from).collect()
    }

    async fn scores(&self, user: UserId, deliverable: DeliverableId, limit: u32) -> Result<Vec<f64>, StoreError> {
        let query = on_pool!(&self.db, pool => sqlx::query_scalar(SCORES)
            .bind(Id(deliverable.as_uuid())).bind(Id(user.as_uuid())).bind(i64::from(limit)).fetch_all(pool).await);
        Ok(query.doing("the scores of a deliverable")?)
    }
}
