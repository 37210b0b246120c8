//! Who searches the web besides models.

use url::Url;
use yarnnn_platforms::web::CustomSearchKeys;

use super::url::{PlainHttp, service};
use super::{ConfigError, env_vars};

/// Who searches the web besides models.
#[derive(Debug, Clone)]
pub struct WebConfig {
    /// The keys of Google's Custom Search, if it is to be used.
    pub custom_search: Option<CustomSearchKeys>,
    /// Where it is.
    pub search: Url,
}

impl Default for WebConfig {
    fn default() -> Self {
        let search = Url::parse("https://customsearch.googleapis.com").expect("an address that is written here is one");
        Self { custom_search: None, search }
    }
}

impl WebConfig {
    pub(super) fn from_lookup(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let public = Self::default().search;
        let search = service(lookup, env_vars::SEARCH_BASE_URL, PlainHttp::Loopback)?.unwrap_or(public);
        let missing = |variable, other| {
            let problem = format!("it is not set, and {other} is; Custom Search needs both");
            Err(ConfigError { variable, problem })
        };
        let custom_search = match (lookup(env_vars::GOOGLE_API_KEY), lookup(env_vars::GOOGLE_CSE_ID)) {
            (Some(key), Some(engine)) => Some(CustomSearchKeys { key: key.into(), engine }),
            // The key alone may be meant for other services of Google's.
            (_, None) => None,
            (None, Some(_)) => return missing(env_vars::GOOGLE_API_KEY, env_vars::GOOGLE_CSE_ID),
        };
        Ok(Self { custom_search, search })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(pairs: &[(&str, &str)]) -> Result<WebConfig, ConfigError> {
        WebConfig::from_lookup(&|name| pairs.iter().find(|(it, _)| *it == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn custom_search_is_there_when_both_are_named() {
        assert!(from(&[]).unwrap().custom_search.is_none());
        assert!(from(&[("GOOGLE_API_KEY", "AIza")]).unwrap().custom_search.is_none());
        assert_eq!(from(&[("GOOGLE_CSE_ID", "1")]).unwrap_err().variable, "GOOGLE_API_KEY");
        let config = from(&[("GOOGLE_API_KEY", "AIza"), ("GOOGLE_CSE_ID", "1")]).unwrap();
        assert!(config.custom_search.is_some() && !format!("{config:?}").contains("AIza"));
        assert_eq!(config.search.as_str(), "https://customsearch.googleapis.com/");
        assert_eq!(from(&[("SEARCH_BASE_URL", "http://search.example")]).unwrap_err().variable, "SEARCH_BASE_URL");
    }
}
