//! What the programs send and ask: a mail, a message in Slack, a page of Notion, a search.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use yarnnn::agent::{WebQuery, WebSearch as _};
use yarnnn::clock::Clock;
use yarnnn::delivery::{Channel, ChannelKind, Letter, LookedUp, MessageState, OutboxFile, OutboxMessage};
use yarnnn::id::{MessageId, UserId, VersionId};
use yarnnn::llm::CallAccount;
use yarnnn::platform::{Access, OpenAccess, Platform, PlatformError};
use yarnnn::platforms::http::HttpTransport;
use yarnnn::platforms::web::{CustomSearch, CustomSearchKeys};
use yarnnn::platforms::{LivePlatforms, ResendChannel};
use yarnnn_sim::VirtualClock;

use crate::exchange::Request;
use crate::proxy::Proxy;

/// The account of whoever asks.
#[derive(Debug)]
pub(crate) struct Anybody(pub(crate) Access);

#[async_trait]
impl OpenAccess for Anybody {
    async fn access(&self, _: UserId, _: Platform) -> Result<Access, PlatformError> {
        Ok(self.0.clone())
    }
}

/// A server that takes every mail and finds one page.
pub(crate) async fn answering(provider: &'static str) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let body = match provider {
        "resend" => json!({"id": "49a3999c-0ce1-4ea6-ab68-afcd6dc2e794"}),
        _ => json!({"items": [{"link": "https://example.com/", "title": "Example", "snippet": "An example."}]}),
    };
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            Request::read(&mut stream).await;
            let body = body.to_string();
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close";
            stream.write_all(format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
        }
    });
    address
}

/// Sends a mail, or searches.
pub(crate) async fn play(provider: &str, proxy: &Proxy) {
    let transport = HttpTransport::new().unwrap();
    if provider == "resend" {
        let clock = Arc::new(VirtualClock::at(DateTime::UNIX_EPOCH));
        let channel = ResendChannel::new(transport, proxy.url(), "re_key".into(), clock);
        let mail = json!({"from": "YARNNN <reports@yarnnn.example>", "to": ["ana@x.example"], "subject": "Report",
            "html": "<p>Report</p>", "text": "Report", "headers": {"X-Entity-Ref-ID": "1"}});
        let message = message(ChannelKind::Email, "ana@x.example", ("resend.json", &mail), DateTime::UNIX_EPOCH);
        channel.send(&message).await.unwrap();
    } else {
        let keys = CustomSearchKeys { key: "AIza".into(), engine: "0123:abc".to_owned() };
        let search = CustomSearch::new(transport, proxy.url(), keys);
        let query = WebQuery { account: CallAccount::of(UserId::LOCAL), words: "launch plan".to_owned(), max_results: 5 };
        assert_eq!(search.search(&query).await.unwrap().hits.len(), 1);
    }
}

/// Posts in a channel, and looks whether it arrived.
pub(crate) async fn post(live: &LivePlatforms, access: Access, channel: &str, clock: &dyn Clock) {
    let slack = live.slack_channel(Arc::new(Anybody(access)));
    let text = json!({"type": "mrkdwn", "text": "*Report*"});
    let metadata = json!({"event_type": "yarnnn_report", "event_payload": {"key": KEY}});
    let body = json!({"channel": channel, "text": "Report", "blocks": [{"type": "section", "text": text}], "unfurl_links": false,
        "unfurl_media": false, "metadata": metadata});
    let message = message(ChannelKind::Slack, channel, ("slack.json", &body), clock.now() - TimeDelta::minutes(1));
    slack.send(&message).await.unwrap();
    slack.look_up(&message).await.unwrap();
}

/// Makes a page of a long report, and looks whether all of it arrived.
pub(crate) async fn page(live: &LivePlatforms, access: Access, parent: &str, clock: &dyn Clock) {
    let notion = live.notion_channel(Arc::new(Anybody(access)));
    notion.ready(UserId::LOCAL, parent).await.unwrap();
    let letter = Letter {
        key: KEY.to_owned(),
        target: parent.to_owned(),
        recipient: String::new(),
        subject: "Report".to_owned(),
        date: clock.now() - TimeDelta::minutes(1),
        since: clock.now() - TimeDelta::minutes(1),
        stem: "report".to_owned(),
        markdown: format!("# Report\n\nAs of today\n\n## Done\n\n{}", "- **Launch:** it moves to *Thursday*\n".repeat(100)),
        html: String::new(),
        text: String::new(),
        chat: String::new(),
    };
    for (index, files) in notion.compose(&letter).unwrap().into_iter().enumerate() {
        let part = message(ChannelKind::Notion, parent, ("", &Value::Null), letter.date);
        let part = OutboxMessage { key: letter.part_key(index), files, ..part };
        notion.send(&part).await.unwrap();
        assert!(matches!(notion.look_up(&part).await.unwrap(), LookedUp::Arrived(_)));
    }
}

const KEY: &str = "deliverable/2026-11-22/outward";

fn message(channel: ChannelKind, target: &str, (name, body): (&str, &Value), first: DateTime<Utc>) -> OutboxMessage {
    OutboxMessage {
        id: MessageId::from_uuid(uuid::Uuid::nil()),
        user: UserId::LOCAL,
        version: Some(VersionId::from_uuid(uuid::Uuid::nil())),
        key: KEY.to_owned(),
        channel,
        target: target.to_owned(),
        files: vec![OutboxFile { name: name.to_owned(), content: body.to_string() }],
        state: MessageState::Unknown,
        attempts: 2,
        first_attempt_at: Some(first),
        external_id: None,
        error: None,
    }
}
