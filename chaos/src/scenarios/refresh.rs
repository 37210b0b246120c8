//! 10. Two processes share one rotating token of Slack. A thousand times it ends and both need the next one at once.

use std::process::Stdio;
use std::sync::Arc;

use anyhow::{Context, Result};
use chrono::{DateTime, TimeDelta};
use secrecy::SecretString;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout};
use url::Url;
use yarnnn::clock::instant_text;
use yarnnn::connections::{ConnectionStatus, Connections, OAuthState, Provider};
use yarnnn::id::UserId;
use yarnnn::platforms::http::HttpTransport;
use yarnnn::store::{SealKeys, SqlStore};
use yarnnn_sim::{CLIENT_ID, CLIENT_SECRET, Running, Sim, VirtualClock};

use crate::fleet::own_program;
use crate::model::Opening;
use crate::report::Report;
use crate::stage::Stage;

const PROCESSES: u32 = 2;
const SCOPES: [&str; 4] = ["channels:history", "channels:read", "team:read", "users:read"];
/// As long as a token lives.
const LIFE: TimeDelta = TimeDelta::hours(12);

pub(super) async fn play(stage: &Stage) -> Result<Report> {
    let mut report = Report::default();
    let beginning = DateTime::from_timestamp(1_772_701_200, 0).context("an instant")?;
    let clock = Arc::new(VirtualClock::at(beginning));
    let sim = Sim::new(clock.clone());
    let running = sim.start().await?;
    let key = SealKeys::generate();
    let store = SqlStore::connect(&stage.arena.url()).await?;
    let opening = Opening::over(store, &key, &running.gmail_url(), clock.clone(), HttpTransport::new()?)?;
    let connections = opening.handle().connections().context("nothing reaches platforms")?;
    sign_in(&connections, &sim).await?;
    sim.journal().clear();
    let mut processes = (0..PROCESSES).map(|it| Process::start(stage, it, &key, &running)).collect::<Result<Vec<_>>>()?;
    let rounds = stage.options.of(1_000, 40);
    let mut refused = 0;
    for _ in 0..rounds {
        clock.advance(LIFE);
        let now = instant_text(sim.now());
        for process in &mut processes {
            process.tell(&now).await?;
        }
        for process in &mut processes {
            let answer = process.answer().await?;
            if answer != "ok" {
                refused += 1;
                report.must(refused > 3, format!("at {now}: {answer}"));
            }
        }
    }
    report.figure("rounds", rounds);
    report.must_be("calls that went wrong", refused, 0);
    report.must_be("refreshes", i64::try_from(sim.tokens().refreshes(yarnnn_sim::Provider::Slack))?, rounds);
    report.must_be("requests to the token endpoint", calls(&sim, "oauth.slack.access")?, rounds);
    // One that is refused is repeated with the next token.
    report.must_be("calls", calls(&sim, "slack.auth.test")?, rounds * i64::from(PROCESSES));
    let active = connections.list(UserId::LOCAL).await?.iter().all(|it| it.status == ConnectionStatus::Active);
    report.must(active, "the connection is no longer active");
    opening.store.close().await;
    Ok(report)
}

fn calls(sim: &Sim, call: &str) -> Result<i64> {
    Ok(i64::try_from(sim.journal().calls(call).len())?)
}

/// A person signs in at a Slack that rotates tokens.
async fn sign_in(connections: &Connections, sim: &Sim) -> Result<()> {
    sim.tokens().rotate_slack(true);
    let page: Url = connections.authorize(UserId::LOCAL, Provider::Slack).await?.parse()?;
    let parameter = |name: &str| page.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    let redirect = parameter("redirect_uri").context("nobody comes back")?;
    let state = OAuthState::new(parameter("state").context("no state")?);
    let code = sim.tokens().authorization_code(yarnnn_sim::Provider::Slack, &SCOPES, &redirect);
    connections.callback(Provider::Slack, &state, &SecretString::from(code)).await?;
    Ok(())
}

/// One process that calls when it is told to.
struct Process {
    _child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Process {
    fn start(stage: &Stage, number: u32, key: &str, running: &Running) -> Result<Self> {
        let mut command = own_program(None)?;
        command.arg("renew").env("DATABASE_URL", stage.arena.url_of(number)).env("INTEGRATION_ENCRYPTION_KEY", key);
        command.env("SLACK_BASE_URL", running.slack_url());
        command.env("SLACK_CLIENT_ID", CLIENT_ID).env("SLACK_CLIENT_SECRET", CLIENT_SECRET);
        if let Some(plant) = stage.options.plant {
            command.args(["--plant", &plant.name()]);
        }
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let input = child.stdin.take().context("a process without input")?;
        let output = BufReader::new(child.stdout.take().context("a process without output")?).lines();
        Ok(Self { _child: child, input, output })
    }

    async fn tell(&mut self, now: &str) -> Result<()> {
        Ok(self.input.write_all(format!("{now}\n").as_bytes()).await?)
    }

    async fn answer(&mut self) -> Result<String> {
        self.output.next_line().await?.context("a process ended by itself")
    }
}
