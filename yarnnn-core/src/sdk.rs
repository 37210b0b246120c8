//! The handle that programs hold, and the builder that puts it together.

mod library;

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use self::library::StoreLibrary;
use crate::accounts::{AccountStore, Email, NewUser, PreferenceStore, User};
use crate::activity::ActivityLog;
use crate::agent::{Agent, Library, Registry, Research, ResearchMeans, WebPages, WritingMeans};
use crate::cleanup::{CleanUp, Cleanup, Retention};
use crate::clock::{Clock, SystemClock};
use crate::connections::{ConnectionStore, Connections, ConnectionsParts, CredentialStore, OAuth, OAuthStates};
use crate::deliverables::{
    DeliverableStore, Deliverables, DeliverablesParts, DraftStage, EventStore, FeedbackStore, FireDue, LeftRuns, LifecycleStore,
    Prompts, RunDeliverable, SendNotice, SlotStore, VersionMaterial, VersionStore, WaysOut,
};
use crate::delivery::{Channel, ChannelKind, DownloadChannel, Notices, Outbox};
use crate::error::Error;
use crate::evidence::EvidenceStore;
use crate::heartbeat::{Heartbeat, HeartbeatStore};
use crate::id::{IdGen, RandomIds, UserId};
use crate::imports::{ImportExports, Imports, OpenExports};
use crate::jobs::{Capacity, JobAdmin, JobKinds, JobQueue, Jobs, OpenLeaseKeeper, Presence, WakeUps, WorkerId};
use crate::llm::{LanguageModel, ModelLedger};
use crate::pipeline::{Liveness, StageCx};
use crate::platform::{OpenAccess, OpenPlatform};
use crate::platform_sync::{PlatformSync, SyncConnection};
use crate::scheduler::{PerUserPhase, PhaseStore, Phases, PhasesParts};
use crate::search::SearchIndex;
use crate::signals::{SignalProcessing, SignalStore, Signals, SignalsParts};
use crate::sync::{ContentStore, Sync};

/// The store ports, usually all of one store. Only the builder takes them as a bundle.
#[derive(Clone)]
pub struct Stores {
    /// Users and tiers.
    pub accounts: Arc<dyn AccountStore>,
    /// Which mails users want.
    pub preferences: Arc<dyn PreferenceStore>,
    /// Activity log.
    pub activity: Arc<dyn ActivityLog>,
    /// Connections.
    pub connections: Arc<dyn ConnectionStore>,
    /// Their secrets.
    pub credentials: Arc<dyn CredentialStore>,
    /// Sign-ins that are under way.
    pub oauth_states: Arc<dyn OAuthStates>,
    /// Content.
    pub content: Arc<dyn ContentStore>,
    /// Full text.
    pub search: Arc<dyn SearchIndex>,
    /// Deliverables.
    pub deliverables: Arc<dyn DeliverableStore>,
    /// Slots of their schedules.
    pub slots: Arc<dyn SlotStore>,
    /// Versions.
    pub versions: Arc<dyn VersionStore>,
    /// What versions were written from.
    pub version_material: Arc<dyn VersionMaterial>,
    /// What people made of versions.
    pub feedback: Arc<dyn FeedbackStore>,
    /// How deliverables come and go by themselves.
    pub lifecycle: Arc<dyn LifecycleStore>,
    /// What runs left behind.
    pub left_runs: Arc<dyn LeftRuns>,
    /// What waits for events.
    pub events: Arc<dyn EventStore>,
    /// Evidence.
    pub evidence: Arc<dyn EvidenceStore>,
    /// Outbox.
    pub outbox: Arc<dyn Outbox>,
    /// Mails that tell of reports.
    pub notices: Arc<dyn Notices>,
    /// Calls of models.
    pub model_ledger: Arc<dyn ModelLedger>,
    /// Pages of the web that reports were written from.
    pub web_pages: Arc<dyn WebPages>,
    /// Signals.
    pub signals: Arc<dyn SignalStore>,
    /// Slots of the phases of ticks.
    pub phases: Arc<dyn PhaseStore>,
    /// What was done for users.
    pub heartbeats: Arc<dyn HeartbeatStore>,
    /// What expires.
    pub retention: Arc<dyn Retention>,
    /// Jobs.
    pub jobs: Arc<dyn JobQueue>,
    /// Administration of jobs.
    pub job_admin: Arc<dyn JobAdmin>,
    /// Permits to call providers.
    pub capacity: Arc<dyn Capacity>,
    /// Workers that live.
    pub presence: Arc<dyn Presence>,
    /// What keeps leases.
    pub lease_keeper: Arc<dyn OpenLeaseKeeper>,
    /// What wakes workers.
    pub wake_ups: Arc<dyn WakeUps>,
}

