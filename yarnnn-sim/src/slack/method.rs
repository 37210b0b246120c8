//! What all methods share: who calls, what may fail, how it is answered, and cursors.

use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::{MethodRouter, get};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::arguments::Arguments;
use super::world::Kind;
use crate::Sim;
use crate::server::{self, Access, Provider, Refusal, call};

/// A method's answer without `ok`.
pub(super) type Reply = Result<Value, Failure>;

/// A call of a method by somebody who may call.
pub(super) struct Context<'a> {
    pub(super) sim: &'a Sim,
    pub(super) access: &'a Access,
    pub(super) arguments: &'a Arguments,
}

impl Context<'_> {
    pub(super) fn require(&self, scope: &str) -> Result<(), Failure> {
        if self.access.permits(&[scope]) {
            return Ok(());
        }
        let provided = self.access.scopes.join(",");
        Err(Failure::new("missing_scope").with("needed", scope.into()).with("provided", provided.into()))
    }

    /// The scope that reading or writing this kind of channel takes.
    pub(super) fn require_for(&self, kind: Kind, right: &str) -> Result<(), Failure> {
        self.require(&format!("{}:{right}", kind.scope()))
    }
}

/// Why a method refuses: a code and what stands beside it.
#[derive(Debug)]
pub(super) struct Failure {
    code: &'static str,
    more: Map<String, Value>,
}

impl Failure {
    pub(super) fn new(code: &'static str) -> Self {
        Self { code, more: Map::new() }
    }

    /// An argument is missing or wrong.
    pub(super) fn invalid(message: &str) -> Self {
        let metadata = json!({ "messages": [format!("[ERROR] {message}")] });
        Self::new("invalid_arguments").with("response_metadata", metadata)
    }

    pub(super) fn with(mut self, key: &str, value: Value) -> Self {
        self.more.insert(key.to_owned(), value);
        self
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::new(match refusal {
            Refusal::Missing => "not_authed",
            Refusal::Unknown => "invalid_auth",
            Refusal::Expired => "token_expired",
            Refusal::Revoked => "token_revoked",
            Refusal::Inactive => "account_inactive",
        })
    }
}

/// Serves a method under its name, by GET and POST.
pub(super) fn method(name: &'static str, run: fn(&Context<'_>) -> Reply) -> MethodRouter<Sim> {
    let handler = move |State(sim): State<Sim>, arguments: Arguments| async move { respond(&sim, &arguments, run) };
    call(name, get(handler).post(handler))
}

fn respond(sim: &Sim, arguments: &Arguments, run: fn(&Context<'_>) -> Reply) -> Response {
    let access = sim.tokens().check(Provider::Slack, arguments.token.as_deref());
    let reply = match &access {
        Ok(access) => run(&Context { sim, access, arguments }),
        Err(refusal) => Err((*refusal).into()),
    };
    let mut response = server::json(StatusCode::OK, &body(reply));
    if let Ok(scopes) = HeaderValue::from_str(&access.map(|it| it.scopes.join(",")).unwrap_or_default()) {
        response.headers_mut().insert(HeaderName::from_static("x-oauth-scopes"), scopes);
    }
    response
}

fn body(reply: Reply) -> Value {
    let (ok, fields) = match reply {
        Ok(Value::Object(fields)) => (true, fields),
        Ok(_) => (true, Map::new()),
        Err(Failure { code, mut more }) => {
            more.insert("error".to_owned(), code.into());
            (false, more)
        }
    };
    let mut body = Map::from_iter([("ok".to_owned(), Value::Bool(ok))]);
    body.extend(fields);
    body.into()
}

/// A cursor that is good for one method (and channel): what follows is the place in it.
pub(super) fn cursor(purpose: &str, place: &str) -> String {
    STANDARD.encode(format!("{purpose}:{place}"))
}

/// The place of a cursor; a cursor of anything else is refused.
pub(super) fn place(arguments: &Arguments, purpose: &str) -> Result<Option<String>, Failure> {
    let Some(text) = arguments.get("cursor") else { return Ok(None) };
    let decoded = STANDARD.decode(text).ok().and_then(|it| String::from_utf8(it).ok());
    let place = decoded.as_deref().and_then(|it| it.strip_prefix(purpose)?.strip_prefix(':'));
    place.map(|it| Some(it.to_owned())).ok_or_else(|| Failure::new("invalid_cursor"))
}

/// One page of things in the order of their ids, and the cursor of the next.
pub(super) fn page<'a, T>(
    things: impl Iterator<Item = (&'a String, T)>,
    purpose: &str,
    arguments: &Arguments,
    (default, most): (usize, usize),
) -> Result<(Vec<T>, String), Failure> {
    let limit = arguments.limit(default, most)?;
    let from = place(arguments, purpose)?.unwrap_or_default();
    let mut rest = things.skip_while(|(id, _)| **id < from).peekable();
    let page = rest.by_ref().take(limit).map(|(_, thing)| thing).collect();
    let next = rest.peek().map(|(id, _)| cursor(purpose, id)).unwrap_or_default();
    Ok((page, next))
}
