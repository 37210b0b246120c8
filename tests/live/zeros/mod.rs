//! Nothing is a silent zero: what goes wrong is said by name, and what is truly empty is quiet.

mod loud;
mod office;
mod quiet;
