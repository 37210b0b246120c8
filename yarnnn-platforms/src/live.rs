//! Opens live clients: one pool of connections, one address and one pace per provider.

use std::sync::Arc;

use url::Url;
use yarnnn_core::clock::Clock;
use yarnnn_core::jobs::CapacityLimits;
use yarnnn_core::platform::{Access, OpenAccess, OpenPlatform, Platform, PlatformClient};

use crate::PlatformBases;
use crate::calendar::{self, CalendarClient};
use crate::gmail::{self, GmailChannel, GmailClient};
use crate::http::{HttpTransport, Session};
use crate::notion::{NotionChannel, NotionClient, NotionLimits};
use crate::slack::{SlackChannel, SlackClient, SlackLimits};

/// How fast each provider is called, per account. [`Default`] is what the providers publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pace {
    /// Slack, by method.
    pub slack: SlackLimits,
    /// Gmail, in quota units.
    pub gmail: CapacityLimits,
    /// Google Calendar.
    pub calendar: CapacityLimits,
    /// Notion.
    pub notion: NotionLimits,
}

impl Default for Pace {
    fn default() -> Self {
        let (slack, notion) = (SlackLimits::default(), NotionLimits::default());
        Self { slack, gmail: gmail::PUBLISHED, calendar: calendar::PUBLISHED, notion }
    }
}

impl Pace {
    /// So many times as fast: for providers that are simulated in quick motion.
    #[must_use]
    pub fn scaled(self, factor: u32) -> Self {
        let factor = factor.max(1);
        let scale = |limits: CapacityLimits| CapacityLimits {
            requests_per_minute: limits.requests_per_minute.map(|it| it.saturating_mul(factor)),
            tokens_per_minute: limits.tokens_per_minute.map(|it| it.saturating_mul(factor)),
            min_interval_millis: limits.min_interval_millis.map(|it| it / factor),
            ..limits
        };
        let (gmail, calendar) = (scale(self.gmail), scale(self.calendar));
        let notion = NotionLimits { requests: scale(self.notion.requests) };
        Self { slack: self.slack.scaled(factor), gmail, calendar, notion }
    }
}

/// Opens live clients. Cheap to clone.
#[derive(Debug, Clone)]
pub struct LivePlatforms {
    transport: HttpTransport,
    bases: PlatformBases,
    pace: Pace,
    clock: Arc<dyn Clock>,
}

impl LivePlatforms {
    /// Calls the providers at these addresses over this pool of connections, as fast as they publish.
    pub fn new(transport: HttpTransport, bases: PlatformBases, clock: Arc<dyn Clock>) -> Self {
        Self { transport, bases, pace: Pace::default(), clock }
    }

    /// Calls at another pace.
    #[must_use]
    pub fn paced(self, pace: Pace) -> Self {
        Self { pace, ..self }
    }

    /// The channel that posts in Slack with what users have connected there.
    pub fn slack_channel(&self, access: Arc<dyn OpenAccess>) -> SlackChannel {
        let (base, pace) = (self.bases.slack.clone(), self.pace.slack.clone());
        SlackChannel::new(access, self.transport.clone(), base, pace, self.clock.clone())
    }

    /// The channel that makes drafts in Gmail with what users have connected there.
    pub fn gmail_channel(&self, access: Arc<dyn OpenAccess>) -> GmailChannel {
        let (base, pace) = (self.bases.gmail.clone(), self.pace.gmail.clone());
        GmailChannel::new(access, self.transport.clone(), base, pace, self.clock.clone())
    }

    /// The channel that makes pages in Notion with what users have connected there.
    pub fn notion_channel(&self, access: Arc<dyn OpenAccess>) -> NotionChannel {
        let (base, pace) = (self.bases.notion.clone(), self.pace.notion.clone());
        NotionChannel::new(access, self.transport.clone(), base, pace, self.clock.clone())
    }

    fn base(&self, platform: Platform) -> Url {
        let PlatformBases { slack, gmail, calendar, notion, .. } = &self.bases;
        match platform {
            Platform::Slack => slack.clone(),
            Platform::Gmail => gmail.clone(),
            Platform::Notion => notion.clone(),
            Platform::Calendar => calendar.clone(),
        }
    }
}

impl OpenPlatform for LivePlatforms {
    fn open(&self, platform: Platform, access: Access) -> Arc<dyn PlatformClient> {
        let Access { tokens, gate, person, .. } = access;
        let session = Session::new(self.transport.clone(), tokens, gate, self.clock.clone());
        let (base, pace) = (self.base(platform), self.pace.clone());
        match platform {
            Platform::Slack => Arc::new(SlackClient::new(session, base, pace.slack, person.as_deref())),
            Platform::Gmail => Arc::new(GmailClient::paced(session, base, pace.gmail)),
            Platform::Calendar => Arc::new(CalendarClient::paced(session, base, pace.calendar)),
            Platform::Notion => Arc::new(NotionClient::new(session, base, pace.notion, person.as_deref())),
        }
    }
}
