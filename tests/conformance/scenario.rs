//! Worlds in which a client has to make every call it knows, and syncs that make it.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;
use url::Url;
use yarnnn::connections::{OAuth as _, Provider};
use yarnnn::platform::{
    Access, AccessTokens, Budget, Call, CallGate, Cursor, Fetch, FetchMode, Interval, Item, KnownItem, Next, OpenPlatform as _,
    Platform, PlatformClient, PlatformError, Resource,
};
use yarnnn::platforms::http::HttpTransport;
use yarnnn::platforms::oauth::{OAuthApp, OAuthSettings, ProviderOAuth};
use yarnnn::platforms::{LivePlatforms, PlatformBases};
use yarnnn_sim::calendar::{Details, NewCalendar};
use yarnnn_sim::notion::{Block, Place};
use yarnnn_sim::{CLIENT_ID, CLIENT_SECRET, Running, Sim, VirtualClock};

use crate::outward;
use crate::proxy::Proxy;

const GOOGLE: [&str; 2] = ["https://www.googleapis.com/auth/gmail.readonly", "https://www.googleapis.com/auth/calendar.readonly"];
const SLACK: [&str; 8] = [
    "channels:read",
    "channels:history",
    "channels:join",
    "groups:read",
    "groups:history",
    "users:read",
    "chat:write",
    "metadata.message:read",
];

/// A token that is good, and leave for everything; keeps the names of the calls.
#[derive(Debug)]
struct Pass {
    token: String,
    called: Mutex<BTreeSet<String>>,
}

#[async_trait]
impl AccessTokens for Pass {
    async fn current(&self) -> Result<SecretString, PlatformError> {
        Ok(self.token.clone().into())
    }

    async fn renew(&self, _: &SecretString) -> Result<SecretString, PlatformError> {
        Err(PlatformError::NeedsUser { action: "the simulator refuses its own token".into() })
    }
}

#[async_trait]
impl CallGate for Pass {
    async fn admit(&self, call: &Call<'_>) -> Result<(), PlatformError> {
        self.called.lock().unwrap().insert(call.name.to_owned());
        Ok(())
    }
}

/// A client, and the world it reads.
struct Stage<'a> {
    sim: &'a Sim,
    client: Arc<dyn PlatformClient>,
}

/// A world of one provider, served.
pub(crate) async fn simulator(provider: &str) -> (Sim, Running) {
    let start = DateTime::parse_from_rfc3339("2026-11-22T09:00:00Z").unwrap().to_utc();
    let sim = Sim::new(Arc::new(VirtualClock::at(start)));
    match provider {
        "slack" => workspace(&sim),
        "gmail" => mailbox(&sim),
        "calendar" => calendars(&sim),
        _ => pages(&sim),
    }
    let running = sim.start().await.unwrap();
    (sim, running)
}

/// Syncs a provider's world through the proxy, again and again while it changes; the names of the calls that were made.
pub(crate) async fn play(provider: &str, sim: &Sim, proxy: &Proxy) -> BTreeSet<String> {
    let platform: Platform = provider.parse().unwrap();
    let token = match platform {
        Platform::Slack => sim.tokens().slack(&SLACK),
        Platform::Notion => sim.tokens().notion(),
        Platform::Gmail | Platform::Calendar => sim.tokens().google(&GOOGLE),
    };
    let pass = Arc::new(Pass { token, called: Mutex::default() });
    let access = Access { tokens: pass.clone(), gate: pass.clone(), person: None, scopes: vec![] };
    let clock = Arc::new(VirtualClock::at(sim.now()));
    let live = LivePlatforms::new(HttpTransport::new().unwrap(), bases(&proxy.url()), clock.clone());
    let stage = Stage { sim, client: live.open(platform, access.clone()) };
    stage.client.probe().await.unwrap();
    for resource in stage.resources().await {
        stage.read(&resource, platform).await;
    }
    if platform == Platform::Slack {
        let channel = stage.resources().await.remove(0);
        outward::post(&live, access.clone(), channel.id.as_str(), clock.as_ref()).await;
        sign_in(sim, proxy).await;
    }
    if platform == Platform::Notion {
        let parent = sim.notion().add_page(Place::Workspace, "Reports", vec![]).unwrap();
        outward::page(&live, access, &parent, clock.as_ref()).await;
    }
    pass.called.lock().unwrap().clone()
}

