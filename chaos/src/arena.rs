//! A fresh database for one scenario: a file, or one on a Postgres with a role of its own for each worker.

use std::path::PathBuf;

use anyhow::{Context, Result};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use tempfile::TempDir;
use yarnnn::id::{IdGen as _, RandomIds};

/// Which database.
#[derive(Debug, Clone)]
pub(crate) enum Backend {
    /// A file.
    Sqlite,
    /// A database beside the one of this URL.
    Postgres(String),
}

impl Backend {
    /// How it is called in reports.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres(_) => "postgres",
        }
    }
}

/// A fresh database and a folder.
#[derive(Debug)]
pub(crate) struct Arena {
    pub(crate) backend: Backend,
    name: String,
    folder: TempDir,
    roles: u32,
}

impl Arena {
    /// Makes it, with roles for so many workers.
    pub(crate) async fn make(backend: Backend, roles: u32) -> Result<Self> {
        let name = format!("yarnnn_chaos_{}", RandomIds.uuid().simple());
        let arena = Self { backend, name, folder: tempfile::Builder::new().prefix("yarnnn-chaos-").tempdir()?, roles };
        arena.administer(&format!("create database {}", arena.name)).await?;
        for number in 0..roles {
            arena.administer(&format!("create role {} superuser login", arena.role(number))).await?;
        }
        Ok(arena)
    }

    /// The role of a worker's place, by which the server tells its connections from others'.
    pub(crate) fn role(&self, number: u32) -> String {
        format!("{}_{number}", self.name)
    }

    /// The database, as the harness sees it.
    pub(crate) fn url(&self) -> String {
        match &self.backend {
            Backend::Sqlite => format!("sqlite://{}", self.folder.path().join("yarnnn.db").display()),
            Backend::Postgres(admin) => address(admin, None, &self.name),
        }
    }

    /// The database, as the worker of this place sees it.
    pub(crate) fn url_of(&self, number: u32) -> String {
        match &self.backend {
            Backend::Sqlite => self.url(),
            Backend::Postgres(admin) => address(admin, Some(&self.role(number)), &self.name),
        }
    }

    /// Where the workers' words go.
    pub(crate) fn log(&self) -> PathBuf {
        self.folder.path().join("workers.log")
    }

    /// Removes everything; keeps the log on request.
    pub(crate) async fn close(self, keep_log: bool) -> Result<()> {
        self.administer(&format!("drop database if exists {} with (force)", self.name)).await?;
        for number in 0..self.roles {
            self.administer(&format!("drop role if exists {}", self.role(number))).await?;
        }
        if keep_log {
            let kept = self.folder.keep();
            println!("      the workers' words are in {}", kept.join("workers.log").display());
        }
        Ok(())
    }

    async fn administer(&self, statement: &str) -> Result<()> {
        let Backend::Postgres(admin) = &self.backend else { return Ok(()) };
        let mut connection = PgConnection::connect(admin).await.context("cannot reach the Postgres to be broken")?;
        connection.execute(AssertSqlSafe(statement.to_owned())).await?;
        Ok(connection.close().await?)
    }
}

/// The same server with another database and perhaps another user.
fn address(admin: &str, user: Option<&str>, database: &str) -> String {
    let (place, options) = admin.split_once('?').map_or((admin, String::new()), |(left, right)| (left, format!("?{right}")));
    let (scheme, rest) = place.split_once("://").unwrap_or(("postgres", place));
    let host = rest.split('/').next().unwrap_or_default();
    let host = match (user, host.rsplit_once('@')) {
        (Some(user), Some((_, host))) => format!("{user}@{host}"),
        (Some(user), None) => format!("{user}@{host}"),
        (None, _) => host.to_owned(),
    };
    format!("{scheme}://{host}/{database}{options}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_have_names_of_their_own() {
        let admin = "postgres://postgres@localhost:5432/postgres?host=/tmp/x&sslmode=disable";
        assert_eq!(address(admin, Some("w1"), "d"), "postgres://w1@localhost:5432/d?host=/tmp/x&sslmode=disable");
        assert_eq!(address("postgres://db/postgres", None, "d"), "postgres://db/d");
    }
}
