//! What a reader of reports may rely on, through the library and against simulated providers.
#![allow(clippy::unwrap_used, reason = "what is not there fails the test")]

mod research;
