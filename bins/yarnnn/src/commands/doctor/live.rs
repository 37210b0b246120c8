//! What is connected: can its secrets be read, does it answer, was everything granted, and does every source get on?

use yarnnn::connections::{Connection, ConnectionHealth, ConnectionStatus, Connections, Provider};
use yarnnn::platform::{Platform, PlatformError, Probe};
use yarnnn::platform_sync::Frozen;
use yarnnn::platforms::PlatformBases;
use yarnnn::{Config, ConnectError};

use super::super::when;
use super::check::{Check, bad, bad_setting, good};
use crate::session::Session;

/// All checks of what is connected.
pub(super) async fn checks(session: &Session) -> anyhow::Result<Vec<Check>> {
    let connections = session.connections()?;
    let all = connections.list(session.user.id).await?;
    let live: Vec<_> = all.into_iter().filter(|it| it.status != ConnectionStatus::Disconnected).collect();
    let mut checks = vec![key(session, &live).await?];
    checks.extend(bases(&session.config.platforms.bases));
    if live.is_empty() {
        checks.push(good("connections", "nothing is connected (yarnnn connect slack|notion|google)".to_owned()));
    }
    for connection in &live {
        checks.extend(app(&session.config, connection.provider));
        checks.extend(connection_checks(&connections, connection, session.config.secrets.seal_keys.is_some()).await);
        let frozen = session.platform_sync()?.frozen(&session.user, connection).await?;
        checks.extend(frozen.iter().map(still));
    }
    Ok(checks)
}

async fn key(session: &Session, live: &[Connection]) -> Result<Check, ConnectError> {
    if let Err(error) = session.config.need_seal_key() {
        let text = "INTEGRATION_ENCRYPTION_KEY is not set; `yarnnn connect` needs it (yarnnn doctor --new-key)";
        return Ok(if live.is_empty() { good("key", text.to_owned()) } else { bad_setting("key", error.to_string()) });
    }
    match yarnnn::check_seal_key(&session.config, &session.yarnnn).await {
        Ok(()) => Ok(good("key", "INTEGRATION_ENCRYPTION_KEY is set".to_owned())),
        Err(ConnectError::Config(error)) => Ok(bad_setting("key", error.to_string())),
        Err(error) => Err(error),
    }
}

fn app(config: &Config, provider: Provider) -> Option<Check> {
    match config.need_app(provider) {
        Ok(()) => (provider == Provider::Google).then(|| good("app", "the client of Google is set".to_owned())),
        Err(error) => Some(bad("app", error.to_string())),
    }
}

/// The addresses that are not the public ones: nobody should wonder where their data comes from.
fn bases(bases: &PlatformBases) -> Vec<Check> {
    let public = PlatformBases::default();
    let all = [
        ("SLACK_BASE_URL", &bases.slack, &public.slack),
        ("GMAIL_BASE_URL", &bases.gmail, &public.gmail),
        ("CALENDAR_BASE_URL", &bases.calendar, &public.calendar),
        ("GOOGLE_OAUTH_BASE_URL", &bases.google_oauth, &public.google_oauth),
        ("NOTION_BASE_URL", &bases.notion, &public.notion),
    ];
    let differs = all.into_iter().filter(|(_, base, public)| base != public);
    differs.map(|(name, base, _)| good("address", format!("{name} is {base}, not the public address"))).collect()
}

async fn connection_checks(connections: &Connections, connection: &Connection, has_key: bool) -> Vec<Check> {
    let provider = connection.provider;
    if connection.status != ConnectionStatus::Active {
        let reason = connection.last_error.as_deref().unwrap_or("no reason is known");
        let text =
            format!("{provider} is {}: {reason}; nothing is synced until: yarnnn connect {provider}", connection.status.as_str());
        return vec![bad("connection", text)];
    }
    if !has_key {
        return vec![];
    }
    let ConnectionHealth { credentials, platforms, missing_scopes } = connections.health(connection).await;
    if let Err(error) = credentials {
        let lost = format!("or, if that key is lost: yarnnn connect {provider} --lost-key");
        return vec![bad("connection", format!("{provider}: {error}; {lost}"))];
    }
    let mut checks: Vec<_> = platforms.iter().map(|(platform, answer)| answered(provider, *platform, answer)).collect();
    // A scope that reading needs is named by the platform itself: it does not answer without.
    if !missing_scopes.is_empty() {
        let scopes = missing_scopes.join(", ");
        let text = format!(
            "{provider} did not grant {scopes}: what is read needs none of them; to have them, grant them there and connect again"
        );
        checks.push(good("scopes", text));
    }
    checks
}

fn answered(provider: Provider, platform: Platform, answer: &Result<Probe, PlatformError>) -> Check {
    match answer {
        Ok(probe) => {
            let name = probe.account_name.as_deref().filter(|it| *it != probe.account_id);
            let name = name.map(|it| format!(" ({it})")).unwrap_or_default();
            good("connection", format!("{platform} answers as {}{name}", probe.account_id))
        }
        Err(error) => {
            let text = error.to_string();
            let named = if text.starts_with(platform.as_str()) { text } else { format!("{platform}: {text}") };
            let again = matches!(error, PlatformError::NeedsUser { .. }) && !named.contains("yarnnn connect");
            bad("connection", if again { format!("{named}: yarnnn connect {provider}") } else { named })
        }
    }
}

/// A source that does not get on, with since when.
fn still(it: &Frozen) -> Check {
    let since = it
        .since
        .map_or_else(|| "was never read to its end".to_owned(), |at| format!("stands still since {}", when::show(Some(at))));
    let why = it.error.as_deref().map_or_else(|| "is `yarnnn-platform-sync` run every five minutes?".to_owned(), str::to_owned);
    bad("frozen", format!("{} ({}) {since}: {why}", it.source, it.name))
}
