//! Whether the clock ticks for what is scheduled.

use chrono::{DateTime, TimeDelta, Utc};
use yarnnn::deliverables::DeliverableStatus;

use super::super::when;
use super::check::{Check, bad, good};
use crate::session::Session;

/// What waits longer than this is not waiting for the next tick.
const PATIENCE: TimeDelta = TimeDelta::minutes(15);

/// Nothing, if nothing is scheduled.
pub(super) async fn check(session: &Session) -> anyhow::Result<Option<Check>> {
    let deliverables = session.yarnnn.deliverables();
    let all = deliverables.list(session.user.id).await?;
    let scheduled = all.iter().filter(|it| it.status == DeliverableStatus::Active && it.next_run_at.is_some()).count();
    if scheduled == 0 {
        return Ok(None);
    }
    let last = session.yarnnn.last_tick().await?;
    let patient = session.yarnnn.clock().now() - PATIENCE;
    let overdue = deliverables.due(session.user.id).await?.into_iter().filter(|(_, due_at)| *due_at < patient).count();
    Ok(Some(if overdue == 0 { good("schedules", sound(scheduled, last)) } else { bad("schedules", late(overdue, last)) }))
}

fn sound(scheduled: usize, last: Option<DateTime<Utc>>) -> String {
    format!("{scheduled} active; {}", ticked(last))
}

fn late(overdue: usize, last: Option<DateTime<Utc>>) -> String {
    let what = if overdue == 1 { "1 report is overdue" } else { &format!("{overdue} reports are overdue") };
    format!(
        "{what} and {}: let cron start yarnnn-unified-scheduler every five minutes; `yarnnn run --due` catches up now",
        ticked(last)
    )
}

fn ticked(last: Option<DateTime<Utc>>) -> String {
    last.map_or_else(|| "no tick was ever made".to_owned(), |it| format!("the last tick ended at {}", when::show(Some(it))))
}
