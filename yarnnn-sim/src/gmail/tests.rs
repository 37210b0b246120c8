//! What the mailbox promises over HTTP.

use std::collections::BTreeSet;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::server::testing::Client;
use crate::{Fault, Running, Sample, Sim, VirtualClock};

const READ: &str = "https://www.googleapis.com/auth/gmail.readonly";
const MAILS: &str = "/gmail/v1/users/me/messages";
const HISTORY: &str = "/gmail/v1/users/me/history";

struct World {
    sim: Sim,
    _running: Running,
    client: Client,
}

fn now() -> DateTime<Utc> {
    "2026-03-08T12:00:00Z".parse().unwrap()
}

async fn serve(sim: Sim, scopes: &[&str]) -> World {
    let running = sim.start().await.unwrap();
    let client = Client::new(running.address).bearer(&sim.tokens().google(scopes));
    World { sim, _running: running, client }
}

async fn world() -> World {
    serve(Sim::new(Arc::new(VirtualClock::at(now()))), &[READ]).await
}

fn letter(subject: &str) -> Vec<u8> {
    format!("From: Ana <ana@shop.example>\r\nTo: owner@sim.example\r\nSubject: {subject}\r\n\r\nBody of {subject}\r\n")
        .into_bytes()
}

impl World {
    /// All pages of a list.
    async fn pages(&self, path: &str, query: &[(&str, &str)], key: &str) -> Vec<Value> {
        let mut found = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let page = token.as_deref().map(|it| ("pageToken", it));
            let query: Vec<_> = query.iter().copied().chain(page).collect();
            let answer = self.client.get(path, &query).await;
            assert_eq!(answer.status, 200, "{}", answer.json());
            let answer = answer.json();
            found.extend(answer[key].as_array().cloned().unwrap_or_default());
            token = answer["nextPageToken"].as_str().map(str::to_owned);
            if token.is_none() {
                return found;
            }
        }
    }

    async fn ids(&self, query: &[(&str, &str)]) -> Vec<String> {
        let found = self.pages(MAILS, query, "messages").await;
        found.iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect()
    }

    fn profile_history(&self) -> String {
        self.sim.gmail().mailbox().history.to_string()
    }
}

#[tokio::test]
async fn paging_gives_every_mail_once_and_the_newest_first() {
    let world = world().await;
    let gmail = world.sim.gmail();
    let ids: Vec<String> =
        (0..23).map(|it| gmail.deliver_at(&letter("x"), &["INBOX"], now() + TimeDelta::minutes(it / 2))).collect();
    let found = world.ids(&[("maxResults", "5")]).await;
    assert_eq!(found.iter().rev().cloned().collect::<Vec<_>>(), ids);
    // What arrives between two pages shifts nothing.
    let first = world.client.get(MAILS, &[("maxResults", "5")]).await.json();
    gmail.deliver_at(&letter("late"), &["INBOX"], now() + TimeDelta::days(1));
    let token = first["nextPageToken"].as_str().unwrap();
    let second = world.client.get(MAILS, &[("maxResults", "5"), ("pageToken", token)]).await.json();
    assert_eq!(second["messages"][0]["id"], ids[17].as_str());
    let foreign = world.client.get(MAILS, &[("pageToken", token), ("q", "in:inbox")]).await;
    assert_eq!((foreign.status, foreign.json()["error"]["message"].clone()), (400, json!("Invalid pageToken")));
}

