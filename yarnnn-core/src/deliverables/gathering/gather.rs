//! Gather: chooses the stored items that a report is written from, without any model.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::super::kinds::{Binding, Kind, KindProfile};
use super::super::model::Deliverable;
use super::super::store::VersionStore;
use super::super::version::{MaterialRef, RunState, SourceSnapshot};
use super::material::MaterialItem;
use super::said::{self, Earlier};
use crate::agent::thread_of;
use crate::error::Error;
use crate::evidence::{EvidenceStore, Readers};
use crate::hash::Sha256;
use crate::id::{ContentId, UserId};
use crate::llm::ClaimStatus;
use crate::pipeline::{Stage, StageCx};
use crate::platform::{ContentType, Interval, Platform, ResourceId};
use crate::sync::{ContentQuery, ContentStore, ResourceStatus, StoredItem};

/// Before any item: 1 January of the year 1, in seconds.
const YEAR_ONE: i64 = -62_135_596_800;
/// Items that one report is written from, at most.
const MAX_ITEMS: usize = 240;
/// Items of one source that are looked at, at most.
const MAX_READ: usize = 2_000;
/// The longest reference that an item can have.
const LONGEST_REFERENCE: &str = "s240";

/// Chooses items.
#[derive(Clone)]
pub(in crate::deliverables) struct Gather {
    pub(in crate::deliverables) content: Arc<dyn ContentStore>,
    pub(in crate::deliverables) versions: Arc<dyn VersionStore>,
    pub(in crate::deliverables) evidence: Arc<dyn EvidenceStore>,
    /// Bytes of items, as they are sent, that the writer reads at once, if that is known.
    pub(in crate::deliverables) room: Option<usize>,
}

/// For what, and as of when.
pub(in crate::deliverables) struct GatherInput {
    pub(in crate::deliverables) deliverable: Deliverable,
    pub(in crate::deliverables) as_of: DateTime<Utc>,
    pub(in crate::deliverables) now: DateTime<Utc>,
    /// Whether it also reads what earlier reports had.
    pub(in crate::deliverables) again: bool,
    /// Whether nobody but its owner receives the report.
    pub(in crate::deliverables) stays_with_owner: bool,
    /// The zone that the owner has set, for a report without a schedule.
    pub(in crate::deliverables) timezone: Option<Tz>,
}

/// The chosen items.
#[derive(Debug, Clone)]
pub struct Gathered {
    /// What the run keeps of it.
    pub state: RunState,
    /// The items, in the order of their references.
    pub items: Vec<MaterialItem>,
    /// Whether anything lay in the window at all, reported before or not.
    pub found: bool,
    /// Whether something was gathered that no delivered version had.
    pub has_news: bool,
}

#[async_trait]
impl Stage<GatherInput> for Gather {
    type Output = Gathered;

    fn name(&self) -> &'static str {
        "gather"
    }

    async fn run(&self, _cx: &StageCx, input: GatherInput) -> Result<Gathered, Error> {
        let user = input.deliverable.user;
        let profile = input.deliverable.profile();
        let sources = self.sources(&input.deliverable, &profile).await?;
        let reader = Reader { content: self.content.as_ref(), user, now: input.now };
        let (as_of, window_moved) = reader.effective_instant(&input, &profile, &sources).await?;
        let mut items = Vec::new();
        for source in &sources {
            let window = profile.window_of(input.deliverable.report_type.kind(), source.resource.platform(), as_of);
            items.push(reader.items(std::slice::from_ref(&source.resource), Some(window), MAX_READ).await?);
        }
        let found = items.iter().any(|it| !it.is_empty());
        let reported = self.versions.reported(user, input.deliverable.id).await?;
        let earlier = self.earlier(&input, &sources, &reported, &replied(&items)).await?;
        let reported: HashSet<_> = reported.into_iter().map(|it| (it.content_id, it.revision)).collect();
        let changed = earlier.changed();
        // What came back to an earlier wording was reported in it, but last in another.
        let is_new = |it: &StoredItem| changed.contains(&it.id) || !reported.contains(&(it.id, Sha256::of(&it.content)));
        let has_news = items.iter().flatten().any(is_new);
        let total: usize = items.iter().map(Vec::len).sum();
        if !input.again && !profile.restates {
            for it in &mut items {
                it.retain(is_new);
            }
        }
        let kept: usize = items.iter().map(Vec::len).sum();
        let items = share(items);
        let (reported_before, cut) = (count(total - kept), count(kept - items.len()));
        let (items, overflowing) = fit(items, self.room);
        let left_out = cut + overflowing;
        let chosen: Vec<_> = items.iter().map(MaterialItem::from).collect();
        let mut state = state(&profile, (input.as_of, as_of), &sources, &items);
        state.material = referred(&chosen, &changed);
        let mut said = earlier.claims(&state, input.deliverable.timezone(input.timezone));
        if profile.restates && !input.again {
            // What still stands is told again, and must not look like what need not be.
            said.retain(|it| it.status != ClaimStatus::Standing);
        }
        let called = input.deliverable.name_for_others().filter(|_| !input.stays_with_owner);
        let GatherInput { now, again, stays_with_owner, timezone, .. } = input;
        let state = RunState {
            started_at: Some(now),
            stays_with_owner,
            called,
            timezone,
            window_moved,
            again,
            said,
            reported_before,
            left_out,
            ..state
        };
        Ok(Gathered { items: chosen, state, found, has_news })
    }
}

