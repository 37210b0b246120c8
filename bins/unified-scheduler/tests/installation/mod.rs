//! A database with people and their schedules, and the program on it.

use std::process::{Child, Command};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use yarnnn::deliverables::{CreateDeliverable, Schedule};
use yarnnn::id::UserId;
use yarnnn::{Config, Yarnnn};
use yarnnn_server::cron::ShiftedClock;
use yarnnn_tests_support::Home;
pub(crate) use yarnnn_tests_support::{Backend, ended};

/// A folder and a database.
pub(crate) struct Installation {
    pub(crate) home: Home,
}

/// An instant.
pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

impl Installation {
    /// With a database that is migrated, and the local user.
    pub(crate) async fn new(backend: Backend) -> Self {
        let installation = Self { home: Home::new(backend).await };
        installation.handle(at("2026-01-01T00:00:00Z")).await;
        installation
    }

    /// The library on this database, at an instant.
    pub(crate) async fn handle(&self, now: DateTime<Utc>) -> Yarnnn {
        let variables = self.variables();
        let lookup = |name: &str| variables.iter().find(|(it, _)| *it == name).map(|(_, value)| value.clone());
        let config = Config::from_lookup(&lookup).unwrap();
        yarnnn::builder(&config).await.unwrap().clock(Arc::new(ShiftedClock::showing(now))).build()
    }

    /// So many people with two daily reports each, at times that the number of the report gives, made at an instant.
    pub(crate) async fn people(&self, count: usize, made: DateTime<Utc>, time: impl Fn(usize) -> String) -> Vec<UserId> {
        let yarnnn = self.handle(made).await;
        let mut people = vec![];
        for person in 0..count {
            let user = yarnnn.user(format!("person{person}@example.com").parse().unwrap()).await.unwrap();
            for report in 0..2 {
                let schedule = Schedule::parse("daily", None, Some(&time(2 * person + report)), None).unwrap();
                let create = CreateDeliverable::new("status_report", format!("Report {report} of {person}"));
                yarnnn.deliverables().create(&user, CreateDeliverable { schedule: Some(schedule), ..create }).await.unwrap();
            }
            people.push(user.id);
        }
        people
    }

    fn variables(&self) -> Vec<(&'static str, String)> {
        let outbox = self.home.folder.path().join("outbox").display().to_string();
        vec![("DATABASE_URL", self.home.url.clone()), ("YARNNN_OUTBOX_DIR", outbox)]
    }

    /// The program with this installation's settings and no others.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.home.command(env!("CARGO_BIN_EXE_yarnnn-unified-scheduler"));
        command.args(arguments).envs(self.variables());
        command
    }

    /// Starts a tick as of an instant.
    pub(crate) fn start(&self, now: DateTime<Utc>, arguments: &[&str]) -> Child {
        let now = now.to_rfc3339();
        self.command(&[&["--json", "--now", now.as_str()], arguments].concat()).spawn().unwrap()
    }

    /// One tick as of an instant.
    pub(crate) fn tick(&self, now: DateTime<Utc>, arguments: &[&str]) -> Value {
        ended(self.start(now, arguments)).expect(0).json()
    }

    /// What a user's heartbeats say of one number, newest first.
    pub(crate) async fn heartbeats(&self, user: UserId, number: &str) -> Vec<u64> {
        let yarnnn = self.handle(at("2026-01-01T00:00:00Z")).await;
        let lines = yarnnn.activity().heartbeats(user, 1_000).await.unwrap();
        lines.iter().map(|it| it.metadata[number].as_u64().unwrap()).collect()
    }

    /// How long after a real instant each job begins, in seconds.
    pub(crate) async fn delays(&self, now: DateTime<Utc>) -> Vec<i64> {
        let yarnnn = self.handle(now).await;
        let filter = yarnnn::jobs::JobFilter { limit: 1_000, ..Default::default() };
        let jobs = yarnnn.jobs().admin.list(&filter).await.unwrap();
        jobs.iter().map(|it| (it.run_at - it.created_at).max(TimeDelta::zero()).num_seconds()).collect()
    }
}
