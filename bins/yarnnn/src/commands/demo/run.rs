//! The demo, step by step: platforms on this machine, connected and synced over HTTP, two reports from what was read.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use serde_json::json;
use yarnnn::connections::Provider;
use yarnnn::deliverables::{CreateDeliverable, RunDeliverable, RunOutcome, RunRequest, RunStatus};
use yarnnn::pipeline::CancelToken;
use yarnnn::platform_sync::SyncedPlatform;
use yarnnn_sim::sample::{Sample, SampleFiles};

use super::super::{run, sync};
use super::sums::{self, Sums};
use super::world::World;
use crate::exit::FAILED;
use crate::output::{Output, Tone};
use crate::session::{Session, cancel_on_interrupt};

/// The demo's reports: type, title, description.
const REPORTS: [(&str, &str, Option<&str>); 2] =
    [("status_report", "Weekly status", None), ("meeting_prep", "Meeting preparation", None)];

pub(in super::super) async fn execute(out: &Path, output: &Output) -> anyhow::Result<ExitCode> {
    std::fs::create_dir_all(out).with_context(|| format!("cannot make the folder {}", out.display()))?;
    let out = std::fs::canonicalize(out).with_context(|| format!("cannot use the folder {}", out.display()))?;
    let world = World::open(&out).await?;
    let files = exports(&out.join("exports"), world.began)?;
    let session = world.session().await?;
    let cancel = cancel_on_interrupt();
    let synced = sync(&world, &session, &cancel, output).await?;
    introduce(&world, output);
    let asked_before = sums::calls(&session).await?;
    let mut outcomes = Vec::new();
    for (report_type, title, description) in REPORTS {
        outcomes.push(report(&session, cancel.clone(), (report_type, title, description), output).await?);
    }
    let sums = Sums::of(&session, &outcomes, !world.has_own_writer, asked_before).await?;
    world.close().await?;
    let failed = !sync::is_ok(&synced) || outcomes.iter().any(|it| it.status == RunStatus::Failed);
    if output.is_json() {
        let reports: Vec<_> = outcomes.iter().flat_map(run::files).collect();
        let runs: Vec<_> = outcomes.iter().map(run::describe).collect();
        let SampleFiles { slack, mail, calendar, notion } = files;
        output.json(&json!({
            "reports": reports, "sync": sync::json(&synced), "runs": runs, "evidence": sums.evidence(),
            "model": sums.model(), "exports": [slack, mail, calendar, notion],
        }));
    } else {
        sums.show(output);
        farewell(&out, &outcomes, output);
    }
    Ok(if failed { ExitCode::from(FAILED) } else { ExitCode::SUCCESS })
}

/// Says who writes: with a writer or a key of one's own the demo is not offline any more.
fn introduce(world: &World, output: &Output) {
    if world.has_own_writer {
        let writer = world.writer();
        output.note(&format!(
            "written by {writer}, as your environment says; unset YARNNN_MODEL_WRITER and the keys of models for the simulated one"
        ));
    } else {
        output.line(
            &output.tone("a model that is simulated on this machine writes, asked over HTTP as a real one is", Tone::Faint),
        );
    }
}

/// Connects the sample's platforms and reads them over HTTP, as a person's own would be.
async fn sync(world: &World, session: &Session, cancel: &CancelToken, output: &Output) -> anyhow::Result<Vec<SyncedPlatform>> {
    /// What the connections say once their platforms have ended.
    const OVER: &str = "the sample's platforms run only while `yarnnn demo` does";
    let connections = session.connections()?;
    for provider in Provider::ALL {
        connections.connect(&session.user, provider, world.token(provider)).await?;
    }
    let plan = sync::Plan::of(session, &[]).await?;
    let synced = sync::sync(session, &plan, cancel, output).await?;
    sync::show(&synced, output);
    output.line(&output.tone(&format!("{} requests to the sample's platforms on this machine", world.requests()), Tone::Faint));
    for connection in connections.list(session.user.id).await? {
        connections.suspend(&connection, OVER).await?;
    }
    Ok(synced)
}

/// The same month as export files, to try `yarnnn import` with. The folder gets its name only when all of them are written.
fn exports(folder: &Path, began: DateTime<Utc>) -> anyhow::Result<SampleFiles> {
    if folder.exists() {
        return Ok(SampleFiles::in_directory(folder));
    }
    let unfinished = folder.with_extension("partial");
    let written = Sample::load().write_exports(began, &unfinished).and_then(|_| std::fs::rename(&unfinished, folder));
    written.with_context(|| format!("cannot write the sample to {}", folder.display()))?;
    Ok(SampleFiles::in_directory(folder))
}

async fn report(
    session: &Session,
    cancel: CancelToken,
    (report_type, title, description): (&str, &str, Option<&str>),
    output: &Output,
) -> anyhow::Result<RunOutcome> {
    let deliverables = session.yarnnn.deliverables();
    let known = deliverables.list(session.user.id).await?.into_iter().find(|it| it.title == title);
    let deliverable = if let Some(known) = known {
        known
    } else {
        let create =
            CreateDeliverable { description: description.map(str::to_owned), ..CreateDeliverable::new(report_type, title) };
        deliverables.create(&session.user, create).await?
    };
    output.line(&output.tone(title, Tone::Strong));
    let request = RunRequest { key: Some("demo".into()), ..RunRequest::of(session.user.id, deliverable.id) };
    let outcome = run::carry_out(session, &RunDeliverable::requested(&request), cancel, output).await?;
    run::show(&outcome, output);
    Ok(outcome)
}

fn farewell(out: &Path, outcomes: &[RunOutcome], output: &Output) {
    let pages: Vec<PathBuf> = outcomes
        .iter()
        .flat_map(run::files)
        .map(PathBuf::from)
        .filter(|it| it.extension().is_some_and(|e| e == "html"))
        .collect();
    output.line("");
    output.line(&output.tone("Read the reports in a browser:", Tone::Strong));
    for page in pages {
        output.line(&format!("  {}", page.display()));
    }
    let database = out.join("demo.db");
    output.line("");
    output.line("Try next, on the demo's database:");
    output.line(&format!("  export DATABASE_URL=sqlite://{}", database.display()));
    output.line("  yarnnn search launch");
    output.line("  yarnnn deliverables list");
    output.line("  yarnnn costs");
    if let Some(version) = outcomes.first().and_then(|it| it.version.as_ref()) {
        output.line(&format!("  yarnnn verify {}", version.id));
        output.line(&format!("  yarnnn replay {}   # the same bytes again, from what was recorded", version.id));
    }
    output.line("The same month as export files, into a database of its own:");
    output.line(&format!("  DATABASE_URL=sqlite://exports.db yarnnn import {}", out.join("exports").display()));
    output.line("With your own platforms (unset DATABASE_URL, or choose another file):");
    output.line("  export INTEGRATION_ENCRYPTION_KEY=$(yarnnn doctor --new-key)");
    output.line("  yarnnn connect slack && yarnnn sync");
    output.line("With your own exports (unset DATABASE_URL, or choose another file):");
    output.line("  yarnnn import PATH-TO-SLACK-EXPORT.zip PATH-TO-MAIL.mbox PATH-TO-CALENDAR.ics");
    output.line("  yarnnn deliverables create --type status_report --title \"Weekly status\"");
    output.line("  yarnnn run \"Weekly status\"");
}
