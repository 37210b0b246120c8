//! Permits to call providers. Start at [`port`].

mod port;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;
