//! Queue: the rendered report becomes messages with their exact bytes.

use std::sync::Arc;

use super::super::model::{Deliverable, Destination};
use super::super::version::Version;
use crate::deliverables::report::render::{RenderedReport, clean};
use crate::delivery::{Channel, ChannelKind, Letter, NewMessage, SendError};
use crate::error::Error;
use crate::id::{IdGen, MessageId, UserId};

/// Longest part of a title in a file name, in bytes: file systems count those.
const MAX_SLUG_BYTES: usize = 90;

/// The ways out of a program, and what it does with mails when no mail service is among them.
#[derive(Debug, Clone, Default)]
pub struct WaysOut {
    /// The channels; at most one of each kind.
    pub channels: Vec<Arc<dyn Channel>>,
    /// Whether mails are left as files in the default folder: only where somebody looks.
    pub mail_as_files: bool,
}

impl WaysOut {
    /// The channel that serves a destination, and the target in its terms.
    ///
    /// # Errors
    /// `NeedsOperator` names the setting that is missing.
    pub(in crate::deliverables) fn of(&self, destination: &Destination) -> Result<(&dyn Channel, String), Error> {
        let find = |kind: ChannelKind| self.channels.iter().find(|it| it.kind() == kind).map(AsRef::as_ref);
        let wanted = destination.channel();
        if let Some(channel) = find(wanted) {
            let target = Some(destination.target()).filter(|it| !it.is_empty());
            return Ok((channel, target.map_or_else(|| channel.default_target(), str::to_owned)));
        }
        match find(ChannelKind::Folder).filter(|_| wanted == ChannelKind::Email && self.mail_as_files) {
            Some(folder) => Ok((folder, folder.default_target())),
            None => Err(missing(wanted)),
        }
    }

    /// Fails when a report of this deliverable could not be sent, before anything is paid for it.
    ///
    /// # Errors
    /// `NeedsOperator` or `Failed` say what is missing.
    pub(in crate::deliverables) async fn check(&self, user: UserId, destinations: &[Destination]) -> Result<(), Error> {
        for destination in destinations {
            let (channel, target) = self.of(destination)?;
            channel.ready(user, &target).await.map_err(unready)?;
        }
        Ok(())
    }
}

fn missing(channel: ChannelKind) -> Error {
    let (setting, problem) = match channel {
        ChannelKind::Email => ("RESEND_API_KEY", "is not set, so no mail can be sent; set it together with RESEND_FROM_EMAIL"),
        ChannelKind::Slack => ("INTEGRATION_ENCRYPTION_KEY", "this program has no connection to Slack"),
        ChannelKind::Gmail => ("INTEGRATION_ENCRYPTION_KEY", "this program has no connection to Gmail"),
        ChannelKind::Notion => ("INTEGRATION_ENCRYPTION_KEY", "this program has no connection to Notion"),
        ChannelKind::Folder | ChannelKind::Download => ("YARNNN_OUTBOX_DIR", "this program has no folder for reports"),
    };
    Error::NeedsOperator { setting, problem: problem.to_owned() }
}

fn unready(error: SendError) -> Error {
    match error {
        SendError::NeedsOperator { setting, problem } => Error::NeedsOperator { setting, problem },
        other => Error::Failed(format!("the report could not be delivered: {other}")),
    }
}

/// The messages of a version, each with the place it goes to, so that a later send from elsewhere goes there too. Their keys are
/// made from the deliverable and its slot, never from an attempt.
pub(in crate::deliverables) fn messages(
    deliverable: &Deliverable,
    version: &Version,
    rendered: &RenderedReport,
    ways: &WaysOut,
    ids: &dyn IdGen,
) -> Result<Vec<NewMessage>, Error> {
    let slot = version.run_key.as_ref().map_or_else(|| format!("v{}", version.number), |key| format!("key:{key}"));
    let mut messages = Vec::new();
    for destination in &deliverable.destinations {
        let (channel, target) = ways.of(destination)?;
        let key = format!("{}/{slot}/{}", deliverable.id, destination.channel().as_str());
        let letter = letter(deliverable, version, rendered, (key, destination, target));
        let parts = channel.compose(&letter).map_err(|error| Error::Failed(error.to_string()))?;
        for (index, files) in parts.into_iter().enumerate() {
            let (id, key, target) = (MessageId::fresh(ids), letter.part_key(index), letter.target.clone());
            messages.push(NewMessage { id, key, channel: channel.kind(), target, files });
        }
    }
    Ok(messages)
}

