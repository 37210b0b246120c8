//! `yarnnn jobs`: what runs in the background, and a hand on it.

use std::process::ExitCode;

use chrono::{TimeDelta, Utc};
use serde_json::json;
use yarnnn::accounts::Email;
use yarnnn::id::JobId;
use yarnnn::jobs::{JobFilter, JobRecord, JobStatus, Jobs};
use yarnnn::{Error, StoreError};

use super::when;
use crate::cli;
use crate::exit::UsageError;
use crate::output::{Output, Tone};
use crate::session::Session;

/// Who did it, in a job's history.
const ACTOR: &str = "operator";
/// Jobs deleted in one transaction.
const BATCH: u32 = 1_000;

pub(super) async fn execute(user: Option<Email>, command: cli::Jobs, output: &Output) -> anyhow::Result<ExitCode> {
    let command = Command::parse(command)?;
    let everyone = user.is_none();
    if !everyone && matches!(command, Command::Purge { .. }) {
        return Err(UsageError("jobs purge deletes everybody's jobs; leave out --user".into()).into());
    }
    let session = Session::open(user).await?;
    let jobs = session.yarnnn.jobs();
    let owner = (!everyone).then_some(session.user.id);
    match command {
        Command::List(filter) => list(jobs, &JobFilter { owner, ..filter }, output).await?,
        Command::Show(id) => show(jobs, &owned(jobs, id, owner).await?, output).await?,
        Command::Retry(id) => {
            let job = owned(jobs, id, owner).await?;
            jobs.admin.retry(id, ACTOR).await.map_err(|error| not_now(error, &job, "run again"))?;
            said(id, "queued", output);
        }
        Command::Cancel(id) => {
            let job = owned(jobs, id, owner).await?;
            let status = jobs.admin.cancel(id, ACTOR).await.map_err(|error| not_now(error, &job, "cancelled"))?;
            said(id, if status == JobStatus::Running { "asked to stop" } else { status.as_str() }, output);
        }
        Command::Purge { before, statuses } => purge(jobs, before, &statuses, output).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// A command whose words were understood.
enum Command {
    List(JobFilter),
    Show(JobId),
    Retry(JobId),
    Cancel(JobId),
    Purge { before: chrono::DateTime<Utc>, statuses: Vec<JobStatus> },
}

impl Command {
    fn parse(command: cli::Jobs) -> Result<Self, UsageError> {
        match command {
            cli::Jobs::List { status, kind, limit } => {
                let statuses = status.iter().map(|it| parse_status(it)).collect::<Result<_, _>>()?;
                Ok(Self::List(JobFilter { statuses, kind, owner: None, limit }))
            }
            cli::Jobs::Show { job } => Ok(Self::Show(parse_id(&job)?)),
            cli::Jobs::Retry { job } => Ok(Self::Retry(parse_id(&job)?)),
            cli::Jobs::Cancel { job } => Ok(Self::Cancel(parse_id(&job)?)),
            cli::Jobs::Purge { before, status } => {
                let statuses = status.iter().map(|it| parse_ended(it)).collect::<Result<Vec<_>, _>>()?;
                let statuses = if statuses.is_empty() { vec![JobStatus::Succeeded, JobStatus::Cancelled] } else { statuses };
                Ok(Self::Purge { before: when::instant("--before", &before)?, statuses })
            }
        }
    }
}

fn parse_id(text: &str) -> Result<JobId, UsageError> {
    text.parse().map_err(|_| UsageError(format!("{text:?} is no job id (yarnnn jobs list shows them)")))
}

fn parse_status(text: &str) -> Result<JobStatus, UsageError> {
    let names: Vec<_> = JobStatus::ALL.iter().map(|it| it.as_str()).collect();
    JobStatus::parse(text).ok_or_else(|| UsageError(format!("--status: {text:?} is none of {}", names.join(", "))))
}

fn parse_ended(text: &str) -> Result<JobStatus, UsageError> {
    let status = parse_status(text)?;
    if status.is_terminal() {
        Ok(status)
    } else {
        Err(UsageError(format!("--status: {text} jobs have not ended; cancel them first")))
    }
}

/// The job, if it is the given user's or no user was given.
async fn owned(jobs: &Jobs, id: JobId, owner: Option<yarnnn::id::UserId>) -> Result<JobRecord, Error> {
    let found = jobs.queue.get(id).await?.filter(|it| owner.is_none() || it.owner == owner);
    found.ok_or_else(|| Error::NotFound(format!("job {id}")))
}

fn not_now(error: StoreError, job: &JobRecord, what: &str) -> Error {
    match error {
        StoreError::Conflict { .. } => Error::Busy(format!("job {} is {} and cannot be {what}", job.id, job.status)),
        other => other.into(),
    }
}

fn said(id: JobId, status: &str, output: &Output) {
    if output.is_json() {
        output.json(&json!({ "job_id": id, "status": status }));
    } else {
        output.line(&format!("job {id}: {status}"));
    }
}

async fn list(jobs: &Jobs, filter: &JobFilter, output: &Output) -> Result<(), Error> {
    let found = jobs.admin.list(filter).await?;
    if output.is_json() {
        output.json(&json!({ "jobs": found }));
        return Ok(());
    }
    if found.is_empty() {
        output.line("no jobs");
        return Ok(());
    }
    let row = |it: &JobRecord| {
        vec![
            it.id.to_string(),
            it.kind.clone(),
            it.status.to_string(),
            it.attempt.to_string(),
            when::show(Some(it.run_at)),
            it.error.as_deref().unwrap_or_default().chars().take(60).collect(),
        ]
    };
    output.table(&["job", "kind", "status", "tries", "due", "last error"], found.iter().map(row).collect());
    Ok(())
}

async fn show(jobs: &Jobs, job: &JobRecord, output: &Output) -> Result<(), Error> {
    let events = jobs.admin.events(job.id).await?;
    if output.is_json() {
        output.json(&json!({ "job": job, "events": events }));
        return Ok(());
    }
    output.line(&output.tone(&format!("{} {}", job.kind, job.id), Tone::Strong));
    let quarantine = if job.crashes >= 2 { " (in quarantine: it runs alone)" } else { "" };
    output.line(&format!("status    {}{}", job.status, job.cause.as_deref().map(|it| format!(" ({it})")).unwrap_or_default()));
    output.line(&format!("tries     {} of {}, {} crashes{quarantine}", job.attempt, job.policy.max_attempts, job.crashes));
    output.line(&format!("due       {}", when::show(Some(job.run_at))));
    if let Some(worker) = &job.worker {
        output.line(&format!("worker    {worker}"));
    }
    if let Some(progress) = &job.progress {
        output.line(&format!("progress  {} ({} done)", progress.step, progress.index));
    }
    if let Some(error) = &job.error {
        output.line(&output.tone(&format!("error     {error}"), Tone::Bad));
    }
    output.line(&format!("payload   {}", job.payload));
    for it in events {
        let reason = it.reason.map(|it| format!(": {it}")).unwrap_or_default();
        let actor = it.actor.map(|it| format!(" by {it}")).unwrap_or_default();
        output
            .line(&output.tone(&format!("{}  {}{actor}{reason}", it.at.format("%Y-%m-%d %H:%M:%S%.3f"), it.event), Tone::Faint));
    }
    Ok(())
}

async fn purge(jobs: &Jobs, before: chrono::DateTime<Utc>, statuses: &[JobStatus], output: &Output) -> anyhow::Result<()> {
    if before > jobs.clock.now() + TimeDelta::minutes(1) {
        return Err(UsageError("--before: it has not come yet".into()).into());
    }
    let mut purged = 0;
    loop {
        let batch = jobs.admin.purge(before, statuses, BATCH).await.map_err(Error::from)?;
        purged += batch;
        if batch < u64::from(BATCH) {
            break;
        }
    }
    if output.is_json() {
        output.json(&json!({ "purged": purged }));
    } else {
        output.line(&format!("{purged} jobs deleted, with their history"));
    }
    Ok(())
}
