//! A database, simulated platforms that are connected, and the program on them.

use std::process::Command;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::Value;
use yarnnn::Config;
use yarnnn::clock::SystemClock;
use yarnnn::connections::Provider;
use yarnnn::store::SealKeys;
use yarnnn_sim::notion::{Block, Place};
use yarnnn_sim::{Running, Sim};
use yarnnn_tests_support::Home;
pub(crate) use yarnnn_tests_support::{Backend, ended};

/// A folder, a database, and platforms.
pub(crate) struct Installation {
    pub(crate) sim: Sim,
    pub(crate) home: Home,
    running: Running,
    key: String,
}

impl Installation {
    /// With nothing connected.
    pub(crate) async fn empty(backend: Backend) -> Self {
        let sim = Sim::new(Arc::new(SystemClock));
        let running = sim.start().await.unwrap();
        Self { sim, home: Home::new(backend).await, running, key: SealKeys::generate() }
    }

    /// With the local user's Slack and Notion.
    pub(crate) async fn connected(backend: Backend) -> Self {
        let installation = Self::empty(backend).await;
        let (slack, notion) = (installation.sim.slack(), installation.sim.notion());
        let ana = slack.add_user("ana", "Ana Almeida");
        let general = slack.add_channel("general", false, &[&ana]);
        slack.bot_joins(&general);
        slack.post(&general, &ana, "Who brings the kites?");
        notion.add_page(Place::Workspace, "Rules", vec![Block::paragraph("No kite above eighty metres.")]).unwrap();
        installation.connect().await;
        installation
    }

    async fn connect(&self) {
        let variables = self.variables();
        let lookup = |name: &str| variables.iter().find(|(it, _)| *it == name).map(|(_, value)| value.clone());
        let yarnnn = yarnnn::connect(&Config::from_lookup(&lookup).unwrap()).await.unwrap();
        let (user, connections) = (yarnnn.local_user().await.unwrap(), yarnnn.connections().unwrap());
        let scopes = ["channels:read", "channels:history", "groups:read", "groups:history", "users:read"];
        let tokens = [(Provider::Slack, self.sim.tokens().slack(&scopes)), (Provider::Notion, self.sim.tokens().notion())];
        for (provider, token) in tokens {
            connections.connect(&user, provider, token.into()).await.unwrap();
        }
    }

    fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            ("DATABASE_URL", self.home.url.clone()),
            ("SLACK_BASE_URL", self.running.slack_url()),
            ("NOTION_BASE_URL", self.running.notion_url()),
            ("INTEGRATION_ENCRYPTION_KEY", self.key.clone()),
        ]
    }

    /// The program with this installation's settings and no others.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.home.command(env!("CARGO_BIN_EXE_yarnnn-platform-sync"));
        command.args(arguments).envs(self.variables());
        command
    }

    /// One tick as of an instant.
    pub(crate) fn tick(&self, now: DateTime<Utc>, arguments: &[&str], code: i32) -> Value {
        let now = now.to_rfc3339();
        let arguments = [&["--json", "--now", now.as_str()], arguments].concat();
        ended(self.command(&arguments).spawn().unwrap()).expect(code).json()
    }
}
