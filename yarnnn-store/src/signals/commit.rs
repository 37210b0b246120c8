//! The end of a pass: every action is looked at once more and done, or dropped by name, and everything that follows is stored, in one
//! transaction that no other pass of the user runs beside.

use chrono::{DateTime, Utc};
use serde_json::json;
use sqlx::types::Json;
use yarnnn_core::StoreError;
use yarnnn_core::deliverables::{DeliverableStatus, NewDeliverable, RunDeliverable};
use yarnnn_core::id::{DeliverableId, IdGen, PassId, UserId};
use yarnnn_core::jobs::{Job as _, NewJob};
use yarnnn_core::signals::{Act, DropReason, Pass, PassCommit, PassOutcome, Verdict, Wanted};
use yarnnn_core::sync::{Retain, RetainReason};

use super::port::BY_ID;
use super::rows::PassRow;
use crate::columns::{Id, Instant};
use crate::db::{Tx, on_tx};
use crate::error::{DbError, Doing as _, unreadable};
use crate::text::{clean, cleaned_json};
use crate::{activity, content, deliverables, room};

/// Whether a run of a deliverable waits or is under way: one by hand, of a signal or of an event, whose job has a key that begins with
/// its id; one by schedule, which is a slot's; or one that no job does, which holds its version. The keys have a scope.
macro_rules! under_way {
    ($deliverable:literal, $scope:literal, $now:literal) => {
        concat!(
            "(exists (select 1 from job_keys k join job_queue j on j.id = k.job_id where k.scope = ",
            $scope,
            " and (k.key = cast(",
            $deliverable,
            " as text) or k.key like cast(",
            $deliverable,
            " as text) || '/%') and j.status in ('queued', 'running', 'retrying')) \
            or exists (select 1 from deliverable_slots s join job_queue j on j.id = s.job_id where s.deliverable_id = ",
            $deliverable,
            " and j.status in ('queued', 'running', 'retrying')) \
            or exists (select 1 from deliverable_versions v where v.deliverable_id = ",
            $deliverable,
            " and v.status = 'generating' and v.held_until > ",
            $now,
            "))"
        )
    };
}

const SEEN: &str = "select count(*) from signal_history \
    where user_id = $1 and signal_type = $2 and signal_ref = $3 and last_triggered_at >= $4";
/// Those of a type that leave no room for another. One that runs once does when it has run, when nothing will run it any more, and
/// when it is old.
const OF_TYPE: &str = concat!(
    "select count(*) from deliverables d where d.user_id = $1 and d.deliverable_type = $2 and d.status <> 'archived' \
    and ($3 or not (d.origin = 'signal_emergent' and d.trigger_type = 'manual' \
    and (d.last_run_at is not null or d.created_at < $4 or not ",
    under_way!("d.id", "$5", "$6"),
    ")))"
);
const SET_GOING: &str = "select count(*) from signal_history \
    where user_id = $1 and deliverable_id = $2 and last_triggered_at >= $3";
const STATUS: &str = "select status from deliverables where id = $1 and user_id = $2";
const RUNS: &str = concat!("select count(*) from deliverables d where d.id = $1 and ", under_way!("d.id", "$2", "$3"));
const REMEMBER: &str = "insert into signal_history \
    (id, user_id, signal_type, signal_ref, last_triggered_at, deliverable_id, metadata, created_at, updated_at) \
    values ($1, $2, $3, $4, $5, $6, $7, $5, $5) on conflict (user_id, signal_type, signal_ref) do update set \
    last_triggered_at = excluded.last_triggered_at, deliverable_id = excluded.deliverable_id, metadata = excluded.metadata, \
    updated_at = excluded.updated_at";
const END: &str =
    "update signal_passes set outcome = $3, shown = null, ended_at = $4, updated_at = $4 where id = $1 and user_id = $2";
const FORGET_ANSWER: &str = "update model_calls set request = null, response = null where pass_id = $1 and user_id = $2";

