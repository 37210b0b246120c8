//! One connection brought up to date: its platforms at once, their resources a few at a time.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use chrono::{DateTime, Utc};
use futures::{StreamExt as _, TryStreamExt as _};
use serde_json::json;

use super::schedule::{SyncFrequency, needs_sync};
use super::{SyncOutcome, SyncRequest, SyncTrigger, SyncedPlatform, SyncedResource};
use crate::accounts::{AccountStore, Tier, User};
use crate::activity::{ActivityKind, NewActivity};
use crate::cleanup::Cleanup;
use crate::clock::Clock;
use crate::connections::{
    Connection, ConnectionChange, ConnectionStatus, Connections, OpenConnection, Provider, listed, source_limit,
};
use crate::error::Error;
use crate::id::{ActivityId, IdGen, UserId};
use crate::pipeline::CancelToken;
use crate::platform::{Platform, PlatformClient, PlatformError, Probe, Resource, ResourceId, ResourceKind};
use crate::sync::{
    AuditWish, ContentStore, LiveOutcome, LiveResource, Origin, ResourceStatus, Sync, SyncEvent, SyncOptions, first_window,
};

/// Resources of one platform that are read at once. What a provider allows is decided at the gate.
const AT_ONCE: usize = 4;
/// Everything stored is read once more in every such part of its time to live.
const AUDITS_PER_LIFE: i32 = 4;

/// The feature. Cheap to clone.
#[derive(Clone)]
pub struct PlatformSync {
    pub(super) connections: Connections,
    pub(super) accounts: Arc<dyn AccountStore>,
    pub(super) content: Arc<dyn ContentStore>,
    cleanup: Cleanup,
    pub(super) sync: Sync,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn IdGen>,
}

impl fmt::Debug for PlatformSync {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlatformSync").field("connections", &self.connections).finish_non_exhaustive()
    }
}

/// How far a sync came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncProgress {
    /// What is being read: `slack #general`.
    pub reading: String,
    /// Resources that are done.
    pub done: usize,
    /// How many there are; grows while platforms are still looked at.
    pub total: usize,
    /// Items seen.
    pub items: u64,
}

/// Watches a sync and can stop it.
#[derive(Clone, Default)]
pub struct SyncWatch {
    /// Stops at once, but for a page that is being stored.
    pub cancel: CancelToken,
    /// Told about every page. Must return at once.
    pub progress: Option<Arc<dyn Fn(SyncProgress) + Send + std::marker::Sync>>,
}

impl fmt::Debug for SyncWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SyncWatch").finish_non_exhaustive()
    }
}

/// The counters behind [`SyncProgress`], shared by everything that runs at once.
#[derive(Default)]
struct Counters {
    done: AtomicUsize,
    total: AtomicUsize,
    items: AtomicU64,
}

/// What reading one platform needs to know.
struct Scene<'a> {
    user: &'a User,
    connection: &'a Connection,
    trigger: SyncTrigger,
    now: DateTime<Utc>,
    watch: &'a SyncWatch,
    counters: &'a Arc<Counters>,
    asked: Option<Asked>,
}

/// A platform that has already been asked who answers.
struct Asked {
    platform: Platform,
    client: Arc<dyn PlatformClient>,
    probe: Result<Probe, PlatformError>,
}

impl PlatformSync {
    /// Syncs with these.
    pub fn new(
        connections: Connections,
        accounts: Arc<dyn AccountStore>,
        content: Arc<dyn ContentStore>,
        cleanup: Cleanup,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdGen>,
    ) -> Self {
        let sync = Sync::new(content.clone(), clock.clone(), ids.clone());
        Self { connections, accounts, content, cleanup, sync, clock, ids }
    }

