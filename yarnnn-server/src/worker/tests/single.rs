//! Working one job.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use yarnnn_core::Error;
use yarnnn_core::id::JobId;
use yarnnn_core::jobs::{JobKinds, JobProgress, JobRecord, JobStatus, Outcome};
use yarnnn_core::pipeline::{CancelHandle, CancelToken};

use super::board::Board;
use super::kinds::{Story, at_once, kinds};
use crate::worker::engine::KeeperPlace;
use crate::worker::single::{JobWatch, Request, one_job};

async fn work(board: &Arc<Board>, kinds: &JobKinds, job: JobId, cancel: CancelToken, seen: &Story) -> Result<JobRecord, Error> {
    let seen = seen.clone();
    let watch = JobWatch { cancel, progress: Some(Arc::new(move |it: JobProgress| seen.tell(it.step))), waiting: None };
    let request = Request { job, watch };
    one_job(board.jobs(), kinds, Board::config(4), request, KeeperPlace::Runtime).await
}

fn step(step: &str) -> JobProgress {
    JobProgress { step: step.to_owned(), index: 1, total: 2, percent: 50, timings: vec![] }
}

#[tokio::test(start_paused = true)]
async fn that_job_and_no_other_is_worked_until_it_has_ended() {
    let board = Board::new();
    let (job, other) = (board.put_with("plain", 0, |it| it.crashes = 2), board.put("plain", 1));
    let kinds = kinds(|_, cx| async move {
        cx.progress(step("try"));
        if cx.lease.attempt < 3 { Outcome::Backoff { error: "again".into() } } else { Outcome::done(json!("done")) }
    });
    let seen = Story::default();
    let record = work(&board, &kinds, job, CancelToken::default(), &seen).await.unwrap();
    assert_eq!((record.status, record.attempt, record.result), (JobStatus::Succeeded, 3, Some(json!("done"))));
    assert_eq!(seen.lines(), ["try", "try", "try"]);
    assert_eq!(board.job(other).attempt, 0);
}

#[tokio::test(start_paused = true)]
async fn cancelling_hands_the_job_back_uncharged() {
    let board = Board::new();
    let job = board.put("plain", 0);
    let kinds = kinds(|_, cx| async move {
        cx.cancel().cancelled().await;
        Outcome::Cancelled
    });
    let (handle, watched) = (CancelHandle::default(), board.clone());
    let token = handle.token();
    tokio::spawn(async move {
        watched.until(JobStatus::Running, 1).await;
        handle.cancel();
        std::future::pending::<()>().await;
    });
    let ended = work(&board, &kinds, job, token, &Story::default()).await;
    assert!(matches!(ended, Err(Error::Cancelled)), "{ended:?}");
    assert_eq!((board.job(job).status, board.job(job).attempt), (JobStatus::Queued, 0));
}

#[tokio::test(start_paused = true)]
async fn a_step_that_ends_after_the_cancel_still_counts() {
    let board = Board::new();
    let job = board.put("plain", 0);
    let kinds = kinds(|_, cx| async move {
        cx.cancel().cancelled().await;
        tokio::time::sleep(Duration::from_secs(5)).await;
        Outcome::done(json!("committed"))
    });
    let (handle, watched) = (CancelHandle::default(), board.clone());
    let token = handle.token();
    tokio::spawn(async move {
        watched.until(JobStatus::Running, 1).await;
        handle.cancel();
        std::future::pending::<()>().await;
    });
    let record = work(&board, &kinds, job, token, &Story::default()).await.unwrap();
    assert_eq!(record.result, Some(json!("committed")));
}

#[tokio::test(start_paused = true)]
async fn a_job_of_a_live_worker_is_followed() {
    let board = Board::new();
    let job = board.put_with("plain", 0, |it| it.progress = Some(step("theirs")));
    board.taken_by(job, "other", "elsewhere", Duration::from_mins(2));
    let (handle, seen) = (CancelHandle::default(), Story::default());
    let kinds = at_once();
    let following = work(&board, &kinds, job, handle.token(), &seen);
    let ended = tokio::time::timeout(Duration::from_mins(1), following).await;
    assert!(ended.is_err(), "it waits: {ended:?}");
    assert_eq!((seen.lines(), board.job(job).attempt), (vec!["theirs".to_owned()], 0));
}

