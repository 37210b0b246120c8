//! One step of a run: a compare-and-swap on the version, and everything else that the step brings, in one transaction.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::types::Json;
use yarnnn_core::StoreError;
use yarnnn_core::activity::NewActivity;
use yarnnn_core::deliverables::{Step, StepChange, StepCommit, VersionStatus};
use yarnnn_core::id::{UserId, VersionId};
use yarnnn_core::sync::{Retain, RetainReason};

use super::material;
use super::port::refusal;
use super::row::state;
use crate::columns::{Id, Instant};
use crate::db::{Tx, on_tx};
use crate::error::{DbError, Doing as _};
use crate::outbox::Purpose;
use crate::slots::Says;
use crate::text::clean;
use crate::{activity, content, deliverables, evidence, outbox, slots};

/// Changes the version only while it stands at the expected step, is held by the caller and has not arrived. What a step
/// does not bring stays; a hold ends where the step says so.
const SWAP: &str = "update deliverable_versions set run_step = $5, status = $6, delivery_status = $7, \
    draft_content = coalesce($8, draft_content), final_content = coalesce($9, final_content), \
    run_state = coalesce($10, run_state), delivery_error = $11, \
    held_by = case when $12 then null else held_by end, held_until = case when $12 then null else held_until end, \
    delivered_at = coalesce($13, delivered_at), updated_at = $14, \
    staged_at = case when $6 = 'staged' then $14 else staged_at end \
    where id = $1 and user_id = $2 and run_step = $3 and held_by = $4 and status <> 'delivered'";
/// What the channel calls the first message that arrived.
const NAME_DELIVERY: &str = "update deliverable_versions set delivery_external_id = \
    (select external_id from outbox where version_id = $1 and purpose = 'report' and state = 'sent' order by key limit 1) where id = $1";

/// Whether it ever waited for a person: what it cites has been kept since.
const WAITED: &str = "select count(*) from deliverable_versions where id = $1 and staged_at is not null";

/// What a step changes on the version's own row.
struct Swap {
    step: Step,
    status: VersionStatus,
    delivery: &'static str,
    draft: Option<String>,
    final_content: Option<String>,
    state: Option<Value>,
    error: Option<String>,
    ends: bool,
    delivered_at: Option<DateTime<Utc>>,
}

impl Swap {
    /// A step of a run that goes on.
    fn to(step: Step) -> Self {
        Self {
            step,
            status: VersionStatus::Generating,
            delivery: "pending",
            draft: None,
            final_content: None,
            state: None,
            error: None,
            ends: false,
            delivered_at: None,
        }
    }

    fn of(commit: &StepCommit) -> Result<Self, StoreError> {
        Ok(match &commit.change {
            StepChange::Researched { state: run } => Self { state: Some(state(run)?), ..Self::to(Step::Researched) },
            StepChange::Written { draft, state: run, .. } => {
                Self { draft: Some(clean(draft).into_owned()), state: Some(state(run)?), ..Self::to(Step::Written) }
            }
            StepChange::Verified { state: run, .. } => Self { state: Some(state(run)?), ..Self::to(Step::Verified) },
            StepChange::Queued { final_content, .. } => {
                let final_content = Some(clean(final_content).into_owned());
                Self { final_content, delivery: "delivering", ..Self::to(Step::Queued) }
            }
            StepChange::Finished { .. } => Self {
                status: VersionStatus::Delivered,
                delivery: "delivered",
                ends: true,
                delivered_at: Some(commit.at),
                ..Self::to(Step::Finished)
            },
            StepChange::Staged { reason, .. } => Self {
                status: VersionStatus::Staged,
                error: Some(clean(reason).into_owned()),
                ends: true,
                ..Self::to(Step::Verified)
            },
            StepChange::Failed { error, draft, state: run, .. } => Self {
                status: VersionStatus::Failed,
                delivery: "failed",
                draft: draft.as_ref().map(|it| clean(it).into_owned()),
                state: run.as_deref().map(state).transpose()?,
                error: Some(clean(error).into_owned()),
                ends: true,
                ..Self::to(commit.expected)
            },
        })
    }
}

/// Whether a change leads away from this step.
fn leads_from(change: &StepChange, step: Step) -> bool {
    match change {
        StepChange::Researched { .. } => step == Step::Gathered,
        StepChange::Written { .. } => matches!(step, Step::Gathered | Step::Researched),
        StepChange::Verified { .. } => step == Step::Written,
        StepChange::Queued { .. } | StepChange::Staged { .. } => step == Step::Verified,
        StepChange::Finished { .. } => step == Step::Queued,
        StepChange::Failed { .. } => true,
    }
}

