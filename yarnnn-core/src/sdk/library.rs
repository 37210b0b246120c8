//! What sessions of the agent may see besides content, put together from the stores of several features.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use crate::agent::{
    DeliverableView, Entity, EntityKind, FailedJob, FieldFilter, Identifier, Library, ListOrder, Pattern, PlatformState,
    PlatformView, Reference, ReportView, ResourceView, SchedulerHealth, SystemState,
};
use crate::connections::{Connection, ConnectionStore, Provider};
use crate::deliverables::{Deliverable, DeliverableStore, Version, VersionStore};
use crate::error::StoreError;
use crate::heartbeat::Heartbeat;
use crate::id::UserId;
use crate::jobs::{JobAdmin, JobFilter, JobStatus};
use crate::platform::Platform;
use crate::scheduler::PhaseStore;
use crate::sync::{ContentStore, ResourceStatus};

/// Failed jobs are told for this long, and this many (dossier §8.4).
const FAILED_WITHIN: TimeDelta = TimeDelta::hours(24);
const FAILED_JOBS: usize = 10;
/// Jobs that are looked at for those.
const JOBS_LOOKED_AT: u32 = 100;
/// Versions that are looked at for one that was finished: the newest is often the one that is being written.
const VERSIONS_LOOKED_AT: u32 = 10;

/// Reads from the stores.
pub(super) struct StoreLibrary {
    pub(super) connections: Arc<dyn ConnectionStore>,
    pub(super) content: Arc<dyn ContentStore>,
    pub(super) deliverables: Arc<dyn DeliverableStore>,
    pub(super) versions: Arc<dyn VersionStore>,
    pub(super) jobs: Arc<dyn JobAdmin>,
    pub(super) phases: Arc<dyn PhaseStore>,
}

#[async_trait]
impl Library for StoreLibrary {
    async fn read(&self, user: UserId, reference: &Reference) -> Result<Option<Entity>, StoreError> {
        match reference.kind {
            EntityKind::Deliverable => self.deliverable(user, &reference.identifier).await,
            EntityKind::Platform => self.platform(user, &reference.identifier).await,
            _ => Ok(None),
        }
    }

    async fn list(&self, user: UserId, pattern: &Pattern) -> Result<Vec<Entity>, StoreError> {
        let mut entities: Vec<Entity> = match pattern.kind {
            EntityKind::Deliverable => self.fitting_deliverables(user, pattern).await?,
            EntityKind::Platform => {
                let platforms = self.platforms(user).await?;
                platforms.into_iter().map(|(view, _)| Entity::Platform(PlatformView { resources: vec![], ..view })).collect()
            }
            _ => Vec::new(),
        };
        entities.sort_by_cached_key(|it| sort_key(it, pattern.order));
        if !pattern.ascending {
            entities.reverse();
        }
        entities.truncate(pattern.limit);
        Ok(entities)
    }

    async fn state(&self, user: UserId, at: DateTime<Utc>) -> Result<SystemState, StoreError> {
        let platforms = self.platforms(user).await?;
        let platforms = platforms.into_iter().map(|(view, unsynced)| PlatformState { view, unsynced });
        let last_tick = self.phases.latest(Heartbeat::NAME, Some(at)).await?;
        Ok(SystemState {
            platforms: platforms.collect(),
            failed_jobs: self.failed_jobs(user, at).await?,
            scheduler: last_tick.map(|last_heartbeat_at| SchedulerHealth { last_heartbeat_at }),
        })
    }
}

impl StoreLibrary {
    async fn deliverable(&self, user: UserId, identifier: &Identifier) -> Result<Option<Entity>, StoreError> {
        let found = match identifier {
            Identifier::Named(name) => match name.parse() {
                Ok(id) => present(self.deliverables.get(user, id).await)?,
                Err(_) => None,
            },
            Identifier::Latest => self.deliverables.list(user).await?.into_iter().max_by_key(|it| it.created_at),
            _ => None,
        };
        let Some(deliverable) = found else { return Ok(None) };
        let versions = self.versions.recent(user, deliverable.id, VERSIONS_LOOKED_AT).await?;
        let newest = versions.into_iter().find(|it| it.final_content.is_some());
        Ok(Some(Entity::Deliverable(deliverable_view(deliverable, newest.map(report_view)))))
    }

