//! The loop: ask, carry out what the model asks for, and ask again, until it answers or its rounds are used up.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use super::registry::Registry;
use super::research::{Findings, ResearchMeans, ResearchTask, ResearchWorld};
use super::session::{Research, Session, Writing};
use super::task::{AgentAnswer, AgentTask};
use super::turn;
use super::writing::{WritingMeans, WritingWorld};
use crate::error::Error;
use crate::id::ContentId;
use crate::llm::{
    Boundary, CallAccount, Content, LanguageModel, LlmError, Message, ModelRequest, ModelResponse, Role, StopReason, ToolCall,
    ToolResult, ToolSpec, Usage,
};
use crate::pipeline::StageCx;

/// How often a model may pause in one session.
const PAUSES: u32 = 4;
const TOOLS: &str = include_str!("prompts/tools.md");
const FINAL: &str = include_str!("prompts/final.md");

/// Runs sessions of one kind.
pub struct Agent<S: Session> {
    model: Arc<dyn LanguageModel>,
    means: Arc<S::Means>,
    registry: Registry<S>,
}

impl<S: Session> Clone for Agent<S> {
    fn clone(&self) -> Self {
        Self { model: self.model.clone(), means: self.means.clone(), registry: self.registry.clone() }
    }
}

impl<S: Session> fmt::Debug for Agent<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Agent").field("model", &self.model).field("tools", &self.registry).finish_non_exhaustive()
    }
}

/// What a session says, and how long it may go on.
pub(super) struct Script {
    pub(super) account: CallAccount,
    pub(super) purpose: &'static str,
    pub(super) boundary: Boundary,
    pub(super) system: String,
    pub(super) messages: Vec<Message>,
    pub(super) rounds: u32,
    pub(super) answers_now: bool,
    pub(super) max_output_tokens: u32,
}

/// How a session went.
pub(super) struct Conversation {
    pub(super) text: String,
    pub(super) stop: StopReason,
    pub(super) usage: Usage,
    pub(super) messages: Vec<Message>,
    /// Who answered last, where that is told.
    pub(super) by: Option<String>,
}

impl<S: Session> Agent<S> {
    /// Runs sessions with these tools.
    pub fn new(model: Arc<dyn LanguageModel>, means: S::Means, registry: Registry<S>) -> Self {
        Self { model, means: Arc::new(means), registry }
    }

    /// The model.
    pub fn model(&self) -> &dyn LanguageModel {
        self.model.as_ref()
    }

    /// The same agent with another model: to repeat a session with what was recorded of it.
    #[must_use]
    pub fn with_model(&self, model: Arc<dyn LanguageModel>) -> Self {
        Self { model, ..self.clone() }
    }

    /// What it may ask for.
    pub const fn registry(&self) -> &Registry<S> {
        &self.registry
    }

    /// What a model that knows no tools is offered: nothing.
    fn tools(&self, rounds: u32) -> Vec<ToolSpec> {
        if rounds > 0 && self.model.traits().uses_tools { self.registry.specs() } else { Vec::new() }
    }

    /// Talks until the model has answered. What tools answered before (`journal`) is not asked of them again.
    async fn converse(
        &self,
        cx: &StageCx,
        world: &S::World,
        script: Script,
        journal: &[ToolResult],
    ) -> Result<Conversation, Error> {
        let tools = self.tools(script.rounds);
        let mut talk = Talk::begin(script, tools);
        let mut journal = journal.iter();
        while talk.stop.is_none() {
            cx.check()?;
            let response = match self.model.complete(&talk.request).await {
                Ok(response) => response,
                Err(LlmError::Permanent { .. }) if talk.ends_at_its_pause() => break,
                Err(error) => return Err(error.into()),
            };
            let calls = talk.hear(response);
            if !calls.is_empty() {
                let results = turn::answer(cx, &self.registry, world, &calls, &mut journal).await?;
                talk.tell(results);
            }
        }
        Ok(talk.end())
    }
}

impl Agent<Writing> {
    /// Writes, reading what it needs of what belongs to the user of the task's account.
    ///
    /// # Errors
    /// The model's; [`Error::Cancelled`]; those of the stores that may go away. What a tool cannot do, it tells the model.
    pub async fn run(&self, cx: &StageCx, task: AgentTask) -> Result<AgentAnswer, Error> {
        let known: HashSet<ContentId> = task.known.iter().map(|(id, _)| *id).collect();
        let world = WritingWorld::open(WritingMeans::clone(&self.means), &task);
        let journal = task.journal.clone();
        let Conversation { text, stop, usage, messages, by } = self.converse(cx, &world, self.script(task), &journal).await?;
        let found = shown_in(&messages, &known);
        let model = by.unwrap_or_else(|| self.model.name());
        Ok(AgentAnswer { text, stop, model, usage, found, messages })
    }

    /// The first request of a session: what a plan shows.
    pub fn request(&self, task: &AgentTask) -> ModelRequest {
        let script = self.script(task.clone());
        let tools = self.tools(script.rounds);
        Talk::begin(script, tools).request
    }

