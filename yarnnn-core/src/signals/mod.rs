//! F2: looks through a user's content for what deserves a report that nobody asked for.
//!
//! Start at [`Signals::run`]. A pass is a row: what it shows is chosen without a model (`extract`), one question is asked (`reason`),
//! and of the answer only what the program can vouch for is carried out (`parse`, `filter`, `execute`), in one transaction. What a
//! model says here was made from text of others: it is data ever after, and every id in it is one that the program gave.

mod execute;
mod extract;
mod filter;
mod job;
mod model;
mod outcome;
mod parse;
mod phase;
mod plan;
mod prompt;
mod reason;
mod refs;
mod run;
mod store;
#[cfg(test)]
mod tests;
mod trigger;

pub use job::{SignalProcessing, hourly_key};
pub use model::{
    CandidateQuery, OpenPass, Pass, PassTrigger, PreferenceChange, Shown, SignalKind, SignalPreferences, SignalRecord,
    SignalsFilter, TakeTurn, Turn, UnknownFilter,
};
pub use outcome::{Act, ActionKind, ActionTaken, DropReason, Dropped, PassCommit, PassOutcome, PassStatus, Verdict, Wanted};
pub use plan::SignalPlan;
pub use run::{PassRequest, Signals, SignalsParts};
#[cfg(feature = "testing")]
pub use store::MockSignalStore;
pub use store::SignalStore;
pub use trigger::TriggerAnswer;
