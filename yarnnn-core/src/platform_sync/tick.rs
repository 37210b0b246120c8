//! A tick of the clock: which connections are due now.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use chrono::{DateTime, Utc};

use super::schedule::{SyncFrequency, needs_sync, should_sync_now, zone_of};
use super::{PlatformSync, SyncRequest, SyncTrigger, TickReport};
use crate::accounts::User;
use crate::connections::Connection;
use crate::error::Error;
use crate::id::UserId;

/// Connections that are read at once.
const PAGE: u32 = 500;

impl PlatformSync {
    /// Which connections are due at an instant. Nothing is started: whoever asks enqueues or runs what is due.
    ///
    /// # Errors
    /// Those of the store. A user or connection that cannot be read is reported, and the others go on.
    pub async fn tick(&self, now: DateTime<Utc>) -> Result<TickReport, Error> {
        let mut report = TickReport { at: now, ..TickReport::default() };
        let mut users: BTreeMap<UserId, Option<User>> = BTreeMap::new();
        let mut after = None;
        loop {
            let page = self.connections.live(after, PAGE).await?;
            after = page.last().map(|it| it.as_ref().map_or_else(|unreadable| unreadable.id, |it| it.id));
            for connection in &page {
                report.checked += 1;
                let connection = match connection {
                    Ok(connection) => connection,
                    Err(unreadable) => {
                        report.problems.push(unreadable.to_string());
                        continue;
                    }
                };
                if let Entry::Vacant(unknown) = users.entry(connection.user) {
                    let user = self.accounts.user(connection.user).await;
                    let problem = user.as_ref().err().map(|error| format!("user {}: {error}", connection.user));
                    report.problems.extend(problem);
                    unknown.insert(user.ok());
                }
                let user = users.get(&connection.user).and_then(Option::as_ref);
                report.due.extend(user.filter(|it| is_due(it, connection, now)).map(|_| request(connection)));
            }
            if page.len() < PAGE as usize {
                return Ok(report);
            }
        }
    }
}

fn is_due(user: &User, connection: &Connection, now: DateTime<Utc>) -> bool {
    let frequency = SyncFrequency::of(user.tier);
    should_sync_now(frequency, zone_of(user.timezone.as_deref()), now) && needs_sync(frequency, connection.last_synced_at, now)
}

const fn request(connection: &Connection) -> SyncRequest {
    SyncRequest { user: connection.user, provider: connection.provider, platform: None, trigger: SyncTrigger::Scheduled }
}
