//! Replay: writes a version again from its capsule, without network. With another model or another wording it goes its own way
//! from the first message that differs.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::super::run::Deliverables;
use super::super::version::RunState;
use super::capsule::{Capsule, CapsuleMessage, Exchange};
use crate::deliverables::report::render::{Render, RenderInput};
use crate::deliverables::report::verify::{Verify, VerifyInput};
use crate::deliverables::sending::queue::messages;
use crate::deliverables::writing::draft::Draft;
use crate::deliverables::writing::prompt::Prompts;
use crate::deliverables::writing::write::{Write, WriteInput};
use crate::error::Error;
use crate::id::UserId;
use crate::llm::{CallAccount, Content, LanguageModel, LlmError, ModelRequest, ModelResponse, ModelTraits, ToolResult, Usage};
use crate::pipeline::StageCx;

/// What the calls of forks are for, in the ledger.
const FORK: &str = "deliverables.fork";
/// Longest piece of a line that is shown where requests differ, in characters.
const SHOWN: usize = 160;

/// What to do differently.
#[derive(Debug, Clone, Default)]
pub struct Fork {
    /// Models that answer the same whenever they are asked, for runs that they wrote: nothing of those is recorded.
    pub local: Vec<Arc<dyn LanguageModel>>,
    /// Answers from the first request on that was not recorded; none to fail there.
    pub model: Option<Arc<dyn LanguageModel>>,
    /// Asks with this; none for what is built in.
    pub prompts: Option<Prompts>,
}

/// What came of a replay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// The Markdown that was delivered.
    pub before: String,
    /// The Markdown as it is written now.
    pub after: String,
    /// The first message that was not asked of the same model before, in words; none when every request was recorded.
    pub parted: Option<String>,
    /// What is not the same byte for byte: `draft`, `report`, a message by its key. Empty for a faithful replay.
    pub differing: Vec<String>,
    /// Calls that were answered from the capsule.
    pub recorded_calls: u32,
    /// What the calls used that were not.
    pub usage: Usage,
}

impl Deliverables {
    /// Writes a version again from its capsule.
    ///
    /// # Errors
    /// `Failed` names the first message that differs when a request was not recorded and no model is given; those of that model.
    pub async fn replay(&self, cx: &StageCx, user: UserId, capsule: &Capsule, fork: Fork) -> Result<Replayed, Error> {
        // Whatever the file says: it is repeated for who asks, and nobody else's content is read.
        let mut capsule = capsule.clone();
        capsule.deliverable.user = user;
        let capsule = &capsule;
        let recorded = Arc::new(Recording::new(capsule, user, &fork));
        let deliverable = capsule.deliverable();
        let gathered = gathered(&capsule.version.state);
        let (draft, state) = if gathered.quiet {
            (String::new(), gathered)
        } else {
            let write = Write {
                agent: self.parts.writer.with_model(recorded.clone()),
                sources: Arc::new(capsule.items.clone()),
                prompts: fork.prompts.unwrap_or_else(|| self.parts.prompts.clone()),
                revisions: self.parts.revisions.clone(),
            };
            let input = WriteInput {
                deliverable: deliverable.clone(),
                version: capsule.version.id,
                state: gathered.clone(),
                items: capsule.items.clone(),
                journal: journal(&capsule.exchanges),
            };
            let written = cx.run(&write, input).await?;
            let draft = written.draft.map_err(|none| Error::Failed(none.reason))?.markdown;
            (draft, RunState { ran: Some(written.ran), found: written.found, ..gathered })
        };
        let input = VerifyInput { draft: Draft { markdown: draft.clone() }, state: state.clone(), items: capsule.items.clone() };
        let verified = cx.run(&Verify, input).await?;
        let version = capsule.version(draft.clone(), RunState { tally: Some(verified.tally), ..state });
        let (sentences, items) = (verified.sentences, capsule.items.clone());
        let input = RenderInput { deliverable: deliverable.clone(), version: version.clone(), sentences, items };
        let rendered = cx.run(&Render, input).await?;
        let written = messages(&deliverable, &version, &rendered, &self.parts.ways, self.parts.ids.as_ref())?.into_iter();
        let written: Vec<_> =
            written.map(|it| CapsuleMessage { key: it.key, channel: it.channel, target: it.target, files: it.files }).collect();
        let heard = recorded.heard();
        Ok(Replayed {
            differing: differing(capsule, &draft, &rendered.markdown, &written),
            before: capsule.version.final_content.clone(),
            after: rendered.markdown,
            parted: heard.parted,
            recorded_calls: heard.recorded,
            usage: heard.usage,
        })
    }
}

/// The state as it was before anything was written.
fn gathered(state: &RunState) -> RunState {
    RunState { found: vec![], ran: None, tally: None, ending: None, ..state.clone() }
}

/// What tools answered, in order: the request that was made last in the longest conversation has all of it.
pub(in crate::deliverables) fn journal(exchanges: &[Exchange]) -> Vec<ToolResult> {
    let results = |exchange: &Exchange| -> Vec<ToolResult> {
        let content = exchange.request.messages.iter().flat_map(|it| &it.content);
        let results = content.filter_map(|it| match it {
            Content::ToolResult(result) => Some(result.clone()),
            _ => None,
        });
        results.collect()
    };
    exchanges.iter().map(results).max_by_key(Vec::len).unwrap_or_default()
}