/// The messages to which somebody has replied, as far as the replies lie in the window. What a retained row itself says of its
/// replies is from the day on which it was retained.
fn replied(items: &[Vec<StoredItem>]) -> HashSet<(ResourceId, String)> {
    let replies = items.iter().flatten().filter(|it| it.content_type == ContentType::ThreadReply);
    replies.filter_map(|it| Some((it.resource.clone(), thread_of(it)?))).collect()
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Leaves out the oldest items until the rest can be read at once; one item always stays.
fn fit(mut items: Vec<StoredItem>, room: Option<usize>) -> (Vec<StoredItem>, u32) {
    let Some(room) = room else { return (items, 0) };
    let mut used = 0;
    let fits = items.iter().take_while(|it| {
        used += sent_bytes(it);
        used <= room
    });
    let kept = fits.count().max(1).min(items.len());
    let left_out = count(items.len() - kept);
    items.truncate(kept);
    (items, left_out)
}

/// What an item takes in the request, with its escapes and its marks.
fn sent_bytes(item: &StoredItem) -> usize {
    MaterialItem::from(item).cited_as(LONGEST_REFERENCE, true).sent_bytes()
}

impl Gather {
    /// What earlier reports said, and what has become of it. Where others receive this one, as far as they may know it.
    async fn earlier(
        &self,
        input: &GatherInput,
        sources: &[ResourceStatus],
        reported: &[MaterialRef],
        replied: &HashSet<(ResourceId, String)>,
    ) -> Result<Earlier, Error> {
        let (user, id) = (input.deliverable.user, input.deliverable.id);
        let listed = input.deliverable.sources.iter().map(|it| &it.resource);
        let readers = if input.stays_with_owner {
            Readers::Owner
        } else {
            Readers::Others(listed.chain(sources.iter().map(|it| &it.resource)).cloned().collect())
        };
        let said = self.evidence.said(user, id, &readers, said::READ).await?;
        let told = self.evidence.told(user, id, &readers, said::READ).await?;
        let answered = said::answered(&said, reported, replied);
        Ok(Earlier::new(said, told, answered))
    }

    /// The resources a report reads (dossier §6.6): the listed ones or all, narrowed to the type's platform where it has one.
    async fn sources(&self, deliverable: &Deliverable, profile: &KindProfile) -> Result<Vec<ResourceStatus>, Error> {
        let listed: Vec<ResourceId> = deliverable.sources.iter().map(|it| it.resource.clone()).collect();
        let all = self.content.coverage(deliverable.user, &listed).await?;
        let Some(primary) = profile.primary_platform.filter(|_| deliverable.report_type.kind() != Kind::MeetingPrep) else {
            return Ok(all);
        };
        let own: Vec<_> = all.iter().filter(|it| it.resource.platform() == primary).cloned().collect();
        Ok(if own.is_empty() { all } else { own })
    }
}

impl Deliverable {
    /// What follows from its type, with a window of at least one period of its schedule.
    pub(in crate::deliverables) fn profile(&self) -> KindProfile {
        let mut profile = self.report_type.kind().profile();
        if let Some(schedule) = self.schedule.as_ref().filter(|_| profile.looks_back > TimeDelta::zero()) {
            profile.looks_back = profile.looks_back.max(schedule.period());
        }
        profile
    }
}

impl KindProfile {
    /// The whole stretch that a report reads.
    pub(in crate::deliverables) fn window(&self, as_of: DateTime<Utc>) -> Interval {
        Interval { from: as_of - self.looks_back, to: as_of + self.looks_ahead }
    }

    /// The stretch that it reads of one platform: a meeting preparation looks ahead in calendars and back elsewhere.
    fn window_of(&self, kind: Kind, platform: Platform, as_of: DateTime<Utc>) -> Interval {
        match (kind, platform) {
            (Kind::MeetingPrep, Platform::Calendar) => Interval { from: as_of, to: as_of + self.looks_ahead },
            (Kind::MeetingPrep, _) => Interval { from: as_of - self.looks_back, to: as_of },
            _ => self.window(as_of),
        }
    }
}

struct Reader<'a> {
    content: &'a dyn ContentStore,
    user: UserId,
    now: DateTime<Utc>,
}

