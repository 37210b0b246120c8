//! `yarnnn deliverables`: create, list, show, pause, approve, reject.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use serde_json::{Value, json};
use yarnnn::accounts::Email;
use yarnnn::deliverables::{CreateDeliverable, Deliverable, Destination, ReportOptions, ReportType, Schedule, Version};
use yarnnn::platform::ResourceId;

use super::verify::parse_version;
use super::{feedback, lifecycle, when};
use crate::cli::{Create, Deliverables, WhenQuiet};
use crate::exit::UsageError;
use crate::output::Output;
use crate::session::{Session, parse_email};

pub(super) async fn execute(user: Option<Email>, command: Deliverables, output: &Output) -> anyhow::Result<ExitCode> {
    match command {
        Deliverables::Create(arguments) => create(user, *arguments, output).await?,
        Deliverables::List => list(&Session::open(user).await?, output).await?,
        Deliverables::Show { deliverable } => show(&Session::open(user).await?, &deliverable, output).await?,
        Deliverables::Pause { deliverable, resume } => pause(&Session::open(user).await?, &deliverable, !resume, output).await?,
        Deliverables::Approve { version } => decide(user, &version, true, output).await?,
        Deliverables::Reject { version } => decide(user, &version, false, output).await?,
        Deliverables::Feedback(arguments) => feedback::give(user, arguments, output).await?,
        Deliverables::Promote(arguments) => lifecycle::promote(user, *arguments, output).await?,
        Deliverables::Suggested => lifecycle::suggested(user, output).await?,
        Deliverables::Enable { version } => lifecycle::enable(user, &version, output).await?,
        Deliverables::Dismiss { version } => lifecycle::dismiss(user, &version, output).await?,
        Deliverables::Archive { deliverable } => lifecycle::archive(user, &deliverable, output).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn create(user: Option<Email>, arguments: Create, output: &Output) -> anyhow::Result<()> {
    ReportType::parse(&arguments.report_type).map_err(|error| UsageError(format!("--type: {error}")))?;
    let (destinations, schedule) = (destinations(&arguments)?, schedule(&arguments)?);
    let sources = parse_sources(&arguments.sources)?;
    let session = Session::open(user).await?;
    session.check_mail(&destinations)?;
    let options = ReportOptions {
        min_evidence_percent: arguments.min_evidence,
        says_when_quiet: arguments.when_quiet == WhenQuiet::Line,
        learns_from_edits: !arguments.no_learning,
    };
    let Create { title, description, report_type, .. } = arguments;
    let create = CreateDeliverable { title, description, report_type, sources, destinations, options, schedule };
    let deliverable = session.yarnnn.deliverables().create(&session.user, create).await?;
    if output.is_json() {
        output.json(&describe(&deliverable));
        return Ok(());
    }
    output.line(&format!("created \"{}\" ({}) {}", deliverable.title, deliverable.report_type.as_str(), deliverable.id));
    if let Some(schedule) = &deliverable.schedule {
        let next = when::show(deliverable.next_run_at);
        output.line(&format!("{}; next run {next} UTC, when `yarnnn run --due` is called", schedule.describe()));
    }
    output.line(&format!("try: yarnnn run {}", deliverable.id));
    Ok(())
}

fn destinations(arguments: &Create) -> anyhow::Result<Vec<Destination>> {
    let mut destinations = Vec::new();
    if let Some(address) = &arguments.email {
        destinations.push(Destination::Email { address: parse_email(address)? });
    }
    if let Some(channel) = &arguments.slack {
        let channel = channel.trim();
        if channel.is_empty() || channel.chars().any(char::is_whitespace) {
            return Err(
                UsageError(format!("--slack: {channel:?} is no channel; give its id (C024BE91L) or name (#general)")).into()
            );
        }
        destinations.push(Destination::Slack { channel: channel.to_owned() });
    }
    if let Some(folder) = &arguments.folder {
        destinations.push(Destination::Folder { path: Some(absolute(folder)?) });
    }
    Ok(destinations)
}

async fn decide(user: Option<Email>, version: &str, passes: bool, output: &Output) -> anyhow::Result<()> {
    let id = parse_version(version)?;
    let session = Session::open(user).await?;
    let version = session.yarnnn.deliverables().decide(session.user.id, id, passes).await?;
    if output.is_json() {
        output.json(&json!({ "version_id": version.id, "status": if passes { "approved" } else { "rejected" } }));
    } else if passes {
        output.line(&format!("version {} may pass; send it: yarnnn run {}", version.number, version.deliverable));
    } else {
        output.line(&format!("version {} is rejected: it is never sent", version.number));
    }
    Ok(())
}

/// A folder that means the same from wherever the report is run later.
fn absolute(path: &Path) -> anyhow::Result<String> {
    let path = std::path::absolute(path).with_context(|| format!("--folder {}", path.display()))?;
    let text = path.to_str().ok_or_else(|| UsageError(format!("--folder: {} is not UTF-8", path.display())))?;
    Ok(text.to_owned())
}

fn schedule(arguments: &Create) -> anyhow::Result<Option<Schedule>> {
    let Some(frequency) = &arguments.schedule else { return Ok(None) };
    let schedule = Schedule::parse(frequency, arguments.day.as_deref(), arguments.at.as_deref(), arguments.tz.as_deref());
    Ok(Some(schedule.map_err(|error| UsageError(error.to_string()))?))
}

/// Sources as `PLATFORM:RESOURCE`.
pub(super) fn parse_sources(sources: &[String]) -> anyhow::Result<Vec<ResourceId>> {
    let parse = |text: &String| text.parse::<ResourceId>().map_err(|error| UsageError(format!("--source: {error}")).into());
    sources.iter().map(parse).collect()
}

async fn list(session: &Session, output: &Output) -> anyhow::Result<()> {
    let all = session.yarnnn.deliverables().list(session.user.id).await?;
    if output.is_json() {
        output.json(&json!({ "deliverables": all.iter().map(describe).collect::<Vec<_>>() }));
        return Ok(());
    }
    if all.is_empty() {
        output.line("no deliverables yet; try: yarnnn deliverables create --type status_report --title \"Weekly status\"");
        return Ok(());
    }
    let row = |it: &Deliverable| {
        let (last, next) = (when::show(it.last_run_at), when::show(it.next_run_at));
        vec![it.id.to_string(), it.title.clone(), it.report_type.as_str().to_owned(), it.status.as_str().to_owned(), last, next]
    };
    output.table(&["id", "title", "type", "status", "last run", "next run"], all.iter().map(row).collect());
    Ok(())
}

async fn show(session: &Session, name: &str, output: &Output) -> anyhow::Result<()> {
    let found = session.deliverable(name).await?;
    let (deliverable, versions) = session.yarnnn.deliverables().show(session.user.id, found.id).await?;
    if output.is_json() {
        let mut object = describe(&deliverable);
        object["versions"] = versions.iter().map(describe_version).collect();
        feedback::describe_into(&mut object, session, &deliverable).await?;
        output.json(&object);
        return Ok(());
    }
    output.line(&format!("{} ({}, {})", deliverable.title, deliverable.report_type.as_str(), deliverable.status.as_str()));
    output.line(&format!("goes to {}", describe_destinations(&deliverable)));
    if let Some(percent) = deliverable.options.min_evidence_percent {
        output.line(&format!("is held when less than {percent} % of its statements are proven"));
    }
    let sources: Vec<_> = deliverable.sources.iter().map(|it| format!("{} ({})", it.resource, it.resource_name)).collect();
    output.line(&format!(
        "reads {}",
        if sources.is_empty() { "everything its type can use".to_owned() } else { sources.join(", ") }
    ));
    if let Some(schedule) = &deliverable.schedule {
        output.line(&schedule.describe());
    }
    let row = |it: &Version| {
        let tally = it.state.tally.unwrap_or_default();
        let evidence = format!("{}/{}", tally.with_evidence, tally.sentences);
        vec![it.number.to_string(), it.id.to_string(), it.status.as_str().to_owned(), evidence, when::show(it.delivered_at)]
    };
    output.table(&["no", "version", "status", "evidence", "delivered"], versions.iter().map(row).collect());
    for version in &versions {
        if let Some(error) = &version.delivery_error {
            output.line(&format!("version {}: {error}", version.number));
        }
        // What the model wrote instead of a report is for its owner to see.
        if let (Some(ending), Some(raw)) = (version.state.ending, &version.draft) {
            output.line(&format!("what the model wrote ({}):\n{raw}", ending.as_str()));
        }
    }
    feedback::show(session, &deliverable, output).await
}

async fn pause(session: &Session, name: &str, paused: bool, output: &Output) -> anyhow::Result<()> {
    let found = session.deliverable(name).await?;
    session.yarnnn.deliverables().pause(&session.user, found.id, paused).await?;
    let status = if paused { "paused" } else { "active" };
    if output.is_json() {
        output.json(&json!({ "deliverable_id": found.id, "status": status }));
    }
    output.line(&format!("\"{}\" is {status}", found.title));
    Ok(())
}

pub(super) fn describe(it: &Deliverable) -> Value {
    json!({
        "deliverable_id": it.id,
        "title": it.title,
        "description": it.description,
        "type": it.report_type.as_str(),
        "status": it.status.as_str(),
        "destination": describe_destinations(it),
        "min_evidence_percent": it.options.min_evidence_percent,
        "says_when_quiet": it.options.says_when_quiet,
        "learns_from_edits": it.options.learns_from_edits,
        "origin": it.origin.as_str(),
        "trigger": it.trigger.as_str(),
        "sources": it.sources,
        "schedule": it.schedule,
        "next_run_at": it.next_run_at,
        "last_run_at": it.last_run_at,
    })
}

fn describe_version(it: &Version) -> Value {
    json!({
        "version_id": it.id,
        "number": it.number,
        "status": it.status.as_str(),
        "step": it.step.as_str(),
        "tally": it.state.tally,
        "error": it.delivery_error,
        "ending": it.state.ending,
        "raw": it.draft.as_ref().filter(|_| it.state.ending.is_some()),
        "created_at": it.created_at,
        "delivered_at": it.delivered_at,
    })
}

fn describe_destinations(deliverable: &Deliverable) -> String {
    let describe = |it: &Destination| match it {
        Destination::Email { address } => address.to_string(),
        Destination::Slack { channel } => format!("{channel} in Slack"),
        Destination::Folder { path: Some(path) } => format!("the folder {path}"),
        Destination::Folder { path: None } => "the outbox folder".to_owned(),
    };
    deliverable.destinations.iter().map(describe).collect::<Vec<_>>().join(", ")
}
