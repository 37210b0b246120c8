//! Tests of the worker on a queue in memory and with time that stands still.
