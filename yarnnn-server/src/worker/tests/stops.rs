//! Stopping: what runs may end, what does not is given back, and nothing new begins.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;
use yarnnn_core::jobs::{JobStatus, Outcome};

use super::board::{Board, unavailable};
use super::kinds::{Started, at_once, kinds, lasting};
use crate::worker::{Drained, Worker, WorkerConfig};

#[tokio::test(start_paused = true)]
async fn jobs_may_end_while_the_worker_stops_and_nothing_new_begins() {
    let board = Board::new();
    board.put_all("plain", 0..4);
    let worker = Started::start(&board, &lasting(Duration::from_secs(15)), Board::config(2));
    board.until(JobStatus::Running, 2).await;
    let claims = board.claims().len();
    let drained = worker.stop().await;
    assert_eq!(drained, Drained { finished: 2, handed_back: 0, unwritten: 0 });
    assert_eq!((board.count(JobStatus::Succeeded), board.count(JobStatus::Queued)), (2, 2));
    assert_eq!(board.claims().len(), claims, "no claim after the shutdown");
}

#[tokio::test(start_paused = true)]
async fn what_does_not_end_is_given_back_uncharged_and_in_time() {
    let board = Board::new();
    let polite = board.put("plain", 0);
    let deaf = board.put("plain", 1);
    let alive = Arc::new(());
    let held = alive.clone();
    let kinds = kinds(move |n, cx| {
        let held = held.clone();
        async move {
            cx.cancel().cancelled().await;
            if n == 0 {
                return Outcome::Cancelled;
            }
            std::future::pending::<()>().await;
            drop(held);
            Outcome::Cancelled
        }
    });
    let worker = Started::start(&board, &kinds, Board::config(4));
    board.until(JobStatus::Running, 2).await;
    let began = Instant::now();
    let drained = worker.stop().await;
    assert_eq!(drained, Drained { finished: 0, handed_back: 2, unwritten: 0 });
    assert!(began.elapsed() < Duration::from_secs(25), "{:?}", began.elapsed());
    assert_eq!(Arc::strong_count(&alive), 2, "the code of the deaf one was ended; only the kinds' own count is left");
    for job in [polite, deaf] {
        assert_eq!((board.job(job).status, board.job(job).attempt), (JobStatus::Queued, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn code_that_never_yields_does_not_keep_its_job() {
    let board = Board::new();
    let job = board.put("plain", 0);
    let (release, seen) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let (released, begun) = (release.clone(), seen.clone());
    let kinds = kinds(move |_, _| {
        let (released, begun) = (released.clone(), begun.clone());
        async move {
            begun.store(true, Ordering::SeqCst);
            while !released.load(Ordering::SeqCst) {
                std::thread::yield_now();
            }
            Outcome::done(json!("nobody waits for it"))
        }
    });
    let config = WorkerConfig { drain: Duration::from_millis(2_500), ..Board::config(4) };
    let worker = Started::start(&board, &kinds, config);
    while !seen.load(Ordering::SeqCst) {
        tokio::task::yield_now().await;
    }
    let drained = worker.stop().await;
    release.store(true, Ordering::SeqCst);
    assert_eq!((drained.handed_back, board.job(job).status), (1, JobStatus::Queued));
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_is_under_way_is_given_back() {
    let board = Board::new();
    let worker = Started::start(&board, &at_once(), Board::config(4));
    tokio::time::sleep(Duration::from_secs(2)).await;
    let claims = board.claims().len();
    // Of the kind that is claimed first, with others to be claimed after it.
    board.put("heavy", 0);
    // Lets the worker send its claim, whose answer takes a millisecond.
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    let drained = worker.stop().await;
    assert_eq!(board.claims().len(), claims + 1, "it was under way");
    assert_eq!((drained.handed_back, board.count(JobStatus::Queued)), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_does_not_keep_the_worker_from_stopping() {
    let board = Board::new();
    board.put("plain", 0);
    (0..1_000).for_each(|_| board.fail_next_finish(unavailable()));
    let worker = Started::start(&board, &at_once(), Board::config(4));
    board.until(JobStatus::Running, 1).await;
    let began = Instant::now();
    let drained = worker.stop().await;
    assert_eq!(drained, Drained { finished: 0, handed_back: 0, unwritten: 1 });
    assert!(began.elapsed() < Duration::from_secs(25), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn leases_are_kept_until_the_last_end_is_written() {
    let board = Board::new();
    let job = board.put("plain", 0);
    let kinds = kinds(|_, _| async move {
        tokio::time::sleep(Duration::from_secs(19)).await;
        Outcome::done(json!(null))
    });
    let worker = Started::start(&board, &kinds, Board::config(4));
    board.until(JobStatus::Running, 1).await;
    let renewals = board.renewed_on().len();
    worker.stop().await;
    assert!(board.renewed_on().len() >= renewals + 3, "renewed while the worker stopped");
    assert_eq!(board.job(job).status, JobStatus::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn a_part_that_panics_stops_the_worker_with_an_error() {
    for call in ["claim", "finish", "workers", "renew", "beat", "woken"] {
        let board = Board::new();
        board.put("plain", 0);
        let worker = Started::start(&board, &lasting(Duration::from_secs(8)), Board::config(4));
        board.until(JobStatus::Running, 1).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        board.panic_in(call);
        board.put("plain", 1);
        let ended = tokio::time::timeout(Duration::from_mins(1), worker.ended()).await.expect(call);
        assert!(ended.is_err(), "{call}: {ended:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_hangs_does_not_keep_jobs_from_being_asked_to_stop() {
    let board = Board::new();
    board.put("plain", 0);
    let kinds = kinds(|_, cx| async move {
        cx.cancel().cancelled().await;
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        Outcome::done(json!("in time"))
    });
    let worker = Started::start(&board, &kinds, Board::config(4));
    board.until(JobStatus::Running, 1).await;
    board.hang_in("claim");
    board.put("plain", 1);
    tokio::time::sleep(Duration::from_secs(3)).await;
    let began = Instant::now();
    worker.stop().await;
    assert_eq!(board.count(JobStatus::Succeeded), 1, "it had its two seconds");
    assert!(began.elapsed() <= Duration::from_secs(25), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_does_not_keep_the_worker_from_stopping() {
    for call in ["finish", "renew", "beat", "workers", "leave", "next_due"] {
        let board = Board::new();
        board.put("plain", 0);
        let worker = Started::start(&board, &lasting(Duration::from_secs(3)), Board::config(4));
        board.until(JobStatus::Running, 1).await;
        board.hang_in(call);
        tokio::time::sleep(Duration::from_secs(10)).await;
        let began = Instant::now();
        worker.stop().await;
        assert!(began.elapsed() <= Duration::from_secs(25), "{call}: {:?}", began.elapsed());
    }
}

#[test]
fn a_keeper_that_blocks_is_not_waited_for() {
    let board = Board::new();
    let (let_go, held) = std::sync::mpsc::channel::<()>();
    board.block_the_keeper(held);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config = WorkerConfig { drain: Duration::from_millis(500), ..Board::config(4) };
    runtime.block_on(async {
        let worker = Worker::new(board.jobs(), &at_once(), config);
        let ended = worker.run(std::future::ready(()));
        tokio::time::timeout(Duration::from_secs(20), ended).await.expect("it ends").unwrap();
    });
    drop(let_go);
}

#[tokio::test(start_paused = true)]
async fn code_that_does_not_hear_a_cancel_is_ended_after_a_while() {
    let board = Board::new();
    let job = board.put_with("plain", 0, |it| it.policy.time_limit_seconds = 6 * 3_600);
    let worker = Started::start(&board, &lasting(Duration::from_hours(5)), Board::config(4));
    board.until(JobStatus::Running, 1).await;
    board.ask_to_cancel(job);
    tokio::time::sleep(Duration::from_secs(29)).await;
    assert_eq!(board.job(job).status, JobStatus::Running);
    tokio::time::sleep(Duration::from_secs(8)).await;
    assert_eq!(board.job(job).status, JobStatus::Cancelled);
    worker.stop().await;
}