    /// Brings one connection up to date. What a provider, a platform or a resource refuses is in the outcome.
    ///
    /// # Errors
    /// `NotFound` when there is no such connection, those of the store, and `Cancelled`.
    pub async fn run(&self, request: &SyncRequest, watch: &SyncWatch) -> Result<Vec<SyncedPlatform>, Error> {
        let user = self.accounts.user(request.user).await?;
        let connection = self.connection(request.user, request.provider).await?;
        let platforms = platforms(&connection, request);
        if let (Some(wanted), []) = (request.platform, platforms.as_slice()) {
            return Ok(vec![SyncedPlatform::not_granted(wanted)]);
        }
        let now = self.clock.now();
        if let Some(reports) = without_calling(&user, &connection, request, &platforms, now) {
            return Ok(reports);
        }
        let counters = Arc::<Counters>::default();
        let opened = self.connections.open(&connection);
        let asked = match unless_cancelled(watch, same_account(&connection, &opened)).await? {
            Ok(asked) => asked,
            Err(error) => {
                let refused = platforms.iter().map(|it| SyncedPlatform::refused(*it, &error)).collect();
                return self.recorded(&connection, refused, false).await;
            }
        };
        let (connection, trigger, counters) = (&connection, request.trigger, &counters);
        let scene = Scene { user: &user, connection, trigger, now, watch, counters, asked };
        let runs = platforms.iter().map(|it| self.platform(&scene, &opened, *it));
        let reports = futures::future::try_join_all(runs).await?;
        let reports = self.recorded(connection, reports, is_whole(request)).await?;
        self.cleanup.user(request.user).await?;
        Ok(reports)
    }

    pub(super) async fn connection(&self, user: UserId, provider: Provider) -> Result<Connection, Error> {
        let none = || Error::NotFound(format!("a connection to {} (yarnnn connect {provider})", provider.name()));
        self.connections.list(user).await?.into_iter().find(|it| it.provider == provider).ok_or_else(none)
    }

    async fn platform(&self, scene: &Scene<'_>, opened: &OpenConnection, platform: Platform) -> Result<SyncedPlatform, Error> {
        let (client, probe) = match scene.asked.as_ref().filter(|it| it.platform == platform) {
            Some(Asked { probe: Err(error), .. }) => return Ok(SyncedPlatform::refused(platform, error)),
            Some(Asked { client, probe: Ok(probe), .. }) => (client.clone(), Some(probe.clone())),
            None => (opened.client(platform), None),
        };
        match self.read(scene, client.as_ref(), probe, platform).await {
            Ok(report) => Ok(report),
            Err(Error::Platform(error)) => Ok(SyncedPlatform::refused(platform, &error)),
            Err(error) => Err(error),
        }
    }

    async fn read(
        &self,
        scene: &Scene<'_>,
        client: &dyn PlatformClient,
        probe: Option<Probe>,
        platform: Platform,
    ) -> Result<SyncedPlatform, Error> {
        let probe = match probe {
            Some(probe) => probe,
            None => unless_cancelled(scene.watch, client.probe()).await??,
        };
        let known = scene.connection.landscape.selected_of(platform);
        let discovered = known.is_empty();
        let chosen = if discovered { self.discover(scene, client, platform).await? } else { known };
        let states = self.states(scene.user.id, &chosen).await?;
        let chosen: Vec<Resource> = chosen.into_iter().filter(|it| !states.get(&it.id).is_some_and(|it| it.excluded)).collect();
        if chosen.is_empty() {
            return Ok(nothing_to_read(platform, probe.account_id, !states.is_empty()));
        }
        scene.counters.total.fetch_add(chosen.len(), Ordering::Relaxed);
        let at_once = if platform == Platform::Notion { 1 } else { AT_ONCE };
        let runs = chosen.into_iter().map(|it| {
            // Reading what is new of a page is reading the page once more.
            let is_page = it.kind == ResourceKind::Page;
            let audit = if is_page { AuditWish::None } else { scene.audit(platform, states.get(&it.id)) };
            self.resource(scene, client, it, audit)
        });
        let outcomes: Vec<LiveOutcome> = futures::stream::iter(runs).buffered(at_once).try_collect().await?;
        let is_gone = |it: &&LiveOutcome| matches!(it.error, Some(PlatformError::ResourceGone { .. }));
        let gone: Vec<ResourceId> = outcomes.iter().filter(is_gone).map(|it| it.resource.id.clone()).collect();
        let resources = outcomes.into_iter().map(|it| synced(platform, it)).collect();
        let shows_nothing = !discovered && unless_cancelled(scene.watch, self.look_again(scene, client, platform, &gone)).await?;
        let report = SyncedPlatform::of(platform, probe.account_id, resources);
        Ok(if shows_nothing && report.outcome.is_ok() { shown_nothing(report) } else { report })
    }

