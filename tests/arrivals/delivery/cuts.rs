//! Places at which a process dies: before and after whatever a run does outside of itself.

use std::collections::HashMap;
use std::future::{Future, pending, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use tokio::sync::Notify;

/// Where it ends, and where it came by.
#[derive(Debug, Default)]
pub(super) struct Cuts {
    at: Option<String>,
    passed: Mutex<Vec<String>>,
    counts: Mutex<HashMap<String, usize>>,
    reached: Notify,
    /// Whether a parent is told by a line that the place was reached.
    pub(super) tells: bool,
}

impl Cuts {
    /// Nowhere.
    pub(super) fn none() -> Arc<Self> {
        Arc::default()
    }

    /// At this place: `before outbox.start 2`, `after send email 1`.
    pub(super) fn at(place: &str) -> Arc<Self> {
        Arc::new(Self { at: Some(place.to_owned()), ..Self::default() })
    }

    /// The same, in a process that another one kills.
    pub(super) fn in_child(place: &str) -> Arc<Self> {
        Arc::new(Self { at: Some(place.to_owned()), tells: true, ..Self::default() })
    }

    /// Does something that leaves a trace outside of the run.
    pub(super) async fn around<T>(&self, what: &str, work: impl Future<Output = T> + Send) -> T {
        let number = {
            let mut counts = self.counts.lock().unwrap();
            let count = counts.entry(what.to_owned()).or_default();
            *count += 1;
            *count
        };
        self.pass(format!("before {what} {number}")).await;
        let done = self.partly(&format!("during {what} {number} "), work).await;
        self.pass(format!("after {what} {number}")).await;
        done
    }

    /// Does it, or only so much of it as so many wake-ups do.
    async fn partly<T>(&self, what: &str, work: impl Future<Output = T> + Send) -> T {
        let mut work: Pin<Box<dyn Future<Output = T> + Send + '_>> = Box::pin(work);
        let Some(polls) = self.at.as_deref().and_then(|it| it.strip_prefix(what)) else { return work.await };
        let mut left: u32 = polls.parse().unwrap();
        let done = poll_fn(|cx| {
            if left == 0 {
                return Poll::Ready(None);
            }
            left -= 1;
            work.as_mut().poll(cx).map(Some)
        });
        match done.await {
            Some(done) => done,
            None => self.end().await,
        }
    }

    async fn pass(&self, place: String) {
        let is_end = self.at.as_ref() == Some(&place);
        self.passed.lock().unwrap().push(place);
        if is_end {
            self.end::<()>().await;
        }
    }

    async fn end<T>(&self) -> T {
        if self.tells {
            println!("reached");
        }
        self.reached.notify_one();
        pending().await
    }

    /// Waits until the place is reached.
    pub(super) async fn reached(&self) {
        self.reached.notified().await;
    }

    /// All places so far.
    pub(super) fn passed(&self) -> Vec<String> {
        self.passed.lock().unwrap().clone()
    }
}
