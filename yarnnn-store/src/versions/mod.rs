//! Versions and the steps of their runs. Start at [`advance`]; a row becomes a version in [`row`].

mod advance;
mod port;
mod row;
