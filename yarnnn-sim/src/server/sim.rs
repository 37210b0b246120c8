//! The simulator: one handle on everything, and the server that answers from it.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use yarnnn_core::clock::Clock;

use super::guard::Stopping;
use super::routes;
use super::{Faults, Journal, Limits, Tokens};
use crate::calendar::Calendar;
use crate::gmail::Gmail;
use crate::models::Models;
use crate::notion::Notion;
use crate::resend::Mail;
use crate::slack::Slack;
use crate::web::Web;

/// Whose Google account it is.
#[derive(Debug, Clone)]
pub(crate) struct GooglePerson {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) name: String,
}

#[derive(Debug)]
struct Inner {
    clock: Arc<dyn Clock>,
    slack: Slack,
    gmail: Gmail,
    calendar: Calendar,
    notion: Notion,
    models: Models,
    mail: Mail,
    web: Web,
    tokens: Tokens,
    faults: Faults,
    limits: Limits,
    journal: Journal,
    google_person: Mutex<GooglePerson>,
}

/// Four platforms and their authorization servers, model providers, a mail service and a web. Clones are handles on the same ones.
#[derive(Debug, Clone)]
pub struct Sim {
    inner: Arc<Inner>,
}

impl Sim {
    /// Platforms on which nothing has happened yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let person = GooglePerson {
            id: "100000000000000000001".to_owned(),
            email: "owner@sim.example".to_owned(),
            name: "Owner".to_owned(),
        };
        let inner = Inner {
            slack: Slack::new(Arc::clone(&clock)),
            gmail: Gmail::new(Arc::clone(&clock)),
            calendar: Calendar::new(Arc::clone(&clock)),
            notion: Notion::new(Arc::clone(&clock)),
            models: Models::new(Arc::clone(&clock)),
            mail: Mail::new(Arc::clone(&clock)),
            web: Web::new(),
            tokens: Tokens::new(Arc::clone(&clock)),
            faults: Faults::default(),
            limits: Limits::default(),
            journal: Journal::default(),
            google_person: Mutex::new(person),
            clock,
        };
        Self { inner: Arc::new(inner) }
    }

    /// Slack's side of the world.
    pub fn slack(&self) -> &Slack {
        &self.inner.slack
    }

    /// Gmail's side of the world.
    pub fn gmail(&self) -> &Gmail {
        &self.inner.gmail
    }

    /// Calendar's side of the world.
    pub fn calendar(&self) -> &Calendar {
        &self.inner.calendar
    }

    /// Notion's side of the world.
    pub fn notion(&self) -> &Notion {
        &self.inner.notion
    }

    /// The models of Anthropic and `OpenAI`: who writes, and what was asked.
    pub fn models(&self) -> &Models {
        &self.inner.models
    }

    /// The mail service: what was sent.
    pub fn mail(&self) -> &Mail {
        &self.inner.mail
    }

    /// The web: what can be found and fetched.
    pub fn web(&self) -> &Web {
        &self.inner.web
    }

    /// Who may call.
    pub fn tokens(&self) -> &Tokens {
        &self.inner.tokens
    }

    /// What will go wrong.
    pub fn faults(&self) -> &Faults {
        &self.inner.faults
    }

    /// How often one may call.
    pub fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    /// What was called.
    pub fn journal(&self) -> &Journal {
        &self.inner.journal
    }

    /// Now, by the simulator's clock.
    pub fn now(&self) -> DateTime<Utc> {
        self.inner.clock.now()
    }

    /// Says whose Google account it is.
    pub fn set_google_person(&self, email: &str, name: &str) {
        let mut person = self.inner.google_person.lock().unwrap_or_else(PoisonError::into_inner);
        email.clone_into(&mut person.email);
        name.clone_into(&mut person.name);
    }

    pub(crate) fn google_person(&self) -> GooglePerson {
        self.inner.google_person.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Answers on a listener until `shutdown` completes and the requests under way are answered.
    ///
    /// # Errors
    /// What the listener says.
    pub async fn serve(&self, listener: TcpListener, shutdown: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        let (stop, stopped) = watch::channel(false);
        self.inner.web.served_at(listener.local_addr()?);
        let router = routes::router(self, Stopping(stopped));
        let shutdown = async move {
            shutdown.await;
            // Requests that never get an answer would keep the server for ever. Without any, nobody listens.
            let _ = stop.send(true);
        };
        axum::serve(listener, router).with_graceful_shutdown(shutdown).await
    }

    /// Answers on a free port of this machine, in a task of its own.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(&self) -> io::Result<Running> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (stop, mut stopped) = watch::channel(());
        let sim = self.clone();
        let task = tokio::spawn(async move {
            let dropped = async move { while stopped.changed().await.is_ok() {} };
            sim.serve(listener, dropped).await
        });
        Ok(Running { address, _stop: stop, task })
    }
}

/// A running server. It ends when this is dropped.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its receiver sees the end of this value.
    _stop: watch::Sender<()>,
    task: JoinHandle<io::Result<()>>,
}

impl Running {
    fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// In place of `https://slack.com/api`.
    pub fn slack_url(&self) -> String {
        format!("{}/api", self.base())
    }

    /// In place of `https://gmail.googleapis.com`.
    pub fn gmail_url(&self) -> String {
        self.base()
    }

    /// In place of `https://www.googleapis.com`.
    pub fn calendar_url(&self) -> String {
        self.base()
    }

    /// In place of `https://oauth2.googleapis.com`; Slack's and Notion's endpoints lie under their own addresses.
    pub fn oauth_url(&self) -> String {
        self.base()
    }

    /// In place of `https://api.notion.com`.
    pub fn notion_url(&self) -> String {
        self.base()
    }

    /// In place of `https://api.anthropic.com`.
    pub fn anthropic_url(&self) -> String {
        self.base()
    }

    /// In place of `https://api.openai.com/v1`.
    pub fn openai_url(&self) -> String {
        format!("{}/v1", self.base())
    }

    /// In place of `https://api.resend.com`.
    pub fn resend_url(&self) -> String {
        self.base()
    }

    /// In place of `https://www.googleapis.com`, for `customsearch/v1`.
    pub fn search_url(&self) -> String {
        self.base()
    }

    /// Where the pages of the web are.
    pub fn web_url(&self) -> String {
        format!("{}/web", self.base())
    }

    /// Ends the server and waits until it has ended.
    ///
    /// # Errors
    /// What the server ended with.
    pub async fn stop(self) -> io::Result<()> {
        let Self { _stop: stop, task, .. } = self;
        drop(stop);
        task.await.map_err(io::Error::other)?
    }
}
