//! What the simulated Notion promises to clients, asked over HTTP.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::{Block, Notion, PageSnapshot, Place};
use crate::server::testing::{Answer, Client};
use crate::{Running, Sim, VirtualClock};

mod access;
mod authored;
mod reading;
mod shapes;
mod writing;

/// No list in these tests is as long as this.
const LONGEST_LIST: usize = 1_000;

/// A simulator with a client that has a token.
struct World {
    sim: Sim,
    clock: Arc<VirtualClock>,
    client: Client,
    token: String,
    _running: Running,
}

impl World {
    async fn new() -> Self {
        let clock = Arc::new(VirtualClock::at(instant()));
        Self::of(Sim::new(clock.clone()), clock).await
    }

    async fn of(sim: Sim, clock: Arc<VirtualClock>) -> Self {
        let running = sim.start().await.unwrap();
        let token = sim.tokens().notion();
        let client = Client::new(running.address).bearer(&token).with("notion-version", "2025-09-03");
        Self { sim, clock, client, token, _running: running }
    }

    fn notion(&self) -> &Notion {
        self.sim.notion()
    }

    fn later(&self, minutes: i64) {
        self.clock.advance(TimeDelta::minutes(minutes));
    }

    async fn get(&self, path: &str) -> Answer {
        self.client.get(path, &[]).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.client.post_json(path, &body).await
    }

    /// All results of a list that is asked for by `POST`. A list that leads in circles fails instead of going on.
    async fn posted(&self, path: &str, body: Value, size: usize) -> Vec<Value> {
        let (mut all, mut body) = (Vec::new(), body);
        body["page_size"] = size.into();
        loop {
            let page = self.post(path, body.clone()).await.json();
            assert!(page["results"].as_array().unwrap().len() <= size, "{page}");
            all.extend(page["results"].as_array().unwrap().clone());
            assert!(all.len() < LONGEST_LIST, "{path} leads in circles");
            if page["has_more"] == false {
                assert_eq!(page["next_cursor"], Value::Null);
                return all;
            }
            body["start_cursor"] = page["next_cursor"].clone();
        }
    }

    /// All results of a list that is asked for by `GET`.
    async fn listed(&self, path: &str, query: &[(&str, &str)], size: usize) -> Vec<Value> {
        let (mut all, mut cursor) = (Vec::new(), None::<String>);
        let size = size.to_string();
        loop {
            let mut query = query.to_vec();
            query.push(("page_size", &size));
            query.extend(cursor.as_deref().map(|it| ("start_cursor", it)));
            let page = self.client.get(path, &query).await.json();
            all.extend(page["results"].as_array().unwrap().clone());
            assert!(all.len() < LONGEST_LIST, "{path} leads in circles");
            cursor = page["next_cursor"].as_str().map(str::to_owned);
            if page["has_more"] == false {
                return all;
            }
        }
    }

    /// The words of a page as a careful client gathers them: depth first, one call for each parent and part.
    async fn words(&self, page: &str, size: usize) -> Vec<String> {
        let mut words = Vec::new();
        let mut open = self.listed(&format!("/v1/blocks/{page}/children"), &[], size).await;
        open.reverse();
        while let Some(block) = open.pop() {
            let kind = block["type"].as_str().unwrap();
            words.extend(words_of(kind, &block[kind]).filter(|it| !it.is_empty()));
            if block["has_children"] == true && kind != "child_page" {
                let path = format!("/v1/blocks/{}/children", block["id"].as_str().unwrap());
                open.extend(self.listed(&path, &[], size).await.into_iter().rev());
            }
        }
        words
    }
}

fn instant() -> DateTime<Utc> {
    "2026-03-08T12:00:20Z".parse().unwrap()
}

fn plain(rich_text: &Value) -> String {
    rich_text.as_array().unwrap().iter().map(|it| it["plain_text"].as_str().unwrap()).collect()
}

/// What a block says, read from the wire alone.
fn words_of(kind: &str, value: &Value) -> Option<String> {
    match kind {
        "table_row" => Some(value["cells"].as_array().unwrap().iter().map(plain).collect::<Vec<_>>().join(" | ")),
        "bookmark" if !plain(&value["caption"]).is_empty() => Some(plain(&value["caption"])),
        "bookmark" | "embed" => Some(value["url"].as_str().unwrap().to_owned()),
        "divider" => Some("---".to_owned()),
        _ => value.get("rich_text").map(plain),
    }
}

fn ids(objects: &[Value]) -> Vec<&str> {
    objects.iter().map(|it| it["id"].as_str().unwrap()).collect()
}

fn code(answer: &Answer) -> (u16, String) {
    (answer.status, answer.json()["code"].as_str().unwrap_or_default().to_owned())
}

fn refusal(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

/// One block of every kind, some of them nested.
fn every_kind() -> Vec<Block> {
    vec![
        Block::heading(1, "One"),
        Block::heading(2, "Two"),
        Block::heading(3, "Three").with(vec![Block::paragraph("inside a heading")]),
        Block::paragraph("first").with(vec![Block::paragraph("second").with(vec![Block::paragraph("third")])]),
        Block::paragraph(""),
        Block::bullet("bullet"),
        Block::numbered("number"),
        Block::to_do("done", true),
        Block::to_do("open", false),
        Block::toggle("toggle").with((0..5).map(|it| Block::bullet(format!("hidden {it}"))).collect()),
        Block::quote("quote"),
        Block::callout("callout"),
        Block::code("rust", "fn main() {\n}"),
        Block::table(vec![vec!["a".into(), "b".into()], vec!["c".into(), "d".into()]]),
        Block::bookmark("https://a.example", "caption"),
        Block::bookmark("https://b.example", ""),
        Block::embed("https://c.example"),
        Block::divider(),
        Block::columns(vec![vec![Block::paragraph("left")], vec![Block::paragraph("right")]]),
        Block::image("https://d.example/picture.png", "a picture"),
        Block::unknown("hologram").with(vec![Block::paragraph("inside the unknown")]),
        Block::paragraph("x".repeat(4_500)),
    ]
}

fn texts(page: &PageSnapshot) -> Vec<String> {
    page.blocks.iter().filter_map(|it| it.text.clone()).filter(|it| !it.is_empty()).collect()
}

fn top<'a>() -> Place<'a> {
    Place::Workspace
}
