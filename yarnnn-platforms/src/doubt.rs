//! Looking for a message whose sending ended in doubt: what is under way is let arrive first.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use yarnnn_core::clock::Clock;
use yarnnn_core::delivery::OutboxMessage;

/// How far a provider's clock may be from ours.
pub(crate) const SKEW: TimeDelta = TimeDelta::minutes(5);
/// How long a message that was on its way when its sender died may take to show.
const SETTLING: Duration = Duration::from_secs(10);

/// Lets what is under way arrive. When the last attempt was made is known of the first one only.
pub(crate) async fn settle(message: &OutboxMessage, since: DateTime<Utc>, clock: &dyn Clock) {
    let ago = if message.attempts > 2 { TimeDelta::zero() } else { clock.now() - since };
    tokio::time::sleep(SETTLING.saturating_sub(ago.to_std().unwrap_or_default())).await;
}
