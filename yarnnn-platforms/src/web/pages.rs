//! Reads pages of the public web.

use std::error::Error;
use std::fmt;
#[cfg(any(test, feature = "testing"))]
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, LOCATION};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use url::Url;
use yarnnn_core::agent::{FetchPage, WebError, WebPage};
use yarnnn_core::clock::Clock;

use super::address::{address, checked};
use super::body::{self, BodyError};
use super::resolver::{Names, NotPublic, PublicOnly, Reach, SystemNames};
use super::text;
use crate::http::bundled;

/// The longest that a page may take, all redirects and bytes included.
const PATIENCE: Duration = Duration::from_secs(10);
/// So many redirects are followed.
const MAX_REDIRECTS: usize = 4;

/// Reads pages that anybody may have written, at addresses that anybody may have given.
///
/// Only `http` and `https` on their own ports; only public unicast addresses, checked where connections are made and again for
/// every redirect; no cookies, credentials or referrer; at most 2 MiB and ten seconds; `text/html` and `text/plain` only.
pub struct PublicPages {
    client: Client,
    reach: Arc<Reach>,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for PublicPages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicPages").field("reach", &self.reach).finish_non_exhaustive()
    }
}

impl PublicPages {
    /// A reader without connections.
    ///
    /// # Errors
    /// When the TLS library cannot be set up.
    pub fn new(clock: Arc<dyn Clock>) -> Result<Self, reqwest::Error> {
        Self::over(&system_names(), Reach::default(), clock)
    }

    /// Reads pages of these servers besides, which are on this machine: for tests. No program is built with the feature.
    ///
    /// # Errors
    /// As [`PublicPages::new`].
    #[doc(hidden)]
    #[cfg(any(test, feature = "testing"))]
    pub fn reaching_for_tests(servers: &[SocketAddr], clock: Arc<dyn Clock>) -> Result<Self, reqwest::Error> {
        let reach = Reach {
            besides: servers.iter().map(SocketAddr::ip).filter(std::net::IpAddr::is_loopback).collect(),
            ports: servers.iter().map(SocketAddr::port).collect(),
        };
        Self::over(&system_names(), reach, clock)
    }

    pub(super) fn over(names: &Arc<dyn Names>, reach: Reach, clock: Arc<dyn Clock>) -> Result<Self, reqwest::Error> {
        let reach = Arc::new(reach);
        let builder = || builder(PublicOnly { names: names.clone(), reach: reach.clone() });
        let client = builder().build().or_else(|_| builder().tls_certs_only(bundled()).build())?;
        Ok(Self { client, reach, clock })
    }

    async fn read(&self, text: &str) -> Result<WebPage, WebError> {
        let refused = |reason: String| WebError::Refused { url: shown(text), reason };
        let mut url = address(text, &self.reach).map_err(refused)?;
        for _ in 0..=MAX_REDIRECTS {
            let response = self.get(&url).await?;
            if !response.status().is_redirection() {
                return self.page(&url, response).await;
            }
            let location = response.headers().get(LOCATION).and_then(|it| it.to_str().ok());
            let next = location.and_then(|it| url.join(it).ok());
            let next = next.ok_or_else(|| refused(format!("status {} leads nowhere", response.status().as_u16())))?;
            url = checked(next, &self.reach).map_err(|reason| refused(format!("it leads on to another address: {reason}")))?;
        }
        Err(refused(format!("it leads on more than {MAX_REDIRECTS} times")))
    }

    async fn get(&self, url: &Url) -> Result<Response, WebError> {
        let request = self.client.get(url.clone()).header(ACCEPT, "text/html, text/plain;q=0.9").header(ACCEPT_ENCODING, "gzip");
        request.send().await.map_err(|error| {
            if leads_inside(&error) {
                return WebError::Refused { url: shown(url.as_str()), reason: NotPublic.to_string() };
            }
            WebError::Unavailable { what: shown(url.as_str()), source: error.without_url().into() }
        })
    }

    async fn page(&self, url: &Url, response: Response) -> Result<WebPage, WebError> {
        let refused = |reason: String| WebError::Refused { url: shown(url.as_str()), reason };
        let unavailable = |reason: String| WebError::Unavailable { what: shown(url.as_str()), source: reason.into() };
        match response.status().as_u16() {
            200..300 => {}
            status @ (408 | 425 | 429 | 500..) => return Err(unavailable(format!("status {status}"))),
            status => return Err(refused(format!("status {status}"))),
        }
        let declared = response.headers().get(CONTENT_TYPE).and_then(|it| it.to_str().ok()).unwrap_or("nothing");
        let unread = || refused(format!("it is {}, not text", declared.chars().take(60).collect::<String>()));
        let (kind, charset) = text::kind(declared).ok_or_else(unread)?;
        let bytes = body::read(response).await.map_err(|error| match error {
            BodyError::BrokeOff(_) => WebError::Unavailable { what: shown(url.as_str()), source: error.into() },
            error => refused(error.to_string()),
        })?;
        // Pages of the worst kind take a while.
        let read = tokio::task::spawn_blocking(move || text::read(&bytes, kind, charset.as_deref())).await;
        let (title, text) = read.map_err(|_| refused("its text cannot be made out".to_owned()))?;
        let title = if title.is_empty() { url.host_str().unwrap_or_default().to_owned() } else { title };
        Ok(WebPage { url: url.to_string(), title, text, fetched_at: self.clock.now() })
    }
}

#[async_trait]
impl FetchPage for PublicPages {
    async fn fetch(&self, url: &str) -> Result<WebPage, WebError> {
        let late = |_| {
            let source = format!("no whole page within {} s", PATIENCE.as_secs()).into();
            Err(WebError::Unavailable { what: shown(url), source })
        };
        tokio::time::timeout(PATIENCE, self.read(url)).await.unwrap_or_else(late)
    }
}

fn builder(resolver: PublicOnly) -> reqwest::ClientBuilder {
    let agent = concat!("yarnnn/", env!("CARGO_PKG_VERSION"));
    // No proxy, which would look names up by itself; no connection outlives its page; bytes are counted before they are unpacked.
    let builder =
        Client::builder().user_agent(agent).no_proxy().redirect(Policy::none()).referer(false).pool_max_idle_per_host(0);
    let builder = builder.no_gzip().no_brotli().no_deflate().no_zstd();
    builder.connect_timeout(PATIENCE).timeout(PATIENCE).dns_resolver(Arc::new(resolver))
}

fn system_names() -> Arc<dyn Names> {
    Arc::new(SystemNames)
}

/// Whether there is no connection because the name has no public address.
fn leads_inside(error: &reqwest::Error) -> bool {
    let mut cause: Option<&(dyn Error + 'static)> = error.source();
    while let Some(it) = cause {
        if it.is::<NotPublic>() {
            return true;
        }
        cause = it.source();
    }
    false
}

/// An address in a message: not longer than is read.
fn shown(url: &str) -> String {
    url.chars().filter(|it| !it.is_control()).take(300).collect()
}
