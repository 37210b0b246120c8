//! Starts processes, kills them, and looks at what they left.

use std::fs;
use std::path::{Path, PathBuf};

use chrono::TimeDelta;
use yarnnn::connections::Provider;
use yarnnn::platform::ResourceId;
use yarnnn::platform_sync::SyncTrigger;
use yarnnn::store::SealKeys;
use yarnnn_sim::calendar::Details;
use yarnnn_sim::notion::Block;
use yarnnn_sim::{Fault, Running};

use super::child::{Order, open};
use crate::model::{Installation, Stored, World};

/// One provider's part of a world, a database that knows it, and a place for copies of it.
struct Ground {
    world: World,
    running: Running,
    provider: Provider,
    key: String,
    folder: tempfile::TempDir,
}

impl Ground {
    async fn make(provider: Provider) -> Self {
        let world = World::of(3);
        let running = world.sim.start().await.unwrap();
        let ground = Self { world, running, provider, key: SealKeys::generate(), folder: tempfile::tempdir().unwrap() };
        ground.happen(1);
        let installation = ground.open(&ground.path("base")).await;
        installation.connect(provider).await.unwrap();
        installation.choose_all().await.unwrap();
        installation.close().await;
        ground
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.db"))
    }

    fn address(&self) -> String {
        self.running.gmail_url()
    }

    async fn open(&self, database: &Path) -> Installation {
        open(database, &self.key, &self.address(), self.world.clock.clone(), &self.world.sim).await
    }

    /// So much that every list has several pages.
    fn happen(&self, time: u32) {
        let sim = &self.world.sim;
        let word = |place: u32, number: u32| format!("mark{time}{place}{number:03}");
        for channel in &self.world.team.channels {
            let mut parent: Option<String> = None;
            for number in 0..8 {
                let text = word(1, number);
                match parent.clone().filter(|_| number % 2 == 1) {
                    Some(parent) => drop(sim.slack().reply(channel, &parent, "UX", &text)),
                    None => parent = Some(sim.slack().post(channel, "UX", &text)),
                }
            }
        }
        for number in 0..12 {
            let raw = format!("From: a@example.org\r\nSubject: {}\r\n\r\n{}\r\n", word(2, number), word(3, number));
            sim.gmail().deliver_at(raw.as_bytes(), &["INBOX"], sim.now() - TimeDelta::minutes(number.into()));
        }
        for number in 0..6 {
            let start = sim.now() + TimeDelta::hours(2 + i64::from(number));
            let details = Details::new(&word(4, number), start, start + TimeDelta::hours(1));
            sim.calendar().add_event("primary", details.repeating("RRULE:FREQ=HOURLY;INTERVAL=8;COUNT=20")).unwrap();
        }
        for (_, source) in self.world.pages.databases.iter().take(1) {
            for number in 0..12 {
                sim.notion().add_row(source, &word(5, number), &[], vec![Block::paragraph(word(6, number))]).unwrap();
            }
        }
    }

    fn expects(&self, id: &ResourceId) -> bool {
        self.provider.platforms().contains(&id.platform())
    }

    /// Kills a process at every request of a sync that begins with this database; answers how many it took.
    async fn kill_everywhere(&self, base: &Path) -> usize {
        let before = self.look(base).await;
        let copy = self.path("copy");
        for request in 1.. {
            fs::copy(base, &copy).unwrap();
            for left in ["db-wal", "db-shm"] {
                let _ = fs::remove_file(copy.with_extension(left));
            }
            if !self.kill_at(request, &copy).await {
                return request - 1;
            }
            let left = self.look(&copy).await;
            self.check_left(request, &before, &left);
            // What a dead process had taken is free after a minute.
            self.world.clock.advance(TimeDelta::minutes(2));
            self.check_completed(request, &copy).await;
        }
        unreachable!("some request is the last")
    }

    /// Whether the process came as far as this request.
    async fn kill_at(&self, request: usize, database: &Path) -> bool {
        let sim = &self.world.sim;
        sim.journal().clear();
        sim.faults().after("*", request - 1, usize::MAX, Fault::Hang);
        let (address, now) = (self.address(), sim.now());
        let mut child = Order { database, key: &self.key, address: &address, provider: self.provider, now }.start();
        let came = tokio::select! {
            () = sim.journal().reached(request) => true,
            status = child.wait() => {
                assert!(status.unwrap().success(), "{} ended by itself before request {request}", self.provider);
                false
            }
        };
        // SIGKILL: nothing of it runs any more.
        child.kill().await.unwrap();
        sim.faults().clear();
        came
    }

    async fn look(&self, database: &Path) -> Stored {
        let installation = self.open(database).await;
        let stored = Stored::read(&installation.yarnnn, installation.user(), self.world.sim.now()).await.unwrap();
        installation.close().await;
        stored
    }

    /// A cursor that moved stands for everything that is there.
    fn check_left(&self, request: usize, before: &Stored, left: &Stored) {
        assert_eq!(left.twice, Vec::<String>::new(), "request {request}");
        for (id, state) in left.states.iter().filter(|(id, _)| self.expects(id)) {
            if state.cursor != before.states.get(id).and_then(|it| it.cursor.clone()) {
                self.check_equal(&format!("request {request}, killed, cursor moved"), id, left);
            }
        }
    }

    async fn check_completed(&self, request: usize, database: &Path) {
        let installation = self.open(database).await;
        let reports = installation.sync_one(self.provider, SyncTrigger::Manual).await.unwrap();
        for report in &reports {
            assert!(report.outcome.is_ok(), "request {request}: {} {:?}", report.platform, report.error);
        }
        let stored = Stored::read(&installation.yarnnn, installation.user(), self.world.sim.now()).await.unwrap();
        assert_eq!(stored.twice, Vec::<String>::new(), "request {request}");
        for report in &reports {
            assert!(!report.resources.is_empty(), "request {request}: {}", report.platform);
            for resource in &report.resources {
                let id = ResourceId::new(report.platform, &resource.resource_id).unwrap();
                self.check_equal(&format!("request {request}, second run"), &id, &stored);
            }
        }
        installation.close().await;
    }

    fn check_equal(&self, when: &str, id: &ResourceId, stored: &Stored) {
        let (expected, found) = (self.world.expected(id.platform(), id.as_str()), stored.of(id));
        for item in expected.iter().filter(|it| it.is_needed) {
            assert_eq!(found.get(&item.id), Some(&item.marks), "{when}: {id} {}", item.id);
        }
        let extra = found.keys().find(|it| expected.iter().all(|item| item.id != **it));
        assert_eq!(extra, None, "{when}: {id}");
    }
}

/// A first sync and one that follows changes, each killed at every request.
async fn killed(provider: Provider, least: usize) {
    let ground = Ground::make(provider).await;
    let base = ground.path("base");
    let first = ground.kill_everywhere(&base).await;
    ground.check_completed(0, &base).await;
    ground.world.clock.advance(TimeDelta::minutes(30));
    ground.happen(2);
    let second = ground.kill_everywhere(&base).await;
    println!("{provider}: killed at {first} requests of a first sync and {second} of a later one");
    assert!(first >= least && second >= least, "{provider}: {first} and {second} requests");
}

#[tokio::test]
async fn a_sync_of_slack_that_is_killed_at_any_request_misses_nothing() {
    killed(Provider::Slack, 20).await;
}

#[tokio::test]
async fn a_sync_of_google_that_is_killed_at_any_request_misses_nothing() {
    killed(Provider::Google, 20).await;
}

#[tokio::test]
async fn a_sync_of_notion_that_is_killed_at_any_request_misses_nothing() {
    killed(Provider::Notion, 20).await;
}
