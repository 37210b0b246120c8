//! Each call of the Web API: what it takes, and what it answers.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;
use yarnnn_core::jobs::CapacityLimits;
use yarnnn_core::platform::{Call, PlatformError};

use super::SlackLimits;
use super::errors::{Words, is_about_token};
use super::stamp::Ts;
use super::wire::{AuthTest, Conversation, ConversationAnswer, Conversations, MessagesAnswer, User, UserAnswer};
use crate::http::{Once, RawReply, Reply, Request, Session, below};

pub(super) const HISTORY: &str = "slack conversations.history";
pub(super) const REPLIES: &str = "slack conversations.replies";
pub(super) const LIST: &str = "slack conversations.list";
pub(super) const JOIN: &str = "slack conversations.join";
pub(super) const POST: &str = "slack chat.postMessage";
const PROBE: &str = "slack auth.test";

/// What a channel or thread answers when it cannot be read.
const UNREADABLE: &[&str] = &["not_in_channel", "channel_not_found", "thread_not_found"];
const UNREADABLE_ONWARD: &[&str] = &["not_in_channel", "channel_not_found", "thread_not_found", "invalid_cursor"];
/// What comes of joining a channel: it was done before, or something stands against it.
const JOINED_OR_NOT: &[&str] = &[
    "already_in_channel",
    "method_not_supported_for_channel_type",
    "channel_not_found",
    "is_archived",
    "missing_scope",
    "no_permission",
    "restricted_action",
];

/// Slack's word for why there is no answer, where the caller knows what to do.
pub(super) type Refused = String;

/// The calls, made through one session.
#[derive(Debug, Clone)]
pub(super) struct Calls {
    session: Session,
    base: Url,
    pub(super) limits: SlackLimits,
}

/// A stretch of a channel, or of one of its threads. The bounds lie outside unless `inclusive`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ask<'a> {
    pub(super) channel: &'a str,
    pub(super) thread: Option<Ts>,
    pub(super) after: Ts,
    pub(super) before: Option<Ts>,
    pub(super) inclusive: bool,
    pub(super) limit: u32,
    /// Slack's own mark of where the page before ended, for servers that pay no heed to the bounds.
    pub(super) onward: Option<&'a Onward>,
}

/// A cursor of Slack's, and the bounds with which it was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Onward {
    pub(super) cursor: String,
    after: Ts,
    before: Option<Ts>,
}

/// Which conversations to list.
#[derive(Debug, Clone, Copy)]
pub(super) struct ListAsk<'a> {
    pub(super) types: &'a str,
    pub(super) cursor: Option<&'a str>,
}

/// Which of an app's own messages to list.
#[derive(Debug, Clone, Copy)]
pub(super) struct TaggedAsk<'a> {
    pub(super) channel: &'a str,
    pub(super) after: Ts,
    pub(super) before: Ts,
    pub(super) cursor: Option<&'a str>,
}

impl Ask<'_> {
    /// The call's name.
    pub(super) const fn call(&self) -> &'static str {
        if self.thread.is_some() { REPLIES } else { HISTORY }
    }

    /// Where Slack goes on after an answer that came with this cursor.
    pub(super) fn onward(&self, by: Option<&Onward>, cursor: &str) -> Onward {
        let (after, before) = by.map_or((self.after, self.before), |it| (it.after, it.before));
        Onward { cursor: cursor.to_owned(), after, before }
    }

    fn arguments(&self, by: Option<&Onward>) -> Vec<(&'static str, String)> {
        let (after, before) = by.map_or((self.after, self.before), |it| (it.after, it.before));
        let mut arguments = vec![("channel", self.channel.to_owned()), ("limit", self.limit.to_string())];
        arguments.extend(self.thread.map(|it| ("ts", it.to_string())));
        // With `oldest` alone a channel's list starts at that end: `latest` is always sent.
        arguments.extend((after > Ts::ZERO).then(|| ("oldest", after.to_string())));
        arguments.extend(before.map(|it| ("latest", it.to_string())));
        arguments.extend(self.inclusive.then(|| ("inclusive", "true".to_owned())));
        arguments.extend(by.map(|it| ("cursor", it.cursor.clone())));
        arguments
    }
}

impl Calls {
    pub(super) fn new(session: Session, base: Url, limits: SlackLimits) -> Self {
        Self { session, base, limits }
    }

    pub(super) fn session(&self) -> &Session {
        &self.session
    }

    /// Who is asking, and with which scopes; none if Slack does not say.
    pub(super) async fn auth_test(&self) -> Result<(AuthTest, Vec<String>), PlatformError> {
        let reply = self.read((PROBE, "auth.test"), &self.limits.probe, &[], &[]).await?;
        let scopes = reply.headers.get("x-oauth-scopes").and_then(|it| it.to_str().ok()).unwrap_or_default();
        let scopes = scopes.split(',').map(str::trim).filter(|it| !it.is_empty()).map(str::to_owned).collect();
        Ok((reply.read()?, scopes))
    }

    /// Posts a message that was written elsewhere. Made once: a second one would be read by everybody.
    pub(super) async fn post(&self, body: String) -> Result<Once, PlatformError> {
        let request = Request::post_exact(below(&self.base, &["chat.postMessage"], &[])?, body);
        let call = Call { name: POST, pool: "chat.postMessage", cost: 0, limits: &self.limits.post };
        Ok(self.session.call_once(&call, &request, refuses_token).await)
    }

