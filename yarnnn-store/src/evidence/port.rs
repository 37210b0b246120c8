//! The evidence ledger: read by its port, written with the step that verified the version.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, QueryBuilder};
use yarnnn_core::StoreError;
use yarnnn_core::deliverables::VersionStatus;
use yarnnn_core::evidence::{Evidence, EvidenceStore, Readers, SaidSentence, SentenceRecord, ToldClaim};
use yarnnn_core::id::{ContentId, DeliverableId, UserId, VersionId};

use super::said::{SaidRow, ToldRow, said, told};
use crate::SqlStore;
use crate::columns::{Id, Instant};
use crate::content::read::pairs;
use crate::db::{Tx, on_pool, on_tx};
use crate::error::{DbError, Doing as _, unreadable};
use crate::text::clean;

/// Sentences with their evidence, one row each; a sentence without evidence has one row with nulls.
const SENTENCES: &str = "select s.sentence_index, s.sentence_text, e.content_id, e.revision, e.start_byte, e.end_byte, e.quote \
    from version_sentences s join deliverable_versions v on v.id = s.version_id \
    left join evidence e on e.version_id = s.version_id and e.sentence_index = s.sentence_index \
    where s.version_id = $1 and v.user_id = $2 order by s.sentence_index, e.position";
const INSERT_SENTENCES: &str =
    "insert into version_sentences (version_id, sentence_index, sentence_text, is_inference, created_at) ";
const INSERT_EVIDENCE: &str = "insert into evidence \
    (version_id, sentence_index, position, content_id, revision, start_byte, end_byte, quote, created_at) ";

const CITED: &str = "select distinct content_id from evidence where version_id = $1";

/// Rows of one statement: far below the number of binds that either driver takes.
const CHUNK: usize = 200;

#[derive(sqlx::FromRow)]
struct EvidenceRow {
    sentence_index: i64,
    sentence_text: String,
    content_id: Option<Id>,
    revision: Option<String>,
    start_byte: Option<i64>,
    end_byte: Option<i64>,
    quote: Option<String>,
}

impl EvidenceRow {
    /// The evidence of the row, if it has any.
    fn evidence(&mut self) -> Option<Result<Evidence, StoreError>> {
        let content_id = ContentId::from_uuid(self.content_id?.0);
        let parts = (self.revision.take(), self.start_byte, self.end_byte, self.quote.take());
        let read = || {
            let (Some(revision), Some(start), Some(end), Some(quote)) = parts else { return None };
            let (start, end) = (u32::try_from(start).ok()?, u32::try_from(end).ok()?);
            Some(Evidence { content_id, revision: revision.parse().ok()?, start, end, quote })
        };
        Some(read().ok_or_else(|| {
            unreadable(format!("evidence of sentence {}", self.sentence_index), "a field is missing or out of range")
        }))
    }
}

#[async_trait]
impl EvidenceStore for SqlStore {
    async fn sentences(&self, user: UserId, version: VersionId) -> Result<Vec<SentenceRecord>, StoreError> {
        let query = on_pool!(&self.db, pool => sqlx::query_as::<_, EvidenceRow>(SENTENCES)
            .bind(Id(version.as_uuid())).bind(Id(user.as_uuid())).fetch_all(pool).await);
        gathered(query.doing("the sentences of a version")?)
    }

    async fn said(
        &self,
        user: UserId,
        deliverable: DeliverableId,
        readers: &Readers,
        limit: u32,
    ) -> Result<Vec<SaidSentence>, StoreError> {
        let (sql, delivered) = (said(self.db.dialect(), readers), VersionStatus::Delivered.as_str());
        let query = on_pool!(&self.db, pool => {
            let query = sqlx::query_as::<_, SaidRow>(AssertSqlSafe(sql))
                .bind(Id(deliverable.as_uuid())).bind(Id(user.as_uuid())).bind(delivered).bind(i64::from(limit));
            match readers {
                Readers::Owner => query,
                Readers::Others(sources) => query.bind(pairs(sources)),
            }.fetch_all(pool).await
        });
        SaidRow::gathered(query.doing("what a deliverable said")?)
    }

