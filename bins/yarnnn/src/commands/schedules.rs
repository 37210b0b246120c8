//! `yarnnn schedules`: which reports run by themselves, and when.

use std::process::ExitCode;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use yarnnn::accounts::Email;
use yarnnn::clock::{Clock as _, SystemClock};
use yarnnn::deliverables::{Deliverable, DeliverableStatus, Schedule};
use yarnnn::scheduler::Slot;

use super::when;
use super::wishes::{UTC, schedule};
use crate::cli::{Preview, Schedules};
use crate::exit::UsageError;
use crate::output::Output;
use crate::session::Session;

pub(super) async fn execute(user: Option<Email>, command: Schedules, output: &Output) -> anyhow::Result<ExitCode> {
    match command {
        Schedules::List => list(&Session::open(user).await?, output).await?,
        Schedules::Preview(arguments) => preview(user, &arguments, output).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(session: &Session, output: &Output) -> anyhow::Result<()> {
    let all = session.yarnnn.deliverables().list(session.user.id).await?;
    let scheduled: Vec<_> = all.iter().filter_map(|it| Some((it, it.schedule.as_ref()?))).collect();
    if output.is_json() {
        output.json(&json!({ "schedules": scheduled.iter().map(|(it, schedule)| describe(it, schedule)).collect::<Vec<_>>() }));
        return Ok(());
    }
    if scheduled.is_empty() {
        output.line("nothing runs by itself; try: yarnnn deliverables edit DELIVERABLE --schedule weekly");
        return Ok(());
    }
    let row = |(it, schedule): &(&Deliverable, &Schedule)| {
        let next = next_run(it);
        let minute = if schedule.pinned { "pinned" } else { "the report's own" };
        let local = next.map_or_else(|| it.status.as_str().to_owned(), |at| local(at, schedule));
        vec![it.title.clone(), schedule.describe(), local, when::show(next), when::show(it.last_run_at), minute.to_owned()]
    };
    let header = ["title", "schedule", "next (local)", "next (UTC)", "last run (UTC)", "minute"];
    output.table(&header, scheduled.iter().map(row).collect());
    Ok(())
}

/// One that is paused has none.
fn next_run(deliverable: &Deliverable) -> Option<DateTime<Utc>> {
    deliverable.next_run_at.filter(|_| deliverable.status == DeliverableStatus::Active)
}

fn describe(it: &Deliverable, schedule: &Schedule) -> Value {
    let next = next_run(it);
    json!({
        "deliverable_id": it.id,
        "title": it.title,
        "status": it.status.as_str(),
        "schedule": schedule,
        "description": schedule.describe(),
        "pinned": schedule.pinned,
        "next_run_at": next,
        "next_run_local": next.map(|at| at.with_timezone(&schedule.timezone).to_rfc3339()),
        "last_run_at": it.last_run_at,
    })
}

/// A deliverable is looked up, and the user's time zone when none is named; else no database is needed.
async fn preview(user: Option<Email>, arguments: &Preview, output: &Output) -> anyhow::Result<()> {
    let from = arguments.from.as_deref().map(|it| when::instant("--from", it)).transpose()?;
    let from = from.unwrap_or_else(|| SystemClock.now());
    let when = &arguments.when;
    if arguments.deliverable.is_none() {
        schedule(when, None, UTC)?;
    }
    let session = if when.tz.is_none() || arguments.deliverable.is_some() { Some(Session::open(user).await?) } else { None };
    let found = match (&session, &arguments.deliverable) {
        (Some(session), Some(name)) => Some(session.deliverable(name).await?),
        _ => None,
    };
    let before = found.as_ref().and_then(|it| it.schedule.as_ref());
    let asked = schedule(when, before, session.as_ref().map_or(UTC, Session::home_zone))?;
    // Its own schedule counts from its next run; another one would count from the change.
    let anchor = found.as_ref().and_then(|it| it.next_run_at).filter(|_| asked.is_none());
    let asked = asked.map(|it| found.as_ref().map_or_else(|| it.clone(), |of| it.clone().spread_over_hour(of.id.as_uuid())));
    let schedule = asked.as_ref().or(before).ok_or_else(|| UsageError("it has no schedule; give one: --schedule".to_owned()))?;
    let count = usize::try_from(arguments.count).unwrap_or(usize::MAX);
    let slots: Vec<Slot> = match anchor.map(|it| schedule.next_slot(it, from)) {
        Some(first) => std::iter::once(schedule.slot_of(first)).chain(schedule.slots_after(first)).take(count).collect(),
        None => schedule.slots_after(from).take(count).collect(),
    };
    show(schedule, &slots, found.is_none(), output);
    Ok(())
}

fn show(schedule: &Schedule, slots: &[Slot], is_new: bool, output: &Output) {
    if output.is_json() {
        let slots: Vec<_> = slots.iter().map(|it| describe_slot(it, schedule)).collect();
        output.json(&json!({
            "schedule": schedule, "description": schedule.describe(), "pinned": schedule.pinned, "slots": slots,
        }));
        return;
    }
    output.line(&schedule.describe());
    let row = |it: &Slot| vec![local(it.at, schedule), when::show(Some(it.at)), it.remark().unwrap_or_default()];
    output.table(&["local", "UTC", "remark"], slots.iter().map(row).collect());
    if is_new && !schedule.pinned {
        output.line("without --at, a report that is created with this gets a minute of its own in this hour");
    }
}

fn describe_slot(slot: &Slot, schedule: &Schedule) -> Value {
    json!({
        "at": slot.at,
        "local": slot.at.with_timezone(&schedule.timezone).to_rfc3339(),
        "slot": slot.key(),
        "remark": slot.remark(),
    })
}

fn local(at: DateTime<Utc>, schedule: &Schedule) -> String {
    at.with_timezone(&schedule.timezone).format("%a %Y-%m-%d %H:%M").to_string()
}
