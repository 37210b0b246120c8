//! Messages on their way out: read and settled by their port, queued with the version's step.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::QueryBuilder;
use sqlx::types::Json;
use yarnnn_core::StoreError;
use yarnnn_core::activity::NewActivity;
use yarnnn_core::delivery::{
    ChannelKind, HeldDecision, MessageState, NewMessage, NewNotice, Notices, Outbox, OutboxFile, OutboxMessage, Settlement,
};
use yarnnn_core::id::{MessageId, UserId, VersionId};

use crate::SqlStore;
use crate::activity;
use crate::columns::{Id, Instant};
use crate::db::{Tx, on_pool, on_tx};
use crate::error::{DbError, Doing as _, unreadable};
use crate::text::{clean, cleaned};

const MESSAGES: &str = "select id, user_id, version_id, key, channel, target, payload, state, attempts, first_attempt_at, external_id, error \
    from outbox where version_id = $1 and user_id = $2 and purpose = 'report' order by key";
const NOTICE: &str = "select id, user_id, version_id, key, channel, target, payload, state, attempts, first_attempt_at, external_id, error \
    from outbox where user_id = $1 and key = $2 and purpose = 'notice'";
const INSERT: &str = "insert into outbox (id, user_id, version_id, key, channel, target, payload, created_at, updated_at, purpose) \
    values ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9) on conflict (user_id, key) do nothing";
const FOUND: &str = "select state from outbox where id = ";
const START: &str = "update outbox set state = 'sending', attempts = attempts + 1, last_attempt_at = $3, updated_at = $3, \
    first_attempt_at = case when $4 in ('sending', 'unknown') then coalesce(first_attempt_at, $3) else $3 end \
    where id = $1 and user_id = $2 and state not in ('sent', 'held') \
    returning id, user_id, version_id, key, channel, target, payload, $4 as state, attempts, first_attempt_at, external_id, error";
const DECIDE: &str = "update outbox set state = $3, error = null, updated_at = $4, \
    sent_at = case when $3 = 'sent' then $4 else sent_at end \
    where id = $1 and user_id = $2 and state = 'held' \
    returning id, user_id, version_id, key, channel, target, payload, state, attempts, first_attempt_at, external_id, error";
const SETTLE: &str = "update outbox set state = $4, external_id = coalesce($5, external_id), error = $6, \
    sent_at = case when $4 = 'sent' then $7 else sent_at end, updated_at = $7 \
    where id = $1 and user_id = $2 and attempts = $3 and state = 'sending'";
const OWN_VERSION: &str = "select count(*) from deliverable_versions where id = $1 and user_id = $2";
const EXISTS: &str = "select count(*) from outbox where id = $1 and user_id = $2";

/// What a message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// It carries a report.
    Report,
    /// It tells its owner of one.
    Notice,
}

impl Purpose {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::Notice => "notice",
        }
    }
}

#[derive(sqlx::FromRow)]
struct MessageRow {
    id: Id,
    user_id: Id,
    version_id: Option<Id>,
    key: String,
    channel: String,
    target: String,
    payload: Json<Vec<OutboxFile>>,
    state: String,
    attempts: i64,
    first_attempt_at: Option<Instant>,
    external_id: Option<String>,
    error: Option<String>,
}

impl TryFrom<MessageRow> for OutboxMessage {
    type Error = StoreError;

    fn try_from(row: MessageRow) -> Result<Self, StoreError> {
        let bad = |field: &str| unreadable(format!("message {}", row.id.0), format!("{field} cannot be read"));
        Ok(Self {
            id: MessageId::from_uuid(row.id.0),
            user: UserId::from_uuid(row.user_id.0),
            version: row.version_id.map(|it| VersionId::from_uuid(it.0)),
            channel: ChannelKind::parse(&row.channel).ok_or_else(|| bad("channel"))?,
            state: MessageState::parse(&row.state).ok_or_else(|| bad("state"))?,
            attempts: u32::try_from(row.attempts).map_err(|_| bad("attempts"))?,
            first_attempt_at: row.first_attempt_at.map(|it| it.0),
            key: row.key,
            target: row.target,
            files: row.payload.0,
            external_id: row.external_id,
            error: row.error,
        })
    }
}

