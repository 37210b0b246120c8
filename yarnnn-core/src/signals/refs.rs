//! Refs: how one question names what it shows, and how its answer must.

use super::model::Pass;
use crate::hash::Sha256;

/// Hexadecimal digits that every ref of a question ends in.
const DIGITS: usize = 6;

/// The refs of one question: `s1-…` for its items and `d1-…` for its reports, all with the same ending. That is made from the id of
/// the pass, so every try of it asks with the same; and whoever wrote what the question shows cannot have known it, so no text can
/// name a report or an item.
#[derive(Debug, Clone)]
pub(super) struct Refs(String);

impl Refs {
    /// Those of a pass. All of its id goes into a digest: a piece of it might be nothing but the time.
    pub(super) fn of(pass: &Pass) -> Self {
        let digest = Sha256::of(format!("refs of {}", pass.id)).to_string();
        Self(digest.get(..DIGITS).unwrap_or_default().to_owned())
    }

    /// The item at this place, counted from 0.
    pub(super) fn item(&self, place: usize) -> String {
        format!("s{}-{}", place + 1, self.0)
    }

    /// The report at this place, counted from 0.
    pub(super) fn report(&self, place: usize) -> String {
        format!("d{}-{}", place + 1, self.0)
    }
}
