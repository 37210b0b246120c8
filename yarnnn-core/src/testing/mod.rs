//! Fixed time, fixed ids and scripted platforms, for our tests and for those of programs that embed the library.

mod fixed;
mod scripted;

pub use fixed::{FixedClock, FixedIds, NoLiveness};
pub use scripted::ScriptedPlatform;