    async fn fitting_deliverables(&self, user: UserId, pattern: &Pattern) -> Result<Vec<Entity>, StoreError> {
        let fits = |it: &Deliverable| match &pattern.filter {
            Some(FieldFilter::Status(status)) => it.status.as_str() == status,
            Some(FieldFilter::Platform(_)) => false,
            None => true,
        };
        let all = self.deliverables.list(user).await?;
        Ok(all.into_iter().filter(fits).map(|it| Entity::Deliverable(deliverable_view(it, None))).collect())
    }

    async fn platform(&self, user: UserId, identifier: &Identifier) -> Result<Option<Entity>, StoreError> {
        let platforms = self.platforms(user).await?.into_iter().map(|(view, _)| view);
        let found = match identifier {
            Identifier::Named(name) => platforms.into_iter().find(|it| it.platform.as_str() == name),
            Identifier::Latest => platforms.max_by_key(|it| it.last_synced_at),
            _ => None,
        };
        Ok(found.map(Entity::Platform))
    }

    /// The platforms that are connected or have content, each with the names of what could be synced and is not.
    async fn platforms(&self, user: UserId) -> Result<Vec<(PlatformView, Vec<String>)>, StoreError> {
        let connections = self.connections.connections(user).await?;
        let coverage = self.content.coverage(user, &[]).await?;
        let views = Platform::ALL.into_iter().filter_map(|platform| {
            let connection = connections.iter().find(|it| it.provider == Provider::of(platform));
            let resources: Vec<&ResourceStatus> = coverage.iter().filter(|it| it.resource.platform() == platform).collect();
            let is_known = connection.is_some() || !resources.is_empty();
            is_known.then(|| (platform_view(platform, connection, &resources), unsynced(platform, connection)))
        });
        Ok(views.collect())
    }

    async fn failed_jobs(&self, user: UserId, at: DateTime<Utc>) -> Result<Vec<FailedJob>, StoreError> {
        let statuses = vec![JobStatus::Failed, JobStatus::Dead, JobStatus::NeedsHuman];
        let filter = JobFilter { statuses, kind: None, owner: Some(user), limit: JOBS_LOOKED_AT };
        let jobs = self.jobs.list(&filter).await?;
        let is_recent = |it: &Option<DateTime<Utc>>| it.is_some_and(|ended| ended > at - FAILED_WITHIN && ended <= at);
        let mut failed: Vec<FailedJob> = jobs
            .into_iter()
            .filter(|it| it.owner == Some(user) && is_recent(&it.finished_at))
            .map(|it| FailedJob { job_id: it.id, kind: it.kind, error_message: it.error, failed_at: it.finished_at })
            .collect();
        failed.sort_by_key(|it| std::cmp::Reverse(it.failed_at));
        failed.truncate(FAILED_JOBS);
        Ok(failed)
    }
}