    fn script(&self, task: AgentTask) -> Script {
        let has_tools = !self.tools(task.rounds).is_empty();
        Script {
            account: task.account,
            purpose: task.purpose,
            boundary: task.boundary,
            system: if has_tools { format!("{}\n\n{}", task.system.trim(), TOOLS.trim()) } else { task.system },
            messages: task.messages,
            rounds: task.rounds,
            answers_now: task.answers_now,
            max_output_tokens: task.max_output_tokens,
        }
    }
}

impl Agent<Research> {
    /// Looks for pages that say something about the brief. What comes back are pages; the model's own words stay behind.
    ///
    /// # Errors
    /// The model's; [`Error::Cancelled`]; [`Error::Invalid`] for a brief that says nothing.
    pub async fn run(&self, cx: &StageCx, task: ResearchTask) -> Result<Findings, Error> {
        let world = ResearchWorld::open(ResearchMeans::clone(&self.means), &task);
        let conversation = self.converse(cx, &world, task.into_script()?, &[]).await?;
        Ok(world.into_findings(conversation, self.model.name()))
    }
}

/// Everything that tools have shown and the task did not know, each once.
fn shown_in(messages: &[Message], known: &HashSet<ContentId>) -> Vec<(String, ContentId)> {
    let results = messages.iter().flat_map(|it| &it.content).filter_map(|it| match it {
        Content::ToolResult(result) => Some(&result.material),
        _ => None,
    });
    let mut seen = known.clone();
    let items = results.flatten().filter_map(|it| Some((it.reference.clone(), it.content?)));
    items.filter(|(_, id)| seen.insert(*id)).collect()
}

/// A turn whose calls nobody answers, as it may be sent again: providers refuse a call without its answer, and the thoughts before
/// it when nothing follows them.
fn without_calls(mut content: Vec<Content>) -> Vec<Content> {
    content.retain(|it| !matches!(it, Content::ToolCall(_)));
    let says_something = content.iter().any(|it| matches!(it, Content::Text(text) if !text.is_empty()));
    if says_something { content } else { Vec::new() }
}

/// A session while it lasts: the next request, and what is left of its bounds.
struct Talk {
    request: ModelRequest,
    rounds: u32,
    pauses: u32,
    usage: Usage,
    /// What was said before a pause: the answer goes on from there.
    begun: String,
    text: String,
    stop: Option<StopReason>,
    by: Option<String>,
}

impl Talk {
    fn begin(script: Script, tools: Vec<ToolSpec>) -> Self {
        let request = ModelRequest {
            purpose: script.purpose.to_owned(),
            account: script.account,
            boundary: script.boundary,
            system: script.system,
            messages: script.messages,
            tools,
            answers_now: script.answers_now,
            server_tools: Vec::new(),
            schema: None,
            max_output_tokens: script.max_output_tokens,
        };
        let (begun, text) = (String::new(), String::new());
        Self { request, rounds: script.rounds, pauses: PAUSES, usage: Usage::default(), begun, text, stop: None, by: None }
    }

    /// Takes an answer, and says which tools are to be called. With none to be called, either `stop` is set or the request stands
    /// to be asked again.
    fn hear(&mut self, response: ModelResponse) -> Vec<ToolCall> {
        self.usage += response.usage;
        self.by.clone_from(&response.by);
        let calls: Vec<ToolCall> = response.tool_calls().cloned().collect();
        let text = std::mem::take(&mut self.begun) + &response.text();
        let offered = self.rounds > 0 && !self.request.tools.is_empty() && !self.request.answers_now;
        let has_ended = matches!(response.stop, StopReason::Refused { .. } | StopReason::ContextFull);
        let carries_out = offered && !calls.is_empty() && !has_ended;
        let content = if carries_out || calls.is_empty() { response.content } else { without_calls(response.content) };
        if !content.is_empty() {
            self.request.messages.push(Message { role: Role::Assistant, content });
        }
        if carries_out {
            self.rounds = self.rounds.saturating_sub(1);
            return calls;
        }
        if response.stop == StopReason::Paused && self.pauses > 0 {
            self.pauses -= 1;
            self.begun = text;
        } else if offered && text.trim().is_empty() && !has_ended {
            self.ask_for_the_answer();
        } else {
            self.text = text;
            self.stop = Some(response.stop);
        }
        Vec::new()
    }

    /// What was said before a pause is the answer, cut there, when it cannot be gone on with. Whether anything was.
    fn ends_at_its_pause(&mut self) -> bool {
        self.text = std::mem::take(&mut self.begun);
        self.stop = Some(StopReason::Paused);
        !self.text.trim().is_empty()
    }

    /// Puts what the tools answered before the model.
    fn tell(&mut self, results: Vec<Content>) {
        self.request.messages.push(Message { role: Role::User, content: results });
        if self.rounds == 0 {
            self.ask_for_the_answer();
        }
    }

    /// The next call may ask for no tools and is the last one.
    fn ask_for_the_answer(&mut self) {
        self.request.answers_now = true;
        let ask = Content::Text(FINAL.trim().to_owned());
        match self.request.messages.last_mut() {
            Some(last) if last.role == Role::User => last.content.push(ask),
            _ => self.request.messages.push(Message { role: Role::User, content: vec![ask] }),
        }
    }

    fn end(self) -> Conversation {
        let stop = self.stop.unwrap_or(StopReason::Complete);
        Conversation { text: self.text, stop, usage: self.usage, messages: self.request.messages, by: self.by }
    }
}
