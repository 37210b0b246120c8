//! The port over versions: reading, opening, holding.

use async_trait::async_trait;
use sqlx::types::Json;
use yarnnn_core::StoreError;
use yarnnn_core::deliverables::{
    DecideVersion, Hold, MaterialRef, OpenVersion, RunState, Step, StepCommit, Version, VersionStatus, VersionStore,
};
use yarnnn_core::id::{DeliverableId, UserId, VersionId};

use super::feedback::Said;
use super::row::{VersionRow, snapshots, state};
use super::{advance, material};
use crate::SqlStore;
use crate::columns::{Id, Instant};
use crate::db::{Tx, on_pool, on_tx};
use crate::error::{DbError, Doing as _};
use crate::slots::Says;
use crate::text::clean;
use crate::{activity, content, slots};

macro_rules! version_columns {
    () => {
        "id, user_id, deliverable_id, version_number, status, run_step, run_key, run_state, draft_content, final_content, \
         delivery_error, held_by, held_until, created_at, delivered_at"
    };
}
macro_rules! version_where {
    ($condition:literal) => {
        concat!("select ", version_columns!(), " from deliverable_versions where ", $condition)
    };
}
const BY_ID: &str = version_where!("id = $1 and user_id = $2");
const BY_KEY: &str = version_where!("deliverable_id = $1 and user_id = $2 and run_key = $3");
const RECENT: &str = version_where!("deliverable_id = $1 and user_id = $2 order by version_number desc limit $3");
const UNFINISHED: &str = version_where!(
    "deliverable_id = $1 and user_id = $2 and (status = $3 or (status = $4 and run_step = $5)) order by version_number limit 1"
);
/// What a person rejected is not told again either.
const REPORTED: &str = "select run_state from deliverable_versions \
    where deliverable_id = $1 and user_id = $2 and status in ($3, 'rejected')";
/// Opens nothing when the deliverable is not the user's.
const OPEN: &str = concat!(
    "insert into deliverable_versions (id, user_id, deliverable_id, version_number, status, run_step, run_key, run_state, ",
    "source_snapshots, held_by, held_until, created_at, updated_at) ",
    "select $3, user_id, id, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12 from deliverables where id = $1 and user_id = $2 ",
    "returning ",
    version_columns!()
);
const HOLD: &str = concat!(
    "update deliverable_versions set held_by = $3, held_until = $4, updated_at = $5 where id = $1 and user_id = $2 ",
    "and (held_by is null or held_until is null or held_until <= $5 or held_by = $3 or held_by = $6) returning ",
    version_columns!()
);
const DECIDE: &str = concat!(
    "update deliverable_versions set status = $3, run_state = $4, updated_at = $5, ",
    "delivery_error = case when $3 = $6 then delivery_error end, ",
    "held_by = case when $3 = $6 then held_by end, held_until = case when $3 = $6 then held_until end, ",
    "approved_at = case when $7 then $5 else approved_at end, feedback_notes = coalesce($8, feedback_notes), ",
    "edited_content = coalesce($9, edited_content), edit_diff = coalesce($10, edit_diff), ",
    "edit_categories = coalesce($11, edit_categories), edit_distance_score = coalesce($12, edit_distance_score) ",
    "where id = $1 and user_id = $2 and status = $6 returning ",
    version_columns!()
);
const EXISTS: &str = "select count(*) from deliverable_versions where id = $1 and user_id = $2";

#[async_trait]
impl VersionStore for SqlStore {
    async fn open(&self, open: OpenVersion) -> Result<Version, StoreError> {
        let what = format!("version {} of deliverable {}", u64::from(open.after) + 1, open.deliverable);
        let mut tx = self.db.begin().await?;
        match insert(&mut tx, &open, &what).await? {
            None => Err(StoreError::NotFound { what: format!("deliverable {}", open.deliverable) }),
            Some(row) => {
                material::record(&mut tx, (open.user, open.id), &open.items, open.at).await?;
                tx.commit().await?;
                row.try_into()
            }
        }
    }

    async fn version(&self, user: UserId, id: VersionId) -> Result<Version, StoreError> {
        let query = on_pool!(&self.db, pool => sqlx::query_as::<_, VersionRow>(BY_ID)
            .bind(Id(id.as_uuid())).bind(Id(user.as_uuid())).fetch_one(pool).await);
        query.doing(format!("version {id}"))?.try_into()
    }

    async fn by_key(&self, user: UserId, deliverable: DeliverableId, key: &str) -> Result<Option<Version>, StoreError> {
        let query = on_pool!(&self.db, pool => sqlx::query_as::<_, VersionRow>(BY_KEY)
            .bind(Id(deliverable.as_uuid())).bind(Id(user.as_uuid())).bind(clean(key)).fetch_optional(pool).await);
        query.doing("a version by its key")?.map(Version::try_from).transpose()
    }

    async fn recent(&self, user: UserId, deliverable: DeliverableId, limit: u32) -> Result<Vec<Version>, StoreError> {
        let query = on_pool!(&self.db, pool => sqlx::query_as::<_, VersionRow>(RECENT)
            .bind(Id(deliverable.as_uuid())).bind(Id(user.as_uuid())).bind(i64::from(limit)).fetch_all(pool).await);
        query.doing("the newest versions")?.into_iter().map(Version::try_from).collect()
    }

