//! Serves a world until standard input ends: `cargo run -p yarnnn-sim --example serve`, or with `-- large` behind it.
//!
//! The one line on standard output is JSON: where it listens, tokens and keys, and what a client that misses nothing would hold. The
//! scripts in `clients/` read it and fetch everything with the providers' own clients.

mod held;
mod large;

use std::io::{self, Read as _, Write as _};
use std::sync::Arc;

use serde_json::json;
use yarnnn_core::clock::SystemClock;
use yarnnn_sim::{Provider, Sim};

const SLACK_SCOPES: [&str; 7] =
    ["channels:history", "channels:join", "channels:read", "chat:write", "metadata.message:read", "team:read", "users:read"];
const GOOGLE_SCOPES: [&str; 2] = ["https://www.googleapis.com/auth/gmail.modify", "https://www.googleapis.com/auth/calendar"];

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let sim = world(std::env::args().nth(1).as_deref())?;
    let running = sim.start().await?;
    let tokens = sim.tokens();
    let slack = json!({ "url": running.slack_url(), "token": tokens.slack(&SLACK_SCOPES), "held": held::slack(&sim) });
    let google = json!({
        "url": running.gmail_url(),
        "token": tokens.google(&GOOGLE_SCOPES),
        "mail": held::mail(&sim),
        "events": held::events(&sim),
    });
    let notion = json!({ "url": running.notion_url(), "token": tokens.notion(), "held": held::notion(&sim) });
    let told = json!({
        "slack": slack,
        "google": google,
        "notion": notion,
        "anthropic": { "url": running.anthropic_url(), "key": tokens.key(Provider::Anthropic) },
        "openai": { "url": running.openai_url(), "key": tokens.key(Provider::OpenAi) },
        "resend": { "url": running.resend_url(), "key": tokens.key(Provider::Resend) },
        "search": { "url": running.search_url(), "key": tokens.key(Provider::CustomSearch), "cx": "sim" },
        "web": { "url": running.web_url() },
    });
    writeln!(io::stdout(), "{told}")?;
    tokio::task::spawn_blocking(|| io::stdin().read_to_end(&mut Vec::new())).await??;
    running.stop().await
}

/// The authored sample, or much of everything.
fn world(name: Option<&str>) -> io::Result<Sim> {
    let clock = Arc::new(SystemClock);
    match name {
        None | Some("sample") => Ok(Sim::sample(clock)),
        Some("large") => large::world(clock).ok_or_else(|| io::Error::other("the large world contradicts itself")),
        Some(other) => Err(io::Error::other(format!("there is no world {other:?}; there are `sample` and `large`"))),
    }
}