/// Does what may be done; answers the jobs that follow. A pass that has ended stays as it is.
pub(super) async fn apply(tx: &mut Tx, commit: PassCommit, ids: &dyn IdGen) -> Result<Vec<NewJob>, StoreError> {
    lock(tx, commit.user).await?;
    if open(tx, &commit).await?.outcome.is_some() {
        return Ok(vec![]);
    }
    let (mut verdicts, mut jobs, mut retained) = (Vec::new(), Vec::new(), 0);
    for wanted in &commit.wanted {
        let verdict = look(tx, &commit, wanted).await?;
        if verdict == Verdict::Done {
            retained += act(tx, &commit, wanted, ids).await?;
            jobs.push(wanted.job.clone());
        }
        verdicts.push(verdict);
    }
    let outcome = commit.decided(&verdicts, retained);
    let line = outcome.line(commit.line, commit.pass);
    end(tx, (commit.pass, commit.user), &outcome, commit.at).await?;
    activity::write(tx, commit.user, line, commit.at).await?;
    Ok(jobs)
}

/// Until the transaction ends no other pass of the user does anything.
async fn lock(tx: &mut Tx, user: UserId) -> Result<(), DbError> {
    let Some(sql) = tx.dialect().lock_by_name() else { return Ok(()) };
    let name = format!("yarnnn/signals/{user}");
    on_tx!(tx, connection => sqlx::query(sql).bind(name).execute(connection).await.map(|_| ())).doing("the passes of a user")
}

async fn open(tx: &mut Tx, commit: &PassCommit) -> Result<Pass, StoreError> {
    let row = on_tx!(tx, connection => sqlx::query_as::<_, PassRow>(BY_ID)
        .bind(Id(commit.pass.as_uuid())).bind(Id(commit.user.as_uuid())).fetch_one(connection).await);
    row.doing(format!("signal pass {}", commit.pass))?.try_into()
}

/// Whether an action may be done, as everything stands now.
async fn look(tx: &mut Tx, commit: &PassCommit, wanted: &Wanted) -> Result<Verdict, StoreError> {
    let (user, taken) = (commit.user, &wanted.taken);
    let seen: i64 = on_tx!(tx, connection => sqlx::query_scalar(SEEN)
        .bind(Id(user.as_uuid())).bind(clean(&taken.signal_type)).bind(clean(&taken.signal_reference))
        .bind(Instant(wanted.unless_since)).fetch_one(connection).await)
    .doing("the history of signals")?;
    if seen > 0 {
        return Ok(Verdict::Dropped(DropReason::SeenBefore));
    }
    match &wanted.act {
        Act::Create(_) => look_at_room(tx, commit, wanted).await,
        Act::Trigger(id) => look_at_target(tx, commit, *id).await,
    }
}

async fn look_at_room(tx: &mut Tx, commit: &PassCommit, wanted: &Wanted) -> Result<Verdict, StoreError> {
    let of_type: i64 = on_tx!(tx, connection => sqlx::query_scalar(OF_TYPE)
        .bind(Id(commit.user.as_uuid())).bind(clean(&wanted.taken.deliverable_type)).bind(wanted.one_of_a_kind)
        .bind(Instant(commit.room_since())).bind(scope_of_runs(commit.user)).bind(Instant(commit.at))
        .fetch_one(connection).await)
    .doing("the deliverables of a type")?;
    if of_type > 0 {
        return Ok(Verdict::Dropped(DropReason::TypeTaken));
    }
    let Some(slots) = commit.slots else { return Ok(Verdict::Done) };
    let used = room::taken(tx, commit.user).await?;
    Ok(if used < i64::from(slots) { Verdict::Done } else { Verdict::Dropped(DropReason::TierLimit) })
}

