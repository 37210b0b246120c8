//! Where content is stored.

use std::fmt;
use std::path::Path;

use super::url::without_password;
use super::{ConfigError, env_vars};

/// Where content is stored.
#[derive(Clone)]
pub struct DatabaseConfig {
    url: String,
    /// Whether connecting brings the schema up to date.
    pub migrate: bool,
}

impl DatabaseConfig {
    /// A database by its URL, migrated on connecting.
    ///
    /// # Errors
    /// When the scheme is neither `sqlite:` nor `postgres:`.
    pub fn new(url: impl Into<String>) -> Result<Self, ConfigError> {
        let url = url.into();
        let scheme = url.split_inclusive(':').next().unwrap_or_default();
        if !["sqlite:", "postgres:", "postgresql:"].contains(&scheme) {
            let problem = format!("{scheme:?} is no database; write sqlite://PATH or postgres://USER@HOST/NAME");
            return Err(ConfigError { variable: env_vars::DATABASE_URL, problem });
        }
        Ok(Self { url, migrate: true })
    }

    /// A `SQLite` file, made if it is not there.
    pub fn sqlite(path: &Path) -> Self {
        let path = path.display().to_string().replace('%', "%25").replace('?', "%3F").replace('#', "%23");
        Self { url: format!("sqlite://{path}"), migrate: true }
    }

    pub(super) fn from_lookup(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let url = lookup(env_vars::DATABASE_URL).unwrap_or_else(|| "sqlite://yarnnn.db".to_owned());
        let migrate = match lookup(env_vars::YARNNN_MIGRATE).as_deref() {
            None | Some("on") => true,
            Some("off") => false,
            Some(other) => {
                let problem = format!("{other:?} is neither `on` nor `off`");
                return Err(ConfigError { variable: env_vars::YARNNN_MIGRATE, problem });
            }
        };
        Ok(Self { migrate, ..Self::new(url)? })
    }

    /// The URL, with its password: not for display.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The URL without its password, wherever it stands.
    pub fn display_url(&self) -> String {
        without_password(&self.url)
    }
}

impl fmt::Debug for DatabaseConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatabaseConfig").field("url", &self.display_url()).field("migrate", &self.migrate).finish()
    }
}
