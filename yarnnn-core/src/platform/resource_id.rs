//! One normal form per resource, so that `INBOX` and `label:INBOX` can never be two things.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Platform, UnknownPlatform};

/// A resource in its platform's normal form (dossier §4.6).
///
/// | Platform | Normal form |
/// |---|---|
/// | slack | the channel id, or `name:<folder>` for an export without ids |
/// | gmail | `label:<LabelId>` |
/// | notion | the page or database id, dashed and lower case |
/// | calendar | the calendar's id; `primary` stays as an alias of the provider |
///
/// As text it reads `platform:id`, split at the first colon.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ResourceId {
    platform: Platform,
    id: String,
}

impl ResourceId {
    /// Brings any accepted spelling into the normal form.
    ///
    /// # Errors
    /// When the id is empty after trimming.
    pub fn new(platform: Platform, id: &str) -> Result<Self, InvalidResourceId> {
        let id = id.trim();
        let id = match platform {
            Platform::Slack | Platform::Calendar => id.to_owned(),
            Platform::Gmail => format!("label:{}", id.strip_prefix("label:").unwrap_or(id)),
            Platform::Notion => Uuid::try_parse(id).map_or_else(|_| id.to_owned(), |uuid| uuid.hyphenated().to_string()),
        };
        if id.is_empty() || id == "label:" {
            return Err(InvalidResourceId::Empty(platform));
        }
        Ok(Self { platform, id })
    }

    /// The platform it belongs to.
    pub const fn platform(&self) -> Platform {
        self.platform
    }

    /// The normal form without the platform, as stored in `resource_id`.
    pub fn as_str(&self) -> &str {
        &self.id
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.platform, self.id)
    }
}

/// The text names no resource.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidResourceId {
    /// Nothing after the platform.
    #[error("the {0} resource has an empty id")]
    Empty(Platform),
    /// No colon between platform and id.
    #[error("{0:?} is not PLATFORM:RESOURCE, for example slack:C024BE91L")]
    NoPlatform(String),
    /// The platform is none of the four.
    #[error(transparent)]
    Platform(#[from] UnknownPlatform),
}

impl FromStr for ResourceId {
    type Err = InvalidResourceId;
    fn from_str(text: &str) -> Result<Self, InvalidResourceId> {
        let (platform, id) = text.split_once(':').ok_or_else(|| InvalidResourceId::NoPlatform(text.to_owned()))?;
        Self::new(platform.parse()?, id)
    }
}

impl TryFrom<String> for ResourceId {
    type Error = InvalidResourceId;
    fn try_from(text: String) -> Result<Self, InvalidResourceId> {
        text.parse()
    }
}

impl From<ResourceId> for String {
    fn from(id: ResourceId) -> Self {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_spelling_of_a_resource_meets_in_one_form() {
        let same = [
            ("gmail:INBOX", "gmail:label:INBOX"),
            ("notion:0EE1D7A5C2F04A8F9F0A4F5E6D7C8B9A", "notion:0ee1d7a5-c2f0-4a8f-9f0a-4f5e6d7c8b9a"),
            ("calendar:team@example.com", "calendar: team@example.com "),
            ("slack:C024BE91L", "slack:C024BE91L"),
        ];
        for (left, right) in same {
            assert_eq!(left.parse::<ResourceId>().unwrap(), right.parse().unwrap(), "{left} {right}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(
            "INBOX".parse::<ResourceId>().unwrap_err().to_string(),
            "\"INBOX\" is not PLATFORM:RESOURCE, for example slack:C024BE91L"
        );
        assert!("google:x".parse::<ResourceId>().unwrap_err().to_string().contains("\"google\" is not a platform"));
        assert_eq!("gmail:label:".parse::<ResourceId>().unwrap_err(), InvalidResourceId::Empty(Platform::Gmail));
    }

    proptest! {
        #[test]
        fn the_normal_form_is_stable(platform in prop::sample::select(&Platform::ALL[..]), id in "[ -~]{0,40}") {
            if let Ok(once) = ResourceId::new(platform, &id) {
                prop_assert_eq!(&ResourceId::new(platform, once.as_str()).unwrap(), &once);
                prop_assert_eq!(&once.to_string().parse::<ResourceId>().unwrap(), &once);
            }
        }
    }
}
