//! The mailbox: mails, labels, and the history of what happened to them.
//!
//! Every change raises the history's number by one and leaves a record until the history is cut.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::mime::{self, Part};

/// The system's labels that every mailbox has.
const SYSTEM: [&str; 13] = [
    "CHAT",
    "SENT",
    "INBOX",
    "IMPORTANT",
    "TRASH",
    "DRAFT",
    "SPAM",
    "CATEGORY_FORUMS",
    "CATEGORY_UPDATES",
    "CATEGORY_PERSONAL",
    "CATEGORY_PROMOTIONS",
    "CATEGORY_SOCIAL",
    "STARRED",
];
/// Also a system label; the list ends with it.
const UNREAD: &str = "UNREAD";
/// The history's number before anything has happened; smaller ones were never given out.
const FIRST: u64 = 1_000;
/// Characters of a mail's text that stand in lists.
const SNIPPET: usize = 200;

/// A label.
#[derive(Debug, Clone)]
pub(super) struct Label {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) is_system: bool,
}

/// A mail that is held.
#[derive(Debug, Clone)]
pub(super) struct Mail {
    pub(super) id: String,
    pub(super) thread: String,
    pub(super) labels: BTreeSet<String>,
    pub(super) received: DateTime<Utc>,
    /// The number of the latest change to it.
    pub(super) history: u64,
    pub(super) raw: Vec<u8>,
    pub(super) root: Part,
    /// Set while the mail is a draft.
    pub(super) draft: Option<String>,
}

impl Mail {
    /// The `Message-ID` without its brackets.
    pub(super) fn message_id(&self) -> Option<&str> {
        self.root.header("Message-ID").map(|it| it.trim_matches(['<', '>']))
    }

    /// Whether it lies in spam or trash.
    pub(super) fn is_hidden(&self) -> bool {
        self.labels.contains("TRASH") || self.labels.contains("SPAM")
    }

    /// The beginning of its text on one line, escaped as in HTML.
    pub(super) fn snippet(&self) -> String {
        let line = self.root.text().split_whitespace().collect::<Vec<_>>().join(" ");
        let cut: String = line.chars().take(SNIPPET).collect();
        let escapes = [('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&quot;"), ('\'', "&#39;")];
        escapes.into_iter().fold(cut, |text, (character, escape)| text.replace(character, escape))
    }

    /// Newest first: the order of every list.
    pub(super) fn order(&self) -> (std::cmp::Reverse<i64>, std::cmp::Reverse<String>) {
        (std::cmp::Reverse(self.received.timestamp_millis()), std::cmp::Reverse(self.id.clone()))
    }
}

/// What happened to a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Happened {
    Added,
    Deleted,
    LabelsAdded(Vec<String>),
    LabelsRemoved(Vec<String>),
}

/// An entry of the history.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) number: u64,
    pub(super) mail: String,
    pub(super) thread: String,
    /// The mail's labels after the change, or before it was deleted.
    pub(super) labels: BTreeSet<String>,
    pub(super) happened: Happened,
}

/// The whole mailbox.
#[derive(Debug)]
pub(super) struct Mailbox {
    pub(super) labels: Vec<Label>,
    pub(super) mails: BTreeMap<String, Mail>,
    pub(super) records: Vec<Record>,
    /// The number of the latest change.
    pub(super) history: u64,
    /// Changes up to this number are forgotten.
    pub(super) forgotten: u64,
    made: u64,
}

/// How a mail comes into the mailbox.
pub(super) struct Arrival {
    pub(super) raw: Vec<u8>,
    pub(super) labels: BTreeSet<String>,
    pub(super) received: DateTime<Utc>,
    pub(super) thread: Option<String>,
    pub(super) is_draft: bool,
}

impl Mailbox {
    pub(super) fn new() -> Self {
        let system = |name: &&str| Label { id: (*name).to_owned(), name: (*name).to_owned(), is_system: true };
        Self {
            labels: SYSTEM.iter().chain([&UNREAD]).map(system).collect(),
            mails: BTreeMap::new(),
            records: Vec::new(),
            history: FIRST,
            forgotten: FIRST,
            made: 0,
        }
    }

