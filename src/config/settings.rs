//! All settings together, and what is wrong with one.

use super::{
    DatabaseConfig, ModelConfig, OutboxConfig, PlatformsConfig, RedisConfig, SecretsConfig, WebConfig, WorkerConfig, env_vars,
};
use std::fmt;
use std::path::Path;

/// Everything a program needs to connect.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where content is stored.
    pub database: DatabaseConfig,
    /// What wakes workers besides the database.
    pub redis: Option<RedisConfig>,
    /// Where reports go.
    pub outbox: OutboxConfig,
    /// Who writes them.
    pub model: ModelConfig,
    /// How workers work.
    pub worker: WorkerConfig,
    /// Where the providers are, and where this installation is.
    pub platforms: PlatformsConfig,
    /// What nobody may see.
    pub secrets: SecretsConfig,
    /// Who searches the web besides models.
    pub web: WebConfig,
}

impl Config {
    /// Everything in one folder: a `SQLite` database, the reports in `outbox`, the key-less writer. Reads no environment.
    pub fn in_folder(folder: &Path) -> Self {
        Self {
            database: DatabaseConfig::sqlite(&folder.join("yarnnn.db")),
            redis: None,
            outbox: OutboxConfig::in_folder(folder.join("outbox")),
            model: ModelConfig::extractive(),
            worker: WorkerConfig::default(),
            platforms: PlatformsConfig::default(),
            secrets: SecretsConfig::default(),
            web: WebConfig::default(),
        }
    }

    /// Reads the process environment.
    ///
    /// # Errors
    /// [`ConfigError`] names the variable that is wrong and what it may be.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_lookup(&process_environment)
    }

    /// Reads from any source of variables: what a program that embeds the library has instead of an environment.
    ///
    /// # Errors
    /// As [`Config::from_env`].
    pub fn from_lookup(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let lookup = |name: &str| lookup(name).map(|it| unquoted(&it).to_owned()).filter(|it| !it.is_empty());
        Ok(Self {
            database: DatabaseConfig::from_lookup(&lookup)?,
            redis: RedisConfig::from_lookup(&lookup)?,
            outbox: OutboxConfig::from_lookup(&lookup)?,
            model: ModelConfig::from_lookup(&lookup)?,
            worker: WorkerConfig::from_lookup(&lookup)?,
            platforms: PlatformsConfig::from_lookup(&lookup)?,
            secrets: SecretsConfig::from_lookup(&lookup)?,
            web: WebConfig::from_lookup(&lookup)?,
        })
    }
}

/// A value without the space and the quotes around it: some tools that read files of variables leave them there.
pub(super) fn unquoted(value: &str) -> &str {
    let value = value.trim();
    let inner = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    inner('"').or_else(|| inner('\'')).map_or(value, str::trim)
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub(super) fn process_environment(name: &str) -> Option<String> {
    std::env::var_os(name).map(|it| it.to_string_lossy().into_owned())
}

/// What the environment says about logs: level (`info`, or any filter of the `tracing` crates) and whether as JSON.
pub fn logging() -> (Option<String>, bool) {
    (process_environment(env_vars::LOG_LEVEL), process_environment(env_vars::LOG_FORMAT).as_deref() == Some("json"))
}

/// Whether the environment asks for output without colours (`NO_COLOR`).
pub fn no_color() -> bool {
    process_environment(env_vars::NO_COLOR).is_some_and(|it| !it.is_empty())
}

/// A setting that is missing or wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The variable.
    pub variable: &'static str,
    /// What is wrong and what it may be.
    pub problem: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.variable, self.problem)
    }
}

impl std::error::Error for ConfigError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::from_lookup(&|name| pairs.iter().find(|(it, _)| *it == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn an_empty_environment_is_a_working_installation() {
        let config = from(&[]).unwrap();
        assert_eq!(config.database.url(), "sqlite://yarnnn.db");
        assert_eq!(config.outbox.folder.to_str(), Some("./outbox"));
        assert!(config.database.migrate && config.outbox.mail_as_files);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let error = |pairs: &[(&str, &str)]| from(pairs).unwrap_err().to_string();
        assert!(error(&[("DATABASE_URL", "mysql://x")]).starts_with("DATABASE_URL: \"mysql:\" is no database"));
        assert!(error(&[("YARNNN_MIGRATE", "yes")]).starts_with("YARNNN_MIGRATE: "));
        assert!(error(&[("REDIS_URL", "localhost:6379")]).starts_with("REDIS_URL: "));
        assert!(error(&[("REDIS_OPTIONAL", "maybe")]).starts_with("REDIS_OPTIONAL: "));
        assert!(error(&[("YARNNN_MODEL_WRITER", "oracle/1")]).starts_with("YARNNN_MODEL_WRITER: "));
    }

    #[test]
    fn space_and_quotes_around_a_value_are_forgiven() {
        let folder = |value: &str| from(&[("YARNNN_OUTBOX_DIR", value)]).unwrap().outbox.folder;
        for value in ["out", " out\n", "\"out\"", "'out'", " \" out \" "] {
            assert_eq!(folder(value).to_str(), Some("out"), "{value:?}");
        }
        for (value, kept) in [("\"", "\""), ("o\"t", "o\"t"), ("\"out'", "\"out'"), ("\"\"", "./outbox")] {
            assert_eq!(folder(value).to_str(), Some(kept), "{value:?}");
        }
    }

    #[test]
    fn a_password_is_not_shown() {
        let config = from(&[("DATABASE_URL", "postgres://ana:hunter2@db/yarnnn")]).unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
        let config = from(&[("DATABASE_URL", "postgres://ana@db/yarnnn?host=/tmp&password=hunter2")]).unwrap();
        assert_eq!(config.database.display_url(), "postgres://ana@db/yarnnn?host=/tmp");
    }

    #[test]
    #[cfg(feature = "redis")]
    fn a_redis_is_only_there_when_it_is_named() {
        assert!(from(&[("REDIS_OPTIONAL", "true")]).unwrap().redis.is_none());
        let config = from(&[("REDIS_URL", "rediss://ana:hunter2@cache:6380/1"), ("REDIS_OPTIONAL", "true")]).unwrap();
        let redis = config.redis.clone().unwrap();
        assert!(redis.is_optional && !format!("{config:?}").contains("hunter2"));
        assert_eq!(redis.display_url(), "rediss://ana@cache:6380/1");
    }
}