impl fmt::Debug for Stores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stores").finish_non_exhaustive()
    }
}

impl Stores {
    /// All ports from one store.
    pub fn of<S>(store: S) -> Self
    where
        S: AccountStore + ActivityLog + ContentStore + SearchIndex + DeliverableStore + VersionStore + EvidenceStore + Outbox,
        S: VersionMaterial + ConnectionStore + CredentialStore + OAuthStates + ModelLedger + WebPages + SignalStore,
        S: SlotStore + PhaseStore + HeartbeatStore + Retention,
        S: PreferenceStore + FeedbackStore + LifecycleStore + LeftRuns + EventStore + Notices,
        S: JobQueue + JobAdmin + Capacity + Presence + OpenLeaseKeeper + WakeUps,
    {
        let store = Arc::new(store);
        Self {
            accounts: store.clone(),
            preferences: store.clone(),
            activity: store.clone(),
            connections: store.clone(),
            credentials: store.clone(),
            oauth_states: store.clone(),
            content: store.clone(),
            search: store.clone(),
            deliverables: store.clone(),
            slots: store.clone(),
            versions: store.clone(),
            version_material: store.clone(),
            feedback: store.clone(),
            lifecycle: store.clone(),
            left_runs: store.clone(),
            events: store.clone(),
            evidence: store.clone(),
            outbox: store.clone(),
            notices: store.clone(),
            model_ledger: store.clone(),
            web_pages: store.clone(),
            signals: store.clone(),
            phases: store.clone(),
            heartbeats: store.clone(),
            retention: store.clone(),
            jobs: store.clone(),
            job_admin: store.clone(),
            capacity: store.clone(),
            presence: store.clone(),
            lease_keeper: store.clone(),
            wake_ups: store,
        }
    }

    /// What writing sessions read from.
    pub fn writing_means(&self) -> WritingMeans {
        WritingMeans { content: self.content.clone(), search: self.search.clone(), library: self.library() }
    }

    /// What belongs to a user and is not content, as sessions may see it.
    pub fn library(&self) -> Arc<dyn Library> {
        Arc::new(StoreLibrary {
            connections: self.connections.clone(),
            content: self.content.clone(),
            deliverables: self.deliverables.clone(),
            versions: self.versions.clone(),
            jobs: self.job_admin.clone(),
            phases: self.phases.clone(),
        })
    }
}

/// Everything the library can do. Cheap to clone.
#[derive(Clone)]
pub struct Yarnnn {
    stores: Stores,
    deliverables: Deliverables,
    signals: Signals,
    jobs: Jobs,
    exports: Option<Arc<dyn OpenExports>>,
    live: Option<Live>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGen>,
}

/// What reaches live platforms.
#[derive(Clone)]
struct Live {
    platforms: Arc<dyn OpenPlatform>,
    oauth: Arc<dyn OAuth>,
}

impl Live {
    fn connections(&self, stores: &Stores, jobs: &Jobs) -> Connections {
        Connections::new(ConnectionsParts {
            accounts: stores.accounts.clone(),
            connections: stores.connections.clone(),
            credentials: stores.credentials.clone(),
            states: stores.oauth_states.clone(),
            oauth: self.oauth.clone(),
            platforms: self.platforms.clone(),
            capacity: stores.capacity.clone(),
            worker: WorkerId::new(jobs.liveness.me().process()),
            clock: jobs.clock.clone(),
            ids: jobs.ids.clone(),
        })
    }
}

/// Makes a channel that sends with the accounts that users have connected.
type AccountChannel = Box<dyn FnOnce(Arc<dyn OpenAccess>) -> Arc<dyn Channel> + Send>;

