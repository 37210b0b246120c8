//! Where reports are left.

use std::path::PathBuf;

use super::{ConfigError, MailConfig, env_vars};

/// Where reports are left.
#[derive(Debug, Clone)]
pub struct OutboxConfig {
    /// Folder of delivered reports.
    pub folder: PathBuf,
    /// Whether mails may be left there as files: only on a local installation, where somebody looks.
    pub mail_as_files: bool,
    /// The service that sends mails, or the variable that is missing for it.
    pub mail: Result<MailConfig, &'static str>,
}

impl OutboxConfig {
    /// Leaves everything in a folder, mails too.
    pub const fn in_folder(folder: PathBuf) -> Self {
        Self { folder, mail_as_files: true, mail: Err(env_vars::RESEND_API_KEY) }
    }

    pub(super) fn from_lookup(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let folder = lookup(env_vars::YARNNN_OUTBOX_DIR).map_or_else(|| PathBuf::from("./outbox"), PathBuf::from);
        let mail_as_files = lookup(env_vars::APP_ENV).is_none_or(|it| it == "local");
        Ok(Self { folder, mail_as_files, mail: MailConfig::from_lookup(lookup)? })
    }

    /// Fails when a mail would be left in a folder where nobody looks.
    ///
    /// # Errors
    /// Names the variable that is missing.
    pub fn check_mail(&self) -> Result<(), ConfigError> {
        match self.mail {
            Err(variable) if !self.mail_as_files => {
                let problem = "it is not set, and mails are left as files only on a local installation; set it, \
                               unset APP_ENV, or deliver to a folder";
                Err(ConfigError { variable, problem: problem.to_owned() })
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(pairs: &[(&str, &str)]) -> Result<OutboxConfig, ConfigError> {
        OutboxConfig::from_lookup(&|name| pairs.iter().find(|(it, _)| *it == name).map(|(_, value)| (*value).to_owned()))
    }

    const KEY: (&str, &str) = ("RESEND_API_KEY", "re_hunter2");
    const FROM: (&str, &str) = ("RESEND_FROM_EMAIL", "YARNNN <r@yarnnn.example>");
    const PRODUCTION: (&str, &str) = ("APP_ENV", "production");

    #[test]
    fn mails_go_out_through_resend_when_both_are_set_and_into_the_folder_only_at_home() {
        let config = from(&[KEY, FROM, PRODUCTION]).unwrap();
        assert!(config.check_mail().is_ok() && !format!("{config:?}").contains("hunter2"));
        let mail = config.mail.unwrap();
        assert_eq!((mail.from.as_str(), mail.base.as_str()), (FROM.1, "https://api.resend.com/"));
        for at_home in [vec![], vec![KEY], vec![FROM], vec![("APP_ENV", "local")]] {
            let config = from(&at_home).unwrap();
            assert!(config.mail.is_err() && config.check_mail().is_ok(), "{at_home:?}");
        }
        let missing = |pairs: &[(&str, &str)]| from(pairs).unwrap().check_mail().unwrap_err().variable;
        assert_eq!(missing(&[PRODUCTION]), "RESEND_API_KEY");
        assert_eq!(missing(&[PRODUCTION, FROM]), "RESEND_API_KEY");
        assert_eq!(missing(&[PRODUCTION, KEY]), "RESEND_FROM_EMAIL");
    }

    #[test]
    fn what_is_wrong_is_named() {
        let wrong = |pairs: &[(&str, &str)]| from(pairs).unwrap_err().variable;
        assert_eq!(wrong(&[KEY, ("RESEND_FROM_EMAIL", "reports")]), "RESEND_FROM_EMAIL");
        assert_eq!(wrong(&[("RESEND_BASE_URL", "http://api.resend.com")]), "RESEND_BASE_URL");
    }
}
