//! `yarnnn plan`: what a run would do.

use std::process::ExitCode;

use serde_json::json;
use yarnnn::accounts::Email;
use yarnnn::deliverables::{Plan, RunRequest};
use yarnnn::llm::usd;

use super::spent::{self, dollars};
use super::when;
use crate::output::{Output, Tone};
use crate::session::Session;

pub(super) async fn execute(
    user: Option<Email>,
    name: &str,
    as_of: Option<&str>,
    prompt: bool,
    output: &Output,
) -> anyhow::Result<ExitCode> {
    let as_of = as_of.map(|it| when::instant("--as-of", it)).transpose()?;
    let session = Session::open(user).await?;
    let found = session.deliverable(name).await?;
    let request = RunRequest { as_of, ..RunRequest::of(session.user.id, found.id) };
    let plan = session.yarnnn.deliverables().plan(&session.yarnnn.stage_cx(), &request).await?;
    if output.is_json() {
        output.json(&describe(&plan, prompt));
    } else {
        show(&plan, prompt, output);
    }
    Ok(ExitCode::SUCCESS)
}

fn describe(plan: &Plan, prompt: bool) -> serde_json::Value {
    json!({
        "deliverable_id": plan.deliverable.id,
        "would_write": plan.has_news && plan.obstacle.is_none(),
        "as_of": plan.as_of,
        "window": plan.window,
        "window_moved": plan.window_moved,
        "strategy": plan.strategy,
        "items": plan.items,
        "sources": plan.sources,
        "model": plan.model,
        "reported_before": plan.reported_before,
        "left_out": plan.left_out,
        "tools": plan.tools,
        "tool_rounds": plan.tool_rounds,
        "researches": plan.researches,
        "model_calls": { "from": plan.calls.0, "to": plan.calls.1 },
        "obstacle": plan.obstacle,
        "recipients": plan.recipients,
        "input_tokens": { "from": plan.input_tokens.0, "to": plan.input_tokens.1 },
        "cost_usd": { "from": dollars(plan.cost_micro_usd.0), "to": dollars(plan.cost_micro_usd.1) },
        "capped_by": plan.capped_by,
        "next_run_at": plan.next_run_at,
        "prompt": prompt.then_some(&plan.prompt),
    })
}

fn show(plan: &Plan, prompt: bool, output: &Output) {
    output.line(&output.tone(&plan.deliverable.title, Tone::Strong));
    let moved = if plan.window_moved { " (nothing newer is stored)" } else { "" };
    output.line(&format!("reads    {} to {}{moved}", when::show(Some(plan.window.from)), when::show(Some(plan.window.to))));
    let row = |it: &yarnnn::deliverables::PlannedSource| {
        let unseen = it.gaps.first().map(|gap| gap.reason.clone()).or_else(|| it.last_error.clone()).unwrap_or_default();
        vec![it.resource.to_string(), it.resource_name.clone(), it.item_count.to_string(), when::show(it.synced_at), unseen]
    };
    output.table(&["source", "name", "items", "synced", "not seen"], plan.sources.iter().map(row).collect());
    output.line(&format!("writes   {} items as {} with {}", plan.items, plan.strategy, plan.model));
    if plan.reported_before > 0 {
        output.line(&format!("         {} items that earlier reports had are left out", plan.reported_before));
    }
    if plan.calls.1 > 0 {
        let ((few, most), (from, to)) = (plan.calls, plan.input_tokens);
        output.line(&format!("tokens   {from} to {to} read by the first of {few} to {}", spent::calls(most)));
    }
    if !plan.tools.is_empty() {
        output.line(&format!("tools    {}, asked for at most {} times", plan.tools.join(", "), plan.tool_rounds));
    }
    if plan.researches {
        output.line("web      searched before it writes; what that costs comes on top");
    } else if matches!(plan.strategy, "research" | "hybrid") {
        output.line("web      not searched: no model that writes searches it, and there is no other search engine");
    }
    output.line(&format!("costs    {}", costs(plan)));
    output.line(&format!("sends to {}", plan.recipients.join(", ")));
    if let Some(obstacle) = &plan.obstacle {
        output.line(&output.tone(&format!("stopped by {obstacle}"), Tone::Bad));
    }
    output.line(&format!("next run {}", when::show(plan.next_run_at)));
    output.line(verdict(plan));
    if prompt {
        output.line(&format!("\n{}", plan.prompt));
    }
}

/// `$0.0113 to $1.2026`.
fn costs(plan: &Plan) -> String {
    let (from, to) = (usd(plan.cost_micro_usd.0), usd(plan.cost_micro_usd.1));
    match (plan.calls.1, plan.capped_by) {
        (0, _) => "nothing: no model is asked".to_owned(),
        (_, Some(cap)) => format!("{from} to {to}, where {cap} stops it"),
        (_, None) => format!("{from} to {to}"),
    }
}

fn verdict(plan: &Plan) -> &'static str {
    let tells = plan.deliverable.options.says_when_quiet;
    match (plan.found, plan.has_news) {
        (false, _) => "Nothing that it reads is stored: a run would fail. Import or sync something first.",
        (true, true) if plan.obstacle.is_some() => "A run would be stopped before it writes.",
        (true, true) => "A run would write a report.",
        (true, false) if tells => "Nothing is new since the last version: a run would say so in one line, without a model.",
        (true, false) => "Nothing is new since the last version: a run would write nothing.",
    }
}
