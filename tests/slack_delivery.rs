//! Reports into a simulated Slack, with what each user has connected there: posted once, found again, and never with another's
//! account.
#![allow(clippy::unwrap_used, reason = "what is not there fails the test")]

use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::json;
use yarnnn::accounts::{Email, User};
use yarnnn::clock::{Clock as _, SystemClock};
use yarnnn::config::Config;
use yarnnn::connections::Provider;
use yarnnn::delivery::{Channel as _, ChannelKind, LookedUp, MessageState, OutboxFile, OutboxMessage, SendError};
use yarnnn::id::{MessageId, RandomIds, VersionId};
use yarnnn::platform::{OpenAccess as _, Platform, PlatformError};
use yarnnn::platforms::http::HttpTransport;
use yarnnn::platforms::slack::SlackChannel;
use yarnnn::platforms::{LivePlatforms, PlatformBases};
use yarnnn::store::SealKeys;
use yarnnn::{Yarnnn, builder};
use yarnnn_sim::{Running, Sim, VirtualClock};

const SCOPES: [&str; 6] =
    ["channels:read", "channels:history", "channels:join", "users:read", "chat:write", "metadata.message:read"];

struct World {
    sim: Sim,
    _running: Running,
    _folder: tempfile::TempDir,
    yarnnn: Yarnnn,
    channel: SlackChannel,
    room: String,
}

async fn world() -> World {
    let sim = Sim::new(Arc::new(VirtualClock::at(SystemClock.now())));
    let ana = sim.slack().add_user("ana", "Ana");
    let room = sim.slack().add_channel("launch", false, &[&ana]);
    let running = sim.start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::in_folder(folder.path());
    let slack = format!("http://{}/api", running.address).parse().unwrap();
    config.platforms.bases = PlatformBases { slack, ..PlatformBases::default() };
    config.secrets.seal_keys = Some(SealKeys::parse(&SealKeys::generate()).unwrap());
    let yarnnn = builder(&config).await.unwrap().build();
    let live = LivePlatforms::new(HttpTransport::new().unwrap(), config.platforms.bases.clone(), Arc::new(SystemClock));
    let channel = live.slack_channel(Arc::new(yarnnn.connections().unwrap()));
    World { sim, _running: running, _folder: folder, yarnnn, channel, room }
}

fn message(user: &User, room: &str) -> OutboxMessage {
    let key = "deliverable/2026-11-22/slack";
    let metadata = json!({"event_type": "yarnnn_report", "event_payload": {"key": key}});
    let body = json!({"channel": room, "text": "Report", "unfurl_links": false, "metadata": metadata});
    OutboxMessage {
        id: MessageId::fresh(&RandomIds),
        user: user.id,
        version: Some(VersionId::fresh(&RandomIds)),
        key: key.into(),
        channel: ChannelKind::Slack,
        target: room.to_owned(),
        files: vec![OutboxFile { name: "slack.json".into(), content: body.to_string() }],
        state: MessageState::Unknown,
        attempts: 2,
        first_attempt_at: Some(SystemClock.now() - TimeDelta::minutes(1)),
        external_id: None,
        error: None,
    }
}

#[tokio::test]
async fn a_report_is_posted_with_the_account_of_its_user_and_found_again_by_its_key() {
    let World { sim, yarnnn, channel, room, .. } = &world().await;
    let user = yarnnn.local_user().await.unwrap();
    let connections = yarnnn.connections().unwrap();
    connections.connect(&user, Provider::Slack, sim.tokens().slack(&SCOPES).into()).await.unwrap();
    let message = message(&user, room);
    let error = channel.send(&message).await.unwrap_err();
    assert!(matches!(&error, SendError::Refused(text) if text.contains("/invite")), "{error}");
    sim.slack().bot_joins(room);
    assert_eq!(channel.look_up(&message).await.unwrap(), LookedUp::NotThere);
    let receipt = channel.send(&message).await.unwrap();
    assert_eq!(sim.slack().snapshot(room).len(), 1);
    assert_eq!(channel.look_up(&message).await.unwrap(), LookedUp::Arrived(receipt.clone()));
    let by_name = OutboxMessage { target: "#launch".into(), ..message.clone() };
    assert_eq!(channel.look_up(&by_name).await.unwrap(), LookedUp::Arrived(receipt));
    let other = OutboxMessage { key: "deliverable/2026-11-23/slack".into(), ..message };
    assert_eq!(channel.look_up(&other).await.unwrap(), LookedUp::NotThere);
    assert_eq!(sim.slack().snapshot(room).len(), 1, "looking posts nothing");
}

#[tokio::test]
async fn nobody_posts_with_the_account_of_another_or_one_that_is_disconnected() {
    let World { sim, yarnnn, channel, room, .. } = &world().await;
    let ana = yarnnn.local_user().await.unwrap();
    let ben = yarnnn.user("ben@x.example".parse::<Email>().unwrap()).await.unwrap();
    let connections = yarnnn.connections().unwrap();
    connections.connect(&ana, Provider::Slack, sim.tokens().slack(&SCOPES).into()).await.unwrap();
    sim.slack().bot_joins(room);
    let error = channel.send(&message(&ben, room)).await.unwrap_err();
    assert!(matches!(&error, SendError::Refused(text) if text.contains("Slack is not connected")), "{error}");
    let error = connections.access(ana.id, Platform::Notion).await.unwrap_err();
    assert!(matches!(&error, PlatformError::NeedsUser { action } if action.contains("yarnnn connect notion")), "{error}");
    connections.disconnect(ana.id, Provider::Slack).await.unwrap();
    let error = channel.send(&message(&ana, room)).await.unwrap_err();
    assert!(matches!(&error, SendError::Refused(text) if text.contains("yarnnn connect slack")), "{error}");
    assert!(sim.slack().snapshot(room).is_empty());
}
