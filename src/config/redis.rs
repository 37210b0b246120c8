//! The Redis or Valkey that wakes workers, if there is one.

use std::fmt;

use super::url::without_password;
use super::{ConfigError, env_vars};

/// The Redis or Valkey that wakes workers.
#[derive(Clone)]
pub struct RedisConfig {
    url: String,
    /// Whether connecting goes on without it when it cannot be reached.
    pub is_optional: bool,
}

impl RedisConfig {
    /// A server by its URL; one that must be there.
    ///
    /// # Errors
    /// When the scheme is neither `redis:` nor `rediss:`.
    pub fn new(url: impl Into<String>) -> Result<Self, ConfigError> {
        let url = url.into();
        let scheme = url.split_inclusive(':').next().unwrap_or_default();
        if !["redis:", "rediss:"].contains(&scheme) || !cfg!(feature = "redis") {
            let problem = "write redis://HOST:PORT or rediss://USER:PASSWORD@HOST:PORT (and build with the feature `redis`)";
            return Err(ConfigError { variable: env_vars::REDIS_URL, problem: problem.to_owned() });
        }
        Ok(Self { url, is_optional: false })
    }

    pub(super) fn from_lookup(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Option<Self>, ConfigError> {
        let is_optional = match lookup(env_vars::REDIS_OPTIONAL).as_deref() {
            None | Some("false" | "0") => false,
            Some("true" | "1") => true,
            Some(other) => {
                let problem = format!("{other:?} is neither `true` nor `false`");
                return Err(ConfigError { variable: env_vars::REDIS_OPTIONAL, problem });
            }
        };
        let configured = lookup(env_vars::REDIS_URL).map(Self::new).transpose()?;
        Ok(configured.map(|it| Self { is_optional, ..it }))
    }

    /// The URL, with its password: not for display.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The URL without its password.
    pub fn display_url(&self) -> String {
        without_password(&self.url)
    }
}

impl fmt::Debug for RedisConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisConfig").field("url", &self.display_url()).field("is_optional", &self.is_optional).finish()
    }
}
