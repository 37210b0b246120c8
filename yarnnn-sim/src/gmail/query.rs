//! Gmail's search language, as far as programs use it to list mail.
//!
//! Days are days in UTC. What is no known operator is searched for in subject, sender, recipients and text.

use chrono::{DateTime, Duration, NaiveDate, NaiveTime, Utc};

use super::mailbox::Mail;

/// A search: all of the terms, or for a group any of its terms.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Query {
    groups: Vec<Vec<Term>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    negated: bool,
    test: Test,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    From(String),
    To(String),
    Subject(String),
    /// A label by its name or identifier, in lower case.
    Label(String),
    Anywhere,
    Since(DateTime<Utc>),
    Before(DateTime<Utc>),
    MessageId(String),
    Attachment,
    Words(String),
}

impl Query {
    /// Reads a search; nothing in it is an error, as nothing is for Gmail.
    pub(super) fn parse(text: &str, now: DateTime<Utc>) -> Self {
        let mut groups: Vec<Vec<Term>> = Vec::new();
        let mut joined = false;
        for word in words(text) {
            if word == "OR" {
                joined = true;
                continue;
            }
            let term = term(&word, now);
            match groups.last_mut().filter(|_| joined) {
                Some(group) => group.push(term),
                None => groups.push(vec![term]),
            }
            joined = false;
        }
        Self { groups }
    }

    /// Whether a mail is meant. `names` gives the names of its labels, in lower case, besides their identifiers.
    pub(super) fn matches(&self, mail: &Mail, names: &[String]) -> bool {
        self.groups.iter().all(|group| group.iter().any(|term| term.test.holds(mail, names) != term.negated))
    }

    /// Whether spam and trash are asked for by name.
    pub(super) fn wants_hidden(&self) -> bool {
        let hidden = |test: &Test| match test {
            Test::Anywhere => true,
            Test::Label(name) => name == "trash" || name == "spam",
            _ => false,
        };
        self.groups.iter().flatten().any(|term| !term.negated && hidden(&term.test))
    }
}

impl Test {
    fn holds(&self, mail: &Mail, names: &[String]) -> bool {
        let header = |name: &str, wanted: &str| mail.root.header(name).is_some_and(|it| contains(it, wanted));
        match self {
            Self::From(wanted) => header("From", wanted),
            Self::To(wanted) => ["To", "Cc", "Bcc"].iter().any(|name| header(name, wanted)),
            Self::Subject(wanted) => header("Subject", wanted),
            Self::Label(wanted) => names.contains(wanted),
            Self::Anywhere => true,
            Self::Since(instant) => mail.received >= *instant,
            Self::Before(instant) => mail.received < *instant,
            Self::MessageId(wanted) => mail.message_id() == Some(wanted.as_str()),
            Self::Attachment => mail.root.has_attachment(),
            Self::Words(wanted) => {
                ["Subject", "From", "To", "Cc"].iter().any(|name| header(name, wanted)) || contains(&mail.root.text(), wanted)
            }
        }
    }
}

fn contains(text: &str, wanted: &str) -> bool {
    text.to_lowercase().contains(wanted)
}

/// The words of a search; a quoted phrase is one, also behind an operator, and brackets only group.
fn words(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut word = String::new();
    let mut quoted = false;
    for character in text.chars() {
        match character {
            '"' => quoted = !quoted,
            '(' | ')' | '{' | '}' if !quoted => {}
            it if it.is_whitespace() && !quoted => found.push(std::mem::take(&mut word)),
            it => word.push(it),
        }
    }
    found.push(word);
    found.retain(|it| !it.is_empty());
    found
}

fn term(word: &str, now: DateTime<Utc>) -> Term {
    let (negated, word) = word.strip_prefix('-').filter(|it| !it.is_empty()).map_or((false, word), |rest| (true, rest));
    let operator = word.split_once(':').and_then(|(name, value)| test(&name.to_lowercase(), value, now));
    Term { negated, test: operator.unwrap_or_else(|| Test::Words(word.to_lowercase())) }
}

fn test(name: &str, value: &str, now: DateTime<Utc>) -> Option<Test> {
    let lower = value.to_lowercase();
    Some(match name {
        "from" => Test::From(lower),
        "to" | "cc" | "bcc" => Test::To(lower),
        "subject" => Test::Subject(lower),
        "in" if lower == "anywhere" => Test::Anywhere,
        "in" | "is" | "label" | "category" => Test::Label(label(name, &lower)),
        "has" if lower == "attachment" => Test::Attachment,
        "after" | "newer" => Test::Since(instant(value)?),
        "before" | "older" => Test::Before(instant(value)?),
        "newer_than" => Test::Since(now.checked_sub_signed(age(&lower)?)?),
        "older_than" => Test::Before(now.checked_sub_signed(age(&lower)?)?),
        "rfc822msgid" => Test::MessageId(value.trim_matches(['<', '>']).to_owned()),
        _ => return None,
    })
}

/// The label behind a folder's or state's name.
fn label(operator: &str, value: &str) -> String {
    match (operator, value) {
        ("in", "drafts") => "draft".to_owned(),
        ("category", value) => format!("category_{value}"),
        (_, value) => value.to_owned(),
    }
}

/// `YYYY/MM/DD` or `YYYY-MM-DD` as the day's first instant, digits as Unix seconds.
fn instant(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(seconds) = text.parse::<i64>() {
        return DateTime::from_timestamp(seconds, 0);
    }
    let day = NaiveDate::parse_from_str(&text.replace('-', "/"), "%Y/%m/%d").ok()?;
    Some(day.and_time(NaiveTime::MIN).and_utc())
}

/// `2d`, `1m` or `1y`.
fn age(text: &str) -> Option<Duration> {
    let unit = text.chars().last()?;
    let number: i64 = text.strip_suffix(unit)?.parse().ok()?;
    let days = match unit {
        'd' => 1,
        'm' => 30,
        'y' => 365,
        _ => return None,
    };
    Duration::try_days(number.checked_mul(days)?)
}
