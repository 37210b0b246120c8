//! The report as one HTML page: tables and inline styles that mail clients keep, no script, no remote loads.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context};

use super::super::model::Report;
use super::markdown::source_line;
use crate::error::Error;

const TEMPLATE: &str = include_str!("../templates/report.html");

pub(in crate::deliverables) fn html(report: &Report) -> Result<String, Error> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.map_err(unrenderable)?);
    let sources: Vec<_> = report.sources.iter().map(|it| (it.number, source_line(it))).collect();
    let rendered = environment.render_str(TEMPLATE, context! { report => Value::from(Serde(report)), sources => sources });
    rendered.map_err(unrenderable)
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that `map_err` takes")]
fn unrenderable(error: minijinja::Error) -> Error {
    Error::Failed(format!("the report page cannot be rendered: {error}"))
}