#[tokio::test]
async fn searches_know_days_seconds_folders_senders_and_labels() {
    let world = world().await;
    let gmail = world.sim.gmail();
    let day = |text: &str| -> DateTime<Utc> { format!("{text}Z").parse().unwrap() };
    let old = gmail.deliver_at(&letter("old"), &["INBOX"], day("2026-03-05T23:59:59"));
    let edge = gmail.deliver_at(&letter("edge"), &["INBOX", "Work"], day("2026-03-06T00:00:00"));
    let sent = gmail.deliver_at(b"From: owner@sim.example\r\nSubject: s\r\n\r\nx", &["SENT"], day("2026-03-07T10:00:00"));
    let trashed = gmail.deliver_at(&letter("gone"), &["INBOX"], day("2026-03-07T11:00:00"));
    assert!(gmail.trash(&trashed));
    let seconds = day("2026-03-06T00:00:00").timestamp().to_string();
    let after_seconds = format!("after:{seconds}");
    let cases: [(&str, &[&String]); 9] = [
        ("after:2026/03/06", &[&sent, &edge]),
        ("before:2026/03/06", &[&old]),
        (&after_seconds, &[&sent, &edge]),
        ("in:sent", &[&sent]),
        ("in:inbox from:ana@shop.example", &[&edge, &old]),
        ("-in:sent", &[&edge, &old]),
        ("in:trash", &[&trashed]),
        ("label:work OR in:sent", &[&sent, &edge]),
        ("in:anywhere after:2026/03/07", &[&trashed, &sent]),
    ];
    for (query, expected) in cases {
        let found = world.ids(&[("q", query)]).await;
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{query}");
    }
    assert_eq!(world.ids(&[("labelIds", "INBOX"), ("labelIds", "Label_1")]).await, std::slice::from_ref(&edge));
    assert_eq!(world.ids(&[("includeSpamTrash", "true")]).await.len(), 4);
    assert_eq!(world.client.get(MAILS, &[("labelIds", "Label_9")]).await.status, 400);
    let empty = world.client.get(MAILS, &[("q", "from:nobody")]).await.json();
    assert_eq!(empty, json!({ "resultSizeEstimate": 0 }));
}

#[tokio::test]
async fn a_mail_is_read_in_four_forms_and_files_by_their_identifier() {
    let world = world().await;
    let raw = b"From: a@example.com\r\nSubject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?=\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n\
        --x\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nf=FCr <dich>\r\n\
        --x\r\nContent-Type: text/csv; name=a.csv\r\nContent-Disposition: attachment; filename=a.csv\r\n\r\na,b\r\n--x--\r\n";
    let id = world.sim.gmail().deliver_at(raw, &["INBOX", "UNREAD"], now());
    let path = format!("{MAILS}/{id}");
    let full = world.client.get(&path, &[]).await.json();
    assert_eq!(full["internalDate"], now().timestamp_millis().to_string());
    assert_eq!(full["snippet"], "für &lt;dich&gt;");
    assert_eq!((full["labelIds"].clone(), full["threadId"].clone()), (json!(["INBOX", "UNREAD"]), json!(id)));
    let payload = &full["payload"];
    assert_eq!((&payload["mimeType"], &payload["partId"]), (&json!("multipart/mixed"), &json!("")));
    assert_eq!(payload["headers"][1], json!({ "name": "Subject", "value": "Grüße" }));
    let text = URL_SAFE_NO_PAD.decode(payload["parts"][0]["body"]["data"].as_str().unwrap()).unwrap();
    assert_eq!(String::from_utf8(text).unwrap().trim(), "für <dich>");
    let file = &payload["parts"][1];
    assert_eq!((&file["filename"], file["body"].get("data")), (&json!("a.csv"), None));
    let part = format!("{path}/attachments/{}", file["body"]["attachmentId"].as_str().unwrap());
    let part = world.client.get(&part, &[]).await.json();
    assert_eq!(URL_SAFE_NO_PAD.decode(part["data"].as_str().unwrap()).unwrap(), b"a,b");
    let read = world.client.get(&path, &[("format", "raw")]).await.json();
    assert_eq!(URL_SAFE_NO_PAD.decode(read["raw"].as_str().unwrap()).unwrap(), raw);
    let metadata = world.client.get(&path, &[("format", "metadata"), ("metadataHeaders", "subject")]).await.json();
    assert_eq!(metadata["payload"]["headers"], json!([{ "name": "Subject", "value": "Grüße" }]));
    assert_eq!(world.client.get(&path, &[("format", "minimal")]).await.json().get("payload"), None);
    assert_eq!(world.client.get(&format!("{MAILS}/none"), &[]).await.json()["error"]["status"], "NOT_FOUND");
}

#[tokio::test]
async fn a_body_too_large_for_the_answer_is_fetched_on_its_own() {
    let world = world().await;
    let mut raw = b"Subject: long\r\n\r\n".to_vec();
    raw.extend(std::iter::repeat_n(b'x', super::wire::LARGEST_INLINE + 1));
    let id = world.sim.gmail().deliver(&raw, &["INBOX"]);
    let body = world.client.get(&format!("{MAILS}/{id}"), &[]).await.json()["payload"]["body"].clone();
    assert_eq!(body.get("data"), None);
    let part = format!("{MAILS}/{id}/attachments/{}", body["attachmentId"].as_str().unwrap());
    assert_eq!(world.client.get(&part, &[]).await.json()["size"], super::wire::LARGEST_INLINE + 1);
}

