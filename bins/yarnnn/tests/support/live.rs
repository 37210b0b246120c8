//! Installations whose platforms are simulated on this machine: a small team, its channels, mails, pages and calendar.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;

use chrono::{TimeDelta, Utc};
use serde_json::Value;
use yarnnn::clock::{Clock as _, SystemClock};
use yarnnn::store::SealKeys;
use yarnnn_sim::calendar::{Details, NewCalendar};
use yarnnn_sim::notion::{Block, Place};
use yarnnn_sim::{CLIENT_ID, CLIENT_SECRET, Provider, Running, Sim};

use super::{Backend, Installation, Said};

/// What reading needs at Slack.
pub(crate) const SLACK_SCOPES: [&str; 6] =
    ["channels:read", "channels:history", "channels:join", "groups:read", "groups:history", "users:read"];
/// What reading needs at Google.
pub(crate) const GOOGLE_SCOPES: [&str; 5] = [
    "https://www.googleapis.com/auth/gmail.readonly",
    "https://www.googleapis.com/auth/calendar.readonly",
    "https://www.googleapis.com/auth/calendar.events.readonly",
    "openid",
    "email",
];
/// The account at Google.
pub(crate) const OWNER: &str = "ana@example.org";

/// An installation and the platforms that it sees.
pub(crate) struct Live {
    pub(crate) installation: Installation,
    pub(crate) sim: Sim,
    pub(crate) team: Team,
    pub(crate) key: String,
    running: Running,
}

/// What there is at first.
pub(crate) struct Team {
    pub(crate) ana: String,
    pub(crate) ben: String,
    pub(crate) general: String,
    pub(crate) random: String,
    /// The first message of `#general`, three days old.
    pub(crate) question: String,
    pub(crate) page: String,
    pub(crate) event: String,
}

impl Live {
    pub(crate) async fn new(backend: Backend) -> Self {
        let sim = Sim::new(Arc::new(SystemClock));
        let team = team(&sim);
        let running = sim.start().await.expect("a port of this machine");
        Self { installation: Installation::new(backend).await, sim, team, key: SealKeys::generate(), running }
    }

    /// With everything connected.
    pub(crate) async fn connected(backend: Backend) -> Self {
        let live = Self::new(backend).await;
        live.connect("slack", &live.sim.tokens().slack(&SLACK_SCOPES), 0);
        live.connect("notion", &live.sim.tokens().notion(), 0);
        live.connect("google", &live.sim.tokens().google_refresh(&GOOGLE_SCOPES), 0);
        live
    }

    /// With Slack connected; its token.
    pub(crate) async fn with_slack(backend: Backend) -> (Self, String) {
        let live = Self::new(backend).await;
        let token = live.sim.tokens().slack(&SLACK_SCOPES);
        live.connect("slack", &token, 0);
        (live, token)
    }