    async fn states(&self, user: UserId, chosen: &[Resource]) -> Result<BTreeMap<ResourceId, ResourceStatus>, Error> {
        if chosen.is_empty() {
            return Ok(BTreeMap::new());
        }
        let ids: Vec<ResourceId> = chosen.iter().map(|it| it.id.clone()).collect();
        let known = self.content.coverage(user, &ids).await?;
        Ok(known.into_iter().map(|it| (it.resource.clone(), it)).collect())
    }

    /// Lists what can be read and chooses by default where nothing is chosen.
    async fn discover(&self, scene: &Scene<'_>, client: &dyn PlatformClient, platform: Platform) -> Result<Vec<Resource>, Error> {
        let found = unless_cancelled(scene.watch, listed(client)).await??;
        let limit = source_limit(scene.user.tier, platform);
        let saved = self.connections.update(scene.connection, |now| {
            let mut landscape = now.landscape.clone();
            landscape.replace(platform, found.clone(), &[]);
            if landscape.selected_of(platform).is_empty() {
                landscape.choose_defaults(platform, limit);
            }
            Some(ConnectionChange { landscape: Some(landscape), ..ConnectionChange::of(now, self.clock.now()) })
        });
        Ok(saved.await?.landscape.selected_of(platform))
    }

    /// Looks what can be read now; answers whether nothing is shown any more. A list that cannot be had, or is empty, leaves what
    /// is known (dossier §4.11).
    async fn look_again(&self, scene: &Scene<'_>, client: &dyn PlatformClient, platform: Platform, gone: &[ResourceId]) -> bool {
        let found = match listed(client).await {
            Ok(found) if !found.is_empty() => found,
            Ok(_) => return true,
            Err(error) => {
                tracing::warn!(%platform, %error, "the list of sources could not be refreshed");
                return false;
            }
        };
        let saved = self.connections.update(scene.connection, |now| {
            let mut landscape = now.landscape.clone();
            landscape.replace(platform, found.clone(), gone);
            (landscape != now.landscape)
                .then(|| ConnectionChange { landscape: Some(landscape), ..ConnectionChange::of(now, self.clock.now()) })
        });
        if let Err(error) = saved.await {
            tracing::warn!(%platform, %error, "the list of sources could not be stored");
        }
        false
    }

    async fn resource(
        &self,
        scene: &Scene<'_>,
        client: &dyn PlatformClient,
        resource: Resource,
        audit: AuditWish,
    ) -> Result<LiveOutcome, Error> {
        let options = scene.options(client.platform(), &resource);
        let (first_cap, later_cap) = caps(scene.user.tier, resource.kind);
        let live = LiveResource { resource, audit, first_cap, later_cap };
        let outcome = self.sync.live(client, &options, &live).await?;
        scene.counters.done.fetch_add(1, Ordering::Relaxed);
        Ok(outcome)
    }

    /// Stores what became of the connection, and a line per platform with the user's own numbers.
    /// Only a sync of all its platforms counts as one of the connection.
    async fn recorded(
        &self,
        connection: &Connection,
        reports: Vec<SyncedPlatform>,
        is_whole: bool,
    ) -> Result<Vec<SyncedPlatform>, Error> {
        let succeeded = is_whole && reports.iter().all(|it| it.outcome != SyncOutcome::Failed);
        let problem = reports.iter().find_map(|it| it.error.clone());
        let mut current = connection.clone();
        for (index, report) in reports.iter().enumerate() {
            let is_last = index + 1 == reports.len();
            let activity = self.activity(report);
            let saved = self.connections.update(&current, |now| {
                Some(ConnectionChange {
                    status: is_last.then(|| (now.status, Self::problem_of(now, problem.as_deref()))),
                    last_synced_at: (is_last && succeeded).then(|| self.clock.now()),
                    activity: Some(activity.clone()),
                    ..ConnectionChange::of(now, self.clock.now())
                })
            });
            current = saved.await?;
        }
        Ok(reports)
    }

