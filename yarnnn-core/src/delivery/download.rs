//! Downloads: a report that is sent to nobody. Its forms are the files of its message, and fetched from there.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::{Channel, ChannelKind, Letter, LookedUp, OutboxFile, OutboxMessage, SendError, SendReceipt};
use crate::id::UserId;

/// The form in which a report is fetched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DownloadFormat {
    /// Markdown.
    #[default]
    Markdown,
    /// One page without anything remote.
    Html,
}

impl DownloadFormat {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Markdown => "markdown",
            Self::Html => "html",
        }
    }

    /// Reads the stored name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Markdown, Self::Html].into_iter().find(|it| it.as_str() == text)
    }

    /// How files of this form end.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Markdown => "md",
            Self::Html => "html",
        }
    }
}

/// Delivers by keeping: the message arrived when it is stored, which it is before anything is sent.
#[derive(Debug, Clone, Copy, Default)]
pub struct DownloadChannel;

impl DownloadChannel {
    fn receipt(message: &OutboxMessage) -> SendReceipt {
        SendReceipt { external_id: message.version.map_or_else(|| message.id.to_string(), |it| it.to_string()) }
    }
}

#[async_trait]
impl Channel for DownloadChannel {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Download
    }

    /// None: it goes nowhere.
    fn default_target(&self) -> String {
        String::new()
    }

    /// The report in every form in which it can be fetched.
    fn compose(&self, letter: &Letter) -> Result<Vec<Vec<OutboxFile>>, SendError> {
        let file = |format: DownloadFormat, content: &str| OutboxFile {
            name: format!("{}.{}", letter.stem, format.extension()),
            content: content.to_owned(),
        };
        Ok(vec![vec![file(DownloadFormat::Markdown, &letter.markdown), file(DownloadFormat::Html, &letter.html)]])
    }

    async fn ready(&self, _user: UserId, _target: &str) -> Result<(), SendError> {
        Ok(())
    }

    async fn send(&self, message: &OutboxMessage) -> Result<SendReceipt, SendError> {
        Ok(Self::receipt(message))
    }

    /// It is stored, or nobody could ask.
    async fn look_up(&self, message: &OutboxMessage) -> Result<LookedUp, SendError> {
        Ok(LookedUp::Arrived(Self::receipt(message)))
    }
}
