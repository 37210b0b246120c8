//! `yarnnn verify`: whether the sources of a version still say what it quotes. Exit code 1 when they do not.

use std::process::ExitCode;

use serde_json::{Value, json};
use yarnnn::accounts::Email;
use yarnnn::evidence::{CheckedSentence, SentenceState, Verification};
use yarnnn::id::VersionId;

use crate::exit::{FAILED, UsageError};
use crate::output::{Output, Tone};
use crate::session::Session;

pub(super) async fn execute(user: Option<Email>, version: &str, output: &Output) -> anyhow::Result<ExitCode> {
    let id = parse_version(version)?;
    let session = Session::open(user).await?;
    let verification = session.yarnnn.deliverables().verify(session.user.id, id).await?;
    if output.is_json() {
        output.json(&describe(&verification));
    } else {
        show(&verification, output);
    }
    let changed = verification.count(SentenceState::Drifted) + verification.count(SentenceState::Withdrawn);
    Ok(if changed > 0 { ExitCode::from(FAILED) } else { ExitCode::SUCCESS })
}

/// A version by its id, or a usage error.
pub(super) fn parse_version(text: &str) -> anyhow::Result<VersionId> {
    let unknown = |_| UsageError(format!("{text:?} is no version id (yarnnn deliverables show lists them)"));
    Ok(text.parse().map_err(unknown)?)
}

fn describe(verification: &Verification) -> Value {
    json!({
        "version_id": verification.version,
        "verified": verification.count(SentenceState::Verified),
        "drifted": verification.count(SentenceState::Drifted),
        "withdrawn": verification.count(SentenceState::Withdrawn),
        "inference": verification.count(SentenceState::Inference),
        "sentences": verification.sentences.iter().map(sentence).collect::<Vec<_>>(),
    })
}

fn sentence(it: &CheckedSentence) -> Value {
    let evidence: Vec<_> = it
        .evidence
        .iter()
        .map(|checked| {
            let found = &checked.evidence;
            json!({
                "content_id": found.content_id,
                "revision": found.revision,
                "quote": found.quote,
                "start": found.start,
                "end": found.end,
                "state": checked.state,
            })
        })
        .collect();
    json!({ "text": it.text, "state": it.state, "evidence": evidence })
}

fn show(verification: &Verification, output: &Output) {
    for it in &verification.sentences {
        let (word, tone) = match it.state {
            SentenceState::Verified => ("verified ", Tone::Good),
            SentenceState::Inference => ("inference", Tone::Faint),
            SentenceState::Drifted => ("drifted  ", Tone::Warning),
            SentenceState::Withdrawn => ("withdrawn", Tone::Bad),
        };
        output.line(&format!("{} {}", output.tone(word, tone), it.text));
    }
    let count = |state| verification.count(state);
    output.line(&format!(
        "{} verified, {} drifted, {} withdrawn, {} inference",
        count(SentenceState::Verified),
        count(SentenceState::Drifted),
        count(SentenceState::Withdrawn),
        count(SentenceState::Inference)
    ));
}
