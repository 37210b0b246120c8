//! What a reader of reports may rely on, through the library and against simulated providers: nothing is said twice, no cap is
//! exceeded, a report can be written again from what is kept of it, quotes stand, whatever a model does has a name, and what
//! searches the web never sees what was synced.
#![allow(clippy::unwrap_used, reason = "what is not there fails the test")]

mod audience;
mod learning;
mod lifecycle;
mod money;
mod office;
#[path = "../support/place.rs"]
mod place;
mod quotes;
mod replay;
mod research;
mod said;
mod states;
