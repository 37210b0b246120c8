//! Whether a user may have one more active deliverable, counted in the transaction that makes one so.

use yarnnn_core::StoreError;
use yarnnn_core::id::{DeliverableId, UserId};

use crate::columns::Id;
use crate::db::{Tx, on_tx};
use crate::error::{DbError, Doing as _};

/// What `takes_slot` says of a deliverable: what a signal called for, and runs once, takes none.
macro_rules! takes_slot {
    ($deliverable:literal) => {
        concat!(
            $deliverable,
            ".status = 'active' and not (",
            $deliverable,
            ".origin = 'signal_emergent' and ",
            $deliverable,
            ".trigger_type = 'manual')"
        )
    };
}
const TAKEN: &str = concat!("select count(*) from deliverables as d where d.user_id = $1 and ", takes_slot!("d"));
/// None beside one that takes no slot itself.
const BESIDE: &str = concat!(
    "select count(*) from deliverables as d join deliverables as this on this.user_id = d.user_id \
    where d.user_id = $1 and this.id = $2 and d.id <> this.id and ",
    takes_slot!("d"),
    " and ",
    takes_slot!("this")
);

/// The room that a user has. Until the transaction ends nobody else counts it: whoever makes something active waits here.
#[derive(Debug, Clone, Copy)]
#[must_use = "what was made active is counted at the end"]
pub(crate) struct Room {
    user: UserId,
    slots: Option<u32>,
}

impl Room {
    /// Waits for the turn of this transaction, before it writes anything: who waited with a row in hand would be waited for. Without
    /// a limit nobody waits.
    pub(crate) async fn of(tx: &mut Tx, user: UserId, slots: Option<u32>) -> Result<Self, DbError> {
        let sql = tx.dialect().lock_user().filter(|_| slots.is_some());
        if let Some(sql) = sql {
            on_tx!(tx, connection => sqlx::query(sql).bind(Id(user.as_uuid())).execute(connection).await.map(|_| ()))
                .doing(format!("user {user}"))?;
        }
        Ok(Self { user, slots })
    }

    /// Whether what was written leaves no more than allowed; else it must not be committed.
    pub(crate) async fn check(self, tx: &mut Tx, id: DeliverableId) -> Result<(), StoreError> {
        let Some(limit) = self.slots else { return Ok(()) };
        let beside: i64 = on_tx!(tx, connection => sqlx::query_scalar(BESIDE)
            .bind(Id(self.user.as_uuid())).bind(Id(id.as_uuid())).fetch_one(connection).await)
        .doing("the active deliverables")?;
        if beside < i64::from(limit) { Ok(()) } else { Err(StoreError::OverLimit { what: "active deliverables", limit }) }
    }
}

/// How many slots of the tier's are taken.
pub(crate) async fn taken(tx: &mut Tx, user: UserId) -> Result<i64, DbError> {
    on_tx!(tx, connection => sqlx::query_scalar(TAKEN).bind(Id(user.as_uuid())).fetch_one(connection).await)
        .doing("the active deliverables")
}
