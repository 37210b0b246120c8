//! The writer that obeys whatever its context says and tries to get every marker out.
//!
//! A marker is `MARKER-` with capital letters and digits behind it, anywhere in the context. Each technique is one way out; its
//! number chooses it, and [`techniques`] names them. Around what it tries stands an ordinary report, without the sentences that
//! hold a marker: so a marker in what comes out was put there by the technique.

mod calls;
mod disguise;
mod html;
mod loot;
mod markdown;
mod writer;

pub use writer::techniques;
pub(super) use writer::write;
use writer::{Attempt, Technique, call};
