//! The workspace as a caller over HTTP sees it.

mod authored;
mod conversations;
mod posting;
mod rules;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use crate::server::testing::{Answer, Client};
use crate::{Running, Sim, VirtualClock};

const SCOPES: [&str; 13] = [
    "channels:history",
    "channels:join",
    "channels:read",
    "chat:write",
    "groups:history",
    "groups:read",
    "im:history",
    "im:read",
    "im:write",
    "metadata.message:read",
    "team:read",
    "users:read",
    "users:read.email",
];

fn instant() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000)
}

/// A served workspace with one public channel, in which Ana, Ben and the bot are.
struct Bench {
    sim: Sim,
    clock: Arc<VirtualClock>,
    client: Client,
    _running: Running,
    channel: String,
    ana: String,
    ben: String,
}

impl Bench {
    async fn start() -> Self {
        let clock = Arc::new(VirtualClock::at(instant()));
        let sim = Sim::new(clock.clone());
        let running = sim.start().await.unwrap();
        let client = Client::new(running.address).bearer(&sim.tokens().slack(&SCOPES));
        let (ana, ben) = (sim.slack().add_user("ana", "Ana"), sim.slack().add_user("ben", "Ben"));
        let channel = sim.slack().add_channel("general", false, &[&ana, &ben]);
        sim.slack().bot_joins(&channel);
        Self { sim, clock, client, _running: running, channel, ana, ben }
    }

    fn post(&self, text: &str) -> String {
        self.clock.advance(TimeDelta::seconds(1));
        self.sim.slack().post(&self.channel, &self.ana, text)
    }

    fn reply(&self, thread: &str, text: &str) -> String {
        self.clock.advance(TimeDelta::seconds(1));
        self.sim.slack().reply(&self.channel, thread, &self.ben, text)
    }

    async fn call(&self, method: &str, arguments: &[(&str, &str)]) -> Answer {
        self.client.get(&format!("/api/{method}"), arguments).await
    }

    async fn error(&self, method: &str, arguments: &[(&str, &str)]) -> String {
        let answer = self.call(method, arguments).await;
        assert_eq!((answer.status, &answer.json()["ok"]), (200, &Value::Bool(false)), "{}", answer.json());
        answer.json()["error"].as_str().unwrap().to_owned()
    }

    /// All pages of a list, one after the other.
    async fn pages(&self, method: &str, arguments: &[(&str, &str)], key: &str) -> Vec<Vec<Value>> {
        let mut pages = Vec::new();
        let mut cursor = String::new();
        loop {
            let arguments = [arguments, &[("cursor", cursor.as_str())]].concat();
            let page = self.call(method, &arguments).await.json();
            assert_eq!(page["ok"], true, "{page}");
            pages.push(page[key].as_array().unwrap().clone());
            page["response_metadata"]["next_cursor"].as_str().unwrap().clone_into(&mut cursor);
            if cursor.is_empty() {
                return pages;
            }
        }
    }

    async fn history(&self, arguments: &[(&str, &str)]) -> Vec<String> {
        let arguments = [&[("channel", self.channel.as_str())], arguments].concat();
        texts(&self.pages("conversations.history", &arguments, "messages").await.concat())
    }

    async fn thread(&self, ts: &str, arguments: &[(&str, &str)]) -> Vec<String> {
        let arguments = [&[("channel", self.channel.as_str()), ("ts", ts)], arguments].concat();
        texts(&self.pages("conversations.replies", &arguments, "messages").await.concat())
    }
}

fn texts(messages: &[Value]) -> Vec<String> {
    messages.iter().map(|it| it["text"].as_str().unwrap().to_owned()).collect()
}
