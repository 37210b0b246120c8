//! What a person sees of their sources: which there are, which are synced, and how well each is covered.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::PlatformSync;
use super::schedule::SyncFrequency;
use crate::accounts::User;
use crate::connections::{Connection, Provider};
use crate::error::Error;
use crate::platform::{Gap, Resource, ResourceId};
use crate::sync::ResourceStatus;

/// What was read longer ago is stale (dossier §9.3).
const FRESH: TimeDelta = TimeDelta::hours(24);
/// A source that is overdue by this many intervals of its tier stands still.
const PATIENCE: i32 = 2;

/// How well a source is covered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Coverage {
    /// Read to its end within a day, and nothing is known to be missing.
    Covered,
    /// Read within a day; something is known to be missing. A small number of items is no sign of that: a proved small source is
    /// covered.
    Partial,
    /// Read to its end, but longer ago.
    Stale,
    /// Never read to its end.
    Uncovered,
    /// The person keeps it from being synced.
    Excluded,
}

impl Coverage {
    /// The word in `--json`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Covered => "covered",
            Self::Partial => "partial",
            Self::Stale => "stale",
            Self::Uncovered => "uncovered",
            Self::Excluded => "excluded",
        }
    }

    fn of(status: Option<&ResourceStatus>, now: DateTime<Utc>) -> Self {
        let Some(status) = status else { return Self::Uncovered };
        match status.last_synced_at {
            _ if status.excluded => Self::Excluded,
            None => Self::Uncovered,
            Some(at) if now - at >= FRESH => Self::Stale,
            Some(_) if status.gaps.is_empty() && !failed_since(status) => Self::Covered,
            Some(_) => Self::Partial,
        }
    }
}

/// A source as its owner sees it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Source {
    /// Which one, with its platform.
    pub source: ResourceId,
    /// Its name.
    pub name: String,
    /// Whether it is chosen.
    pub selected: bool,
    /// Whether its owner keeps it from being synced.
    pub excluded: bool,
    /// When it was last read to its end.
    pub last_synced_at: Option<DateTime<Utc>>,
    /// Items of the last run.
    pub items: u64,
    /// How well it is covered.
    pub coverage: Coverage,
    /// What is known to be missing, the newest of it.
    pub newest_gap: Option<Gap>,
    /// What was wrong with it the last time.
    pub last_error: Option<String>,
    /// When that was.
    pub last_error_at: Option<DateTime<Utc>>,
}

/// A source that is chosen and does not get on.
#[derive(Debug, Clone, PartialEq)]
pub struct Frozen {
    /// Which one.
    pub source: ResourceId,
    /// Its name.
    pub name: String,
    /// Since when nothing of it is known; none if nothing ever was.
    pub since: Option<DateTime<Utc>>,
    /// What is wrong with it, if that is known.
    pub error: Option<String>,
}

