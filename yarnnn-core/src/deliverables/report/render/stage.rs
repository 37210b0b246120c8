//! The stage that renders.

use super::{assemble, html, markdown};
use async_trait::async_trait;

use super::super::model::Report;
use crate::deliverables::gathering::material::MaterialItem;
use crate::deliverables::model::Deliverable;
use crate::deliverables::version::Version;
use crate::error::Error;
use crate::evidence::SentenceRecord;
use crate::pipeline::{Stage, StageCx};

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
    /// As chat text.
    pub chat: String,
}

/// Renders reports.
#[derive(Debug, Clone, Copy)]
pub(in crate::deliverables) struct Render;

/// A verified version and what it stands on.
pub(in crate::deliverables) struct RenderInput {
    pub(in crate::deliverables) deliverable: Deliverable,
    pub(in crate::deliverables) version: Version,
    pub(in crate::deliverables) sentences: Vec<SentenceRecord>,
    pub(in crate::deliverables) items: Vec<MaterialItem>,
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
        Ok(RenderedReport {
            markdown: markdown::markdown(&report),
            text: markdown::plain(&report),
            chat: markdown::chat(&report),
            html,
            report,
        })
    }
}
