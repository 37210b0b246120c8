//! What facts are told with: a person, a channel, a message, a report.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use uuid::Uuid;

use super::Ports;
use crate::accounts::NewUser;
use crate::activity::{ActivityKind, NewActivity};
use crate::cleanup::Clean;
use crate::deliverables::{
    Binding, DeliverableOrigin, Destination, Hold, NewDeliverable, OpenVersion, ReportOptions, ReportType, ResumeDeliverable,
    RunState, SourceRef, SourceSnapshot, Step, StepChange, StepCommit, TriggerType, Version,
};
use crate::delivery::{ChannelKind, NewMessage, OutboxFile};
use crate::error::StoreError;
use crate::evidence::{Evidence, SentenceRecord};
use crate::hash::Sha256;
use crate::id::{ActivityId, ContentId, DeliverableId, IdGen as _, MessageId, RandomIds, UserId, VersionId};
use crate::pipeline::Holder;
use crate::platform::{Author, ContentType, Interval, Item, ResourceId};
use crate::sync::{
    BeginRun, ContentQuery, Finished, NewItem, Origin, PageCommit, Progress, Receipt, RunHandle, RunMode, RunPart, StoredItem,
};

/// The user that every store has.
pub const ANA: UserId = UserId::LOCAL;

/// An instant, in minutes after a fixed one.
pub fn minute(minutes: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_770_000_000, 123_456_000).unwrap_or_default() + TimeDelta::minutes(minutes)
}

/// A stretch of time between two such minutes.
pub fn stretch(from: i64, to: i64) -> Interval {
    Interval { from: minute(from), to: minute(to) }
}

/// An id that was never used.
pub fn fresh() -> Uuid {
    RandomIds.uuid()
}

/// The channel that most facts use.
pub fn channel() -> ResourceId {
    resource("slack:C1")
}

/// Any resource.
pub fn resource(text: &str) -> ResourceId {
    text.parse().unwrap()
}

/// Another user.
pub async fn ben(ports: &Ports) -> UserId {
    let email = "ben@example.com".parse().unwrap();
    ports.accounts.ensure(NewUser { id: UserId::from_uuid(fresh()), email, at: minute(0) }).await.unwrap().id
}

/// A message with this id and text, written at minute 0.
pub fn message(item_id: &str, text: &str) -> NewItem {
    let item = Item {
        item_id: item_id.to_owned(),
        content_type: ContentType::Message,
        content_hash: Sha256::of(text),
        content: text.to_owned(),
        title: None,
        author: Some(Author { name: "Ana Alves".to_owned(), id: Some("U1".to_owned()) }),
        is_user_authored: false,
        source_timestamp: Some(minute(0)),
        metadata: json!({"ts": item_id}),
        records: 1,
    };
    NewItem { id: ContentId::from_uuid(fresh()), item }
}

/// The same message, written at another minute.
pub fn message_at(item_id: &str, text: &str, minutes: i64) -> NewItem {
    let mut new = message(item_id, text);
    new.item.source_timestamp = Some(minute(minutes));
    new
}

/// Deletes what of a user has expired before an instant, all of it; answers how many rows.
pub async fn clean(ports: &Ports, user: UserId, before: DateTime<Utc>) -> u64 {
    clean_under(ports, (user, fresh()), before).await
}

/// The same under a key, so that one line tells of all such calls.
pub async fn clean_under(ports: &Ports, (user, key): (UserId, Uuid), before: DateTime<Utc>) -> u64 {
    const LIMIT: u32 = 1_000;
    let mut deleted = 0;
    loop {
        let batch = clean_some(ports, (user, key), before, LIMIT).await;
        deleted += batch;
        if batch < u64::from(LIMIT) {
            return deleted;
        }
    }
}

/// One transaction of that, of at most so many rows.
pub async fn clean_some(ports: &Ports, (user, key): (UserId, Uuid), before: DateTime<Utc>, limit: u32) -> u64 {
    let clean = Clean { user, before, limit, line: ActivityId::from_uuid(fresh()), key, at: before };
    ports.retention.clean(clean).await.unwrap()
}

/// Begins a run of a user's resource.
pub async fn begin(ports: &Ports, user: UserId, resource: &ResourceId) -> RunHandle {
    try_begin(ports, user, resource).await.unwrap()
}

/// Begins a run of a user's resource, or says why not.
pub async fn try_begin(ports: &Ports, user: UserId, resource: &ResourceId) -> Result<RunHandle, StoreError> {
    let run = BeginRun {
        user,
        resource: resource.clone(),
        resource_name: "#general".to_owned(),
        mode: RunMode::Incremental,
        connection: None,
        at: minute(0),
    };
    ports.content.begin(run).await
}

