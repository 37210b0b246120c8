//! What facts of the ledger are told with: calls, their ends, and what they use.

use chrono::{DateTime, Utc};
use serde_json::json;

use super::Ports;
use super::fixtures::{ANA, fresh, open_after};
use crate::deliverables::Version;
use crate::hash::Sha256;
use crate::id::{ContentId, ModelCallId, UserId, VersionId};
use crate::llm::{
    CallAccount, CallEnd, CallQuery, Content, LedgerCall, ModelResponse, OpaqueBlock, Reservation, ReserveError, SpendingCaps,
    StopReason, ToolCall, Usage,
};
use crate::platform::Platform;

/// An instant by its text.
pub fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// The noon at which most calls are reserved.
pub fn noon() -> DateTime<Utc> {
    instant("2026-03-05T12:00:00Z")
}

/// The account of a version of the local user.
pub fn account(version: &Version) -> CallAccount {
    CallAccount { deliverable: Some(version.deliverable), version: Some(version.id), ..CallAccount::of(version.user) }
}

/// A call that may cost so much, without caps.
pub fn call(account: CallAccount, ceiling: u64) -> Reservation {
    Reservation {
        id: ModelCallId::from_uuid(fresh()),
        account,
        purpose: "report.write".to_owned(),
        model: "provider/model-1".to_owned(),
        request_sha256: Sha256::of("the question"),
        request: Some(json!({"system": "Write.", "messages": [{"b": 1.5, "a": "z\0 “ä”"}]})),
        ceiling,
        caps: SpendingCaps::default(),
        at: noon(),
    }
}

/// An item that a model is told of.
#[derive(Debug, Clone, Copy)]
pub struct Told {
    /// Its row.
    pub id: ContentId,
    /// Where it came from.
    pub platform: Platform,
}

/// A call of a version that shows this item, and another one of its kind in the words of somebody.
pub fn asked_about(version: &Version, told: &Told) -> Reservation {
    let (id, platform) = (told.id, told.platform.as_str());
    let quoted = json!({"content": ContentId::from_uuid(fresh()), "platform": "slack"}).to_string()
        + &json!({"content": ContentId::from_uuid(fresh()), "platform": "gmail"}).to_string();
    let material = json!({"reference": "s1", "content": id, "platform": platform, "place": "here", "text": quoted});
    let request = json!({"system": "Write.", "messages": [{"role": "user", "content": [{"material": [material]}]}]});
    Reservation { request: Some(request), ..call(account(version), 70) }
}

/// The same under a cap on runs.
pub fn within_run(account: CallAccount, ceiling: u64, limit: u64) -> Reservation {
    Reservation { caps: SpendingCaps { run: Some(limit), ..SpendingCaps::default() }, ..call(account, ceiling) }
}

/// The same under a cap on the days of users.
pub fn within_user_day(account: CallAccount, ceiling: u64, limit: u64) -> Reservation {
    Reservation { caps: SpendingCaps { user_day: Some(limit), ..SpendingCaps::default() }, ..call(account, ceiling) }
}

/// The same under a cap on the days of the installation.
pub fn within_installation_day(account: CallAccount, ceiling: u64, limit: u64) -> Reservation {
    Reservation { caps: SpendingCaps { installation_day: Some(limit), ..SpendingCaps::default() }, ..call(account, ceiling) }
}

/// Reserves a call that fits; answers its id.
pub async fn reserved(ports: &Ports, reservation: Reservation) -> ModelCallId {
    let id = reservation.id;
    ports.model_ledger.reserve(reservation).await.unwrap();
    id
}

/// The cap that did not leave enough: its name, its amount, and what is spent of it.
pub async fn over(ports: &Ports, reservation: Reservation) -> Option<(&'static str, u64, u64)> {
    match ports.model_ledger.reserve(reservation).await {
        Ok(()) => None,
        Err(ReserveError::OverCap { cap, limit, spent }) => Some((cap, limit, spent)),
        Err(ReserveError::Store(error)) => panic!("{error}"),
    }
}

/// An answer with a bit of everything, at this price.
pub fn answer(cost: u64) -> ModelResponse {
    let input = json!({"query": "plan\0", "limit": 3, "deep": [{"z": null, "a": -2.5}]});
    ModelResponse {
        content: vec![
            Content::Opaque(OpaqueBlock {
                provider: "anthropic".to_owned(),
                block: json!({"type": "thinking", "signature": "x"}),
            }),
            Content::Text("It moved. [s1]\r\n\u{7} 東京".to_owned()),
            Content::ToolCall(ToolCall { id: "c1".to_owned(), name: "Search".to_owned(), input }),
        ],
        stop: StopReason::ToolUse,
        usage: used(cost),
        by: Some("test/model".to_owned()),
    }
}

/// A use at this price.
pub fn used(cost: u64) -> Usage {
    Usage {
        calls: 1,
        input_tokens: 1_000,
        output_tokens: 50,
        cache_read_tokens: 7,
        cache_write_tokens: 8,
        searches: 2,
        cost_micro_usd: cost,
    }
}

/// The end of a call that was answered at this price.
pub fn answered(cost: u64) -> CallEnd {
    CallEnd::Answered { response: answer(cost) }
}

/// The end of a call that was refused.
pub fn refused() -> CallEnd {
    CallEnd::Refused { error: "overloaded\0".to_owned() }
}

/// The end of a call whose answer did not arrive.
pub fn lost() -> CallEnd {
    CallEnd::Lost { error: "the connection was reset".to_owned() }
}

/// The calls of a version, with what was said.
pub async fn calls_of(ports: &Ports, version: VersionId) -> Vec<LedgerCall> {
    let query = CallQuery { version: Some(version), ..CallQuery::default() };
    ports.model_ledger.calls(&query).await.unwrap()
}

/// The only call of a user.
pub async fn only_call(ports: &Ports, user: UserId) -> LedgerCall {
    let mut calls = ports.model_ledger.calls(&CallQuery { user: Some(user), ..CallQuery::default() }).await.unwrap();
    assert_eq!(calls.len(), 1, "{calls:?}");
    calls.remove(0)
}

/// Another version of the same deliverable.
pub async fn next_version(ports: &Ports, version: &Version) -> Version {
    ports.versions.open(open_after(ANA, version.deliverable, version.number)).await.unwrap()
}
