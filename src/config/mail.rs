//! The mail service.

use secrecy::SecretString;
use url::Url;

use super::url::{PlainHttp, service};
use super::{ConfigError, env_vars};

/// How mails go out through Resend.
#[derive(Debug, Clone)]
pub struct MailConfig {
    /// The key of the account.
    pub key: SecretString,
    /// Who mails are from.
    pub from: String,
    /// Where Resend is.
    pub base: Url,
}

impl MailConfig {
    /// The service, or the variable that is missing for it.
    pub(super) fn from_lookup(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Result<Self, &'static str>, ConfigError> {
        let base = service(lookup, env_vars::RESEND_BASE_URL, PlainHttp::Loopback)?.unwrap_or_else(public);
        let (key, from) = (lookup(env_vars::RESEND_API_KEY), lookup(env_vars::RESEND_FROM_EMAIL));
        if from.as_ref().is_some_and(|it| !it.contains('@') || it.contains(char::is_control)) {
            let problem = "it is no mail address; write reports@example.com or Name <reports@example.com>".to_owned();
            return Err(ConfigError { variable: env_vars::RESEND_FROM_EMAIL, problem });
        }
        Ok(match (key, from) {
            (Some(key), Some(from)) => Ok(Self { key: key.into(), from, base }),
            (None, _) => Err(env_vars::RESEND_API_KEY),
            (Some(_), None) => Err(env_vars::RESEND_FROM_EMAIL),
        })
    }
}

fn public() -> Url {
    Url::parse("https://api.resend.com").expect("an address that is written here is one")
}
