//! The request that a report is written from. Its text lives in `prompts/`; synced content enters only as material.

use std::collections::HashMap;

use minijinja::{Environment, UndefinedBehavior, context};

use super::model::Deliverable;
use super::render::words;
use super::version::RunState;
use crate::agent::material_of;
use crate::error::Error;
use crate::id::VersionId;
use crate::llm::{Boundary, CallAccount, Content, Material, Message, ModelRequest, Outline, Role};
use crate::sync::StoredItem;

const SYSTEM: &str = include_str!("prompts/system.md");
const REPORT: &str = include_str!("prompts/report.md");
/// Upper bound of a draft (dossier §6.7).
const MAX_OUTPUT_TOKENS: u32 = 4_000;

/// Builds the request for a report over the given items, in the order of `state.material`.
pub(super) fn request(
    deliverable: &Deliverable,
    version: VersionId,
    state: &RunState,
    items: &[StoredItem],
) -> Result<ModelRequest, Error> {
    let instructions = instructions(deliverable, state)?;
    let content = vec![
        Content::Text(instructions),
        Content::Outline(outline(deliverable, state)),
        Content::Material(material(state, items)),
    ];
    Ok(ModelRequest {
        purpose: "deliverables.write".into(),
        account: CallAccount { user: deliverable.user, deliverable: Some(deliverable.id), version: Some(version) },
        boundary: Boundary::of(version.as_uuid().as_bytes()),
        system: SYSTEM.trim().to_owned(),
        messages: vec![Message { role: Role::User, content }],
        tools: vec![],
        server_tools: vec![],
        schema: None,
        max_output_tokens: MAX_OUTPUT_TOKENS,
    })
}

fn instructions(deliverable: &Deliverable, state: &RunState) -> Result<String, Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    let context = context! {
        kind => deliverable.report_type.kind().label().to_lowercase(),
        title => deliverable.title.clone(),
        description => deliverable.description.clone(),
        period => words::period(state.window, deliverable.timezone()),
        window_moved => state.window_moved,
        research => state.binding.has_research_directive(),
    };
    environment
        .render_str(REPORT, context)
        .map_err(|error| Error::Failed(format!("the report prompt cannot be rendered: {error}")))
}

fn outline(deliverable: &Deliverable, state: &RunState) -> Outline {
    let profile = deliverable.profile();
    Outline {
        report_type: deliverable.report_type.kind().as_str().to_owned(),
        title: deliverable.title.clone(),
        subject: deliverable.description.clone(),
        grouping: profile.grouping,
        sections: profile.sections,
        max_statements: profile.max_statements,
        timezone: deliverable.timezone().name().to_owned(),
        as_of: state.as_of,
    }
}

fn material(state: &RunState, items: &[StoredItem]) -> Vec<Material> {
    let by_id: HashMap<_, _> = items.iter().map(|it| (it.id, it)).collect();
    let cited = state.material.iter().filter_map(|it| by_id.get(&it.content_id).map(|item| (it, *item)));
    cited.map(|(reference, item)| material_of(&reference.reference, item)).collect()
}
