//! `yarnnn deliverables feedback`, and what `show` tells of it: how good reports are, what was learnt and from where.

use std::path::Path;

use anyhow::Context as _;
use serde_json::{Value, json};
use yarnnn::Error;
use yarnnn::accounts::Email;
use yarnnn::deliverables::{Deliverable, Feedback as Given, GiveFeedback, Quality};
use yarnnn::llm::Preference;

use super::verify::parse_version;
use crate::cli::Feedback;
use crate::output::Output;
use crate::session::Session;

/// Longest file that is read; what a report may hold is less.
const MAX_FILE: u64 = 1_000_000;

pub(super) async fn give(user: Option<Email>, arguments: Feedback, output: &Output) -> anyhow::Result<()> {
    let id = parse_version(&arguments.version)?;
    let edited = arguments.edited.as_deref().map(read).transpose()?;
    let session = Session::open(user).await?;
    let give = GiveFeedback { edited, notes: arguments.note, approved: arguments.approve.then_some(true) };
    let version = session.yarnnn.deliverables().edit_version(session.user.id, id, give).await?;
    let feedback = session.yarnnn.deliverables().feedback(session.user.id, id).await?;
    if output.is_json() {
        let mut object = describe(&feedback);
        object["deliverable_id"] = json!(version.deliverable);
        output.json(&object);
        return Ok(());
    }
    let said = changes(&feedback).map_or_else(|| "noted".to_owned(), |it| format!("noted: {it}"));
    let (deliverable, _) = session.yarnnn.deliverables().show(session.user.id, version.deliverable).await?;
    let (learned, given) = session.yarnnn.deliverables().learned(&deliverable).await?;
    let learns = if !deliverable.options.learns_from_edits {
        "its deliverable does not learn"
    } else if given.iter().any(|it| it.version == id && it.says_some_of(&learned)) {
        "the next reports learn from it"
    } else {
        "there is nothing in it to learn"
    };
    output.line(&format!("version {} {said}; {learns}", feedback.number));
    Ok(())
}

fn read(path: &Path) -> anyhow::Result<String> {
    let shown = || format!("--edited {}", path.display());
    let length = std::fs::metadata(path).with_context(shown)?.len();
    if length > MAX_FILE {
        return Err(Error::Invalid(format!("{}: the file has {length} bytes; a report has fewer", shown())).into());
    }
    std::fs::read_to_string(path).with_context(shown)
}

/// What a report's reader changed in it, in numbers.
fn changes(it: &Given) -> Option<String> {
    let (distance, kinds) = (it.distance?, &it.categories);
    let counts = [("added", kinds.additions.len()), ("removed", kinds.deletions.len()), ("moved", kinds.restructures.len())];
    let counts = counts.into_iter().chain([("reworded", kinds.rewrites.len())]).filter(|(_, count)| *count > 0);
    let counts: Vec<_> = counts.map(|(word, count)| format!("{count} {word}")).collect();
    let counts = if counts.is_empty() { "nothing changed".to_owned() } else { counts.join(", ") };
    Some(format!("{counts}, distance {distance:.3}"))
}

fn describe(it: &Given) -> Value {
    json!({
        "version_id": it.version,
        "number": it.number,
        "status": it.status.as_str(),
        "edit_categories": it.categories,
        "edit_distance_score": it.distance,
        "feedback_notes": it.notes,
        "approved_at": it.approved_at,
    })
}

/// What `show` tells besides.
struct Learning {
    quality: Option<Quality>,
    learned: Vec<Preference>,
    given: Vec<Given>,
}

async fn learning(session: &Session, deliverable: &Deliverable) -> anyhow::Result<Learning> {
    let deliverables = session.yarnnn.deliverables();
    let quality = deliverables.quality(session.user.id, deliverable.id).await?;
    let (learned, given) = deliverables.learned(deliverable).await?;
    Ok(Learning { quality, learned, given })
}

/// Adds it to the object of `show`.
pub(super) async fn describe_into(object: &mut Value, session: &Session, deliverable: &Deliverable) -> anyhow::Result<()> {
    let it = learning(session, deliverable).await?;
    object["quality"] = json!(it.quality);
    object["learned_preferences"] = json!(it.learned);
    object["feedback"] = it.given.iter().map(describe).collect();
    Ok(())
}

/// Prints it for people; nothing where nobody has said anything.
pub(super) async fn show(session: &Session, deliverable: &Deliverable, output: &Output) -> anyhow::Result<()> {
    let it = learning(session, deliverable).await?;
    if let Some(quality) = &it.quality {
        let trend = json!(quality.trend);
        let trend = trend.as_str().unwrap_or_default();
        output
            .line(&format!("edited by {:.3} last, {:.3} on average (0 is not at all): {trend}", quality.latest, quality.average));
    }
    if !deliverable.options.learns_from_edits {
        output.line("does not learn from edits");
    }
    if !it.learned.is_empty() {
        let versions: Vec<_> = it.given.iter().map(|it| it.number.to_string()).collect();
        output.line(&format!("learnt from version {}, and told to its writer:", versions.join(", ")));
    }
    for wish in &it.learned {
        output.line(&format!("  {:8}{}", wish.kind.as_str(), wish.text));
    }
    Ok(())
}