impl fmt::Debug for Yarnnn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Yarnnn").field("deliverables", &self.deliverables).finish_non_exhaustive()
    }
}

impl Yarnnn {
    /// Begins a handle over the given stores, writer and process table.
    pub fn builder(stores: Stores, model: Arc<dyn LanguageModel>, liveness: Arc<dyn Liveness>) -> YarnnnBuilder {
        YarnnnBuilder {
            stores,
            model,
            liveness,
            channels: vec![],
            account_channels: vec![],
            mail_as_files: false,
            research: None,
            research_model: None,
            fast_model: None,
            revisions: vec![],
            exports: None,
            live: None,
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds),
        }
    }

    /// Brings content in.
    pub fn sync(&self) -> Sync {
        Sync::new(self.stores.content.clone(), self.clock.clone(), self.ids.clone())
    }

    /// Reports: create, plan, run, verify.
    pub const fn deliverables(&self) -> &Deliverables {
        &self.deliverables
    }

    /// What deserves a report that nobody asked for.
    pub const fn signals(&self) -> &Signals {
        &self.signals
    }

    /// The job system.
    pub const fn jobs(&self) -> &Jobs {
        &self.jobs
    }

    /// The kinds of job that the features have: what a worker of this handle runs.
    pub fn job_kinds(&self) -> JobKinds {
        let deliverables = Arc::new(self.deliverables.clone());
        let mut kinds = JobKinds::new().with::<RunDeliverable>(deliverables.clone()).with::<SendNotice>(deliverables);
        kinds = kinds.with::<SignalProcessing>(Arc::new(self.signals.clone()));
        if let Some(imports) = self.imports() {
            kinds = kinds.with::<ImportExports>(Arc::new(imports));
        }
        if let Some(sync) = self.platform_sync() {
            kinds = kinds.with::<SyncConnection>(Arc::new(sync));
        }
        kinds
    }

    /// Accounts at providers, if the handle was given what reaches them.
    pub fn connections(&self) -> Option<Connections> {
        Some(self.live.as_ref()?.connections(&self.stores, &self.jobs))
    }

    /// Syncs of live connections, if the handle was given what reaches them.
    pub fn platform_sync(&self) -> Option<PlatformSync> {
        let (accounts, content) = (self.stores.accounts.clone(), self.stores.content.clone());
        let cleanup = self.cleanup();
        Some(PlatformSync::new(self.connections()?, accounts, content, cleanup, self.clock.clone(), self.ids.clone()))
    }

    /// Deletes what has expired.
    pub fn cleanup(&self) -> Cleanup {
        Cleanup::new(self.stores.retention.clone(), self.clock.clone(), self.ids.clone())
    }

    /// What a tick of the scheduler does: phases in their order, of which the last tells each user. Whoever has the late runs done by
    /// many workers spreads them; further phases are added with [`Phases::with`].
    pub fn phases(&self, spread: bool) -> Phases {
        let ticks = &self.stores.phases;
        let parts = PhasesParts {
            store: ticks.clone(),
            liveness: self.jobs.liveness.clone(),
            clock: Arc::new(SystemClock),
            ids: self.ids.clone(),
        };
        let (clock, ids) = (self.clock.clone(), self.ids.clone());
        let heartbeat = Heartbeat::new(self.stores.heartbeats.clone(), ticks.clone(), clock, ids);
        Phases::new(parts, Arc::new(heartbeat))
            .with(Arc::new(FireDue::new(self.deliverables.clone(), spread)))
            .with(Arc::new(PerUserPhase::new(self.signals().clone(), self.jobs.queue.clone(), self.ids.clone())))
            .with(Arc::new(CleanUp::new(self.cleanup(), ticks.clone(), self.jobs.admin.clone(), self.deliverables.clone())))
    }

    /// When a tick of the scheduler was last completed.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn last_tick(&self) -> Result<Option<DateTime<Utc>>, Error> {
        Ok(self.stores.phases.latest(Heartbeat::NAME, None).await?)
    }

    /// What models were asked, and what it cost.
    pub fn ledger(&self) -> &Arc<dyn ModelLedger> {
        &self.stores.model_ledger
    }

    /// Users and tiers.
    pub fn accounts(&self) -> &dyn AccountStore {
        self.stores.accounts.as_ref()
    }

    /// Imports of export files, if the handle was given what opens them.
    pub fn imports(&self) -> Option<Imports> {
        let exports = self.exports.clone()?;
        Some(Imports::new(self.sync(), exports, self.jobs.liveness.clone(), self.clock.clone()))
    }

    /// Full text over everything stored.
    pub fn search(&self) -> &dyn SearchIndex {
        self.stores.search.as_ref()
    }

    /// Stored items and coverage.
    pub fn content(&self) -> &dyn ContentStore {
        self.stores.content.as_ref()
    }

    /// Which mails users want.
    pub fn preferences(&self) -> &dyn PreferenceStore {
        self.stores.preferences.as_ref()
    }

    /// What the system did.
    pub fn activity(&self) -> &dyn ActivityLog {
        self.stores.activity.as_ref()
    }

    /// The clock that the features use.
    pub fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    /// A context for a run that reports to nobody.
    pub fn stage_cx(&self) -> StageCx {
        StageCx::new(self.clock.clone())
    }

    /// The local user: the one that every installation has.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn local_user(&self) -> Result<User, Error> {
        Ok(self.stores.accounts.user(UserId::LOCAL).await?)
    }

    /// The user with this address, made with the free tier if needed.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn user(&self, email: Email) -> Result<User, Error> {
        let user = NewUser { id: UserId::fresh(self.ids.as_ref()), email, at: self.clock.now() };
        Ok(self.stores.accounts.ensure(user).await?)
    }
}

