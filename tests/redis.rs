//! A Redis that is configured and cannot be reached: an error that names the variable, unless it is said to be optional.
#![cfg(feature = "redis")]
#![expect(clippy::unwrap_used, reason = "tests panic when something is amiss")]

use yarnnn::config::RedisConfig;
use yarnnn::{Config, ConnectError};

/// Nobody listens on a port that was just given back.
fn nobody() -> RedisConfig {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    RedisConfig::new(format!("redis://ana:secret@127.0.0.1:{port}")).unwrap()
}

#[tokio::test]
async fn a_redis_that_cannot_be_reached_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = yarnnn::connect(&Config { redis: Some(nobody()), ..Config::in_folder(folder.path()) }).await.unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, ConnectError::Redis { .. }) && text.contains("REDIS_URL") && !text.contains("secret"), "{text}");
}

#[tokio::test]
async fn an_optional_redis_is_done_without() {
    let folder = tempfile::tempdir().unwrap();
    let mut redis = nobody();
    redis.is_optional = true;
    let yarnnn = yarnnn::connect(&Config { redis: Some(redis), ..Config::in_folder(folder.path()) }).await.unwrap();
    assert_eq!(yarnnn.jobs().admin.depth().await.unwrap(), []);
}
