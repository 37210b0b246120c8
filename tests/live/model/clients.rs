//! The product's own clients, which here need not wait: the simulator's limits are a matter of other tests.

use std::sync::Arc;

use yarnnn::clock::Clock;
use yarnnn::jobs::CapacityLimits;
use yarnnn::platform::{Access, OpenPlatform, Platform, PlatformClient};
use yarnnn::platforms::PlatformBases;
use yarnnn::platforms::http::{HttpTransport, Session};
use yarnnn::platforms::slack::{SlackClient, SlackLimits};

/// Few enough that small worlds have several pages.
const PAGE_SIZE: u32 = 5;

/// Opens them.
#[derive(Debug)]
pub(crate) struct Clients {
    transport: HttpTransport,
    bases: PlatformBases,
    clock: Arc<dyn Clock>,
}

impl Clients {
    pub(crate) fn new(transport: HttpTransport, bases: PlatformBases, clock: Arc<dyn Clock>) -> Self {
        Self { transport, bases, clock }
    }
}

impl OpenPlatform for Clients {
    fn open(&self, platform: Platform, access: Access) -> Arc<dyn PlatformClient> {
        let Access { tokens, gate, person } = access;
        let session = Session::new(self.transport.clone(), tokens, gate, self.clock.clone());
        match platform {
            Platform::Slack => {
                let free = CapacityLimits::default();
                let limits = SlackLimits {
                    list: free.clone(),
                    history: free.clone(),
                    replies: free.clone(),
                    conversation: free.clone(),
                    users: free.clone(),
                    probe: free,
                    page_size: PAGE_SIZE,
                };
                Arc::new(SlackClient::new(session, self.bases.slack.clone(), limits, person.as_deref()))
            }
            Platform::Gmail | Platform::Calendar | Platform::Notion => todo!(),
        }
    }
}
