//! `yarnnn outbox`: messages, and what a person says about those whose arrival nobody could find out.

use std::process::ExitCode;

use serde_json::{Value, json};
use yarnnn::accounts::Email;
use yarnnn::delivery::{HeldDecision, OutboxMessage};
use yarnnn::id::MessageId;

use super::verify::parse_version;
use crate::cli::Outbox;
use crate::exit::UsageError;
use crate::output::Output;
use crate::session::Session;

pub(super) async fn execute(user: Option<Email>, command: Outbox, output: &Output) -> anyhow::Result<ExitCode> {
    match command {
        Outbox::List { version } => list(user, &version, output).await?,
        Outbox::Arrived { message } => decide(user, &message, HeldDecision::Arrived, output).await?,
        Outbox::SendAgain { message } => decide(user, &message, HeldDecision::SendAgain, output).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(user: Option<Email>, version: &str, output: &Output) -> anyhow::Result<()> {
    let id = parse_version(version)?;
    let session = Session::open(user).await?;
    let outcome = session.yarnnn.deliverables().outcome_of(session.user.id, id).await?;
    if output.is_json() {
        output.json(&json!({ "messages": outcome.messages.iter().map(describe).collect::<Vec<_>>() }));
        return Ok(());
    }
    let row = |it: &OutboxMessage| {
        let (id, attempts) = (it.id.to_string(), it.attempts.to_string());
        let said = it.error.clone().or_else(|| it.external_id.clone()).unwrap_or_default();
        vec![id, it.channel.as_str().to_owned(), it.target.clone(), it.state.as_str().to_owned(), attempts, said]
    };
    output.table(&["message", "channel", "to", "state", "tries", "said"], outcome.messages.iter().map(row).collect());
    Ok(())
}

async fn decide(user: Option<Email>, message: &str, decision: HeldDecision, output: &Output) -> anyhow::Result<()> {
    let unknown = |_| UsageError(format!("{message:?} is no message id (yarnnn outbox list VERSION lists them)"));
    let id: MessageId = message.parse().map_err(unknown)?;
    let session = Session::open(user).await?;
    let message = session.yarnnn.deliverables().decide_message(session.user.id, id, decision).await?;
    if output.is_json() {
        output.json(&describe(&message));
    } else {
        output.line(&format!("the message is {}; `yarnnn run` of its report does the rest", message.state.as_str()));
    }
    Ok(())
}

fn describe(it: &OutboxMessage) -> Value {
    json!({
        "message_id": it.id,
        "key": it.key,
        "channel": it.channel.as_str(),
        "target": it.target,
        "state": it.state.as_str(),
        "attempts": it.attempts,
        "external_id": it.external_id,
        "error": it.error,
    })
}
