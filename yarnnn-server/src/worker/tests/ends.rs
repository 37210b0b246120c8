//! How jobs end, and that their ends are written.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;
use yarnnn_core::jobs::{JobPolicy, JobStatus, Outcome};

use super::board::{Board, unavailable};
use super::kinds::{Started, at_once, kinds, lasting};

#[tokio::test(start_paused = true)]
async fn an_end_that_could_not_be_written_is_written_later() {
    let board = Board::new();
    (0..5).for_each(|_| board.fail_next_finish(unavailable()));
    let job = board.put("plain", 7);
    let worker = Started::start(&board, &at_once(), Board::config(4));
    board.until(JobStatus::Succeeded, 1).await;
    assert_eq!((board.job(job).attempt, board.job(job).result), (1, Some(json!(7))), "it ran once");
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn one_end_that_the_store_refuses_does_not_keep_back_the_others() {
    let board = Board::new();
    board.put_all("plain", 0..9);
    let bad = board.put("plain", 9);
    let kinds = kinds(|n, _| async move { Outcome::done(if n == 9 { json!("bad") } else { json!(n) }) });
    let worker = Started::start(&board, &kinds, Board::config(20));
    board.until(JobStatus::Succeeded, 9).await;
    board.until(JobStatus::Failed, 1).await;
    assert!(board.job(bad).error.unwrap().contains("its end could not be stored"));
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_failure_with_its_message_and_others_live() {
    let board = Board::new();
    let job = board.put_with("plain", 0, |it| it.policy.max_attempts = 1);
    board.put("plain", 1);
    let kinds = kinds(|n, _| async move {
        assert!(n != 0, "n was {n}");
        Outcome::done(json!(n))
    });
    let worker = Started::start(&board, &kinds, Board::config(4));
    board.until(JobStatus::Dead, 1).await;
    board.until(JobStatus::Succeeded, 1).await;
    assert_eq!(board.job(job).error.as_deref(), Some("it panicked: n was 0"));
    assert_eq!(worker.handle.presence().running, 0);
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn the_time_limit_ends_a_job_by_force() {
    let board = Board::new();
    let policy = JobPolicy { time_limit_seconds: 30, max_attempts: 1, ..JobPolicy::default() };
    let job = board.put_with("plain", 0, |it| it.policy = policy);
    let began = Instant::now();
    let worker = Started::start(&board, &lasting(Duration::from_hours(1)), Board::config(4));
    board.until(JobStatus::Dead, 1).await;
    assert_eq!(board.job(job).error.as_deref(), Some("it ran longer than 30 seconds and was stopped"));
    assert!((30.0..30.3).contains(&began.elapsed().as_secs_f64()), "{:?}", began.elapsed());
    assert_eq!(worker.handle.presence().running, 0, "its slot is free");
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn the_soft_limit_asks() {
    let board = Board::new();
    let policy = JobPolicy { soft_limit_seconds: Some(10), time_limit_seconds: 30, max_attempts: 1, ..JobPolicy::default() };
    let asked = board.put_with("plain", 0, |it| it.policy = policy.clone());
    let kind = board.put_with("plain", 1, |it| it.policy = policy);
    let kinds = kinds(|n, cx| async move {
        cx.cancel().cancelled().await;
        if n == 0 { Outcome::Cancelled } else { Outcome::done(json!("in part")) }
    });
    let worker = Started::start(&board, &kinds, Board::config(4));
    board.until(JobStatus::Dead, 1).await;
    board.until(JobStatus::Succeeded, 1).await;
    assert_eq!(board.job(asked).error.as_deref(), Some("it ran longer than 10 seconds and was stopped"));
    assert_eq!(board.job(kind).result, Some(json!("in part")));
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_request_to_cancel_reaches_the_job() {
    let board = Board::new();
    let job = board.put("plain", 0);
    let kinds = kinds(|_, cx| async move {
        cx.cancel().cancelled().await;
        Outcome::Cancelled
    });
    let worker = Started::start(&board, &kinds, Board::config(4));
    board.until(JobStatus::Running, 1).await;
    board.ask_to_cancel(job);
    board.until(JobStatus::Cancelled, 1).await;
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_lost_lease_stops_the_job_and_its_end_is_never_sent() {
    let board = Board::new();
    let job = board.put("plain", 0);
    let kinds = kinds(|_, cx| async move {
        cx.cancel().cancelled().await;
        Outcome::done(json!("too late"))
    });
    let worker = Started::start(&board, &kinds, Board::config(4));
    board.until(JobStatus::Running, 1).await;
    board.steal(job);
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(worker.handle.presence().running, 0, "it was stopped");
    assert_eq!(board.finishes(), Vec::<usize>::new(), "nothing was sent");
    assert_eq!((board.job(job).status, board.job(job).result), (JobStatus::Running, None), "the other worker has it");
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_end_whose_lease_is_lost_while_the_store_fails_is_discarded() {
    let board = Board::new();
    (0..1_000).for_each(|_| board.fail_next_finish(unavailable()));
    let job = board.put("plain", 0);
    let worker = Started::start(&board, &at_once(), Board::config(4));
    board.until(JobStatus::Running, 1).await;
    board.steal(job);
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!((board.job(job).status, worker.handle.tally().lost), (JobStatus::Running, 1));
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_outage_longer_than_a_lease_costs_nothing() {
    let board = Board::new();
    let jobs = [board.put("plain", 0), board.put("plain", 1)];
    let worker = Started::start(&board, &lasting(Duration::from_secs(20)), Board::config(4));
    board.until(JobStatus::Running, 2).await;
    board.set_down(true);
    tokio::time::sleep(Duration::from_secs(40)).await;
    assert!(worker.handle.problem().is_some(), "its health says so");
    board.set_down(false);
    board.until(JobStatus::Succeeded, 2).await;
    assert!(jobs.iter().all(|it| (board.job(*it).attempt, board.job(*it).crashes) == (1, 0)), "they ran once");
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(worker.handle.problem(), None);
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_payload_that_does_not_parse_fails_for_good() {
    let board = Board::new();
    let job = board.put_with("plain", 0, |it| it.payload = json!({"m": 1}));
    let worker = Started::start(&board, &at_once(), Board::config(4));
    board.until(JobStatus::Failed, 1).await;
    assert!(board.job(job).error.unwrap().starts_with("the payload is not one of kind plain"));
    worker.stop().await;
}

/// Panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "the bomb went off");
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_while_its_code_is_dropped_is_a_failed_try() {
    let board = Board::new();
    let job = board.put("plain", 0);
    let kinds = kinds(|_, _| async {
        let _bomb = Bomb;
        std::future::pending::<Outcome>().await
    });
    let worker = Started::start(&board, &kinds, Board::config(4));
    board.until(JobStatus::Running, 1).await;
    // Ended by force, which drops its code.
    worker.stop().await;
    assert_eq!((board.job(job).status, board.job(job).attempt), (JobStatus::Retrying, 1));
    assert_eq!(board.job(job).error.as_deref(), Some("it panicked while it was dropped"));
}