    /// What is wrong with a connection. One that ended meanwhile keeps its own reason.
    fn problem_of(now: &Connection, problem: Option<&str>) -> Option<String> {
        let ended = now.status != ConnectionStatus::Active;
        problem.map(str::to_owned).or_else(|| now.last_error.clone().filter(|_| ended))
    }

    fn activity(&self, report: &SyncedPlatform) -> NewActivity {
        let ids = self.ids.as_ref();
        let SyncedPlatform { platform, items_synced, outcome, .. } = report;
        let word = if outcome.is_ok() { "success" } else { outcome.as_str() };
        let mut metadata = json!({ "platform": platform, "items_synced": items_synced, "outcome": outcome });
        if let Some(error) = &report.error {
            metadata["error"] = error.clone().into();
        }
        let summary = format!("Synced {platform}: {items_synced} items ({word})");
        NewActivity { id: ActivityId::fresh(ids), kind: ActivityKind::PlatformSynced, key: ids.uuid(), summary, metadata }
    }
}

/// What is waited for. A sync that is asked to stop does not wait.
async fn unless_cancelled<T>(watch: &SyncWatch, wait: impl Future<Output = T>) -> Result<T, Error> {
    watch.cancel.unless_cancelled(wait).await.ok_or(Error::Cancelled)
}

/// Whether a request is for everything that its connection yields.
const fn is_whole(request: &SyncRequest) -> bool {
    request.platform.is_none() || request.provider.platforms().len() == 1
}

/// What to say without calling anybody: the connection has ended, or its turn has passed.
fn without_calling(
    user: &User,
    connection: &Connection,
    request: &SyncRequest,
    platforms: &[Platform],
    now: DateTime<Utc>,
) -> Option<Vec<SyncedPlatform>> {
    if connection.status != ConnectionStatus::Active {
        let status = connection.status.as_str();
        let again = format!("yarnnn connect {}", connection.provider);
        let problem = connection.last_error.clone().unwrap_or_else(|| format!("the connection is {status}: {again}"));
        return Some(platforms.iter().map(|it| SyncedPlatform::failed(*it, problem.clone(), true)).collect());
    }
    let scheduled = request.trigger == SyncTrigger::Scheduled;
    let due = needs_sync(SyncFrequency::of(user.tier), connection.last_synced_at, now);
    (scheduled && !due).then(|| platforms.iter().map(|it| SyncedPlatform::skipped(*it, "not_due")).collect())
}

/// The platforms of the connection that were granted, and asked for.
fn platforms(connection: &Connection, request: &SyncRequest) -> Vec<Platform> {
    let granted = connection.metadata.get("capabilities").and_then(|it| serde_json::from_value::<Vec<Platform>>(it.clone()).ok());
    let granted = granted.filter(|it| !it.is_empty());
    let of_provider = request.provider.platforms().iter().copied();
    let wanted = of_provider.filter(|it| request.platform.is_none_or(|wanted| wanted == *it));
    wanted.filter(|it| granted.as_ref().is_none_or(|granted| granted.contains(it))).collect()
}

impl Scene<'_> {
    fn audit(&self, platform: Platform, state: Option<&ResourceStatus>) -> AuditWish {
        let every = platform.time_to_live() / AUDITS_PER_LIFE;
        let long_ago = |state: &ResourceStatus| state.audited_at.is_none_or(|at| self.now - at >= every);
        match self.trigger {
            SyncTrigger::Manual => AuditWish::Asked,
            SyncTrigger::Scheduled if state.is_some_and(long_ago) => AuditWish::Due,
            SyncTrigger::Scheduled => AuditWish::None,
        }
    }

    fn options(&self, platform: Platform, resource: &Resource) -> SyncOptions {
        let observer = self.watch.progress.clone().map(|tell| {
            let (counters, reading) = (self.counters.clone(), format!("{platform} {}", resource.name));
            let before = AtomicU64::new(0);
            let observe = move |event: SyncEvent| {
                if let SyncEvent::Page { records } = event {
                    let more = records.saturating_sub(before.swap(records, Ordering::Relaxed));
                    let items = counters.items.fetch_add(more, Ordering::Relaxed) + more;
                    let (done, total) = (counters.done.load(Ordering::Relaxed), counters.total.load(Ordering::Relaxed));
                    tell(SyncProgress { reading: reading.clone(), done, total, items });
                }
            };
            Arc::new(observe) as Arc<dyn Fn(SyncEvent) + Send + std::marker::Sync>
        });
        SyncOptions {
            user: self.user.id,
            origin: Origin::Live,
            connection: Some((self.connection.id, self.connection.epoch)),
            window: first_window(platform, self.now),
            cancel: self.watch.cancel.clone(),
            observer,
        }
    }
}

