//! The registry of resources: the fence of runs, and what was seen of each resource.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, FromRow};
use uuid::Uuid;
use yarnnn_core::StoreError;
use yarnnn_core::id::{ConnectionId, IdGen, UserId};
use yarnnn_core::platform::{Cursor, Gap, Interval, Quarantined, ResourceId};
use yarnnn_core::sync::{BeginRun, Finished, Place, RunHandle, RunMode, RunPart, RunToken};

use crate::columns::{Id, Instant};
use crate::db::{Tx, on_tx};
use crate::error::{DbError, Doing as _};
use crate::text::{clean, cleaned, cut, plausible};

const BEGIN: &str = "insert into sync_registry \
    (id, user_id, platform, resource_id, resource_name, run_token, pending, created_at, updated_at) \
    values ($1, $2, $3, $4, $5, $8, $6, $7, $7) \
    on conflict (user_id, platform, resource_id) do update set run_token = sync_registry.run_token + 1, \
    resource_name = excluded.resource_name, pending = excluded.pending, updated_at = excluded.updated_at \
    returning run_token, platform_cursor, places";
const ACCOUNT: &str = "select account_epoch from platform_connections where id = $1 and user_id = $2";
const FENCE: &str = "select id, run_token, source_latest_at, sync_metadata, covered, gaps, pending, places from sync_registry \
    where user_id = $1 and platform = $2 and resource_id = $3";
const PAGE: &str = "update sync_registry set covered = $2, pending = $3, updated_at = $4, places = $5 where id = $1";
const FINISH: &str = "update sync_registry set covered = $2, gaps = $3, pending = $4, sync_metadata = $5, \
    last_synced_at = $6, updated_at = $6, platform_cursor = coalesce($7, platform_cursor), item_count = $8, \
    source_latest_at = $9, last_error = $10, last_error_at = case when $10 is null then last_error_at else $6 end, \
    audited_at = coalesce($11, audited_at), places = $12 where id = $1";
const FAIL: &str = "update sync_registry set covered = $2, pending = $3, last_error = $4, last_error_at = $5, updated_at = $5 \
    where id = $1";
/// Locks the entry, whether it is new or not.
const ENTER: &str = "insert into sync_registry \
    (id, user_id, platform, resource_id, resource_name, run_token, created_at, updated_at) \
    values ($1, $2, $3, $4, $5, $6, $7, $7) \
    on conflict (user_id, platform, resource_id) do update set updated_at = excluded.updated_at returning id, sync_metadata";
const NOTE: &str = "update sync_registry set sync_metadata = $2 where id = $1";

/// Where the registry's notes say that the user keeps a resource from being synced.
pub(crate) const EXCLUDED: &str = "excluded";

/// `last_error` is cut at this many characters.
const MAX_ERROR_CHARS: usize = 500;

/// So many quarantined records of a run are kept by name; all of them are counted.
const MAX_QUARANTINED: usize = 100;

/// What a page tells of its resource.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Seen {
    pub(super) covered: Vec<Interval>,
    pub(super) gaps: Vec<Gap>,
    pub(super) quarantined: Vec<Quarantined>,
}

/// Where runs were cut short.
type Places = BTreeMap<RunPart, Place>;

/// What the pages of a run have reported so far.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Pending {
    gaps: Vec<Gap>,
    quarantined: Vec<Quarantined>,
    quarantined_count: u64,
}

/// The resource's row, locked until the end of the transaction.
#[derive(FromRow)]
pub(super) struct Entry {
    id: Id,
    run_token: i64,
    source_latest_at: Option<Instant>,
    sync_metadata: Json<Map<String, Value>>,
    covered: Json<Vec<Interval>>,
    pending: Json<Pending>,
    places: Json<Places>,
}

/// Holds the account that a run reads as it is, until the end of the transaction. It comes before every other lock, as where
/// another account is connected.
async fn hold(
    tx: &mut Tx,
    user: UserId,
    connection: Option<(ConnectionId, i64)>,
    resource: &ResourceId,
) -> Result<(), StoreError> {
    let Some((id, epoch)) = connection else { return Ok(()) };
    let sql = format!("{ACCOUNT}{}", tx.dialect().for_share());
    let now: Option<i64> = on_tx!(tx, connection => sqlx::query_scalar(AssertSqlSafe(sql))
        .bind(Id(id.as_uuid())).bind(Id(user.as_uuid())).fetch_optional(connection).await)
    .doing(format!("connection {id}"))?;
    let what = format!("the account that {resource} was read from");
    now.filter(|it| *it == epoch).map(|_| ()).ok_or(StoreError::Conflict { what })
}

