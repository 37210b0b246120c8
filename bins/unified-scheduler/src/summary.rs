//! What a tick says: one line, or one JSON object; remarks go to standard error.

use std::process::ExitCode;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::json;
use yarnnn::Yarnnn;
use yarnnn_server::cron::{SchedulerTick, SlotLine};
use yarnnn_server::program::{FAILED, print_json, print_line};

use crate::cli::Arguments;

/// Slots that a preview lists.
const PREVIEWED: u32 = 1_000;

/// Prints what the tick did, and answers its exit code.
pub(crate) fn print(tick: &SchedulerTick, arguments: &Arguments) -> ExitCode {
    if arguments.json {
        print_json(&json!(tick));
    } else if tick.report.done_before {
        print_line(&format!("unified-scheduler: the tick of {} was made before", short(tick.report.cycle)));
    } else {
        print_line(&format!("unified-scheduler: {}", tick.summary()));
        if arguments.verbose {
            lines(tick);
        }
    }
    problems(tick);
    if tick.unattended {
        eprintln!("nobody works the queue: start yarnnn-worker or `yarnnn work`, or run this program with --inline");
    }
    code(tick)
}

/// Zero when the tick was completed, whatever became of the reports.
pub(crate) fn code(tick: &SchedulerTick) -> ExitCode {
    if completed(tick) { ExitCode::SUCCESS } else { ExitCode::from(FAILED) }
}

/// Whether all of it was done.
pub(crate) fn completed(tick: &SchedulerTick) -> bool {
    tick.report.errors().next().is_none() && !tick.report.stopped
}

/// What became of each report.
pub(crate) fn lines(tick: &SchedulerTick) {
    for it in &tick.slots {
        print_line(&format!("  {}", slot(it)));
    }
    for cycle in &tick.report.ended {
        print_line(&format!("  ended the tick of {}, which had been killed", short(*cycle)));
    }
}

fn slot(it: &SlotLine) -> String {
    let outcome = it.slot.outcome.map_or("queued", |it| it.as_str());
    let late = match (it.slot.late, it.slot.missed) {
        (false, _) => String::new(),
        (true, 0) => ", late".to_owned(),
        (true, missed) => format!(", late, for {missed} later as well"),
    };
    format!("{} (due {}{late}): {outcome}", it.title, it.slot.slot)
}

/// What went wrong, and what stopped.
pub(crate) fn problems(tick: &SchedulerTick) {
    for (phase, error) in tick.report.errors() {
        eprintln!("error: {phase}: {error}");
    }
    for it in tick.worked.iter().filter_map(|it| it.error.as_ref()) {
        eprintln!("a job did not end well: {it}");
    }
    if tick.report.stopped {
        eprintln!("error: it was told to stop; what is not done is done by the next tick");
    }
}

/// Prints what a tick would fire.
pub(crate) async fn preview(yarnnn: &Yarnnn, now: DateTime<Utc>, arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let mut due = yarnnn.deliverables().due_preview(now, PREVIEWED + 1).await?;
    let more = due.len() > PREVIEWED as usize;
    due.truncate(PREVIEWED as usize);
    if arguments.json {
        let due: Vec<_> = due
            .iter()
            .map(|it| json!({ "deliverable_id": it.deliverable, "user_id": it.user, "title": it.title, "due_at": it.due_at }))
            .collect();
        print_json(&json!({ "at": now, "due": due, "more": more }));
        return Ok(ExitCode::SUCCESS);
    }
    let than = if more { "more than " } else { "" };
    print_line(&format!("unified-scheduler: {than}{} would be fired at {}", due.len(), short(now)));
    for it in due {
        print_line(&format!("  {} (due {})", it.title, short(it.due_at)));
    }
    Ok(ExitCode::SUCCESS)
}

/// An instant, to the second.
pub(crate) fn short(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Secs, true)
}
