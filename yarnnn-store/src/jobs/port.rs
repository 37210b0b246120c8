//! The queue's port: each verb is one transaction, and what it made ready is rung out after the commit.

use std::time::Duration;

use async_trait::async_trait;
use yarnnn_core::StoreError;
use yarnnn_core::id::JobId;
use yarnnn_core::jobs::{
    Claim, Claimed, EnqueueError, Enqueued, JobProgress, JobQueue, JobRecord, Lease, NewJob, NextDue, Outcome, Rescued, WorkerId,
    Written,
};

#[cfg(feature = "postgres")]
use super::postgres;
use super::prepare::{makes_ready, prepare, settle};
use super::row::{JobRow, job_columns};
#[cfg(feature = "sqlite")]
use super::sqlite;
use crate::SqlStore;
use crate::columns::Id;
use crate::db::{Db, Tx, on_driver, on_pool};
use crate::error::{Doing as _, unreadable};

const BY_ID: &str = concat!("select ", job_columns!(), " from job_queue where id = $1");

#[async_trait]
impl JobQueue for SqlStore {
    async fn enqueue(&self, jobs: Vec<NewJob>) -> Result<Vec<Enqueued>, EnqueueError> {
        let jobs = prepare(jobs)?;
        if jobs.is_empty() {
            return Ok(vec![]);
        }
        let answers = self.insert_alone(&jobs).await?;
        if answers.iter().any(|it| matches!(it, Enqueued::New(_))) {
            self.wake();
        }
        Ok(answers)
    }

    async fn claim(&self, claim: Claim) -> Result<Vec<Claimed>, StoreError> {
        if claim.limit == 0 {
            return Ok(vec![]);
        }
        // One statement is its own transaction.
        #[cfg(feature = "postgres")]
        if let Db::Postgres(pool) = &self.db {
            let mut connection = pool.acquire().await.doing("claim jobs")?;
            return postgres::claim(&mut connection, &claim, self.given_now()).await;
        }
        let mut tx = self.db.begin().await?;
        let claimed = on_driver!(&mut tx, connection,
            postgres: postgres::claim(connection, &claim, self.given_now()).await,
            sqlite: sqlite::claim(connection, &claim, self.now(), (self.ids.as_ref(), &self.jobs.turns)).await,
        )?;
        tx.commit().await?;
        Ok(claimed)
    }

    async fn finish(&self, done: Vec<(Lease, Outcome)>) -> Result<Vec<Written>, StoreError> {
        if done.is_empty() {
            return Ok(vec![]);
        }
        let settled = settle(done, self.ids.as_ref());
        #[cfg(feature = "postgres")]
        if let (Db::Postgres(pool), true) = (&self.db, postgres::are_plain(&settled)) {
            let mut connection = pool.acquire().await.doing("end jobs")?;
            return postgres::finish(&mut connection, &settled, self.given_now()).await;
        }
        let mut tx = self.db.begin().await?;
        let written = on_driver!(&mut tx, connection,
            postgres: postgres::finish(connection, &settled, self.given_now()).await,
            sqlite: sqlite::finish(connection, &settled, self.now()).await,
        )?;
        tx.commit().await?;
        if makes_ready(&settled) {
            self.wake();
        }
        Ok(written)
    }

    async fn progress(&self, lease: &Lease, progress: JobProgress) -> Result<Written, StoreError> {
        let mut tx = self.db.begin().await?;
        let written = on_driver!(&mut tx, connection,
            postgres: postgres::progress(connection, lease, &progress, self.given_now()).await,
            sqlite: sqlite::progress(connection, lease, &progress, self.now()).await,
        )?;
        tx.commit().await?;
        Ok(written)
    }

    async fn rescue(&self, gone: &[WorkerId]) -> Result<Vec<Rescued>, StoreError> {
        let mut tx = self.db.begin().await?;
        let rescued = on_driver!(&mut tx, connection,
            postgres: postgres::rescue(connection, gone, self.given_now()).await,
            sqlite: sqlite::rescue(connection, gone, self.now()).await,
        )?;
        tx.commit().await?;
        if !rescued.is_empty() {
            self.wake();
        }
        Ok(rescued)
    }

    async fn get(&self, job: JobId) -> Result<Option<JobRecord>, StoreError> {
        let now = self.now_read().await?;
        let row: Option<JobRow> = on_pool!(&self.db, pool =>
            sqlx::query_as(BY_ID).bind(Id(job.as_uuid())).fetch_optional(pool).await)
        .doing(format!("job {job}"))?;
        row.map(|it| it.record(now)).transpose()
    }

    async fn next_due(&self, due: &NextDue) -> Result<Option<Duration>, StoreError> {
        match &self.db {
            #[cfg(feature = "postgres")]
            Db::Postgres(pool) => {
                let mut connection = pool.acquire().await.doing("the next job")?;
                postgres::next_due(&mut connection, due, self.given_now()).await
            }
            #[cfg(feature = "sqlite")]
            Db::Sqlite(db) => {
                let mut connection = db.pool.acquire().await.doing("the next job")?;
                sqlite::next_due(&mut connection, due, self.now()).await
            }
        }
    }
}

impl SqlStore {
    /// Stores jobs in a transaction of their own, which on Postgres is one statement.
    async fn insert_alone(&self, jobs: &[NewJob]) -> Result<Vec<Enqueued>, EnqueueError> {
        #[cfg(feature = "postgres")]
        if let Db::Postgres(pool) = &self.db {
            let mut connection = pool.acquire().await.doing("enqueue jobs").map_err(StoreError::from)?;
            return postgres::enqueue(&mut connection, jobs, self.given_now()).await;
        }
        let mut tx = self.db.begin().await?;
        let answers = self.insert(&mut tx, jobs).await?;
        tx.commit().await?;
        Ok(answers)
    }

    /// Stores jobs within a transaction, all or none of them.
    async fn insert(&self, tx: &mut Tx, jobs: &[NewJob]) -> Result<Vec<Enqueued>, EnqueueError> {
        on_driver!(tx, connection,
            postgres: postgres::enqueue(connection, jobs, self.given_now()).await,
            sqlite: sqlite::enqueue(connection, jobs, self.now()).await,
        )
    }

    /// Commits the transaction of a feature together with the jobs that follow from it, or neither.
    pub(crate) async fn follow_up(&self, tx: Tx, jobs: Vec<NewJob>) -> Result<(), StoreError> {
        self.enqueue_with(tx, jobs).await.map(|_| ())
    }

    /// The same, for who must know which jobs there are then.
    pub(crate) async fn enqueue_with(&self, mut tx: Tx, jobs: Vec<NewJob>) -> Result<Vec<Enqueued>, StoreError> {
        if jobs.is_empty() {
            tx.commit().await?;
            return Ok(vec![]);
        }
        let jobs = prepare(jobs).map_err(|refusal| unreadable("a follow-up job", refusal))?;
        let enqueued = self.insert(&mut tx, &jobs).await.map_err(follow_up_error)?;
        tx.commit().await?;
        self.wake();
        Ok(enqueued)
    }
}

/// What a refused follow-up is to the feature whose transaction it ends.
fn follow_up_error(error: EnqueueError) -> StoreError {
    match error {
        EnqueueError::Store(error) => error,
        EnqueueError::Conflict { key } => StoreError::Conflict { what: format!("the job under the key {key:?}") },
        other => unreadable("a follow-up job", other),
    }
}
