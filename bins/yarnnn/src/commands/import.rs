//! `yarnnn import`: export files and folders into the store.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use serde_json::{Value, json};
use yarnnn::accounts::Email;
use yarnnn::pipeline::CancelToken;
use yarnnn::platform::{Interval, PlatformClient, Quarantined};
use yarnnn::platforms::export::{self, ExportSource, Limits, OpenError, Opened};
use yarnnn::sync::{Counts, Origin, SourceOutcome, SyncEvent, SyncOptions};

use super::when;
use crate::exit::{FAILED, UsageError};
use crate::output::{Output, Tone};
use crate::session::{Session, cancel_on_interrupt};

/// Errors that are printed one by one; `--json` has them all.
const SHOWN_ERRORS: usize = 20;

/// What became of one source.
pub(super) struct Imported {
    path: PathBuf,
    kind: &'static str,
    platform: Option<&'static str>,
    outcome: SourceOutcome,
}

/// What became of all.
#[derive(Default)]
pub(super) struct Import {
    sources: Vec<Imported>,
    ignored: Vec<(PathBuf, String)>,
}

pub(super) async fn execute(
    user: Option<Email>,
    paths: &[PathBuf],
    window: Option<&str>,
    output: &Output,
) -> anyhow::Result<ExitCode> {
    let window = window.map(|it| when::window("--window", it)).transpose()?;
    for path in paths {
        if let Err(error) = std::fs::metadata(path) {
            let missing = error.kind() == std::io::ErrorKind::NotFound;
            let problem = if missing { "does not exist".to_owned() } else { format!("cannot be read: {error}") };
            return Err(UsageError(format!("{} {problem}", path.display())).into());
        }
    }
    let session = Session::open(user).await?;
    let import = import(&session, paths, window, cancel_on_interrupt(), output).await?;
    if output.is_json() {
        output.json(&import.json());
    } else {
        import.show(output);
    }
    Ok(if import.totals().failed > 0 { ExitCode::from(FAILED) } else { ExitCode::SUCCESS })
}

/// Imports every source under the paths.
pub(super) async fn import(
    session: &Session,
    paths: &[PathBuf],
    window: Option<Interval>,
    cancel: CancelToken,
    output: &Output,
) -> anyhow::Result<Import> {
    let window = window.unwrap_or_else(|| when::default_window(session.yarnnn.clock().now()));
    let mut import = Import::default();
    for path in paths {
        match export::open(path, Limits::default()) {
            Ok(opened) => import.take(session, opened, window, &cancel, output).await?,
            Err(error) => import.refuse(path, &error),
        }
    }
    Ok(import)
}

impl Import {
    async fn take(
        &mut self,
        session: &Session,
        opened: Opened,
        window: Interval,
        cancel: &CancelToken,
        output: &Output,
    ) -> anyhow::Result<()> {
        self.ignored.extend(opened.ignored.into_iter().map(|it| (it.path, it.reason)));
        for unreadable in opened.unreadable {
            self.fail(unreadable.path, unreadable.reason);
        }
        for source in opened.sources {
            let platform = Some(source.client.platform().as_str());
            let outcome = match import_source(session, &source, window, cancel.clone(), output).await {
                Err(yarnnn::Error::Platform(error)) => unreadable(&source.path, error.to_string()),
                Err(error) => return Err(self.interrupted(error, output)),
                Ok(outcome) => outcome,
            };
            self.sources.push(Imported { path: source.path, kind: source.kind.as_str(), platform, outcome });
        }
        Ok(())
    }

    fn refuse(&mut self, path: &Path, error: &OpenError) {
        self.fail(path.to_owned(), error.to_string());
    }

    /// What was imported before the command ended is not lost, and is said.
    fn interrupted(&self, error: yarnnn::Error, output: &Output) -> anyhow::Error {
        let counts = self.totals();
        output.note(&format!(
            "{} records of {} sources were imported before; the same command goes on",
            counts.kept,
            self.sources.len()
        ));
        error.into()
    }

    fn fail(&mut self, path: PathBuf, reason: String) {
        let outcome = unreadable(&path, reason);
        self.sources.push(Imported { path, kind: "unsupported", platform: None, outcome });
    }

