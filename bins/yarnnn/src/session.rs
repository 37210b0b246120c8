//! What most commands need: a connected handle, the user, a way to be interrupted.

use yarnnn::accounts::{Email, User};
use yarnnn::connections::{Connections, Provider};
use yarnnn::deliverables::{Deliverable, Destination};
use yarnnn::pipeline::{CancelHandle, CancelToken};
use yarnnn::platform_sync::PlatformSync;
use yarnnn::platform_sync::schedule::zone_of;
use yarnnn::{Config, Error, Yarnnn};

use crate::exit::UsageError;

/// A handle that was put together without clients of live platforms.
const UNREACHABLE: &str = "this program cannot reach live platforms";

/// A connected handle and the user of the command.
pub(crate) struct Session {
    pub(crate) config: Config,
    pub(crate) yarnnn: Yarnnn,
    pub(crate) user: User,
}

impl Session {
    /// Connects by the environment. A user who is not known yet is made.
    pub(crate) async fn open(email: Option<Email>) -> anyhow::Result<Self> {
        let config = Config::from_env()?;
        let yarnnn = yarnnn::connect(&config).await?;
        let user = match email {
            Some(email) => yarnnn.user(email).await?,
            None => yarnnn.local_user().await?,
        };
        Ok(Self { config, yarnnn, user })
    }

    /// Accounts at providers.
    pub(crate) fn connections(&self) -> anyhow::Result<Connections> {
        Ok(self.yarnnn.connections().ok_or_else(|| Error::Failed(UNREACHABLE.to_owned()))?)
    }

    /// Syncs of what is connected.
    pub(crate) fn platform_sync(&self) -> anyhow::Result<PlatformSync> {
        Ok(self.yarnnn.platform_sync().ok_or_else(|| Error::Failed(UNREACHABLE.to_owned()))?)
    }

    /// The time zone of the user's days, by its IANA name: the one that was set, else UTC.
    pub(crate) fn home_zone(&self) -> &'static str {
        zone_of(self.user.timezone.as_deref()).name()
    }

    /// Fails when a report for one of these could only be mailed, and mails cannot be sent from here.
    pub(crate) fn check_mail(&self, destinations: &[Destination]) -> anyhow::Result<()> {
        if destinations.iter().any(|it| matches!(it, Destination::Email { .. })) {
            self.config.outbox.check_mail()?;
        }
        Ok(())
    }

    /// The deliverable with this id, or with this title if it is the only one.
    pub(crate) async fn deliverable(&self, name: &str) -> anyhow::Result<Deliverable> {
        let all = self.yarnnn.deliverables().list(self.user.id).await?;
        let by_id = all.iter().find(|it| it.id.to_string() == name.to_lowercase());
        let by_title: Vec<_> = all.iter().filter(|it| it.title.to_lowercase() == name.to_lowercase()).collect();
        match (by_id, by_title.as_slice()) {
            (Some(found), _) => Ok(found.clone()),
            (None, [found]) => Ok((*found).clone()),
            (None, []) => Err(Error::NotFound(format!("the deliverable {name:?}")).into()),
            (None, _) => {
                Err(UsageError(format!("several deliverables are called {name:?}; use the id (yarnnn deliverables list)")).into())
            }
        }
    }
}

/// An address, or a usage error.
pub(crate) fn parse_email(text: &str) -> anyhow::Result<Email> {
    text.parse::<Email>().map_err(|error| UsageError(error.to_string()).into())
}

/// A provider, or a usage error. `gmail` and `calendar` are Google's.
pub(crate) fn parse_provider(text: &str) -> anyhow::Result<Provider> {
    text.to_lowercase().parse::<Provider>().map_err(|error| UsageError(error.to_string()).into())
}

/// A token that the first Ctrl-C (or SIGTERM) cancels: the page or step at hand is still committed. The second ends the program.
pub(crate) fn cancel_on_interrupt() -> CancelToken {
    /// What shells report for a program that Ctrl-C ended.
    const INTERRUPTED: i32 = 130;
    let handle = CancelHandle::default();
    let token = handle.token();
    tokio::spawn(async move {
        stop_signal().await;
        handle.cancel();
        stop_signal().await;
        std::process::exit(INTERRUPTED);
    });
    token
}

/// Resolves when the program is asked to stop: Ctrl-C, or SIGTERM.
pub(crate) async fn stop_signal() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    if interrupt.await.is_err() {
        // Without a handler the signal keeps its usual effect: the program ends.
        std::future::pending::<()>().await;
    }
}
