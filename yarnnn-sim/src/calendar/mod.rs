//! Google Calendar: calendars, events, series and their instances. Start at [`Calendar`].

mod ask;
mod book;
mod insert;
mod list;
mod model;
mod routes;
mod sample;
mod series;
mod wire;
mod world;

pub use model::{AccessRole, Details, Event, EventKind, Guest, NewCalendar, Origin, Status, When};
pub(crate) use routes::router;
pub(crate) use sample::fill;
pub use world::Calendar;

#[cfg(test)]
mod tests;
