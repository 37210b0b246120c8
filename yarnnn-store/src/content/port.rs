//! The port over the parts: what is one transaction is one function here.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use yarnnn_core::StoreError;
use yarnnn_core::activity::NewActivity;
use yarnnn_core::id::{ContentId, UserId};
use yarnnn_core::platform::{KnownItem, Resource, ResourceId};
use yarnnn_core::sync::{
    BeginRun, ContentQuery, ContentStore, PageCommit, Progress, Receipt, ResourceStatus, Retain, RunHandle, RunMode, StoredItem,
};

use super::plan::{self, Plan};
use super::prepare::Page;
use super::registry::{Entry, Seen};
use super::{prepare, read, registry, rows, shadow};
use crate::db::Tx;
use crate::{SqlStore, activity};

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
        let (run, page, progress, follow_up) = prepare::page(page);
        let (user, at) = (run.user, page.at);
        let mut tx = self.db.begin().await?;
        let entry = registry::fence(&mut tx, &run).await?;
        let (receipt, line) = match run.mode {
            RunMode::Incremental => store(&mut tx, &run, entry, page, progress).await?,
            RunMode::Rebuild => rebuild(&mut tx, &run, entry, page, progress).await?,
        };
        if let Some(line) = line {
            activity::write(&mut tx, user, line, at).await?;
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

    async fn coverage(&self, user: UserId, resources: &[ResourceId]) -> Result<Vec<ResourceStatus>, StoreError> {
        read::coverage(&self.db, user, resources).await
    }

    async fn known(&self, user: UserId, resource: &ResourceId, at: DateTime<Utc>) -> Result<Vec<KnownItem>, StoreError> {
        read::known(&self.db, user, resource, at).await
    }

    async fn exclude(&self, user: UserId, resource: &Resource, excluded: bool, at: DateTime<Utc>) -> Result<(), StoreError> {
        let first = registry::first_token(self.ids.as_ref(), at);
        let mut tx = self.db.begin().await?;
        registry::exclude(&mut tx, (user, &resource.id, &resource.name), excluded, (first, at)).await?;
        tx.commit().await
    }
}

impl SqlStore {
    async fn try_begin(&self, run: &BeginRun) -> Result<RunHandle, StoreError> {
        let first = registry::first_token(self.ids.as_ref(), run.at);
        let mut tx = self.db.begin().await?;
        let handle = registry::begin(&mut tx, run, first).await?;
        shadow::clear(&mut tx, run.user, &run.resource).await?;
        tx.commit().await?;
        Ok(handle)
    }
}

/// What a commit did, and the line that it leaves in the activity log.
type Done = (Receipt, Option<NewActivity>);

/// Puts a page in place.
async fn store(tx: &mut Tx, run: &RunHandle, entry: Entry, page: Page, progress: Progress) -> Result<Done, StoreError> {
    let at = page.at;
    let (receipt, seen) = apply(tx, run, page).await?;
    Ok((receipt, record(tx, entry, seen, progress, (run.mode, at)).await?))
}

/// Keeps a page aside; the last one puts all of them in place, one after the other as if each had been stored when it came.
async fn rebuild(tx: &mut Tx, run: &RunHandle, entry: Entry, page: Page, progress: Progress) -> Result<Done, StoreError> {
    let at = page.at;
    let (mut receipt, mut seen) = (Receipt::default(), Seen::default());
    match &progress {
        Progress::Within { .. } => {
            shadow::keep(tx, run, &page).await?;
            return Ok((receipt, None));
        }
        Progress::Failed { .. } => {}
        Progress::Finished(_) => {
            let mut number = 0;
            while let Some((next, kept)) = shadow::next(tx, run, number).await? {
                add(&mut receipt, &mut seen, apply(tx, run, kept).await?);
                number = next;
            }
            add(&mut receipt, &mut seen, apply(tx, run, page).await?);
        }
    }
    shadow::clear(tx, run.user, &run.resource).await?;
    Ok((receipt, record(tx, entry, seen, progress, (run.mode, at)).await?))
}

fn add(receipt: &mut Receipt, seen: &mut Seen, (did, told): (Receipt, Seen)) {
    receipt.new += did.new;
    receipt.unchanged += did.unchanged;
    receipt.revised += did.revised;
    receipt.gone += did.gone;
    seen.extend(told);
}

/// Writes what a page means for the rows that are there.
async fn apply(tx: &mut Tx, run: &RunHandle, page: Page) -> Result<(Receipt, Seen), StoreError> {
    let Page { origin, revisions, unchanged, gone, seen, at } = page;
    let scope = rows::Scope { run, origin, at };
    let known = rows::known(tx, run, plan::item_ids(&revisions, &gone)).await?;
    let plan = Plan::of(origin, revisions, gone, known);
    let receipt = plan.receipt;
    rows::apply(tx, &scope, plan).await?;
    rows::still_there(tx, &scope, unchanged).await?;
    Ok((receipt, seen))
}

/// Records how far the run has come; answers the line for the activity log.
async fn record(
    tx: &mut Tx,
    entry: Entry,
    seen: Seen,
    progress: Progress,
    (mode, at): (RunMode, DateTime<Utc>),
) -> Result<Option<NewActivity>, StoreError> {
    match progress {
        Progress::Within { part, place } => {
            registry::page(tx, entry, seen, (part, place), at).await?;
            Ok(None)
        }
        Progress::Finished(mut finished) => {
            let line = finished.activity.take();
            registry::finish(tx, entry, seen, finished, (mode, at)).await?;
            Ok(line)
        }
        Progress::Failed { error, activity } => {
            registry::fail(tx, entry, seen, error, at).await?;
            Ok(activity)
        }
    }
}
