//! The model itself: finds outline and material in a request and answers with the report.
//!
//! Instructions in the request's texts are not read: what the report looks like stands in the outline, and nothing that
//! stands in the material can change it.

use std::collections::BTreeSet;

use async_trait::async_trait;
use yarnnn_core::llm::{
    Content, LanguageModel, LlmError, Material, ModelRequest, ModelResponse, ModelTraits, Outline, StopReason, Usage,
};

use super::group::Arranged;
use super::reflow::reflow;
use super::score::Desk;
use super::{fallback, group, select, write};

/// Bytes of an answer that count as one token; the usual rule of thumb for English.
const BYTES_PER_TOKEN: usize = 4;

/// Answers without any provider: copies the most telling sentences of the material into the sections of the outline.
///
/// Deterministic, offline and free of charge; see the [crate documentation](crate).
#[derive(Debug, Clone, Copy, Default)]
pub struct ExtractiveModel;

impl ExtractiveModel {
    /// The model; it has no settings.
    pub const fn new() -> Self {
        Self
    }

    fn answer(self, request: &ModelRequest) -> Result<ModelResponse, LlmError> {
        let outline = outline_of(request).ok_or_else(|| self.refuse("the request holds no outline"))?;
        let material: Vec<Material> = material_of(request).into_iter().map(readable).collect();
        let items: Vec<_> = material.iter().collect();
        let desk = Desk::new(outline, &items);
        let sections = select::choose(&desk);
        let mut sections: Vec<_> = sections.into_iter().map(|section| group::arrange(&desk, section)).collect();
        if sections.iter().all(Arranged::is_empty) {
            sections = fallback::newest(outline, &items).into_iter().collect();
        }
        let limit = usize::try_from(request.max_output_tokens).unwrap_or(usize::MAX).saturating_mul(BYTES_PER_TOKEN);
        let (text, complete) = write::report(&sections, limit);
        let stop = if complete { StopReason::Complete } else { StopReason::OutputLimit };
        Ok(ModelResponse::of_text(text, stop, Usage::default()))
    }

    fn refuse(self, detail: &str) -> LlmError {
        LlmError::Permanent { model: self.name(), detail: detail.to_owned() }
    }
}

#[async_trait]
impl LanguageModel for ExtractiveModel {
    fn name(&self) -> String {
        "extractive".to_owned()
    }

    fn traits(&self) -> ModelTraits {
        ModelTraits { is_local: true, ..ModelTraits::default() }
    }

    async fn complete(&self, request: &ModelRequest) -> Result<ModelResponse, LlmError> {
        self.answer(request)
    }
}

fn contents(request: &ModelRequest) -> impl Iterator<Item = &Content> {
    request.messages.iter().flat_map(|message| &message.content)
}

fn outline_of(request: &ModelRequest) -> Option<&Outline> {
    contents(request).find_map(|content| match content {
        Content::Outline(outline) => Some(outline),
        _ => None,
    })
}

/// The items that can be cited: of two with the same reference only the first, none whose reference is not a plain word.
fn material_of(request: &ModelRequest) -> Vec<&Material> {
    let mut seen = BTreeSet::new();
    let items = contents(request).filter_map(|content| match content {
        Content::Material(items) => Some(items),
        _ => None,
    });
    items.flatten().filter(|item| is_citable(&item.reference) && seen.insert(item.reference.as_str())).collect()
}

/// Mails come broken into lines of a fixed width; everything else is read as it is.
fn readable(item: &Material) -> Material {
    let mut item = item.clone();
    if item.platform == "gmail" {
        item.text = reflow(&item.text);
    }
    item
}

fn is_citable(reference: &str) -> bool {
    !reference.is_empty() && reference.chars().all(|it| it.is_ascii_alphanumeric())
}