    async fn told(
        &self,
        user: UserId,
        deliverable: DeliverableId,
        readers: &Readers,
        versions: u32,
    ) -> Result<Vec<ToldClaim>, StoreError> {
        let [delivered, rejected] = [VersionStatus::Delivered, VersionStatus::Rejected].map(VersionStatus::as_str);
        let query = on_pool!(&self.db, pool => sqlx::query_as::<_, ToldRow>(AssertSqlSafe(told(readers)))
            .bind(Id(deliverable.as_uuid())).bind(Id(user.as_uuid())).bind(delivered).bind(rejected).bind(i64::from(versions))
            .fetch_all(pool).await);
        let mut told = Vec::new();
        for row in query.doing("what a deliverable's writers were told")? {
            told.extend(row.claims()?);
        }
        Ok(told)
    }
}

/// Puts the rows of one sentence together.
fn gathered(rows: Vec<EvidenceRow>) -> Result<Vec<SentenceRecord>, StoreError> {
    let mut sentences: Vec<SentenceRecord> = Vec::new();
    for mut row in rows {
        let index = u32::try_from(row.sentence_index).map_err(|error| unreadable("a sentence", error))?;
        let evidence = row.evidence().transpose()?;
        match sentences.last_mut() {
            Some(last) if last.index == index => last.evidence.extend(evidence),
            _ => sentences.push(SentenceRecord { index, text: row.sentence_text, evidence: evidence.into_iter().collect() }),
        }
    }
    Ok(sentences)
}

/// The rows that a version cites.
pub(crate) async fn cited(tx: &mut Tx, version: VersionId) -> Result<Vec<ContentId>, DbError> {
    let query = on_tx!(tx, connection =>
        sqlx::query_scalar::<_, Id>(CITED).bind(Id(version.as_uuid())).fetch_all(connection).await);
    Ok(query.doing("what a version cites")?.into_iter().map(|it| ContentId::from_uuid(it.0)).collect())
}

/// Writes the sentences of a version with their evidence.
pub(crate) async fn write(tx: &mut Tx, version: VersionId, records: &[SentenceRecord], at: DateTime<Utc>) -> Result<(), DbError> {
    for chunk in records.chunks(CHUNK) {
        write_sentences(tx, version, chunk, at).await?;
    }
    let spans: Vec<_> =
        records.iter().flat_map(|record| (0_i64..).zip(&record.evidence).map(|span| (record.index, span))).collect();
    for chunk in spans.chunks(CHUNK) {
        write_spans(tx, version, chunk, at).await?;
    }
    Ok(())
}

async fn write_sentences(tx: &mut Tx, version: VersionId, chunk: &[SentenceRecord], at: DateTime<Utc>) -> Result<(), DbError> {
    on_tx!(tx, connection => {
        let mut builder = QueryBuilder::new(INSERT_SENTENCES);
        builder.push_values(chunk, |mut row, record| {
            row.push_bind(Id(version.as_uuid())).push_bind(i64::from(record.index));
            row.push_bind(clean(&record.text)).push_bind(record.is_inference()).push_bind(Instant(at));
        });
        builder.build().persistent(false).execute(connection).await.map(|_| ())
    })
    .doing("the sentences of a version")
}

async fn write_spans(
    tx: &mut Tx,
    version: VersionId,
    chunk: &[(u32, (i64, &Evidence))],
    at: DateTime<Utc>,
) -> Result<(), DbError> {
    on_tx!(tx, connection => {
        let mut builder = QueryBuilder::new(INSERT_EVIDENCE);
        builder.push_values(chunk, |mut row, (index, (position, evidence))| {
            row.push_bind(Id(version.as_uuid())).push_bind(i64::from(*index)).push_bind(*position);
            row.push_bind(Id(evidence.content_id.as_uuid())).push_bind(evidence.revision.to_string());
            row.push_bind(i64::from(evidence.start)).push_bind(i64::from(evidence.end));
            row.push_bind(clean(&evidence.quote)).push_bind(Instant(at));
        });
        builder.build().persistent(false).execute(connection).await.map(|_| ())
    })
    .doing("the evidence of a version")
}
