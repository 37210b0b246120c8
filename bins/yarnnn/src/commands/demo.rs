//! `yarnnn demo`: the whole pipeline, offline, on an authored team's month.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use serde_json::json;
use yarnnn::clock::SystemClock;
use yarnnn::config::{Config, DatabaseConfig};
use yarnnn::deliverables::{CreateDeliverable, RunDeliverable, RunOutcome, RunRequest, RunStatus};
use yarnnn::pipeline::CancelToken;
use yarnnn_sim::sample::{Sample, SampleFiles};

use super::{import, run};
use crate::exit::FAILED;
use crate::output::{Output, Tone};
use crate::session::{Session, cancel_on_interrupt};

/// The demo's reports: type, title, description.
const REPORTS: [(&str, &str, Option<&str>); 2] =
    [("status_report", "Weekly status", None), ("meeting_prep", "Meeting preparation", None)];

pub(super) async fn execute(out: &Path, output: &Output) -> anyhow::Result<ExitCode> {
    std::fs::create_dir_all(out).with_context(|| format!("cannot make the folder {}", out.display()))?;
    let out = std::fs::canonicalize(out).with_context(|| format!("cannot use the folder {}", out.display()))?;
    let files = sample(&out.join("exports"), output)?;
    let session = Session::local(config(&out)).await?;
    let cancel = cancel_on_interrupt();
    let paths = [files.slack, files.mail, files.calendar, files.notion];
    let imported = import::import(&session, paths.to_vec(), None, cancel.clone(), output).await?;
    import::show(&imported, output);
    let mut outcomes = Vec::new();
    for (report_type, title, description) in REPORTS {
        outcomes.push(report(&session, cancel.clone(), (report_type, title, description), output).await?);
    }
    let failed = imported.totals.failed > 0 || outcomes.iter().any(|it| it.status == RunStatus::Failed);
    if output.is_json() {
        let reports: Vec<_> = outcomes.iter().flat_map(run::files).collect();
        let runs: Vec<_> = outcomes.iter().map(run::describe).collect();
        output.json(&json!({ "reports": reports, "import": import::json(&imported), "runs": runs }));
    } else {
        farewell(&out, &outcomes, output);
    }
    Ok(if failed { ExitCode::from(FAILED) } else { ExitCode::SUCCESS })
}

/// The sample's export files. A folder that has them already keeps them, so that a second demo changes nothing; it gets its
/// name only when all of them are written.
fn sample(folder: &Path, output: &Output) -> anyhow::Result<SampleFiles> {
    if folder.exists() {
        output.note(&format!("using the sample in {} (remove the folder for a fresh one)", folder.display()));
        return Ok(SampleFiles::in_directory(folder));
    }
    let unfinished = folder.with_extension("partial");
    let now = yarnnn::clock::Clock::now(&SystemClock);
    let written = Sample::load().write_exports(now, &unfinished).and_then(|_| std::fs::rename(&unfinished, folder));
    written.with_context(|| format!("cannot write the sample to {}", folder.display()))?;
    Ok(SampleFiles::in_directory(folder))
}

/// Database and outbox under the demo's folder, whatever the environment says.
fn config(out: &Path) -> Config {
    Config { database: DatabaseConfig::sqlite(&out.join("demo.db")), ..Config::in_folder(out) }
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
    output.line("With your own exports (unset DATABASE_URL, or choose another file):");
    output.line("  yarnnn import PATH-TO-SLACK-EXPORT.zip PATH-TO-MAIL.mbox PATH-TO-CALENDAR.ics");
    output.line("  yarnnn deliverables create --type status_report --title \"Weekly status\"");
    output.line("  yarnnn run \"Weekly status\"");
}
