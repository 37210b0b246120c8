//! `yarnnn signals`: a pass by hand, what passes did, and what one wants to be told.

use std::process::ExitCode;

use serde_json::{Value, json};
use yarnnn::Error;
use yarnnn::accounts::Email;
use yarnnn::llm::usd;
use yarnnn::signals::{
    Pass, PassOutcome, PassStatus, PreferenceChange, SignalPlan, SignalRecord, SignalsFilter, TriggerAnswer, UnknownFilter,
};

use super::spent::dollars;
use super::when;
use crate::cli::{Signals, Switch};
use crate::exit::{FAILED, UsageError};
use crate::output::{Output, Tone};
use crate::session::{Session, cancel_on_interrupt};
use crate::work;

pub(super) async fn execute(user: Option<Email>, command: Signals, output: &Output) -> anyhow::Result<ExitCode> {
    match command {
        Signals::Run { filter, dry_run } => {
            let filter = filter.parse().map_err(|error: UnknownFilter| UsageError(format!("--filter: {error}")))?;
            let session = Session::open(user).await?;
            if dry_run { plan(&session, filter, output).await } else { run(&session, filter, output).await }
        }
        Signals::List { limit } => list(&Session::open(user).await?, limit, output).await,
        Signals::Preferences { meeting_prep, silence_alert, contact_drift } => {
            let is_on = |it: Option<Switch>| it.map(|it| it == Switch::On);
            let (meeting_prep, silence_alert) = (is_on(meeting_prep), is_on(silence_alert));
            let change = PreferenceChange { meeting_prep, silence_alert, contact_drift: is_on(contact_drift) };
            preferences(&Session::open(user).await?, change, output).await
        }
    }
}

async fn run(session: &Session, filter: SignalsFilter, output: &Output) -> anyhow::Result<ExitCode> {
    let job = match session.yarnnn.signals().trigger(&session.user, filter).await? {
        TriggerAnswer::Started(job) => job,
        refused => return Ok(say(&refusal(&refused), output)),
    };
    let cancel = cancel_on_interrupt();
    let result = work::carry_enqueued(session, job, cancel.clone(), output).await?;
    let unreadable = |error| Error::Failed(format!("what came of the pass cannot be read: {error}"));
    let outcome: PassOutcome = serde_json::from_value(result["outcome"].clone()).map_err(unreadable)?;
    let mut runs = Vec::new();
    for taken in &outcome.actions_taken {
        let ran = work::carry_enqueued(session, taken.job_id, cancel.clone(), output).await;
        let ran = ran.unwrap_or_else(|error| json!({ "status": "failed", "error": error.to_string() }));
        runs.push(json!({ "deliverable_id": taken.deliverable_id, "run": ran }));
    }
    if output.is_json() {
        output.json(&described(&outcome, &result["pass_id"], &runs));
    } else {
        show(&outcome, &runs, output);
    }
    // As `yarnnn run` ends: a report that waits for a person has not arrived.
    let is_left = |it: &Value| !matches!(it["run"]["status"].as_str(), Some("delivered" | "no_news"));
    let has_failed = outcome.status == PassStatus::Failed || runs.iter().any(is_left);
    Ok(if has_failed { ExitCode::from(FAILED) } else { ExitCode::SUCCESS })
}

/// Why there is no pass, in the shape of an outcome (dossier §5.5).
fn refusal(answer: &TriggerAnswer) -> Value {
    match answer {
        TriggerAnswer::Started(_) => json!({ "status": "started" }),
        TriggerAnswer::NoPlatforms => json!({
            "status": "no_platforms",
            "message": "nothing is connected and nothing was imported; connect or import something first",
        }),
        TriggerAnswer::TierRestricted => json!({
            "status": "tier_restricted",
            "message": "signals are not part of the free tier",
        }),
        TriggerAnswer::RateLimited { last_run_at, next_eligible_at } => json!({
            "status": "rate_limited",
            "last_run_at": last_run_at,
            "next_eligible_at": next_eligible_at,
            "message": format!("a pass was asked for at {} UTC; the next may be at {} UTC",
                last_run_at.format("%H:%M:%S"), next_eligible_at.format("%H:%M:%S")),
        }),
    }
}

fn say(refusal: &Value, output: &Output) -> ExitCode {
    if output.is_json() {
        output.json(refusal);
    } else {
        output.line(refusal["message"].as_str().unwrap_or_default());
    }
    if refusal["status"] == "tier_restricted" { ExitCode::from(FAILED) } else { ExitCode::SUCCESS }
}

fn described(outcome: &PassOutcome, pass: &Value, runs: &[Value]) -> Value {
    let mut value = json!(outcome);
    let more = json!({
        "pass_id": pass,
        "signals_detected": outcome.items_processed,
        "deliverables_created": outcome.created(),
        "existing_triggered": outcome.triggered(),
        "runs": runs,
        "message": outcome.summary(),
    });
    if let (Some(map), Value::Object(more)) = (value.as_object_mut(), more) {
        map.extend(more);
    }
    value
}

fn show(outcome: &PassOutcome, runs: &[Value], output: &Output) {
    output.line(&output.tone(&outcome.summary(), Tone::Strong));
    for (taken, run) in outcome.actions_taken.iter().zip(runs) {
        let status = run["run"]["status"].as_str().unwrap_or("unknown");
        output.line(&format!("{}  {} \"{}\": {status}", taken.action.as_str(), taken.deliverable_type, taken.title));
        output.line(&format!("    because: {}", taken.reasoning));
    }
    for dropped in &outcome.dropped {
        output.line(&format!("not done  {}: {}", dropped.what, dropped.reason.words()));
    }
    if !outcome.reasoning_summary.is_empty() {
        output.line(&format!("the model says: {}", outcome.reasoning_summary));
    }
    if let Some(error) = &outcome.error {
        output.line(&output.tone(error, Tone::Bad));
    }
}