    /// A page of a channel with what apps wrote into its messages for programs, newest first.
    pub(super) async fn tagged(&self, ask: &TaggedAsk<'_>) -> Result<Result<MessagesAnswer, Refused>, PlatformError> {
        let mut arguments = vec![("channel", ask.channel.to_owned()), ("limit", self.limits.page_size.to_string())];
        arguments.extend([("oldest", ask.after.to_string()), ("latest", ask.before.to_string())]);
        arguments.push(("include_all_metadata", "true".to_owned()));
        arguments.extend(ask.cursor.map(|it| ("cursor", it.to_owned())));
        let expected = &["not_in_channel", "channel_not_found", "missing_scope"];
        answer(self.read((HISTORY, "conversations.history"), &self.limits.history, &arguments, expected).await?)
    }

    /// A page of conversations; refused with `missing_scope` when the types take scopes that were not granted.
    pub(super) async fn list(&self, ask: ListAsk<'_>) -> Result<Result<Conversations, Refused>, PlatformError> {
        let mut arguments = vec![("limit", "200".to_owned()), ("types", ask.types.to_owned())];
        arguments.push(("exclude_archived", "true".to_owned()));
        arguments.extend(ask.cursor.map(|it| ("cursor", it.to_owned())));
        let reply = self.read((LIST, "conversations.list"), &self.limits.list, &arguments, &["missing_scope"]).await?;
        answer(reply)
    }

    /// A page of messages, by a cursor if one is given.
    pub(super) async fn messages(
        &self,
        ask: &Ask<'_>,
        by: Option<&Onward>,
    ) -> Result<Result<MessagesAnswer, Refused>, PlatformError> {
        let (method, limits) = match ask.thread {
            Some(_) => ("conversations.replies", &self.limits.replies),
            None => ("conversations.history", &self.limits.history),
        };
        let expected = if by.is_some() { UNREADABLE_ONWARD } else { UNREADABLE };
        answer(self.read((ask.call(), method), limits, &ask.arguments(by), expected).await?)
    }

    /// Enters a public channel; having been there already is fine.
    pub(super) async fn join(&self, channel: &str) -> Result<Result<(), Refused>, PlatformError> {
        let url = below(&self.base, &["conversations.join"], &[])?;
        let request = Request::post_form(url, vec![("channel".to_owned(), channel.to_owned())]);
        let reply = self.send((JOIN, "conversations.join"), &self.limits.conversation, request, JOINED_OR_NOT).await?;
        Ok(refused(&reply.body).filter(|word| word != "already_in_channel").map_or(Ok(()), Err))
    }

    /// A person; refused when there is none of that id.
    pub(super) async fn user(&self, id: &str) -> Result<Result<User, Refused>, PlatformError> {
        let arguments = [("user", id.to_owned())];
        let expected = &["user_not_found", "user_not_visible"];
        let reply = self.read(("slack users.info", "users.info"), &self.limits.users, &arguments, expected).await?;
        Ok(answer::<UserAnswer>(reply)?.map(|it| it.user))
    }

    /// A conversation; refused when the app may not see it.
    pub(super) async fn conversation(&self, id: &str) -> Result<Result<Conversation, Refused>, PlatformError> {
        let arguments = [("channel", id.to_owned())];
        let expected = &["channel_not_found", "missing_scope"];
        let method = ("slack conversations.info", "conversations.info");
        let reply = self.read(method, &self.limits.conversation, &arguments, expected).await?;
        Ok(answer::<ConversationAnswer>(reply)?.map(|it| it.channel))
    }

    /// Calls a method that only reads: these take a query, not JSON.
    async fn read(
        &self,
        method: (&'static str, &'static str),
        limits: &CapacityLimits,
        arguments: &[(&'static str, String)],
        expected: &'static [&'static str],
    ) -> Result<Reply, PlatformError> {
        let query: Vec<(&str, &str)> = arguments.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let request = Request::get(below(&self.base, &[method.1], &query)?);
        self.send(method, limits, request, expected).await
    }

    /// Slack counts calls by method, so each has a pool of its own.
    async fn send(
        &self,
        (name, pool): (&'static str, &'static str),
        limits: &CapacityLimits,
        request: Request,
        expected: &'static [&'static str],
    ) -> Result<Reply, PlatformError> {
        let call = Call { name, pool, cost: 0, limits };
        self.session.call(&Words { expected }, &call, request).await
    }
}

/// Whether an answer says that the token is not good any more, which some are before their time.
fn refuses_token(raw: &RawReply) -> bool {
    let body: Value = serde_json::from_slice(&raw.body).unwrap_or_default();
    raw.status < 500 && refused(&body).is_some_and(|it| is_about_token(&it))
}

fn answer<T: serde::de::DeserializeOwned>(reply: Reply) -> Result<Result<T, Refused>, PlatformError> {
    match refused(&reply.body) {
        Some(word) => Ok(Err(word)),
        None => reply.read().map(Ok),
    }
}

/// The word of an expected refusal.
fn refused(body: &Value) -> Option<Refused> {
    let is_refused = body.get("ok").and_then(Value::as_bool) == Some(false);
    is_refused.then(|| body.get("error").and_then(Value::as_str).unwrap_or_default().to_owned())
}