/// The last page of a live run at a minute, with these items.
pub fn last_page(run: &RunHandle, items: Vec<NewItem>, minutes: i64) -> PageCommit {
    PageCommit {
        run: run.clone(),
        origin: Origin::Live,
        items,
        unchanged: vec![],
        gone: vec![],
        quarantined: vec![],
        covered: vec![],
        gaps: vec![],
        progress: Progress::Finished(Finished::default()),
        follow_up: vec![],
        at: minute(minutes),
    }
}

/// A page after which others follow.
pub fn first_page(run: &RunHandle, items: Vec<NewItem>, minutes: i64) -> PageCommit {
    PageCommit { progress: Progress::Within { part: RunPart::New, place: None }, ..last_page(run, items, minutes) }
}

/// Runs a whole live sync of the channel with one page.
pub async fn live(ports: &Ports, items: Vec<NewItem>, minutes: i64) -> Receipt {
    let run = begin(ports, ANA, &channel()).await;
    ports.content.commit(last_page(&run, items, minutes)).await.unwrap()
}

/// Runs a whole import of the channel with one page.
pub async fn import(ports: &Ports, items: Vec<NewItem>, minutes: i64) -> Receipt {
    let run = begin(ports, ANA, &channel()).await;
    ports.content.commit(PageCommit { origin: Origin::Import, ..last_page(&run, items, minutes) }).await.unwrap()
}

/// Says that items of the channel are gone.
pub async fn gone(ports: &Ports, item_ids: &[&str], minutes: i64) -> Receipt {
    let run = begin(ports, ANA, &channel()).await;
    let gone = item_ids.iter().map(|it| (*it).to_owned()).collect();
    ports.content.commit(PageCommit { gone, ..last_page(&run, vec![], minutes) }).await.unwrap()
}

/// Every row with one of these ids.
pub async fn rows(ports: &Ports, ids: &[ContentId]) -> Vec<StoredItem> {
    ports.content.find(ANA, ids).await.unwrap()
}

/// The row with this id.
pub async fn row(ports: &Ports, id: ContentId) -> StoredItem {
    rows(ports, &[id]).await.pop().unwrap()
}

/// A query for all of a user's current items at minute 0.
pub fn everything(user: UserId) -> ContentQuery {
    ContentQuery { user, resources: vec![], within: None, at: minute(0), limit: 1_000 }
}

/// The texts of the current items, newest first.
pub async fn texts(ports: &Ports, query: &ContentQuery) -> Vec<String> {
    ports.content.query(query).await.unwrap().into_iter().map(|it| it.content).collect()
}

/// A line for the activity log.
pub fn line(kind: ActivityKind, key: Uuid, summary: &str) -> NewActivity {
    NewActivity {
        id: ActivityId::from_uuid(fresh()),
        kind,
        key,
        summary: summary.to_owned(),
        metadata: json!({"items_synced": 3, "platform": "slack"}),
    }
}

/// A deliverable of a user that reads the channel and writes to a folder.
pub fn deliverable(user: UserId) -> NewDeliverable {
    NewDeliverable {
        id: DeliverableId::from_uuid(fresh()),
        user,
        title: "Weekly status".to_owned(),
        description: Some("What moved".to_owned()),
        report_type: ReportType::parse("weekly_status").unwrap(),
        sources: vec![SourceRef { resource: channel(), resource_name: "#general".to_owned() }],
        destinations: vec![Destination::Folder { path: None }],
        options: ReportOptions::default(),
        origin: DeliverableOrigin::UserConfigured,
        trigger: TriggerType::Manual,
        schedule: None,
        next_run_at: None,
        slots: None,
        at: minute(0),
    }
}

/// Stores a deliverable of the user.
pub async fn created(ports: &Ports, user: UserId) -> DeliverableId {
    let new = deliverable(user);
    let id = new.id;
    ports.deliverables.create(new).await.unwrap();
    id
}

/// Makes a paused deliverable of Ana's active, beside fewer than so many.
pub async fn resume(ports: &Ports, id: DeliverableId, slots: Option<u32>) -> Result<(), StoreError> {
    ports.deliverables.resume(ResumeDeliverable { id, user: ANA, slots, at: minute(1) }).await
}

/// The process that most facts are told by.
pub fn me() -> Holder {
    Holder::new("host/boot/1/start")
}

/// What a run has decided.
pub fn run_state() -> RunState {
    RunState {
        sources: vec![SourceSnapshot {
            resource: channel(),
            resource_name: "#general".to_owned(),
            synced_at: Some(minute(-5)),
            platform_cursor: Some("c1".to_owned()),
            item_count: 2,
            source_latest_at: Some(minute(-6)),
            gaps: vec![],
            last_error: None,
        }],
        ..RunState::of(Binding::CrossPlatform, (minute(0), minute(0)), stretch(-10_080, 0))
    }
}