fn differing(capsule: &Capsule, draft: &str, report: &str, messages: &[CapsuleMessage]) -> Vec<String> {
    let mut differing = Vec::new();
    differing.extend((capsule.version.draft != draft).then(|| "draft".to_owned()));
    differing.extend((capsule.version.final_content != report).then(|| "report".to_owned()));
    for message in &capsule.messages {
        let same = messages.iter().any(|it| it.key == message.key && it.channel == message.channel && it.files == message.files);
        differing.extend((!same).then(|| message.key.clone()));
    }
    let known = |it: &&CapsuleMessage| capsule.messages.iter().any(|known| known.key == it.key);
    differing.extend(messages.iter().filter(|it| !known(it)).map(|it| it.key.clone()));
    differing
}

/// Answers what was asked before with what was answered then.
#[derive(Debug)]
struct Recording {
    name: String,
    exchanges: Vec<Exchange>,
    live: Option<Arc<dyn LanguageModel>>,
    /// The model that wrote the run, if it answers the same whenever it is asked.
    local: Option<Arc<dyn LanguageModel>>,
    user: UserId,
    heard: Mutex<Heard>,
}

/// What a recording was asked.
#[derive(Debug, Clone, Default)]
struct Heard {
    recorded: u32,
    parted: Option<String>,
    usage: Usage,
}

impl Recording {
    fn new(capsule: &Capsule, user: UserId, fork: &Fork) -> Self {
        let name = capsule.version.state.ran.as_ref().map(|it| it.model.clone()).unwrap_or_default();
        let live = fork.model.clone();
        let local = fork.local.iter().find(|it| it.name() == name && capsule.exchanges.is_empty()).cloned();
        Self { name, exchanges: capsule.exchanges.clone(), live, local, user, heard: Mutex::default() }
    }

    fn heard(&self) -> Heard {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes a request and answers it if it was recorded. After the first that was not, nothing is answered from the recording.
    fn recall(&self, request: &ModelRequest) -> Option<ModelResponse> {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        if heard.parted.is_none() {
            let digest = request.digest();
            let known = self.exchanges.iter().find(|it| it.request.digest() == digest);
            // Another model is asked everything anew, also where it is asked the same.
            let other = self.live.as_ref().map(|it| it.name()).filter(|it| *it != self.name);
            match (known, other) {
                (Some(_), Some(other)) => {
                    heard.parted = Some(format!("call 1: {other} is asked instead of {}", self.name));
                    return None;
                }
                (Some(known), None) => {
                    heard.recorded += 1;
                    return Some(known.response.clone());
                }
                (None, _) => {}
            }
            let at = usize::try_from(heard.recorded).unwrap_or(usize::MAX);
            heard.parted = Some(self.exchanges.get(at).map_or_else(
                || format!("call {} was not made then", at + 1),
                |known| format!("call {}: {}", at + 1, first_difference(&known.request, request)),
            ));
        }
        None
    }
}

#[async_trait]
impl LanguageModel for Recording {
    fn name(&self) -> String {
        match (&self.live, self.heard().parted) {
            (Some(live), Some(_)) => live.name(),
            _ => self.name.clone(),
        }
    }

    fn traits(&self) -> ModelTraits {
        if let Some(local) = &self.local {
            return local.traits();
        }
        let uses_tools = self.exchanges.first().is_none_or(|it| !it.request.tools.is_empty());
        ModelTraits { uses_tools, ..ModelTraits::default() }
    }

    async fn complete(&self, request: &ModelRequest) -> Result<ModelResponse, LlmError> {
        if let (Some(local), None) = (&self.local, &self.live) {
            return local.complete(request).await;
        }
        if let Some(response) = self.recall(request) {
            return Ok(response);
        }
        let Some(live) = &self.live else {
            let detail = format!("this was not asked then. {}", self.heard().parted.unwrap_or_default());
            return Err(LlmError::Permanent { model: self.name.clone(), detail });
        };
        // On the account of who asks, and of no version: what a fork is answered is no part of the run that it left.
        let account = CallAccount::of(self.user);
        let response = live.complete(&ModelRequest { account, purpose: FORK.to_owned(), ..request.clone() }).await?;
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).usage += response.usage;
        Ok(response)
    }
}

/// The first message in which two requests differ, with its first line that does.
fn first_difference(recorded: &ModelRequest, asked: &ModelRequest) -> String {
    if recorded.system != asked.system {
        return format!("the system message differs first, in {}", first_line(&recorded.system, &asked.system));
    }
    if recorded.tools != asked.tools {
        return "the tools differ first".to_owned();
    }
    let (old, new) = (&recorded.messages, &asked.messages);
    for index in 0..old.len().max(new.len()) {
        let text = |messages: &[crate::llm::Message], boundary| messages.get(index).map(|it| it.render(boundary));
        match (text(old, &recorded.boundary), text(new, &asked.boundary)) {
            (Some(old), Some(new)) if old == new => {}
            (Some(old), Some(new)) => return format!("message {} differs first, in {}", index + 1, first_line(&old, &new)),
            (None, _) => return format!("message {} was not there then", index + 1),
            (_, None) => return format!("message {} is not there now", index + 1),
        }
    }
    "its bounds differ".to_owned()
}

fn first_line(old: &str, new: &str) -> String {
    let (mut old, mut new) = (old.lines(), new.lines());
    for number in 1_usize.. {
        match (old.next(), new.next()) {
            (None, None) => break,
            (left, right) if left != right => {
                let shown = |line: Option<&str>| line.map_or("(no such line)".to_owned(), |it| it.chars().take(SHOWN).collect());
                return format!("line {number}:\n  then: {}\n  now:  {}", shown(left), shown(right));
            }
            _ => {}
        }
    }
    "the ends of its lines".to_owned()
}