/// Ends all earlier runs of a resource and starts one.
pub(super) async fn begin(tx: &mut Tx, run: &BeginRun, first: RunToken) -> Result<RunHandle, StoreError> {
    hold(tx, run.user, run.connection, &run.resource).await?;
    let id = entry_id(run.user, &run.resource);
    let (token, cursor, Json(places)): (i64, Option<String>, Json<Places>) = on_tx!(tx, connection => {
        let query = sqlx::query_as(BEGIN)
            .bind(Id(id))
            .bind(Id(run.user.as_uuid()))
            .bind(run.resource.platform().as_str())
            .bind(clean(run.resource.as_str()))
            .bind(clean(&run.resource_name))
            .bind(Json(Pending::default()))
            .bind(Instant(run.at))
            .bind(first.0);
        query.fetch_one(connection).await
    })
    .doing(format!("the run of {}", run.resource))?;
    let BeginRun { user, resource, resource_name, mode, connection, .. } = run.clone();
    let (token, cursor) = (RunToken(token), cursor.map(Cursor::new));
    Ok(RunHandle { user, resource, resource_name, token, mode, connection, cursor, places })
}

/// Derived from what the row is about: no second row can be meant.
fn entry_id(user: UserId, resource: &ResourceId) -> Uuid {
    Uuid::new_v5(&user.as_uuid(), resource.to_string().as_bytes())
}

/// The token of an entry that is made. An entry can be deleted and made anew, and no run of the old one may pass for one of the
/// new: milliseconds, so that it is higher than before, then chance.
pub(crate) fn first_token(ids: &dyn IdGen, at: DateTime<Utc>) -> RunToken {
    const CHANCE_BITS: u32 = 21;
    let chance = ids.uuid().as_u128() & ((1 << CHANCE_BITS) - 1);
    let millis = at.timestamp_millis().clamp(0, i64::MAX >> CHANCE_BITS);
    RunToken((millis << CHANCE_BITS) | i64::try_from(chance).unwrap_or_default())
}

/// Notes whether a resource is kept from being synced.
pub(crate) async fn exclude(
    tx: &mut Tx,
    (user, resource, name): (UserId, &ResourceId, &str),
    excluded: bool,
    (first, at): (RunToken, DateTime<Utc>),
) -> Result<(), DbError> {
    let what = || fenced(resource);
    let (id, Json(mut notes)): (Id, Json<Map<String, Value>>) = on_tx!(&mut *tx, connection => {
        let query = sqlx::query_as(ENTER)
            .bind(Id(entry_id(user, resource)))
            .bind(Id(user.as_uuid()))
            .bind(resource.platform().as_str())
            .bind(clean(resource.as_str()))
            .bind(clean(name))
            .bind(first.0)
            .bind(Instant(at));
        query.fetch_one(connection).await
    })
    .doing(what())?;
    notes.insert(EXCLUDED.to_owned(), Value::Bool(excluded));
    on_tx!(tx, connection => sqlx::query(NOTE).bind(id).bind(Json(notes)).execute(connection).await.map(|_| ())).doing(what())
}

/// The resource's row, if the run is still the newest of the resource.
pub(super) async fn fence(tx: &mut Tx, run: &RunHandle) -> Result<Entry, StoreError> {
    hold(tx, run.user, run.connection, &run.resource).await?;
    let what = fenced(&run.resource);
    let sql = format!("{FENCE}{}", tx.dialect().for_update());
    let entry: Option<Entry> = on_tx!(tx, connection => {
        let query = sqlx::query_as(AssertSqlSafe(sql))
            .bind(Id(run.user.as_uuid()))
            .bind(run.resource.platform().as_str())
            .bind(clean(run.resource.as_str()));
        query.fetch_optional(connection).await
    })
    .doing(what.clone())?;
    entry.filter(|it| it.run_token == run.token.0).ok_or(StoreError::Conflict { what })
}

fn fenced(resource: &ResourceId) -> String {
    format!("the registry entry of {resource}")
}

