//! The client against a workspace in memory that keeps Slack's rules: lists newest first, replies only in threads, tombstones.

mod audits;
mod model;
mod publish;
mod refusals;
mod samples;
mod syncs;
mod workspace;