    /// The identifier of a user's label, made if there is none of that name.
    pub(super) fn add_label(&mut self, name: &str) -> String {
        if let Some(known) = self.labels.iter().find(|it| it.name == name) {
            return known.id.clone();
        }
        let number = self.labels.iter().filter(|it| !it.is_system).count() + 1;
        let id = format!("Label_{number}");
        self.labels.push(Label { id: id.clone(), name: name.to_owned(), is_system: false });
        id
    }

    /// The identifier of a label that is given by its identifier or its name; a new name makes a label.
    pub(super) fn label_id(&mut self, name: &str) -> String {
        let known = self.label(name).map(|it| it.id.clone());
        known.unwrap_or_else(|| self.add_label(name))
    }

    pub(super) fn label(&self, id: &str) -> Option<&Label> {
        self.labels.iter().find(|it| it.id == id)
    }

    /// Takes a mail in and gives its identifier.
    pub(super) fn add(&mut self, arrival: Arrival) -> String {
        self.made += 1;
        // The upper bits are the time of arrival, as in Gmail's own identifiers.
        let millis = u64::try_from(arrival.received.timestamp_millis()).unwrap_or_default();
        let id = format!("{:016x}", (millis << 20) | (self.made & 0xf_ffff));
        let root = mime::parse(&arrival.raw);
        let thread = arrival.thread.or_else(|| self.thread_of(&root)).unwrap_or_else(|| id.clone());
        let draft = arrival.is_draft.then(|| format!("r{}", 1_000_000_000 + self.made));
        let labels = arrival.labels;
        let mail = Mail { id: id.clone(), thread, labels, received: arrival.received, history: 0, raw: arrival.raw, root, draft };
        self.mails.insert(id.clone(), mail);
        self.record(&id, Happened::Added);
        id
    }

    /// The conversation of a mail that the headers name.
    fn thread_of(&self, root: &Part) -> Option<String> {
        let named = ["References", "In-Reply-To"].iter().filter_map(|name| root.header(name));
        let named: BTreeSet<&str> = named.flat_map(str::split_whitespace).map(|it| it.trim_matches(['<', '>'])).collect();
        if named.is_empty() {
            return None;
        }
        let known = |mail: &&Mail| mail.message_id().is_some_and(|id| named.contains(id));
        self.mails.values().find(known).map(|it| it.thread.clone())
    }

    /// Removes a mail for good.
    pub(super) fn delete(&mut self, id: &str) -> bool {
        let known = self.mails.contains_key(id);
        if known {
            self.record(id, Happened::Deleted);
            self.mails.remove(id);
        }
        known
    }

    /// Changes a mail's labels; what changes nothing leaves no record.
    pub(super) fn relabel<Name: AsRef<str>>(&mut self, id: &str, add: &[Name], remove: &[Name]) -> bool {
        let Some(mail) = self.mails.get_mut(id) else { return false };
        let names = |list: &[Name]| list.iter().map(|it| it.as_ref().to_owned()).collect::<Vec<_>>();
        let added: Vec<String> = names(add).into_iter().filter(|it| mail.labels.insert(it.clone())).collect();
        let removed: Vec<String> = names(remove).into_iter().filter(|it| mail.labels.remove(it)).collect();
        if !added.is_empty() {
            self.record(id, Happened::LabelsAdded(added));
        }
        if !removed.is_empty() {
            self.record(id, Happened::LabelsRemoved(removed));
        }
        true
    }

    /// The names and identifiers of a mail's labels, in lower case.
    pub(super) fn label_names(&self, mail: &Mail) -> Vec<String> {
        let labels = self.labels.iter().filter(|it| mail.labels.contains(&it.id));
        let mut names: Vec<_> = labels.flat_map(|it| [it.id.to_lowercase(), it.name.to_lowercase()]).collect();
        if !mail.labels.contains(UNREAD) {
            names.push("read".to_owned());
        }
        names
    }

    fn record(&mut self, id: &str, happened: Happened) {
        self.history += 1;
        if let Some(mail) = self.mails.get_mut(id) {
            mail.history = self.history;
            let (mail, thread, labels) = (mail.id.clone(), mail.thread.clone(), mail.labels.clone());
            self.records.push(Record { number: self.history, mail, thread, labels, happened });
        }
    }

    /// Forgets all records.
    pub(super) fn expire_history(&mut self) {
        // Also the current number is too old then: who held it must read everything again.
        self.history += 1;
        self.forgotten = self.history;
        self.records.clear();
    }
}