/// Records a page after which others follow.
pub(super) async fn page(
    tx: &mut Tx,
    mut entry: Entry,
    seen: Seen,
    (part, place): (RunPart, Option<Place>),
    at: DateTime<Utc>,
) -> Result<(), DbError> {
    let id = entry.id;
    let mut places = std::mem::take(&mut entry.places.0);
    places.remove(&part);
    places.extend(place.map(|it| (part, it)));
    let (covered, pending) = entry.add(seen);
    on_tx!(tx, connection => {
        let query = sqlx::query(PAGE).bind(id).bind(Json(covered)).bind(Json(pending)).bind(Instant(at)).bind(Json(places));
        query.execute(connection).await.map(|_| ())
    })
    .doing("the progress of a run")
}

/// Records the last page of a run.
pub(super) async fn finish(
    tx: &mut Tx,
    mut entry: Entry,
    seen: Seen,
    finished: Finished,
    (mode, at): (RunMode, DateTime<Utc>),
) -> Result<(), DbError> {
    let mut places = std::mem::take(&mut entry.places.0);
    places.retain(|part, _| mode == RunMode::Incremental && *part != finished.part);
    let (covered, pending) = entry.add(seen);
    let latest = entry.source_latest_at.map(|it| it.0).max(finished.source_latest_at.and_then(plausible));
    on_tx!(tx, connection => {
        let query = sqlx::query(FINISH)
            .bind(entry.id)
            .bind(Json(covered))
            .bind(Json(&pending.gaps))
            .bind(Json(Pending::default()))
            .bind(Json(with_quarantined(entry.sync_metadata.0, &pending)))
            .bind(Instant(at))
            .bind(finished.cursor.map(|it| clean(it.as_str()).into_owned()))
            .bind(i64::try_from(finished.item_count).unwrap_or(i64::MAX))
            .bind(Instant::maybe(latest))
            .bind(finished.error.map(|it| cleaned(cut(it, MAX_ERROR_CHARS))))
            .bind(Instant::maybe(finished.audited))
            .bind(Json(places));
        query.execute(connection).await.map(|_| ())
    })
    .doing("the end of a run")
}

/// Records that the source failed: what was seen before stays, `last_synced_at`, cursor and gaps are those of the last whole run.
pub(super) async fn fail(tx: &mut Tx, mut entry: Entry, seen: Seen, error: String, at: DateTime<Utc>) -> Result<(), DbError> {
    let (covered, _) = entry.add(seen);
    on_tx!(tx, connection => {
        let query = sqlx::query(FAIL)
            .bind(entry.id)
            .bind(Json(covered))
            .bind(Json(Pending::default()))
            .bind(cleaned(cut(error, MAX_ERROR_CHARS)))
            .bind(Instant(at));
        query.execute(connection).await.map(|_| ())
    })
    .doing("the failure of a run")
}

/// The registry's own notes, with what this run could not read.
fn with_quarantined(mut metadata: Map<String, Value>, pending: &Pending) -> Map<String, Value> {
    metadata.insert("quarantined".to_owned(), json!(pending.quarantined));
    metadata.insert("quarantined_count".to_owned(), json!(pending.quarantined_count));
    metadata
}

impl Entry {
    /// Adds what a page tells to what is known: coverage only grows, and the run's gaps and failures pile up.
    fn add(&mut self, seen: Seen) -> (Vec<Interval>, Pending) {
        let new = seen.covered.into_iter().filter(|it| plausible(it.from).is_some() && plausible(it.to).is_some());
        let covered = Interval::merge(std::mem::take(&mut self.covered.0).into_iter().chain(new).collect());
        let mut pending = std::mem::take(&mut self.pending.0);
        pending.gaps.extend(seen.gaps.into_iter().map(storable));
        pending.gaps.sort_unstable();
        pending.gaps.dedup();
        pending.quarantined_count = pending.quarantined_count.saturating_add(seen.quarantined.len() as u64);
        let room = MAX_QUARANTINED.saturating_sub(pending.quarantined.len());
        pending.quarantined.extend(seen.quarantined.into_iter().take(room).map(named));
        (covered, pending)
    }
}

impl Seen {
    /// Adds what a later page tells.
    pub(super) fn extend(&mut self, later: Self) {
        self.covered.extend(later.covered);
        self.gaps.extend(later.gaps);
        self.quarantined.extend(later.quarantined);
    }
}

fn storable(gap: Gap) -> Gap {
    Gap { from: gap.from.and_then(plausible), to: gap.to.and_then(plausible), reason: cleaned(gap.reason), ..gap }
}

fn named(record: Quarantined) -> Quarantined {
    Quarantined { item: cleaned(record.item), reason: cleaned(record.reason) }
}
