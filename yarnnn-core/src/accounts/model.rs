//! A user, and what the workspace's tier is.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::id::UserId;

/// An e-mail address that can stand in a header: one `@`, no spaces or control characters, lower case domain.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Email(String);

impl Email {
    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is not an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an e-mail address")]
pub struct InvalidEmail(String);

impl FromStr for Email {
    type Err = InvalidEmail;
    fn from_str(text: &str) -> Result<Self, InvalidEmail> {
        let trimmed = text.trim();
        let parts = trimmed
            .split_once('@')
            .filter(|(local, domain)| !local.is_empty() && !domain.is_empty() && !domain.contains('@') && trimmed.len() <= 254);
        let forbidden = |ch: char| ch.is_whitespace() || ch.is_control() || "<>,;:\"()[]\\".contains(ch);
        match parts {
            Some((local, domain)) if !trimmed.contains(forbidden) => Ok(Self(format!("{local}@{}", domain.to_lowercase()))),
            _ => Err(InvalidEmail(text.to_owned())),
        }
    }
}

impl TryFrom<String> for Email {
    type Error = InvalidEmail;
    fn try_from(text: String) -> Result<Self, InvalidEmail> {
        text.parse()
    }
}

impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.0
    }
}

/// What a workspace pays for; a missing or unknown value reads as free.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// The default of users made with `--user`.
    Free,
    /// The middle one.
    Starter,
    /// The local user's.
    Pro,
}

impl Tier {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Starter => "starter",
            Self::Pro => "pro",
        }
    }

    /// Reads the stored name; anything unknown is `free` (dossier §1).
    pub fn parse(text: &str) -> Self {
        match text {
            "starter" => Self::Starter,
            "pro" => Self::Pro,
            _ => Self::Free,
        }
    }

    /// How many active deliverables the tier allows (dossier §3); none = unlimited.
    pub const fn active_deliverables(self) -> Option<u32> {
        match self {
            Self::Free => Some(2),
            Self::Starter => Some(5),
            Self::Pro => None,
        }
    }
}

/// A person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Id.
    pub id: UserId,
    /// Address.
    pub email: Email,
    /// What the workspace pays for.
    pub tier: Tier,
    /// The zone in which the user's days begin, as the user wrote it; none is UTC.
    pub timezone: Option<String>,
}

/// A user to be made, with a workspace of the free tier.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Id if the address is new.
    pub id: UserId,
    /// Address.
    pub email: Email,
    /// Now.
    pub at: DateTime<Utc>,
}

/// Which mails a user wants besides reports, which are what they asked for (dossier, appendix C). All of them at first.
#[expect(clippy::struct_excessive_bools, reason = "one switch for each kind of mail")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailPreferences {
    /// A report arrived somewhere else than in the mailbox.
    pub deliverable_ready: bool,
    /// A report could not be written or delivered.
    pub deliverable_failed: bool,
    /// Recurring work is done.
    pub work_complete: bool,
    /// The digest of the week.
    pub weekly_digest: bool,
    /// A report is suggested.
    pub suggestion_created: bool,
}

impl Default for MailPreferences {
    fn default() -> Self {
        Self {
            deliverable_ready: true,
            deliverable_failed: true,
            work_complete: true,
            weekly_digest: true,
            suggestion_created: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_could_break_a_header_are_refused() {
        assert_eq!("Ana@Example.COM".parse::<Email>().unwrap().as_str(), "Ana@example.com");
        for bad in ["", "ana", "@x", "a@", "a@b@c", "a b@c", "a@b\r\nBcc: x@y", "a@b,c@d", "<a@b>"] {
            assert!(bad.parse::<Email>().is_err(), "{bad:?}");
        }
    }
}