impl PlatformSync {
    /// A user's sources, of one provider or all, in the providers' order; what is chosen stands first.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn sources(&self, user: &User, provider: Option<Provider>) -> Result<Vec<Source>, Error> {
        let now = self.clock.now();
        let states = self.all_states(user).await?;
        let mut sources = Vec::new();
        for connection in self.connections.list(user.id).await? {
            if provider.is_some_and(|it| it != connection.provider) {
                continue;
            }
            for &platform in connection.provider.platforms() {
                let landscape = &connection.landscape;
                let others = |it: &&Resource| it.id.platform() == platform && !landscape.selected.contains(&it.id);
                let others: Vec<_> = landscape.resources.iter().filter(others).cloned().collect();
                let chosen = landscape.selected_of(platform);
                sources.extend(chosen.iter().map(|it| source(it, true, states.get(&it.id), now)));
                sources.extend(others.iter().map(|it| source(it, false, states.get(&it.id), now)));
            }
        }
        Ok(sources)
    }

    /// The chosen sources of a connection that were not read to their end for twice the tier's interval, or whose last run
    /// failed. Those that were only just connected have time.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn frozen(&self, user: &User, connection: &Connection) -> Result<Vec<Frozen>, Error> {
        let overdue = self.clock.now() - SyncFrequency::of(user.tier).longest_interval() * PATIENCE;
        let known = self.all_states(user).await?;
        let frozen = |it: &Resource| {
            let status = known.get(&it.id);
            let since = status.and_then(|it| it.last_synced_at);
            let stands = since.unwrap_or(connection.created_at) < overdue;
            let failed = status.is_some_and(failed_since);
            let excluded = status.is_some_and(|it| it.excluded);
            let error = status.filter(|_| failed).and_then(|it| it.last_error.clone());
            (!excluded && (stands || failed)).then(|| Frozen { source: it.id.clone(), name: it.name.clone(), since, error })
        };
        let chosen = connection.provider.platforms().iter().flat_map(|it| connection.landscape.selected_of(*it));
        Ok(chosen.filter_map(|it| frozen(&it)).collect())
    }

    async fn all_states(&self, user: &User) -> Result<BTreeMap<ResourceId, ResourceStatus>, Error> {
        let all = self.content.coverage(user.id, &[]).await?;
        Ok(all.into_iter().map(|it| (it.resource.clone(), it)).collect())
    }
}

/// Whether something went wrong after, or at the end of, the last run that was read to its end.
fn failed_since(status: &ResourceStatus) -> bool {
    let at = status.last_error.as_ref().and(status.last_error_at);
    at.is_some_and(|at| status.last_synced_at.is_none_or(|synced| at >= synced))
}

fn source(resource: &Resource, selected: bool, status: Option<&ResourceStatus>, now: DateTime<Utc>) -> Source {
    let newest = |it: &ResourceStatus| it.gaps.iter().max_by_key(|gap| gap.to.or(gap.from)).cloned();
    Source {
        source: resource.id.clone(),
        name: resource.name.clone(),
        selected,
        excluded: status.is_some_and(|it| it.excluded),
        last_synced_at: status.and_then(|it| it.last_synced_at),
        items: status.map_or(0, |it| it.item_count),
        coverage: Coverage::of(status, now),
        newest_gap: status.and_then(newest),
        last_error: status.and_then(|it| it.last_error.clone()),
        last_error_at: status.and_then(|it| it.last_error_at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::GapKind;

    fn status(synced_hours_ago: Option<i64>) -> ResourceStatus {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        ResourceStatus {
            resource: "slack:C1".parse().unwrap(),
            resource_name: "#c".into(),
            last_synced_at: synced_hours_ago.map(|it| now - TimeDelta::hours(it)),
            cursor: None,
            item_count: 0,
            source_latest_at: None,
            last_error: None,
            last_error_at: None,
            audited_at: None,
            excluded: false,
            covered: vec![],
            gaps: vec![],
        }
    }

    #[test]
    fn coverage_is_what_is_known_to_be_missing() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        let of = |status: &ResourceStatus| Coverage::of(Some(status), now);
        assert_eq!(Coverage::of(None, now), Coverage::Uncovered);
        assert_eq!(of(&status(None)), Coverage::Uncovered);
        assert_eq!((of(&status(Some(23))), of(&status(Some(24)))), (Coverage::Covered, Coverage::Stale));
        assert_eq!(of(&ResourceStatus { excluded: true, ..status(Some(1)) }), Coverage::Excluded);
        let gap = Gap { kind: GapKind::Cap, from: None, to: None, reason: "cut".into() };
        assert_eq!(of(&ResourceStatus { gaps: vec![gap], ..status(Some(1)) }), Coverage::Partial);
        let failed = |hours| ResourceStatus {
            last_error: Some("x".into()),
            last_error_at: Some(now - TimeDelta::hours(hours)),
            ..status(Some(2))
        };
        assert_eq!((of(&failed(1)), of(&failed(3))), (Coverage::Partial, Coverage::Covered));
    }
}