impl Reader<'_> {
    async fn items(&self, resources: &[ResourceId], within: Option<Interval>, limit: usize) -> Result<Vec<StoredItem>, Error> {
        if resources.is_empty() {
            return Ok(vec![]);
        }
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        let query = ContentQuery { user: self.user, resources: resources.to_vec(), within, at: self.now, limit };
        Ok(self.content.query(&query).await?)
    }

    /// The asked instant if anything lies in its window, else the one whose window ends at the newest item.
    async fn effective_instant(
        &self,
        input: &GatherInput,
        profile: &KindProfile,
        sources: &[ResourceStatus],
    ) -> Result<(DateTime<Utc>, bool), Error> {
        let kind = input.deliverable.report_type.kind();
        let mut deciding: Vec<ResourceId> = sources.iter().map(|it| it.resource.clone()).collect();
        if kind == Kind::MeetingPrep && deciding.iter().any(|it| it.platform() == Platform::Calendar) {
            deciding.retain(|it| it.platform() == Platform::Calendar);
        }
        let platform = deciding.first().map_or(Platform::Calendar, ResourceId::platform);
        let window = profile.window_of(kind, platform, input.as_of);
        let found = self.items(&deciding, Some(window), 1).await?;
        if found.iter().any(|it| it.source_timestamp.is_some()) {
            return Ok((input.as_of, false));
        }
        // Only back: what lies ahead of the asked instant was not there yet.
        let before = Interval { from: DateTime::from_timestamp(YEAR_ONE, 0).unwrap_or_default(), to: window.to };
        let newest = self.items(&deciding, Some(before), 1).await?.first().and_then(|it| it.source_timestamp);
        let ends_at_newest = |at: DateTime<Utc>| at + TimeDelta::microseconds(1) - profile.looks_ahead;
        Ok(newest.map_or((input.as_of, false), |at| (ends_at_newest(at), true)))
    }
}

/// Gives every source an equal share of the room and what others leave of theirs; then newest first.
fn share(mut per_source: Vec<Vec<StoredItem>>) -> Vec<StoredItem> {
    per_source.retain(|it| !it.is_empty());
    per_source.sort_by_key(Vec::len);
    let mut chosen = Vec::new();
    let count = per_source.len();
    for (index, items) in per_source.into_iter().enumerate() {
        let fair = (MAX_ITEMS - chosen.len()) / (count - index);
        chosen.extend(items.into_iter().take(fair));
    }
    chosen.sort_by(|a, b| newest_first(a).cmp(&newest_first(b)));
    chosen
}

fn newest_first(item: &StoredItem) -> (Reverse<Option<DateTime<Utc>>>, &ResourceId, &str) {
    (Reverse(item.source_timestamp), &item.resource, &item.item_id)
}

fn state(
    profile: &KindProfile,
    (asked_for, as_of): (DateTime<Utc>, DateTime<Utc>),
    sources: &[ResourceStatus],
    items: &[StoredItem],
) -> RunState {
    let window = profile.window(as_of);
    RunState { sources: snapshots(sources, items), ..RunState::of(profile.binding, (asked_for, as_of), window) }
}

