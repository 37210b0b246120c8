//! What an outage of the store, or of the machine, does to jobs: nothing that lasts.

use std::time::Duration;

use chrono::DateTime;
use yarnnn_core::jobs::{JobStatus, Outcome};

use super::board::Board;
use super::kinds::{Started, kinds};

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
