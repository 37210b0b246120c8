//! Reason: the one call of a pass.

use super::outcome::PassStatus;
use super::parse::{Answer, parse};
use crate::error::Error;
use crate::llm::{LanguageModel, LlmError, ModelRequest, ModelResponse, StopReason};

/// What a question came to.
pub(super) struct Reasoned {
    pub(super) answer: Answer,
    pub(super) status: PassStatus,
    pub(super) error: Option<String>,
    pub(super) model: String,
}

/// Asks once. What a model will not say, or says so that nobody can read it, is no action, by name.
///
/// # Errors
/// What may pass, unless this is the last try.
pub(super) async fn ask(model: &dyn LanguageModel, request: &ModelRequest, last_try: bool) -> Result<Reasoned, Error> {
    match model.complete(request).await {
        Ok(response) => Ok(read(model, &response)),
        Err(error) if may_pass(&error) && !last_try => Err(error.into()),
        Err(error) => Ok(none(model.name(), error.to_string())),
    }
}

const fn may_pass(error: &LlmError) -> bool {
    error.is_transient()
}

fn read(model: &dyn LanguageModel, response: &ModelResponse) -> Reasoned {
    let name = response.by.clone().unwrap_or_else(|| model.name());
    if let StopReason::Refused { detail } = &response.stop {
        let why = detail.as_ref().map(|it| format!(": {it}")).unwrap_or_default();
        return none(name, format!("the model refused to answer{why}"));
    }
    match parse(&response.text()) {
        Ok(answer) => Reasoned { answer, status: PassStatus::Completed, error: None, model: name },
        Err(problem) if response.stop == StopReason::OutputLimit => none(name, format!("{problem}: it was cut")),
        Err(problem) => none(name, problem),
    }
}

fn none(model: String, error: String) -> Reasoned {
    Reasoned { answer: Answer::default(), status: PassStatus::Failed, error: Some(error), model }
}
