//! Extract: chooses what a pass looks at, without any model, from what is stored (dossier §5.1).
//!
//! Windows go by when something was written or begins, not by when it was read: a first import of old mails is no news. In calendars
//! what begins next comes first.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::model::{Shown, SignalsFilter};
use super::run::SignalsParts;
use crate::connections::Connection;
use crate::deliverables::{Deliverable, DeliverableStatus, TriggerType};
use crate::error::{Error, StoreError};
use crate::id::UserId;
use crate::platform::{ContentType, Interval, Platform, ResourceId};
use crate::sync::{ContentQuery, ResourceStatus, StoredItem};

/// Items of each platform that are shown.
const SHOWN: usize = 10;
/// Deliverables that are shown.
const DELIVERABLES: usize = 10;
/// Days of calendars that are looked ahead.
const DAYS_AHEAD: i64 = 7;

/// How far a platform is looked at, and how many items at most.
const fn reach(platform: Platform) -> (Option<TimeDelta>, usize) {
    match platform {
        Platform::Calendar => (Some(TimeDelta::days(DAYS_AHEAD)), 50),
        Platform::Gmail => (Some(TimeDelta::days(7)), 30),
        Platform::Slack => (Some(TimeDelta::days(2)), 100),
        Platform::Notion => (None, 20),
    }
}

/// The stretch of time that a platform is looked at; none for any time.
pub(super) fn range(platform: Platform, now: DateTime<Utc>) -> Option<Interval> {
    let (span, _) = reach(platform);
    span.map(|span| match platform {
        Platform::Calendar => Interval { from: now, to: now + span },
        _ => Interval { from: now - span, to: now },
    })
}

impl SignalsParts {
    /// What a pass shows: by platform the first items, and the reports that there are.
    pub(super) async fn extract(&self, user: UserId, filter: SignalsFilter, now: DateTime<Utc>) -> Result<Shown, Error> {
        let resources = self.in_scope(user).await?;
        let mut shown = Shown::default();
        for platform in Platform::ALL.into_iter().filter(|it| filter.includes(*it)) {
            let resources: Vec<_> = resources.iter().filter(|it| it.platform() == platform).cloned().collect();
            let items = if resources.is_empty() { vec![] } else { self.items(user, platform, resources, now).await? };
            shown.found.insert(platform, u32::try_from(items.len()).unwrap_or(u32::MAX));
            shown.items.extend(items.iter().take(SHOWN).map(|it| it.id));
        }
        shown.deliverables = listed(self.deliverables.list(user).await?).into_iter().map(|it| it.id).collect();
        Ok(shown)
    }

    /// The resources that the user has and wants: not those that were excluded, nor those of a connected account that are not among
    /// its selected ones. What was imported is no account's.
    pub(super) async fn in_scope(&self, user: UserId) -> Result<Vec<ResourceId>, Error> {
        let connections = self.connections.connections(user).await?;
        let statuses = self.content.coverage(user, &[]).await?;
        Ok(statuses.into_iter().filter(|it| is_wanted(it, &connections)).map(|it| it.resource).collect())
    }

    async fn items(
        &self,
        user: UserId,
        platform: Platform,
        resources: Vec<ResourceId>,
        now: DateTime<Utc>,
    ) -> Result<Vec<StoredItem>, Error> {
        let (_, most) = reach(platform);
        let query = |within, limit: usize| ContentQuery {
            user,
            resources: resources.clone(),
            within,
            at: now,
            limit: u32::try_from(limit).unwrap_or(u32::MAX),
        };
        if platform != Platform::Calendar {
            let within = range(platform, now);
            let items = self.content.query(&query(within, most)).await?;
            return Ok(items.into_iter().filter(|it| within.is_none() || it.source_timestamp.is_some()).collect());
        }
        // The store answers the newest first; of events the next ones are wanted, so it is asked day by day.
        let mut events = Vec::new();
        for day in 0..DAYS_AHEAD {
            let within = Interval { from: now + TimeDelta::days(day), to: now + TimeDelta::days(day + 1) };
            let mut of_day = self.content.query(&query(Some(within), MOST_A_DAY)).await?;
            of_day.retain(|it| it.content_type == ContentType::Event && it.source_timestamp.is_some());
            of_day.reverse();
            events.extend(of_day);
            if events.len() >= most {
                break;
            }
        }
        events.truncate(most);
        Ok(events)
    }

    /// The items of a pass that are still stored, in the order in which they are shown, each with its number.
    pub(super) async fn shown_items(&self, user: UserId, shown: &Shown) -> Result<Vec<(usize, StoredItem)>, StoreError> {
        let mut items = self.content.find(user, &shown.items).await?;
        let place = |it: &StoredItem| shown.items.iter().position(|id| *id == it.id);
        items.retain(|it| it.withdrawn_at.is_none());
        let mut items: Vec<_> = items.into_iter().filter_map(|it| Some((place(&it)?, it))).collect();
        items.sort_by_key(|(place, _)| *place);
        Ok(items)
    }
}

/// Events of one day that are looked at.
const MOST_A_DAY: usize = 1_000;

fn is_wanted(status: &ResourceStatus, connections: &[Connection]) -> bool {
    let id = &status.resource;
    // What was not selected stays out of sight also while its account is expired.
    let mut landscapes = connections.iter().map(|it| &it.landscape).filter(|it| it.resource(id).is_some());
    !status.excluded && landscapes.all(|it| it.selected.is_empty() || it.selected.contains(id))
}

/// The reports that are shown. Those that ran once for a signal come last: there may be many.
fn listed(mut all: Vec<Deliverable>) -> Vec<Deliverable> {
    all.sort_by_key(|it| (it.status == DeliverableStatus::Active && !has_run_once(it), it.last_run_at, it.created_at, it.id));
    all.reverse();
    all.truncate(DELIVERABLES);
    all
}

/// Whether it was made for a signal, has run, and will not run again by itself.
fn has_run_once(it: &Deliverable) -> bool {
    runs_once(it) && it.last_run_at.is_some()
}

/// Whether it was made for a signal and is not set going by anything else.
pub(super) fn runs_once(it: &Deliverable) -> bool {
    it.is_signal_born() && it.trigger == TriggerType::Manual
}

/// What an item is, whenever it is noticed: the event, or the conversation, where it stands (dossier §5.4).
pub(super) fn reference_of(item: &StoredItem) -> String {
    let text = |key: &str| item.metadata.get(key).and_then(serde_json::Value::as_str).map(str::to_owned);
    let thread = match item.content_type {
        ContentType::ThreadReply => text("thread_ts"),
        ContentType::Email => text("thread_id"),
        ContentType::Message | ContentType::Page | ContentType::Event => None,
    };
    let id = thread.unwrap_or_else(|| item.item_id.clone());
    let kind = if item.content_type == ContentType::Event { "event" } else { "thread" };
    let whole = format!("{kind}:{}/{id}", item.resource);
    if whole.len() <= MAX_REFERENCE { whole } else { format!("{kind}:{}", crate::hash::Sha256::of(whole)) }
}

/// Bytes of a reference: it is part of a key.
const MAX_REFERENCE: usize = 300;

/// The resources of items, each once.
pub(super) fn resources_of<'a>(items: impl Iterator<Item = &'a StoredItem>) -> Vec<&'a StoredItem> {
    let mut seen = HashSet::new();
    items.filter(|it| seen.insert(it.resource.clone())).collect()
}