async fn plan(session: &Session, filter: SignalsFilter, output: &Output) -> anyhow::Result<ExitCode> {
    let plan = session.yarnnn.signals().plan(&session.user, filter).await?;
    if output.is_json() {
        output.json(&describe_plan(&plan, filter));
        return Ok(ExitCode::SUCCESS);
    }
    let row = |(platform, count): (&yarnnn::platform::Platform, &u32)| vec![platform.to_string(), count.to_string()];
    output.table(&["platform", "items"], plan.shown.found.iter().map(row).collect());
    output.line(&format!("asks     {}", plan.model.as_deref().unwrap_or("nobody: there is no model")));
    output.line(&format!("shows    {} items, {} reports", plan.shown.items.len(), plan.shown.deliverables.len()));
    output.line(&format!("tokens   {} to {}", plan.input_tokens.0, plan.input_tokens.1));
    output.line(&format!("costs    {} to {}", usd(plan.cost_micro_usd.0), usd(plan.cost_micro_usd.1)));
    let would = plan.stopped_by.map_or("A pass would ask.".to_owned(), |it| {
        let outcome = PassOutcome::of(it, filter, plan.shown.total());
        format!("A pass would ask nobody. {}.", outcome.summary())
    });
    output.line(&would);
    Ok(ExitCode::SUCCESS)
}

fn describe_plan(plan: &SignalPlan, filter: SignalsFilter) -> Value {
    json!({
        "status": "dry_run",
        "filter": filter,
        "items": plan.shown.found,
        "signals_detected": plan.shown.total(),
        "stopped_by": plan.stopped_by,
        "model": plan.model,
        "prompt_characters": plan.prompt.chars().count(),
        "input_tokens": [plan.input_tokens.0, plan.input_tokens.1],
        "cost_usd": [dollars(plan.cost_micro_usd.0), dollars(plan.cost_micro_usd.1)],
    })
}

async fn list(session: &Session, limit: u32, output: &Output) -> anyhow::Result<ExitCode> {
    let (passes, history) = session.yarnnn.signals().list(session.user.id, limit).await?;
    if output.is_json() {
        let passes: Vec<_> = passes.iter().map(describe_pass).collect();
        let history: Vec<_> = history.iter().map(describe_record).collect();
        output.json(&json!({ "passes": passes, "history": history }));
        return Ok(ExitCode::SUCCESS);
    }
    let row = |it: &Pass| {
        let outcome = it.outcome.as_ref();
        let status = outcome.map_or("under way", |it| it.status.as_str());
        let done = outcome.map_or(0, |it| it.actions_taken.len());
        let why = outcome.map(|it| it.error.clone().unwrap_or_else(|| it.reasoning_summary.clone())).unwrap_or_default();
        let dropped = outcome.map_or(0, |it| it.dropped.len());
        let (at, trigger) = (when::show(Some(it.started_at)), it.trigger.as_str().to_owned());
        vec![at, trigger, status.to_owned(), done.to_string(), dropped.to_string(), why]
    };
    if passes.is_empty() {
        output.line("nothing was looked for yet (yarnnn signals run)");
        return Ok(ExitCode::SUCCESS);
    }
    output.table(&["at (UTC)", "by", "status", "done", "not done", "why"], passes.iter().map(row).collect());
    if history.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    let row = |it: &SignalRecord| {
        let title = it.metadata["title"].as_str().unwrap_or_default().to_owned();
        let why = it.metadata["reasoning"].as_str().unwrap_or_default().to_owned();
        vec![when::show(Some(it.last_triggered_at)), it.signal_type.clone(), title, why, it.signal_ref.clone()]
    };
    output.table(&["acted at (UTC)", "type", "title", "why", "about"], history.iter().map(row).collect());
    Ok(ExitCode::SUCCESS)
}

fn describe_pass(it: &Pass) -> Value {
    json!({
        "pass_id": it.id, "filter": it.filter, "trigger": it.trigger, "started_at": it.started_at, "ended_at": it.ended_at,
        "outcome": it.outcome,
    })
}

fn describe_record(it: &SignalRecord) -> Value {
    json!({
        "signal_type": it.signal_type, "signal_ref": it.signal_ref, "last_triggered_at": it.last_triggered_at,
        "deliverable_id": it.deliverable, "metadata": it.metadata,
    })
}

async fn preferences(session: &Session, change: PreferenceChange, output: &Output) -> anyhow::Result<ExitCode> {
    let wanted = session.yarnnn.signals().preferences(session.user.id, change).await?;
    if output.is_json() {
        output.json(&json!({
            "signal_meeting_prep": wanted.meeting_prep,
            "signal_silence_alert": wanted.silence_alert,
            "signal_contact_drift": wanted.contact_drift,
        }));
        return Ok(ExitCode::SUCCESS);
    }
    let named = [
        ("meeting-prep", wanted.meeting_prep, "a meeting is worth a preparation"),
        ("silence-alert", wanted.silence_alert, "somebody who usually answers has gone silent"),
        ("contact-drift", wanted.contact_drift, "contact with somebody is fading"),
    ];
    let row = |(name, is_on, what): (&str, bool, &str)| {
        vec![name.to_owned(), if is_on { "on" } else { "off" }.to_owned(), what.to_owned()]
    };
    output.table(&["signal", "", "what"], named.into_iter().map(row).collect());
    Ok(ExitCode::SUCCESS)
}