fn bases(url: &Url) -> PlatformBases {
    PlatformBases {
        slack: url.clone(),
        gmail: url.clone(),
        calendar: url.clone(),
        notion: url.clone(),
        ..PlatformBases::default()
    }
}

impl Stage<'_> {
    async fn resources(&self) -> Vec<Resource> {
        let (mut found, mut page) = (Vec::new(), None);
        loop {
            let answer = self.client.resources(page).await.unwrap();
            found.extend(answer.resources);
            page = answer.next;
            if page.is_none() {
                return found;
            }
        }
    }

    /// First fill in small portions, what changed since, and everything stored once more.
    async fn read(&self, resource: &Resource, platform: Platform) {
        let now = self.sim.now();
        let window = Interval { from: now - TimeDelta::days(14), to: now + TimeDelta::days(14) };
        let (mut items, mut cursor) = self.fetch(resource, FetchMode::Start { window }, Some(120)).await;
        for _ in 0..3 {
            let Some(from) = cursor.take() else { break };
            let (more, next) = self.fetch(resource, FetchMode::Since(from), Some(120)).await;
            items.extend(more);
            cursor = next;
        }
        self.change(resource, &items, platform);
        let known: Vec<KnownItem> = items.iter().map(known).collect();
        if let Some(from) = cursor {
            self.fetch(resource, FetchMode::Since(from), None).await;
        }
        self.fetch(resource, FetchMode::Audit { window, known: known.into(), cursor: None }, None).await;
    }

    async fn fetch(&self, resource: &Resource, mode: FetchMode, cap: Option<u32>) -> (Vec<Item>, Option<Cursor>) {
        let budget = Budget { cap, ..Budget::default() };
        let mut fetch = Fetch { resource: resource.id.clone(), kind: resource.kind, mode, page: None, budget };
        let mut items = Vec::new();
        loop {
            let page = self.client.fetch(&fetch).await.unwrap_or_else(|error| panic!("{}: {error}", resource.name));
            items.extend(page.items);
            match page.next {
                Next::Page(next) => fetch.page = Some(next),
                Next::Done { cursor, .. } => return (items, cursor),
            }
        }
    }

    /// Deletes the newest thing, so that somebody has to look whether it is really gone.
    fn change(&self, resource: &Resource, items: &[Item], platform: Platform) {
        let Some(newest) = items.iter().max_by_key(|it| it.source_timestamp) else { return };
        match platform {
            Platform::Slack => self.sim.slack().delete(resource.id.as_str(), &newest.item_id),
            Platform::Gmail => _ = self.sim.gmail().delete(&newest.item_id),
            Platform::Calendar => _ = self.sim.calendar().cancel("primary", &newest.item_id),
            Platform::Notion => self.sim.notion().trash(&newest.item_id).unwrap(),
        }
    }
}

fn known(item: &Item) -> KnownItem {
    let (item_id, source_timestamp) = (item.item_id.clone(), item.source_timestamp);
    KnownItem { item_id, source_timestamp, metadata: item.metadata.clone() }
}

/// Slack's token exchange is the only one that has a public specification.
async fn sign_in(sim: &Sim, proxy: &Proxy) {
    let app = OAuthApp { client_id: Some(CLIENT_ID.to_owned()), client_secret: Some(CLIENT_SECRET.into()) };
    let api = Some("https://yarnnn.example".parse().unwrap());
    let settings = OAuthSettings { bases: bases(&proxy.url()), api, slack: app, ..OAuthSettings::default() };
    let oauth = ProviderOAuth::new(settings, HttpTransport::new().unwrap(), Arc::new(VirtualClock::at(sim.now())));
    let redirect = "https://yarnnn.example/api/integrations/slack/callback";
    let code = sim.tokens().authorization_code(yarnnn_sim::Provider::Slack, &SLACK, redirect);
    oauth.exchange(Provider::Slack, &code.into()).await.unwrap();
}

