//! Whole exports through the port.
