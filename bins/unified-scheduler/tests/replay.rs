//! A week of ticks on the sample workspace, in one process: what each did is said, and what it wrote is there.
#![allow(clippy::unwrap_used, reason = "what is not there fails the test")]

#[expect(dead_code, reason = "the other tests use the rest of it")]
mod installation;

use chrono::TimeDelta;
use yarnnn::Yarnnn;
use yarnnn::deliverables::{CreateDeliverable, Schedule};
use yarnnn::platforms::export::{self, Limits};
use yarnnn::sync::SyncOptions;
use yarnnn_sim::sample::Sample;

use installation::{Backend, Installation, at, ended};

/// The sample, imported, with a daily and a weekly report and one that looks things up.
async fn office(it: &Installation, now: &str) -> Yarnnn {
    let yarnnn = it.handle(at(now)).await;
    let user = yarnnn.local_user().await.unwrap();
    let files = Sample::load().write_exports(at(now), &it.home.folder.path().join("exports")).unwrap();
    for path in [files.slack, files.mail, files.calendar, files.notion] {
        for source in export::open(&path, Limits::default()).unwrap().sources {
            yarnnn.sync().run(source.client.as_ref(), &SyncOptions::import(user.id, at(now))).await.unwrap();
        }
    }
    for (kind, title, schedule) in [
        ("status_report", "Morning", Schedule::parse("daily", None, Some("09:00"), Some("Europe/Berlin"))),
        ("weekly_calendar_preview", "The week", Schedule::parse("weekly", Some("monday"), Some("08:00"), None)),
        ("research_brief", "Rivals", Schedule::parse("weekly", Some("wednesday"), Some("08:00"), None)),
    ] {
        let create = CreateDeliverable { schedule: Some(schedule.unwrap()), ..CreateDeliverable::new(kind, title) };
        yarnnn.deliverables().create(&user, create).await.unwrap();
    }
    yarnnn
}

#[tokio::test(flavor = "multi_thread")]
async fn a_week_is_replayed_and_says_what_each_tick_did() {
    let it = Installation::new(Backend::Sqlite).await;
    office(&it, "2026-11-22T12:00:00Z").await;
    let week = ["--now", "2026-11-23T00:00:00Z", "--until", "2026-11-30T00:00:00Z", "--inline"];
    let said = ended(it.command(&week).spawn().unwrap()).expect(0).stdout;
    let lines: Vec<_> = said.lines().collect();
    assert!(lines[0].starts_with("2026-11-23T00:00:00Z  96 quiet ticks"), "{said}");
    assert!(
        lines[1].starts_with("2026-11-23T08:00:00Z  deliverables=2/2 (0 skipped), signals=1, cleanup=0, heartbeats=1"),
        "{said}"
    );
    let reports = |title: &str| lines.iter().filter(|it| it.starts_with(&format!("  {title} (due "))).count();
    assert_eq!((reports("Morning"), reports("The week"), reports("Rivals")), (7, 1, 1), "{said}");
    assert!(said.contains("  Morning (due 2026-11-23T09:00): delivered\n"), "{said}");
    assert!(lines.len() < 40, "quiet ticks share a line: {said}");
    // A run by schedule knows its type as one by hand does.
    let bindings = "select distinct v.run_state ->> 'binding' from deliverable_versions as v \
        join deliverables as d on d.id = v.deliverable_id where d.deliverable_type = 'research_brief'";
    assert_eq!(it.home.texts(bindings).await, ["research"]);
    let generated = "select cast(count(*) as text) from activity_log where event_type = 'deliverable_generated'";
    let delivered = "select cast(count(*) as text) from deliverable_slots where outcome = 'delivered'";
    assert_eq!(it.home.texts(generated).await, it.home.texts(delivered).await);
    let passes = "select cast(count(*) as text) from job_queue where job_type = 'signal_processing' and status = 'succeeded'";
    assert_eq!(it.home.texts(passes).await, ["169"], "one an hour");
    let beats = "select cast(count(*) as text) from activity_log where event_type = 'scheduler_heartbeat'";
    let busy = "select cast(count(distinct cycle) as text) from deliverable_slots";
    assert_eq!(it.home.texts(beats).await, it.home.texts(busy).await, "one with each tick that did something");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_is_late_says_so() {
    let it = Installation::new(Backend::Sqlite).await;
    office(&it, "2026-11-22T12:00:00Z").await;
    let said = it.tick(at("2026-11-24T10:00:00Z") + TimeDelta::minutes(3), &["--inline"]);
    let slot = said["slots"].as_array().unwrap().iter().find(|it| it["title"] == "Morning").unwrap();
    assert_eq!(
        (slot["late"].as_bool(), slot["missed"].as_u64(), slot["outcome"].as_str()),
        (Some(true), Some(1), Some("delivered"))
    );
    let report = "select final_content from deliverable_versions as v join deliverables as d on d.id = v.deliverable_id \
        where d.title = 'Morning'";
    let report = it.home.texts(report).await.remove(0);
    assert!(
        report.contains("This report was due on 23 Nov 2026, 09:00, and is late: it stands for 1 later report as well."),
        "{report}"
    );
}
