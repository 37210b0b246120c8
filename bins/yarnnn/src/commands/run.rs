//! `yarnnn run`: one report now, or everything that is due.

use std::process::ExitCode;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use indicatif::ProgressBar;
use serde_json::{Value, json};
use yarnnn::Error;
use yarnnn::accounts::Email;
use yarnnn::deliverables::{Deliverable, DeliverableStatus, FiredSlot, RunDeliverable, RunOutcome, RunRequest, RunStatus};
use yarnnn::delivery::{ChannelKind, MessageState};
use yarnnn::jobs::{JobProgress, JobProgressSink};
use yarnnn::pipeline::CancelToken;

use super::{spent, when};
use crate::cli::Run;
use crate::exit::{FAILED, UsageError};
use crate::output::{Output, Tone};
use crate::session::{Session, cancel_on_interrupt};
use crate::work;

pub(super) async fn execute(user: Option<Email>, arguments: Run, output: &Output) -> anyhow::Result<ExitCode> {
    let as_of = arguments.as_of.as_deref().map(|it| when::instant("--as-of", it)).transpose()?;
    if arguments.key.as_deref().is_some_and(|it| it.trim().is_empty() || it.chars().count() > 200) {
        return Err(UsageError("--key: a key has 1 to 200 characters".into()).into());
    }
    let session = Session::open(user).await?;
    if arguments.due {
        return due(&session, arguments.detach, output).await;
    }
    let request = RunRequest { as_of, ..request(&session, &arguments).await? };
    let job = RunDeliverable::requested(&request);
    if arguments.detach {
        work::detach(&session, &job, output).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let outcome = carry_out(&session, &job, cancel_on_interrupt(), output).await?;
    if output.is_json() {
        output.json(&describe(&outcome));
    } else {
        show(&outcome, output);
    }
    Ok(code(is_left(&outcome)))
}

/// Runs a report as a job, and reads what became of it.
pub(super) async fn carry_out(
    session: &Session,
    job: &RunDeliverable,
    cancel: CancelToken,
    output: &Output,
) -> anyhow::Result<RunOutcome> {
    let (bar, observe) = steps(output);
    let result = work::carry_through(session, job, cancel, Some(observe), output).await;
    bar.finish_and_clear();
    Ok(session.yarnnn.deliverables().outcome_of_job(job, &result?).await?)
}

/// Runs a slot that was fired, and reads what became of it.
async fn carry_slot(session: &Session, slot: &FiredSlot, cancel: CancelToken, output: &Output) -> anyhow::Result<RunOutcome> {
    let (bar, observe) = steps(output);
    let job = RunDeliverable::scheduled(slot.user, slot.deliverable, slot.due_at);
    let result = work::carry_slot(session, slot, cancel, Some(observe), output).await;
    bar.finish_and_clear();
    Ok(session.yarnnn.deliverables().outcome_of_job(&job, &result?).await?)
}

/// Shows the step that a run is at.
fn steps(output: &Output) -> (ProgressBar, JobProgressSink) {
    let bar = output.steps();
    let steps = bar.clone();
    (bar, Arc::new(move |it: JobProgress| steps.set_message(it.step)))
}

async fn request(session: &Session, arguments: &Run) -> anyhow::Result<RunRequest> {
    let name = arguments.deliverable.as_deref().unwrap_or_default();
    let deliverable = session.deliverable(name).await?;
    session.check_mail(&deliverable.destinations)?;
    let request = RunRequest::of(session.user.id, deliverable.id);
    Ok(RunRequest { key: arguments.key.clone(), force: arguments.force, ..request })
}

async fn due(session: &Session, detach: bool, output: &Output) -> anyhow::Result<ExitCode> {
    let deliverables = session.yarnnn.deliverables();
    // All or none: a mail that would be left where nobody looks stops the tick before anything is run.
    let all = deliverables.list(session.user.id).await?;
    for it in all.iter().filter(|it| it.status == DeliverableStatus::Active && it.schedule.is_some()) {
        session.check_mail(&it.destinations)?;
    }
    let cancel = cancel_on_interrupt();
    let (mut outcomes, mut queued) = (Vec::new(), Vec::new());
    for slot in deliverables.fire_due(session.user.id).await? {
        let (deliverable, _) = deliverables.show(slot.user, slot.deliverable).await?;
        if detach {
            // One that cannot be queued keeps no other from being.
            match work::wake(session, &slot).await {
                Ok(job) => {
                    output.note(&format!("{} is queued for a worker", deliverable.title));
                    queued.push(json!({ "deliverable_id": slot.deliverable, "due_at": slot.due_at, "job_id": job }));
                }
                Err(error) => {
                    outcomes.push(DueOutcome {
                        deliverable,
                        due_at: slot.due_at,
                        outcome: Err(format!("it is not queued: {error}")),
                    });
                }
            }
            continue;
        }
        let outcome = carry_slot(session, &slot, cancel.clone(), output).await;
        if cancel.is_cancelled() {
            outcome?;
            return Err(Error::Cancelled.into());
        }
        outcomes.push(DueOutcome { deliverable, due_at: slot.due_at, outcome: outcome.map_err(|it| it.to_string()) });
    }
    let failed = outcomes.iter().any(|it| it.outcome.as_ref().map_or(true, is_left));
    if output.is_json() {
        let mut said = json!({ "runs": outcomes.iter().map(describe_due).collect::<Vec<_>>() });
        if detach {
            said["queued"] = Value::Array(queued);
        }
        output.json(&said);
        return Ok(code(failed));
    }
    if outcomes.is_empty() && queued.is_empty() {
        output.line("nothing is due");
    }
    for it in &outcomes {
        output.line(&output.tone(&format!("{} (due {})", it.deliverable.title, when::show(Some(it.due_at))), Tone::Strong));
        match &it.outcome {
            Ok(outcome) => show(outcome, output),
            Err(error) => output.line(&output.tone(error, Tone::Bad)),
        }
    }
    Ok(code(failed))
}

/// What became of a slot.
struct DueOutcome {
    deliverable: Deliverable,
    due_at: DateTime<Utc>,
    outcome: Result<RunOutcome, String>,
}

/// Whether its reader does not have the report.
fn is_left(outcome: &RunOutcome) -> bool {
    matches!(outcome.status, RunStatus::Failed | RunStatus::Staged)
}

fn code(failed: bool) -> ExitCode {
    if failed { ExitCode::from(FAILED) } else { ExitCode::SUCCESS }
}

fn describe_due(it: &DueOutcome) -> Value {
    let mut object = match &it.outcome {
        Ok(outcome) => describe(outcome),
        Err(error) => json!({ "deliverable_id": it.deliverable.id, "status": "failed", "error": error }),
    };
    object["due_at"] = json!(it.due_at);
    object
}

/// The object of a run.
pub(super) fn describe(outcome: &RunOutcome) -> Value {
    let (tally, usage) = (outcome.tally(), outcome.usage());
    let deliveries: Vec<_> = outcome
        .messages
        .iter()
        .map(|it| {
            json!({
                "message_id": it.id,
                "channel": it.channel.as_str(),
                "target": it.target,
                "state": it.state.as_str(),
                "external_id": it.external_id,
                "error": it.error,
            })
        })
        .collect();
    let object = json!({
        "version_id": outcome.version.as_ref().map(|it| it.id),
        "version_number": outcome.version.as_ref().map(|it| it.number),
        "status": outcome.status.as_str(),
        "deliverable_id": outcome.deliverable,
        "sentences": tally.sentences,
        "with_evidence": tally.with_evidence,
        "inference": tally.inference,
        "files": files(outcome),
        "deliveries": deliveries,
        "model_calls": usage.calls,
        "model": outcome.version.as_ref().and_then(|it| it.state.ran.as_ref()).map(|it| &it.model),
        "resumed": outcome.resumed,
        "error": outcome.error,
    });
    spent::beside(object, &usage)
}

/// The files that were delivered.
pub(super) fn files(outcome: &RunOutcome) -> Vec<String> {
    let sent = outcome.messages.iter().filter(|it| it.state == MessageState::Sent && it.channel == ChannelKind::Folder);
    sent.filter_map(|it| it.external_id.as_deref()).flat_map(|it| it.lines().map(str::to_owned)).collect()
}

/// A run for people.
pub(super) fn show(outcome: &RunOutcome, output: &Output) {
    let Some(version) = &outcome.version else {
        output.line(&output.tone("nothing is new since the last version: no report (--force writes one)", Tone::Faint));
        return;
    };
    let tally = outcome.tally();
    let summary = format!(
        "version {} {}: {} statements, {} with evidence, {} inference",
        version.number,
        outcome.status.as_str(),
        tally.sentences,
        tally.with_evidence,
        tally.inference
    );
    if outcome.usage().calls > 0 {
        let model = version.state.ran.as_ref().map_or("", |it| it.model.as_str());
        output.line(&output.tone(&spent::line(&outcome.usage(), model), Tone::Faint));
    }
    if outcome.resumed {
        output.line(&output.tone("went on with a version that an earlier run left unfinished", Tone::Faint));
    }
    output.line(&output.tone(&summary, if outcome.status == RunStatus::Failed { Tone::Bad } else { Tone::Good }));
    if version.state.window_moved {
        output.line(&output.tone("nothing newer is stored, so it covers the last stretch that has content", Tone::Faint));
    }
    for file in files(outcome) {
        output.line(&format!("  {file}"));
    }
    for it in outcome.messages.iter().filter(|it| it.state == MessageState::Sent && it.channel != ChannelKind::Folder) {
        let id = it.external_id.as_deref().unwrap_or_default();
        output.line(&match it.channel {
            ChannelKind::Download => format!("  kept: yarnnn deliverables download {}", version.id),
            channel => format!("  {} to {} ({id})", channel.as_str(), it.target),
        });
    }
    if outcome.status == RunStatus::Staged {
        let why = outcome.error.as_deref().unwrap_or("it waits for you");
        output.line(&output.tone(&format!("held: {why}"), Tone::Bad));
        output.line(&format!("read it: yarnnn verify {}", version.id));
        output.line(&format!(
            "let it pass: yarnnn deliverables approve {0}; or end it: yarnnn deliverables reject {0}",
            version.id
        ));
        return;
    }
    if let Some(error) = &outcome.error {
        let again = if version.is_resumable() { "; run it again when that is mended: the same bytes are sent" } else { "" };
        output.line(&output.tone(&format!("{error}{again}"), Tone::Bad));
        return;
    }
    output.line(&output.tone(&format!("check it later: yarnnn verify {}", version.id), Tone::Faint));
}
