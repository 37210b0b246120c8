//! `yarnnn demo`: the whole pipeline, offline, on an authored team's month.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use serde_json::json;
use yarnnn::deliverables::{CreateDeliverable, Deliverable, Destination, RunOutcome, RunRequest, RunStatus};
use yarnnn::{Config, clock::SystemClock};
use yarnnn_sim::sample::{Sample, SampleFiles};

use super::{import, run};
use crate::exit::FAILED;
use crate::output::{Output, Tone};
use crate::session::Session;

/// The demo's reports: type, title, description.
const REPORTS: [(&str, &str, Option<&str>); 2] =
    [("status_report", "Weekly status", None), ("meeting_prep", "Meeting preparation", None)];

pub(super) async fn run(out: &Path, output: &Output) -> anyhow::Result<ExitCode> {
    std::fs::create_dir_all(out).with_context(|| format!("cannot make the folder {}", out.display()))?;
    let out = std::fs::canonicalize(out).with_context(|| format!("cannot use the folder {}", out.display()))?;
    let files = sample(&out.join("exports"), output)?;
    let session = Session::with(config(&out)?, None).await?;
    let paths = [files.slack, files.mail, files.calendar, files.notion];
    let imported = import::import(&session, &paths, None, output).await?;
    imported.show(output);
    let mut outcomes = Vec::new();
    for (report_type, title, description) in REPORTS {
        outcomes.push(report(&session, report_type, title, description, output).await?);
    }
    let failed = imported.totals().failed > 0 || outcomes.iter().any(|it| it.status == RunStatus::Failed);
    if output.is_json() {
        let reports: Vec<_> = outcomes.iter().flat_map(run::files).collect();
        let runs: Vec<_> = outcomes.iter().map(run::describe).collect();
        output.json(&json!({ "reports": reports, "import": imported.json(), "runs": runs }));
    } else {
        farewell(&out, &outcomes, output);
    }
    Ok(if failed { ExitCode::from(FAILED) } else { ExitCode::SUCCESS })
}

/// The sample's export files. A folder that has them already keeps them, so that a second demo changes nothing.
fn sample(folder: &Path, output: &Output) -> anyhow::Result<SampleFiles> {
    let files = SampleFiles::in_folder(folder);
    let there = [&files.slack, &files.mail, &files.calendar, &files.notion].iter().all(|it| it.exists());
    if there {
        output.note(&format!("using the sample in {} (remove the folder for a fresh one)", folder.display()));
        return Ok(files);
    }
    let now = yarnnn::clock::Clock::now(&SystemClock);
    Sample::load().write_exports(now, folder).with_context(|| format!("cannot write the sample to {}", folder.display()))
}

/// Database and outbox under the demo's folder, whatever the environment says.
fn config(out: &Path) -> anyhow::Result<Config> {
    let database = format!("sqlite://{}", out.join("demo.db").display());
    let outbox = out.join("outbox").display().to_string();
    let lookup = move |name: &str| match name {
        yarnnn::config::env_vars::DATABASE_URL => Some(database.clone()),
        yarnnn::config::env_vars::YARNNN_OUTBOX_DIR => Some(outbox.clone()),
        _ => None,
    };
    Ok(Config::from_lookup(&lookup)?)
}

async fn report(
    session: &Session,
    report_type: &str,
    title: &str,
    description: Option<&str>,
    output: &Output,
) -> anyhow::Result<RunOutcome> {
    let deliverables = session.yarnnn.deliverables();
    let known = deliverables.list(session.user.id).await?.into_iter().find(|it| it.title == title);
    let deliverable: Deliverable = match known {
        Some(known) => known,
        None => {
            let create = CreateDeliverable {
                title: title.to_owned(),
                description: description.map(str::to_owned),
                report_type: report_type.to_owned(),
                sources: vec![],
                destination: Destination::Folder { path: None },
                schedule: None,
            };
            deliverables.create(&session.user, create).await?.deliverable
        }
    };
    output.line(&output.tone(title, Tone::Strong));
    let request = RunRequest { key: Some("demo".into()), ..RunRequest::of(session.user.id, deliverable.id) };
    let outcome = deliverables.run(&session.yarnnn.stage_cx(), &request).await?;
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
    output.line("With your own exports (unset DATABASE_URL, or choose another file):");
    output.line("  yarnnn import PATH-TO-SLACK-EXPORT.zip PATH-TO-MAIL.mbox PATH-TO-CALENDAR.ics");
    output.line("  yarnnn deliverables create --type status_report --title \"Weekly status\"");
    output.line("  yarnnn run \"Weekly status\"");
}
