//! `yarnnn deliverables`: create, list, show, edit, pause, approve, reject, download.

use std::process::ExitCode;

use serde_json::{Value, json};
use yarnnn::Error;
use yarnnn::accounts::Email;
use yarnnn::activity::Activity;
use yarnnn::deliverables::{
    CreateDeliverable, Deliverable, Destination, EditDeliverable, EditSchedule, Frequency, ReportOptions, ReportType, Version,
};

use super::verify::parse_version;
use super::wishes::{UTC, destinations, parse_sources, schedule};
use super::{download, feedback, lifecycle, when};
use crate::cli::{Create, Deliverables, Edit, Switch, WhenQuiet};
use crate::exit::UsageError;
use crate::output::Output;
use crate::session::Session;

/// Runs that were given up and that `show` lists.
const SHOWN_FAILURES: u32 = 3;

pub(super) async fn execute(user: Option<Email>, command: Deliverables, output: &Output) -> anyhow::Result<ExitCode> {
    match command {
        Deliverables::Create(arguments) => create(user, *arguments, output).await?,
        Deliverables::List => list(&Session::open(user).await?, output).await?,
        Deliverables::Show { deliverable } => show(&Session::open(user).await?, &deliverable, output).await?,
        Deliverables::Edit(arguments) => edit(user, *arguments, output).await?,
        Deliverables::Pause { deliverable, resume } => pause(&Session::open(user).await?, &deliverable, !resume, output).await?,
        Deliverables::Approve { version } => decide(user, &version, true, output).await?,
        Deliverables::Reject { version } => decide(user, &version, false, output).await?,
        Deliverables::Feedback(arguments) => feedback::give(user, arguments, output).await?,
        Deliverables::Promote(arguments) => lifecycle::promote(user, *arguments, output).await?,
        Deliverables::Suggested => lifecycle::suggested(user, output).await?,
        Deliverables::Enable { version } => lifecycle::enable(user, &version, output).await?,
        Deliverables::Dismiss { version } => lifecycle::dismiss(user, &version, output).await?,
        Deliverables::Archive { deliverable } => lifecycle::archive(user, &deliverable, output).await?,
        Deliverables::Download { version, format, out } => {
            download::execute(user, &version, format, out.as_deref(), output).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn create(user: Option<Email>, arguments: Create, output: &Output) -> anyhow::Result<()> {
    ReportType::parse(&arguments.report_type).map_err(|error| UsageError(format!("--type: {error}")))?;
    let (destinations, sources) = (destinations(&arguments.places)?, parse_sources(&arguments.sources)?);
    // What is wrong is said before anything is opened.
    schedule(&arguments.when, None, UTC)?;
    let session = Session::open(user).await?;
    let schedule = schedule(&arguments.when, None, session.home_zone())?;
    session.check_mail(&destinations)?;
    let options = ReportOptions {
        min_evidence_percent: arguments.min_evidence,
        says_when_quiet: arguments.when_quiet == WhenQuiet::Line,
        learns_from_edits: !arguments.no_learning,
        ..ReportOptions::default()
    };
    let Create { title, description, report_type, .. } = arguments;
    let create = CreateDeliverable { title, description, report_type, sources, destinations, options, schedule };
    let deliverable = session.yarnnn.deliverables().create(&session.user, create).await?;
    if output.is_json() {
        output.json(&describe(&deliverable));
        return Ok(());
    }
    output.line(&format!("created \"{}\" ({}) {}", deliverable.title, deliverable.report_type.as_str(), deliverable.id));
    show_schedule(&deliverable, output);
    output.line(&format!("try: yarnnn run {}", deliverable.id));
    Ok(())
}

async fn edit(user: Option<Email>, arguments: Edit, output: &Output) -> anyhow::Result<()> {
    let (destinations, sources) = (destinations(&arguments.places)?, parse_sources(&arguments.sources)?);
    // What is wrong whatever the report has is said before anything is opened.
    let is_whole = arguments.when.schedule.as_deref().is_some_and(|it| it != Frequency::Custom.as_str());
    if is_whole || arguments.when.cron.is_some() {
        schedule(&arguments.when, None, UTC)?;
    }
    let session = Session::open(user).await?;
    session.check_mail(&destinations)?;
    let found = session.deliverable(&arguments.deliverable).await?;
    let schedule = match schedule(&arguments.when, found.schedule.as_ref(), session.home_zone())? {
        None if arguments.no_schedule => Some(EditSchedule::Remove),
        asked => asked.map(EditSchedule::Set),
    };
    let edit = EditDeliverable {
        title: arguments.title,
        description: arguments.description,
        sources: (!sources.is_empty()).then_some(sources),
        destinations: (!destinations.is_empty()).then_some(destinations),
        min_evidence_percent: arguments.min_evidence,
        says_when_quiet: arguments.when_quiet.map(|it| it == WhenQuiet::Line),
        learns_from_edits: arguments.learning.map(|it| it == Switch::On),
        schedule,
    };
    let edited = session.yarnnn.deliverables().edit(&session.user, found.id, edit).await?;
    if output.is_json() {
        output.json(&describe(&edited));
        return Ok(());
    }
    output.line(&format!("changed \"{}\"; it goes to {}", edited.title, describe_destinations(&edited)));
    show_schedule(&edited, output);
    Ok(())
}

fn show_schedule(deliverable: &Deliverable, output: &Output) {
    let Some(schedule) = &deliverable.schedule else { return };
    let next = when::show(deliverable.next_run_at);
    output.line(&format!("{}; next run {next} UTC, by the scheduler or `yarnnn run --due`", schedule.describe()));
    if !schedule.pinned {
        output.line("the minute is the report's own, so that not all are written at once; --at HH:MM pins one");
    }
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
        object["failures"] = failures(session, &deliverable).await?.iter().map(describe_failure).collect();
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
    for failure in failures(session, &deliverable).await? {
        output.line(&format!("{}: {}", when::show(Some(failure.created_at)), failure.summary));
    }
    feedback::show(session, &deliverable, output).await
}

/// The newest runs that were given up: what keeps a report from being begun is written with no version.
async fn failures(session: &Session, deliverable: &Deliverable) -> anyhow::Result<Vec<Activity>> {
    let log = session.yarnnn.activity();
    Ok(log.failures(session.user.id, deliverable.id, SHOWN_FAILURES).await.map_err(Error::from)?)
}

fn describe_failure(it: &Activity) -> Value {
    json!({
        "at": it.created_at,
        "error": it.metadata["error"],
        "version_id": it.metadata["version_id"],
        "job_id": it.metadata["job_id"],
    })
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
        Destination::GmailDraft { address } => format!("a draft to {address} in Gmail"),
        Destination::Notion { page } => format!("a page below {page} in Notion"),
        Destination::Download { format } => format!("download as {}", format.as_str()),
        Destination::Folder { path: Some(path) } => format!("the folder {path}"),
        Destination::Folder { path: None } => "the outbox folder".to_owned(),
    };
    deliverable.destinations.iter().map(describe).collect::<Vec<_>>().join(", ")
}
