//! What an installation has to know before people can sign in.

use secrecy::SecretString;
use url::Url;
use yarnnn_core::connections::Provider;

use crate::PlatformBases;

/// The app that this installation is at a provider. What is missing is only asked for when it is needed.
#[derive(Debug, Clone, Default)]
pub struct OAuthApp {
    /// Its public id.
    pub client_id: Option<String>,
    /// Its secret.
    pub client_secret: Option<SecretString>,
}

/// Everything that signing in needs.
#[derive(Debug, Clone, Default)]
pub struct OAuthSettings {
    /// Where the providers are.
    pub bases: PlatformBases,
    /// Where this installation's own API is (`API_BASE_URL`): people come back to it.
    pub api: Option<Url>,
    /// The app at Slack.
    pub slack: OAuthApp,
    /// The app at Google.
    pub google: OAuthApp,
    /// The app at Notion.
    pub notion: OAuthApp,
}

impl OAuthSettings {
    /// The app at a provider.
    pub const fn app(&self, provider: Provider) -> &OAuthApp {
        match provider {
            Provider::Slack => &self.slack,
            Provider::Google => &self.google,
            Provider::Notion => &self.notion,
        }
    }
}