    /// The variables of this installation.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            ("SLACK_BASE_URL", self.running.slack_url()),
            ("GMAIL_BASE_URL", self.running.gmail_url()),
            ("CALENDAR_BASE_URL", self.running.calendar_url()),
            ("GOOGLE_OAUTH_BASE_URL", self.running.oauth_url()),
            ("NOTION_BASE_URL", self.running.notion_url()),
            ("GOOGLE_CLIENT_ID", CLIENT_ID.to_owned()),
            ("GOOGLE_CLIENT_SECRET", CLIENT_SECRET.to_owned()),
            ("INTEGRATION_ENCRYPTION_KEY", self.key.clone()),
        ]
    }

    /// Those by which mails are sent and a model writes, which are not set unless a test wants it.
    pub(crate) fn further(&self) -> Vec<(&'static str, String)> {
        let tokens = self.sim.tokens();
        vec![
            ("RESEND_API_KEY", tokens.key(Provider::Resend)),
            ("RESEND_BASE_URL", self.running.resend_url()),
            ("RESEND_FROM_EMAIL", "YARNNN <reports@yarnnn.example>".to_owned()),
            ("ANTHROPIC_API_KEY", tokens.key(Provider::Anthropic)),
            ("ANTHROPIC_BASE_URL", self.running.anthropic_url()),
        ]
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.installation.command(arguments);
        command.envs(self.variables());
        command
    }

    pub(crate) fn yarnnn(&self, arguments: &[&str]) -> Said {
        self.command(arguments).output().expect("the program starts").into()
    }

    pub(crate) fn json(&self, arguments: &[&str], code: i32) -> Value {
        self.yarnnn(&[&["--json"], arguments].concat()).expect(code).json()
    }

    /// Runs it with other settings: a variable without a value is not set.
    pub(crate) fn json_with(&self, settings: &[(&str, Option<&str>)], arguments: &[&str], code: i32) -> Value {
        let mut command = self.command(&[&["--json"], arguments].concat());
        for (name, value) in settings {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        Said::from(command.output().expect("the program starts")).expect(code).json()
    }

    /// Connects with a token on standard input.
    pub(crate) fn connect(&self, provider: &str, token: &str, code: i32) -> Value {
        let mut command = self.command(&["--json", "connect", provider]);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.expect("the program starts");
        let mut input = child.stdin.take().expect("standard input");
        // A program that needs no token does not read one.
        let _ = input.write_all(format!("{token}\n").as_bytes());
        drop(input);
        Said::from(child.wait_with_output().expect("the program ends")).expect(code).json()
    }

    /// What a sync says, by platform.
    pub(crate) fn sync(&self, code: i32) -> Value {
        by_platform(&self.json(&["sync"], code))
    }

    /// What is stored and still there, by its text.
    pub(crate) async fn contents(&self, platform: &str) -> Vec<String> {
        let query = format!(
            "select content from platform_content where platform = '{platform}' and is_current and withdrawn_at is null order by content"
        );
        self.installation.texts(&query).await
    }

    pub(crate) async fn close(self) {
        self.installation.close().await;
    }
}

/// The platforms of a sync under their names.
pub(crate) fn by_platform(said: &Value) -> Value {
    let platforms = said["platforms"].as_array().unwrap_or_else(|| panic!("no platforms: {said:#}"));
    let pairs = platforms.iter().map(|it| (it["platform"].as_str().expect("a name").to_owned(), it.clone()));
    Value::Object(pairs.collect())
}

/// A resource of a platform of a sync.
pub(crate) fn resource<'a>(platform: &'a Value, name: &str) -> &'a Value {
    let all = platform["resources"].as_array().expect("resources");
    all.iter().find(|it| it["name"] == name).unwrap_or_else(|| panic!("{name} is not among {platform:#}"))
}

pub(crate) fn mail(subject: &str, body: &str) -> Vec<u8> {
    let date = SystemClock.now().to_rfc2822();
    format!(
        "From: Clara <clara@example.org>\r\nTo: Ana <{OWNER}>\r\nSubject: {subject}\r\nDate: {date}\r\n\
         Message-ID: <{subject}@example.org>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n"
    )
    .into_bytes()
}

fn team(sim: &Sim) -> Team {
    let now = SystemClock.now();
    let slack = sim.slack();
    let (ana, ben) = (slack.add_user("ana", "Ana Almeida"), slack.add_user("ben", "Ben Okoro"));
    let general = slack.add_channel("general", false, &[&ana, &ben]);
    let random = slack.add_channel("random", false, &[&ana]);
    for channel in [&general, &random] {
        slack.bot_joins(channel);
    }
    let question = slack.post_at(&general, &ana, "Who brings the kites?", now - TimeDelta::days(3));
    slack.reply_at(&general, &question, &ben, "I bring two.", now - TimeDelta::days(2));
    slack.post_at(&random, &ana, "The meadow is dry again.", now - TimeDelta::days(1));

    sim.set_google_person(OWNER, "Ana Almeida");
    sim.gmail().deliver(&mail("Insurance", "The insurance covers three hundred visitors."), &["INBOX"]);
    sim.calendar().add_calendar(NewCalendar::new("primary", "Ana"));
    let start: chrono::DateTime<Utc> = now + TimeDelta::days(1);
    let event = sim.calendar().add_event("primary", Details::new("Kite rehearsal", start, start + TimeDelta::hours(1)));

    let blocks = vec![Block::heading(1, "Safety"), Block::paragraph("No kite above eighty metres.")];
    let page = sim.notion().add_page(Place::Workspace, "Rules of the meadow", blocks).expect("a page");
    let blocks = vec![Block::paragraph("Bread, water, string.")];
    sim.notion().add_page(Place::Workspace, "Picnic", blocks).expect("a page");
    Team { ana, ben, general, random, question, page, event: event.expect("an event") }
}
