//! Brings a database to the schema of this version. Migrations are never changed once released, only added.

use sqlx::migrate::{MigrateError, Migrator};
use yarnnn_core::StoreError;

use crate::SqlStore;
use crate::db::{Db, on_pool};
use crate::error::{Doing as _, unreadable};

#[cfg(feature = "postgres")]
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");
#[cfg(feature = "sqlite")]
static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");

const APPLIED: &str = "select max(version) from _sqlx_migrations where success = true";

impl SqlStore {
    /// Applies the migrations that are missing. Several processes may try at once: one does it, the others wait.
    ///
    /// # Errors
    /// `Corrupt` when the database is from a newer version of the program or a migration failed, `Unavailable` when it is
    /// busy for long.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        self.run_migrations().await.map_err(|error| self.refused(error))
    }

    /// The number of the newest migration that was applied; 0 for an empty database.
    ///
    /// # Errors
    /// `Unavailable` or `Corrupt`.
    pub async fn schema_version(&self) -> Result<i64, StoreError> {
        let version: Result<Option<i64>, sqlx::Error> =
            on_pool!(&self.db, pool => sqlx::query_scalar(APPLIED).fetch_one(pool).await);
        match version {
            Err(sqlx::Error::Database(error)) if is_missing_table(error.as_ref()) => Ok(0),
            other => Ok(other.doing("the schema version")?.unwrap_or(0)),
        }
    }

    /// The number of the newest migration that this version knows.
    pub fn latest_schema_version(&self) -> i64 {
        migrator(&self.db).iter().map(|it| it.version).max().unwrap_or(0)
    }

    async fn run_migrations(&self) -> Result<(), MigrateError> {
        match &self.db {
            // Under an advisory lock of the migrator, which keeps it when a migration fails: the lock goes with the connection.
            #[cfg(feature = "postgres")]
            Db::Postgres(pool) => {
                let mut connection = pool.acquire().await?;
                connection.close_on_drop();
                POSTGRES.run(&mut *connection).await
            }
            // In one transaction that nobody else can begin meanwhile.
            #[cfg(feature = "sqlite")]
            Db::Sqlite(db) => {
                let mut tx = db.pool.begin_with("begin immediate").await?;
                SQLITE.run(&mut *tx).await?;
                Ok(tx.commit().await?)
            }
        }
    }

    fn refused(&self, error: MigrateError) -> StoreError {
        let newest = self.latest_schema_version();
        match error {
            MigrateError::VersionMissing(version) if version > newest => unreadable(
                "a database of a newer version",
                format!("it has migration {version}, and this program knows migrations up to {newest}; use the newer program"),
            ),
            MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _) => {
                Err::<(), _>(source).doing("the schema").map_or_else(StoreError::from, |()| unreadable("the schema", "no error"))
            }
            other => unreadable("the schema", other),
        }
    }
}

fn migrator(db: &Db) -> &'static Migrator {
    match db {
        #[cfg(feature = "postgres")]
        Db::Postgres(_) => &POSTGRES,
        #[cfg(feature = "sqlite")]
        Db::Sqlite(_) => &SQLITE,
    }
}

/// Whether a statement failed because a table is not there: nothing was ever migrated.
fn is_missing_table(error: &dyn sqlx::error::DatabaseError) -> bool {
    error.code().as_deref() == Some("42P01") || error.message().starts_with("no such table")
}
