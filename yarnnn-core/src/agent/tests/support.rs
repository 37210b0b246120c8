//! A model that follows a script, and the workspaces of two people.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::agent::{
    Agent, AgentAnswer, AgentTask, DeliverableView, Entity, EntityKind, Identifier, MockLibrary, PlatformView, Registry,
    ReportView, SystemState, Writing, WritingMeans,
};
use crate::error::{Error, StoreError};
use crate::hash::Sha256;
use crate::id::{ContentId, DeliverableId, UserId};
use crate::llm::{
    Boundary, CallAccount, Content, LanguageModel, LlmError, Message, ModelRequest, ModelResponse, ModelTraits, OpaqueBlock,
    Role, StopReason, ToolCall, ToolResult, Usage,
};
use crate::pipeline::StageCx;
use crate::platform::{Author, ContentType, Platform, ResourceId};
use crate::search::{MockSearchIndex, SearchHit};
use crate::sync::{MockContentStore, ResourceStatus, StoredItem};
use crate::testing::FixedClock;

pub(super) const NOW: &str = "2026-03-02T09:00:00Z";

pub(super) fn now() -> DateTime<Utc> {
    NOW.parse().unwrap()
}

pub(super) fn ana() -> UserId {
    UserId::from_uuid(Uuid::from_u128(1))
}

pub(super) fn ben() -> UserId {
    UserId::from_uuid(Uuid::from_u128(2))
}

pub(super) fn content_id(number: u128) -> ContentId {
    ContentId::from_uuid(Uuid::from_u128(0x1000 + number))
}

pub(super) fn item(number: u128, text: &str) -> StoredItem {
    StoredItem {
        id: content_id(number),
        resource: ResourceId::new(Platform::Slack, "C1").unwrap(),
        resource_name: "#general".into(),
        item_id: format!("{number}.0"),
        content_type: ContentType::Message,
        content: text.into(),
        content_hash: Sha256::of(text),
        title: None,
        author: Some(Author { id: None, name: "Mara".into() }),
        is_user_authored: false,
        source_timestamp: Some(now() - TimeDelta::hours(i64::try_from(number).unwrap())),
        metadata: json!({}),
        fetched_at: now(),
        retained: false,
        expires_at: Some(now() + TimeDelta::days(3)),
        is_current: true,
        version_of: None,
        withdrawn_at: None,
    }
}

/// A model that answers one turn after the other and then its last one for ever.
#[derive(Debug)]
pub(super) struct ScriptedModel {
    turns: Mutex<Vec<ModelResponse>>,
    pub(super) asked: Mutex<Vec<ModelRequest>>,
}

impl ScriptedModel {
    pub(super) fn new(turns: impl IntoIterator<Item = ModelResponse>) -> Arc<Self> {
        let turns = Mutex::new(turns.into_iter().collect());
        Arc::new(Self { turns, asked: Mutex::default() })
    }

    pub(super) fn asked(&self) -> Vec<ModelRequest> {
        self.asked.lock().unwrap().clone()
    }

    /// What the tools of one turn answered, by the number of the request that carries it.
    pub(super) fn results(&self, request: usize) -> Vec<ToolResult> {
        let requests = self.asked();
        let last = requests[request].messages.last().unwrap();
        let results = last.content.iter().filter_map(|it| match it {
            Content::ToolResult(result) => Some(result.clone()),
            _ => None,
        });
        results.collect()
    }
}

#[async_trait]
impl LanguageModel for ScriptedModel {
    fn name(&self) -> String {
        "test/scripted".into()
    }

    fn traits(&self) -> ModelTraits {
        ModelTraits { uses_tools: true, ..ModelTraits::default() }
    }

    async fn complete(&self, request: &ModelRequest) -> Result<ModelResponse, LlmError> {
        self.asked.lock().unwrap().push(request.clone());
        let mut turns = self.turns.lock().unwrap();
        Ok(if turns.len() > 1 { turns.remove(0) } else { turns[0].clone() })
    }
}

pub(super) fn used() -> Usage {
    Usage { calls: 1, input_tokens: 10, output_tokens: 1, ..Usage::default() }
}

pub(super) fn says(text: &str) -> ModelResponse {
    ModelResponse::of_text(text, StopReason::Complete, used())
}

pub(super) fn stops(text: &str, stop: StopReason) -> ModelResponse {
    ModelResponse::of_text(text, stop, used())
}

