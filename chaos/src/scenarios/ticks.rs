//! 11. The program that makes a tick, started twice at once and killed at random, two hundred times.

use std::fs::File;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use chrono::{DateTime, TimeDelta, Utc};
use tokio::process::{Child, Command};
use tokio::time::sleep;
use yarnnn::config::DatabaseConfig;
use yarnnn::deliverables::{CreateDeliverable, Schedule};
use yarnnn::scheduler::TICK;
use yarnnn::{Config, Yarnnn};
use yarnnn_server::cron::ShiftedClock;

use crate::arena::Backend;
use crate::plant::Plant;
use crate::report::Report;
use crate::stage::Stage;

const PROGRAM: &str = "yarnnn-unified-scheduler";
const USERS: u32 = 60;
/// Of each user: what the free tier allows.
const REPORTS: u32 = 2;
/// Ticks are killed within this time: about as long as one takes.
const LIFE: Duration = Duration::from_millis(250);

pub(super) async fn play(stage: &Stage) -> Result<Report> {
    let ticks = stage.options.of(200, 20);
    // One day before; the first slot comes due with the first tick, the last with the last.
    let first: DateTime<Utc> = "2026-11-23T00:05:00Z".parse()?;
    people(stage, first, ticks).await?;
    if stage.options.plant == Some(Plant::SlotsForgotten) {
        forget(stage).await?;
    }
    let mut report = Report::default();
    let (mut random, mut killed, mut failed) = (stage.random(), 0, 0);
    for tick in 0..ticks {
        let now = first + TICK * tick;
        let mut pair = [start(stage, now)?, start(stage, now)?];
        for it in &mut pair {
            sleep(random.up_to(LIFE)).await;
            if let Some(ended) = it.try_wait()? {
                failed += i64::from(!ended.success());
            } else {
                it.kill().await?;
                killed += 1;
            }
        }
    }
    for after in 0..2 {
        failed += i64::from(!start(stage, first + TICK * (ticks + after))?.wait().await?.success());
    }
    report.figure("ticks", 2 * ticks + 2);
    report.figure("killed", killed);
    report.must_be("ticks that failed", failed, 0);
    every_slot_once(stage, &mut report).await?;
    own_numbers(stage, &mut report).await?;
    Ok(report)
}

/// People with daily reports, whose times lie within the stretch of the ticks.
async fn people(stage: &Stage, first: DateTime<Utc>, ticks: i32) -> Result<()> {
    let config = Config { database: DatabaseConfig::new(stage.arena.url())?, ..Config::in_folder(&std::env::temp_dir()) };
    let clock = Arc::new(ShiftedClock::showing(first - TimeDelta::minutes(5)));
    let yarnnn = yarnnn::builder(&config).await?.clock(clock).build();
    let minutes = i64::from(ticks - 1) * TICK.num_minutes();
    for number in 0..USERS {
        person(&yarnnn, number, first, minutes).await?;
    }
    Ok(())
}

async fn person(yarnnn: &Yarnnn, number: u32, first: DateTime<Utc>, minutes: i64) -> Result<()> {
    let user = yarnnn.user(format!("person{number}@example.com").parse()?).await?;
    for report in 0..REPORTS {
        let place = i64::from(number * REPORTS + report) * minutes / i64::from(USERS * REPORTS);
        let time = (first + TimeDelta::minutes(place)).format("%H:%M").to_string();
        let schedule = Some(Schedule::parse("daily", None, Some(&time), None)?);
        let create = CreateDeliverable { schedule, ..CreateDeliverable::new("status_report", format!("Report {report}")) };
        yarnnn.deliverables().create(&user, create).await?;
    }
    Ok(())
}

fn start(stage: &Stage, now: DateTime<Utc>) -> Result<Child> {
    let program = std::env::current_exe()?.with_file_name(PROGRAM);
    let mut command = Command::new(&program);
    command.args(["--json", "--now", &now.to_rfc3339()]).env("DATABASE_URL", stage.arena.url()).env("YARNNN_MIGRATE", "off");
    let words = File::options().append(true).create(true).open(stage.arena.log())?;
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(words).kill_on_drop(true);
    command.spawn().with_context(|| format!("cannot start {}: build it beside this program", program.display()))
}

/// Every slot that came due is one row, one job and one line.
async fn every_slot_once(stage: &Stage, report: &mut Report) -> Result<()> {
    let slots = i64::from(USERS * REPORTS);
    for (name, query) in [
        ("slots", "select count(*) from deliverable_slots"),
        ("jobs", "select count(*) from job_queue where job_type = 'deliverable_generate'"),
        ("lines", "select count(*) from activity_log where event_type = 'deliverable_scheduled'"),
    ] {
        report.must_be(name, stage.book.number(query).await?, slots);
    }
    Ok(())
}

/// Each user was told of the user's own slots, each of them once; and of no tick twice.
async fn own_numbers(stage: &Stage, report: &mut Report) -> Result<()> {
    let wrong = format!(
        "select count(*) from users where email_lower like 'person%' and {REPORTS} <> \
         (select coalesce(sum(cast(metadata ->> 'deliverables_checked' as integer)), 0) from activity_log \
         where user_id = users.id and event_type = 'scheduler_heartbeat')"
    );
    report.must_be("users told wrong numbers", stage.book.number(&wrong).await?, 0);
    let beats = "select count(*) from activity_log where event_type = 'scheduler_heartbeat'";
    report.figure("heartbeats", stage.book.number(beats).await?);
    Ok(())
}

/// The planted bug, in the database itself.
async fn forget(stage: &Stage) -> Result<()> {
    let undo = "delete from deliverable_slots where deliverable_id = new.deliverable_id; \
        update deliverables set next_run_at = new.due_at where id = new.deliverable_id;";
    match stage.arena.backend {
        Backend::Sqlite => {
            let when = "when substr(new.slot, -1) in ('0', '5')";
            let trigger = format!("create trigger forget after insert on deliverable_slots {when} begin {undo} end");
            stage.book.execute(&trigger).await
        }
        Backend::Postgres(_) => {
            let body = format!("begin if right(new.slot, 1) in ('0', '5') then {undo} end if; return null; end");
            let function = format!("create function forget() returns trigger language plpgsql as $${body}$$");
            stage.book.execute(&function).await?;
            stage
                .book
                .execute("create trigger forget after insert on deliverable_slots for each row execute function forget()")
                .await
        }
    }
}
