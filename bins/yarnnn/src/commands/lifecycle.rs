//! `yarnnn deliverables promote|suggested|enable|dismiss|archive`.

use serde_json::{Value, json};
use yarnnn::accounts::Email;
use yarnnn::deliverables::{Deliverable, Schedule, Suggestion};

use super::deliverables::describe;
use super::verify::parse_version;
use super::when;
use super::wishes::UTC;
use crate::cli::Promote;
use crate::exit::UsageError;
use crate::output::Output;
use crate::session::Session;

/// Suggestions that are listed.
const LISTED: u32 = 100;

pub(super) async fn promote(user: Option<Email>, arguments: Promote, output: &Output) -> anyhow::Result<()> {
    let Promote { deliverable, schedule, at, day, tz } = arguments;
    let parse = |zone: &str| {
        let parsed = Schedule::parse(&schedule, day.as_deref(), at.as_deref(), Some(tz.as_deref().unwrap_or(zone)));
        parsed.map_err(|error| UsageError(error.to_string()))
    };
    // What is wrong is said before anything is opened.
    parse(UTC)?;
    let session = Session::open(user).await?;
    let (found, schedule) = (session.deliverable(&deliverable).await?, parse(session.home_zone())?);
    let promoted = session.yarnnn.deliverables().promote_to_recurring(&session.user, found.id, schedule).await?;
    tell_active(&promoted, output);
    Ok(())
}

pub(super) async fn enable(user: Option<Email>, version: &str, output: &Output) -> anyhow::Result<()> {
    let id = parse_version(version)?;
    let session = Session::open(user).await?;
    let enabled = session.yarnnn.deliverables().enable(&session.user, id).await?;
    tell_active(&enabled, output);
    Ok(())
}

fn tell_active(it: &Deliverable, output: &Output) {
    if output.is_json() {
        output.json(&describe(it));
        return;
    }
    let schedule = it.schedule.as_ref().map_or_else(|| "runs by hand".to_owned(), Schedule::describe);
    let next = it.next_run_at.map_or_else(String::new, |at| format!("; next run {} UTC", when::show(Some(at))));
    output.line(&format!("\"{}\" is {}: {schedule}{next}", it.title, it.status.as_str()));
}

pub(super) async fn suggested(user: Option<Email>, output: &Output) -> anyhow::Result<()> {
    let session = Session::open(user).await?;
    let all = session.yarnnn.deliverables().suggested(session.user.id, LISTED).await?;
    if output.is_json() {
        output.json(&json!({ "suggestions": all.iter().map(described).collect::<Vec<_>>() }));
        return Ok(());
    }
    if all.is_empty() {
        output.line("nothing is suggested");
        return Ok(());
    }
    let row = |it: &Suggestion| {
        let schedule = it.schedule.as_ref().map(Schedule::describe).unwrap_or_default();
        let (version, kind) = (it.version.to_string(), it.report_type.as_str().to_owned());
        vec![version, it.title.clone(), kind, schedule, it.why.detection_reason.clone()]
    };
    output.table(&["version", "title", "type", "when", "why"], all.iter().map(row).collect());
    output.line("take one up: yarnnn deliverables enable VERSION; drop it: yarnnn deliverables dismiss VERSION");
    Ok(())
}

fn described(it: &Suggestion) -> Value {
    json!({
        "version_id": it.version,
        "deliverable_id": it.deliverable,
        "deliverable_title": it.title,
        "deliverable_type": it.report_type.as_str(),
        "schedule": it.schedule,
        "analyst_metadata": it.why,
        "created_at": it.created_at,
    })
}

pub(super) async fn dismiss(user: Option<Email>, version: &str, output: &Output) -> anyhow::Result<()> {
    let id = parse_version(version)?;
    let session = Session::open(user).await?;
    session.yarnnn.deliverables().dismiss(session.user.id, id).await?;
    if output.is_json() {
        output.json(&json!({ "version_id": id, "status": "dismissed" }));
    }
    output.line("the suggestion is dropped");
    Ok(())
}

pub(super) async fn archive(user: Option<Email>, name: &str, output: &Output) -> anyhow::Result<()> {
    let session = Session::open(user).await?;
    let found = session.deliverable(name).await?;
    session.yarnnn.deliverables().archive(session.user.id, found.id).await?;
    if output.is_json() {
        output.json(&json!({ "deliverable_id": found.id, "status": "archived" }));
    }
    output.line(&format!("\"{}\" is archived: it never runs again", found.title));
    Ok(())
}
