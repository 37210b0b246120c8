//! The question of a pass. Its texts live in `prompts/`; whatever others wrote, or a model made of it, enters only as material.

use chrono::{DateTime, TimeDelta, Utc};
use minijinja::{Environment, UndefinedBehavior, context};

use super::extract::{range, reference_of};
use super::model::{Pass, Shown, SignalKind, SignalPreferences};
use super::refs::Refs;
use crate::activity::Activity;
use crate::clock::instant_text;
use crate::deliverables::{Deliverable, Version, clean, plain_line};
use crate::error::Error;
use crate::id::DeliverableId;
use crate::llm::{Boundary, CallAccount, Content, Material, Message, ModelRequest, Role};
use crate::platform::{ContentType, Interval, Platform};
use crate::sync::StoredItem;

/// What the calls are for, in the ledger.
pub(super) const PURPOSE: &str = "signals.reason";
/// Upper bound of an answer (dossier §5.2).
const MAX_OUTPUT_TOKENS: u32 = 1_000;
/// Characters of an item, and of a report, that are shown.
const ITEM_CHARS: usize = 100;
const REPORT_CHARS: usize = 400;
const LINE_CHARS: usize = 200;

/// Everything that a question shows.
pub(super) struct Sight {
    /// Items by their number.
    pub(super) items: Vec<(usize, StoredItem)>,
    /// Reports by their number, with their newest version.
    pub(super) deliverables: Vec<(usize, Deliverable, Option<Version>)>,
    /// What happened lately, newest first.
    pub(super) activity: Vec<Activity>,
    /// What was acted upon and is not to be acted upon again, by reference.
    pub(super) noticed: Vec<String>,
    /// What the user wants to be told.
    pub(super) preferences: SignalPreferences,
    /// How the question names items and reports.
    pub(super) refs: Refs,
}

impl Sight {
    /// Whether what others wrote, or a model made of it, names a report the way that answers do: by its ref, by its id, or as what
    /// they call such an action. Where it does, nobody can tell whether a model judged or obeyed.
    pub(super) fn is_dictated(&self, place: usize, id: DeliverableId) -> bool {
        let names = [self.refs.report(place), id.to_string(), "trigger_existing".to_owned(), "trigger_deliverable".to_owned()];
        // Every character counts that the model may read: also those of addresses, which lines for people leave out.
        let has_name = |text: &str| {
            let text = clean(text).to_lowercase();
            names.iter().any(|it| text.contains(it))
        };
        let items = self.items.iter().map(|(place, it)| self.item(*place, it));
        let reports = self.deliverables.iter().map(|(place, it, newest)| self.report(*place, it, newest.as_ref()));
        let mut shown = items.chain(reports).chain(self.activity.iter().map(|it| line(0, it)));
        shown.any(|it| has_name(&it.text) || [it.title, it.author, Some(it.place)].iter().flatten().any(|it| has_name(it)))
    }

    fn item(&self, place: usize, item: &StoredItem) -> Material {
        let attendees = item.metadata.get("attendees").and_then(|it| it.as_array()).map_or(0, Vec::len);
        let is_event = item.content_type == ContentType::Event;
        let mut marks = Vec::new();
        marks.extend(is_event.then(|| format!("attendees-{attendees}")));
        marks.extend(self.noticed.contains(&reference_of(item)).then(|| "noticed".to_owned()));
        Material {
            reference: self.refs.item(place),
            content: Some(item.id),
            platform: item.resource.platform().as_str().to_owned(),
            place: short(&item.resource_name, ITEM_CHARS),
            author: item.author.as_ref().map(|it| short(&it.name, ITEM_CHARS)),
            time: item.source_timestamp,
            title: item.title.as_deref().map(|it| short(it, ITEM_CHARS)),
            thread: None,
            marks,
            text: short(&item.content, ITEM_CHARS),
        }
    }

    fn report(&self, place: usize, it: &Deliverable, newest: Option<&Version>) -> Material {
        let says = newest.and_then(|it| it.final_content.as_deref().or(it.draft.as_deref())).unwrap_or_default();
        let marks = [it.status.as_str().to_owned(), if newest.is_some() { "written" } else { "never-written" }.to_owned()];
        Material {
            reference: self.refs.report(place),
            content: None,
            platform: "report".to_owned(),
            place: it.report_type.kind().as_str().to_owned(),
            author: None,
            time: newest.map(|it| it.delivered_at.unwrap_or(it.created_at)),
            title: Some(short(&it.title, LINE_CHARS)),
            thread: it.next_run_at.map(|at| format!("next run {}", instant_text(at))),
            marks: marks.to_vec(),
            text: short(says, REPORT_CHARS),
        }
    }
}