fn letter(
    deliverable: &Deliverable,
    version: &Version,
    rendered: &RenderedReport,
    (key, destination, target): (String, &Destination, String),
) -> Letter {
    let recipient = match destination {
        Destination::Email { address } | Destination::GmailDraft { address } => address.to_string(),
        Destination::Folder { .. } | Destination::Slack { .. } | Destination::Notion { .. } | Destination::Download { .. } => {
            String::new()
        }
    };
    // A mail that is left beside the files of the same report must not take their names.
    let beside = deliverable.destinations.iter().any(|it| matches!(it, Destination::Folder { .. }));
    let suffix = if beside && !recipient.is_empty() { "-mail" } else { "" };
    Letter {
        key,
        target,
        recipient,
        subject: clean(version.state.title_of(deliverable)),
        date: version.state.asked_for,
        // An instant ahead may be asked for, and what is sent now is older than that.
        since: version.state.asked_for.min(version.created_at),
        stem: format!("{}{suffix}", file_stem(deliverable, version)),
        markdown: rendered.markdown.clone(),
        html: rendered.html.clone(),
        text: rendered.text.clone(),
        chat: rendered.chat.clone(),
    }
}

/// `weekly-status-1f0c9a2b-v3`: readable, and never the name of another deliverable's version.
fn file_stem(deliverable: &Deliverable, version: &Version) -> String {
    let mut slug = String::new();
    for ch in version.state.title_of(deliverable).chars().flat_map(char::to_lowercase) {
        match ch {
            _ if slug.len() + ch.len_utf8() > MAX_SLUG_BYTES => break,
            ch if ch.is_alphanumeric() => slug.push(ch),
            _ if !slug.is_empty() && !slug.ends_with('-') => slug.push('-'),
            _ => {}
        }
    }
    let id = deliverable.id.as_uuid().simple().to_string();
    let tail = id.get(id.len() - 8..).unwrap_or_default();
    let dash = if slug.is_empty() { "" } else { "-" };
    format!("{}{dash}{tail}-v{}", slug.trim_end_matches('-'), version.number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::MockChannel;

    fn channel(kind: ChannelKind) -> Arc<dyn Channel> {
        let mut channel = MockChannel::new();
        channel.expect_kind().return_const(kind);
        channel.expect_default_target().return_const(format!("the {}", kind.as_str()));
        Arc::new(channel)
    }

    fn ways(kinds: &[ChannelKind], mail_as_files: bool) -> WaysOut {
        WaysOut { channels: kinds.iter().map(|it| channel(*it)).collect(), mail_as_files }
    }

    fn mail() -> Destination {
        Destination::Email { address: "ana@example.com".parse().unwrap() }
    }

    fn way(ways: &WaysOut, destination: &Destination) -> Result<(ChannelKind, String), String> {
        let found = ways.of(destination).map(|(channel, target)| (channel.kind(), target));
        found.map_err(|error| error.to_string())
    }

    #[test]
    fn a_destination_goes_through_its_own_channel() {
        let all = ways(&[ChannelKind::Folder, ChannelKind::Email, ChannelKind::Slack], true);
        assert_eq!(way(&all, &mail()), Ok((ChannelKind::Email, "ana@example.com".into())));
        assert_eq!(way(&all, &Destination::Slack { channel: "#team".into() }), Ok((ChannelKind::Slack, "#team".into())));
        assert_eq!(way(&all, &Destination::Folder { path: None }), Ok((ChannelKind::Folder, "the folder".into())));
        assert_eq!(way(&all, &Destination::Folder { path: Some("/in".into()) }), Ok((ChannelKind::Folder, "/in".into())));
    }

    #[test]
    fn a_mail_is_a_file_beside_the_reports_only_where_that_is_allowed() {
        assert_eq!(way(&ways(&[ChannelKind::Folder], true), &mail()), Ok((ChannelKind::Folder, "the folder".into())));
        for ways in [ways(&[ChannelKind::Folder], false), ways(&[ChannelKind::Slack], true)] {
            let error = way(&ways, &mail()).unwrap_err();
            assert!(error.contains("RESEND_API_KEY") && error.contains("RESEND_FROM_EMAIL"), "{error}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let none = WaysOut::default();
        assert!(way(&none, &Destination::Slack { channel: "#team".into() }).unwrap_err().contains("INTEGRATION_ENCRYPTION_KEY"));
        assert!(way(&none, &Destination::Folder { path: None }).unwrap_err().contains("YARNNN_OUTBOX_DIR"));
    }
}
