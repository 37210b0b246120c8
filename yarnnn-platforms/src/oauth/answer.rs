//! What an authorization server's answer means: a grant, a final no, a wrong setting, a later, or foreign bytes.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;
use serde_json::Value;
use url::form_urlencoded::byte_serialize;
use yarnnn_core::connections::{Credentials, GrantError, Granted};
use yarnnn_core::platform::PlatformError;

use super::server::{Meaning, Server, Told, text};
use crate::http::{RawReply, json, retry_after};

/// How long to stay away after a limit whose end the server did not name.
const UNNAMED_LIMIT: Duration = Duration::from_mins(1);
/// More of a server's words does not stand in an error.
const LONGEST: usize = 200;

/// What is known about the question.
pub(super) struct Asked<'a> {
    /// When it was asked: before that no token can have been made, so that none is thought to last longer than it does.
    pub(super) at: DateTime<Utc>,
    /// What a server might repeat and nobody may see.
    pub(super) secrets: [&'a str; 3],
}

/// Reads an answer.
pub(super) fn read(server: &dyn Server, asked: &Asked<'_>, raw: &RawReply) -> Result<Granted, GrantError> {
    let call = server.names().call;
    if raw.status == 429 {
        return Err(limited(call, asked, raw));
    }
    if raw.status >= 500 {
        return Err(unavailable(call, format!("status {}", raw.status)));
    }
    let body = json(call, raw)?;
    if let Some(error) = complaint(&body) {
        return Err(refused(server, asked, raw, (error, &body)));
    }
    if raw.status >= 400 {
        return Err(protocol(call, format!("status {}, and the answer does not say why", raw.status)));
    }
    let access = text(&body, "/access_token").filter(|_| server.is_grant(&body));
    match access {
        Some(access) => granted(server, asked, &body, access),
        None => Err(protocol(call, "the answer is neither a token nor an error".to_owned())),
    }
}

/// The word for what is wrong. Servers have it in different places.
fn complaint(body: &Value) -> Option<&str> {
    let listed = text(body, "/error").or_else(|| text(body, "/error/status"));
    listed.or_else(|| text(body, "/code").filter(|_| text(body, "/object") == Some("error")))
}

fn refused(server: &dyn Server, asked: &Asked<'_>, raw: &RawReply, (error, body): (&str, &Value)) -> GrantError {
    let names = server.names();
    let more = ["/error_description", "/message", "/error/message"].iter().find_map(|it| text(body, it));
    let detail = harmless(&more.map_or_else(|| error.to_owned(), |more| format!("{error}: {more}")), asked);
    match server.meaning(error) {
        Meaning::Final => GrantError::Refused { provider: names.provider.name(), detail },
        Meaning::Setting(setting) => {
            let setting = format!("{setting} ({} says {detail})", names.provider.name());
            PlatformError::NeedsOperator { setting }.into()
        }
        Meaning::Limited => limited(names.call, asked, raw),
        Meaning::Later => unavailable(names.call, detail),
        Meaning::Foreign => protocol(names.call, format!("status {}: {detail}", raw.status)),
    }
}

fn granted(server: &dyn Server, asked: &Asked<'_>, body: &Value, access: &str) -> Result<Granted, GrantError> {
    let lasts = body.get("expires_in").filter(|it| !it.is_null()).map(life).transpose();
    let lasts = lasts.map_err(|problem| protocol(server.names().call, problem.to_owned()))?;
    let credentials = Credentials {
        access: Some(SecretString::from(access)),
        refresh: text(body, "/refresh_token").map(SecretString::from),
        expires_at: lasts.and_then(|it| asked.at.checked_add_signed(it)),
    };
    let Told { scopes, metadata } = server.told(body);
    Ok(Granted { credentials, scopes, metadata })
}

/// How long a token lasts, as a number or, from less careful servers, as its digits.
fn life(seconds: &Value) -> Result<TimeDelta, &'static str> {
    let seconds = seconds.as_i64().or_else(|| seconds.as_str()?.parse().ok()).ok_or("`expires_in` is no number of seconds")?;
    let life = TimeDelta::try_seconds(seconds).ok_or("`expires_in` is longer than any time")?;
    if life > TimeDelta::zero() { Ok(life) } else { Err("the token has ended before it was used (`expires_in`)") }
}

fn limited(call: &str, asked: &Asked<'_>, raw: &RawReply) -> GrantError {
    let after = retry_after(&raw.headers).unwrap_or(UNNAMED_LIMIT);
    PlatformError::RateLimited { call: call.to_owned(), at: asked.at + after }.into()
}

pub(super) fn unavailable(call: &str, reason: String) -> GrantError {
    PlatformError::Unavailable { what: call.to_owned(), source: reason.into() }.into()
}

pub(super) fn protocol(call: &str, detail: String) -> GrantError {
    PlatformError::Protocol { call: call.to_owned(), detail }.into()
}

/// A server's words without what must not be seen, on one line of bearable length.
fn harmless(words: &str, asked: &Asked<'_>) -> String {
    let mut words = words.to_owned();
    for secret in asked.secrets.iter().filter(|it| !it.is_empty()) {
        let in_form: String = byte_serialize(secret.as_bytes()).collect();
        words = words.replace(secret, "…").replace(&in_form, "…");
    }
    words.chars().map(|it| if it.is_control() { ' ' } else { it }).take(LONGEST).collect()
}