#[tokio::test]
async fn the_history_tells_every_change_until_it_is_cut() {
    let world = world().await;
    let gmail = world.sim.gmail();
    let kept = gmail.deliver(&letter("kept"), &["INBOX"]);
    let start = world.profile_history();
    let quiet = world.client.get(HISTORY, &[("startHistoryId", &start)]).await.json();
    assert_eq!(quiet, json!({ "historyId": start }));
    let gone = gmail.deliver(&letter("gone"), &["INBOX"]);
    assert!(gmail.delete(&gone) && gmail.label(&kept, "Work") && gmail.unlabel(&kept, "INBOX"));
    assert!(gmail.unlabel(&kept, "INBOX"), "a change that changes nothing leaves no record");
    let records = world.pages(HISTORY, &[("startHistoryId", &start), ("maxResults", "1")], "history").await;
    let kinds: Vec<_> = records.iter().map(|it| it.as_object().unwrap().keys().next_back().unwrap().clone()).collect();
    assert_eq!(kinds, ["messagesAdded", "messagesDeleted", "messages", "messages"].map(str::to_owned), "{records:#?}");
    assert_eq!(records[2]["labelsAdded"][0]["labelIds"], json!(["Label_1"]));
    assert_eq!(records[3]["labelsRemoved"][0]["message"]["labelIds"], json!(["Label_1"]));
    let removed = [("startHistoryId", start.as_str()), ("historyTypes", "labelRemoved"), ("labelId", "INBOX")];
    assert_eq!(world.pages(HISTORY, &removed, "history").await.len(), 1);
    assert_eq!(world.client.get(HISTORY, &[]).await.status, 400);
    assert_eq!(world.client.get(HISTORY, &[("startHistoryId", "x")]).await.status, 400);
    gmail.expire_history();
    let expired = world.client.get(HISTORY, &[("startHistoryId", &start)]).await;
    assert_eq!((expired.status, &expired.json()["error"]["errors"][0]["reason"]), (404, &json!("notFound")));
    let fresh = world.profile_history();
    assert_eq!(world.client.get(HISTORY, &[("startHistoryId", &fresh)]).await.status, 200);
}

#[tokio::test]
async fn scopes_tokens_and_mailboxes_are_checked() {
    let world = world().await;
    let client = |scope: &str| world.client.bearer(&world.sim.tokens().google(&[scope]));
    let id = world.sim.gmail().deliver(&letter("x"), &["INBOX"]);
    let metadata = client("https://www.googleapis.com/auth/gmail.metadata");
    let path = format!("{MAILS}/{id}");
    assert_eq!(metadata.get(&path, &[]).await.status, 403);
    assert_eq!(metadata.get(&path, &[("format", "metadata")]).await.status, 200);
    assert_eq!(metadata.get(MAILS, &[("q", "in:inbox")]).await.status, 403);
    let calendar = client("https://www.googleapis.com/auth/calendar.readonly").get(MAILS, &[]).await.json();
    assert_eq!(calendar["error"]["errors"][0]["reason"], "insufficientPermissions");
    assert_eq!(calendar["error"]["details"][0]["reason"], "ACCESS_TOKEN_SCOPE_INSUFFICIENT");
    let bad = world.client.bearer("ya29.other").get(MAILS, &[]).await;
    assert_eq!((bad.status, &bad.json()["error"]["status"]), (401, &json!("UNAUTHENTICATED")));
    assert_eq!(world.client.get("/gmail/v1/users/other@sim.example/messages", &[]).await.status, 403);
    assert_eq!(world.client.get("/gmail/v1/users/owner%40sim.example/messages", &[]).await.status, 200);
}

