//! References: how a model names what it wants to read (dossier §8.2).
//!
//! `<type>:<identifier>[/<subpath>][?<query>]`; `type:?k=v` is short for `type:*?k=v`.

use std::fmt::{self, Write as _};
use std::str::FromStr;

/// Longer texts are no references.
const LONGEST: usize = 512;
/// What stands in paths and queries as it is.
const PLAIN: &str = "-._~";

/// What a reference points at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EntityKind {
    /// A standing report configuration.
    Deliverable,
    /// A connected platform, by its name.
    Platform,
    /// Synced content.
    PlatformContent,
    /// Something remembered of the user.
    Memory,
    /// A conversation.
    Session,
    /// A group of memories.
    Domain,
    /// A file.
    Document,
    /// A work ticket.
    Work,
    /// Something that can be done.
    Action,
    /// The system itself.
    System,
}

impl EntityKind {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Deliverable,
        Self::Platform,
        Self::PlatformContent,
        Self::Memory,
        Self::Session,
        Self::Domain,
        Self::Document,
        Self::Work,
        Self::Action,
        Self::System,
    ];

    /// The name in references.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deliverable => "deliverable",
            Self::Platform => "platform",
            Self::PlatformContent => "platform_content",
            Self::Memory => "memory",
            Self::Session => "session",
            Self::Domain => "domain",
            Self::Document => "document",
            Self::Work => "work",
            Self::Action => "action",
            Self::System => "system",
        }
    }
}

/// Which one of its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identifier {
    /// One to be made.
    New,
    /// The one that was updated last.
    Latest,
    /// The one of this conversation.
    Current,
    /// All.
    All,
    /// This one: letters, digits, `_`, `.` and `-`.
    Named(String),
}

impl Identifier {
    fn as_str(&self) -> &str {
        match self {
            Self::New => "new",
            Self::Latest => "latest",
            Self::Current => "current",
            Self::All => "*",
            Self::Named(name) => name,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let is_name = |it: &str| it.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
        Some(match text {
            "new" => Self::New,
            "latest" => Self::Latest,
            "current" => Self::Current,
            "*" => Self::All,
            name if !name.is_empty() && is_name(name) => Self::Named(name.to_owned()),
            _ => return None,
        })
    }
}

/// A parsed reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// Of which kind.
    pub kind: EntityKind,
    /// Which one.
    pub identifier: Identifier,
    /// Where in it: names of fields, and positions in lists.
    pub path: Vec<String>,
    /// What must hold, in the order given.
    pub filters: Vec<(String, String)>,
}

impl Reference {
    /// One entity of a kind, by its name.
    pub fn to(kind: EntityKind, name: impl Into<String>) -> Self {
        Self { kind, identifier: Identifier::Named(name.into()), path: Vec::new(), filters: Vec::new() }
    }

    /// Whether it names many: `*`, or any filter.
    pub fn is_collection(&self) -> bool {
        self.identifier == Identifier::All || !self.filters.is_empty()
    }
}

/// The text is no reference. What it says is fixed, for the text itself may come from anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidReference {
    /// Too long.
    #[error("a reference has at most 512 characters")]
    TooLong,
    /// No colon, or no type before it.
    #[error("a reference reads type:identifier, for example platform_content:<id>")]
    Form,
    /// No such type.
    #[error("the types are deliverable, platform, platform_content, memory, session, domain, document, work, action and system")]
    Kind,
    /// Not an identifier.
    #[error("an identifier has letters, digits, '_', '.' and '-', or is '*' alone")]
    Identifier,
    /// Empty parts, control characters, or a path into many.
    #[error("a path has parts that are not empty, and leads into one entity only")]
    Path,
    /// Not `key=value`.
    #[error("a query reads key=value&key=value")]
    Query,
}

impl FromStr for Reference {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Self, InvalidReference> {
        if text.chars().count() > LONGEST {
            return Err(InvalidReference::TooLong);
        }
        let (kind, rest) = text.split_once(':').ok_or(InvalidReference::Form)?;
        let kind = EntityKind::ALL.into_iter().find(|it| it.as_str() == kind).ok_or(InvalidReference::Kind)?;
        let (target, query) = rest.split_once('?').map_or((rest, None), |(target, query)| (target, Some(query)));
        let filters = query.map_or(Ok(Vec::new()), parse_query)?;
        let (identifier, path) = match target {
            "" if query.is_some() => (Identifier::All, Vec::new()),
            target => parse_target(target)?,
        };
        let reference = Self { kind, identifier, path, filters };
        if reference.is_collection() && !reference.path.is_empty() {
            return Err(InvalidReference::Path);
        }
        Ok(reference)
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.as_str(), self.identifier.as_str())?;
        for part in &self.path {
            write!(f, "/{}", encode(part))?;
        }
        for (index, (key, value)) in self.filters.iter().enumerate() {
            write!(f, "{}{}={}", if index == 0 { '?' } else { '&' }, encode(key), encode(value))?;
        }
        Ok(())
    }
}

