//! The port of the health page: one that cannot be had is a wrong setting.

use std::net::{SocketAddr, TcpListener};

use yarnnn::config::{ConfigError, env_vars};

/// Takes the port, for a runtime that is not the caller's.
pub(crate) fn listen(address: SocketAddr) -> Result<TcpListener, ConfigError> {
    let bound = TcpListener::bind(address).and_then(|it| it.set_nonblocking(true).map(|()| it));
    bound.map_err(|error| {
        let problem = format!("the health page cannot be served on {address} ({}): {error}", env_vars::HOST);
        ConfigError { variable: env_vars::HEALTH_CHECK_PORT, problem }
    })
}
