//! `yarnnn import`: export files and folders into the store.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use serde_json::{Value, json};
use yarnnn::Error;
use yarnnn::accounts::Email;
use yarnnn::imports::{ImportExports, ImportReport, ImportRequest, ImportedSource};
use yarnnn::jobs::{JobProgress, JobProgressSink};
use yarnnn::pipeline::CancelToken;
use yarnnn::platform::Interval;

use super::when;
use crate::cli::Import;
use crate::exit::{FAILED, UsageError};
use crate::output::{Output, Tone};
use crate::session::{Session, cancel_on_interrupt};
use crate::work;

/// Errors that are printed one by one; `--json` has them all.
const SHOWN_ERRORS: usize = 20;

pub(super) async fn execute(user: Option<Email>, arguments: Import, output: &Output) -> anyhow::Result<ExitCode> {
    let window = arguments.window.as_deref().map(|it| when::window("--window", it)).transpose()?;
    let paths = arguments.paths.iter().map(|it| absolute(it.as_path())).collect::<Result<Vec<_>, _>>()?;
    let session = Session::open(user).await?;
    if arguments.detach {
        work::detach(&session, &job(&session, paths, window)?, output).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let report = import(&session, paths, window, cancel_on_interrupt(), output).await?;
    if output.is_json() {
        output.json(&json(&report));
    } else {
        show(&report, output);
    }
    Ok(if report.totals.failed > 0 { ExitCode::from(FAILED) } else { ExitCode::SUCCESS })
}

/// The path as any process of this host can open it.
fn absolute(path: &Path) -> Result<PathBuf, UsageError> {
    let unreadable = |error: std::io::Error| {
        let missing = error.kind() == std::io::ErrorKind::NotFound;
        let problem = if missing { "does not exist".to_owned() } else { format!("cannot be read: {error}") };
        UsageError(format!("{} {problem}", path.display()))
    };
    std::fs::metadata(path).map_err(unreadable)?;
    let absolute = std::path::absolute(path).map_err(unreadable)?;
    match absolute.to_str() {
        Some(_) => Ok(absolute),
        None => Err(UsageError(format!("{}: its name is not UTF-8; rename it, or import the folder it is in", path.display()))),
    }
}

fn job(session: &Session, paths: Vec<PathBuf>, window: Option<Interval>) -> anyhow::Result<ImportExports> {
    let imports = session.yarnnn.imports().ok_or_else(|| Error::Failed("this program cannot open export files".into()))?;
    Ok(ImportExports::here(&imports, ImportRequest { user: session.user.id, paths, window }))
}

/// Imports every source under the paths.
pub(super) async fn import(
    session: &Session,
    paths: Vec<PathBuf>,
    window: Option<Interval>,
    cancel: CancelToken,
    output: &Output,
) -> anyhow::Result<ImportReport> {
    let job = job(session, paths, window)?;
    let bar = output.spinner("importing");
    let shown = bar.clone();
    let observe: JobProgressSink = Arc::new(move |it: JobProgress| {
        shown.set_position(it.index.into());
        shown.set_message(it.step);
    });
    let result = work::carry_through(session, &job, cancel, Some(observe), output).await;
    let records = bar.position();
    bar.finish_and_clear();
    if result.is_err() && records > 0 {
        output.note(&format!("{records} records were read before; the same command goes on"));
    }
    let report = serde_json::from_value(result?);
    Ok(report.map_err(|error| Error::Failed(format!("the result of the import cannot be read: {error}")))?)
}

/// The object of an import.
pub(super) fn json(report: &ImportReport) -> Value {
    json!(report)
}

/// An import for people.
pub(super) fn show(report: &ImportReport, output: &Output) {
    let rows = report.sources.iter().map(row).collect();
    output.table(&["source", "kind", "kept", "filtered", "failed", "new", "unchanged"], rows);
    for source in &report.sources {
        show_reasons(source, output);
    }
    if !report.ignored.is_empty() {
        output.line(&output.tone(&format!("{} files are no exports and were ignored:", report.ignored.len()), Tone::Faint));
        for it in report.ignored.iter().take(SHOWN_ERRORS) {
            output.line(&output.tone(&format!("  {}: {}", it.path, it.reason), Tone::Faint));
        }
    }
    let totals = report.totals;
    let summary = format!(
        "{} records: {} kept ({} new, {} unchanged), {} filtered, {} failed",
        totals.records(),
        totals.kept,
        totals.new,
        totals.unchanged,
        totals.filtered,
        totals.failed
    );
    output.line(&output.tone(&summary, if totals.failed > 0 { Tone::Warning } else { Tone::Good }));
}

fn row(source: &ImportedSource) -> Vec<String> {
    let counts = source.counts;
    let numbers = [counts.kept, counts.filtered, counts.failed, counts.new, counts.unchanged];
    [source.path.clone(), source.kind.clone()].into_iter().chain(numbers.map(|it| it.to_string())).collect()
}

fn show_reasons(source: &ImportedSource, output: &Output) {
    if !source.filtered_by_reason.is_empty() {
        let reasons: Vec<_> = source.filtered_by_reason.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
        output.line(&output.tone(&format!("{}: filtered {}", source.path, reasons.join(", ")), Tone::Faint));
    }
    for error in source.errors.iter().take(SHOWN_ERRORS) {
        output.line(&output.tone(&format!("failed: {}: {}", error.item, error.reason), Tone::Warning));
    }
    let hidden = source.counts.failed.saturating_sub(SHOWN_ERRORS as u64);
    if hidden > 0 {
        output.line(&output.tone(&format!("… and {hidden} more failures (--json lists them)"), Tone::Warning));
    }
}
