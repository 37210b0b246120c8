//! Where the providers are, and where this installation is for those who come back from them.

use url::Url;
use yarnnn_platforms::PlatformBases;
use yarnnn_platforms::slack::SlackLimits;

use super::url::{PlainHttp, service};
use super::{ConfigError, env_vars};

/// Where the providers are, and where this installation is.
#[derive(Debug, Clone, Default)]
pub struct PlatformsConfig {
    /// Where each provider is.
    pub bases: PlatformBases,
    /// Where this installation's API is: people come back to it from signing in.
    pub api: Option<Url>,
    /// Where its web pages are: people are sent there afterwards.
    pub frontend: Option<Url>,
    /// How the Slack app is distributed.
    pub slack_app: SlackApp,
}

/// How a Slack app is distributed, which decides how fast Slack lets it read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SlackApp {
    /// Made by the workspace for itself, or listed in the Marketplace.
    #[default]
    Internal,
    /// Commercially distributed outside of the Marketplace.
    Restricted,
}

impl PlatformsConfig {
    pub(super) fn from_lookup(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let base = |variable, public: Url| Ok(service(lookup, variable, PlainHttp::Loopback)?.unwrap_or(public));
        let public = PlatformBases::default();
        let bases = PlatformBases {
            slack: base(env_vars::SLACK_BASE_URL, public.slack)?,
            gmail: base(env_vars::GMAIL_BASE_URL, public.gmail)?,
            calendar: base(env_vars::CALENDAR_BASE_URL, public.calendar)?,
            google_oauth: base(env_vars::GOOGLE_OAUTH_BASE_URL, public.google_oauth)?,
            google_authorize: public.google_authorize,
            notion: base(env_vars::NOTION_BASE_URL, public.notion)?,
        };
        let own = |variable| service(lookup, variable, PlainHttp::Anywhere);
        let slack_app = match lookup(env_vars::YARNNN_SLACK_APP).as_deref() {
            None | Some("internal") => SlackApp::Internal,
            Some("restricted") => SlackApp::Restricted,
            Some(other) => {
                let problem = format!("{other:?} is neither `internal` nor `restricted`");
                return Err(ConfigError { variable: env_vars::YARNNN_SLACK_APP, problem });
            }
        };
        Ok(Self { bases, api: own(env_vars::API_BASE_URL)?, frontend: own(env_vars::FRONTEND_URL)?, slack_app })
    }

    /// How fast Slack lets this installation's app read.
    pub fn slack_limits(&self) -> SlackLimits {
        match self.slack_app {
            SlackApp::Internal => SlackLimits::default(),
            SlackApp::Restricted => SlackLimits::restricted(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(pairs: &[(&str, &str)]) -> Result<PlatformsConfig, ConfigError> {
        PlatformsConfig::from_lookup(&|name| pairs.iter().find(|(it, _)| *it == name).map(|(_, value)| (*value).to_owned()))
    }

    const BASES: [&str; 5] =
        ["SLACK_BASE_URL", "GMAIL_BASE_URL", "CALENDAR_BASE_URL", "GOOGLE_OAUTH_BASE_URL", "NOTION_BASE_URL"];

    #[test]
    fn an_empty_environment_means_the_public_addresses() {
        let config = from(&[]).unwrap();
        assert_eq!(config.bases, PlatformBases::default());
        assert_eq!((config.api, config.frontend), (None, None));
    }

    #[test]
    fn every_address_can_be_set() {
        let pairs = BASES.map(|name| (name, format!("https://{}.example.org/a/", name.to_lowercase().replace('_', "-"))));
        let config = from(&pairs.each_ref().map(|(name, value)| (*name, value.as_str()))).unwrap();
        let PlatformBases { slack, gmail, calendar, google_oauth, notion, google_authorize } = &config.bases;
        let set = [slack, gmail, calendar, google_oauth, notion].map(Url::as_str);
        assert_eq!(set.as_slice(), pairs.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>());
        assert_eq!(google_authorize.as_str(), "https://accounts.google.com/");
        let config = from(&[("API_BASE_URL", "http://yarnnn.lan:8000"), ("FRONTEND_URL", "https://app.example.org")]).unwrap();
        assert_eq!(config.api.unwrap().as_str(), "http://yarnnn.lan:8000/");
        assert_eq!(config.frontend.unwrap().as_str(), "https://app.example.org/");
    }

    #[test]
    fn plain_http_is_for_this_machine() {
        for host in ["127.0.0.1:8080", "127.9.9.9", "localhost:1", "slack.localhost", "[::1]:9", "LOCALHOST"] {
            assert!(from(&[("SLACK_BASE_URL", &format!("http://{host}/api"))]).is_ok(), "{host}");
        }
        for host in ["slack.com", "10.0.0.1", "localhost.example.org", "127.0.0.1.example.org", "[::2]", "0.0.0.0", "mylocalhost"]
        {
            for variable in BASES {
                let error = from(&[(variable, &format!("http://{host}/api"))]).unwrap_err();
                assert_eq!(error.variable, variable);
                assert!(error.problem.contains("in the clear"), "{host}: {error}");
            }
        }
    }

    #[test]
    fn what_is_wrong_is_named_and_no_password_is_shown() {
        let wrong = [
            "slack.com/api",
            "localhost:8080",
            "ftp://slack.com",
            "https://",
            "https://ana:hunter2@slack.com",
            "https://slack.com/api?token=hunter2&password=hunter2",
            "https://slack.com/api#x",
        ];
        for value in wrong {
            for variable in ["NOTION_BASE_URL", "API_BASE_URL", "FRONTEND_URL"] {
                let error = from(&[(variable, value)]).unwrap_err();
                assert_eq!(error.variable, variable, "{value}");
                assert!(!error.problem.contains("hunter2") && !error.problem.is_empty(), "{error}");
            }
        }
    }
}
