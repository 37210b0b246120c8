//! The kinds of session. What a session can do is a question of types, never of a flag.

use super::modes::SessionKind;
use super::research::{ResearchMeans, ResearchWorld};
use super::writing::{WritingMeans, WritingWorld};

mod sealed {
    pub trait Sealed {}
}

/// A kind of session: which world its tools see. Sealed: a session that both reads synced content and reaches out cannot be
/// added from elsewhere.
///
/// A tool is made for one kind ([`Primitive`](super::Primitive)), and a [`Registry`](super::Registry) takes only tools of its
/// own kind, so a search of the web cannot stand among the tools of a writing session:
///
/// ```compile_fail
/// use yarnnn_core::agent::{Registry, SearchWeb, Writing};
/// Registry::<Writing>::default().with(SearchWeb);
/// ```
///
/// In a research session it can:
///
/// ```
/// use yarnnn_core::agent::{Registry, SearchWeb, Research};
/// Registry::<Research>::default().with(SearchWeb);
/// ```
///
/// Nor can a tool that reads synced content stand among those of a research session:
///
/// ```compile_fail
/// use yarnnn_core::agent::{Registry, Read, Research};
/// Registry::<Research>::default().with(Read);
/// ```
///
/// ```
/// use yarnnn_core::agent::{Registry, Read, Writing};
/// Registry::<Writing>::default().with(Read);
/// ```
///
/// Synced content enters an [`AgentTask`](super::AgentTask); a research session takes none:
///
/// ```compile_fail
/// use yarnnn_core::{Error, agent::{Agent, AgentTask, Research}, pipeline::StageCx};
/// async fn ask(agent: Agent<Research>, cx: &StageCx, task: AgentTask) -> Result<(), Error> {
///     agent.run(cx, task).await.map(|_| ())
/// }
/// ```
///
/// ```
/// use yarnnn_core::{Error, agent::{Agent, AgentTask, Writing}, pipeline::StageCx};
/// async fn ask(agent: Agent<Writing>, cx: &StageCx, task: AgentTask) -> Result<(), Error> {
///     agent.run(cx, task).await.map(|_| ())
/// }
/// ```
pub trait Session: sealed::Sealed + Send + Sync + 'static {
    /// What the sessions of an agent have in common: stores, or what reaches the web.
    type Means: Send + Sync + 'static;
    /// What the tools of one session see.
    type World: Send + Sync;
    /// Its name in the table of modes.
    const KIND: SessionKind;
}

/// Has read synced content: its tools read what belongs to the user, and nothing reaches out.
#[derive(Debug, Clone, Copy)]
pub enum Writing {}

impl sealed::Sealed for Writing {}

impl Session for Writing {
    type Means = WritingMeans;
    type World = WritingWorld;
    const KIND: SessionKind = SessionKind::Writing;
}

/// Reaches out: it sees the approved fields of its brief and what it finds on the web, and nothing that was synced.
#[derive(Debug, Clone, Copy)]
pub enum Research {}

impl sealed::Sealed for Research {}

impl Session for Research {
    type Means = ResearchMeans;
    type World = ResearchWorld;
    const KIND: SessionKind = SessionKind::Research;
}