/// Commits everything of a step, or answers why it may not be.
pub(super) async fn apply(tx: &mut Tx, commit: StepCommit) -> Result<(), StoreError> {
    let swap = Swap::of(&commit)?;
    if !leads_from(&commit.change, commit.expected) || !swapped(tx, &commit, swap).await? {
        return Err(refusal(tx, commit.user, commit.version).await?);
    }
    if matches!(commit.change, StepChange::Failed { .. }) && commit.expected < Step::Queued {
        // Nobody goes on with it, and nobody can repeat what was never whole. Content first, as everybody who locks both.
        if waited(tx, commit.version).await? {
            content::release(tx, commit.user, commit.version, commit.at).await?;
        }
        material::forget(tx, commit.version).await?;
    }
    if let Some(notice) = commit.notice {
        outbox::queue(tx, (commit.user, Some(commit.version)), Purpose::Notice, vec![notice], commit.at).await?;
    }
    if let Some(end) = commit.slot {
        slots::end(tx, end, Says::ItsVersion).await?;
    }
    bring(tx, (commit.user, commit.version), commit.change, commit.at).await
}

async fn swapped(tx: &mut Tx, commit: &StepCommit, swap: Swap) -> Result<bool, DbError> {
    on_tx!(tx, connection => {
        let query = sqlx::query(SWAP)
            .bind(Id(commit.version.as_uuid()))
            .bind(Id(commit.user.as_uuid()))
            .bind(commit.expected.as_str())
            .bind(clean(commit.holder.as_str()))
            .bind(swap.step.as_str())
            .bind(swap.status.as_str())
            .bind(swap.delivery)
            .bind(swap.draft)
            .bind(swap.final_content)
            .bind(swap.state.map(Json))
            .bind(swap.error)
            .bind(swap.ends)
            .bind(Instant::maybe(swap.delivered_at))
            .bind(Instant(commit.at));
        query.execute(connection).await.map(|it| it.rows_affected() == 1)
    })
    .doing(format!("version {}", commit.version))
}

async fn waited(tx: &mut Tx, version: VersionId) -> Result<bool, DbError> {
    let count: i64 = on_tx!(tx, connection =>
        sqlx::query_scalar(WAITED).bind(Id(version.as_uuid())).fetch_one(connection).await)
    .doing(format!("version {version}"))?;
    Ok(count > 0)
}

/// What a step brings besides the version's own row.
async fn bring(
    tx: &mut Tx,
    (user, version): (UserId, VersionId),
    change: StepChange,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    match change {
        StepChange::Researched { .. } => Ok(()),
        StepChange::Written { found, .. } => Ok(material::record(tx, (user, version), &found, at).await?),
        StepChange::Verified { sentences, .. } => Ok(evidence::write(tx, version, &sentences, at).await?),
        StepChange::Queued { messages, retain, .. } => {
            outbox::queue(tx, (user, Some(version)), Purpose::Report, messages, at).await?;
            let reason = RetainReason::DeliverableExecution;
            let retain = Retain { user, ids: retain, reason, reference: Some(version.as_uuid()), at };
            content::retain(tx, &retain).await.map(|_| ())
        }
        StepChange::Finished { activity } => {
            deliverables::ran(tx, user, version, at).await?;
            name_delivery(tx, version).await?;
            write_line(tx, user, activity, at).await
        }
        StepChange::Staged { activity, .. } => {
            // However long a person takes, what it cites is there when it is sent.
            let ids = evidence::cited(tx, version).await?;
            let reason = RetainReason::DeliverableExecution;
            content::retain(tx, &Retain { user, ids, reason, reference: Some(version.as_uuid()), at }).await?;
            write_line(tx, user, activity, at).await
        }
        StepChange::Failed { activity, .. } => write_line(tx, user, activity, at).await,
    }
}

async fn write_line(tx: &mut Tx, user: UserId, line: NewActivity, at: DateTime<Utc>) -> Result<(), StoreError> {
    Ok(activity::write(tx, user, line, at).await?)
}

async fn name_delivery(tx: &mut Tx, version: VersionId) -> Result<(), DbError> {
    on_tx!(tx, connection =>
        sqlx::query(NAME_DELIVERY).bind(Id(version.as_uuid())).execute(connection).await.map(|_| ()))
    .doing(format!("version {version}"))
}
