//! Parse: what a model answered, read as far as it can be. What cannot be read is no action, and never an error of the program.

use serde_json::Value;

use super::outcome::{ActionKind, DropReason, Dropped};
use crate::deliverables::plain_line;

/// Actions of one answer that are looked at.
const MOST_ACTIONS: usize = 20;
/// Characters of the texts that are kept (dossier §5.4).
const TITLE_CHARS: usize = 120;
const DESCRIPTION_CHARS: usize = 500;
const REASONING_CHARS: usize = 1_000;
const SUMMARY_CHARS: usize = 500;

/// What a model answered.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Answer {
    pub(super) actions: Vec<Asked>,
    /// What it named that is no action.
    pub(super) dropped: Vec<Dropped>,
    /// How many actions it named, `no_action` left out.
    pub(super) named: u32,
    pub(super) reasoning: String,
}

/// An action as a model named it. Texts are bounded lines; refs are looked up later.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Asked {
    pub(super) kind: ActionKind,
    pub(super) signal: String,
    pub(super) report_type: String,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) confidence: f64,
    pub(super) about: Vec<String>,
    pub(super) entity: String,
    pub(super) sources: Vec<String>,
    pub(super) deliverable: Option<String>,
    pub(super) reasoning: String,
}

impl Asked {
    /// What it is called in what is told of the pass.
    pub(super) fn what(&self) -> String {
        let target = self.deliverable.as_deref().unwrap_or(&self.report_type);
        plain_line(&format!("{} {target}: {}", self.kind.as_str(), self.title), 200)
    }
}

/// Reads an answer: one JSON object, with or without a fence and words around it.
///
/// # Errors
/// Names what is wrong with it.
pub(super) fn parse(text: &str) -> Result<Answer, String> {
    let object = object_in(text).ok_or("the answer holds no JSON object")?;
    let value: Value = serde_json::from_str(object).map_err(|error| format!("the answer is no JSON: {error}"))?;
    let actions = value.get("actions").ok_or("the answer has no actions")?;
    let actions = actions.as_array().ok_or("the actions of the answer are no list")?;
    let mut answer = Answer { reasoning: line(&value, "reasoning", SUMMARY_CHARS), ..Answer::default() };
    for it in actions.iter().take(MOST_ACTIONS) {
        read(it, &mut answer);
    }
    Ok(answer)
}

/// The text from the first brace to the last.
fn object_in(text: &str) -> Option<&str> {
    text.get(text.find('{')?..=text.rfind('}')?)
}

fn read(it: &Value, answer: &mut Answer) {
    let kind = match it.get("action_type").and_then(Value::as_str) {
        Some("create_signal_emergent") => ActionKind::Create,
        Some("trigger_existing") => ActionKind::Trigger,
        Some("no_action") => return,
        other => {
            answer.named += 1;
            let what = plain_line(other.unwrap_or("an action without a type"), 60);
            return answer.dropped.push(Dropped { what, reason: DropReason::UnknownAction });
        }
    };
    answer.named += 1;
    let context = it.get("signal_context").unwrap_or(&Value::Null);
    let either = |key: &str| it.get(key).filter(|it| !it.is_null()).or_else(|| context.get(key));
    let mut about = refs(either("about"));
    about.extend(["event_id", "thread_id"].iter().flat_map(|key| refs(context.get(key))));
    let entity = either("entity").and_then(Value::as_str).unwrap_or_default();
    let deliverable = it.get("trigger_deliverable").or_else(|| it.get("trigger_deliverable_id"));
    answer.actions.push(Asked {
        kind,
        signal: line(it, "signal", 60),
        report_type: line(it, "deliverable_type", 60),
        title: line(it, "title", TITLE_CHARS),
        description: line(it, "description", DESCRIPTION_CHARS),
        confidence: number(it.get("confidence")),
        about,
        entity: plain_line(entity, TITLE_CHARS),
        sources: refs(it.get("sources")),
        deliverable: deliverable.and_then(Value::as_str).map(|it| plain_line(it, 60)),
        reasoning: line(it, "reasoning", REASONING_CHARS),
    });
}

fn line(of: &Value, key: &str, most: usize) -> String {
    of.get(key).and_then(Value::as_str).map(|it| plain_line(it, most)).unwrap_or_default()
}

/// A number, also when it was written as a text; none is nothing.
fn number(value: Option<&Value>) -> f64 {
    let number = value.and_then(|it| it.as_f64().or_else(|| it.as_str()?.trim().parse().ok()));
    number.filter(|it| it.is_finite()).unwrap_or_default()
}

/// One ref or a list of them. What is no text stays in the list as something that is not known.
fn refs(value: Option<&Value>) -> Vec<String> {
    let one = |it: &Value| it.as_str().map_or_else(|| plain_line(&it.to_string(), 60), |it| plain_line(it, 60));
    match value {
        None | Some(Value::Null) => vec![],
        Some(Value::Array(all)) => all.iter().take(MOST_ACTIONS).map(one).collect(),
        Some(other) => vec![one(other)],
    }
}