/// Records of the first and of every later fetch (dossier §4.7 to §4.10); rows of a database by tier.
const fn caps(tier: Tier, kind: ResourceKind) -> (Option<u32>, Option<u32>) {
    match kind {
        ResourceKind::Channel => (Some(1_000), Some(500)),
        ResourceKind::Label | ResourceKind::Calendar => (Some(200), Some(200)),
        ResourceKind::Page => (None, None),
        ResourceKind::Database => match tier {
            Tier::Free => (Some(100), Some(100)),
            Tier::Starter => (Some(200), Some(200)),
            Tier::Pro => (Some(300), Some(300)),
        },
    }
}

fn synced(platform: Platform, outcome: LiveOutcome) -> SyncedResource {
    let LiveOutcome { resource, changed, gone, quarantined, gaps, error, .. } = outcome;
    let name = &resource.name;
    let (outcome, error) = match (error, quarantined.first()) {
        (Some(error), _) => (SyncOutcome::Failed, Some(format!("{platform} {name}: {error}"))),
        (None, Some(first)) => (SyncOutcome::Degraded, Some(format!("{platform} {name}: {first}"))),
        (None, None) if changed > 0 => (SyncOutcome::Ok, None),
        (None, None) => (SyncOutcome::OkEmpty, None),
    };
    SyncedResource {
        resource_id: resource.id.as_str().to_owned(),
        name: resource.name,
        outcome,
        items: changed,
        gone,
        error,
        gaps,
    }
}

/// A token may be replaced by one of another account behind our back; what it shows must not be mixed. The account was named by
/// the first platform that was granted; why that does not answer is its own failure, and says nothing about the others.
async fn same_account(connection: &Connection, opened: &OpenConnection) -> Result<Option<Asked>, PlatformError> {
    let capabilities = connection.metadata.get("capabilities").and_then(|it| it.get(0)?.as_str()?.parse().ok());
    let first = capabilities.or_else(|| connection.provider.platforms().first().copied());
    let (Some(known), Some(platform)) = (connection.account_id(), first) else { return Ok(None) };
    let client = opened.client(platform);
    match client.probe().await {
        Ok(probe) if probe.account_id != known => {
            let (provider, account) = (connection.provider, probe.account_id);
            let action =
                format!("{} answers as {account}, but {known} was connected: yarnnn connect {provider}", provider.name());
            Err(PlatformError::NeedsUser { action })
        }
        probe => Ok(Some(Asked { platform, client, probe })),
    }
}

/// Nothing is synced: because the person wants it so, or because nothing was shown, which nobody wants.
fn nothing_to_read(platform: Platform, account: String, excluded: bool) -> SyncedPlatform {
    let report = SyncedPlatform::of(platform, account, vec![]);
    if excluded { SyncedPlatform { skipped: Some("all_excluded".into()), ..report } } else { shown_nothing(report) }
}

/// The provider answers and shows nothing at all: that is no empty account, but one that shows nothing to us.
fn shown_nothing(report: SyncedPlatform) -> SyncedPlatform {
    let platform = report.platform;
    let what = match platform {
        Platform::Slack => "the app sees no channel: invite it to one, or give it channels:read",
        Platform::Gmail => "the account shows no label",
        Platform::Calendar => "the account shows no calendar",
        Platform::Notion => "the integration sees no page: share one with it (… menu of the page, Connections)",
    };
    SyncedPlatform { outcome: SyncOutcome::Degraded, error: Some(format!("{platform}: {what}")), needs_user: true, ..report }
}
