//! What the mailbox holds, and the verbs with which a test changes it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use yarnnn_core::clock::Clock;

use super::mailbox::{Arrival, Mail, Mailbox};
use super::mime;

/// The mailbox.
#[derive(Debug)]
pub struct Gmail {
    clock: Arc<dyn Clock>,
    mailbox: Mutex<Mailbox>,
}

/// A mail as a perfect client holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldMail {
    /// Gmail's identifier.
    pub id: String,
    /// The identifier of the conversation.
    pub thread: String,
    /// Identifiers of its labels.
    pub labels: BTreeSet<String>,
    /// When it arrived (`internalDate`).
    pub received: DateTime<Utc>,
    /// The sender, decoded.
    pub from: String,
    /// The subject, decoded.
    pub subject: String,
    /// Its plain text, or the text of its HTML.
    pub text: String,
    /// The mail as it was delivered.
    pub raw: Vec<u8>,
}

/// A draft as it lies in the mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldDraft {
    /// Gmail's identifier of the draft, not of its mail.
    pub id: String,
    /// The identifier of its mail, which changes when the draft does.
    pub mail: String,
    /// Whom it is addressed to, decoded.
    pub to: String,
    /// The draft as it was made.
    pub raw: Vec<u8>,
}

impl Gmail {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, mailbox: Mutex::new(Mailbox::new()) }
    }

    pub(super) fn mailbox(&self) -> MutexGuard<'_, Mailbox> {
        self.mailbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Makes a label of the user's, unless there is one of this name, and gives its identifier.
    pub fn add_label(&self, name: &str) -> String {
        self.mailbox().add_label(name)
    }

    /// Delivers a mail with labels (identifiers or names; a new name makes a label) and gives its identifier.
    ///
    /// It arrives when its first `Received` header says, or else its `Date`, or else now.
    pub fn deliver(&self, raw: &[u8], labels: &[&str]) -> String {
        let received = mime::date(raw).unwrap_or_else(|| self.now());
        self.deliver_at(raw, labels, received)
    }

    /// Delivers a mail that arrives at this instant, whatever its headers say.
    pub fn deliver_at(&self, raw: &[u8], labels: &[&str], received: DateTime<Utc>) -> String {
        let mut mailbox = self.mailbox();
        let labels = labels.iter().map(|it| mailbox.label_id(it)).collect();
        mailbox.add(Arrival { raw: raw.to_vec(), labels, received, thread: None, is_draft: false })
    }

    /// Removes a mail for good. False if there is none, as with all verbs here.
    pub fn delete(&self, id: &str) -> bool {
        self.mailbox().delete(id)
    }

    /// Moves a mail to the trash.
    pub fn trash(&self, id: &str) -> bool {
        self.mailbox().relabel(id, &["TRASH"], &["INBOX"])
    }

    /// Takes a mail out of the trash.
    pub fn untrash(&self, id: &str) -> bool {
        self.mailbox().relabel(id, &[], &["TRASH"])
    }

    /// Puts a label (its identifier or name) on a mail.
    pub fn label(&self, id: &str, label: &str) -> bool {
        let mut mailbox = self.mailbox();
        let label = mailbox.label_id(label);
        mailbox.relabel(id, &[&label], &[])
    }

    /// Takes a label off a mail.
    pub fn unlabel(&self, id: &str, label: &str) -> bool {
        let mut mailbox = self.mailbox();
        let label = mailbox.label_id(label);
        mailbox.relabel(id, &[], &[&label])
    }

    /// The drafts that are addressed to somebody, in the order in which they were made.
    pub fn drafts_to(&self, address: &str) -> Vec<HeldDraft> {
        let mailbox = self.mailbox();
        let held = mailbox.mails.values().filter_map(|mail| {
            let to = mail.root.header("To").unwrap_or_default().to_owned();
            Some(HeldDraft { id: mail.draft.clone()?, mail: mail.id.clone(), to, raw: mail.raw.clone() })
        });
        held.filter(|it| it.to.trim_matches(['<', '>']).eq_ignore_ascii_case(address)).collect()
    }

    /// Sends a draft as it is, as its user does by hand: it is no draft any more. Gmail gives it another `Message-ID` and keeps no
    /// header that it does not know.
    pub fn send_draft(&self, id: &str) -> bool {
        let mut mailbox = self.mailbox();
        let Some(mail) = mailbox.mails.values().find(|it| it.draft.as_deref() == Some(id)).map(|it| it.id.clone()) else {
            return false;
        };
        let raw = mailbox.mails.get(&mail).map(|it| mime::resent(&it.raw, &it.id)).unwrap_or_default();
        mailbox.delete(&mail);
        let labels = BTreeSet::from(["SENT".to_owned()]);
        mailbox.add(Arrival { raw, labels, received: self.clock.now(), thread: None, is_draft: false });
        true
    }

    /// Forgets the history: every number given out so far is too old from now on.
    pub fn expire_history(&self) {
        self.mailbox().expire_history();
    }

    /// The mails with this label (identifier or name), newest first: what a perfect client holds. Spam and trash are left
    /// out unless they are the label.
    pub fn snapshot(&self, label: &str) -> Vec<HeldMail> {
        let mut mailbox = self.mailbox();
        let label = mailbox.label_id(label);
        let hidden = label == "TRASH" || label == "SPAM";
        let meant = |mail: &&Mail| mail.labels.contains(&label) && (hidden || !mail.is_hidden());
        let mut mails: Vec<&Mail> = mailbox.mails.values().filter(meant).collect();
        mails.sort_by_key(|it| it.order());
        mails.into_iter().map(held).collect()
    }
}

fn held(mail: &Mail) -> HeldMail {
    let header = |name: &str| mail.root.header(name).unwrap_or_default().to_owned();
    HeldMail {
        id: mail.id.clone(),
        thread: mail.thread.clone(),
        labels: mail.labels.clone(),
        received: mail.received,
        from: header("From"),
        subject: header("Subject"),
        text: mail.root.text(),
        raw: mail.raw.clone(),
    }
}