#[tokio::test]
async fn a_mail_is_sent_and_a_draft_is_kept() {
    let sim = Sim::new(Arc::new(VirtualClock::at(now())));
    let world = serve(sim, &["https://www.googleapis.com/auth/gmail.modify"]).await;
    let asked = world.sim.gmail().deliver(b"Message-ID: <1@x>\r\nSubject: q\r\n\r\nq", &["INBOX"]);
    let raw = URL_SAFE_NO_PAD.encode(b"To: ana@shop.example\r\nSubject: Re: q\r\nIn-Reply-To: <1@x>\r\n\r\na");
    let sent = world.client.post_json(&format!("{MAILS}/send"), &json!({ "raw": format!("{raw}==") })).await.json();
    assert_eq!((&sent["labelIds"], &sent["threadId"]), (&json!(["SENT"]), &json!(asked)));
    let draft = world.client.post_json("/gmail/v1/users/me/drafts", &json!({ "message": { "raw": raw } })).await.json();
    assert_eq!(draft["message"]["labelIds"], json!(["DRAFT"]));
    let thread = world.client.get(&format!("/gmail/v1/users/me/threads/{asked}"), &[]).await.json();
    assert_eq!(thread["messages"].as_array().unwrap().len(), 3);
    let drafts = "/gmail/v1/users/me/drafts";
    world.client.post_json(drafts, &json!({ "message": { "raw": raw } })).await;
    let listed = world.pages(drafts, &[("maxResults", "1")], "drafts").await;
    assert_eq!((listed.len(), &listed[1]["id"]), (2, &draft["id"]), "newest first, page by page");
    let held = world.sim.gmail().drafts_to("ana@shop.example");
    assert_eq!((held.len(), &json!(held[0].id)), (2, &draft["id"]));
    assert!(world.sim.gmail().send_draft(&held[0].id) && !world.sim.gmail().send_draft(&held[0].id));
    assert_eq!(world.pages(drafts, &[], "drafts").await.len(), 1);
    assert_eq!(world.sim.gmail().snapshot("SENT").len(), 2);
    let nowhere = URL_SAFE_NO_PAD.encode(b"Subject: x\r\n\r\nx");
    assert_eq!(world.client.post_json(&format!("{MAILS}/send"), &json!({ "raw": nowhere })).await.status, 400);
}

#[tokio::test]
async fn the_frame_limits_and_breaks_calls() {
    let world = world().await;
    for number in 0..6 {
        world.sim.gmail().deliver_at(&letter("x"), &["INBOX"], now() + TimeDelta::minutes(number));
    }
    world.sim.faults().once("gmail.messages.list", Fault::EmptyOk);
    assert_eq!(world.client.get(MAILS, &[]).await.json(), json!({ "resultSizeEstimate": 0 }));
    world.sim.faults().once("gmail.messages.list", Fault::TornPage);
    let torn = world.client.get(MAILS, &[("maxResults", "4")]).await.json();
    assert_eq!((torn["messages"].as_array().unwrap().len(), torn["nextPageToken"].is_string()), (2, true));
    world.sim.limits().published();
    let mut statuses = Vec::new();
    for _ in 0..1_201 {
        statuses.push(world.client.get(MAILS, &[]).await.status);
    }
    assert_eq!(statuses.iter().filter(|it| **it == 200).count(), 1_200, "five units each of 6,000 a minute");
}

#[tokio::test]
async fn the_sample_is_the_mailbox_of_the_export() {
    let sim = Sim::sample(Arc::new(VirtualClock::at(now())));
    let world = serve(sim, &[READ]).await;
    let directory = tempfile::tempdir().unwrap();
    let files = Sample::load().write_exports(now(), directory.path()).unwrap();
    let mbox = String::from_utf8(std::fs::read(files.mail).unwrap()).unwrap().replace("\n>From ", "\nFrom ");
    let ids = world.ids(&[]).await;
    assert_eq!(ids.len(), Sample::load().counts().mail);
    for id in &ids {
        let raw = world.client.get(&format!("{MAILS}/{id}"), &[("format", "raw")]).await.json()["raw"].clone();
        let raw = String::from_utf8(URL_SAFE_NO_PAD.decode(raw.as_str().unwrap()).unwrap()).unwrap();
        assert!(raw.len() > 100 && mbox.contains(&raw.replace("\r\n", "\n")), "{raw}");
    }
    let inbox = world.sim.gmail().snapshot("INBOX");
    let sent = world.sim.gmail().snapshot("SENT");
    assert_eq!(inbox.len() + sent.len(), ids.len());
    assert!(sent.iter().all(|it| it.from.contains("nadia@lumenfold.example")));
    for label in ["Launch", "Newsletters"] {
        assert!(!world.sim.gmail().snapshot(label).is_empty(), "{label}");
    }
    let threads: BTreeSet<_> = inbox.iter().chain(&sent).map(|it| &it.thread).collect();
    assert!(threads.len() < ids.len(), "replies stand in the conversations that they answer");
}
