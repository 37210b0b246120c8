//! What is claimed, how much of it, and when.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::json;
use yarnnn_core::id::UserId;
use yarnnn_core::jobs::{JobStatus, Outcome};

use super::board::Board;
use super::kinds::{Gauge, Started, Story, at_once, kinds, lasting};
use crate::worker::WorkerConfig;

#[tokio::test(start_paused = true)]
async fn jobs_are_claimed_and_written_in_batches() {
    let board = Board::new();
    board.put_all("plain", 0..1_000);
    let worker = Started::start(&board, &at_once(), Board::config(200));
    board.until(JobStatus::Succeeded, 1_000).await;
    assert_eq!(worker.handle.tally().succeeded, 1_000);
    let (claims, finishes) = (board.claims(), board.finishes());
    assert!(claims.iter().all(|it| it.0.limit <= 100) && finishes.iter().all(|it| *it <= 100));
    assert!(claims.len() < 40, "{} claims of 1000 jobs", claims.len());
    assert!(finishes.len() < 40, "{} writes of 1000 ends", finishes.len());
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn one_end_is_written_at_once() {
    let board = Board::new();
    let worker = Started::start(&board, &at_once(), Board::config(50));
    tokio::time::sleep(Duration::from_secs(3)).await;
    let began = tokio::time::Instant::now();
    board.put("plain", 1);
    board.until(JobStatus::Succeeded, 1).await;
    assert!(began.elapsed() < Duration::from_millis(10), "{:?}", began.elapsed());
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_idle_worker_asks_little() {
    let board = Board::new();
    let worker = Started::start(&board, &at_once(), Board::config(50));
    tokio::time::sleep(Duration::from_secs(5)).await;
    let (questions, claims) = (board.questions(), board.claims().len());
    tokio::time::sleep(Duration::from_secs(100)).await;
    assert_eq!(board.claims().len(), claims, "nothing is due, nothing is claimed");
    let asked = board.questions() - questions;
    assert!(asked < 600, "{asked} questions in 100 s");
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn weights_add_up_to_no_more_than_the_slots() {
    let board = Board::new();
    for n in 0..20 {
        board.put("heavy", 3);
        board.put("plain", 1);
        if n % 10 == 0 {
            board.put("whale", 4);
        }
    }
    let gauge = Gauge::default();
    let seen = gauge.clone();
    let kinds = kinds(move |weight, _| seen.clone().during(weight, Duration::from_millis(50)));
    let worker = Started::start(&board, &kinds, Board::config(4));
    board.until(JobStatus::Succeeded, 42).await;
    assert_eq!(gauge.most(), 4, "full, and never fuller; the heaviest counts as all");
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_heavy_job_is_not_starved_by_light_ones() {
    let board = Board::new();
    board.put_all("plain", 0..5_000);
    // Jobs that end one by one, so that three slots are never free together by chance.
    let kinds = kinds(|n, _| async move {
        tokio::time::sleep(Duration::from_millis(300 + u64::from(n % 7) * 40)).await;
        Outcome::done(json!(null))
    });
    let worker = Started::start(&board, &kinds, Board::config(4));
    tokio::time::sleep(Duration::from_secs(5)).await;
    let heavy = board.put("heavy", 0);
    tokio::time::sleep(Duration::from_secs(15)).await;
    assert_eq!(board.job(heavy).status, JobStatus::Succeeded);
    assert!(board.count(JobStatus::Succeeded) < 1_000, "the light ones were not all done before");
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_kind_with_a_limit_keeps_to_it_and_leaves_the_rest_to_others() {
    let board = Board::new();
    board.put_all("lone", std::iter::repeat_n(100, 5));
    board.put_all("plain", std::iter::repeat_n(1, 20));
    let gauge = Gauge::default();
    let seen = gauge.clone();
    let kinds = kinds(move |weight, _| seen.clone().during(weight, Duration::from_millis(50)));
    let worker = Started::start(&board, &kinds, Board::config(10));
    board.until(JobStatus::Succeeded, 25).await;
    assert_eq!(gauge.most(), 109, "one of them, and nine others");
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_owner_goes_on_as_soon_as_one_of_his_jobs_is_done() {
    let board = Board::new();
    for n in 0..40 {
        board.put_with("plain", n, |it| it.owner = Some(UserId::LOCAL));
    }
    let config = WorkerConfig { owner_limit: Some(2), ..Board::config(8) };
    let began = tokio::time::Instant::now();
    let worker = Started::start(&board, &lasting(Duration::from_millis(100)), config);
    board.until(JobStatus::Succeeded, 40).await;
    assert!(began.elapsed() < Duration::from_secs(4), "20 times two of 100 ms took {:?}", began.elapsed());
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_job_that_is_due_later_is_met_on_time_without_a_wake_up() {
    let board = Board::new();
    let worker = Started::start(&board, &at_once(), Board::config(4));
    board.put_with("plain", 1, |it| it.run_at += TimeDelta::milliseconds(2_345));
    let began = tokio::time::Instant::now();
    board.until(JobStatus::Succeeded, 1).await;
    let late = began.elapsed().checked_sub(Duration::from_millis(2_345)).unwrap();
    assert!(late < Duration::from_millis(20), "{late:?} late");
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn unknown_kinds_and_other_lanes_are_left_alone() {
    let board = Board::new();
    let (unknown, elsewhere) = (board.put("newer", 1), board.put_with("plain", 2, |it| it.lane = "other".to_owned()));
    board.put("plain", 3);
    let config = WorkerConfig { lanes: Some(vec!["default".to_owned()]), ..Board::config(4) };
    let worker = Started::start(&board, &at_once(), config);
    board.until(JobStatus::Succeeded, 1).await;
    tokio::time::sleep(Duration::from_mins(2)).await;
    assert_eq!((board.job(unknown).attempt, board.job(elsewhere).attempt), (0, 0));
    assert!(board.purges() > 0, "house was kept");
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_job_in_quarantine_runs_alone_also_on_a_busy_worker() {
    let board = Board::new();
    board.put_all("plain", 0..500);
    let story = Story::default();
    let told = story.clone();
    let kinds = kinds(move |n, _| {
        let told = told.clone();
        async move {
            told.tell(format!("+{n}"));
            // The lone one takes longer than the worker waits between two looks.
            tokio::time::sleep(Duration::from_millis(if n == 9_999 { 4_000 } else { 500 })).await;
            told.tell(format!("-{n}"));
            Outcome::done(json!(null))
        }
    });
    let worker = Started::start(&board, &kinds, Board::config(5));
    tokio::time::sleep(Duration::from_secs(2)).await;
    board.put_with("plain", 9_999, |it| it.crashes = 2);
    tokio::time::sleep(Duration::from_secs(35)).await;
    let lines = story.lines();
    let at = lines.iter().position(|it| it == "+9999").expect("it was run");
    assert_eq!(lines[at + 1], "-9999", "nothing began beside it");
    assert_eq!(lines[..at].iter().filter(|it| it.starts_with('+')).count() * 2, at, "nothing was running when it began");
    assert!(lines.len() > at + 4, "the others go on");
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_job_in_quarantine_is_run_also_where_all_jobs_are_long() {
    let board = Board::new();
    board.put_all("plain", 0..5_000);
    let kinds = kinds(|n, _| async move {
        tokio::time::sleep(Duration::from_secs(35 + u64::from(n) % 21)).await;
        Outcome::done(json!(n))
    });
    let worker = Started::start(&board, &kinds, Board::config(50));
    tokio::time::sleep(Duration::from_mins(1)).await;
    let lonely = board.put_with("plain", 9, |it| it.crashes = 2);
    tokio::time::sleep(Duration::from_mins(6)).await;
    assert_eq!(board.job(lonely).status, JobStatus::Succeeded);
    let done = board.count(JobStatus::Succeeded);
    assert!(done > 150, "{done} others meanwhile");
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_heavy_job_behind_a_long_one_does_not_idle_the_worker() {
    let board = Board::new();
    board.put("plain", 70_000);
    let kinds = kinds(|n, _| async move {
        tokio::time::sleep(if n == 70_000 { Duration::from_secs(500) } else { Duration::from_millis(500) }).await;
        Outcome::done(json!(n))
    });
    let worker = Started::start(&board, &kinds, Board::config(50));
    tokio::time::sleep(Duration::from_secs(3)).await;
    let whale = board.put("whale", 1);
    board.put_all("plain", 0..10_000);
    tokio::time::sleep(Duration::from_mins(5)).await;
    assert!(board.count(JobStatus::Succeeded) > 9_000, "{} of 10,000", board.count(JobStatus::Succeeded));
    tokio::time::sleep(Duration::from_mins(5)).await;
    assert_eq!(board.job(whale).status, JobStatus::Succeeded);
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_kind_without_room_does_not_slow_the_others() {
    let board = Board::new();
    board.put_all("lone", std::iter::repeat_n(100, 5));
    for n in 0..40 {
        board.put_with("plain", n, |it| it.owner = Some(UserId::LOCAL));
    }
    let config = WorkerConfig { owner_limit: Some(2), ..Board::config(8) };
    let kinds = kinds(|n, _| async move {
        tokio::time::sleep(if n == 100 { Duration::from_mins(5) } else { Duration::from_millis(100) }).await;
        Outcome::done(json!(n))
    });
    let began = tokio::time::Instant::now();
    let worker = Started::start(&board, &kinds, config);
    board.until(JobStatus::Succeeded, 40).await;
    assert!(began.elapsed() < Duration::from_secs(4), "20 times two of 100 ms took {:?}", began.elapsed());
    board.put_with("plain", 1, |it| it.run_at += TimeDelta::milliseconds(2_345));
    let began = tokio::time::Instant::now();
    board.until(JobStatus::Succeeded, 41).await;
    let late = began.elapsed().checked_sub(Duration::from_millis(2_345)).unwrap();
    assert!(late < Duration::from_millis(150), "{late:?} late");
    worker.stop().await;
}
