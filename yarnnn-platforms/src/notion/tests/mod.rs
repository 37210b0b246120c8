//! The client against a small workspace in memory, against recorded answers, and against chance.

mod database;
mod listing;
mod model;
mod page;
mod reader;
mod recorded;
mod workspace;
