//! Serves the authored sample until standard input ends: `cargo run -p yarnnn-sim --example serve`.
//!
//! The one line on standard output is JSON: where it listens, tokens, and what a client that misses nothing would hold. The
//! scripts in `clients/` read it and fetch everything with the providers' own clients.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::{Value, json};
use yarnnn_core::clock::SystemClock;
use yarnnn_sim::Sim;

const SLACK_SCOPES: [&str; 6] = ["channels:history", "channels:join", "channels:read", "chat:write", "team:read", "users:read"];
const GOOGLE_SCOPES: [&str; 2] = ["https://www.googleapis.com/auth/gmail.modify", "https://www.googleapis.com/auth/calendar"];

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let sim = Sim::sample(Arc::new(SystemClock));
    let running = sim.start().await?;
    let slack = json!({ "url": running.slack_url(), "token": sim.tokens().slack(&SLACK_SCOPES), "held": slack_held(&sim) });
    let google = json!({
        "url": running.gmail_url(),
        "token": sim.tokens().google(&GOOGLE_SCOPES),
        "mail": mail_held(&sim),
        "events": events_held(&sim),
    });
    let notion = json!({ "url": running.notion_url(), "token": sim.tokens().notion(), "held": notion_held(&sim) });
    writeln!(std::io::stdout(), "{}", json!({ "slack": slack, "google": google, "notion": notion }))?;
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    running.stop().await
}

/// The timestamps of all messages and replies by channel.
fn slack_held(sim: &Sim) -> BTreeMap<String, Value> {
    let held = |channel: &str| sim.slack().snapshot(channel).into_iter().map(|it| it.ts).collect();
    sim.slack().joined().into_keys().map(|id| (id.clone(), held(&id))).collect()
}

/// The identifiers of the owner's mails by label.
fn mail_held(sim: &Sim) -> BTreeMap<&'static str, Value> {
    let held = |label| sim.gmail().snapshot(label).into_iter().map(|it| it.id).collect();
    ["INBOX", "SENT", "Launch", "Newsletters"].into_iter().map(|label| (label, held(label))).collect()
}

/// The identifiers of what takes place from two weeks ago until in two weeks, and these bounds.
fn events_held(sim: &Sim) -> Value {
    let (from, to) = (sim.now() - TimeDelta::days(14), sim.now() + TimeDelta::days(14));
    let held: Vec<String> = sim.calendar().snapshot("primary", from..to).into_iter().map(|it| it.id).collect();
    json!({ "from": from.to_rfc3339(), "to": to.to_rfc3339(), "held": held })
}

/// The words of all pages and rows by id.
fn notion_held(sim: &Sim) -> BTreeMap<String, String> {
    sim.notion().snapshot().into_iter().map(|(id, page)| (id, page.text())).collect()
}
