//! An installation whose reports a model writes: the simulated one, asked over HTTP as a real one is.

use std::sync::Arc;

use serde_json::Value;
use yarnnn::clock::SystemClock;
use yarnnn_sim::{Provider, Running, Sim};

use super::exports::{AS_OF, Exports, imported, message};
use super::support::{Backend, Installation, Said};

/// The exports of the club, imported, and who writes about them.
pub(crate) struct Modelled {
    pub(crate) installation: Installation,
    pub(crate) exports: Exports,
    pub(crate) sim: Sim,
    base: String,
    key: String,
    running: Option<Running>,
}

impl Modelled {
    pub(crate) async fn new(backend: Backend) -> Self {
        let sim = Sim::new(Arc::new(SystemClock));
        let running = sim.start().await.expect("a port of this machine");
        let (installation, exports) = imported(backend).await;
        let (base, key) = (running.anthropic_url(), sim.tokens().key(Provider::Anthropic));
        Self { installation, exports, sim, base, key, running: Some(running) }
    }

    /// With a standing report, called `Weekly`.
    pub(crate) async fn with_report(further: &[&str]) -> Self {
        let it = Self::new(Backend::Sqlite).await;
        it.create("Weekly", further);
        it
    }

    /// Makes a report of everything and answers its id.
    pub(crate) fn create(&self, title: &str, further: &[&str]) -> String {
        let create = ["deliverables", "create", "--type", "status_report", "--title", title];
        let created = self.json(&[&create[..], further].concat(), 0);
        created["deliverable_id"].as_str().expect("an id").to_owned()
    }

    /// Runs the program with these settings too.
    pub(crate) fn said(&self, settings: &[(&str, &str)], arguments: &[&str], code: i32) -> Said {
        let mut command = self.installation.command(arguments);
        command.env("ANTHROPIC_BASE_URL", &self.base).env("ANTHROPIC_API_KEY", &self.key);
        command.envs(settings.iter().copied());
        Said::from(command.output().expect("the program starts")).expect(code)
    }

    pub(crate) fn json_with(&self, settings: &[(&str, &str)], arguments: &[&str], code: i32) -> Value {
        self.said(settings, &[&["--json"], arguments].concat(), code).json()
    }

    pub(crate) fn json(&self, arguments: &[&str], code: i32) -> Value {
        self.json_with(&[], arguments, code)
    }

    /// Runs `Weekly` for the week of the exports.
    pub(crate) fn run(&self, further: &[&str], code: i32) -> Value {
        self.json(&[&["run", "Weekly", "--as-of", AS_OF], further].concat(), code)
    }

    /// The newest version of `Weekly`.
    pub(crate) fn newest(&self) -> Value {
        self.json(&["deliverables", "show", "Weekly"], 0)["versions"][0].clone()
    }

    /// One more message in the week.
    pub(crate) fn hear(&self, text: &str) {
        self.exports.add_day("2024-05-12", &format!("[{}]", message("U1", "1715504400.000100", text)));
        self.installation.yarnnn(&self.exports.import()).expect(0);
    }

    /// Calls that the provider answered.
    pub(crate) fn calls(&self) -> usize {
        self.sim.models().calls().len()
    }

    /// Nobody answers any more.
    pub(crate) async fn stop_provider(&mut self) {
        let running = self.running.take().expect("it runs");
        running.stop().await.expect("it ends");
    }
}

/// The delivered Markdown of a run.
pub(crate) fn markdown(outcome: &Value) -> String {
    let files = outcome["files"].as_array().expect("files");
    let path = files.iter().filter_map(Value::as_str).find(|it| it.ends_with(".md")).expect("a Markdown file");
    std::fs::read_to_string(path).expect("the report is there")
}
