//! Ends that the store refuses: what passes costs nothing, what lasts holds up nobody.

use std::time::Duration;

use serde_json::json;
use yarnnn_core::StoreError;
use yarnnn_core::jobs::{JobKinds, JobStatus, Outcome};

use super::board::Board;
use super::kinds::{Started, at_once, kinds};

fn read_only() -> StoreError {
    StoreError::Corrupt { what: "end a job".into(), source: "cannot execute UPDATE in a read-only transaction".into() }
}

/// Jobs of which the ninth leaves a report that no store takes.
fn one_bad() -> JobKinds {
    kinds(|n, _| async move {
        if n == 9 { Outcome::Failed { error: "no".into(), report: Some(json!("bad")) } } else { Outcome::done(json!(n)) }
    })
}

#[tokio::test(start_paused = true)]
async fn a_store_that_refuses_for_minutes_turns_no_success_into_a_failure() {
    let board = Board::new();
    (0..100_000).for_each(|_| board.fail_next_finish(read_only()));
    board.put_all("plain", 0..20);
    let worker = Started::start(&board, &at_once(), Board::config(20));
    tokio::time::sleep(Duration::from_mins(5)).await;
    board.take_finish_errors();
    board.until(JobStatus::Succeeded, 20).await;
    assert_eq!(board.count(JobStatus::Failed), 0);
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_end_that_is_refused_for_ever_holds_up_nobody_and_becomes_a_bare_failure() {
    let board = Board::new();
    let bad = board.put("plain", 9);
    let worker = Started::start(&board, &one_bad(), Board::config(20));
    tokio::time::sleep(Duration::from_secs(2)).await;
    board.put_all("plain", 0..5);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(board.count(JobStatus::Succeeded), 5, "the others end at once");
    assert_eq!(board.job(bad).status, JobStatus::Running, "and this one not before it was tried for a while");
    tokio::time::sleep(Duration::from_secs(118)).await;
    assert_eq!(board.job(bad).status, JobStatus::Failed);
    assert!(board.job(bad).error.unwrap().starts_with("its end could not be stored"));
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_waits_long_to_be_written_shows_and_is_not_kept_for_ever() {
    let board = Board::new();
    (0..100_000).for_each(|_| board.fail_next_finish(read_only()));
    let job = board.put("plain", 0);
    let worker = Started::start(&board, &at_once(), Board::config(4));
    tokio::time::sleep(Duration::from_secs(90)).await;
    let problem = worker.handle.problem().expect("its health says so");
    assert!(problem.contains("waits to be written"), "{problem}");
    assert_eq!(board.job(job).crashes, 0, "its lease is kept");
    tokio::time::sleep(Duration::from_mins(10)).await;
    assert_eq!(board.job(job).crashes, 1, "and let go at last");
    board.take_finish_errors();
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn refused_ends_are_tried_again_before_the_worker_stops() {
    let board = Board::new();
    (0..8).for_each(|_| board.fail_next_finish(read_only()));
    board.put("plain", 0);
    let worker = Started::start(&board, &at_once(), Board::config(4));
    // It is now tried twice a minute; stopping takes less than that.
    tokio::time::sleep(Duration::from_secs(50)).await;
    assert_eq!(board.count(JobStatus::Succeeded), 0);
    let drained = worker.stop().await;
    assert_eq!((board.count(JobStatus::Succeeded), drained.unwritten), (1, 0));
}
