//! The few places where the two dialects part. Everything else is one text.

/// Whose SQL is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Postgres.
    #[cfg(feature = "postgres")]
    Postgres,
    /// `SQLite`.
    #[cfg(feature = "sqlite")]
    Sqlite,
}

/// Picks a text by dialect.
macro_rules! fork {
    ($dialect:expr, postgres: $postgres:expr, sqlite: $sqlite:expr $(,)?) => {
        match $dialect {
            #[cfg(feature = "postgres")]
            $crate::dialect::Dialect::Postgres => $postgres,
            #[cfg(feature = "sqlite")]
            $crate::dialect::Dialect::Sqlite => $sqlite,
        }
    };
}

pub(crate) use fork;

impl Dialect {
    /// Around a bound list ([`Texts`](crate::columns::Texts) or [`Uuids`](crate::columns::Uuids)) of any length in one bind,
    /// after a column: it equals one of them.
    pub(crate) fn in_list(self) -> (&'static str, &'static str) {
        fork!(self, postgres: (" = any(", ")"), sqlite: (" in (select value from json_each(", "))"))
    }

    /// Around a bound JSON list of pairs: platform and resource stand in it.
    pub(crate) fn in_pairs(self) -> (&'static str, &'static str) {
        fork!(self,
            postgres: ("(platform, resource_id) in (select it ->> 0, it ->> 1 from jsonb_array_elements(", ") as it)"),
            sqlite: (
                "(platform, resource_id) in (select json_extract(value, '$[0]'), json_extract(value, '$[1]') from json_each(",
                "))",
            ),
        )
    }

    /// The function that answers the objects of a bound JSON list, each as `value` (of `it`), and the id in such an object.
    pub(crate) fn each_with_id(self) -> (&'static str, &'static str) {
        fork!(self,
            postgres: ("jsonb_array_elements", "cast(it.value ->> 'id' as uuid)"),
            sqlite: ("json_each", "json_extract(it.value, '$.id')"),
        )
    }

    /// The function that answers where one text begins in another, 0 for nowhere.
    pub(crate) fn position(self) -> &'static str {
        fork!(self, postgres: "strpos", sqlite: "instr")
    }

    /// The store's own time, read where statements that are one text bind it.
    pub(crate) fn own_time(self) -> Option<&'static str> {
        fork!(self, postgres: Some("select clock_timestamp()"), sqlite: None)
    }

    /// Waits until nobody else holds a name (the bind), and holds it until the end of the transaction. `SQLite` has one writer
    /// anyway.
    pub(crate) fn lock_by_name(self) -> Option<&'static str> {
        fork!(self, postgres: Some("select pg_advisory_xact_lock(hashtextextended($1, 0))"), sqlite: None)
    }

    /// Waits until nobody else holds the row of a user (the bind) in this way, and holds it until the end of the transaction. What
    /// is stored with a reference to the user need not wait. `SQLite` has one writer anyway.
    pub(crate) fn lock_user(self) -> Option<&'static str> {
        fork!(self, postgres: Some("select id from users where id = $1 for no key update"), sqlite: None)
    }

    /// After a select of rows that must stay as they are until the end of the transaction.
    pub(crate) fn for_share(self) -> &'static str {
        fork!(self, postgres: " for share", sqlite: "")
    }

    /// After a select of rows that will be written: nobody else may write them until the end of the transaction. `SQLite`
    /// has one writer anyway.
    pub(crate) fn for_update(self) -> &'static str {
        fork!(self, postgres: " for update", sqlite: "")
    }

    /// The same, of those that nobody is writing to now.
    pub(crate) fn for_update_of_free(self) -> &'static str {
        fork!(self, postgres: " for update skip locked", sqlite: "")
    }
}
