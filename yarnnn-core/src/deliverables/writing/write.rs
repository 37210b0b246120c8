//! Write: has the agent write a draft, sends it back once when it is no report, and lets the program's own stages revise it.

use std::sync::Arc;

use async_trait::async_trait;

use super::super::model::Deliverable;
use super::super::names::Names;
use super::super::version::{Ending, MaterialRef, Ran, RunState};
use super::draft::{Draft, DraftStage};
use super::prompt::{self, Prompts};
use super::repair::{Complaint, complaint};
use crate::agent::{Agent, AgentAnswer, AgentTask, Writing};
use crate::deliverables::gathering::material::{MaterialItem, MaterialSource};
use crate::deliverables::learning::learn;
use crate::deliverables::report::model::{Report, parse_markdown};
use crate::error::Error;
use crate::id::VersionId;
use crate::llm::{Content, LlmError, Message, Role, SpendingCaps, StopReason, ToolResult};
use crate::pipeline::{Stage, StageCx};

/// Writes drafts.
#[derive(Clone)]
pub(in crate::deliverables) struct Write {
    pub(in crate::deliverables) agent: Agent<Writing>,
    /// Reads what the agent found by itself.
    pub(in crate::deliverables) sources: Arc<dyn MaterialSource>,
    pub(in crate::deliverables) prompts: Prompts,
    pub(in crate::deliverables) revisions: Vec<DraftStage>,
}

/// What to write from.
#[derive(Clone)]
pub(in crate::deliverables) struct WriteInput {
    pub(in crate::deliverables) deliverable: Deliverable,
    pub(in crate::deliverables) version: VersionId,
    pub(in crate::deliverables) state: RunState,
    pub(in crate::deliverables) items: Vec<MaterialItem>,
    /// What tools answered before, when the run goes on or is repeated.
    pub(in crate::deliverables) journal: Vec<ToolResult>,
}

/// A draft and who wrote it.
pub(in crate::deliverables) struct Written {
    /// The draft, or why there is none and what the model said instead.
    pub(in crate::deliverables) draft: Result<Draft, NoDraft>,
    pub(in crate::deliverables) ran: Ran,
    /// Items that the writer found by itself, as the version keeps them.
    pub(in crate::deliverables) found: Vec<MaterialRef>,
    /// Those items.
    pub(in crate::deliverables) found_items: Vec<MaterialItem>,
}

/// Why there is no draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::deliverables) struct NoDraft {
    pub(in crate::deliverables) ending: Ending,
    pub(in crate::deliverables) reason: String,
    /// What the model wrote, if anything.
    pub(in crate::deliverables) raw: Option<String>,
}

#[async_trait]
impl Stage<WriteInput> for Write {
    type Output = Written;

    fn name(&self) -> &'static str {
        "write"
    }

    async fn run(&self, cx: &StageCx, input: WriteInput) -> Result<Written, Error> {
        let task = prompt::task(&self.prompts, &input.deliverable, input.version, &input.state, &input.items)?;
        let task = AgentTask { journal: input.journal.clone(), ..task };
        let gathered = input.items.len();
        let mut session = Session { write: self, cx, input, ran: Ran::default(), found: vec![] };
        session.ran.request = Some(self.agent.request(&task).digest());
        let draft = session.draft(task).await?;
        let Session { ran, found, mut input, .. } = session;
        let draft = match draft {
            Ok(text) => withheld(self.revise(cx, text).await?, &input),
            Err(none) => Err(none),
        };
        let found_items = input.items.split_off(gathered);
        Ok(Written { draft, ran, found, found_items })
    }
}

impl Write {
    async fn revise(&self, cx: &StageCx, markdown: String) -> Result<Draft, Error> {
        let mut draft = Draft { markdown };
        for revision in &self.revisions {
            draft = cx.run(revision.as_ref(), draft).await?;
        }
        if draft.markdown.trim().is_empty() {
            return Err(Error::Failed("the program's own stages left nothing of the draft".into()));
        }
        Ok(draft)
    }
}

/// One draft in the making.
struct Session<'a> {
    write: &'a Write,
    cx: &'a StageCx,
    input: WriteInput,
    ran: Ran,
    found: Vec<MaterialRef>,
}

