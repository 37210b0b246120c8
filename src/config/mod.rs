//! Configuration: the only reader of the environment. One small struct per concern.
//!
//! Every variable is a constant in [`env_vars`]; what is wrong is reported with the variable's name.

mod database;
pub mod env_vars;
mod mail;
mod model;
mod outbox;
mod platforms;
mod redis;
mod secrets;
mod settings;
mod url;
mod web;
mod worker;

pub use database::DatabaseConfig;
pub use mail::MailConfig;
pub use model::{ModelConfig, Writer};
pub use outbox::OutboxConfig;
pub use platforms::{PlatformsConfig, SlackApp};
pub use redis::RedisConfig;
pub use secrets::{SecretsConfig, token_variable};
pub use settings::{Config, ConfigError, logging, no_color};
pub use web::WebConfig;
pub use worker::WorkerConfig;