/// The one question of a pass.
pub(super) fn question(pass: &Pass, sight: &Sight) -> Result<ModelRequest, Error> {
    let items = sight.items.iter().map(|(place, it)| sight.item(*place, it)).collect();
    let reports = sight.deliverables.iter().map(|(place, it, newest)| sight.report(*place, it, newest.as_ref()));
    let lines = sight.activity.iter().enumerate().map(|(place, it)| line(place, it));
    let (reports, lines): (Vec<_>, Vec<_>) = (reports.collect(), lines.collect());
    let mut content = vec![text(asked(&pass.shown, pass.started_at)?), Content::Material(items)];
    if reports.is_empty() {
        content.push(text("The reader has no reports yet.".to_owned()));
    } else {
        content.extend([text("The reports that there are:".to_owned()), Content::Material(reports)]);
    }
    if !lines.is_empty() {
        content.extend([text("What happened lately, newest first:".to_owned()), Content::Material(lines)]);
    }
    Ok(ModelRequest {
        purpose: PURPOSE.to_owned(),
        account: CallAccount { pass: Some(pass.id), ..CallAccount::of(pass.user) },
        boundary: Boundary::of(pass.id.as_uuid().as_bytes()),
        system: system(sight.preferences)?,
        messages: vec![Message { role: Role::User, content }],
        tools: vec![],
        answers_now: false,
        server_tools: vec![],
        schema: None,
        max_output_tokens: MAX_OUTPUT_TOKENS,
    })
}

const fn text(text: String) -> Content {
    Content::Text(text)
}

/// The standing instructions. Kinds that the user switched off are not named.
fn system(preferences: SignalPreferences) -> Result<String, Error> {
    let kinds = [SignalKind::MeetingPrep, SignalKind::SilenceAlert, SignalKind::ContactDrift, SignalKind::Other];
    let named = kinds.into_iter().filter(|it| preferences.wants(*it)).map(|it| format!("\"{}\"", it.as_str()));
    let signals = named.collect::<Vec<_>>().join(" or ");
    render(include_str!("prompts/signals.md"), context! { signals })
}

fn asked(shown: &Shown, now: DateTime<Utc>) -> Result<String, Error> {
    let platforms = shown.found.iter().filter(|(_, count)| **count > 0).map(|(platform, count)| {
        let (count, most) = (*count, 10);
        context! {
            name => name_of(*platform),
            count => count,
            range => range(*platform, now).map(stretch),
            more => count > most,
            shown => count.min(most),
        }
    });
    let platforms: Vec<_> = platforms.collect();
    let context = context! { now => instant_text(now), weekday => now.format("%A").to_string(), platforms };
    render(include_str!("prompts/pass.md"), context)
}

fn render(template: &str, context: minijinja::Value) -> Result<String, Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    let rendered = environment.render_str(template, context);
    rendered.map_err(|error| Error::Failed(format!("the prompt of signals cannot be rendered: {error}")))
}

const fn name_of(platform: Platform) -> &'static str {
    match platform {
        Platform::Slack => "Slack",
        Platform::Gmail => "Mail",
        Platform::Notion => "Notion",
        Platform::Calendar => "Calendar",
    }
}

fn stretch(it: Interval) -> String {
    let day = |at: DateTime<Utc>| at.format("%Y-%m-%d %H:%M").to_string();
    format!("{} to {} UTC", day(it.from), day(it.to))
}

/// The first characters of a text, in one line.
fn short(text: &str, most: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= most { line } else { line.chars().take(most).chain(['…']).collect() }
}

fn line(place: usize, it: &Activity) -> Material {
    Material {
        reference: format!("a{}", place + 1),
        content: None,
        platform: "log".to_owned(),
        place: it.kind.as_str().to_owned(),
        author: None,
        time: Some(it.created_at),
        title: None,
        thread: None,
        marks: vec![],
        text: plain_line(&it.summary, LINE_CHARS),
    }
}

/// Lines of the log that are looked at, and since when.
pub(super) const LINES: u32 = 8;
pub(super) const LINES_SINCE: TimeDelta = TimeDelta::days(7);