/// Puts a handle together.
pub struct YarnnnBuilder {
    stores: Stores,
    model: Arc<dyn LanguageModel>,
    liveness: Arc<dyn Liveness>,
    channels: Vec<Arc<dyn Channel>>,
    account_channels: Vec<AccountChannel>,
    mail_as_files: bool,
    research: Option<ResearchMeans>,
    research_model: Option<Arc<dyn LanguageModel>>,
    fast_model: Option<Arc<dyn LanguageModel>>,
    revisions: Vec<DraftStage>,
    exports: Option<Arc<dyn OpenExports>>,
    live: Option<Live>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGen>,
}

impl fmt::Debug for YarnnnBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("YarnnnBuilder").field("model", &self.model).field("channels", &self.channels).finish_non_exhaustive()
    }
}

impl YarnnnBuilder {
    /// Delivers through this channel too.
    #[must_use]
    pub fn channel(mut self, channel: Arc<dyn Channel>) -> Self {
        self.channels.push(channel);
        self
    }

    /// Delivers too through the channel that this makes of the accounts that users have connected. Without what reaches live
    /// platforms there are none, and no such channel.
    #[must_use]
    pub fn account_channel(mut self, make: impl FnOnce(Arc<dyn OpenAccess>) -> Arc<dyn Channel> + Send + 'static) -> Self {
        self.account_channels.push(Box::new(make));
        self
    }

    /// Whether mails are left as files in the folder when no channel sends them: only where somebody looks.
    #[must_use]
    pub const fn mail_as_files(mut self, allowed: bool) -> Self {
        self.mail_as_files = allowed;
        self
    }

    /// Looks things up on the web with these, for reports that ask for it.
    #[must_use]
    pub fn research(mut self, means: ResearchMeans) -> Self {
        self.research = Some(means);
        self
    }

    /// Lets this model look things up, instead of the one that writes.
    #[must_use]
    pub fn research_model(mut self, model: Arc<dyn LanguageModel>) -> Self {
        self.research_model = Some(model);
        self
    }

    /// Looks for signals with this model. Without one nothing is looked for.
    #[must_use]
    pub fn fast_model(mut self, model: Arc<dyn LanguageModel>) -> Self {
        self.fast_model = Some(model);
        self
    }

    /// Lets this stage revise every draft, after the ones given before and before it is verified.
    #[must_use]
    pub fn revise_drafts_with(mut self, stage: DraftStage) -> Self {
        self.revisions.push(stage);
        self
    }

    /// Opens export files with this.
    #[must_use]
    pub fn exports(mut self, exports: Arc<dyn OpenExports>) -> Self {
        self.exports = Some(exports);
        self
    }