pub(super) fn call(name: &str, input: Value) -> Content {
    Content::ToolCall(ToolCall { id: format!("call-{name}"), name: name.into(), input })
}

pub(super) fn thought() -> Content {
    Content::Opaque(OpaqueBlock { provider: "test".into(), block: json!({ "type": "thinking", "signature": "c2ln" }) })
}

pub(super) fn turn(content: Vec<Content>) -> ModelResponse {
    ModelResponse { content, stop: StopReason::ToolUse, usage: used(), by: None }
}

pub(super) fn calls(name: &str, input: Value) -> ModelResponse {
    turn(vec![call(name, input)])
}

pub(super) fn task(rounds: u32) -> AgentTask {
    let content = vec![Content::Text("Write the report.".into())];
    AgentTask {
        account: CallAccount::of(ana()),
        purpose: "test.write",
        boundary: Boundary::of("a version"),
        system: "You write reports.".into(),
        at: now(),
        as_of: now(),
        scope: None,
        for_others: true,
        until: now(),
        events_until: now(),
        messages: vec![Message { role: Role::User, content }],
        rounds,
        answers_now: false,
        max_output_tokens: 1_000,
        next_reference: 10,
        known: vec![(content_id(1), "s1".into())],
        journal: vec![],
    }
}

pub(super) fn cx() -> StageCx {
    StageCx::new(Arc::new(FixedClock::at(now())))
}

/// What is stored, by owner.
#[derive(Clone, Default)]
pub(super) struct Workspace {
    pub(super) items: Vec<(UserId, StoredItem)>,
    pub(super) deliverables: Vec<(UserId, DeliverableView)>,
    pub(super) state: SystemState,
    /// What every store answers instead.
    pub(super) trouble: Option<fn() -> StoreError>,
}

impl Workspace {
    /// Three messages of Ana's and one of Ben's.
    pub(super) fn usual() -> Self {
        let mut items: Vec<_> =
            (1..=3).map(|it| (ana(), item(it, &format!("The launch of part {it} moved to Friday.")))).collect();
        items.push((ben(), item(9, "The launch is called off, but nobody may know.")));
        let mine = deliverable(1, "Launch digest");
        Self { items, deliverables: vec![(ana(), mine), (ben(), deliverable(2, "Launch plans of Ben"))], ..Self::default() }
    }

    pub(super) fn agent(self, model: &Arc<ScriptedModel>) -> Agent<Writing> {
        Agent::new(model.clone(), self.means(), Registry::writing())
    }

    pub(super) async fn run(self, model: &Arc<ScriptedModel>, task: AgentTask) -> Result<AgentAnswer, Error> {
        self.agent(model).run(&cx(), task).await
    }

    /// What somebody has in these resources, or in all of them when none is named.
    fn of<'a>(&'a self, user: UserId, resources: &'a [ResourceId]) -> impl Iterator<Item = &'a StoredItem> {
        let mine = self.items.iter().filter(move |(owner, _)| *owner == user).map(|(_, row)| row);
        mine.filter(move |row| resources.is_empty() || resources.contains(&row.resource))
    }

    fn means(self) -> WritingMeans {
        let mut content = MockContentStore::new();
        let it = self.clone();
        content.expect_find().returning(move |user, ids| {
            it.answer(|| {
                it.items
                    .iter()
                    .filter(|(owner, row)| *owner == user && ids.contains(&row.id))
                    .map(|(_, row)| row.clone())
                    .collect()
            })
        });
        let it = self.clone();
        content.expect_query().returning(move |query| {
            let rows = it
                .of(query.user, &query.resources)
                .filter(|row| query.within.is_none_or(|within| row.source_timestamp.is_none_or(|time| within.contains(time))));
            it.answer(|| rows.take(query.limit as usize).cloned().collect())
        });
        let it = self.clone();
        content.expect_coverage().returning(move |user, wanted| {
            let mut resources: Vec<_> = it.of(user, wanted).map(|row| &row.resource).collect();
            resources.sort();
            resources.dedup();
            it.answer(|| resources.into_iter().map(|it| status(it.clone())).collect())
        });
        let mut search = MockSearchIndex::new();
        let it = self.clone();
        search.expect_search().returning(move |query| {
            let word = query.text.to_lowercase();
            let hits = it.of(query.user, &query.resources).filter(|row| row.content.to_lowercase().contains(&word));
            let hits = hits
                .filter(|row| query.within.is_none_or(|within| row.source_timestamp.is_some_and(|time| within.contains(time))));
            it.answer(|| hits.take(query.limit as usize).map(|row| hit(row, &query.text)).collect())
        });
        WritingMeans { content: Arc::new(content), search: Arc::new(search), library: Arc::new(self.library()) }
    }

