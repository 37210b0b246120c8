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

/// Moves on what is still due as it was seen, and makes the row of each, unless one stands; answers which. Rows are locked in the order
/// of ids, so that two who fire the same wait for each other and never for ever.
#[cfg(feature = "postgres")]
const FIRE_POSTGRES: &str = "with given as materialized (
    select * from jsonb_to_recordset($1) as g (deliverable_id uuid, user_id uuid, slot text, due_at timestamptz, next timestamptz,
        late boolean, missed bigint, job_id uuid)
), due as materialized (
    select g.* from deliverables as d join given as g on d.id = g.deliverable_id and d.user_id = g.user_id
    where d.status = 'active' and d.next_run_at = g.due_at order by d.id for update of d
), moved as (
    update deliverables as d set next_run_at = due.next from due where d.id = due.deliverable_id
)
insert into deliverable_slots (deliverable_id, slot, user_id, due_at, fired_at, cycle, late, missed, job_id)
select deliverable_id, slot, user_id, due_at, $2, $3, late, missed, job_id from due
on conflict (deliverable_id, slot) do nothing returning deliverable_id";

/// The bound JSON list as rows.
#[cfg(feature = "sqlite")]
macro_rules! given {
    () => {
        "(select value ->> 'deliverable_id' as deliverable_id, value ->> 'user_id' as user_id, value ->> 'slot' as slot, \
         value ->> 'due_at' as due_at, value ->> 'next' as next, value ->> 'late' as late, value ->> 'missed' as missed, \
         value ->> 'job_id' as job_id from json_each($1)) as g"
    };
}
/// First the rows of slots, as long as it can be seen what is due: `SQLite` has one writer.
#[cfg(feature = "sqlite")]
const KEEP_SQLITE: &str = concat!(
    "insert into deliverable_slots (deliverable_id, slot, user_id, due_at, fired_at, cycle, late, missed, job_id) ",
    "select g.deliverable_id, g.slot, g.user_id, g.due_at, $2, $3, g.late, g.missed, g.job_id from ",
    given!(),
    " join deliverables as d on d.id = g.deliverable_id and d.user_id = g.user_id ",
    "where d.status = 'active' and d.next_run_at = g.due_at on conflict (deliverable_id, slot) do nothing returning deliverable_id"
);
#[cfg(feature = "sqlite")]
const MOVE_SQLITE: &str = concat!(
    "update deliverables as d set next_run_at = g.next from ",
    given!(),
    " where d.id = g.deliverable_id and d.user_id = g.user_id and d.status = 'active' and d.next_run_at = g.due_at"
);

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
        let fresh = fire_rows(&mut tx, &slots, cycle, at).await?;
        let slots = slots.into_iter().filter(|it| fresh.contains(&it.deliverable.as_uuid()));
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

/// Moves on what is due, and makes rows of slots for which none stands; answers whose.
async fn fire_rows(
    tx: &mut Tx,
    slots: &[FireSlot],
    cycle: Option<DateTime<Utc>>,
    at: DateTime<Utc>,
) -> Result<HashSet<Uuid>, DbError> {
    let given = Json(given(slots));
    let statement = fork!(tx.dialect(), postgres: FIRE_POSTGRES, sqlite: KEEP_SQLITE);
    let fresh: Vec<Id> = on_tx!(tx, connection => sqlx::query_scalar(statement)
        .bind(&given).bind(Instant(at)).bind(Instant::maybe(cycle)).fetch_all(connection).await)
    .doing("slots")?;
    #[cfg(feature = "sqlite")]
    if let Tx::Sqlite(inner, _) = tx {
        sqlx::query(MOVE_SQLITE).bind(&given).execute(&mut **inner).await.map(|_| ()).doing("what is due")?;
    }
    Ok(fresh.into_iter().map(|it| it.0).collect())
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
