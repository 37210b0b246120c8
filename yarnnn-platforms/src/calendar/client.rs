//! The platform client of a person's calendars.

use async_trait::async_trait;
use url::Url;
use yarnnn_core::jobs::CapacityLimits;
use yarnnn_core::platform::{Fetch, FetchPage, PageToken, Platform, PlatformClient, PlatformError, Probe, ResourcePage};

use super::calls::{Calls, LIST};
use super::limits::PUBLISHED;
use super::map;
use super::state::State;
use super::wire::Entry;
use crate::google::{Trail, elements, protocol, quarantined};
use crate::http::Session;

/// Pages of calendars after which a list that has no end is not believed.
const MAX_PAGES: usize = 100;

/// Reads the calendars of a Google account.
///
/// The first fetch lists the window of a calendar; later ones ask for changes by sync token, and list the window again when it has
/// moved on by a day. What a cap leaves is named as a gap and read by the next fetches.
#[derive(Debug)]
pub struct CalendarClient {
    pub(super) calls: Calls,
}

impl CalendarClient {
    /// A client that calls `{base}/calendar/v3/…` (`https://www.googleapis.com`) at the published pace.
    pub const fn new(session: Session, base: Url) -> Self {
        Self::paced(session, base, PUBLISHED)
    }

    /// A client that calls at another pace: a project with another quota, a test, a benchmark.
    pub const fn paced(session: Session, base: Url, limits: CapacityLimits) -> Self {
        Self { calls: Calls::new(session, base, limits) }
    }
}

#[async_trait]
impl PlatformClient for CalendarClient {
    fn platform(&self) -> Platform {
        Platform::Calendar
    }

    async fn probe(&self) -> Result<Probe, PlatformError> {
        let primary = self.calls.primary().await?;
        Ok(Probe { account_id: primary.id, account_name: primary.summary, scopes: Vec::new() })
    }

    async fn resources(&self, page: Option<PageToken>) -> Result<ResourcePage, PlatformError> {
        let mut trail = match page {
            Some(token) => {
                serde_json::from_str(token.as_str()).map_err(|_| protocol(LIST, "the page token is not one of this client"))?
            }
            None => Trail::default(),
        };
        let list = self.calls.calendars(trail.last()).await?;
        let (entries, mut unread) = elements::<Entry>(LIST, list.items);
        let mut resources = Vec::with_capacity(entries.len());
        for entry in entries.iter().filter(|it| !it.deleted) {
            match map::resource(entry) {
                Ok(resource) => resources.push(resource),
                Err(error) => unread.push(quarantined(LIST, "a calendar", &error.to_string())),
            }
        }
        let goes_on = trail.follow(LIST, MAX_PAGES, list.next_page_token)?;
        let next = goes_on.then(|| PageToken::new(serde_json::to_string(&trail).unwrap_or_default()));
        Ok(ResourcePage { resources, quarantined: unread, next })
    }

    async fn fetch(&self, fetch: &Fetch) -> Result<FetchPage, PlatformError> {
        let state = match &fetch.page {
            Some(token) => State::read(token)?,
            None => State::begin(fetch, self.calls.clock().now())?,
        };
        self.step(fetch, state).await
    }
}
