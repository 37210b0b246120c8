//! A report that is resumed goes on from now, and one that takes none of its tier's slots may always be.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use yarnnn::accounts::{Tier, User};
use yarnnn::deliverables::{
    CreateDeliverable, Deliverable, DeliverableOrigin, DeliverableStatus, DeliverableStore, DeliverableUpdate, Destination,
    NewDeliverable, ReportOptions, ReportType, ResumeDeliverable, Schedule, SlotStore, TriggerType,
};
use yarnnn::id::{DeliverableId, RandomIds, UserId};
use yarnnn::models::ExtractiveModel;
use yarnnn::store::SqlStore;
use yarnnn::{HostProcesses, StoreError, Stores, Yarnnn};
use yarnnn_sim::VirtualClock;

/// A tick looks at what is due right after something is made active.
struct Watched {
    inner: Arc<dyn DeliverableStore>,
    slots: Arc<dyn SlotStore>,
    due: Arc<AtomicUsize>,
}

#[async_trait]
impl DeliverableStore for Watched {
    async fn create(&self, deliverable: NewDeliverable) -> Result<(), StoreError> {
        self.inner.create(deliverable).await
    }

    async fn get(&self, user: UserId, id: DeliverableId) -> Result<Deliverable, StoreError> {
        self.inner.get(user, id).await
    }

    async fn list(&self, user: UserId) -> Result<Vec<Deliverable>, StoreError> {
        self.inner.list(user).await
    }

    async fn update(&self, update: DeliverableUpdate) -> Result<(), StoreError> {
        self.inner.update(update).await
    }

    async fn set_status(
        &self,
        user: UserId,
        id: DeliverableId,
        status: DeliverableStatus,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.inner.set_status(user, id, status, at).await
    }

    async fn resume(&self, resume: ResumeDeliverable) -> Result<(), StoreError> {
        self.inner.resume(resume).await?;
        self.due.fetch_add(self.slots.due_anywhere(resume.at, None, 9).await?.len(), Ordering::Relaxed);
        Ok(())
    }

    async fn due(&self, user: UserId, at: DateTime<Utc>) -> Result<Vec<Deliverable>, StoreError> {
        self.inner.due(user, at).await
    }

    async fn reschedule(
        &self,
        user: UserId,
        id: DeliverableId,
        seen: DateTime<Utc>,
        next: Option<DateTime<Utc>>,
    ) -> Result<(), StoreError> {
        self.inner.reschedule(user, id, seen, next).await
    }
}

struct Desk {
    yarnnn: Yarnnn,
    stores: Stores,
    clock: Arc<VirtualClock>,
    user: User,
    due: Arc<AtomicUsize>,
}

impl Desk {
    async fn new() -> Self {
        let clock = Arc::new(VirtualClock::at("2026-03-05T09:00:00Z".parse().unwrap()));
        let stores = Stores::of(SqlStore::in_memory().await.unwrap().with_clock(clock.clone()));
        let due = Arc::new(AtomicUsize::new(0));
        let watched = Watched { inner: stores.deliverables.clone(), slots: stores.slots.clone(), due: due.clone() };
        let watched = Stores { deliverables: Arc::new(watched), ..stores.clone() };
        let yarnnn = Yarnnn::builder(watched, Arc::new(ExtractiveModel::new()), Arc::new(HostProcesses::default()));
        let yarnnn = yarnnn.clock(clock.clone()).build();
        let user = User { tier: Tier::Free, ..yarnnn.local_user().await.unwrap() };
        Self { yarnnn, stores, clock, user, due }
    }

    async fn create(&self, title: &str, schedule: Option<Schedule>) -> Deliverable {
        let create = CreateDeliverable { schedule, ..CreateDeliverable::new("status_report", title) };
        self.yarnnn.deliverables().create(&self.user, create).await.unwrap()
    }

    async fn pause(&self, id: DeliverableId, paused: bool) {
        self.yarnnn.deliverables().pause(&self.user, id, paused).await.unwrap();
    }

    async fn status(&self, id: DeliverableId) -> DeliverableStatus {
        self.yarnnn.deliverables().show(self.user.id, id).await.unwrap().0.status
    }
}

#[tokio::test]
async fn a_tick_fires_nothing_old_of_what_is_being_resumed() {
    let desk = Desk::new().await;
    let report = desk.create("Daily", Some(Schedule::parse("daily", None, Some("13:00"), None).unwrap())).await;
    desk.pause(report.id, true).await;
    desk.clock.advance(TimeDelta::days(30));
    desk.pause(report.id, false).await;
    assert_eq!(desk.due.load(Ordering::Relaxed), 0, "what was missed is due for a moment");
    let (resumed, _) = desk.yarnnn.deliverables().show(desk.user.id, report.id).await.unwrap();
    assert_eq!(resumed.status, DeliverableStatus::Active);
    assert_eq!(resumed.next_run_at, Some("2026-04-04T13:00:00Z".parse().unwrap()));
}

#[tokio::test]
async fn what_takes_no_slot_is_resumed_whatever_the_tier_allows() {
    let desk = Desk::new().await;
    let once = DeliverableId::fresh(&RandomIds);
    let new = NewDeliverable {
        id: once,
        user: desk.user.id,
        title: "Prepare for the review".to_owned(),
        description: None,
        report_type: ReportType::parse("meeting_prep").unwrap(),
        sources: vec![],
        destinations: vec![Destination::Folder { path: None }],
        options: ReportOptions::default(),
        origin: DeliverableOrigin::SignalEmergent,
        trigger: TriggerType::Manual,
        schedule: None,
        next_run_at: None,
        slots: None,
        at: "2026-03-05T09:00:00Z".parse().unwrap(),
    };
    desk.stores.deliverables.create(new).await.unwrap();
    let own = desk.create("One", None).await;
    desk.create("Two", None).await;
    desk.pause(once, true).await;
    desk.pause(once, false).await;
    assert_eq!(desk.status(once).await, DeliverableStatus::Active);
    // What takes one still asks.
    desk.pause(own.id, true).await;
    desk.create("Three", None).await;
    let refused = desk.yarnnn.deliverables().pause(&desk.user, own.id, false).await.unwrap_err();
    assert!(refused.to_string().contains("allows 2 active deliverables"), "{refused}");
}
