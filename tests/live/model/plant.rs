//! Bugs to plant: a comparison that sees nothing when one is there proves nothing when none is.

use std::sync::Arc;

use async_trait::async_trait;
use yarnnn::platform::{
    Access, ContentType, Fetch, FetchMode, FetchPage, Next, OpenPlatform, PageToken, Platform, PlatformClient, PlatformError,
    Probe, ResourcePage,
};

/// A bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plant {
    /// The cursor moves past pages that were not stored.
    CursorAhead,
    /// Deletions are not told.
    Undeleted,
    /// Replies are only seen when their thread is first read.
    LateReplies,
    /// Edits are not told.
    Unedited,
}

impl Plant {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [Self::CursorAhead, Self::Undeleted, Self::LateReplies, Self::Unedited];
}

/// Opens clients with the bug in them.
#[derive(Debug)]
pub(crate) struct Spoiled {
    inner: Arc<dyn OpenPlatform>,
    plant: Plant,
}

impl Spoiled {
    pub(crate) fn new(inner: Arc<dyn OpenPlatform>, plant: Plant) -> Self {
        Self { inner, plant }
    }
}

impl OpenPlatform for Spoiled {
    fn open(&self, platform: Platform, access: Access) -> Arc<dyn PlatformClient> {
        Arc::new(SpoiledClient { inner: self.inner.open(platform, access), plant: self.plant })
    }
}

#[derive(Debug)]
struct SpoiledClient {
    inner: Arc<dyn PlatformClient>,
    plant: Plant,
}

#[async_trait]
impl PlatformClient for SpoiledClient {
    fn platform(&self) -> Platform {
        self.inner.platform()
    }

    async fn probe(&self) -> Result<Probe, PlatformError> {
        self.inner.probe().await
    }

    async fn resources(&self, page: Option<PageToken>) -> Result<ResourcePage, PlatformError> {
        self.inner.resources(page).await
    }

    async fn fetch(&self, fetch: &Fetch) -> Result<FetchPage, PlatformError> {
        let mut page = self.inner.fetch(fetch).await?;
        let is_audit = matches!(fetch.mode, FetchMode::Audit { .. });
        match self.plant {
            Plant::CursorAhead => {
                // An audit would find what was lost.
                if is_audit {
                    page.items.clear();
                }
                let mut fetch = fetch.clone();
                while let Next::Page(token) = page.next {
                    fetch.page = Some(token);
                    let skipped = self.inner.fetch(&fetch).await?;
                    page.next = skipped.next;
                }
            }
            Plant::Undeleted => {
                page.gone.clear();
                if let Next::Done { complete, .. } = &mut page.next {
                    *complete = None;
                }
            }
            Plant::LateReplies if !matches!(fetch.mode, FetchMode::Start { .. }) => {
                page.items.retain(|it| it.content_type != ContentType::ThreadReply);
            }
            Plant::Unedited if is_audit => page.items.clear(),
            Plant::LateReplies | Plant::Unedited => {}
        }
        Ok(page)
    }
}
