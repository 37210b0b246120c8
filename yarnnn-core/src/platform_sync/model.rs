//! What a sync is asked for, and what it honestly says of itself.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::connections::Provider;
use crate::id::UserId;
use crate::platform::{Gap, Platform, PlatformError};

/// Who asked for a sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncTrigger {
    /// A person: it runs now, and reads everything stored once more.
    Manual,
    /// The clock: it runs if the connection is still due, and reads what is due to be read once more.
    Scheduled,
}

/// One connection to be synced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncRequest {
    /// Whose.
    pub user: UserId,
    /// Which connection.
    pub provider: Provider,
    /// Only this platform of it.
    pub platform: Option<Platform>,
    /// Who asked.
    pub trigger: SyncTrigger,
}

/// How a sync ended. There is no other way: nothing is a silent success.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncOutcome {
    /// Read to the end, with something new or changed.
    Ok,
    /// Read to the end, with nothing new: the provider answered, as the account that was expected.
    OkEmpty,
    /// Some of it could not be read.
    Degraded,
    /// None of it could.
    Failed,
}

impl SyncOutcome {
    /// The word in `--json`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::OkEmpty => "ok_empty",
            Self::Degraded => "degraded",
            Self::Failed => "failed",
        }
    }

    /// Whether everything that was asked for was read.
    pub const fn is_ok(self) -> bool {
        matches!(self, Self::Ok | Self::OkEmpty)
    }
}

/// What became of one platform.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SyncedPlatform {
    /// Which one.
    pub platform: Platform,
    /// How it ended.
    pub outcome: SyncOutcome,
    /// Items that were new, or had changed.
    pub items_synced: u64,
    /// Who answered: the proof behind an empty outcome.
    pub account: Option<String>,
    /// Why it is not ok, with what to do about it.
    pub error: Option<String>,
    /// Whether a person has to do something first.
    pub needs_user: bool,
    /// Why nothing was done, if nothing was (`not_due`).
    pub skipped: Option<String>,
    /// Resource by resource, in the order in which they were chosen.
    pub resources: Vec<SyncedResource>,
}

/// What became of one resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SyncedResource {
    /// Its id, without the platform.
    pub resource_id: String,
    /// Its name.
    pub name: String,
    /// How it ended.
    pub outcome: SyncOutcome,
    /// Items that were new, or had changed.
    pub items: u64,
    /// Items that went away.
    pub gone: u64,
    /// Why it was not read to its end, with platform and call.
    pub error: Option<String>,
    /// What is known not to have been seen.
    pub gaps: Vec<Gap>,
}

impl SyncedPlatform {
    /// Nothing was read, and why.
    pub fn failed(platform: Platform, error: String, needs_user: bool) -> Self {
        Self { outcome: SyncOutcome::Failed, error: Some(error), needs_user, ..Self::empty(platform) }
    }

    /// Nothing can be read, as the platform or its authorization server said: named once, with what the person can do.
    pub fn refused(platform: Platform, error: &PlatformError) -> Self {
        let text = error.to_string();
        let named = if text.starts_with(platform.as_str()) { text } else { format!("{platform}: {text}") };
        let needs_user = matches!(error, PlatformError::NeedsUser { .. });
        let again = needs_user && !named.contains("yarnnn connect");
        let text = if again { format!("{named}: yarnnn connect {}", Provider::of(platform)) } else { named };
        Self::failed(platform, text, needs_user)
    }

    /// It was asked for and is not among what the person granted.
    pub fn not_granted(platform: Platform) -> Self {
        let error =
            format!("{platform} was not granted when its account was connected: yarnnn connect {}", Provider::of(platform));
        Self::failed(platform, error, true)
    }

    /// Nothing had to be done.
    pub fn skipped(platform: Platform, reason: &str) -> Self {
        Self { skipped: Some(reason.to_owned()), ..Self::empty(platform) }
    }

    /// Adds up what became of the resources: all failed is failed, one failed is degraded.
    pub fn of(platform: Platform, account: String, resources: Vec<SyncedResource>) -> Self {
        let failed = resources.iter().filter(|it| it.outcome == SyncOutcome::Failed).count();
        let partly = resources.iter().any(|it| it.outcome == SyncOutcome::Degraded);
        let items_synced = resources.iter().map(|it| it.items).sum();
        let outcome = match (failed, resources.len()) {
            (failed, all) if failed > 0 && failed == all => SyncOutcome::Failed,
            (1.., _) => SyncOutcome::Degraded,
            _ if partly => SyncOutcome::Degraded,
            _ if items_synced > 0 => SyncOutcome::Ok,
            _ => SyncOutcome::OkEmpty,
        };
        let error = resources.iter().find_map(|it| it.error.clone());
        Self { outcome, items_synced, account: Some(account), error, resources, ..Self::empty(platform) }
    }

    const fn empty(platform: Platform) -> Self {
        Self {
            platform,
            outcome: SyncOutcome::OkEmpty,
            items_synced: 0,
            account: None,
            error: None,
            needs_user: false,
            skipped: None,
            resources: vec![],
        }
    }
}

/// What a tick found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TickReport {
    /// Live connections that were looked at.
    pub checked: u32,
    /// Those whose turn it is.
    pub due: Vec<SyncRequest>,
    /// Those that could not be looked at, by name.
    pub problems: Vec<String>,
    /// As of when.
    pub at: DateTime<Utc>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(outcome: SyncOutcome, items: u64) -> SyncedResource {
        let error = (!outcome.is_ok()).then(|| "x".to_owned());
        SyncedResource { resource_id: "C1".into(), name: "#c".into(), outcome, items, gone: 0, error, gaps: vec![] }
    }

    #[test]
    fn outcomes_add_up_to_the_truth() {
        use SyncOutcome::{Degraded, Failed, Ok, OkEmpty};
        let of = |parts: &[(SyncOutcome, u64)]| {
            let resources = parts.iter().map(|(outcome, items)| resource(*outcome, *items)).collect();
            SyncedPlatform::of(Platform::Slack, "T1".into(), resources).outcome
        };
        assert_eq!(of(&[(Ok, 3), (OkEmpty, 0)]), Ok);
        assert_eq!(of(&[(OkEmpty, 0)]), OkEmpty);
        assert_eq!(of(&[(Failed, 0), (Ok, 3)]), Degraded);
        assert_eq!(of(&[(Failed, 2), (OkEmpty, 0)]), Degraded);
        assert_eq!(of(&[(Degraded, 2)]), Degraded);
        assert_eq!(of(&[(Failed, 5), (Failed, 0)]), Failed, "items do not make a failure a success");
    }
}
