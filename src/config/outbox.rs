//! Where reports are left.

use std::path::PathBuf;

use super::{ConfigError, env_vars};

/// Where reports are left.
#[derive(Debug, Clone)]
pub struct OutboxConfig {
    /// Folder of delivered reports.
    pub folder: PathBuf,
    /// Whether mails may be left there as files: only on a local installation, where somebody looks.
    pub mail_as_files: bool,
}

impl OutboxConfig {
    pub(super) fn from_lookup(lookup: &dyn Fn(&str) -> Option<String>) -> Self {
        let folder = lookup(env_vars::YARNNN_OUTBOX_DIR).map_or_else(|| PathBuf::from("./outbox"), PathBuf::from);
        let mail_as_files = lookup(env_vars::APP_ENV).is_none_or(|it| it == "local");
        Self { folder, mail_as_files }
    }

    /// Fails when a mail would be left in a folder where nobody looks.
    ///
    /// # Errors
    /// Names the variable.
    pub fn check_mail(&self) -> Result<(), ConfigError> {
        if self.mail_as_files {
            return Ok(());
        }
        let problem = "mails are left as files only on a local installation, and this version has no mail service; unset APP_ENV or deliver to a folder";
        Err(ConfigError { variable: env_vars::APP_ENV, problem: problem.to_owned() })
    }
}