    fn library(self) -> MockLibrary {
        let mut library = MockLibrary::new();
        let it = self.clone();
        library.expect_read().returning(move |user, reference| {
            let mine = it.deliverables.iter().filter(|(owner, _)| *owner == user && reference.kind == EntityKind::Deliverable);
            let found = mine.map(|(_, view)| view).find(|view| match &reference.identifier {
                Identifier::Named(name) => view.id.to_string() == *name,
                identifier => *identifier == Identifier::Latest,
            });
            let is_named = |view: &PlatformView| match &reference.identifier {
                Identifier::Named(name) => view.platform.as_str() == name,
                identifier => *identifier == Identifier::Latest,
            };
            let platform = it.state.platforms.iter().map(|it| &it.view).find(|it| is_named(it));
            it.answer(|| match reference.kind {
                EntityKind::Platform => platform.cloned().map(Entity::Platform),
                _ => found.cloned().map(Entity::Deliverable),
            })
        });
        let it = self.clone();
        library.expect_list().returning(move |user, pattern| {
            let mine = it.deliverables.iter().filter(|(owner, _)| *owner == user && pattern.kind == EntityKind::Deliverable);
            let short = |it: &PlatformView| Entity::Platform(PlatformView { resources: vec![], ..it.clone() });
            let platforms = it.state.platforms.iter().filter(|_| pattern.kind == EntityKind::Platform).map(|it| short(&it.view));
            let entities = mine.map(|(_, view)| Entity::Deliverable(view.clone())).chain(platforms);
            it.answer(|| entities.take(pattern.limit).collect())
        });
        let it = self;
        library.expect_state().returning(move |_, at| it.answer(|| it.state_at(at)));
        library
    }

    /// As stores tell it: of ticks only those that had ended by then.
    fn state_at(&self, at: DateTime<Utc>) -> SystemState {
        let scheduler = self.state.scheduler.clone().filter(|it| it.last_heartbeat_at <= at);
        SystemState { scheduler, ..self.state.clone() }
    }

    fn answer<T>(&self, found: impl FnOnce() -> T) -> Result<T, StoreError> {
        self.trouble.map_or_else(|| Ok(found()), |it| Err(it()))
    }
}

fn status(resource: ResourceId) -> ResourceStatus {
    ResourceStatus {
        resource_name: resource.as_str().to_owned(),
        resource,
        last_synced_at: None,
        cursor: None,
        item_count: 0,
        source_latest_at: None,
        last_error: None,
        last_error_at: None,
        audited_at: None,
        excluded: false,
        covered: vec![],
        gaps: vec![],
    }
}

fn hit(row: &StoredItem, word: &str) -> SearchHit {
    let (before, rest) = row.content.split_at(row.content.to_lowercase().find(&word.to_lowercase()).unwrap());
    let (found, after) = rest.split_at(word.len());
    let tail: String = before.chars().rev().take(20).collect();
    let before: String = tail.chars().rev().collect();
    let after: String = after.chars().take(20).collect();
    SearchHit {
        id: row.id,
        resource: row.resource.clone(),
        resource_name: row.resource_name.clone(),
        title: None,
        author: None,
        timestamp: row.source_timestamp,
        snippet: format!("…{before}⟦{found}⟧{after}…"),
        score: 1.0,
    }
}

pub(super) fn deliverable(number: u128, title: &str) -> DeliverableView {
    DeliverableView {
        id: DeliverableId::from_uuid(Uuid::from_u128(0x2000 + number)),
        title: title.into(),
        titled_by_model: false,
        description: None,
        deliverable_type: "status_report".into(),
        status: "active".into(),
        schedule: Some("Daily at 09:00".into()),
        sources: vec!["#general".into()],
        next_run_at: None,
        last_run_at: None,
        created_at: now(),
        latest_version: Some(ReportView {
            version_number: 3,
            status: "delivered".into(),
            created_at: now(),
            delivered_at: Some(now()),
            content: Some("## Done\n\n- The launch moved.".into()),
        }),
    }
}

/// What the program says in a result.
pub(super) fn said(result: &ToolResult) -> Value {
    serde_json::from_str(&result.text).unwrap()
}
