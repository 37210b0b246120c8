//! What an outage of the store, or of the machine, does to jobs: nothing that lasts.

use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use serde_json::json;
use tokio::time::Instant;
use yarnnn_core::jobs::{Claim, JobPolicy, JobStatus, Outcome};

use super::board::{Board, unavailable};
use super::kinds::{Started, Story, kinds, lasting};
use crate::worker::WorkerHandle;
use crate::worker::engine::{Engine, KeeperPlace};
use crate::worker::shared::Shared;
use crate::worker::start::start;

/// Jobs that look all the time whether they should stop.
fn checking() -> yarnnn_core::jobs::JobKinds {
    kinds(|_, cx| async move {
        loop {
            if let Err(error) = cx.check() {
                return Outcome::of_error(&error, DateTime::UNIX_EPOCH);
            }
            tokio::time::sleep(Duration::from_millis(7)).await;
        }
    })
}

#[tokio::test(start_paused = true)]
async fn an_outage_does_not_cancel_what_checks_its_lease() {
    let board = Board::new();
    let job = board.put("plain", 0);
    let worker = Started::start(&board, &checking(), Board::config(4));
    board.until(JobStatus::Running, 1).await;
    board.set_down(true);
    tokio::time::sleep(Duration::from_secs(18)).await;
    board.set_down(false);
    tokio::time::sleep(Duration::from_secs(7)).await;
    board.until(JobStatus::Running, 1).await;
    assert_eq!((board.count(JobStatus::Cancelled), board.job(job).attempt), (0, 1), "it runs again, uncharged");
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_job_that_nobody_asked_to_stop_is_not_cancelled_and_does_not_loop() {
    let board = Board::new();
    let job = board.put("plain", 0);
    let worker = Started::start(&board, &kinds(|_, _| async { Outcome::Cancelled }), Board::config(4));
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert_eq!((board.job(job).status, board.job(job).attempt), (JobStatus::Queued, 0));
    let runs = board.finishes().len();
    assert!((5..=13).contains(&runs), "{runs} runs in a minute");
    worker.stop().await;
}

/// A worker's parts around one job that has been claimed, with its runtime as if it were blocked: the pulse has stopped.
async fn blocked(board: &Arc<Board>, seconds: u32) -> (Arc<Shared>, Engine) {
    let policy = JobPolicy { time_limit_seconds: seconds, ..JobPolicy::default() };
    board.put_with("plain", 0, |it| it.policy = policy);
    (0..100_000).for_each(|_| board.fail_next_finish(unavailable()));
    let (shared, ends) = Shared::new(board.jobs(), &lasting(Duration::from_hours(9)), Board::config(4), None);
    let engine = Engine::start(&shared, ends, KeeperPlace::Runtime).unwrap();
    let claimed = board.jobs().queue.claim(Claim::any(shared.worker().clone(), 1, shared.config.lease)).await.unwrap();
    for it in claimed {
        start(&shared, it, Instant::now(), false);
    }
    engine.pulse.abort();
    (shared, engine)
}

#[tokio::test(start_paused = true)]
async fn leases_are_let_go_when_the_runtime_of_the_jobs_stands_still() {
    for (limit, kept, over) in [(20, 50, 75), (300, 290, 320)] {
        let board = Board::new();
        let (shared, engine) = blocked(&board, limit).await;
        tokio::time::sleep(Duration::from_secs(kept)).await;
        assert!(shared.is_able(), "with a limit of {limit} s");
        tokio::time::sleep(Duration::from_secs(over - kept)).await;
        let renewals = board.renewed_on().len();
        tokio::time::sleep(Duration::from_mins(1)).await;
        assert_eq!(board.renewed_on().len(), renewals, "with a limit of {limit} s");
        let problem = WorkerHandle(shared).problem().unwrap();
        assert!(problem.starts_with("its jobs have kept all its threads busy"), "{problem}");
        engine.stop(Instant::now() + Duration::from_secs(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn leases_are_let_go_when_stopping_takes_too_long() {
    let board = Board::new();
    let (shared, engine) = blocked(&board, 3_600).await;
    shared.stop();
    tokio::time::sleep(Duration::from_secs(28)).await;
    let renewals = board.renewed_on().len();
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(board.renewed_on().len(), renewals);
    engine.stop(Instant::now() + Duration::from_secs(1)).await;
}

#[tokio::test(start_paused = true)]
async fn after_a_sleep_of_the_machine_leases_are_in_doubt_until_they_are_renewed() {
    let board = Board::new();
    let job = board.put("plain", 0);
    let seen = Story::default();
    let told = seen.clone();
    let kinds = kinds(move |_, cx| {
        let told = told.clone();
        async move {
            let mut was = true;
            for _ in 0..6_000 {
                let is = cx.check().is_ok();
                if is != was {
                    told.tell(if is { "held" } else { "in doubt" });
                    was = is;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            Outcome::done(json!(null))
        }
    });
    let worker = Started::start(&board, &kinds, Board::config(4));
    board.until(JobStatus::Running, 1).await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    // The store is not there yet when the machine wakes.
    board.set_down(true);
    board.jump(Duration::from_mins(20));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(seen.lines(), ["in doubt"]);
    board.set_down(false);
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(seen.lines(), ["in doubt", "held"], "and it goes on");
    board.until(JobStatus::Succeeded, 1).await;
    assert_eq!(board.job(job).attempt, 1);
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn after_a_sleep_of_the_machine_leases_come_first_and_others_have_time() {
    let board = Board::new();
    board.put("plain", 0);
    let worker = Started::start(&board, &lasting(Duration::from_hours(1)), Board::config(4));
    board.until(JobStatus::Running, 1).await;
    let other = board.put("newer", 1);
    board.taken_by(other, "far", "elsewhere", Duration::from_secs(6));
    // Half a second after a beat, so that the next one would be long in coming.
    tokio::time::sleep(Duration::from_millis(5_500)).await;
    let renewals = board.renewed_on().len();
    board.jump(Duration::from_mins(20));
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(board.renewed_on().len(), renewals + 1, "at once");
    tokio::time::sleep(Duration::from_secs(9)).await;
    assert_eq!(board.job(other).status, JobStatus::Running, "its worker slept on the same host");
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(board.job(other).status, JobStatus::Retrying);
    worker.stop().await;
}