async fn look_at_target(tx: &mut Tx, commit: &PassCommit, id: DeliverableId) -> Result<Verdict, StoreError> {
    let user = commit.user;
    let status: Option<String> = on_tx!(tx, connection => sqlx::query_scalar(STATUS)
        .bind(Id(id.as_uuid())).bind(Id(user.as_uuid())).fetch_optional(connection).await)
    .doing(format!("deliverable {id}"))?;
    match status.as_deref().map(DeliverableStatus::parse) {
        None => return Ok(Verdict::Dropped(DropReason::UnknownDeliverable)),
        Some(Some(DeliverableStatus::Active)) => {}
        Some(_) => return Ok(Verdict::Dropped(DropReason::NotActive)),
    }
    let runs: i64 = on_tx!(tx, connection => sqlx::query_scalar(RUNS)
        .bind(Id(id.as_uuid())).bind(scope_of_runs(user)).bind(Instant(commit.at)).fetch_one(connection).await)
    .doing("the runs of a deliverable")?;
    if runs > 0 {
        return Ok(Verdict::Dropped(DropReason::AlreadyRunning));
    }
    let set_going: i64 = on_tx!(tx, connection => sqlx::query_scalar(SET_GOING)
        .bind(Id(user.as_uuid())).bind(Id(id.as_uuid())).bind(Instant(commit.target_since())).fetch_one(connection).await)
    .doing("the history of signals")?;
    Ok(if set_going == 0 { Verdict::Done } else { Verdict::Dropped(DropReason::SeenBefore) })
}

/// Under which the keys of a user's runs stand.
fn scope_of_runs(user: UserId) -> String {
    format!("{}/{user}", RunDeliverable::KIND)
}

/// Does an action but for its run; answers how many items are kept for it.
async fn act(tx: &mut Tx, commit: &PassCommit, wanted: &Wanted, ids: &dyn IdGen) -> Result<u64, StoreError> {
    if let Act::Create(new) = &wanted.act {
        deliverables::insert(tx, NewDeliverable::clone(new)).await?;
    }
    remember(tx, commit, wanted, ids).await?;
    let (reason, reference) = (RetainReason::SignalProcessing, Some(commit.pass.as_uuid()));
    content::retain(tx, &Retain { user: commit.user, ids: wanted.about.clone(), reason, reference, at: commit.at }).await
}

async fn remember(tx: &mut Tx, commit: &PassCommit, wanted: &Wanted, ids: &dyn IdGen) -> Result<(), DbError> {
    let taken = &wanted.taken;
    let metadata = json!({
        "pass_id": commit.pass,
        "action_type": taken.action,
        "title": taken.title,
        "reasoning": taken.reasoning,
        "confidence": taken.confidence,
    });
    on_tx!(tx, connection => {
        let query = sqlx::query(REMEMBER)
            .bind(Id(ids.uuid()))
            .bind(Id(commit.user.as_uuid()))
            .bind(clean(&taken.signal_type))
            .bind(clean(&taken.signal_reference))
            .bind(Instant(commit.at))
            .bind(Id(taken.deliverable_id.as_uuid()))
            .bind(Json(cleaned_json(metadata)));
        query.execute(connection).await.map(|_| ())
    })
    .doing("the history of signals")
}

/// The pass has ended; what it showed and what it was answered is forgotten.
pub(super) async fn end(
    tx: &mut Tx,
    (pass, user): (PassId, UserId),
    outcome: &PassOutcome,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let outcome = serde_json::to_value(outcome).map_err(|error| unreadable("the outcome of a pass", error))?;
    let ids = (Id(pass.as_uuid()), Id(user.as_uuid()));
    on_tx!(tx, connection => sqlx::query(END)
        .bind(ids.0).bind(ids.1).bind(Json(cleaned_json(outcome))).bind(Instant(at)).execute(connection).await.map(|_| ()))
    .doing(format!("signal pass {pass}"))?;
    on_tx!(tx, connection => sqlx::query(FORGET_ANSWER).bind(ids.0).bind(ids.1).execute(connection).await.map(|_| ()))
        .doing(format!("the answer of signal pass {pass}"))?;
    Ok(())
}
