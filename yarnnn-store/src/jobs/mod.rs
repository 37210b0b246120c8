//! The job system's ports. Start at [`port`] (what producers and workers call) and [`admin`]; what each driver does in its own
//! way is in [`postgres`] (functions of the database) and [`sqlite`] (statements here), under the same names.

mod admin;
mod keeper;
mod port;
#[cfg(feature = "postgres")]
mod postgres;
mod prepare;
mod presence;
mod row;
#[cfg(feature = "sqlite")]
mod sqlite;
mod state;
mod wake;

pub(crate) use state::JobState;