    /// Reaches live platforms and their authorization servers with these.
    #[must_use]
    pub fn live(mut self, platforms: Arc<dyn OpenPlatform>, oauth: Arc<dyn OAuth>) -> Self {
        self.live = Some(Live { platforms, oauth });
        self
    }

    /// Writes with this model.
    #[must_use]
    pub fn model(mut self, model: Arc<dyn LanguageModel>) -> Self {
        self.model = model;
        self
    }

    /// Puts something around the model that writes.
    #[must_use]
    pub fn wrap_model(mut self, wrap: impl FnOnce(Arc<dyn LanguageModel>) -> Arc<dyn LanguageModel>) -> Self {
        self.model = wrap(self.model);
        self
    }

    /// Puts other ports in place of the given ones.
    #[must_use]
    pub fn map_stores(mut self, map: impl FnOnce(Stores) -> Stores) -> Self {
        self.stores = map(self.stores);
        self
    }

    /// Takes time from this clock.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Takes ids from this source.
    #[must_use]
    pub fn ids(mut self, ids: Arc<dyn IdGen>) -> Self {
        self.ids = ids;
        self
    }

    /// The handle.
    pub fn build(self) -> Yarnnn {
        let jobs = Jobs {
            queue: self.stores.jobs.clone(),
            admin: self.stores.job_admin.clone(),
            capacity: self.stores.capacity.clone(),
            presence: self.stores.presence.clone(),
            keeper: self.stores.lease_keeper.clone(),
            wake_ups: self.stores.wake_ups.clone(),
            liveness: self.liveness.clone(),
            clock: self.clock.clone(),
            ids: self.ids.clone(),
        };
        let mut channels = self.channels;
        if let Some(live) = &self.live {
            let access: Arc<dyn OpenAccess> = Arc::new(live.connections(&self.stores, &jobs));
            channels.extend(self.account_channels.into_iter().map(|make| make(access.clone())));
        }
        let signals = Signals::new(SignalsParts {
            signals: self.stores.signals.clone(),
            accounts: self.stores.accounts.clone(),
            activity: self.stores.activity.clone(),
            connections: self.stores.connections.clone(),
            content: self.stores.content.clone(),
            deliverables: self.stores.deliverables.clone(),
            versions: self.stores.versions.clone(),
            model: self.fast_model,
            sends_mail: channels.iter().any(|it| it.kind() == ChannelKind::Email),
            clock: self.clock.clone(),
            ids: self.ids.clone(),
        });
        if !channels.iter().any(|it| it.kind() == ChannelKind::Download) {
            channels.push(Arc::new(DownloadChannel));
        }
        let parts = DeliverablesParts {
            deliverables: self.stores.deliverables.clone(),
            slots: self.stores.slots.clone(),
            accounts: self.stores.accounts.clone(),
            versions: self.stores.versions.clone(),
            material: self.stores.version_material.clone(),
            content: self.stores.content.clone(),
            feedback: self.stores.feedback.clone(),
            lifecycle: self.stores.lifecycle.clone(),
            left_runs: self.stores.left_runs.clone(),
            events: self.stores.events.clone(),
            preferences: self.stores.preferences.clone(),
            evidence: self.stores.evidence.clone(),
            outbox: self.stores.outbox.clone(),
            notices: self.stores.notices.clone(),
            web_pages: self.stores.web_pages.clone(),
            ledger: self.stores.model_ledger.clone(),
            ways: WaysOut { channels, mail_as_files: self.mail_as_files },
            writer: Agent::new(self.model.clone(), self.stores.writing_means(), Registry::writing()),
            research: self.research.map(|means| researcher(self.research_model.unwrap_or(self.model), means)),
            prompts: Prompts::default(),
            revisions: self.revisions,
            liveness: self.liveness,
            clock: self.clock.clone(),
            ids: self.ids.clone(),
        };
        Yarnnn {
            stores: self.stores,
            deliverables: Deliverables::new(parts),
            signals,
            jobs,
            exports: self.exports,
            live: self.live,
            clock: self.clock,
            ids: self.ids,
        }
    }
}

/// What looks things up: it reads pages when the program can.
fn researcher(model: Arc<dyn LanguageModel>, means: ResearchMeans) -> Agent<Research> {
    let tools = Registry::research(means.pages.is_some());
    Agent::new(model, means, tools)
}
