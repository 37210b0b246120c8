//! A small office on all four platforms, with everything in order.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta};
use yarnnn::connections::{Connection, Provider};
use yarnnn::platform::Platform;
use yarnnn::platform_sync::{SyncTrigger, SyncedPlatform};
use yarnnn::platforms::http::HttpTransport;
use yarnnn_sim::calendar::{Details, NewCalendar};
use yarnnn_sim::notion::{Block, NewDatabase, Place};
use yarnnn_sim::{Running, Sim, VirtualClock};

use crate::model::{Installation, Opening, Stored};

/// The shared calendar.
pub(crate) const TEAM: &str = "team@group.example";

/// The office, and the product that reads it.
pub(crate) struct Office {
    pub(crate) sim: Sim,
    pub(crate) clock: Arc<VirtualClock>,
    pub(crate) installation: Installation,
    pub(crate) ana: String,
    pub(crate) general: String,
    pub(crate) secret: String,
    pub(crate) page: String,
    pub(crate) database: NewDatabase,
    _running: Running,
}

impl Office {
    /// Places in which nothing has happened: two channels, a mailbox, two calendars, a page and a database.
    pub(crate) async fn bare(transport: &HttpTransport) -> Self {
        let clock = Arc::new(VirtualClock::at(DateTime::from_timestamp(1_772_701_200, 0).unwrap()));
        let sim = Sim::new(clock.clone());
        let ana = sim.slack().add_user("ana", "Ana");
        let general = sim.slack().add_channel("general", false, &[&ana]);
        let secret = sim.slack().add_channel("secret", true, &[&ana]);
        sim.slack().bot_joins(&general);
        sim.slack().bot_joins(&secret);
        sim.gmail().add_label("Clients");
        sim.calendar().add_calendar(NewCalendar::new(TEAM, "Team"));
        let page = sim.notion().add_page(Place::Workspace, "Plan", vec![Block::paragraph("mark00001")]).unwrap();
        let database = sim.notion().add_database(Place::Workspace, "Tasks", &[]).unwrap();
        let running = sim.start().await.unwrap();
        let opening = Opening::fresh(&running, clock.clone(), transport.clone()).await.unwrap();
        let installation = Installation::open(&sim, opening).await.unwrap();
        Self { sim, clock, installation, ana, general, secret, page, database, _running: running }
    }

    /// The same, at work.
    pub(crate) async fn busy(transport: &HttpTransport) -> Self {
        let office = Self::bare(transport).await;
        for _ in 0..3 {
            office.news();
            office.clock.advance(TimeDelta::minutes(7));
        }
        office
    }

    /// Something new in every place but the page, which is changed.
    pub(crate) fn news(&self) {
        let Self { sim, ana, .. } = self;
        for channel in [&self.general, &self.secret] {
            let post = sim.slack().post(channel, ana, "mark00002");
            sim.slack().reply(channel, &post, ana, "mark00003");
        }
        self.mail(&["INBOX", "Clients"], 0);
        for calendar in ["primary", TEAM] {
            let start = sim.now() + TimeDelta::days(1);
            sim.calendar().add_event(calendar, Details::new("mark00004", start, start + TimeDelta::hours(1))).unwrap();
        }
        sim.notion().append_block(&self.page, Block::paragraph("mark00005")).unwrap();
        sim.notion().add_row(&self.database.data_source, "mark00006", &[], vec![Block::paragraph("mark00007")]).unwrap();
    }

    /// A mail arrives, or arrived so many days ago.
    pub(crate) fn mail(&self, labels: &[&str], days_ago: i64) -> String {
        let at = self.sim.now() - TimeDelta::days(days_ago);
        let raw = format!(
            "From: dana@example.org\r\nTo: owner@sim.example\r\nSubject: mark00008\r\nDate: {}\r\n\r\nmark00009\r\n",
            at.to_rfc2822()
        );
        self.sim.gmail().deliver_at(raw.as_bytes(), labels, at)
    }

    /// A person syncs everything.
    pub(crate) async fn sync(&self) -> Vec<SyncedPlatform> {
        self.installation.sync(SyncTrigger::Manual).await.unwrap()
    }

    /// What is stored now.
    pub(crate) async fn stored(&self) -> Stored {
        Stored::read(&self.installation.yarnnn, self.installation.user(), self.sim.now()).await.unwrap()
    }

    /// The connection that yields a platform.
    pub(crate) async fn connection(&self, platform: Platform) -> Connection {
        let connections = self.installation.connections().unwrap().list(self.installation.user()).await.unwrap();
        connections.into_iter().find(|it| it.provider == Provider::of(platform)).unwrap()
    }
}
