//! Firing: deliverables move on, slots become rows, lines and jobs come with them, all or nothing. However many there are, it is the
//! same few statements.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::types::Json;
use uuid::Uuid;
use yarnnn_core::StoreError;
use yarnnn_core::clock::instant_text;
use yarnnn_core::deliverables::{Fire, FireSlot};
use yarnnn_core::id::DeliverableId;
use yarnnn_core::scheduler::PhaseLease;

use crate::SqlStore;
use crate::activity;
use crate::columns::{Id, Instant};
use crate::db::{Tx, on_tx};
use crate::dialect::fork;
use crate::error::{DbError, Doing as _};

/// The right of who fires is looked at and kept until the end: a later claim waits.
const RIGHT: &str = "select token from scheduler_slots where phase = $1 and slot = $2 and token = $3 and state = 'running'";

/// The bound JSON list as rows.
#[cfg(feature = "postgres")]
macro_rules! given_postgres {
    () => {
        "jsonb_to_recordset($1) as g (deliverable_id uuid, user_id uuid, slot text, due_at timestamptz, next timestamptz, \
         late boolean, missed bigint, job_id uuid)"
    };
}
#[cfg(feature = "sqlite")]
macro_rules! given_sqlite {
    () => {
        "(select value ->> 'deliverable_id' as deliverable_id, value ->> 'user_id' as user_id, value ->> 'slot' as slot, \
         value ->> 'due_at' as due_at, value ->> 'next' as next, value ->> 'late' as late, value ->> 'missed' as missed, \
         value ->> 'job_id' as job_id from json_each($1)) as g"
    };
}

/// In the order of ids, so that two who fire the same wait for each other and never for ever. `SQLite` has one writer anyway.
#[cfg(feature = "postgres")]
const LOCK: &str = concat!(
    "select d.id from deliverables as d join ",
    given_postgres!(),
    " on d.id = g.deliverable_id where d.status = 'active' and d.next_run_at = g.due_at order by d.id for update of d"
);

macro_rules! move_on {
    ($given:expr) => {
        concat!(
            "update deliverables as d set next_run_at = g.next from ",
            $given,
            " where d.id = g.deliverable_id and d.user_id = g.user_id and d.status = 'active' and d.next_run_at = g.due_at returning id"
        )
    };
}

macro_rules! keep {
    ($given:expr) => {
        concat!(
            "insert into deliverable_slots (deliverable_id, slot, user_id, due_at, fired_at, cycle, late, missed, job_id) ",
            "select deliverable_id, slot, user_id, due_at, $2, $3, late, missed, job_id from ",
            $given,
            " where true on conflict (deliverable_id, slot) do nothing returning deliverable_id"
        )
    };
}

impl SqlStore {
    pub(super) async fn fire_slots(&self, fire: Fire) -> Result<Vec<DeliverableId>, StoreError> {
        let Fire { lease, cycle, slots, at } = fire;
        if slots.is_empty() {
            return Ok(vec![]);
        }
        let mut tx = self.db.begin().await?;
        if let Some(lease) = lease {
            check(&mut tx, &lease).await?;
        }
        let moved = move_on(&mut tx, &slots).await?;
        let slots: Vec<_> = slots.into_iter().filter(|it| moved.contains(&it.deliverable.as_uuid())).collect();
        let kept = keep(&mut tx, &slots, cycle, at).await?;
        let slots = slots.into_iter().filter(|it| kept.contains(&it.deliverable.as_uuid()));
        let (mut fired, mut lines, mut jobs) = (vec![], vec![], vec![]);
        for it in slots {
            fired.push(it.deliverable);
            lines.push((it.user, it.line));
            jobs.push(it.job);
        }
        activity::write_all(&mut tx, lines, at).await?;
        self.follow_up(tx, jobs).await?;
        Ok(fired)
    }
}

async fn check(tx: &mut Tx, lease: &PhaseLease) -> Result<(), StoreError> {
    let right = format!("{RIGHT}{}", tx.dialect().for_share());
    let found: Option<Id> = on_tx!(tx, connection => sqlx::query_scalar(sqlx::AssertSqlSafe(right))
        .bind(&lease.phase).bind(Instant(lease.slot)).bind(Id(lease.token)).fetch_optional(connection).await)
    .doing("the right to fire")?;
    found.map(|_| ()).ok_or_else(|| StoreError::Conflict { what: format!("the slot {} of {}", lease.slot, lease.phase) })
}

/// Moves on what is still due as it was seen.
async fn move_on(tx: &mut Tx, slots: &[FireSlot]) -> Result<HashSet<Uuid>, DbError> {
    let given = Json(given(slots));
    #[cfg(feature = "postgres")]
    if let Tx::Postgres(inner) = tx {
        sqlx::query(LOCK).bind(&given).execute(&mut **inner).await.map(|_| ()).doing("what is due")?;
    }
    let statement = fork!(tx.dialect(), postgres: move_on!(given_postgres!()), sqlite: move_on!(given_sqlite!()));
    let moved: Vec<Id> =
        on_tx!(tx, connection => sqlx::query_scalar(statement).bind(given).fetch_all(connection).await).doing("what is due")?;
    Ok(moved.into_iter().map(|it| it.0).collect())
}

/// Makes rows of slots for which none stands.
async fn keep(
    tx: &mut Tx,
    slots: &[FireSlot],
    cycle: Option<DateTime<Utc>>,
    at: DateTime<Utc>,
) -> Result<HashSet<Uuid>, DbError> {
    let statement = fork!(tx.dialect(), postgres: keep!(given_postgres!()), sqlite: keep!(given_sqlite!()));
    let given = Json(given(slots));
    let kept: Vec<Id> = on_tx!(tx, connection => sqlx::query_scalar(statement)
        .bind(given).bind(Instant(at)).bind(Instant::maybe(cycle)).fetch_all(connection).await)
    .doing("slots")?;
    Ok(kept.into_iter().map(|it| it.0).collect())
}

fn given(slots: &[FireSlot]) -> Vec<Value> {
    let row = |it: &FireSlot| {
        json!({
            "deliverable_id": it.deliverable, "user_id": it.user, "slot": it.slot, "due_at": instant_text(it.due_at),
            "next": it.next.map(instant_text), "late": it.late, "missed": it.missed, "job_id": it.job.id,
        })
    };
    slots.iter().map(row).collect()
}
