//! The authored mailbox as Gmail holds it.

use chrono::Utc;

use super::Gmail;
use crate::Sample;
use crate::sample::mail::{self, MailVoice};
use crate::sample::moment::Timeline;

/// A label of the owner's for mails about the launch, which are those with this word in the subject.
const LAUNCH: (&str, &str) = ("Launch", "harbor");
/// Another one for what comes from lists.
const NEWSLETTERS: &str = "Newsletters";

/// Delivers the story's mails, oldest first: what the owner sent to `SENT`, the rest to `INBOX`.
pub(crate) fn fill(gmail: &Gmail, sample: &Sample, timeline: &Timeline) {
    let (launch, word) = LAUNCH;
    gmail.add_label(launch);
    gmail.add_label(NEWSLETTERS);
    let mut mails: Vec<_> = sample.mailbox.mails.iter().collect();
    mails.sort_by_key(|it| it.at);
    for mail in mails {
        let subject = mail.subject.render(timeline, &MailVoice { sample }).to_lowercase();
        let folder = if mail.from == sample.cast.owner { "SENT" } else { "INBOX" };
        let about = subject.contains(word).then_some(launch);
        let list = mail.list.is_some().then_some(NEWSLETTERS);
        let labels: Vec<&str> = [Some(folder), about, list].into_iter().flatten().collect();
        // Writing to memory does not fail; a mail without bytes would show in the tests at once.
        let bytes = mail::message(mail, sample, timeline).unwrap_or_default();
        gmail.deliver_at(&bytes, &labels, timeline.instant(mail.at).with_timezone(&Utc));
    }
}
