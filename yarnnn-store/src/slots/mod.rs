//! Slots of schedules. Start at [`port`]; [`fire`] is the one transaction in which they become rows.

mod fire;
mod port;
mod rows;

pub(crate) use port::{Says, end, first_instant};
pub(crate) use rows::why;
