//! `yarnnn settings`: who one is, and when the clock syncs.

use std::process::ExitCode;

use serde_json::json;
use yarnnn::Error;
use yarnnn::accounts::Email;
use yarnnn::platform_sync::schedule::{SyncFrequency, next_sync, zone_named, zone_of};

use super::when;
use crate::exit::UsageError;
use crate::output::Output;
use crate::session::Session;

pub(super) async fn execute(user: Option<Email>, timezone: Option<&str>, output: &Output) -> anyhow::Result<ExitCode> {
    let unknown =
        |text: &str| UsageError(format!("--timezone: {text:?} is no time zone; write an IANA name such as Europe/Berlin"));
    let zone = timezone.map(|it| zone_named(it).ok_or_else(|| unknown(it))).transpose()?;
    let mut session = Session::open(user).await?;
    let now = session.yarnnn.clock().now();
    if let Some(zone) = zone {
        session.yarnnn.accounts().set_timezone(session.user.id, zone.name(), now).await.map_err(Error::from)?;
        session.user.timezone = Some(zone.name().to_owned());
    }
    let user = &session.user;
    let zone = zone_of(user.timezone.as_deref());
    let frequency = SyncFrequency::of(user.tier);
    let next = next_sync(frequency, zone, now);
    if output.is_json() {
        output.json(&json!({
            "user": user.email, "user_id": user.id, "tier": user.tier, "timezone": zone.name(),
            "sync_frequency": frequency.as_str(), "next_sync_at": next,
        }));
        return Ok(ExitCode::SUCCESS);
    }
    let source = if user.timezone.is_some() { "" } else { " (none is set: yarnnn settings --timezone ZONE)" };
    output.line(&format!("user       {}", user.email));
    output.line(&format!("tier       {}", user.tier.as_str()));
    output.line(&format!("time zone  {}{source}", zone.name()));
    let local = next.with_timezone(&zone).format("%Y-%m-%d %H:%M");
    output.line(&format!("sync       {}, next at {local} ({} UTC)", frequency.as_str(), when::show(Some(next))));
    Ok(ExitCode::SUCCESS)
}
