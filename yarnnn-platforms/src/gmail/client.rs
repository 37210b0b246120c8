//! The platform client of a mailbox.

use async_trait::async_trait;
use tokio::sync::OnceCell;
use url::Url;
use yarnnn_core::jobs::CapacityLimits;
use yarnnn_core::platform::{
    Fetch, FetchPage, PageToken, Platform, PlatformClient, PlatformError, Probe, ResourceId, ResourcePage,
};

use super::calls::{Calls, LABELS};
use super::limits::PUBLISHED;
use super::map;
use super::wire::Label;
use super::work::Work;
use crate::google::{elements, quarantined};
use crate::http::Session;

/// Reads the mails of a Google account, label by label.
///
/// The first fetch lists the window of a label by date and reads the newest mails up to the cap; later ones follow the mailbox's
/// history. What a cap leaves is named as a gap and read by the next fetches.
#[derive(Debug)]
pub struct GmailClient {
    pub(super) calls: Calls,
    /// The account's address, which does not change while a connection lasts.
    account: OnceCell<String>,
}

impl GmailClient {
    /// A client that calls `{base}/gmail/v1/…` (`https://gmail.googleapis.com`) at the published pace.
    pub const fn new(session: Session, base: Url) -> Self {
        Self::paced(session, base, PUBLISHED)
    }

    /// A client that calls at another pace: a project with another quota, a test, a benchmark.
    pub const fn paced(session: Session, base: Url, limits: CapacityLimits) -> Self {
        Self { calls: Calls::new(session, base, limits), account: OnceCell::const_new() }
    }

    /// Whose mailbox it is.
    pub(super) async fn account(&self) -> Result<&str, PlatformError> {
        let account = self.account.get_or_try_init(async || Ok(self.calls.profile().await?.email_address));
        account.await.map(String::as_str)
    }

    /// Learns whose mailbox it is from an answer that says so anyway.
    pub(super) fn meet(&self, address: String) {
        let _ = self.account.set(address);
    }
}

#[async_trait]
impl PlatformClient for GmailClient {
    fn platform(&self) -> Platform {
        Platform::Gmail
    }

    async fn probe(&self) -> Result<Probe, PlatformError> {
        let address = self.calls.profile().await?.email_address;
        self.meet(address.clone());
        Ok(Probe { account_name: Some(address.clone()), account_id: address, scopes: Vec::new() })
    }

    async fn resources(&self, _page: Option<PageToken>) -> Result<ResourcePage, PlatformError> {
        let (labels, mut unread) = elements::<Label>(LABELS, self.calls.labels().await?.labels);
        let mut resources = Vec::with_capacity(labels.len());
        for label in labels {
            match map::resource(label) {
                Ok(resource) => resources.push(resource),
                Err(error) => unread.push(quarantined(LABELS, "a label", &error.to_string())),
            }
        }
        Ok(ResourcePage { resources, quarantined: unread, next: None })
    }

    async fn fetch(&self, fetch: &Fetch) -> Result<FetchPage, PlatformError> {
        let mut page = FetchPage::default();
        let mut work = match &fetch.page {
            Some(token) => Work::read(token)?,
            None => self.begin(fetch, &mut page).await?,
        };
        self.go_on(fetch, &mut work, &mut page).await?;
        page.next = work.next(&fetch.mode, self.calls.clock().now(), &mut page);
        Ok(page)
    }
}

/// The label that a resource stands for.
pub(super) fn label(resource: &ResourceId) -> &str {
    let id = resource.as_str();
    id.strip_prefix("label:").unwrap_or(id)
}
