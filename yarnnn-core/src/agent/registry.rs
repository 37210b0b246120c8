//! The tools of a kind of session.

use std::fmt;
use std::sync::Arc;

use super::modes;
use super::primitive::Primitive;
use super::session::{Research, Session, Writing};
use super::tools::{GetSystemState, List, Read, ReadPage, Search, SearchWeb};
use crate::llm::ToolSpec;

/// The tools of one kind of session, in the order in which they are offered. The table of modes has the last word: what it does
/// not list for the session is not offered and not found.
///
/// A tool carries nothing of its own that it could reach out or write with: it is `Copy`, which nothing is that holds a store or
/// a client.
///
/// ```compile_fail
/// use yarnnn_core::agent::{Primitive, Registry, Writing};
/// fn give<T: Primitive<Writing> + Clone>(tool: T) -> Registry<Writing> {
///     Registry::default().with(tool)
/// }
/// ```
///
/// ```
/// use yarnnn_core::agent::{Primitive, Registry, Writing};
/// fn give<T: Primitive<Writing> + Copy>(tool: T) -> Registry<Writing> {
///     Registry::default().with(tool)
/// }
/// ```
pub struct Registry<S: Session> {
    tools: Vec<(ToolSpec, Arc<dyn Primitive<S>>)>,
}

impl<S: Session> Registry<S> {
    /// With one more tool. A second one of the same name takes the place of the first.
    #[must_use]
    pub fn with<P: Primitive<S> + Copy>(mut self, tool: P) -> Self {
        let spec = tool.spec();
        self.tools.retain(|(it, _)| it.name != spec.name);
        self.tools.push((spec, Arc::new(tool)));
        self
    }

    /// What the model is told.
    pub fn specs(&self) -> Vec<ToolSpec> {
        self.allowed().map(|(spec, _)| spec.clone()).collect()
    }

    /// The tool of this name.
    pub(super) fn find(&self, name: &str) -> Option<(&ToolSpec, &dyn Primitive<S>)> {
        self.allowed().find(|(spec, _)| spec.name == name).map(|(spec, tool)| (spec, tool.as_ref()))
    }

    fn allowed(&self) -> impl Iterator<Item = &(ToolSpec, Arc<dyn Primitive<S>>)> {
        self.tools.iter().filter(|(spec, _)| modes::allows(&spec.name, S::KIND))
    }
}

impl Registry<Writing> {
    /// Everything a writing session has.
    pub fn writing() -> Self {
        Self::default().with(Search).with(Read).with(List).with(GetSystemState)
    }
}

impl Registry<Research> {
    /// Everything a research session has, with or without what reads pages.
    pub fn research(reads_pages: bool) -> Self {
        let tools = Self::default().with(SearchWeb);
        if reads_pages { tools.with(ReadPage) } else { tools }
    }
}

impl<S: Session> Default for Registry<S> {
    fn default() -> Self {
        Self { tools: Vec::new() }
    }
}

impl<S: Session> Clone for Registry<S> {
    fn clone(&self) -> Self {
        Self { tools: self.tools.clone() }
    }
}

impl<S: Session> fmt::Debug for Registry<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.allowed().map(|(spec, _)| &spec.name)).finish()
    }
}
