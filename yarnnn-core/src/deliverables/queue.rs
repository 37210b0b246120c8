//! Queue: the rendered report becomes messages with their exact bytes.

use super::model::{Deliverable, Destination};
use super::render::RenderedReport;
use super::version::Version;
use crate::delivery::{ChannelKind, NewMessage, OutboxFile};
use crate::error::Error;
use crate::id::{IdGen, MessageId};
use crate::mail::{MailParts, compose};

/// Sender of mails that are left as files.
const SENDER: (&str, &str) = ("YARNNN", "reports@yarnnn.local");
/// Longest part of a title in a file name, in bytes: file systems count those.
const MAX_SLUG_BYTES: usize = 90;

/// The messages of a version, each with the place it goes to, so that a later send from elsewhere goes there too. Their key is made from the deliverable and its slot, never from an attempt.
pub(super) fn messages(
    deliverable: &Deliverable,
    version: &Version,
    rendered: &RenderedReport,
    default_target: &str,
    ids: &dyn IdGen,
) -> Result<Vec<NewMessage>, Error> {
    let channel = ChannelKind::Folder;
    let slot = version.run_key.as_ref().map_or_else(|| format!("v{}", version.number), |key| format!("key:{key}"));
    let key = format!("{}/{slot}/{}", deliverable.id, channel.as_str());
    let (to, target) = match &deliverable.destination {
        Destination::Email { address } => (address.as_str(), default_target.to_owned()),
        Destination::Folder { path } => ("local@localhost", path.clone().unwrap_or_else(|| default_target.to_owned())),
    };
    let mail = compose(MailParts {
        from: SENDER,
        to,
        subject: &deliverable.title,
        date: version.state.asked_for,
        key: &key,
        text: &rendered.text,
        html: &rendered.html,
    })?;
    let stem = file_stem(deliverable, version.number);
    let file = |extension: &str, content: String| OutboxFile { name: format!("{stem}.{extension}"), content };
    let files = vec![file("eml", mail), file("html", rendered.html.clone()), file("md", rendered.markdown.clone())];
    Ok(vec![NewMessage { id: MessageId::fresh(ids), key, channel, target, files }])
}

/// `weekly-status-1f0c9a2b-v3`: readable, and never the name of another deliverable's version.
fn file_stem(deliverable: &Deliverable, number: u32) -> String {
    let mut slug = String::new();
    for ch in deliverable.title.chars().flat_map(char::to_lowercase) {
        match ch {
            _ if slug.len() + ch.len_utf8() > MAX_SLUG_BYTES => break,
            ch if ch.is_alphanumeric() => slug.push(ch),
            _ if !slug.is_empty() && !slug.ends_with('-') => slug.push('-'),
            _ => {}
        }
    }
    let id = deliverable.id.as_uuid().simple().to_string();
    let tail = id.get(id.len() - 8..).unwrap_or_default();
    format!("{}{}{tail}-v{number}", slug.trim_end_matches('-'), if slug.is_empty() { "" } else { "-" })
}
