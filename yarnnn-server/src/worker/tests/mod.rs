//! Tests of the worker, on a queue in memory and with time that stands still.

mod board;
mod claims;
mod ends;
mod kinds;
mod outages;
mod refusals;
mod single;
mod stops;
mod watch;
