//! What a tick says: one line, or one JSON object; remarks go to standard error.

use std::process::ExitCode;

use serde_json::json;
use yarnnn_server::cron::PlatformSyncTick;
use yarnnn_server::program::{FAILED, print_json, print_line};

use crate::cli::Arguments;

/// Prints what the tick did, and answers its exit code.
pub(crate) fn print(tick: &PlatformSyncTick, arguments: &Arguments) -> ExitCode {
    if arguments.json {
        print_json(&json!(tick));
    } else {
        print_line(&format!("platform-sync: {}", text(tick, arguments.is_inline())));
    }
    for it in tick.ran.iter().filter(|it| !it.is_ok()) {
        let reason = it.error.clone().or_else(|| it.platforms.iter().find_map(|it| it.error.clone())).unwrap_or_default();
        eprintln!("{} of user {}: {reason}", it.provider, it.user_id);
    }
    for problem in &tick.problems {
        eprintln!("error: {problem}");
    }
    if tick.unattended {
        eprintln!("nobody works the queue: start yarnnn-worker or `yarnnn work`, or run this program with --inline");
    }
    if tick.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FAILED) }
}

fn text(tick: &PlatformSyncTick, inline: bool) -> String {
    let PlatformSyncTick { due, checked, enqueued, existing, .. } = tick;
    if inline {
        return format!("{}/{due}/{checked} synced/due/checked", tick.synced());
    }
    format!("{enqueued}/{due}/{checked} queued/due/checked, {existing} already under way")
}
