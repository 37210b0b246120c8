//! The client against a workspace in memory.
