//! Addresses and pages that mean no good, and ordinary ones; the search against a wire in memory.

mod addresses;
mod pages;
mod search;
mod texts;
