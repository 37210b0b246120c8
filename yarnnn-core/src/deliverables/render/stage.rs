//! The stage that renders.

use super::{assemble, html, markdown};
use async_trait::async_trait;

use super::super::material::MaterialItem;
use super::super::model::Deliverable;
use super::super::report::Report;
use super::super::version::Version;
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
pub(in super::super) struct Render;

/// A verified version and what it stands on.
pub(in super::super) struct RenderInput {
    pub(in super::super) deliverable: Deliverable,
    pub(in super::super) version: Version,
    pub(in super::super) sentences: Vec<SentenceRecord>,
    pub(in super::super) items: Vec<MaterialItem>,
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
