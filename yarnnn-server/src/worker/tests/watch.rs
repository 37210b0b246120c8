//! Rescue, the keeper's thread, working until idle, and the health page.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use yarnnn_core::jobs::{JobStatus, Jobs, MockCapacity, Outcome, Presence as _};

use super::board::Board;
use super::kinds::{Started, at_once, kinds};
use crate::health;
use crate::worker::engine::KeeperPlace;
use crate::worker::idle::until_idle;
use crate::worker::single::{JobWatch, Request, one_job};
use crate::worker::submit::has_worker;
use crate::worker::{Worker, WorkerConfig};

#[tokio::test(start_paused = true)]
async fn jobs_of_a_process_that_is_gone_are_taken_over_within_a_second() {
    let board = Board::new();
    let worker = Started::start(&board, &at_once(), Board::config(4));
    tokio::time::sleep(Duration::from_secs(2)).await;
    let job = board.put("newer", 0);
    board.taken_by(job, "dead", "gone", Duration::from_hours(1));
    let began = Instant::now();
    board.until(JobStatus::Retrying, 1).await;
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(board.workers().await.unwrap().len(), 1, "the dead one is off the board");
    worker.stop().await;
    assert_eq!(board.workers().await.unwrap().len(), 0, "and so is this one");
}

#[tokio::test(start_paused = true)]
async fn leases_that_ended_are_taken_over_and_others_are_not() {
    let board = Board::new();
    let (ended, held) = (board.put("newer", 0), board.put("newer", 1));
    board.taken_by(ended, "far", "elsewhere", Duration::from_secs(10));
    board.taken_by(held, "live", "elsewhere", Duration::from_hours(1));
    let worker = Started::start(&board, &at_once(), Board::config(4));
    let began = Instant::now();
    board.until(JobStatus::Retrying, 1).await;
    assert!((10.0..13.0).contains(&began.elapsed().as_secs_f64()), "{:?}", began.elapsed());
    assert_eq!(board.job(held).status, JobStatus::Running);
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn after_an_outage_others_have_time_to_renew() {
    let board = Board::new();
    let worker = Started::start(&board, &at_once(), Board::config(4));
    let job = board.put("newer", 0);
    board.taken_by(job, "far", "elsewhere", Duration::from_secs(15));
    board.set_down(true);
    tokio::time::sleep(Duration::from_secs(30)).await;
    board.set_down(false);
    tokio::time::sleep(Duration::from_secs(8)).await;
    assert_eq!(board.job(job).status, JobStatus::Running, "its worker may be about to come back");
    tokio::time::sleep(Duration::from_secs(12)).await;
    assert_eq!(board.job(job).status, JobStatus::Retrying, "it did not");
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_claimed_that_could_not_be_kept() {
    let board = Board::new();
    board.put("plain", 0);
    board.set_keeper_down(true);
    let worker = Started::start(&board, &at_once(), Board::config(4));
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(board.claims().len(), 0);
    assert!(worker.handle.problem().is_some(), "its health says so");
    board.set_keeper_down(false);
    board.until(JobStatus::Succeeded, 1).await;
    worker.stop().await;
}

#[tokio::test]
async fn leases_are_renewed_on_a_thread_of_their_own_while_jobs_block_theirs() {
    let board = Board::new();
    board.put("plain", 0);
    let watched = board.clone();
    // Never yields: without a thread of its own nothing could renew.
    let kinds = kinds(move |_, _| {
        let watched = watched.clone();
        async move {
            let began = std::time::Instant::now();
            while watched.renewed_on().len() < 3 {
                if began.elapsed() > Duration::from_secs(20) {
                    return Outcome::failed("nothing was renewed");
                }
                std::thread::yield_now();
            }
            Outcome::done(json!(null))
        }
    });
    let config = WorkerConfig { beat: Duration::from_millis(20), ..Board::config(4) };
    let report = until_idle(Worker::new(board.jobs(), &kinds, config), std::future::pending()).await.unwrap();
    assert_eq!(report.tally.succeeded, 1);
    assert!(board.renewed_on().iter().all(|it| it.as_deref() == Some("lease-keeper")));
}

#[tokio::test(start_paused = true)]
async fn working_until_idle_waits_a_minute_and_says_what_is_left() {
    let board = Board::new();
    board.put("plain", 0);
    board.put("newer", 0);
    board.put_with("plain", 1, |it| it.run_at += TimeDelta::seconds(45));
    let later = board.put_with("plain", 2, |it| it.run_at += TimeDelta::seconds(200));
    let kinds = kinds(|n, _| async move { if n == 0 { Outcome::failed("no") } else { Outcome::done(json!(n)) } });
    let worker = Worker::new(board.jobs(), &kinds, Board::config(4)).without_thread();
    let report = until_idle(worker, std::future::pending()).await.unwrap();
    assert_eq!((report.tally.succeeded, report.tally.failed, report.later), (1, 1, 1));
    assert_eq!(report.unknown_kinds.into_iter().collect::<Vec<_>>(), [("newer".to_owned(), 1)]);
    assert_eq!((board.job(later).status, report.interrupted), (JobStatus::Queued, false));
}

#[tokio::test(start_paused = true)]
async fn working_until_idle_waits_for_retries_and_for_other_workers() {
    let board = Board::new();
    let (mine, theirs) = (board.put("plain", 0), board.put("plain", 1));
    board.taken_by(theirs, "far", "elsewhere", Duration::from_secs(8));
    let kinds = kinds(|_, cx| async move {
        if cx.lease.attempt < 2 { Outcome::Backoff { error: "once".into() } } else { Outcome::done(json!(null)) }
    });
    let worker = Worker::new(board.jobs(), &kinds, Board::config(4)).without_thread();
    let report = until_idle(worker, std::future::pending()).await.unwrap();
    assert_eq!((report.tally.succeeded, report.tally.retrying), (2, 2));
    assert!([mine, theirs].iter().all(|it| board.job(*it).status == JobStatus::Succeeded));
}

#[tokio::test]
async fn the_health_page_says_what_works_and_what_waits() {
    let board = Board::new();
    let mut capacity = MockCapacity::new();
    capacity.expect_usage().returning(|| Ok(vec![]));
    let jobs = Jobs { capacity: Arc::new(capacity), ..board.jobs() };
    board.put("newer", 0);
    let worker = Started::start(&board, &at_once(), Board::config(4));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let page = tokio::spawn(health::serve(listener, health::router(jobs, worker.handle.clone()), std::future::pending()));
    let ask = async || {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.lines().next().unwrap().to_owned(), serde_json::from_str::<serde_json::Value>(body).unwrap())
    };
    let (status, body) = ask().await;
    assert_eq!((status.as_str(), &body["status"]), ("HTTP/1.1 200 OK", &json!("healthy")));
    assert_eq!((&body["queue"]["queued"], &body["queue"]["unknown_kinds"]), (&json!(1), &json!({"newer": 1})));
    assert!(body["worker_id"].as_str().unwrap().starts_with("test-"), "{body}");
    assert!(body["queue_seen"].is_string(), "{body}");
    page.abort();
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn the_health_page_is_answered_without_the_store() {
    let board = Board::new();
    let mut capacity = MockCapacity::new();
    capacity.expect_usage().returning(|| Ok(vec![]));
    let jobs = Jobs { capacity: Arc::new(capacity), ..board.jobs() };
    board.put("newer", 0);
    let worker = Started::start(&board, &at_once(), Board::config(4));
    let page = health::Page::watching(jobs, worker.handle.clone());
    let ask = async || page.answer().await;
    assert_eq!(ask().await.0, 200);
    let asked = board.depths();
    for _ in 0..1_000 {
        assert_eq!(ask().await.0, 200);
    }
    assert!(board.depths() <= asked + 1, "{} questions for 1000 pages", board.depths() - asked);
    board.set_down(true);
    assert_eq!(ask().await.0, 200, "one question that fails is no outage");
    tokio::time::sleep(Duration::from_secs(20)).await;
    let (code, body) = ask().await;
    assert_eq!((code.as_u16(), &body["status"], &body["queue"]["queued"]), (503, &json!("unhealthy"), &json!(1)));
    board.set_down(false);
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(ask().await.0, 200);
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn working_until_idle_does_not_end_between_a_job_and_what_follows_it() {
    for round in 0..100 {
        let board = Board::new();
        board.put("plain", 0);
        let follow = board.clone();
        let kinds = kinds(move |n, _| {
            let follow = follow.clone();
            async move {
                tokio::time::sleep(Duration::from_millis(100 + (round * 3 + u64::from(n) * 17) % 200)).await;
                if n < 20 {
                    follow.put_with_the_next_end(n + 1);
                }
                Outcome::done(json!(n))
            }
        });
        let worker = Worker::new(board.jobs(), &kinds, Board::config(4)).without_thread();
        until_idle(worker, std::future::pending()).await.unwrap();
        assert_eq!(board.count(JobStatus::Succeeded), 21, "chain {round}");
    }
}

#[tokio::test(start_paused = true)]
async fn working_lanes_until_idle_does_not_wait_for_those_of_others() {
    let board = Board::new();
    board.put("plain", 0);
    let theirs = board.put_with("plain", 1, |it| it.lane = "slow".to_owned());
    board.taken_by(theirs, "far", "elsewhere", Duration::from_hours(2));
    let config = WorkerConfig { lanes: Some(vec!["default".to_owned()]), ..Board::config(4) };
    let worker = Worker::new(board.jobs(), &at_once(), config).without_thread();
    let ended = tokio::time::timeout(Duration::from_mins(5), until_idle(worker, std::future::pending())).await;
    assert_eq!(ended.expect("it ends").unwrap().tally.succeeded, 1);
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_takes_effect_after_its_process_is_gone_is_taken_back_too() {
    let board = Board::new();
    let worker = Started::start(&board, &at_once(), Board::config(4));
    let (first, late) = (board.put("newer", 0), board.put("newer", 1));
    tokio::time::sleep(Duration::from_secs(2)).await;
    board.taken_by(first, "dead", "gone", Duration::from_hours(1));
    board.until(JobStatus::Retrying, 1).await;
    board.claimed_late_by(late, "dead", Duration::from_hours(1));
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(board.job(late).status, JobStatus::Retrying);
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_command_that_runs_its_own_job_is_no_worker_for_others() {
    let board = Board::new();
    let (job, watched) = (board.put("plain", 0), board.clone());
    let kinds = kinds(move |_, _| {
        let watched = watched.clone();
        async move {
            tokio::time::sleep(Duration::from_secs(7)).await;
            assert_eq!(watched.workers().await.unwrap().len(), 1, "it beats");
            Outcome::done(json!(has_worker(&watched.jobs()).await.unwrap()))
        }
    });
    let request = Request { job, watch: JobWatch::default() };
    let record = one_job(board.jobs(), &kinds, Board::config(4), request, KeeperPlace::Runtime).await.unwrap();
    assert_eq!(record.result, Some(json!(false)));
    let worker = Started::start(&board, &at_once(), Board::config(4));
    tokio::time::sleep(Duration::from_secs(1)).await;
    board.jump(Duration::from_mins(3));
    assert!(has_worker(&board.jobs()).await.unwrap(), "whatever the local clock says");
    worker.stop().await;
}
