//! What Gmail and Calendar share: Google's way of saying no, answers that are read element by element, lists that
//! have an end, and whose turn it is to be looked at again.
//!
//! Start at [`GoogleDialect`]. It knows no call of either.

mod errors;
mod sample;
#[cfg(test)]
pub(crate) mod testing;
mod trail;
mod wire;

pub(crate) use errors::{GoogleDialect, NOT_FOUND, message};
pub(crate) use sample::rotating;
pub(crate) use trail::Trail;
pub(crate) use wire::{Elements, digits, elements, or_default, protocol, quarantined};