/// Asks for the version after the given one, held by [`me`] for an hour.
pub fn open_after(user: UserId, deliverable: DeliverableId, after: u32) -> OpenVersion {
    OpenVersion {
        id: VersionId::from_uuid(fresh()),
        user,
        deliverable,
        after,
        run_key: None,
        state: run_state(),
        items: vec![],
        holder: me(),
        held_until: minute(60),
        at: minute(0),
    }
}

/// The first version of a fresh deliverable of the local user.
pub async fn opened(ports: &Ports) -> Version {
    let deliverable = created(ports, ANA).await;
    ports.versions.open(open_after(ANA, deliverable, 0)).await.unwrap()
}

/// Wants the version at a minute, for an hour.
pub fn hold(version: VersionId, holder: &Holder, minutes: i64) -> Hold {
    Hold { user: ANA, version, holder: holder.clone(), gone: None, until: minute(minutes + 60), at: minute(minutes) }
}

/// A step of the version by [`me`].
pub fn step(version: VersionId, expected: Step, change: StepChange) -> StepCommit {
    StepCommit { user: ANA, version, expected, holder: me(), change, notice: None, slot: None, follow_up: vec![], at: minute(10) }
}

/// `gathered → written`.
pub fn written(version: VersionId) -> StepCommit {
    step(version, Step::Gathered, StepChange::Written { draft: "A draft. [s1]".to_owned(), state: run_state(), found: vec![] })
}

/// `written → verified`, with these statements.
pub fn verified(version: VersionId, sentences: Vec<SentenceRecord>) -> StepCommit {
    step(version, Step::Written, StepChange::Verified { sentences, state: run_state() })
}

/// `verified → queued`, with these messages and items.
pub fn queued(version: VersionId, messages: Vec<NewMessage>, retain: Vec<ContentId>) -> StepCommit {
    step(version, Step::Verified, StepChange::Queued { final_content: "# Report".to_owned(), messages, retain })
}

/// `queued → finished`.
pub fn finished(version: VersionId) -> StepCommit {
    let activity = line(ActivityKind::DeliverableRun, version.as_uuid(), "delivered");
    step(version, Step::Queued, StepChange::Finished { activity })
}

/// The run ends as failed at this step.
pub fn failed(version: VersionId, at: Step) -> StepCommit {
    let activity = line(ActivityKind::DeliverableRun, fresh(), "failed");
    step(version, at, StepChange::Failed { error: "the folder is full".to_owned(), draft: None, state: None, activity })
}

/// At `verified`: the report waits for a person.
pub fn staged(version: VersionId) -> StepCommit {
    let activity = line(ActivityKind::DeliverableRun, fresh(), "staged");
    step(version, Step::Verified, StepChange::Staged { reason: "too little is proven".to_owned(), activity })
}

/// A version that has come as far as `verified`.
pub async fn verified_version(ports: &Ports) -> Version {
    let version = opened(ports).await;
    ports.versions.advance(written(version.id)).await.unwrap();
    ports.versions.advance(verified(version.id, vec![])).await.unwrap();
    version
}

/// A version whose messages are queued.
pub async fn queued_version(ports: &Ports, messages: Vec<NewMessage>) -> Version {
    let version = verified_version(ports).await;
    ports.versions.advance(queued(version.id, messages, vec![])).await.unwrap();
    version
}

/// A message for the folder.
pub fn letter(key: &str) -> NewMessage {
    let files = vec![OutboxFile { name: "report.md".to_owned(), content: "# Report\r\n\tÄ “x” \u{1f4e8}\n".to_owned() }];
    NewMessage {
        id: MessageId::from_uuid(fresh()),
        key: key.to_owned(),
        channel: ChannelKind::Folder,
        target: "out".to_owned(),
        files,
    }
}

/// A statement with evidence for each of the given quotes.
pub fn sentence(index: u32, text: &str, quotes: &[&str]) -> SentenceRecord {
    let evidence = quotes.iter().map(|quote| Evidence {
        content_id: ContentId::from_uuid(fresh()),
        revision: Sha256::of(quote),
        start: 3,
        end: 9,
        quote: (*quote).to_owned(),
    });
    SentenceRecord { index, text: text.to_owned(), evidence: evidence.collect() }
}

/// Whether the answer is that another writer was first.
pub fn is_conflict<T>(answer: &Result<T, StoreError>) -> bool {
    matches!(answer, Err(StoreError::Conflict { .. }))
}

/// Whether it would have been one more than allowed.
pub fn is_over<T>(answer: &Result<T, StoreError>) -> bool {
    matches!(answer, Err(StoreError::OverLimit { .. }))
}

/// Whether the answer is that there is no such thing.
pub fn is_missing<T>(answer: &Result<T, StoreError>) -> bool {
    matches!(answer, Err(StoreError::NotFound { .. }))
}
