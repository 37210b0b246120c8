//! A private Postgres for one run of the tests: found, started in a folder of its own, stopped and deleted.
//!
//! Start at [`Cluster::start`]. It knows no schema: databases and tables are the tests' business.

mod binaries;
mod cluster;

pub(crate) use cluster::{Cluster, Durability, URL_VARIABLE, is_root};