/// What is not there is no error here.
fn present<T>(found: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match found {
        Ok(it) => Ok(Some(it)),
        Err(StoreError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn deliverable_view(deliverable: Deliverable, latest_version: Option<ReportView>) -> DeliverableView {
    DeliverableView {
        id: deliverable.id,
        titled_by_model: deliverable.is_model_made(),
        title: deliverable.title,
        description: deliverable.description,
        deliverable_type: deliverable.report_type.as_str().to_owned(),
        status: deliverable.status.as_str().to_owned(),
        schedule: deliverable.schedule.as_ref().map(crate::scheduler::Schedule::describe),
        sources: deliverable.sources.into_iter().map(|it| it.resource_name).collect(),
        next_run_at: deliverable.next_run_at,
        last_run_at: deliverable.last_run_at,
        created_at: deliverable.created_at,
        latest_version,
    }
}

fn report_view(version: Version) -> ReportView {
    ReportView {
        version_number: version.number,
        status: version.status.as_str().to_owned(),
        created_at: version.created_at,
        delivered_at: version.delivered_at,
        content: version.final_content,
    }
}

fn platform_view(platform: Platform, connection: Option<&Connection>, resources: &[&ResourceStatus]) -> PlatformView {
    let newest_sync = resources.iter().filter_map(|it| it.last_synced_at).max();
    PlatformView {
        platform,
        status: connection.map_or("imported", |it| it.status.as_str()).to_owned(),
        last_synced_at: newest_sync.or_else(|| connection.and_then(|it| it.last_synced_at)),
        total_items_synced: resources.iter().map(|it| it.item_count).sum(),
        synced_resources_count: resources.iter().filter(|it| it.last_synced_at.is_some()).count(),
        resources: resources.iter().map(|it| resource_view(it)).collect(),
    }
}

fn resource_view(status: &ResourceStatus) -> ResourceView {
    ResourceView {
        resource_id: status.resource.clone(),
        resource_name: status.resource_name.clone(),
        is_covered: status.last_synced_at.is_some(),
        item_count: status.item_count,
        last_synced_at: status.last_synced_at,
        last_error: status.last_error.clone(),
    }
}

fn unsynced(platform: Platform, connection: Option<&Connection>) -> Vec<String> {
    let landscape = connection.map(|it| &it.landscape);
    let resources = landscape.into_iter().flat_map(|it| it.resources.iter().filter(|known| !it.selected.contains(&known.id)));
    resources.filter(|it| it.id.platform() == platform).map(|it| it.name.clone()).collect()
}

fn sort_key(entity: &Entity, order: ListOrder) -> (Option<DateTime<Utc>>, String) {
    let (updated, created, title) = match entity {
        Entity::Deliverable(it) => (it.last_run_at.or(Some(it.created_at)), Some(it.created_at), it.title.to_lowercase()),
        Entity::Platform(it) => (it.last_synced_at, None, it.platform.as_str().to_owned()),
    };
    match order {
        ListOrder::UpdatedAt => (updated, title),
        ListOrder::CreatedAt => (created, title),
        ListOrder::Title => (None, title),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::connections::{ConnectionStatus, Landscape, MockConnectionStore};
    use crate::deliverables::{
        Binding, DeliverableOrigin, DeliverableStatus, Destination, MockDeliverableStore, MockVersionStore, ReportOptions,
        ReportType, RunState, Step, TriggerType, VersionStatus,
    };
    use crate::id::{ConnectionId, DeliverableId, JobId, VersionId};
    use crate::jobs::{JobPolicy, JobRecord, MockJobAdmin};
    use crate::platform::{Interval, Resource, ResourceId, ResourceKind};
    use crate::scheduler::MockPhaseStore;
    use crate::sync::MockContentStore;

    const USER: UserId = UserId::LOCAL;
    const SECRET: &str = "xoxb-secret";

    fn now() -> DateTime<Utc> {
        "2026-03-02T09:00:00Z".parse().unwrap()
    }

    fn deliverable(number: u128) -> Deliverable {
        Deliverable {
            id: DeliverableId::from_uuid(Uuid::from_u128(number)),
            user: USER,
            title: format!("Digest {number}"),
            description: None,
            report_type: ReportType::stored("status_report".into()),
            sources: vec![],
            destinations: vec![Destination::Email { address: "reader@example.com".parse().unwrap() }],
            options: ReportOptions::default(),
            origin: DeliverableOrigin::UserConfigured,
            trigger: TriggerType::Manual,
            schedule: None,
            status: if number == 2 { DeliverableStatus::Paused } else { DeliverableStatus::Active },
            next_run_at: None,
            last_run_at: None,
            created_at: now() + TimeDelta::hours(i64::try_from(number).unwrap()),
            updated_at: now(),
        }
    }

    fn version(number: u32, final_content: Option<&str>) -> Version {
        let window = Interval { from: now() - TimeDelta::days(1), to: now() };
        let state = RunState::of(Binding::CrossPlatform, (now(), now()), window);
        Version {
            id: VersionId::from_uuid(Uuid::from_u128(number.into())),
            user: USER,
            deliverable: DeliverableId::from_uuid(Uuid::from_u128(1)),
            number,
            status: VersionStatus::Generating,
            step: Step::Gathered,
            run_key: None,
            state,
            draft: Some("unproven".into()),
            final_content: final_content.map(str::to_owned),
            delivery_error: None,
            held_by: None,
            held_until: None,
            created_at: now(),
            delivered_at: None,
        }
    }

    fn connection() -> Connection {
        let resource = |id: &str| Resource {
            id: ResourceId::new(Platform::Slack, id).unwrap(),
            name: format!("#{id}"),
            kind: ResourceKind::Channel,
            metadata: json!({}),
        };
        let metadata = json!({ "account_name": "reader@example.com", "bot_token": SECRET });
        Connection {
            id: ConnectionId::from_uuid(Uuid::from_u128(1)),
            user: USER,
            provider: Provider::Slack,
            status: ConnectionStatus::Expired,
            metadata: metadata.as_object().cloned().unwrap(),
            landscape: Landscape { resources: vec![resource("a"), resource("b")], selected: vec![resource("a").id] },
            landscape_discovered_at: None,
            last_synced_at: None,
            last_error: None,
            version: 1,
            epoch: 1,
            created_at: now(),
        }
    }

    fn job(number: u128, owner: UserId, hours_ago: i64) -> JobRecord {
        JobRecord {
            id: JobId::from_uuid(Uuid::from_u128(number)),
            kind: "sync_connection".into(),
            lane: "default".into(),
            priority: 5,
            owner: Some(owner),
            payload: json!({}),
            status: JobStatus::Failed,
            attempt: 1,
            crashes: 0,
            reschedules: 0,
            policy: JobPolicy::default(),
            run_at: now(),
            started_at: None,
            finished_at: Some(now() - TimeDelta::hours(hours_ago)),
            worker: None,
            lease_until: None,
            key: None,
            correlation: String::new(),
            parent: None,
            progress: None,
            result: None,
            error: Some("it broke".into()),
            cause: None,
            cancel_requested: false,
            expired: false,
            created_at: now(),
        }
    }

    fn library() -> StoreLibrary {
        let mut connections = MockConnectionStore::new();
        connections.expect_connections().returning(|user| Ok(if user == USER { vec![connection()] } else { vec![] }));
        let mut content = MockContentStore::new();
        content.expect_coverage().returning(|_, _| Ok(vec![]));
        let mut deliverables = MockDeliverableStore::new();
        deliverables.expect_list().returning(|user| Ok(if user == USER { (1..=3).map(deliverable).collect() } else { vec![] }));
        deliverables.expect_get().returning(|user, id| {
            let found = (1..=3).map(deliverable).find(|it| it.id == id && it.user == user);
            found.ok_or_else(|| StoreError::NotFound { what: "deliverable".into() })
        });
        let mut versions = MockVersionStore::new();
        versions.expect_recent().returning(|_, _, _| Ok(vec![version(5, None), version(4, Some("It moved."))]));
        let mut jobs = MockJobAdmin::new();
        let stranger = UserId::from_uuid(Uuid::from_u128(77));
        jobs.expect_list().returning(move |_| Ok(vec![job(1, USER, 30), job(2, USER, 3), job(3, stranger, 1), job(4, USER, 1)]));
        let mut phases = MockPhaseStore::new();
        phases.expect_latest().returning(|phase, by| {
            let ticks = [now() - TimeDelta::hours(1), now()];
            Ok(ticks.into_iter().rfind(|it| phase == "heartbeat" && by.is_some_and(|by| *it <= by)))
        });
        StoreLibrary {
            connections: Arc::new(connections),
            content: Arc::new(content),
            deliverables: Arc::new(deliverables),
            versions: Arc::new(versions),
            jobs: Arc::new(jobs),
            phases: Arc::new(phases),
        }
    }

    async fn read(user: UserId, reference: &str) -> Option<serde_json::Value> {
        let found = library().read(user, &reference.parse().unwrap()).await.unwrap();
        found.map(|it| serde_json::to_value(it).unwrap())
    }

    #[tokio::test]
    async fn a_deliverable_is_read_with_the_newest_report_that_was_finished() {
        let latest = read(USER, "deliverable:latest").await.unwrap();
        assert_eq!((&latest["title"], &latest["latest_version"]["content"]), (&json!("Digest 3"), &json!("It moved.")));
        assert_eq!(latest["latest_version"]["version_number"], 4);
        let text = latest.to_string();
        assert!(!text.contains("reader@example.com") && !text.contains("unproven"), "{text}");
        let by_id = format!("deliverable:{}", deliverable(1).id);
        assert!(read(USER, &by_id).await.is_some());
        assert!(read(UserId::from_uuid(Uuid::from_u128(77)), &by_id).await.is_none());
        for nothing in ["deliverable:x", "memory:role", "platform:gmail", "system:state"] {
            assert!(read(USER, nothing).await.is_none(), "{nothing}");
        }
    }

    #[tokio::test]
    async fn a_platform_shows_neither_its_account_nor_its_secrets() {
        let platform = read(USER, "platform:slack").await.unwrap();
        assert_eq!((&platform["status"], &platform["synced_resources_count"]), (&json!("expired"), &json!(0)));
        assert!(!platform.to_string().contains(SECRET) && !platform.to_string().contains("reader@"));
    }

    #[tokio::test]
    async fn lists_are_filtered_sorted_and_cut() {
        let pattern = |filter, ascending| Pattern {
            kind: EntityKind::Deliverable,
            filter,
            limit: 2,
            order: ListOrder::CreatedAt,
            ascending,
        };
        let titles = async |pattern| {
            let found = library().list(USER, &pattern).await.unwrap();
            found.iter().map(|it| serde_json::to_value(it).unwrap()["title"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(titles(pattern(None, false)).await, ["Digest 3", "Digest 2"]);
        assert_eq!(titles(pattern(None, true)).await, ["Digest 1", "Digest 2"]);
        assert_eq!(titles(pattern(Some(FieldFilter::Status("paused".into())), true)).await, ["Digest 2"]);
    }

    #[tokio::test]
    async fn the_state_has_the_users_own_failed_jobs_of_a_day() {
        let state = library().state(USER, now()).await.unwrap();
        let failed: Vec<JobId> = state.failed_jobs.iter().map(|it| it.job_id).collect();
        assert_eq!(failed, [4, 2].map(|it| JobId::from_uuid(Uuid::from_u128(it))));
        assert_eq!((state.platforms.len(), state.platforms[0].unsynced.as_slice()), (1, ["#b".to_owned()].as_slice()));
    }

    #[tokio::test]
    async fn the_last_tick_is_that_which_had_ended_by_the_instant_of_the_run() {
        let last = async |at| library().state(USER, at).await.unwrap().scheduler.map(|it| it.last_heartbeat_at);
        assert_eq!(last(now() - TimeDelta::microseconds(1)).await, Some(now() - TimeDelta::hours(1)));
        assert_eq!(last(now() - TimeDelta::hours(2)).await, None);
    }

    #[tokio::test]
    async fn anybody_may_know_when_the_scheduler_ran_last() {
        let stranger = UserId::from_uuid(Uuid::from_u128(77));
        for user in [USER, stranger] {
            let state = library().state(user, now()).await.unwrap();
            assert_eq!(state.scheduler, Some(SchedulerHealth { last_heartbeat_at: now() }));
        }
    }
}
