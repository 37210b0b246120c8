//! The store's own error, and the one place where a driver's error becomes a decision.
//!
//! No driver type leaves this crate: callers see [`StoreError`].

use std::borrow::Cow;

use yarnnn_core::StoreError;
use yarnnn_core::error::Cause;

/// A driver's error, with what was being done.
#[derive(Debug)]
pub(crate) struct DbError {
    what: Cow<'static, str>,
    source: sqlx::Error,
}

/// Says what was being done when the driver failed.
pub(crate) trait Doing<T> {
    /// Names the thing: it stands before "was changed by another writer" and "does not exist".
    fn doing(self, what: impl Into<Cow<'static, str>>) -> Result<T, DbError>;
}

impl<T> Doing<T> for Result<T, sqlx::Error> {
    fn doing(self, what: impl Into<Cow<'static, str>>) -> Result<T, DbError> {
        self.map_err(|source| DbError { what: what.into(), source })
    }
}

impl From<DbError> for StoreError {
    fn from(DbError { what, source }: DbError) -> Self {
        let what = what.into_owned();
        match Class::of(&source) {
            Class::Missing => Self::NotFound { what },
            Class::Owner => Self::NotFound { what: format!("what {what} belongs to") },
            Class::Taken => Self::Conflict { what },
            Class::Busy => Self::Unavailable { source: format!("{what}: {source}").into() },
            Class::Refused => Self::Corrupt { what, source: source.into() },
        }
    }
}

/// A row that this version cannot read.
pub(crate) fn unreadable(what: impl Into<String>, source: impl Into<Cause>) -> StoreError {
    StoreError::Corrupt { what: what.into(), source: source.into() }
}

/// What a caller can do about a driver's error.
#[derive(Debug, PartialEq, Eq)]
enum Class {
    /// Nothing is there.
    Missing,
    /// The row that it would hang on is not there.
    Owner,
    /// A unique key is taken.
    Taken,
    /// Trying again later may help.
    Busy,
    /// It will not.
    Refused,
}

impl Class {
    fn of(error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::RowNotFound => Self::Missing,
            sqlx::Error::Database(inner) if inner.is_unique_violation() => Self::Taken,
            sqlx::Error::Database(inner) if inner.is_foreign_key_violation() => Self::Owner,
            sqlx::Error::Database(inner) if inner.code().is_some_and(|it| passes(&it)) => Self::Busy,
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::BeginFailed => Self::Busy,
            _ => Self::Refused,
        }
    }
}

/// Whether a driver's code names a condition that passes by itself or by an operator's hand.
///
/// `SQLite` codes are numbers whose low byte is the class (busy, locked, out of memory, read only, I/O, full, cannot open);
/// Postgres codes have five characters (connection, rollback, resources, intervention, lock or statement time-outs).
fn passes(code: &str) -> bool {
    if code.len() == 5 {
        return ["08", "40", "53", "57"].iter().any(|class| code.starts_with(class)) || matches!(code, "55P03" | "25P03");
    }
    code.parse::<i64>().is_ok_and(|it| matches!(it & 0xff, 5 | 6 | 7 | 8 | 10 | 13 | 14))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_by_itself_is_unavailable_and_the_rest_is_not() {
        for code in ["5", "261", "6", "13", "14", "40P01", "40001", "57014", "53300", "08006", "55P03"] {
            assert!(passes(code), "{code}");
        }
        for code in ["1", "11", "26", "19", "42601", "22021", "", "x"] {
            assert!(!passes(code), "{code}");
        }
        let error: StoreError = DbError { what: "a user".into(), source: sqlx::Error::PoolTimedOut }.into();
        assert!(error.is_transient());
        let error: StoreError = DbError { what: "a user".into(), source: sqlx::Error::RowNotFound }.into();
        assert_eq!(error.to_string(), "a user does not exist");
    }
}