/// The chosen items as the version keeps them: `s1`, `s2`, …
fn referred(items: &[MaterialItem], changed: &HashSet<ContentId>) -> Vec<MaterialRef> {
    let referred = |(index, item): (usize, &MaterialItem)| {
        let changed = changed.contains(&item.id);
        MaterialRef { changed, ..item.referred(format!("s{}", index + 1)) }
    };
    items.iter().enumerate().map(referred).collect()
}

/// The sources as the registry knew them, with how many items each gave.
fn snapshots(sources: &[ResourceStatus], items: &[StoredItem]) -> Vec<SourceSnapshot> {
    let mut counts: HashMap<&ResourceId, u32> = HashMap::new();
    for item in items {
        *counts.entry(&item.resource).or_default() += 1;
    }
    let snapshot = |it: &ResourceStatus| SourceSnapshot {
        resource: it.resource.clone(),
        resource_name: it.resource_name.clone(),
        synced_at: it.last_synced_at,
        platform_cursor: it.cursor.as_ref().map(|it| it.as_str().to_owned()),
        item_count: counts.get(&it.resource).copied().unwrap_or_default(),
        source_latest_at: it.source_latest_at,
        gaps: it.gaps.clone(),
        last_error: it.last_error.clone(),
    };
    sources.iter().map(snapshot).collect()
}

impl Binding {
    /// Whether the model is asked to look beyond the gathered items.
    pub(in crate::deliverables) const fn has_research_directive(self) -> bool {
        matches!(self, Self::Research | Self::Hybrid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::RandomIds;

    fn item(number: usize, content: &str) -> StoredItem {
        let content = content.to_owned();
        StoredItem {
            id: ContentId::fresh(&RandomIds),
            resource: ResourceId::new(Platform::Slack, "C1").unwrap(),
            resource_name: "#team".to_owned(),
            item_id: number.to_string(),
            content_type: ContentType::Message,
            content_hash: Sha256::of(&content),
            content,
            title: None,
            author: None,
            is_user_authored: false,
            source_timestamp: None,
            metadata: serde_json::json!({}),
            fetched_at: DateTime::default(),
            retained: false,
            expires_at: None,
            is_current: true,
            version_of: None,
            withdrawn_at: None,
        }
    }

    fn kept(texts: &[String], room: Option<usize>) -> (usize, u32) {
        let items = texts.iter().enumerate().map(|(number, text)| item(number, text)).collect();
        let (items, left_out) = fit(items, room);
        assert!(items.iter().zip(0..).all(|(it, number)| it.item_id == format!("{number}")), "the newest stay, in their order");
        (items.len(), left_out)
    }

    fn plain(sizes: &[usize]) -> Vec<String> {
        sizes.iter().map(|it| "x".repeat(*it)).collect()
    }

    #[test]
    fn the_oldest_items_are_left_out_until_the_rest_can_be_read() {
        let frame = sent_bytes(&item(0, ""));
        assert_eq!(kept(&plain(&[100; 5]), None), (5, 0));
        assert_eq!(kept(&plain(&[100; 5]), Some(5 * (100 + frame))), (5, 0));
        assert_eq!(kept(&plain(&[100; 5]), Some(5 * (100 + frame) - 1)), (4, 1));
        let gap = kept(&plain(&[100, 9_000, 10]), Some(2_000));
        assert_eq!(gap, (1, 2), "no gap: what is older than what does not fit stays out too");
    }

    #[test]
    fn what_counts_is_what_is_sent() {
        let frame = sent_bytes(&item(0, ""));
        for (text, sent) in [("<b>", "&lt;b&gt;"), ("a & \"b\"", "a &amp; &quot;b&quot;"), ("発売日", "発売日")] {
            let texts = [text.to_owned(), text.to_owned()];
            let both = 2 * (frame + sent.len());
            assert_eq!(kept(&texts, Some(both)), (2, 0), "{text}");
            assert_eq!(kept(&texts, Some(both - 1)), (1, 1), "{text}");
        }
    }

    #[test]
    fn one_item_always_stays() {
        assert_eq!(kept(&plain(&[9_000, 10]), Some(1_000)), (1, 1));
        assert_eq!(kept(&[], Some(1_000)), (0, 0));
    }
}
