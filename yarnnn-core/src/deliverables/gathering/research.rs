//! Research: looks up on the web what the configuration of a report asks for. Nothing that was synced takes part.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::super::model::Deliverable;
use super::super::version::Version;
use crate::agent::{Agent, Findings, NewWebPage, Research, ResearchBrief, ResearchFields, ResearchTask};
use crate::error::Error;
use crate::id::{ContentId, IdGen};
use crate::llm::{Boundary, CallAccount};
use crate::pipeline::{Stage, StageCx};

/// Searches of one report, at most (dossier §6.6: two to four).
const MAX_SEARCHES: u32 = 4;
/// Rounds of one session: searches and pages.
const ROUNDS: u32 = 6;
const MAX_OUTPUT_TOKENS: u32 = 1_000;

/// Looks things up.
#[derive(Clone)]
pub(in crate::deliverables) struct Look {
    pub(in crate::deliverables) agent: Agent<Research>,
}

/// For which report.
pub(in crate::deliverables) struct LookInput {
    account: CallAccount,
    boundary: Boundary,
    brief: ResearchBrief,
    at: DateTime<Utc>,
}

impl LookInput {
    /// Only the configuration goes in: what its owner wrote.
    pub(in crate::deliverables) fn of(deliverable: &Deliverable, version: &Version) -> Self {
        let fields = ResearchFields {
            title: deliverable.title.clone(),
            description: deliverable.description.clone(),
            ..ResearchFields::default()
        };
        Self {
            account: CallAccount {
                deliverable: Some(deliverable.id),
                version: Some(version.id),
                ..CallAccount::of(deliverable.user)
            },
            boundary: Boundary::of(version.id.as_uuid().as_bytes()),
            brief: ResearchBrief::new(&fields),
            at: version.state.as_of,
        }
    }
}

#[async_trait]
impl Stage<LookInput> for Look {
    type Output = Findings;

    fn name(&self) -> &'static str {
        "research"
    }

    async fn run(&self, cx: &StageCx, input: LookInput) -> Result<Findings, Error> {
        let task = ResearchTask {
            account: input.account,
            boundary: input.boundary,
            brief: input.brief,
            at: input.at,
            rounds: ROUNDS,
            max_searches: MAX_SEARCHES,
            max_output_tokens: MAX_OUTPUT_TOKENS,
        };
        self.agent.run(cx, task).await
    }
}

/// The pages that were found, as they are kept.
pub(in crate::deliverables) fn pages(findings: Findings, ids: &dyn IdGen) -> Vec<NewWebPage> {
    let keep = |it: crate::agent::Finding| {
        let page = it.page;
        let id = ContentId::fresh(ids);
        NewWebPage { id, url: page.url, title: page.title, content: page.text, fetched_at: page.fetched_at }
    };
    findings.pages.into_iter().map(keep).filter(|it| !it.content.trim().is_empty()).collect()
}