impl Session<'_> {
    /// Asks, and asks once more when what came cannot be used or proven.
    async fn draft(&mut self, task: AgentTask) -> Result<Result<String, NoDraft>, Error> {
        let answer = match self.ask(task.clone()).await? {
            Ok(answer) => answer,
            Err(none) => return Ok(Err(none)),
        };
        let Some(complaint) = self.complaint(&answer.text).await? else { return Ok(Ok(answer.text)) };
        self.ran.repaired = true;
        let next_reference = task.next_reference + self.found.len();
        let mut known = task.known.clone();
        known.extend(self.found.iter().map(|it| (it.content_id, it.reference.clone())));
        let again = AgentTask { messages: sent_back(&answer, &complaint.text), answers_now: true, next_reference, known, ..task };
        let second = match self.ask(again).await {
            Ok(Ok(second)) => second,
            // The first draft is a report, only not a good one.
            Ok(Err(_)) if complaint.is_usable => return Ok(Ok(self.keep(answer))),
            Err(Error::Model(error)) if complaint.is_usable && !error.is_transient() => return Ok(Ok(self.keep(answer))),
            Ok(Err(none)) => return Ok(Err(none)),
            Err(error) => return Err(error),
        };
        let is_usable = self.complaint(&second.text).await?.is_none_or(|it| it.is_usable);
        let lost_its_end = answer.stop == StopReason::Complete && second.stop != StopReason::Complete;
        Ok(if complaint.is_usable && (!is_usable || lost_its_end) {
            Ok(self.keep(answer))
        } else if is_usable {
            Ok(self.keep(second))
        } else {
            Err(NoDraft {
                ending: Ending::Unusable,
                reason: format!("{} wrote no report, also when asked once more", self.ran.model),
                raw: Some(second.text),
            })
        })
    }

    /// The draft of an answer, told as what wrote it and how that ended: also when something was asked after it.
    fn keep(&mut self, answer: AgentAnswer) -> String {
        self.ran.model = answer.model;
        self.ran.stop = Some(answer.stop).filter(|it| *it != StopReason::Complete);
        answer.text
    }

    /// One answer, or why the model gave none.
    async fn ask(&mut self, task: AgentTask) -> Result<Result<AgentAnswer, NoDraft>, Error> {
        let answer = match self.write.agent.run(self.cx, task).await {
            Ok(answer) => answer,
            Err(Error::Model(error @ LlmError::ContextTooLong { .. })) => return Ok(Err(ended(Ending::ContextOverflow, &error))),
            // What one run may cost is counted for the version, and does not come back by waiting.
            Err(Error::Model(error @ LlmError::OverCap { cap: SpendingCaps::RUN, .. })) => {
                return Ok(Err(ended(Ending::OverCap, &error)));
            }
            Err(error) => return Err(error),
        };
        self.note(&answer);
        self.keep_found(&answer).await?;
        let none =
            |ending, reason: String| NoDraft { ending, reason, raw: Some(answer.text.clone()).filter(|it| !it.is_empty()) };
        let said_nothing = answer.text.trim().is_empty();
        let model = &answer.model;
        Ok(match &answer.stop {
            StopReason::Refused { detail } => {
                let why = detail.as_ref().map(|it| format!(": {it}")).unwrap_or_default();
                Err(none(Ending::Refused, format!("{model} refused to write the report{why}")))
            }
            StopReason::ContextFull => Err(none(Ending::ContextOverflow, format!("{model} could read or write no more"))),
            StopReason::OutputLimit if said_nothing => {
                Err(none(Ending::Truncated, format!("{model} reached its output limit before it wrote anything")))
            }
            StopReason::Paused if said_nothing => {
                Err(none(Ending::Truncated, format!("{model} paused again and again and wrote nothing")))
            }
            _ => Ok(answer),
        })
    }

    /// Keeps who wrote and what it used.
    fn note(&mut self, answer: &AgentAnswer) {
        self.ran.model.clone_from(&answer.model);
        self.ran.usage += answer.usage;
        self.ran.stop = Some(answer.stop.clone()).filter(|it| *it != StopReason::Complete);
    }

    /// Keeps what tools have found, in the revisions that are stored now.
    async fn keep_found(&mut self, answer: &AgentAnswer) -> Result<(), Error> {
        let ids: Vec<_> = answer.found.iter().map(|(_, id)| *id).collect();
        let items = self.write.sources.items(self.input.deliverable.user, &ids).await?;
        for (reference, id) in &answer.found {
            let Some(item) = items.iter().find(|it| it.id == *id) else { continue };
            self.found.push(item.referred(reference));
            self.input.items.push(item.clone());
        }
        Ok(())
    }

    async fn complaint(&self, draft: &str) -> Result<Option<Complaint>, Error> {
        let mut state = self.input.state.clone();
        state.found.clone_from(&self.found);
        complaint(self.cx, draft, &state, &self.input.items).await
    }
}

/// The draft without what was copied from its owner's wishes, when others receive it too.
fn withheld(draft: Draft, input: &WriteInput) -> Result<Draft, NoDraft> {
    if input.state.stays_with_owner || input.state.learned.is_empty() {
        return Ok(draft);
    }
    let (markdown, dropped) = learn::without_wishes(&draft.markdown, &input.state.learned, &input.items);
    if dropped == 0 {
        return Ok(draft);
    }
    tracing::warn!(version = %input.version, dropped, "lines of a draft were copied from its owner's wishes and are left out");
    if Report::statements_of(&parse_markdown(&markdown, &Names::of(&input.items))).is_empty() {
        let reason = "the draft had nothing but what its owner wishes".to_owned();
        return Err(NoDraft { ending: Ending::Unusable, reason, raw: Some(draft.markdown) });
    }
    Ok(Draft { markdown })
}

