//! Calendars from iCalendar files (`.ics`).
//!
//! Start at [`IcsExport`]. Recurring events are expanded inside a window; single events are kept whatever their date. Tasks,
//! journals, alarms and free-busy times are no events and are not read. Nothing here writes calendars or answers invitations.

pub(crate) mod event;
mod export;
mod frame;
mod plan;
mod recur;
pub(crate) mod render;
pub(crate) mod zone;

pub use export::IcsExport;
pub use frame::looks_like_ics;
