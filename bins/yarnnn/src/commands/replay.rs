//! `yarnnn replay`: a version written again from what was recorded. Exit code 1 when a byte differs that should not.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use serde_json::json;
use similar::TextDiff;
use yarnnn::accounts::Email;
use yarnnn::deliverables::{Capsule, Fork, Prompts, Replayed};
use yarnnn::llm::{LanguageModel, usd};
use yarnnn::models::ExtractiveModel;

use super::spent;
use super::verify::parse_version;
use crate::cli::Replay;
use crate::exit::FAILED;
use crate::output::{Output, Tone};
use crate::session::Session;

pub(super) async fn execute(user: Option<Email>, arguments: Replay, output: &Output) -> anyhow::Result<ExitCode> {
    let version = arguments.version.as_deref().map(parse_version).transpose()?;
    let file = arguments.capsule.as_deref().map(read).transpose()?.map(|it| Capsule::parse(&it)).transpose()?;
    let system = arguments.prompt.as_deref().map(read).transpose()?;
    let session = Session::open(user).await?;
    let deliverables = session.yarnnn.deliverables();
    let capsule = match (file, version) {
        // A file says whose it was; here it is read, and paid for, by who asks.
        (Some(mut capsule), _) => {
            capsule.deliverable.user = session.user.id;
            capsule
        }
        (None, Some(version)) => deliverables.capsule(session.user.id, version).await?,
        (None, None) => unreachable!("the command line asks for one of them"),
    };
    if let Some(path) = &arguments.save {
        std::fs::write(path, capsule.to_json()?).with_context(|| format!("--save {}", path.display()))?;
    }
    let is_fork = arguments.model.is_some() || system.is_some();
    let model = arguments.model.as_deref().map(|it| yarnnn::open_model(&session.config, &session.yarnnn, it)).transpose()?;
    let local: Vec<Arc<dyn LanguageModel>> = vec![Arc::new(ExtractiveModel::new())];
    let prompts = system.map(|system| Prompts { system, ..Prompts::default() });
    let replayed =
        deliverables.replay(&session.yarnnn.stage_cx(), session.user.id, &capsule, Fork { local, model, prompts }).await?;
    if output.is_json() {
        output.json(&describe(&replayed));
    } else {
        show(&replayed, is_fork, output);
    }
    Ok(if is_fork || replayed.differing.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))
}

fn describe(replayed: &Replayed) -> serde_json::Value {
    let object = json!({
        "same": replayed.differing.is_empty(),
        "differing": replayed.differing,
        "parted": replayed.parted,
        "recorded_calls": replayed.recorded_calls,
        "model_calls": replayed.usage.calls,
        "diff": diff(replayed),
    });
    spent::beside(object, &replayed.usage)
}

fn show(replayed: &Replayed, is_fork: bool, output: &Output) {
    output.line(&format!("{} calls answered from the recording", replayed.recorded_calls));
    if let Some(parted) = &replayed.parted {
        output.line(&format!("asked anew from here on: {parted}"));
        let usage = replayed.usage;
        let calls = if usage.calls == 1 { "1 new call".to_owned() } else { format!("{} new calls", usage.calls) };
        output.line(&format!("{calls}: {}, {}", spent::tokens(&usage), usd(usage.cost_micro_usd)));
    }
    if replayed.differing.is_empty() {
        output.line(&output.tone("the same, byte for byte: draft, report and every message", Tone::Good));
        return;
    }
    let tone = if is_fork { Tone::Warning } else { Tone::Bad };
    output.line(&output.tone(&format!("not the same: {}", replayed.differing.join(", ")), tone));
    output.line(&diff(replayed));
}

/// The change of the report, as a unified diff.
fn diff(replayed: &Replayed) -> String {
    TextDiff::from_lines(&replayed.before, &replayed.after).unified_diff().header("recorded", "now").to_string()
}