/// The conversation so far, and what is wrong with its last turn.
fn sent_back(answer: &AgentAnswer, complaint: &str) -> Vec<Message> {
    let mut messages = answer.messages.clone();
    let complaint = Content::Text(complaint.to_owned());
    match messages.last_mut() {
        // An answer of nothing has left no turn: two of the program's own in a row are one.
        Some(last) if last.role == Role::User => last.content.push(complaint),
        _ => messages.push(Message { role: Role::User, content: vec![complaint] }),
    }
    messages
}

fn ended(ending: Ending, error: &LlmError) -> NoDraft {
    NoDraft { ending, reason: error.to_string(), raw: None }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::agent::{MockLibrary, Registry, WritingMeans};
    use crate::deliverables::testing::{item, state_of};
    use crate::deliverables::{DeliverableOrigin, DeliverableStatus, Destination, ReportOptions, ReportType, TriggerType};
    use crate::id::{DeliverableId, UserId};
    use crate::llm::{LanguageModel, ModelRequest, ModelResponse, ModelTraits, Usage};
    use crate::search::MockSearchIndex;
    use crate::sync::MockContentStore;
    use crate::testing::FixedClock;

    const GOOD: &str = "## Done\n\n- The launch of the new site moved to Friday noon [s1].\n";
    const UNPROVEN: &str = "## Done\n\n- Nobody has ever heard of any of this before [s1].\n";
    const NO_REPORT: &str = "{\"report\": 1}";

    /// Answers with each of these in turn.
    #[derive(Debug)]
    struct Turns(Mutex<Vec<(&'static str, StopReason)>>);

    #[async_trait]
    impl LanguageModel for Turns {
        fn name(&self) -> String {
            format!("test/{}", self.0.lock().unwrap().len())
        }

        fn traits(&self) -> ModelTraits {
            ModelTraits::default()
        }

        async fn complete(&self, _request: &ModelRequest) -> Result<ModelResponse, LlmError> {
            let (text, stop) = self.0.lock().unwrap().remove(0);
            Ok(ModelResponse::of_text(text, stop, Usage::default()))
        }
    }

    fn input() -> WriteInput {
        let items = vec![item("The launch of the new site moved to Friday noon.")];
        let state = state_of(&items);
        let deliverable = Deliverable {
            id: DeliverableId::from_uuid(uuid::Uuid::from_u128(1)),
            user: UserId::LOCAL,
            title: "Digest".into(),
            description: None,
            report_type: ReportType::stored("status_report".into()),
            sources: vec![],
            destinations: vec![Destination::Folder { path: None }],
            options: ReportOptions::default(),
            origin: DeliverableOrigin::UserConfigured,
            trigger: TriggerType::Manual,
            schedule: None,
            status: DeliverableStatus::Active,
            next_run_at: None,
            last_run_at: None,
            created_at: state.as_of,
            updated_at: state.as_of,
        };
        WriteInput { deliverable, version: VersionId::from_uuid(uuid::Uuid::from_u128(2)), state, items, journal: vec![] }
    }

    async fn written(turns: &[(&'static str, StopReason)]) -> Written {
        let means = WritingMeans {
            content: Arc::new(MockContentStore::new()),
            search: Arc::new(MockSearchIndex::new()),
            library: Arc::new(MockLibrary::new()),
        };
        let input = input();
        let write = Write {
            agent: Agent::new(Arc::new(Turns(Mutex::new(turns.to_vec()))), means, Registry::writing()),
            sources: Arc::new(input.items.clone()),
            prompts: Prompts::default(),
            revisions: vec![],
        };
        let cx = StageCx::new(Arc::new(FixedClock::at(input.state.as_of)));
        write.run(&cx, input).await.unwrap()
    }

    #[tokio::test]
    async fn what_is_told_of_a_draft_is_told_of_the_one_that_is_kept() {
        use StopReason::{Complete, OutputLimit};
        let refused = StopReason::Refused { detail: None };
        let cases = [
            // A whole draft is better than the beginning of another, and than none.
            ([(UNPROVEN, Complete), (GOOD, OutputLimit)], UNPROVEN, 1, None),
            ([(UNPROVEN, Complete), ("", refused)], UNPROVEN, 1, None),
            ([(UNPROVEN, OutputLimit), (NO_REPORT, Complete)], UNPROVEN, 1, Some(OutputLimit)),
            ([(UNPROVEN, OutputLimit), (GOOD, Complete)], GOOD, 0, None),
            ([(UNPROVEN, Complete), (GOOD, Complete)], GOOD, 0, None),
            ([(NO_REPORT, Complete), (GOOD, OutputLimit)], GOOD, 0, Some(OutputLimit)),
        ];
        for (turns, kept, left, stop) in cases {
            let it = written(&turns).await;
            let (draft, model) = (it.draft.unwrap().markdown, format!("test/{left}"));
            assert_eq!((draft.as_str(), it.ran.model, it.ran.stop), (kept, model, stop), "{turns:?}");
            assert!(it.ran.repaired);
        }
    }
}