    pub(super) fn totals(&self) -> Counts {
        let mut totals = Counts::default();
        for source in &self.sources {
            totals += source.outcome.counts;
        }
        totals
    }

    pub(super) fn json(&self) -> Value {
        let ignored: Vec<_> =
            self.ignored.iter().map(|(path, reason)| json!({ "path": path.display().to_string(), "reason": reason })).collect();
        json!({ "sources": self.sources.iter().map(Imported::json).collect::<Vec<_>>(), "totals": self.totals(), "ignored": ignored })
    }

    pub(super) fn show(&self, output: &Output) {
        let rows = self.sources.iter().map(Imported::row).collect();
        output.table(&["source", "kind", "kept", "filtered", "failed", "new", "unchanged"], rows);
        for source in &self.sources {
            source.show_reasons(output);
        }
        if !self.ignored.is_empty() {
            output.line(&output.tone(&format!("{} files are no exports and were ignored:", self.ignored.len()), Tone::Faint));
            for (path, reason) in self.ignored.iter().take(SHOWN_ERRORS) {
                output.line(&output.tone(&format!("  {}: {reason}", path.display()), Tone::Faint));
            }
        }
        let totals = self.totals();
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
}

impl Imported {
    fn json(&self) -> Value {
        let Counts { kept, filtered, failed, new, unchanged } = self.outcome.counts;
        let resources = self.outcome.resources.iter().map(|it| {
            json!({ "resource_id": it.resource.id, "name": it.resource.name, "counts": it.counts, "error": it.error, "gaps": it.gaps })
        });
        json!({
            "path": self.path.display().to_string(),
            "kind": self.kind,
            "platform": self.platform,
            "kept": kept,
            "filtered": filtered,
            "failed": failed,
            "new": new,
            "unchanged": unchanged,
            "filtered_by_reason": self.outcome.filtered,
            "resources": resources.collect::<Vec<_>>(),
            "errors": self.outcome.quarantined,
        })
    }

    fn row(&self) -> Vec<String> {
        let counts = self.outcome.counts;
        let numbers = [counts.kept, counts.filtered, counts.failed, counts.new, counts.unchanged];
        let name = self.path.display().to_string();
        [name, self.kind.to_owned()].into_iter().chain(numbers.map(|it| it.to_string())).collect()
    }

    fn show_reasons(&self, output: &Output) {
        if !self.outcome.filtered.is_empty() {
            let reasons: Vec<_> = self.outcome.filtered.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
            output.line(&output.tone(&format!("{}: filtered {}", self.path.display(), reasons.join(", ")), Tone::Faint));
        }
        for error in self.outcome.quarantined.iter().take(SHOWN_ERRORS) {
            output.line(&output.tone(&format!("failed: {}: {}", error.item, error.reason), Tone::Warning));
        }
        let hidden = self.outcome.counts.failed.saturating_sub(SHOWN_ERRORS as u64);
        if hidden > 0 {
            output.line(&output.tone(&format!("… and {hidden} more failures (--json lists them)"), Tone::Warning));
        }
    }
}

fn unreadable(path: &Path, reason: String) -> SourceOutcome {
    let counts = Counts { failed: 1, ..Counts::default() };
    let quarantined = vec![Quarantined { item: path.display().to_string(), reason }];
    SourceOutcome { counts, quarantined, ..SourceOutcome::default() }
}

async fn import_source(
    session: &Session,
    source: &ExportSource,
    window: Interval,
    cancel: CancelToken,
    output: &Output,
) -> Result<SourceOutcome, yarnnn::Error> {
    let bar = output.spinner(&format!("importing {} ({})", source.path.display(), source.kind.as_str()));
    let observer = bar.clone();
    let observe = move |event| match event {
        SyncEvent::Page { records } => observer.set_position(records),
        SyncEvent::Resource { name, .. } => observer.set_message(name),
    };
    let options =
        SyncOptions { user: session.user.id, origin: Origin::Import, window, cancel, observer: Some(Arc::new(observe)) };
    let client: &dyn PlatformClient = source.client.as_ref();
    let outcome = session.yarnnn.sync().run(client, &options).await;
    bar.finish_and_clear();
    outcome
}
