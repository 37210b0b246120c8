//! Sources and destinations of a deliverable in the brief's JSON shapes.

use serde::{Deserialize, Serialize};
use yarnnn_core::deliverables::{Destination, SourceRef};
use yarnnn_core::delivery::DownloadFormat;
use yarnnn_core::platform::{Platform, ResourceId};

use crate::text::clean;

/// A source as the brief stores it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SourceColumn {
    #[serde(rename = "type")]
    kind: String,
    provider: Platform,
    resource_id: String,
    resource_name: String,
}

const SOURCE_KIND: &str = "integration_import";

impl From<&SourceRef> for SourceColumn {
    fn from(source: &SourceRef) -> Self {
        Self {
            kind: SOURCE_KIND.to_owned(),
            provider: source.resource.platform(),
            resource_id: clean(source.resource.as_str()).into_owned(),
            resource_name: clean(&source.resource_name).into_owned(),
        }
    }
}

impl TryFrom<SourceColumn> for SourceRef {
    type Error = String;

    fn try_from(column: SourceColumn) -> Result<Self, String> {
        if column.kind != SOURCE_KIND {
            return Err(format!("a source of type {:?} is not known to this version", column.kind));
        }
        let resource = ResourceId::new(column.provider, &column.resource_id).map_err(|error| error.to_string())?;
        Ok(Self { resource, resource_name: column.resource_name })
    }
}

/// A destination as the brief stores it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct DestinationColumn {
    platform: String,
    target: Option<String>,
    format: String,
}

impl From<&Destination> for DestinationColumn {
    fn from(destination: &Destination) -> Self {
        match destination {
            Destination::Folder { path } => {
                let target = path.as_deref().map(|path| clean(path).into_owned());
                Self { platform: "folder".to_owned(), target, format: "files".to_owned() }
            }
            Destination::Email { address } => {
                Self { platform: "email".to_owned(), target: Some(address.to_string()), format: "send".to_owned() }
            }
            Destination::Slack { channel } => {
                let target = Some(clean(channel).into_owned());
                Self { platform: "slack".to_owned(), target, format: "message".to_owned() }
            }
            Destination::GmailDraft { address } => {
                Self { platform: "gmail".to_owned(), target: Some(address.to_string()), format: "draft".to_owned() }
            }
            Destination::Notion { page } => {
                let target = Some(clean(page).into_owned());
                Self { platform: "notion".to_owned(), target, format: "page".to_owned() }
            }
            Destination::Download { format } => {
                Self { platform: "download".to_owned(), target: None, format: format.as_str().to_owned() }
            }
        }
    }
}

impl TryFrom<DestinationColumn> for Destination {
    type Error = String;

    fn try_from(column: DestinationColumn) -> Result<Self, String> {
        match (column.platform.as_str(), column.target) {
            ("folder", path) => Ok(Self::Folder { path }),
            ("email", Some(address)) => {
                Ok(Self::Email { address: address.parse().map_err(|error| format!("its destination: {error}"))? })
            }
            ("slack", Some(channel)) => Ok(Self::Slack { channel }),
            ("gmail", Some(address)) if column.format == "draft" => {
                Ok(Self::GmailDraft { address: address.parse().map_err(|error| format!("its destination: {error}"))? })
            }
            ("notion", Some(page)) if column.format == "page" => Ok(Self::Notion { page }),
            ("download", None) => match DownloadFormat::parse(&column.format) {
                Some(format) => Ok(Self::Download { format }),
                None => Err(format!("a download as {:?} is not known to this version", column.format)),
            },
            (other, _) => Err(format!("a destination on {other:?} as {:?} is not known to this version", column.format)),
        }
    }
}

/// One destination as the brief stores it, or several in a list.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum DestinationsColumn {
    One(DestinationColumn),
    Several(Vec<DestinationColumn>),
}

impl From<&[Destination]> for DestinationsColumn {
    fn from(destinations: &[Destination]) -> Self {
        match destinations {
            [one] => Self::One(one.into()),
            several => Self::Several(several.iter().map(DestinationColumn::from).collect()),
        }
    }
}

impl TryFrom<DestinationsColumn> for Vec<Destination> {
    type Error = String;

    fn try_from(column: DestinationsColumn) -> Result<Self, String> {
        match column {
            DestinationsColumn::One(one) => Ok(vec![one.try_into()?]),
            DestinationsColumn::Several(several) => several.into_iter().map(Destination::try_from).collect(),
        }
    }
}
