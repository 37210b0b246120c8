//! Reserving: the caps are checked and the row is added while nobody else reserves against the same caps.

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use sqlx::QueryBuilder;
use yarnnn_core::StoreError;
use yarnnn_core::id::{PassId, UserId, VersionId};
use yarnnn_core::llm::{CallAccount, Reservation, ReserveError};

use super::row::{json_text, number};
use crate::columns::{Id, Instant};
use crate::db::{Tx, on_tx};
use crate::error::{DbError, Doing as _};
use crate::text::clean;

/// Adds nothing when the report, its version or the pass is not the user's.
const INSERT: &str = "insert into model_calls (id, user_id, deliverable_id, version_id, purpose, model, state, ceiling_micro_usd, \
    spent_micro_usd, request_sha256, request, reserved_at, pass_id) \
    select $1, $2, $3, $4, $5, $6, 'reserved', $7, $7, $8, $9, $10, $11 \
    where ($3 is null or exists (select 1 from deliverables where id = $3 and user_id = $2)) \
    and ($4 is null or exists (select 1 from deliverable_versions where id = $4 and user_id = $2)) \
    and ($11 is null or exists (select 1 from signal_passes where id = $11 and user_id = $2))";
/// As floating point numbers, so that no sum is out of range; exact up to nine billion dollars.
const SPENT: &str = "select coalesce(sum(cast(spent_micro_usd as double precision)), 0.0) from model_calls where ";

/// The calls that a cap is about.
#[derive(Debug, Clone, Copy)]
enum Scope {
    Run(VersionId),
    Pass(PassId),
    UserDay(UserId),
    InstallationDay,
}

impl Scope {
    /// The cap's name.
    const fn cap(self) -> &'static str {
        match self {
            Self::Run(_) | Self::Pass(_) => "run",
            Self::UserDay(_) => "user_day",
            Self::InstallationDay => "installation_day",
        }
    }

    /// What those who reserve against the same cap wait for.
    fn lock(self) -> String {
        match self {
            Self::Run(version) => format!("yarnnn/model_calls/run/{version}"),
            Self::Pass(pass) => format!("yarnnn/model_calls/pass/{pass}"),
            Self::UserDay(user) => format!("yarnnn/model_calls/user/{user}"),
            Self::InstallationDay => "yarnnn/model_calls/installation".to_owned(),
        }
    }
}

/// Refuses a call for which a cap does not leave enough. Until the transaction ends nobody else reserves against these caps.
///
/// Everybody locks in the order from run to installation, so that no two wait for each other.
pub(super) async fn check(tx: &mut Tx, reservation: &Reservation) -> Result<(), ReserveError> {
    if reservation.ceiling == 0 {
        return Ok(());
    }
    for (scope, limit) in capped(reservation) {
        lock(tx, scope).await.map_err(StoreError::from)?;
        let spent = spent(tx, scope, reservation.at).await.map_err(StoreError::from)?;
        if spent.saturating_add(reservation.ceiling) > limit {
            return Err(ReserveError::OverCap { cap: scope.cap(), limit, spent });
        }
    }
    Ok(())
}

/// The caps that are set, with their amounts.
fn capped(reservation: &Reservation) -> impl Iterator<Item = (Scope, u64)> {
    let Reservation { account: CallAccount { user, version, pass, .. }, caps, .. } = reservation;
    let run = version.map(Scope::Run).or_else(|| pass.map(Scope::Pass)).zip(caps.run);
    let user_day = caps.user_day.map(|limit| (Scope::UserDay(*user), limit));
    let installation_day = caps.installation_day.map(|limit| (Scope::InstallationDay, limit));
    [run, user_day, installation_day].into_iter().flatten()
}

async fn lock(tx: &mut Tx, scope: Scope) -> Result<(), DbError> {
    let Some(sql) = tx.dialect().lock_by_name() else { return Ok(()) };
    on_tx!(tx, connection => sqlx::query(sql).bind(scope.lock()).execute(connection).await.map(|_| ())).doing("a spending cap")
}

/// What counts as spent of a cap on the day of the given instant.
async fn spent(tx: &mut Tx, scope: Scope, at: DateTime<Utc>) -> Result<u64, DbError> {
    let (from, to) = day(at);
    let sum: f64 = on_tx!(tx, connection => {
        let mut builder = QueryBuilder::new(SPENT);
        match scope {
            Scope::Run(version) => builder.push("version_id = ").push_bind(Id(version.as_uuid())),
            Scope::Pass(pass) => builder.push("pass_id = ").push_bind(Id(pass.as_uuid())),
            Scope::UserDay(user) => builder.push("user_id = ").push_bind(Id(user.as_uuid())).push(" and "),
            Scope::InstallationDay => &mut builder,
        };
        if !matches!(scope, Scope::Run(_) | Scope::Pass(_)) {
            builder.push("reserved_at >= ").push_bind(Instant(from)).push(" and reserved_at < ").push_bind(Instant(to));
        }
        builder.build_query_scalar().fetch_one(connection).await
    })
    .doing("what was spent")?;
    Ok(whole(sum))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a sum of whole numbers from 0 on; the cast saturates"
)]
const fn whole(sum: f64) -> u64 {
    sum as u64
}

/// The UTC day of an instant: its beginning, and that of the next.
fn day(at: DateTime<Utc>) -> (DateTime<Utc>, DateTime<Utc>) {
    let from = at.date_naive().and_time(NaiveTime::MIN).and_utc();
    (from, from.checked_add_signed(TimeDelta::days(1)).unwrap_or(DateTime::<Utc>::MAX_UTC))
}

/// Adds the row. The request is kept for calls of versions only.
pub(super) async fn insert(tx: &mut Tx, reservation: Reservation) -> Result<(), StoreError> {
    let CallAccount { user, deliverable, version, pass } = reservation.account;
    let request = reservation.request.filter(|_| version.is_some()).map(|it| json_text(&it)).transpose()?;
    let what = format!("model call {}", reservation.id);
    let added = on_tx!(tx, connection => {
        let query = sqlx::query(INSERT)
            .bind(Id(reservation.id.as_uuid()))
            .bind(Id(user.as_uuid()))
            .bind(deliverable.map(|it| Id(it.as_uuid())))
            .bind(version.map(|it| Id(it.as_uuid())))
            .bind(clean(&reservation.purpose))
            .bind(clean(&reservation.model))
            .bind(number(reservation.ceiling))
            .bind(reservation.request_sha256.to_string())
            .bind(request)
            .bind(Instant(reservation.at))
            .bind(pass.map(|it| Id(it.as_uuid())));
        query.execute(connection).await.map(|it| it.rows_affected() == 1)
    })
    .doing(what.clone())?;
    if added { Ok(()) } else { Err(StoreError::NotFound { what: format!("what {what} belongs to") }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_where_the_next_begins() {
        let instant = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let (from, to) = day(instant("2026-02-28T23:59:59.999999Z"));
        assert_eq!((from, to), (instant("2026-02-28T00:00:00Z"), instant("2026-03-01T00:00:00Z")));
        assert_eq!(day(to).0, to);
        assert_eq!(day(DateTime::<Utc>::MAX_UTC).1, DateTime::<Utc>::MAX_UTC);
    }

    #[test]
    fn a_sum_is_never_out_of_range() {
        assert_eq!((whole(0.0), whole(9_007_199_254_740_991.0), whole(1e30)), (0, 9_007_199_254_740_991, u64::MAX));
    }
}
