//! What `doctor` shows of a database: whether it is sound, and how much is in it.

use std::collections::BTreeMap;

use sqlx::FromRow;
use yarnnn_core::StoreError;
use yarnnn_core::delivery::MessageState;
use yarnnn_core::id::UserId;
use yarnnn_core::platform::Platform;

use crate::SqlStore;
use crate::columns::Id;
use crate::db::{Db, on_pool};
use crate::error::{Doing as _, unreadable};

const CONTENT: &str = "select platform, count(*) as total, \
    sum(case when is_current = true then 1 else 0 end) as current, \
    sum(case when withdrawn_at is not null then 1 else 0 end) as withdrawn, \
    sum(case when retained = true then 1 else 0 end) as retained \
    from platform_content where user_id = $1 group by platform";
const VERSIONS: &str = "select count(*) from deliverable_versions where user_id = $1";
const OUTBOX: &str = "select state, count(*) from outbox where user_id = $1 and purpose = 'report' group by state";

/// How much of a platform is stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PlatformStats {
    /// Revisions in all.
    pub rows: u64,
    /// Those that are the newest of their item.
    pub current: u64,
    /// Those that were deleted at their source.
    pub withdrawn: u64,
    /// Those that are kept beyond their time to live.
    pub retained: u64,
}

/// How much of a user is stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// By platform; those without a row are left out.
    pub platforms: BTreeMap<Platform, PlatformStats>,
    /// Written reports.
    pub versions: u64,
    /// Messages that carry reports, by the stored name of their state; states without a message are left out.
    pub outbox: BTreeMap<&'static str, u64>,
}

#[derive(FromRow)]
struct ContentCounts {
    platform: String,
    total: i64,
    current: i64,
    withdrawn: i64,
    retained: i64,
}

impl SqlStore {
    /// How much of a user is stored.
    ///
    /// # Errors
    /// `Unavailable` or `Corrupt`.
    pub async fn stats(&self, user: UserId) -> Result<Stats, StoreError> {
        let user = Id(user.as_uuid());
        let content: Vec<ContentCounts> =
            on_pool!(&self.db, pool => sqlx::query_as(CONTENT).bind(user).fetch_all(pool).await).doing("the stored items")?;
        let versions: i64 =
            on_pool!(&self.db, pool => sqlx::query_scalar(VERSIONS).bind(user).fetch_one(pool).await).doing("the versions")?;
        let outbox: Vec<(String, i64)> =
            on_pool!(&self.db, pool => sqlx::query_as(OUTBOX).bind(user).fetch_all(pool).await).doing("the outbox")?;
        Ok(Stats {
            platforms: content.iter().map(platform).collect::<Result<_, _>>()?,
            versions: count(versions),
            outbox: outbox.into_iter().map(state).collect::<Result<_, _>>()?,
        })
    }

    /// Has the database check itself.
    ///
    /// # Errors
    /// `Corrupt` with what it found, `Unavailable` when it does not answer.
    pub async fn integrity(&self) -> Result<(), StoreError> {
        match &self.db {
            #[cfg(feature = "postgres")]
            Db::Postgres(pool) => Ok(sqlx::query("select 1").execute(pool).await.map(|_| ()).doing("the database")?),
            #[cfg(feature = "sqlite")]
            Db::Sqlite(db) => {
                let found: Vec<String> =
                    sqlx::query_scalar("pragma quick_check").fetch_all(&db.pool).await.doing("the database file")?;
                if found == ["ok"] { Ok(()) } else { Err(unreadable("the database file", found.join("; "))) }
            }
        }
    }
}

fn platform(row: &ContentCounts) -> Result<(Platform, PlatformStats), StoreError> {
    let platform: Platform = row.platform.parse().map_err(|_| unreadable("the stored items", "unknown platform"))?;
    let [rows, current, withdrawn, retained] = [row.total, row.current, row.withdrawn, row.retained].map(count);
    Ok((platform, PlatformStats { rows, current, withdrawn, retained }))
}

fn state((state, messages): (String, i64)) -> Result<(&'static str, u64), StoreError> {
    let state = MessageState::parse(&state).ok_or_else(|| unreadable("the outbox", "unknown state"))?;
    Ok((state.as_str(), count(messages)))
}

/// A count as the database answers it is never negative.
fn count(answer: i64) -> u64 {
    u64::try_from(answer).unwrap_or_default()
}
