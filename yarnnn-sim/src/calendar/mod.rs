//! Google Calendar: calendars, events, series and their instances. Start at [`Calendar`].

mod routes;
mod world;

pub(crate) use routes::router;
pub use world::Calendar;
