//! The real program: a tick fires what is due, once, whatever overlaps with it, dies, or was missed; and tells each user of it.
#![allow(clippy::unwrap_used, reason = "what is not there fails the test")]

mod installation;

use std::collections::HashSet;

use chrono::TimeDelta;
use serde_json::Value;
use yarnnn::id::UserId;

use installation::{Backend, Installation, at, ended};

/// Each test on both databases.
macro_rules! on_both {
    ($($test:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test(super::Backend::Sqlite).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test(super::Backend::Postgres).await;
            })*
        }
    };
}

on_both!(
    overlapping_ticks_fire_everything_once,
    an_outage_of_26_hours_is_made_up_for_once,
    a_tick_that_was_killed_is_ended_by_the_next,
    a_tick_that_was_made_in_advance_is_made_again_in_its_time,
    a_tick_can_do_the_work_itself,
    where_no_worker_runs_the_tick_deletes_old_jobs,
    a_dry_run_changes_nothing,
);

fn fired(said: &Value) -> u64 {
    said["deliverables"]["fired"].as_u64().unwrap()
}

fn phase<'a>(said: &'a Value, name: &str) -> &'a Value {
    said["phases"].as_array().unwrap().iter().find(|it| it["phase"] == name).unwrap_or(&Value::Null)
}

async fn overlapping_ticks_fire_everything_once(backend: Backend) {
    let it = Installation::new(backend).await;
    let people = it.people(10, at("2026-11-22T12:00:00Z"), |_| "09:00".to_owned()).await;
    let now = at("2026-11-23T09:00:00Z");
    let ticks: Vec<_> = (0..4).map(|_| it.start(now, &[])).collect();
    let said: Vec<_> = ticks.into_iter().map(|it| ended(it).expect(0).json()).collect();
    let made: u64 = said.iter().map(|it| phase(it, "deliverables")["counters"]["fired"].as_u64().unwrap_or(0)).sum();
    assert_eq!(made, 20, "{said:#?}");
    let again = it.tick(now + TimeDelta::minutes(1), &[]);
    assert!(again["done_before"].as_bool().unwrap(), "{again:#}");
    for table in ["deliverable_slots", "job_queue"] {
        assert_eq!(it.home.texts(&format!("select cast(count(*) as text) from {table}")).await, ["20"]);
    }
    for user in people {
        assert_eq!(it.heartbeats(user, "deliverables_checked").await, [2]);
    }
    let later = it.tick(now + TimeDelta::minutes(5), &[]);
    assert_eq!((fired(&later), later["ended"].as_array().unwrap().len()), (0, 0));
    it.home.close().await;
}

async fn an_outage_of_26_hours_is_made_up_for_once(backend: Backend) {
    let it = Installation::new(backend).await;
    let time = |it: usize| format!("{:02}:{:02}", it % 24, (it * 7) % 60);
    let people = it.people(24, at("2026-11-22T12:00:00Z"), time).await;
    let back = at("2026-11-23T14:00:00Z");
    let said = it.tick(back, &[]);
    assert_eq!(fired(&said), 48);
    assert_eq!(said["deliverables"]["late"], 48, "each is marked");
    let (slots, missed) = (said["slots"].as_array().unwrap(), said["deliverables"]["missed"].as_u64().unwrap());
    let deliverables: HashSet<_> = slots.iter().map(|it| it["deliverable"].as_str().unwrap()).collect();
    assert_eq!((slots.len(), deliverables.len()), (48, 48), "one run for each schedule");
    // Whose time lies in the two hours that the outage is longer than a day has missed two.
    let twice = (0..48).filter(|it| (12..14).contains(&(it % 24))).count() as u64;
    assert_eq!(missed, twice);
    let delays = it.delays(back).await;
    let early = delays.iter().filter(|it| **it < 15 * 60).count();
    assert!(delays.iter().all(|it| (0..30 * 60).contains(it)) && (8..=40).contains(&early), "{delays:?}");
    assert!(delays.iter().collect::<HashSet<_>>().len() > 40, "no stampede: {delays:?}");

    let next = it.tick(back + TimeDelta::minutes(5), &[]);
    assert_eq!(fired(&next), 0, "once");
    let hours = (1..=24).map(|hour| fired(&it.tick(back + TimeDelta::hours(hour), &[])));
    let all: u64 = hours.sum();
    assert_eq!(all, 48, "the next day each comes at its time");
    for user in people {
        let told: u64 = it.heartbeats(user, "deliverables_checked").await.iter().sum();
        assert_eq!(told, 4);
    }
    it.home.close().await;
}

/// A tick whose process is gone before its end, as its rows say.
async fn a_tick_that_was_killed_is_ended_by_the_next(backend: Backend) {
    let it = Installation::new(backend).await;
    let people = it.people(3, at("2026-11-22T12:00:00Z"), |_| "09:00".to_owned()).await;
    let now = at("2026-11-23T09:00:00Z");
    it.tick(now, &[]);
    // As it was before its last phase: nobody was told, and cleaning up had begun. Its process is gone by now.
    it.home.texts("delete from activity_log where event_type = 'scheduler_heartbeat' returning event_type").await;
    it.home.texts("delete from scheduler_slots where phase = 'heartbeat' returning phase").await;
    it.home.texts("update scheduler_slots set state = 'running' where phase = 'cleanup' returning phase").await;
    let said = it.tick(now + TimeDelta::minutes(5), &[]);
    assert_eq!(said["ended"].as_array().unwrap().len(), 1, "{said:#}");
    assert_eq!(phase(&said, "cleanup")["ran"], "done", "what it was at is done for the same slot");
    for user in people {
        assert_eq!(it.heartbeats(user, "deliverables_checked").await, [2], "the tick that did something, and only that");
    }
    it.home.close().await;
}

