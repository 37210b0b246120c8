//! Render: a verified draft becomes a report, and the report Markdown, HTML, plain text and a mail.
//!
//! Everything that comes from a source or a model is escaped; nothing remote is loaded; there is no script.

mod assemble;
mod html;
mod markdown;
pub(super) mod words;

use async_trait::async_trait;

use super::model::Deliverable;
use super::report::Report;
use super::version::Version;
use crate::error::Error;
use crate::evidence::SentenceRecord;
use crate::pipeline::{Stage, StageCx};
use crate::sync::StoredItem;

/// A report in all its forms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedReport {
    /// The report as structure.
    pub report: Report,
    /// As Markdown.
    pub markdown: String,
    /// As a page that mail clients and browsers show alike.
    pub html: String,
    /// As plain text.
    pub text: String,
}

/// Renders reports.
#[derive(Debug, Clone, Copy)]
pub(super) struct Render;

/// A verified version and what it stands on.
pub(super) struct RenderInput {
    pub(super) deliverable: Deliverable,
    pub(super) version: Version,
    pub(super) sentences: Vec<SentenceRecord>,
    pub(super) items: Vec<StoredItem>,
}

#[async_trait]
impl Stage<RenderInput> for Render {
    type Output = RenderedReport;

    fn name(&self) -> &'static str {
        "render"
    }

    async fn run(&self, _cx: &StageCx, input: RenderInput) -> Result<RenderedReport, Error> {
        let report = assemble::assemble(&input);
        let html = html::html(&report)?;
        Ok(RenderedReport { markdown: markdown::markdown(&report), text: markdown::plain(&report), html, report })
    }
}
