//! Searches and pages as a caller over HTTP sees them.

use std::io::Read as _;
use std::sync::Arc;

use chrono::DateTime;
use serde_json::Value;

use super::WebPage;
use crate::server::testing::Client;
use crate::server::{Fault, Provider};
use crate::{Running, Sim, VirtualClock};

async fn start() -> (Sim, Running, Client) {
    let sim = Sim::new(Arc::new(VirtualClock::at(DateTime::UNIX_EPOCH)));
    let running = sim.start().await.unwrap();
    let client = Client::new(running.address);
    (sim, running, client)
}

#[tokio::test]
async fn what_is_found_can_be_fetched() {
    let (sim, running, client) = start().await;
    let key = sim.tokens().key(Provider::CustomSearch);
    let search = |words: &'static str| {
        let (client, key) = (client.clone(), key.clone());
        async move { client.get("/customsearch/v1", &[("key", &key), ("cx", "cx"), ("q", words), ("num", "3")]).await.json() }
    };
    let found = search("berths of harbors").await;
    let link = found["items"][0]["link"].as_str().unwrap();
    assert_eq!(link, format!("{}/harbor/berths", running.web_url()));
    assert!(found["items"][0]["snippet"].as_str().unwrap().contains("harbors"));
    let page = client.get(link.split_once("/web").map(|(_, it)| format!("/web{it}")).unwrap().as_str(), &[]).await;
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(String::from_utf8(page.body).unwrap().contains("<title>How small harbors plan their berths</title>"));
    let nothing = search("zzyzx").await;
    assert_eq!((nothing.get("items"), &nothing["searchInformation"]["totalResults"]), (None, &Value::from("0")));
}

#[tokio::test]
async fn a_search_takes_a_key_an_engine_and_small_pages() {
    let (sim, _running, client) = start().await;
    let key = sim.tokens().key(Provider::CustomSearch);
    let status = |more: Vec<(&'static str, &'static str)>, key: Option<String>| {
        let client = client.clone();
        async move {
            let mut query: Vec<(&str, &str)> = vec![("q", "harbor")];
            query.extend(key.as_deref().map(|it| ("key", it)));
            query.extend(more);
            client.get("/customsearch/v1", &query).await.status
        }
    };
    assert_eq!(status(vec![("cx", "a")], None).await, 403);
    assert_eq!(status(vec![("cx", "a")], Some("AIzaWrong".into())).await, 400);
    assert_eq!(status(vec![], Some(key.clone())).await, 400);
    assert_eq!(status(vec![("cx", "a"), ("num", "11")], Some(key.clone())).await, 400);
    assert_eq!(status(vec![("cx", "a"), ("start", "95")], Some(key.clone())).await, 400);
    assert_eq!(status(vec![("cx", "a"), ("start", "90")], Some(key.clone())).await, 200);
    sim.faults().once("customsearch.cse.list", Fault::SpendCap);
    assert_eq!(status(vec![("cx", "a")], Some(key)).await, 429);
}

#[tokio::test]
async fn pages_are_found_on_all_their_pages() {
    let (sim, _running, client) = start().await;
    for number in 0..13 {
        sim.web().publish(WebPage::new(&format!("/boats/{number}"), "Boats", "Sloops are boats with one mast."));
    }
    let key = sim.tokens().key(Provider::CustomSearch);
    let page = client.get("/customsearch/v1", &[("key", &key), ("cx", "a"), ("q", "sloops")]).await.json();
    assert_eq!((page["items"].as_array().unwrap().len(), &page["queries"]["nextPage"][0]["startIndex"]), (10, &Value::from(11)));
    let rest = client.get("/customsearch/v1", &[("key", &key), ("cx", "a"), ("q", "sloops"), ("start", "11")]).await.json();
    assert_eq!((rest["items"].as_array().unwrap().len(), rest["queries"].get("nextPage")), (3, None));
}

#[tokio::test]
async fn strange_answers_are_what_they_are_called() {
    let (_sim, _running, client) = start().await;
    let mut place = "/web/redirect/3".to_owned();
    for _ in 0..4 {
        let hop = client.get(&place, &[]).await;
        assert_eq!(hop.status, 302, "{place}");
        hop.header("location").unwrap().clone_into(&mut place);
    }
    assert_eq!(client.get(&place, &[]).await.status, 200);
    assert_eq!(client.get("/web/redirect/loop", &[]).await.header("location"), Some("/web/redirect/loop"));
    let elsewhere = client.get("/web/redirect/to", &[("url", "http://169.254.169.254/")]).await;
    assert_eq!(elsewhere.header("location"), Some("http://169.254.169.254/"));
    assert_eq!(client.get("/web/huge/200000", &[]).await.body.len(), 200_000);
    let bomb = client.get("/web/bomb/4", &[]).await;
    let mut size = 0;
    let mut reader = flate2::read::GzDecoder::new(bomb.body.as_slice());
    let mut buffer = vec![0; 65_536];
    while let Ok(read @ 1..) = reader.read(&mut buffer) {
        size += read;
    }
    assert_eq!((bomb.header("content-encoding"), size), (Some("gzip"), 4 * 1024 * 1024));
    assert!(bomb.body.len() < size / 500, "{}", bomb.body.len());
    assert_eq!(client.get("/web/type/pdf", &[]).await.header("content-type"), Some("application/pdf"));
    assert_eq!(client.get("/web/type/none", &[]).await.header("content-type"), None);
    assert_eq!(client.get("/web/no/such/page", &[]).await.status, 404);
}
