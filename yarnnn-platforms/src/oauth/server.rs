//! What tells one authorization server from another.

use secrecy::SecretString;
use serde_json::{Map, Value};
use url::Url;
use yarnnn_core::connections::Provider;
use yarnnn_core::platform::PlatformError;

use crate::PlatformBases;
use crate::http::Request;

/// The setting with the address that people come back to.
pub(super) const API_BASE_URL: &str = "API_BASE_URL";

/// The names of a server and of the settings it needs.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) provider: Provider,
    /// The call that buys tokens, as errors name it.
    pub(super) call: &'static str,
    /// The setting with the client id.
    pub(super) id: &'static str,
    /// The setting with the client secret.
    pub(super) secret: &'static str,
}

/// Who asks.
#[derive(Debug)]
pub(super) struct Client<'a> {
    pub(super) id: &'a str,
    pub(super) secret: &'a SecretString,
}

/// What is offered for a token.
#[derive(Debug)]
pub(super) enum Grant<'a> {
    /// What the person came back with, and where to.
    Code { code: &'a SecretString, redirect: Url },
    /// What the last grant brought.
    Refresh(&'a SecretString),
}

impl<'a> Grant<'a> {
    /// The part that nobody may see.
    pub(super) const fn secret(&self) -> &'a SecretString {
        match self {
            Self::Code { code, .. } => code,
            Self::Refresh(refresh) => refresh,
        }
    }
}

/// What an error of a server means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Code or token are not, or no longer, good.
    Final,
    /// This setting is wrong.
    Setting(&'static str),
    /// Too many calls.
    Limited,
    /// It may pass.
    Later,
    /// Nothing that the protocol provides for.
    Foreign,
}

/// What a good answer says besides the tokens.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) scopes: Vec<String>,
    /// With the dossier's keys (§2.1).
    pub(super) metadata: Map<String, Value>,
}

/// An authorization server.
pub(super) trait Server: Sync {
    /// Its names.
    fn names(&self) -> &'static Names;

    /// The scopes that the clients need, as the server names them when it has granted them.
    fn scopes(&self) -> &'static [&'static str];

    /// The page where people sign in, with what it is asked for; client, way back and state are added by the adapter.
    fn page(&self, bases: &PlatformBases) -> Result<Url, PlatformError>;

    /// The call that buys tokens.
    fn request(&self, bases: &PlatformBases, client: &Client<'_>, grant: &Grant<'_>) -> Result<Request, PlatformError>;

    /// What an error means.
    fn meaning(&self, error: &str) -> Meaning;

    /// Whether an answer without an error is a grant.
    fn is_grant(&self, body: &Value) -> bool;

    /// What a grant says.
    fn told(&self, body: &Value) -> Told;
}

/// A text that is there and not empty.
pub(super) fn text<'a>(body: &'a Value, pointer: &str) -> Option<&'a str> {
    body.pointer(pointer)?.as_str().filter(|it| !it.is_empty())
}

/// Those texts of a body that are there, under other names.
pub(super) fn texts(body: &Value, wanted: &[(&str, &str)]) -> Map<String, Value> {
    let found = wanted.iter().filter_map(|(key, pointer)| Some(((*key).to_owned(), text(body, pointer)?.into())));
    found.collect()
}