#[async_trait]
impl Outbox for SqlStore {
    async fn messages(&self, user: UserId, version: VersionId) -> Result<Vec<OutboxMessage>, StoreError> {
        let query = on_pool!(&self.db, pool => sqlx::query_as::<_, MessageRow>(MESSAGES)
            .bind(Id(version.as_uuid())).bind(Id(user.as_uuid())).fetch_all(pool).await);
        let mut messages: Vec<_> =
            query.doing("the messages of a version")?.into_iter().map(OutboxMessage::try_from).collect::<Result<_, _>>()?;
        // By key in byte order, whatever the database's collation.
        messages.sort_by(|left, right| left.key.cmp(&right.key));
        Ok(messages)
    }

    async fn start(&self, user: UserId, message: MessageId, at: DateTime<Utc>) -> Result<OutboxMessage, StoreError> {
        let mut tx = self.db.begin().await?;
        let found = found(&mut tx, user, message).await?;
        let query = on_tx!(&mut tx, connection => sqlx::query_as::<_, MessageRow>(START)
            .bind(Id(message.as_uuid())).bind(Id(user.as_uuid())).bind(Instant(at)).bind(found.unwrap_or_default())
            .fetch_optional(connection).await);
        finished(tx, query.doing(format!("message {message}"))?, (user, message)).await
    }

    async fn decide(
        &self,
        user: UserId,
        message: MessageId,
        decision: HeldDecision,
        at: DateTime<Utc>,
    ) -> Result<OutboxMessage, StoreError> {
        let state = match decision {
            HeldDecision::Arrived => MessageState::Sent,
            HeldDecision::SendAgain => MessageState::Pending,
        };
        let mut tx = self.db.begin().await?;
        let query = on_tx!(&mut tx, connection => sqlx::query_as::<_, MessageRow>(DECIDE)
            .bind(Id(message.as_uuid())).bind(Id(user.as_uuid())).bind(state.as_str()).bind(Instant(at))
            .fetch_optional(connection).await);
        finished(tx, query.doing(format!("message {message}"))?, (user, message)).await
    }

    async fn settle(
        &self,
        user: UserId,
        message: MessageId,
        attempt: u32,
        settlement: Settlement,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        if end_attempt(&mut tx, (user, message, attempt), settlement, at).await? {
            return tx.commit().await;
        }
        Err(refusal(&mut tx, user, message).await?)
    }
}

/// The state of a message, which nobody else changes until the transaction ends.
async fn found(tx: &mut Tx, user: UserId, message: MessageId) -> Result<Option<String>, DbError> {
    let lock = tx.dialect().for_update();
    on_tx!(tx, connection => {
        let mut builder = QueryBuilder::new(FOUND);
        builder.push_bind(Id(message.as_uuid()));
        builder.push(" and user_id = ").push_bind(Id(user.as_uuid())).push(lock);
        builder.build_query_scalar().fetch_optional(connection).await
    })
    .doing(format!("message {message}"))
}

#[async_trait]
impl Notices for SqlStore {
    async fn notice(&self, user: UserId, key: &str) -> Result<Option<OutboxMessage>, StoreError> {
        let query = on_pool!(&self.db, pool => sqlx::query_as::<_, MessageRow>(NOTICE)
            .bind(Id(user.as_uuid())).bind(clean(key)).fetch_optional(pool).await);
        query.doing("a notice by its key")?.map(OutboxMessage::try_from).transpose()
    }

