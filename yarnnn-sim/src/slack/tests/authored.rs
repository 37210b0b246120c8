//! The sample workspace is the one of its export.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::Arc;

use serde_json::Value;

use super::{Bench, SCOPES, instant};
use crate::server::testing::Client;
use crate::{Sample, Sim, VirtualClock};

/// The messages of the export's public channels by channel name and timestamp.
fn exported() -> BTreeMap<(String, String), Value> {
    let directory = tempfile::tempdir().unwrap();
    let files = Sample::load().write_exports(instant(), directory.path()).unwrap();
    let mut archive = zip::ZipArchive::new(std::fs::File::open(files.slack).unwrap()).unwrap();
    let mut messages = BTreeMap::new();
    for index in 0..archive.len() {
        let mut file = archive.by_index(index).unwrap();
        let name = file.name().unwrap().into_owned();
        let Some((channel, _)) = name.split_once('/').filter(|(folder, _)| !folder.starts_with("D0")) else { continue };
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        let day: Vec<Value> = serde_json::from_str(&text).unwrap();
        messages.extend(day.into_iter().map(|it| ((channel.to_owned(), it["ts"].as_str().unwrap().to_owned()), it)));
    }
    messages
}

#[tokio::test]
async fn the_sample_over_http_is_the_sample_in_the_export() {
    let clock = Arc::new(VirtualClock::at(instant()));
    let sim = Sim::sample(clock.clone());
    let running = sim.start().await.unwrap();
    let client = Client::new(running.address).bearer(&sim.tokens().slack(&SCOPES));
    let bench = Bench { sim, clock, client, _running: running, channel: String::new(), ana: String::new(), ben: String::new() };
    let types = ("types", "public_channel,private_channel,im");
    let mut expected = exported();
    let channels = bench.pages("conversations.list", &[types], "channels").await.concat();
    assert!(channels.len() >= 5 && channels.iter().all(|it| it["is_member"] == true), "{channels:?}");
    for channel in &channels {
        let id = ("channel", channel["id"].as_str().unwrap());
        let name = channel["name"].as_str().unwrap();
        for message in bench.pages("conversations.history", &[id, ("limit", "17")], "messages").await.concat() {
            let ts = message["ts"].as_str().unwrap();
            let thread = match message["reply_count"].as_u64() {
                Some(_) => bench.pages("conversations.replies", &[id, ("ts", ts)], "messages").await.concat(),
                None => vec![message],
            };
            for message in thread {
                let ts = message["ts"].as_str().unwrap();
                let Some(record) = expected.remove(&(name.to_owned(), ts.to_owned())) else {
                    // A broadcast has been met in its thread before.
                    assert_eq!(message["subtype"], "thread_broadcast", "{message}");
                    continue;
                };
                for key in ["text", "user", "subtype", "thread_ts", "latest_reply", "edited", "reactions", "files", "reply_count"]
                {
                    assert_eq!(message.get(key), record.get(key), "{key} of {message}");
                }
            }
        }
    }
    assert!(expected.is_empty(), "not served: {:?}", expected.keys());
}
