//! The methods and their paths.

use axum::Router;
use axum::routing::any;

use super::method::method;
use super::{channels, people, posting, reading};
use crate::Sim;
use crate::server::{call, slack_error};

/// All calls of this provider.
pub(crate) fn router() -> Router<Sim> {
    Router::new()
        .route("/api/auth.test", method("slack.auth.test", people::auth_test))
        .route("/api/team.info", method("slack.team.info", people::team_info))
        .route("/api/users.info", method("slack.users.info", people::info))
        .route("/api/users.list", method("slack.users.list", people::list))
        .route("/api/users.lookupByEmail", method("slack.users.lookupByEmail", people::lookup_by_email))
        .route("/api/users.conversations", method("slack.users.conversations", channels::of_bot))
        .route("/api/conversations.list", method("slack.conversations.list", channels::list))
        .route("/api/conversations.info", method("slack.conversations.info", channels::info))
        .route("/api/conversations.join", method("slack.conversations.join", channels::join))
        .route("/api/conversations.open", method("slack.conversations.open", channels::open))
        .route("/api/conversations.history", method("slack.conversations.history", reading::history))
        .route("/api/conversations.replies", method("slack.conversations.replies", reading::replies))
        .route("/api/chat.postMessage", method("slack.chat.postMessage", posting::post_message))
        .route("/api/{method}", call("slack.unknown", any(|| async { slack_error("unknown_method") })))
}
