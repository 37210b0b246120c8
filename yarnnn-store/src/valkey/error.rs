//! What the server, or the way to it, answered instead of a result. No driver type leaves this crate.

use std::error::Error;
use std::fmt;

/// The server cannot be used. Only connecting answers this: later failures are logged and lived with.
#[derive(Debug)]
pub struct ValkeyError(Problem);

#[derive(Debug)]
enum Problem {
    Driver(redis::RedisError),
    Silent,
}

impl ValkeyError {
    /// It did not answer in time.
    pub(super) const fn silent() -> Self {
        Self(Problem::Silent)
    }
}

impl From<redis::RedisError> for ValkeyError {
    fn from(error: redis::RedisError) -> Self {
        Self(Problem::Driver(error))
    }
}

impl fmt::Display for ValkeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Problem::Driver(error) => error.fmt(f),
            Problem::Silent => f.write_str("the server did not answer in time"),
        }
    }
}

impl Error for ValkeyError {}
