//! What a run cannot do without, done plainly: the same rows read once, the same bytes written in as many commits, the same files.

use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::ensure;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, PgConnection, Row as _, SqliteConnection};
use yarnnn::delivery::OutboxFile;
use yarnnn::id::UserId;

const TABLE: &str = "create table if not exists bench_bound (payload text not null)";
const INSERT: &str = "insert into bench_bound (payload) values ($1)";
const READ: &str = "select id, platform, resource_id, resource_name, item_id, content_type, content, content_hash, title, author, \
    author_id, is_user_authored, source_timestamp, metadata, fetched_at, retained, expires_at, is_current, version_of, withdrawn_at \
    from platform_content where user_id = $1 limit $2";

/// More than all rounds write.
const LOG_BYTES: usize = 32 << 20;

/// Connections of the driver, with the settings of the store's own.
pub(crate) enum Plain {
    /// The store's own file, and another one for what is written: no writer then copies back what another left in its log.
    Sqlite {
        store: SqliteConnection,
        own: SqliteConnection,
    },
    Postgres(PgConnection),
}

impl Plain {
    pub(crate) async fn sqlite(folder: &Path) -> anyhow::Result<Self> {
        let options = SqliteConnectOptions::new().create_if_missing(true).journal_mode(SqliteJournalMode::Wal);
        let options = options.synchronous(SqliteSynchronous::Full).pragma("wal_autocheckpoint", "0");
        let store = options.clone().filename(folder.join("yarnnn.db")).connect().await?;
        let mut own = options.filename(folder.join("bound.db")).connect().await?;
        own.execute(TABLE).await?;
        // A log that need not grow is written faster, and the store's has its length by then.
        sqlx::query(INSERT).bind("x".repeat(LOG_BYTES)).execute(&mut own).await?;
        own.execute("pragma wal_checkpoint(restart)").await?;
        Ok(Self::Sqlite { store, own })
    }

    pub(crate) async fn postgres(url: &str) -> anyhow::Result<Self> {
        let mut connection = PgConnection::connect(url).await?;
        connection.execute(TABLE).await?;
        Ok(Self::Postgres(connection))
    }

    /// Reads so many rows of a person.
    pub(crate) async fn read(&mut self, user: UserId, rows: usize) -> anyhow::Result<Duration> {
        let limit = i64::try_from(rows)?;
        let begun = Instant::now();
        let (found, bytes) = match self {
            Self::Sqlite { store, .. } => {
                let rows = sqlx::query(READ).bind(user.to_string()).bind(limit).fetch_all(store).await?;
                (rows.len(), rows.iter().map(|it| it.get::<&str, _>("content").len()).sum::<usize>())
            }
            Self::Postgres(it) => {
                let rows = sqlx::query(READ).bind(user.as_uuid()).bind(limit).fetch_all(it).await?;
                (rows.len(), rows.iter().map(|it| it.get::<&str, _>("content").len()).sum::<usize>())
            }
        };
        let took = begun.elapsed();
        ensure!(found == rows && bytes > 0, "{found} of {rows} rows");
        Ok(took)
    }

    /// A commit that writes these bytes.
    pub(crate) async fn commit(&mut self, payload: &str) -> anyhow::Result<Duration> {
        let begun = Instant::now();
        match self {
            Self::Sqlite { own, .. } => sqlx::query(INSERT).bind(payload).execute(own).await.map(|_| ())?,
            Self::Postgres(it) => sqlx::query(INSERT).bind(payload).execute(it).await.map(|_| ())?,
        }
        Ok(begun.elapsed())
    }
}

/// The files in a new folder, flushed.
pub(crate) fn write<'a>(files: impl Iterator<Item = &'a OutboxFile>, folder: &Path) -> anyhow::Result<Duration> {
    let begun = Instant::now();
    for file in files {
        let mut opened = std::fs::File::create_new(folder.join(&file.name))?;
        opened.write_all(file.content.as_bytes())?;
        opened.sync_all()?;
    }
    std::fs::File::open(folder)?.sync_all()?;
    Ok(begun.elapsed())
}
