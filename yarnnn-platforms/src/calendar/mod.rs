//! Google Calendar: calendars and their events, recurring ones by their instances.
//!
//! Start at [`CalendarClient`]. A first fetch lists a window of time; what follows comes by sync token, which also tells what was
//! cancelled; once a day the window moves on. Nothing here creates events or answers invitations.

mod calls;
mod client;
mod cursor;
mod limits;
mod map;
mod state;
mod steps;
#[cfg(test)]
mod tests;
mod wire;

pub use client::CalendarClient;
pub use limits::PUBLISHED;
