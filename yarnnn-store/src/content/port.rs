//! The port over the parts: what is one transaction is one function here.

use super::{plan, prepare, read, registry, rows};
use async_trait::async_trait;
use yarnnn_core::StoreError;
use yarnnn_core::id::{ContentId, UserId};
use yarnnn_core::platform::ResourceId;
use yarnnn_core::sync::{
    BeginRun, ContentQuery, ContentStore, ExpireBefore, PageCommit, Progress, Receipt, ResourceStatus, Retain, RunHandle,
    StoredItem,
};

use super::plan::Plan;
use crate::SqlStore;
use crate::activity;

#[async_trait]
impl ContentStore for SqlStore {
    async fn begin(&self, run: BeginRun) -> Result<RunHandle, StoreError> {
        match self.try_begin(&run).await {
            // Two first runs of a resource at once: the row is there now.
            Err(StoreError::Conflict { .. }) => self.try_begin(&run).await,
            begun => begun,
        }
    }

    async fn commit(&self, page: PageCommit) -> Result<Receipt, StoreError> {
        let PageCommit { run, origin, items, gone, quarantined, covered, gaps, progress, follow_up, at } = page;
        let revisions = prepare::revisions(items);
        let gone = prepare::item_ids(gone);
        let mut tx = self.db.begin().await?;
        let entry = registry::fence(&mut tx, &run).await?;
        let known = rows::known(&mut tx, &run, plan::item_ids(&revisions, &gone)).await?;
        let plan = Plan::of(origin, revisions, gone, known);
        let receipt = plan.receipt;
        rows::apply(&mut tx, &rows::Scope { run: &run, origin, at }, plan).await?;
        let seen = registry::Seen { covered, gaps, quarantined };
        let line = match progress {
            Progress::Within(_) => {
                registry::page(&mut tx, entry, seen, at).await?;
                None
            }
            Progress::Finished(mut finished) => {
                let line = finished.activity.take();
                registry::finish(&mut tx, entry, seen, finished, at).await?;
                line
            }
            Progress::Failed { error, activity } => {
                registry::fail(&mut tx, entry, seen, error, at).await?;
                activity
            }
        };
        if let Some(line) = line {
            activity::write(&mut tx, run.user, line, at).await?;
        }
        self.follow_up(tx, follow_up).await?;
        Ok(receipt)
    }

    async fn find(&self, user: UserId, ids: &[ContentId]) -> Result<Vec<StoredItem>, StoreError> {
        read::find(&self.db, user, ids).await
    }

    async fn query(&self, query: &ContentQuery) -> Result<Vec<StoredItem>, StoreError> {
        read::query(&self.db, query).await
    }

    async fn retain(&self, retain: &Retain) -> Result<u64, StoreError> {
        let mut tx = self.db.begin().await?;
        let count = rows::retain(&mut tx, retain).await?;
        tx.commit().await?;
        Ok(count)
    }

    async fn expire(&self, before: ExpireBefore) -> Result<u64, StoreError> {
        let mut tx = self.db.begin().await?;
        let count = rows::expire(&mut tx, before).await?;
        tx.commit().await?;
        Ok(count)
    }

    async fn coverage(&self, user: UserId, resources: &[ResourceId]) -> Result<Vec<ResourceStatus>, StoreError> {
        read::coverage(&self.db, user, resources).await
    }
}

impl SqlStore {
    async fn try_begin(&self, run: &BeginRun) -> Result<RunHandle, StoreError> {
        let mut tx = self.db.begin().await?;
        let handle = registry::begin(&mut tx, run).await?;
        tx.commit().await?;
        Ok(handle)
    }
}
