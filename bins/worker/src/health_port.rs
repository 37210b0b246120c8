//! The port of the health page: one that cannot be had is a wrong setting.

use std::net::SocketAddr;

use tokio::net::TcpListener;
use yarnnn::config::{ConfigError, env_vars};

/// Takes the port.
pub(crate) async fn listen(address: SocketAddr) -> Result<TcpListener, ConfigError> {
    TcpListener::bind(address).await.map_err(|error| {
        let problem = format!("the health page cannot be served on {address} ({}): {error}", env_vars::HOST);
        ConfigError { variable: env_vars::HEALTH_CHECK_PORT, problem }
    })
}
