//! What an outage of the store, or of the machine, does to jobs: nothing that lasts.

use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use tokio::time::Instant;
use yarnnn_core::jobs::{Claim, JobPolicy, JobStatus, Outcome};

use super::board::{Board, unavailable};
use super::kinds::{Started, kinds, lasting};
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
    tokio::time::sleep(Duration::from_secs(60)).await;
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
    claimed.into_iter().for_each(|it| start(&shared, it, Instant::now(), false));
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
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(board.renewed_on().len(), renewals, "with a limit of {limit} s");
        let problem = WorkerHandle(shared).problem().unwrap();
        assert!(problem.starts_with("its jobs have kept all its threads busy"), "{problem}");
        engine.stop().await;
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
    engine.stop().await;
}
