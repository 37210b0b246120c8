//! Write: asks the model for a draft, and lets the program's own stages revise it.

use std::sync::Arc;

use async_trait::async_trait;

use super::draft::{Draft, DraftStage};
use super::model::Deliverable;
use super::prompt;
use super::version::{Ran, RunState};
use crate::error::Error;
use crate::id::VersionId;
use crate::llm::{LanguageModel, StopReason};
use crate::pipeline::{Stage, StageCx};
use crate::sync::StoredItem;

/// Writes drafts.
#[derive(Clone)]
pub(super) struct Write {
    pub(super) model: Arc<dyn LanguageModel>,
    pub(super) revisions: Vec<DraftStage>,
}

/// What to write from.
pub(super) struct WriteInput {
    pub(super) deliverable: Deliverable,
    pub(super) version: VersionId,
    pub(super) state: RunState,
    pub(super) items: Vec<StoredItem>,
}

/// A draft and who wrote it.
pub(super) struct Written {
    pub(super) draft: Draft,
    pub(super) ran: Ran,
}

#[async_trait]
impl Stage<WriteInput> for Write {
    type Output = Written;

    fn name(&self) -> &'static str {
        "write"
    }

    async fn run(&self, cx: &StageCx, input: WriteInput) -> Result<Written, Error> {
        let request = prompt::request(&input.deliverable, input.version, &input.state, &input.items)?;
        let digest = request.digest();
        let response = self.model.complete(&request).await?;
        if response.stop == StopReason::OutputLimit {
            tracing::warn!(model = self.model.name(), "the draft reached the output limit and may be cut");
        }
        let mut draft = Draft { markdown: response.text() };
        for revision in &self.revisions {
            draft = cx.run(revision.as_ref(), draft).await?;
        }
        if draft.markdown.trim().is_empty() {
            return Err(Error::Failed(format!("the model {} wrote an empty draft", self.model.name())));
        }
        Ok(Written { draft, ran: Ran { model: self.model.name(), request: Some(digest), usage: response.usage } })
    }
}
