//! Where reports go: the folder, and the service that sends mails.

use std::path::PathBuf;

use secrecy::SecretString;
use url::Url;

use super::url::{PlainHttp, service};
use super::{ConfigError, env_vars};

const RESEND: &str = "https://api.resend.com";

/// Where reports go.
#[derive(Debug, Clone)]
pub struct OutboxConfig {
    /// Folder of delivered reports.
    pub folder: PathBuf,
    /// Whether mails may be left there as files: only on a local installation, where somebody looks.
    pub mail_as_files: bool,
    /// The service that sends mails.
    pub resend: Option<ResendConfig>,
    /// What is missing for mails to be sent, when only a part is there.
    missing: Option<&'static str>,
}

/// Resend, which sends mails.
#[derive(Debug, Clone)]
pub struct ResendConfig {
    /// Its key.
    pub key: SecretString,
    /// Who mails come from: `Name <address>` or an address.
    pub from: String,
    /// Where it is.
    pub base: Url,
}

impl OutboxConfig {
    /// Everything in this folder, mails too.
    pub const fn in_folder(folder: PathBuf) -> Self {
        Self { folder, mail_as_files: true, resend: None, missing: None }
    }

    pub(super) fn from_lookup(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let folder = lookup(env_vars::YARNNN_OUTBOX_DIR).map_or_else(|| PathBuf::from("./outbox"), PathBuf::from);
        let mail_as_files = lookup(env_vars::APP_ENV).is_none_or(|it| it == "local");
        let base = match service(lookup, env_vars::RESEND_BASE_URL, PlainHttp::Loopback)? {
            Some(base) => base,
            None => Url::parse(RESEND).map_err(|error| wrong(env_vars::RESEND_BASE_URL, &error.to_string()))?,
        };
        let (key, from) = (lookup(env_vars::RESEND_API_KEY), lookup(env_vars::RESEND_FROM_EMAIL));
        if let Some(from) = from.as_deref().filter(|it| !it.contains('@') || it.contains(['\r', '\n'])) {
            return Err(wrong(env_vars::RESEND_FROM_EMAIL, &format!("{from:?} is no address; write ADDRESS or NAME <ADDRESS>")));
        }
        let missing = match (&key, &from) {
            (None, _) => Some(env_vars::RESEND_API_KEY),
            (Some(_), None) => Some(env_vars::RESEND_FROM_EMAIL),
            (Some(_), Some(_)) => None,
        };
        let resend = key.zip(from).map(|(key, from)| ResendConfig { key: key.into(), from, base });
        Ok(Self { folder, mail_as_files, resend, missing })
    }

    /// Fails when a mail would be left in a folder where nobody looks.
    ///
    /// # Errors
    /// Names the variable.
    pub fn check_mail(&self) -> Result<(), ConfigError> {
        if self.resend.is_some() || self.mail_as_files {
            return Ok(());
        }
        let problem = "is not set, so no mail can be sent, and mails are left as files only on a local installation (APP_ENV unset or \
                       local); set both RESEND_API_KEY and RESEND_FROM_EMAIL, or deliver elsewhere";
        Err(wrong(self.missing.unwrap_or(env_vars::RESEND_API_KEY), problem))
    }
}

fn wrong(variable: &'static str, problem: &str) -> ConfigError {
    ConfigError { variable, problem: problem.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(pairs: &[(&str, &str)]) -> Result<OutboxConfig, ConfigError> {
        OutboxConfig::from_lookup(&|name| pairs.iter().find(|(it, _)| *it == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn what_keeps_mails_from_being_sent_is_named() {
        let problem = |pairs: &[(&str, &str)]| from(pairs).unwrap().check_mail().unwrap_err().to_string();
        let production = ("APP_ENV", "production");
        assert!(problem(&[production]).starts_with("RESEND_API_KEY: is not set"));
        assert!(problem(&[production, ("RESEND_API_KEY", "re_1")]).starts_with("RESEND_FROM_EMAIL: is not set"));
        assert!(problem(&[production, ("RESEND_FROM_EMAIL", "a@b.c")]).starts_with("RESEND_API_KEY: is not set"));
        for pairs in [&[][..], &[("APP_ENV", "local")], &[production, ("RESEND_API_KEY", "re_1"), ("RESEND_FROM_EMAIL", "a@b.c")]]
        {
            assert!(from(pairs).unwrap().check_mail().is_ok(), "{pairs:?}");
        }
        assert!(from(&[("RESEND_FROM_EMAIL", "nobody")]).unwrap_err().to_string().starts_with("RESEND_FROM_EMAIL: "));
    }

    #[test]
    fn a_key_is_not_shown() {
        let config = from(&[("RESEND_API_KEY", "re_secret"), ("RESEND_FROM_EMAIL", "Reports <a@b.c>")]).unwrap();
        assert!(!format!("{config:?}").contains("re_secret"));
    }
}
