//! Asking a run to stop.

use futures::future::Either;
use tokio::sync::watch;

/// Asks the runs that hold the token to stop.
#[derive(Debug)]
pub struct CancelHandle(watch::Sender<bool>);

impl CancelHandle {
    /// Asks them to stop. Asking twice is the same as once.
    pub fn cancel(&self) {
        self.0.send_replace(true);
    }

    /// A token that this handle cancels.
    pub fn token(&self) -> CancelToken {
        CancelToken(Some(self.0.subscribe()))
    }
}

impl Default for CancelHandle {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

/// Says whether a run was asked to stop. The default token is never cancelled.
#[derive(Debug, Clone, Default)]
pub struct CancelToken(Option<watch::Receiver<bool>>);

impl CancelToken {
    /// Whether the run was asked to stop.
    pub fn is_cancelled(&self) -> bool {
        self.0.as_ref().is_some_and(|it| *it.borrow())
    }

    /// Waits until the run is asked to stop; for ever with a token that nobody can cancel any more.
    pub async fn cancelled(&self) {
        let mut asked = false;
        if let Some(receiver) = &self.0 {
            asked = receiver.clone().wait_for(|it| *it).await.is_ok();
        }
        if !asked {
            std::future::pending::<()>().await;
        }
    }

    /// What is waited for, or nothing if the run is asked to stop before that has come: then it is dropped.
    pub async fn unless_cancelled<T>(&self, wait: impl Future<Output = T>) -> Option<T> {
        let (wait, stop) = (std::pin::pin!(wait), std::pin::pin!(self.cancelled()));
        match futures::future::select(wait, stop).await {
            Either::Left((came, _)) => Some(came),
            Either::Right(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_follows_its_handle_and_a_default_one_nobody() {
        let handle = CancelHandle::default();
        let token = handle.token();
        assert!(!token.is_cancelled());
        handle.cancel();
        assert!(token.is_cancelled());
        assert!(!CancelToken::default().is_cancelled());
    }

    #[tokio::test]
    async fn a_wait_ends_when_the_run_is_asked_to_stop() {
        let handle = CancelHandle::default();
        let token = handle.token();
        assert_eq!(token.unless_cancelled(async { 7 }).await, Some(7));
        let (ended, ()) = futures::join!(token.unless_cancelled(std::future::pending::<()>()), async { handle.cancel() });
        assert_eq!(ended, None);
        assert_eq!(CancelToken::default().unless_cancelled(async { 7 }).await, Some(7));
    }
}
