//! Google Calendar: calendars, events, series and their instances. Start at [`Calendar`].
//!
//! Where Google documents nothing, the choice is the one that a careless client trips over: an event that leaves the window of
//! a sync token is told with its new times, not as deleted; deleted events are told also if they never were in the window; and
//! a called-off instance has no begin.

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
