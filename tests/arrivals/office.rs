//! An office whose platforms, models, mails and web are simulated, and the product as it is set up there.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use yarnnn::accounts::User;
use yarnnn::connections::{Provider, smart_defaults};
use yarnnn::deliverables::{CreateDeliverable, Deliverable, Destination};
use yarnnn::pipeline::CancelToken;
use yarnnn::platform_sync::{SyncRequest, SyncTrigger, SyncWatch};
use yarnnn::store::SealKeys;
use yarnnn::{Config, Yarnnn};
use yarnnn_sim::calendar::NewCalendar;
use yarnnn_sim::notion::{Block, Place as Parent};
use yarnnn_sim::{CLIENT_ID, CLIENT_SECRET, Provider as Issuer, Running, Sim, VirtualClock};

use crate::place::{Backend, Place, configured};

/// What the app may do at Slack: read, post, and see the keys of its own messages.
const SLACK_SCOPES: [&str; 9] = [
    "channels:history",
    "channels:join",
    "channels:read",
    "chat:write",
    "groups:history",
    "groups:read",
    "metadata.message:read",
    "team:read",
    "users:read",
];
const GOOGLE_SCOPES: [&str; 3] = [
    "https://www.googleapis.com/auth/gmail.readonly",
    "https://www.googleapis.com/auth/gmail.compose",
    "https://www.googleapis.com/auth/calendar.readonly",
];
/// Who mails are from.
const FROM: &str = "YARNNN <reports@yarnnn.example>";

/// Everything that stands around the product.
pub(crate) struct Office {
    pub(crate) sim: Sim,
    pub(crate) clock: Arc<VirtualClock>,
    pub(crate) running: Running,
    pub(crate) place: Place,
    /// Ana, and the channel in which she writes.
    pub(crate) ana: String,
    pub(crate) general: String,
    settings: Vec<(&'static str, String)>,
}

impl Office {
    pub(crate) async fn on(backend: Backend) -> Self {
        let place = Place::new(backend).await;
        let clock = Arc::new(VirtualClock::at("2026-03-05T09:00:00Z".parse().unwrap()));
        let sim = Sim::new(clock.clone());
        sim.set_google_person("ana@office.example", "Ana Almeida");
        sim.calendar().add_calendar(NewCalendar::new("primary", "Ana"));
        let ana = sim.slack().add_user("ana", "Ana Almeida");
        let general = sim.slack().add_channel("general", false, &[&ana]);
        sim.slack().bot_joins(&general);
        let blocks = vec![Block::paragraph("The quay is swept on Mondays.")];
        sim.notion().add_page(Parent::Workspace, "Rules of the quay", blocks).unwrap();
        // What happens at the very instant of a report belongs to the next one.
        clock.advance(TimeDelta::hours(1));
        let running = sim.start().await.unwrap();
        let settings = settings(&sim, &running, &place);
        Self { sim, clock, running, place, ana, general, settings }
    }

    /// The product's settings.
    pub(crate) fn config(&self) -> Config {
        configured(&self.settings)
    }

    /// The same, as variables of a process.
    pub(crate) fn variables(&self) -> &[(&'static str, String)] {
        &self.settings
    }

    /// The product as every program has it, with the office's clock.
    pub(crate) async fn facade(&self) -> Yarnnn {
        yarnnn::builder(&self.config()).await.unwrap().clock(self.clock.clone()).build()
    }

    /// Connects everything and reads it.
    pub(crate) async fn connect(&self, yarnnn: &Yarnnn) -> User {
        self.connect_for(yarnnn, yarnnn.local_user().await.unwrap()).await
    }

    /// Connects everything for this user and reads it.
    pub(crate) async fn connect_for(&self, yarnnn: &Yarnnn, user: User) -> User {
        let tokens = self.sim.tokens();
        let all = [
            (Provider::Slack, tokens.slack(&SLACK_SCOPES)),
            (Provider::Google, tokens.google_refresh(&GOOGLE_SCOPES)),
            (Provider::Notion, tokens.notion()),
        ];
        for (provider, token) in all {
            let connection = yarnnn.connections().unwrap().connect(&user, provider, token.into()).await.unwrap();
            let resources = &connection.connected.connection.landscape.resources;
            let wanted: Vec<_> = provider.platforms().iter().flat_map(|it| smart_defaults(*it, resources)).collect();
            yarnnn.platform_sync().unwrap().choose(&user, provider, &wanted).await.unwrap();
            self.sync(yarnnn, &user, provider).await;
        }
        user
    }

    /// Reads what there is at a provider.
    pub(crate) async fn sync(&self, yarnnn: &Yarnnn, user: &User, provider: Provider) {
        let request = SyncRequest { user: user.id, provider, platform: None, trigger: SyncTrigger::Manual };
        let watch = SyncWatch { cancel: CancelToken::default(), progress: None };
        for report in yarnnn.platform_sync().unwrap().run(&request, &watch).await.unwrap() {
            assert!(report.outcome.is_ok(), "{report:?}");
        }
    }

    /// A deliverable with these destinations.
    pub(crate) async fn deliverable(&self, yarnnn: &Yarnnn, user: &User, kind: &str, to: Vec<Destination>) -> Deliverable {
        let create = CreateDeliverable { destinations: to, ..CreateDeliverable::new(kind, "Harbor launch") };
        yarnnn.deliverables().create(user, create).await.unwrap()
    }

    /// Time passes, so much that nobody holds what a dead process held.
    pub(crate) fn wait(&self) {
        self.clock.advance(TimeDelta::minutes(11));
    }

    /// So long ago.
    pub(crate) fn ago(&self, hours: i64) -> DateTime<Utc> {
        self.sim.now() - TimeDelta::hours(hours)
    }

    /// Ends it.
    pub(crate) async fn close(self) {
        self.place.close().await;
    }
}

fn settings(sim: &Sim, running: &Running, place: &Place) -> Vec<(&'static str, String)> {
    let further = [
        ("RESEND_API_KEY", sim.tokens().key(Issuer::Resend)),
        ("RESEND_BASE_URL", running.resend_url()),
        ("RESEND_FROM_EMAIL", FROM.to_owned()),
        ("GOOGLE_API_KEY", sim.tokens().key(Issuer::CustomSearch)),
        ("GOOGLE_CSE_ID", "office".to_owned()),
        ("SLACK_BASE_URL", running.slack_url()),
        ("GMAIL_BASE_URL", running.gmail_url()),
        ("CALENDAR_BASE_URL", running.calendar_url()),
        ("GOOGLE_OAUTH_BASE_URL", running.oauth_url()),
        ("NOTION_BASE_URL", running.notion_url()),
        ("GOOGLE_CLIENT_ID", CLIENT_ID.to_owned()),
        ("GOOGLE_CLIENT_SECRET", CLIENT_SECRET.to_owned()),
        ("INTEGRATION_ENCRYPTION_KEY", SealKeys::generate()),
    ];
    place.settings(sim, running).into_iter().chain(further).collect()
}