fn hours_ago(sim: &Sim, hours: i64) -> DateTime<Utc> {
    sim.now() - TimeDelta::hours(hours)
}

/// More messages than a page holds, threads, a channel that is only named, and one that the app is not in yet.
fn workspace(sim: &Sim) {
    let slack = sim.slack();
    let ana = slack.add_user("ana", "Ana");
    let secret = slack.add_channel("archive", false, &[&ana]);
    slack.archive(&secret);
    let general = slack.add_channel("general", false, &[&ana]);
    slack.bot_joins(&general);
    for number in 0..230 {
        let ts =
            slack.post_at(&general, &ana, &format!("Message {number} for <@{ana}> in <#{secret}>"), hours_ago(sim, 300 - number));
        if number % 50 == 0 {
            slack.reply_at(&general, &ts, &ana, "Reply", hours_ago(sim, 299 - number));
        }
    }
    let open = slack.add_channel("open", false, &[&ana]);
    slack.post_at(&open, &ana, "Anybody may join", hours_ago(sim, 5));
}

/// More mails than a page holds, under a label of the user's; one of them has its text as a part of its own.
fn mailbox(sim: &Sim) {
    for number in 0..130 {
        let text = if number == 7 { "Much to say. ".repeat(8_000) } else { "Little to say.".to_owned() };
        let head =
            format!("From: ana@x.example\r\nTo: ben@x.example\r\nMessage-ID: <{number}@x.example>\r\nSubject: Mail {number}");
        let raw = format!("{head}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n");
        sim.gmail().deliver_at(raw.as_bytes(), &["INBOX", "Launch"], hours_ago(sim, 200 - number));
    }
}

/// More events than a page holds, and a series.
fn calendars(sim: &Sim) {
    let calendar = sim.calendar();
    calendar.add_calendar(NewCalendar::new("team@group.calendar.google.com", "Team"));
    for number in 0..130 {
        let start = hours_ago(sim, 200 - number);
        calendar.add_event("primary", Details::new(&format!("Event {number}"), start, start + TimeDelta::minutes(30))).unwrap();
    }
    let start = hours_ago(sim, 24);
    let daily = Details::new("Daily", start, start + TimeDelta::minutes(15)).repeating("RRULE:FREQ=DAILY;COUNT=5");
    calendar.add_event("primary", daily).unwrap();
}

/// A page with more blocks than an answer holds, and a database with more rows than a fetch takes.
fn pages(sim: &Sim) {
    let notion = sim.notion();
    let lines = (0..120).map(|it| Block::paragraph(format!("Line {it}"))).collect();
    let top = notion.add_page(Place::Workspace, "Handbook", lines).unwrap();
    let database = notion.add_database(Place::Inside(&top), "Tasks", &[]).unwrap();
    for number in 0..125 {
        notion.add_row(&database.data_source, &format!("Task {number}"), &[], vec![Block::to_do("Do it", false)]).unwrap();
    }
}

/// Lets the client read the specification's own examples: whom it sees, and what there is to read.
pub(crate) async fn read_examples(provider: &str, mock: SocketAddr) -> String {
    let url = Url::parse(&format!("http://{mock}")).unwrap();
    let pass = Arc::new(Pass { token: "token".to_owned(), called: Mutex::default() });
    let access = Access { tokens: pass.clone(), gate: pass, person: None, scopes: vec![] };
    let live = LivePlatforms::new(HttpTransport::new().unwrap(), bases(&url), Arc::new(VirtualClock::at(DateTime::UNIX_EPOCH)));
    let client = live.open(provider.parse().unwrap(), access);
    let probe = client.probe().await.unwrap();
    let page = client.resources(None).await.unwrap();
    assert!(page.quarantined.is_empty() && !page.resources.is_empty(), "{page:?}");
    let names: Vec<String> = page.resources.into_iter().map(|it| it.name).collect();
    format!("account {}, resources {}", probe.account_name.unwrap_or(probe.account_id), names.join(", "))
}
