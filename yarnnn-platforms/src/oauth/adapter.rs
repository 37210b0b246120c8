//! The core's `OAuth` for all providers.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;
use yarnnn_core::clock::Clock;
use yarnnn_core::connections::{GrantError, Granted, OAuth, OAuthState, Provider};
use yarnnn_core::platform::PlatformError;

use super::OAuthSettings;
use super::answer::{self, Asked};
use super::google::Google;
use super::notion::{self, Notion};
use super::server::{API_BASE_URL, Client, Grant, Server};
use super::slack::Slack;
use crate::http::{HttpTransport, Transport, TransportError, below};

/// Signs people in at Slack, Google and Notion, and buys their tokens.
pub struct ProviderOAuth {
    settings: OAuthSettings,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for ProviderOAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderOAuth").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl ProviderOAuth {
    /// Signs in as these apps, over this pool of connections.
    pub fn new(settings: OAuthSettings, transport: HttpTransport, clock: Arc<dyn Clock>) -> Self {
        Self::over(settings, Arc::new(transport), clock)
    }

    pub(super) fn over(settings: OAuthSettings, transport: Arc<dyn Transport>, clock: Arc<dyn Clock>) -> Self {
        Self { settings, transport, clock }
    }

    /// The installation's app at a server; a setting that is not there is named.
    fn client(&self, server: &dyn Server) -> Result<Client<'_>, PlatformError> {
        let names = server.names();
        let app = self.settings.app(names.provider);
        let id = app.client_id.as_deref().filter(|it| !it.is_empty()).ok_or_else(|| missing(names.id))?;
        let secret = app.client_secret.as_ref().filter(|it| !it.expose_secret().is_empty());
        Ok(Client { id, secret: secret.ok_or_else(|| missing(names.secret))? })
    }

    /// Where the person comes back to.
    fn redirect(&self, provider: Provider) -> Result<Url, PlatformError> {
        let api = self.settings.api.as_ref().ok_or_else(|| missing(API_BASE_URL))?;
        below(api, &["api", "integrations", provider.as_str(), "callback"], &[])
    }

    /// Buys tokens; asks once, whatever comes of it.
    async fn buy(&self, server: &dyn Server, client: &Client<'_>, grant: &Grant<'_>) -> Result<Granted, GrantError> {
        let call = server.names().call;
        let request = server.request(&self.settings.bases, client, grant)?;
        let basic = notion::basic(client);
        let secrets = [client.secret.expose_secret(), grant.secret().expose_secret(), basic.as_str()];
        let asked = Asked { at: self.clock.now(), secrets };
        match self.transport.send(&request, None).await {
            Ok(raw) => answer::read(server, &asked, &raw),
            Err(TransportError::Broken(reason) | TransportError::Unreached(reason)) => Err(answer::unavailable(call, reason)),
            Err(error @ TransportError::TooLarge) => Err(answer::protocol(call, error.to_string())),
        }
    }
}

#[async_trait]
impl OAuth for ProviderOAuth {
    fn authorize_url(&self, provider: Provider, state: &OAuthState) -> Result<String, PlatformError> {
        let server = server(provider);
        let client = self.client(server)?;
        let redirect = self.redirect(provider)?;
        let mut page = server.page(&self.settings.bases)?;
        let mut query = page.query_pairs_mut();
        query.append_pair("client_id", client.id).append_pair("redirect_uri", redirect.as_str());
        query.append_pair("state", state.as_str());
        drop(query);
        Ok(page.into())
    }

    fn required_scopes(&self, provider: Provider) -> Vec<String> {
        server(provider).scopes().iter().map(|it| (*it).to_owned()).collect()
    }

    async fn exchange(&self, provider: Provider, code: &SecretString) -> Result<Granted, GrantError> {
        let server = server(provider);
        let client = self.client(server)?;
        let grant = Grant::Code { code, redirect: self.redirect(provider)? };
        self.buy(server, &client, &grant).await
    }

    async fn refresh(&self, provider: Provider, refresh: &SecretString) -> Result<Granted, GrantError> {
        let server = server(provider);
        let client = self.client(server)?;
        self.buy(server, &client, &Grant::Refresh(refresh)).await
    }
}

pub(super) fn server(provider: Provider) -> &'static dyn Server {
    match provider {
        Provider::Slack => &Slack,
        Provider::Google => &Google,
        Provider::Notion => &Notion,
    }
}

fn missing(setting: &str) -> PlatformError {
    PlatformError::NeedsOperator { setting: setting.to_owned() }
}