/// Whoever tried the future has taken nothing from it: what came to be since is fired in its time.
async fn a_tick_that_was_made_in_advance_is_made_again_in_its_time(backend: Backend) {
    let it = Installation::new(backend).await;
    let (made, now) = (at("2026-01-04T12:00:00Z"), at("2026-01-05T09:00:00Z"));
    it.people(1, made, |_| "09:00".to_owned()).await;
    assert_eq!(fired(&it.tick(now, &[])), 2);
    let yarnnn = it.handle(made).await;
    let user = yarnnn.local_user().await.unwrap();
    let schedule = yarnnn::deliverables::Schedule::parse("daily", None, Some("09:00"), None).unwrap();
    let create = yarnnn::deliverables::CreateDeliverable::new("status_report", "Made since");
    let create = yarnnn::deliverables::CreateDeliverable { schedule: Some(schedule), ..create };
    yarnnn.deliverables().create(&user, create).await.unwrap();
    assert_eq!(it.tick(now, &[])["done_before"], true);
    // As if it had been made a day earlier than it is.
    it.home.texts("update scheduler_slots set ended_at = '2026-01-04T12:00:00.000000Z' returning phase").await;
    let said = it.tick(now, &[]);
    let made = phase(&said, "deliverables")["counters"]["fired"].as_u64();
    assert_eq!((said["done_before"].as_bool(), made), (Some(false), Some(1)), "{said:#}");
    assert_eq!(it.tick(now, &[])["done_before"], true, "and then no more");
    it.home.close().await;
}

async fn a_tick_can_do_the_work_itself(backend: Backend) {
    let it = Installation::new(backend).await;
    let yarnnn = it.handle(at("2026-11-22T12:00:00Z")).await;
    let user = yarnnn.local_user().await.unwrap();
    let schedule = yarnnn::deliverables::Schedule::parse("daily", None, Some("09:00"), None).unwrap();
    let create = yarnnn::deliverables::CreateDeliverable::new("status_report", "Morning");
    yarnnn
        .deliverables()
        .create(&user, yarnnn::deliverables::CreateDeliverable { schedule: Some(schedule), ..create })
        .await
        .unwrap();
    let said = it.tick(at("2026-11-23T09:00:00Z"), &["--inline"]);
    assert_eq!((fired(&said), said["deliverables"]["failed"].as_u64()), (1, Some(1)), "nothing is stored to be read: {said:#}");
    assert!(said["worked"][0]["error"].as_str().unwrap().contains("nothing to read"), "{said:#}");
    assert_eq!(said["unattended"], false);
    assert_eq!(it.heartbeats(UserId::LOCAL, "deliverables_triggered").await, [1]);
    it.home.close().await;
}

async fn where_no_worker_runs_the_tick_deletes_old_jobs(backend: Backend) {
    let it = Installation::new(backend).await;
    it.people(1, at("2026-11-22T12:00:00Z"), |_| "09:00".to_owned()).await;
    it.tick(at("2026-11-23T09:00:00Z"), &["--inline"]);
    let rows = async |table| it.home.texts(&format!("select cast(count(*) as text) from {table}")).await.remove(0);
    let ended = it.home.texts("update job_queue set completed_at = '2026-08-25T11:00:00.000000Z' returning status").await;
    assert_eq!(ended, ["failed", "failed"], "nothing is stored to be read");
    it.tick(at("2026-11-23T11:00:00Z"), &["--inline"]);
    assert_eq!(rows("job_queue").await, "2", "90 days");
    let said = it.tick(at("2026-11-23T12:00:00Z"), &["--inline"]);
    assert_eq!(phase(&said, "cleanup")["counters"]["jobs"], 2, "{said:#}");
    assert_eq!((rows("job_queue").await, rows("job_events").await), ("0".to_owned(), "0".to_owned()));
    assert_eq!(rows("deliverable_slots").await, "2");
    it.home.close().await;
}

async fn a_dry_run_changes_nothing(backend: Backend) {
    let it = Installation::new(backend).await;
    it.people(2, at("2026-11-22T12:00:00Z"), |_| "09:00".to_owned()).await;
    let rows = "select cast(count(*) as text) from scheduler_slots";
    let said = it.tick(at("2026-11-23T09:00:00Z"), &["--dry-run"]);
    assert_eq!(said["due"].as_array().unwrap().len(), 4);
    assert_eq!(
        (it.home.texts(rows).await, it.home.texts("select cast(count(*) as text) from job_queue").await),
        (vec!["0".to_owned()], vec!["0".to_owned()])
    );
    assert_eq!(it.tick(at("2026-11-23T08:59:59Z"), &["--dry-run"])["due"].as_array().unwrap().len(), 0);
    it.home.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_fails_loudly_when_it_cannot() {
    let it = Installation::new(Backend::Sqlite).await;
    for url in ["mysql://x", "postgres://ana:hunter2@127.0.0.1:1/x"] {
        let said = ended(it.command(&[]).env("DATABASE_URL", url).spawn().unwrap()).expect(3);
        assert!(!said.stderr.contains("hunter2") && said.stdout.is_empty(), "{}", said.stderr);
    }
    for arguments in [&["--now", "soon"][..], &["--until", "2026-11-23T09:00:00Z"], &["--dry"]] {
        ended(it.command(arguments).spawn().unwrap()).expect(2);
    }
    let said = ended(it.command(&[]).spawn().unwrap()).expect(0);
    assert_eq!(said.stdout.trim(), "unified-scheduler: deliverables=0/0 (0 skipped), signals=0, cleanup=0, heartbeats=0");
}
