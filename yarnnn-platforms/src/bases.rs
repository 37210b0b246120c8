//! Where the providers are.

use url::Url;

/// The address of each provider's service. Clients append the provider's own path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatformBases {
    /// Slack's methods: `/conversations.history` follows. The page where people sign in is at the same origin.
    pub slack: Url,
    /// Gmail: `/gmail/v1/…` follows.
    pub gmail: Url,
    /// Google Calendar: `/calendar/v3/…` follows.
    pub calendar: Url,
    /// Where Google hands out tokens: `/token` follows.
    pub google_oauth: Url,
    /// Where people sign in at Google: `/o/oauth2/v2/auth` follows.
    pub google_authorize: Url,
    /// Notion, OAuth too: `/v1/…` follows.
    pub notion: Url,
}

impl Default for PlatformBases {
    /// The public addresses.
    fn default() -> Self {
        let fixed = |address: &str| Url::parse(address).expect("an address that is written here is one");
        Self {
            slack: fixed("https://slack.com/api"),
            gmail: fixed("https://gmail.googleapis.com"),
            calendar: fixed("https://www.googleapis.com"),
            google_oauth: fixed("https://oauth2.googleapis.com"),
            google_authorize: fixed("https://accounts.google.com"),
            notion: fixed("https://api.notion.com"),
        }
    }
}