#[tokio::test(start_paused = true)]
async fn a_job_of_a_dead_worker_is_taken_over() {
    for (process, lease) in [("gone", Duration::from_hours(1)), ("elsewhere", Duration::from_secs(15))] {
        let board = Board::new();
        let job = board.put("plain", 5);
        board.taken_by(job, "other", process, lease);
        let began = tokio::time::Instant::now();
        let record = work(&board, &at_once(), job, CancelToken::default(), &Story::default()).await.unwrap();
        assert_eq!((record.status, record.result), (JobStatus::Succeeded, Some(json!(5))), "{process}");
        assert!(
            began.elapsed() < lease.min(Duration::from_secs(15)) + Duration::from_secs(2),
            "{process}: {:?}",
            began.elapsed()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_worked_is_named() {
    let board = Board::new();
    let unknown = board.put("newer", 0);
    let kinds = at_once();
    let ended = work(&board, &kinds, unknown, CancelToken::default(), &Story::default()).await;
    assert!(matches!(ended, Err(Error::Invalid(_))), "{ended:?}");
    let nothing = JobId::fresh(&yarnnn_core::id::RandomIds);
    let ended = work(&board, &kinds, nothing, CancelToken::default(), &Story::default()).await;
    assert!(matches!(ended, Err(Error::NotFound(_))), "{ended:?}");
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_the_store_is_waited_out() {
    let board = Board::new();
    let job = board.put("plain", 5);
    board.taken_by(job, "other", "elsewhere", Duration::from_mins(2));
    let (watched, kinds) = (board.clone(), at_once());
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(20)).await;
        watched.set_down(true);
        tokio::time::sleep(Duration::from_mins(3)).await;
        watched.set_down(false);
        std::future::pending::<()>().await;
    });
    let record = work(&board, &kinds, job, CancelToken::default(), &Story::default()).await.unwrap();
    assert_eq!((record.status, record.result), (JobStatus::Succeeded, Some(json!(5))));
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_lost_while_its_code_goes_on_is_no_longer_waited_for() {
    let board = Board::new();
    let job = board.put("plain", 5);
    let (watched, seen) = (board.clone(), Story::default());
    let told = seen.clone();
    let kinds = kinds(move |_, _| {
        let told = told.clone();
        async move {
            told.tell("begun");
            std::future::pending::<Outcome>().await
        }
    });
    tokio::spawn(async move {
        watched.until(JobStatus::Running, 1).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        watched.steal(job);
        tokio::time::sleep(Duration::from_secs(6)).await;
        // The thief has done it.
        watched.end(job, JobStatus::Succeeded);
        std::future::pending::<()>().await;
    });
    let nothing = Story::default();
    let following = work(&board, &kinds, job, CancelToken::default(), &nothing);
    // The beat at 5 s tells of the loss; at 10 s its code is ended by force.
    let record = tokio::time::timeout(Duration::from_secs(9), following).await.expect("it follows the thief").unwrap();
    assert_eq!((record.status, seen.lines().len()), (JobStatus::Succeeded, 1));
}

#[tokio::test(start_paused = true)]
async fn whether_a_lease_has_ended_is_for_the_store_to_say() {
    let board = Board::new();
    let job = board.put("plain", 5);
    board.taken_by(job, "other", "elsewhere", Duration::from_secs(30));
    // The clock of the store is an hour ahead of this host's.
    board.date_leases(job, Duration::from_hours(1));
    let began = tokio::time::Instant::now();
    let record = work(&board, &at_once(), job, CancelToken::default(), &Story::default()).await.unwrap();
    assert_eq!(record.status, JobStatus::Succeeded);
    assert!((30.0..33.0).contains(&began.elapsed().as_secs_f64()), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn stopping_takes_as_long_as_it_may_once() {
    for hangs in ["get", "finish", "renew"] {
        let board = Board::new();
        let job = board.put("plain", 0);
        let (handle, watched) = (CancelHandle::default(), board.clone());
        let token = handle.token();
        let cancelled = Arc::new(std::sync::OnceLock::new());
        let at = cancelled.clone();
        tokio::spawn(async move {
            watched.until(JobStatus::Running, 1).await;
            watched.hang_in(hangs);
            at.set(tokio::time::Instant::now()).unwrap();
            handle.cancel();
            std::future::pending::<()>().await;
        });
        let kinds = kinds(|_, _| std::future::pending());
        let ended = work(&board, &kinds, job, token, &Story::default()).await;
        assert!(ended.is_err(), "{hangs}: {ended:?}");
        let took = cancelled.get().unwrap().elapsed();
        assert!(took <= Duration::from_secs(31), "{hangs}: {took:?}");
    }
}
