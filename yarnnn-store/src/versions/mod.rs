//! Versions and the steps of their runs. Start at [`advance`]; a row becomes a version in [`row`]. What they were written from is in
//! [`material`].

mod advance;
mod feedback;
pub(crate) mod material;
mod port;
mod row;

pub(crate) use port::refusal;
pub(crate) use row::state;