    async fn unfinished(&self, user: UserId, deliverable: DeliverableId) -> Result<Option<Version>, StoreError> {
        let query = on_pool!(&self.db, pool => sqlx::query_as::<_, VersionRow>(UNFINISHED)
            .bind(Id(deliverable.as_uuid())).bind(Id(user.as_uuid())).bind(VersionStatus::Generating.as_str())
            .bind(VersionStatus::Failed.as_str()).bind(Step::Queued.as_str()).fetch_optional(pool).await);
        query.doing("the unfinished version")?.map(Version::try_from).transpose()
    }

    async fn reported(&self, user: UserId, deliverable: DeliverableId) -> Result<Vec<MaterialRef>, StoreError> {
        let delivered = VersionStatus::Delivered.as_str();
        let states: Vec<Json<RunState>> = on_pool!(&self.db, pool => sqlx::query_scalar(REPORTED)
            .bind(Id(deliverable.as_uuid())).bind(Id(user.as_uuid())).bind(delivered).fetch_all(pool).await)
        .doing("the delivered versions")?;
        Ok(states.into_iter().flat_map(|it| it.0.material.into_iter().chain(it.0.found)).filter(|it| !it.only_shown).collect())
    }

    async fn hold(&self, hold: Hold) -> Result<Version, StoreError> {
        let mut tx = self.db.begin().await?;
        match take(&mut tx, &hold).await? {
            None => Err(refusal(&mut tx, hold.user, hold.version).await?),
            Some(row) => {
                tx.commit().await?;
                row.try_into()
            }
        }
    }

    async fn advance(&self, mut step: StepCommit) -> Result<(), StoreError> {
        let follow_up = std::mem::take(&mut step.follow_up);
        let mut tx = self.db.begin().await?;
        advance::apply(&mut tx, step).await?;
        self.follow_up(tx, follow_up).await
    }

    async fn decide(&self, decision: DecideVersion) -> Result<Version, StoreError> {
        let mut tx = self.db.begin().await?;
        let (run_state, said) = (state(&decision.state)?, Said::of(decision.feedback)?);
        let row = on_tx!(&mut tx, connection => {
            let query = sqlx::query_as::<_, VersionRow>(DECIDE)
                .bind(Id(decision.version.as_uuid()))
                .bind(Id(decision.user.as_uuid()))
                .bind(decision.status.as_str())
                .bind(Json(run_state))
                .bind(Instant(decision.at))
                .bind(decision.seen.as_str())
                .bind(said.approved)
                .bind(said.notes)
                .bind(said.edited)
                .bind(said.diff.map(Json))
                .bind(said.categories.map(Json))
                .bind(said.distance);
            query.fetch_optional(connection).await
        });
        match row.doing(format!("version {}", decision.version))? {
            None => Err(refusal(&mut tx, decision.user, decision.version).await?),
            Some(row) => {
                let version = Version::try_from(row)?;
                if version.status == VersionStatus::Rejected && version.step < Step::Queued {
                    content::release(&mut tx, version.user, version.id, decision.at).await?;
                    material::forget(&mut tx, version.id).await?;
                }
                if let Some(end) = decision.slot {
                    slots::end(&mut tx, end, Says::ItsVersion).await?;
                }
                if let Some(line) = decision.activity {
                    activity::write(&mut tx, decision.user, line, decision.at).await?;
                }
                tx.commit().await?;
                Ok(version)
            }
        }
    }
}

async fn insert(tx: &mut Tx, open: &OpenVersion, what: &str) -> Result<Option<VersionRow>, StoreError> {
    let (run_state, sources) = (state(&open.state)?, snapshots(&open.state)?);
    let row = on_tx!(tx, connection => {
        let query = sqlx::query_as::<_, VersionRow>(OPEN)
            .bind(Id(open.deliverable.as_uuid()))
            .bind(Id(open.user.as_uuid()))
            .bind(Id(open.id.as_uuid()))
            .bind(i64::from(open.after) + 1)
            .bind(VersionStatus::Generating.as_str())
            .bind(Step::Gathered.as_str())
            .bind(open.run_key.as_deref().map(clean))
            .bind(Json(run_state))
            .bind(Json(sources))
            .bind(clean(open.holder.as_str()))
            .bind(Instant(open.held_until))
            .bind(Instant(open.at));
        query.fetch_optional(connection).await
    });
    Ok(row.doing(what.to_owned())?)
}

/// The version, if its right could be taken.
async fn take(tx: &mut Tx, hold: &Hold) -> Result<Option<VersionRow>, DbError> {
    on_tx!(tx, connection => {
        let query = sqlx::query_as::<_, VersionRow>(HOLD)
            .bind(Id(hold.version.as_uuid()))
            .bind(Id(hold.user.as_uuid()))
            .bind(clean(hold.holder.as_str()))
            .bind(Instant(hold.until))
            .bind(Instant(hold.at))
            .bind(hold.gone.as_ref().map(|it| clean(it.as_str())));
        query.fetch_optional(connection).await
    })
    .doing(format!("version {}", hold.version))
}

/// Why nothing was changed: it is not there, or someone else was first.
pub(crate) async fn refusal(tx: &mut Tx, user: UserId, id: VersionId) -> Result<StoreError, DbError> {
    let what = format!("version {id}");
    let count: i64 = on_tx!(tx, connection => sqlx::query_scalar(EXISTS)
        .bind(Id(id.as_uuid())).bind(Id(user.as_uuid())).fetch_one(connection).await)
    .doing("a version")?;
    Ok(if count == 0 { StoreError::NotFound { what } } else { StoreError::Conflict { what } })
}
