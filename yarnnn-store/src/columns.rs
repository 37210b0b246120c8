//! How ids, instants and lists stand in a column, on both drivers: the reason why one row type serves both.
//!
//! On `SQLite` an id is hyphenated text and an instant RFC 3339 in UTC with six digits, so that people can read the file and
//! text order is time order. Postgres has types of its own for both.

use chrono::{DateTime, SubsecRound as _, Utc};
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::{Database, Decode, Encode, Type};
use uuid::Uuid;

/// An id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Id(pub(crate) Uuid);

/// An instant, in whole microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Instant(pub(crate) DateTime<Utc>);

/// A list of texts in one bind.
#[derive(Debug, Clone)]
pub(crate) struct Texts(pub(crate) Vec<String>);

/// A list of ids in one bind.
#[derive(Debug, Clone)]
pub(crate) struct Uuids(pub(crate) Vec<Uuid>);

impl Instant {
    /// An optional instant, for an optional column.
    pub(crate) fn maybe(instant: Option<DateTime<Utc>>) -> Option<Self> {
        instant.map(Self)
    }

    fn whole(self) -> DateTime<Utc> {
        self.0.trunc_subsecs(6)
    }
}

/// Stores `$name` as `$stored`, by the two given conversions; `read` is left out for what is only bound.
macro_rules! column {
    ($driver:literal, $database:ty, $name:ident as $stored:ty, write: $write:expr $(, read: $read:expr)?) => {
        #[cfg(feature = $driver)]
        impl Type<$database> for $name {
            fn type_info() -> <$database as Database>::TypeInfo {
                <$stored as Type<$database>>::type_info()
            }

            fn compatible(ty: &<$database as Database>::TypeInfo) -> bool {
                <$stored as Type<$database>>::compatible(ty)
            }
        }

        #[cfg(feature = $driver)]
        impl Encode<'_, $database> for $name {
            fn encode_by_ref(&self, buffer: &mut <$database as Database>::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
                let write: fn(&$name) -> Result<$stored, BoxDynError> = $write;
                <$stored as Encode<'_, $database>>::encode(write(self)?, buffer)
            }
        }

        $(
            #[cfg(feature = $driver)]
            impl<'r> Decode<'r, $database> for $name {
                fn decode(value: <$database as Database>::ValueRef<'r>) -> Result<Self, BoxDynError> {
                    let read: fn($stored) -> Result<$name, BoxDynError> = $read;
                    read(<$stored as Decode<'r, $database>>::decode(value)?)
                }
            }
        )?
    };
}

column!("postgres", sqlx::Postgres, Id as Uuid, write: |it| Ok(it.0), read: |it| Ok(Id(it)));
column!("sqlite", sqlx::Sqlite, Id as String, write: |it| Ok(it.0.hyphenated().to_string()), read: |it| Ok(Id(it.parse()?)));
column!("postgres", sqlx::Postgres, Instant as DateTime<Utc>, write: |it| Ok(it.whole()), read: |it| Ok(Instant(it)));
column!("sqlite", sqlx::Sqlite, Instant as String,
    write: |it| Ok(yarnnn_core::clock::instant_text(it.whole())),
    read: |it| Ok(Instant(DateTime::parse_from_rfc3339(&it)?.to_utc())));
column!("postgres", sqlx::Postgres, Texts as Vec<String>, write: |it| Ok(it.0.clone()));
column!("sqlite", sqlx::Sqlite, Texts as String, write: |it| Ok(serde_json::to_string(&it.0)?));
column!("postgres", sqlx::Postgres, Uuids as Vec<Uuid>, write: |it| Ok(it.0.clone()));
column!("sqlite", sqlx::Sqlite, Uuids as String, write: |it| Ok(serde_json::to_string(&it.0)?));
