//! A thread that no job can block: it hears the signals, and ends the process when stopping takes too long.
//!
//! Jobs that block every thread of the main runtime stop everything on it, the drain too. What they held is taken over when its
//! leases end.

use std::future::Future;
use std::time::Duration;
use std::{io, thread};

use tokio::runtime::{self, Handle};
use tokio::sync::watch;

use crate::shutdown::Signals;

/// Beyond the drain, for a program that is about to end by itself.
const OVERTIME: Duration = Duration::from_secs(2);

/// The running thread.
pub(crate) struct Guard {
    runtime: Handle,
    stopped: watch::Receiver<bool>,
}

impl Guard {
    /// Listens from now on. Once told to stop, the program has as long as given.
    pub(crate) fn start(drain: Duration) -> io::Result<Self> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = watch::channel(false);
        let handle = runtime.handle().clone();
        // Signals belong to the runtime in whose context they are made.
        let signals = {
            let _inside = runtime.enter();
            Signals::new()?
        };
        let body = move || {
            runtime.block_on(async move {
                signals.received().await;
                stop.send_replace(true);
                tokio::time::sleep(drain + OVERTIME).await;
                tracing::error!("stopping takes too long; jobs that still run are taken over when their leases end");
                std::process::exit(1)
            });
        };
        thread::Builder::new().name("guard".to_owned()).spawn(body)?;
        Ok(Self { runtime: handle, stopped })
    }

    /// Returns when the program was told to stop.
    pub(crate) fn stopped(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut stopped = self.stopped.clone();
        async move {
            // The sender lives as long as the process.
            let _ = stopped.wait_for(|it| *it).await;
        }
    }

    /// Where to run what must answer also while all other threads are busy.
    pub(crate) const fn runtime(&self) -> &Handle {
        &self.runtime
    }
}
