//! Configuration: the only reader of the environment. One small struct per concern.
//!
//! Every variable is a constant in [`env_vars`]; what is wrong is reported with the variable's name.

mod database;
pub mod env_vars;
mod model;
mod outbox;
mod platforms;
mod redis;
mod secrets;
mod settings;
mod url;
mod worker;

pub use database::DatabaseConfig;
pub use model::{ModelConfig, Writer};
pub use outbox::{OutboxConfig, ResendConfig};
pub use platforms::{PlatformsConfig, SlackApp};
pub use redis::RedisConfig;
pub use secrets::{SecretsConfig, token_variable};
pub use settings::{Config, ConfigError, logging, no_color};
pub use worker::WorkerConfig;
