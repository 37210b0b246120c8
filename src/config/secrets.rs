//! What nobody may see: the apps' secrets, and the key that seals stored credentials.

use secrecy::SecretString;
use yarnnn_core::connections::Provider;
use yarnnn_platforms::oauth::{OAuthApp, OAuthSettings};
use yarnnn_store::SealKeys;

use super::settings::process_environment;
use super::{Config, ConfigError, env_vars};

/// What nobody may see. All of it may be missing: only what needs it stops then, and names it.
#[derive(Debug, Clone, Default)]
pub struct SecretsConfig {
    /// The app at Slack.
    pub slack: OAuthApp,
    /// The client at Google.
    pub google: OAuthApp,
    /// The integration at Notion.
    pub notion: OAuthApp,
    /// The keys that seal stored credentials.
    pub seal_keys: Option<SealKeys>,
}

impl SecretsConfig {
    pub(super) fn from_lookup(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let secret = |variable| lookup(variable).map(SecretString::from);
        let app = |id, of_secret| OAuthApp { client_id: lookup(id), client_secret: secret(of_secret) };
        Ok(Self {
            slack: app(env_vars::SLACK_CLIENT_ID, env_vars::SLACK_CLIENT_SECRET),
            google: app(env_vars::GOOGLE_CLIENT_ID, env_vars::GOOGLE_CLIENT_SECRET),
            notion: app(env_vars::NOTION_CLIENT_ID, env_vars::NOTION_CLIENT_SECRET),
            seal_keys: lookup(env_vars::INTEGRATION_ENCRYPTION_KEY).map(|it| seal_keys(&it)).transpose()?,
        })
    }
}

fn seal_keys(setting: &str) -> Result<SealKeys, ConfigError> {
    let variable = env_vars::INTEGRATION_ENCRYPTION_KEY;
    SealKeys::parse(setting).map_err(|error| {
        // The store's message begins with the variable, and so does ours.
        let problem = error.to_string().trim_start_matches(variable).trim_start_matches([':', ' ']).to_owned();
        ConfigError { variable, problem }
    })
}

impl Config {
    /// Everything that signing in needs.
    pub fn oauth(&self) -> OAuthSettings {
        let SecretsConfig { slack, google, notion, .. } = self.secrets.clone();
        OAuthSettings { bases: self.platforms.bases.clone(), api: self.platforms.api.clone(), slack, google, notion }
    }

    /// Fails when credentials cannot be stored or read because there is no key.
    ///
    /// # Errors
    /// Names the variable and says how to make a key.
    pub fn need_seal_key(&self) -> Result<(), ConfigError> {
        if self.secrets.seal_keys.is_some() {
            return Ok(());
        }
        let problem = "it is not set, and credentials are stored only under its key; `yarnnn doctor --new-key` prints a new one";
        Err(ConfigError { variable: env_vars::INTEGRATION_ENCRYPTION_KEY, problem: problem.to_owned() })
    }

    /// Fails when a provider's tokens cannot be renewed because this installation is no app there. Only Google's always end.
    ///
    /// # Errors
    /// Names the variable that is missing.
    pub fn need_app(&self, provider: Provider) -> Result<(), ConfigError> {
        let OAuthApp { client_id, client_secret } = &self.secrets.google;
        let missing = match (provider, client_id, client_secret) {
            (Provider::Google, None, _) => env_vars::GOOGLE_CLIENT_ID,
            (Provider::Google, Some(_), None) => env_vars::GOOGLE_CLIENT_SECRET,
            _ => return Ok(()),
        };
        let problem = "it is not set, and without it no token of Google can be renewed; it is the OAuth client's in the Google Cloud console";
        Err(ConfigError { variable: missing, problem: problem.to_owned() })
    }
}