fn parse_target(target: &str) -> Result<(Identifier, Vec<String>), InvalidReference> {
    let mut parts = target.split('/');
    let identifier = parts.next().and_then(Identifier::parse).ok_or(InvalidReference::Identifier)?;
    let path = parts.map(|it| decode(it).filter(|it| !it.is_empty())).collect::<Option<_>>();
    Ok((identifier, path.ok_or(InvalidReference::Path)?))
}

fn parse_query(query: &str) -> Result<Vec<(String, String)>, InvalidReference> {
    let pair = |part: &str| {
        let (key, value) = part.split_once('=')?;
        Some((decode(key).filter(|it| !it.is_empty())?, decode(value)?))
    };
    query.split('&').map(pair).collect::<Option<_>>().ok_or(InvalidReference::Query)
}

/// Takes `%41` for `A`. None if that is no UTF-8, or leaves a control character.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(if byte == b'%' { hex(rest.next()?)? << 4 | hex(rest.next()?)? } else { byte });
    }
    String::from_utf8(bytes).ok().filter(|it| !it.contains(char::is_control))
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|it| u8::try_from(it).ok())
}

fn encode(text: &str) -> String {
    text.chars().fold(String::new(), |mut encoded, c| {
        if c.is_ascii_alphanumeric() || PLAIN.contains(c) {
            encoded.push(c);
        } else {
            c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| write!(encoded, "%{byte:02X}").unwrap_or_default());
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str) -> Reference {
        text.parse().unwrap()
    }

    #[test]
    fn the_forms_of_the_dossier_are_read() {
        let content = parsed("platform_content:0193a5f0-0000-7000-8000-000000000001/metadata/reactions/0");
        assert_eq!(content.kind, EntityKind::PlatformContent);
        assert_eq!(content.path, ["metadata", "reactions", "0"]);
        assert!(!content.is_collection());
        assert_eq!(parsed("deliverable:?status=active"), parsed("deliverable:*?status=active"));
        assert_eq!(parsed("deliverable:*?status=on%20hold&limit=5").filters[0], ("status".into(), "on hold".into()));
        assert_eq!(parsed("platform:slack").identifier, Identifier::Named("slack".into()));
        assert!(parsed("deliverable:latest?status=active").is_collection());
    }

    #[test]
    fn what_is_wrong_is_named() {
        let wrong = [
            ("", InvalidReference::Form),
            ("deliverable", InvalidReference::Form),
            ("users:1", InvalidReference::Kind),
            ("Deliverable:1", InvalidReference::Kind),
            ("deliverable:", InvalidReference::Identifier),
            ("deliverable:a b", InvalidReference::Identifier),
            ("deliverable:../x", InvalidReference::Path),
            ("deliverable:1//x", InvalidReference::Path),
            ("deliverable:1/%00", InvalidReference::Path),
            ("deliverable:1/%F", InvalidReference::Path),
            ("platform:*/credentials", InvalidReference::Path),
            ("deliverable:?", InvalidReference::Query),
            ("deliverable:?status", InvalidReference::Query),
        ];
        for (text, problem) in wrong {
            let found = text.parse::<Reference>();
            if text == "deliverable:../x" {
                // Dots are letters of identifiers, and `..` is then only a name that nothing has.
                assert_eq!(found.unwrap().identifier, Identifier::Named("..".into()));
            } else {
                assert_eq!(found, Err(problem), "{text}");
            }
        }
        assert_eq!(format!("deliverable:{}", "a".repeat(600)).parse::<Reference>(), Err(InvalidReference::TooLong));
    }

    fn references() -> impl Strategy<Value = Reference> {
        let identifier = prop_oneof![
            Just(Identifier::Latest),
            Just(Identifier::New),
            Just(Identifier::Current),
            "[A-Za-z0-9_.-]{1,20}".prop_map(|it| Identifier::parse(&it).unwrap()),
        ];
        let text = "[^\\pC]{1,8}";
        let one = (identifier, prop::collection::vec(text, 0..4)).prop_map(|(identifier, path)| (identifier, path, Vec::new()));
        let many = prop::collection::vec((text, "[^\\pC]{0,8}"), 0..4).prop_map(|filters| (Identifier::All, Vec::new(), filters));
        let kinds = prop::sample::select(&EntityKind::ALL[..]);
        (kinds, prop_oneof![one, many]).prop_map(|(kind, (identifier, path, filters))| Reference {
            kind,
            identifier,
            path,
            filters,
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(reference in references()) {
            let text = reference.to_string();
            prop_assume!(text.chars().count() <= LONGEST);
            prop_assert_eq!(text.parse::<Reference>(), Ok(reference), "{}", text);
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,80}|(deliverable|platform_content|system)?:?[a-z*%/?&=.0-9é\u{0}]{0,40}") {
            if let Ok(reference) = text.parse::<Reference>() {
                prop_assert_eq!(reference.to_string().parse::<Reference>(), Ok(reference));
            }
        }
    }
}