    async fn notify(&self, notice: NewNotice) -> Result<(), StoreError> {
        let (user, version) = (notice.user, notice.version);
        let mut tx = self.db.begin().await?;
        if let Some(version) = version {
            let own: i64 = on_tx!(&mut tx, connection => sqlx::query_scalar(OWN_VERSION)
                .bind(Id(version.as_uuid())).bind(Id(user.as_uuid())).fetch_one(connection).await)
            .doing(format!("version {version}"))?;
            if own == 0 {
                return Err(StoreError::NotFound { what: format!("version {version}") });
            }
        }
        queue(&mut tx, (user, version), Purpose::Notice, vec![notice.message], notice.at).await?;
        self.follow_up(tx, vec![notice.job]).await
    }

    async fn log(&self, user: UserId, line: NewActivity, at: DateTime<Utc>) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        activity::write(&mut tx, user, line, at).await?;
        tx.commit().await
    }
}

/// Commits what was changed; answers why nothing was.
async fn finished(
    mut tx: Tx,
    changed: Option<MessageRow>,
    (user, message): (UserId, MessageId),
) -> Result<OutboxMessage, StoreError> {
    match changed {
        Some(row) => {
            tx.commit().await?;
            row.try_into()
        }
        None => Err(refusal(&mut tx, user, message).await?),
    }
}

/// Whether the attempt was the one that runs.
async fn end_attempt(
    tx: &mut Tx,
    (user, message, attempt): (UserId, MessageId, u32),
    settlement: Settlement,
    at: DateTime<Utc>,
) -> Result<bool, DbError> {
    let (state, external_id, error) = match settlement {
        Settlement::Sent { external_id } => (MessageState::Sent, Some(cleaned(external_id)), None),
        Settlement::Failed { error } => (MessageState::Failed, None, Some(cleaned(error))),
        Settlement::Unknown { error } => (MessageState::Unknown, None, Some(cleaned(error))),
        Settlement::Held { error } => (MessageState::Held, None, Some(cleaned(error))),
    };
    on_tx!(tx, connection => {
        let query = sqlx::query(SETTLE)
            .bind(Id(message.as_uuid()))
            .bind(Id(user.as_uuid()))
            .bind(i64::from(attempt))
            .bind(state.as_str())
            .bind(external_id)
            .bind(error)
            .bind(Instant(at));
        query.execute(connection).await.map(|it| it.rows_affected() == 1)
    })
    .doing(format!("message {message}"))
}

/// Why nothing was changed: the message is not there, or someone else was first.
async fn refusal(tx: &mut Tx, user: UserId, message: MessageId) -> Result<StoreError, DbError> {
    let what = format!("message {message}");
    let count: i64 = on_tx!(tx, connection => sqlx::query_scalar(EXISTS)
        .bind(Id(message.as_uuid())).bind(Id(user.as_uuid())).fetch_one(connection).await)
    .doing("a message")?;
    Ok(if count == 0 { StoreError::NotFound { what } } else { StoreError::Conflict { what } })
}

/// Queues the messages of a version, or a notice of a run that has none, except those whose key is taken.
pub(crate) async fn queue(
    tx: &mut Tx,
    (user, version): (UserId, Option<VersionId>),
    purpose: Purpose,
    messages: Vec<NewMessage>,
    at: DateTime<Utc>,
) -> Result<(), DbError> {
    for message in messages {
        let files = message.files.into_iter().map(|file| OutboxFile { name: cleaned(file.name), content: cleaned(file.content) });
        let payload = Json(files.collect::<Vec<_>>());
        on_tx!(&mut *tx, connection => {
            let query = sqlx::query(INSERT)
                .bind(Id(message.id.as_uuid()))
                .bind(Id(user.as_uuid()))
                .bind(version.map(|it| Id(it.as_uuid())))
                .bind(clean(&message.key))
                .bind(message.channel.as_str())
                .bind(clean(&message.target))
                .bind(payload)
                .bind(Instant(at))
                .bind(purpose.as_str());
            query.execute(connection).await.map(|_| ())
        })
        .doing(format!("message {}", message.key))?;
    }
    Ok(())
}
