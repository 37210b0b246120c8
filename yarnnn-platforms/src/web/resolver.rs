//! From a name to public addresses. The connection is made to what is answered here, so nothing is looked up twice.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::public::is_public;

/// What may be reached: the public internet, on the ports of the web.
#[derive(Debug, Clone, Default)]
pub(super) struct Reach {
    /// What tests may reach besides; empty in programs.
    pub(super) besides: Vec<IpAddr>,
    /// On which ports.
    pub(super) ports: Vec<u16>,
}

impl Reach {
    pub(super) fn takes(&self, address: IpAddr) -> bool {
        is_public(address) || self.besides.contains(&address)
    }

    pub(super) fn takes_port(&self, port: u16) -> bool {
        matches!(port, 80 | 443) || self.ports.contains(&port)
    }
}

/// Looks names up.
#[async_trait]
pub(super) trait Names: Send + Sync + fmt::Debug + 'static {
    /// The addresses of a name, of whatever kind.
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// The system's way of looking names up.
#[derive(Debug)]
pub(super) struct SystemNames;

#[async_trait]
impl Names for SystemNames {
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((name, 0)).await?.map(|it| it.ip()).collect())
    }
}

/// A name has addresses, but none that may be reached.
#[derive(Debug, thiserror::Error)]
#[error("it leads to no public address")]
pub(super) struct NotPublic;

/// Answers public addresses only.
#[derive(Debug)]
pub(super) struct PublicOnly {
    pub(super) names: Arc<dyn Names>,
    pub(super) reach: Arc<Reach>,
}

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let (names, reach) = (self.names.clone(), self.reach.clone());
        Box::pin(async move {
            let found = names.addresses(name.as_str()).await?;
            let public: Vec<SocketAddr> = found.iter().filter(|it| reach.takes(**it)).map(|it| SocketAddr::new(*it, 0)).collect();
            if public.is_empty() && !found.is_empty() {
                return Err(NotPublic.into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}