/// The token in a variable that a person names; none if it is not set, or empty.
pub fn token_variable(name: &str) -> Option<SecretString> {
    process_environment(name).filter(|it| !it.trim().is_empty()).map(SecretString::from)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::from_lookup(&|name| pairs.iter().find(|(it, _)| *it == name).map(|(_, value)| (*value).to_owned()))
    }

    fn from(pairs: &[(&str, &str)]) -> Config {
        read(pairs).unwrap()
    }

    #[test]
    fn every_app_has_its_own_variables_and_no_secret_is_shown() {
        let config = from(&[
            ("SLACK_CLIENT_ID", "slack-id"),
            ("SLACK_CLIENT_SECRET", " \"slack-hunter2\" "),
            ("GOOGLE_CLIENT_ID", "google-id"),
            ("GOOGLE_CLIENT_SECRET", "google-hunter2"),
            ("NOTION_CLIENT_ID", "notion-id"),
            ("NOTION_CLIENT_SECRET", "notion-hunter2"),
            ("API_BASE_URL", "https://yarnnn.example.org"),
            ("SLACK_BASE_URL", "http://127.0.0.1:1/api"),
        ]);
        let oauth = config.oauth();
        for provider in Provider::ALL {
            let app = oauth.app(provider);
            assert_eq!(app.client_id.as_deref(), Some(format!("{provider}-id").as_str()));
            assert_eq!(app.client_secret.as_ref().unwrap().expose_secret(), format!("{provider}-hunter2"));
        }
        assert_eq!(oauth.api.as_ref().unwrap().as_str(), "https://yarnnn.example.org/");
        assert_eq!(oauth.bases.slack.as_str(), "http://127.0.0.1:1/api");
        assert!(!format!("{config:?} {oauth:?}").contains("hunter2"));
    }

    #[test]
    fn a_missing_key_stops_only_what_needs_it() {
        let config = from(&[("INTEGRATION_ENCRYPTION_KEY", "  ")]);
        let error = config.need_seal_key().unwrap_err().to_string();
        assert!(error.starts_with("INTEGRATION_ENCRYPTION_KEY: it is not set"), "{error}");
        assert!(error.contains("yarnnn doctor --new-key"), "{error}");
        let (new, old) = (SealKeys::generate(), SealKeys::generate());
        for value in [new.clone(), format!("\"{new}\""), format!("{new}, {old}")] {
            let config = from(&[("INTEGRATION_ENCRYPTION_KEY", &value)]);
            assert_eq!(config.need_seal_key(), Ok(()), "{value}");
            assert!(!format!("{config:?}").contains(&new[..8]));
        }
    }

    #[test]
    fn a_key_that_is_none_is_refused_at_once_and_not_shown() {
        let good = SealKeys::generate();
        for (value, problem) in [
            ("hunter2".to_owned(), "key 1 "),
            ("changeme-hunter2".to_owned(), "key 1 is a placeholder"),
            (format!("{good},hunter2"), "key 2 "),
        ] {
            let error = read(&[("INTEGRATION_ENCRYPTION_KEY", &value)]).unwrap_err().to_string();
            assert!(error.starts_with(&format!("INTEGRATION_ENCRYPTION_KEY: {problem}")), "{error}");
            assert!(!error.contains("hunter2") && !error.contains(&good), "{error}");
        }
    }

    #[test]
    fn google_needs_its_client_and_the_others_do_not() {
        let missing = |pairs: &[(&str, &str)]| from(pairs).need_app(Provider::Google).unwrap_err().variable;
        assert_eq!(missing(&[]), "GOOGLE_CLIENT_ID");
        assert_eq!(missing(&[("GOOGLE_CLIENT_ID", "id")]), "GOOGLE_CLIENT_SECRET");
        assert_eq!(from(&[("GOOGLE_CLIENT_ID", "id"), ("GOOGLE_CLIENT_SECRET", "s")]).need_app(Provider::Google), Ok(()));
        assert_eq!(from(&[]).need_app(Provider::Slack), Ok(()));
    }
}
