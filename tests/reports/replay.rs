//! A report is written again from its capsule, byte for byte, with every provider out of reach; what asks otherwise learns where.
//!
//! The capsules in `fixtures/pipelines/` are snapshots: `INSTA_UPDATE=always` rewrites them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;
use yarnnn::Error;
use yarnnn::deliverables::{Capsule, CreateDeliverable, Fork, Prompts, Replayed, RunStatus};
use yarnnn::id::VersionId;
use yarnnn::models::ExtractiveModel;
use yarnnn_sim::SimWriter;
use yarnnn_sim::models::{Part, Prompt, Scripted, Turn, Writer};
use yarnnn_sim::web::WebPage;

use crate::office::{Office, Wants, closed_port};
use crate::place::Backend;

const SAID: [(&str, &str); 3] = [
    ("a", "We moved the launch to Thursday because the importer is too slow for large shops."),
    ("b", "The billing page is approved by legal and goes live on Monday morning."),
    ("c", "The new berths of the harbor are dredged before the ferries come back in May."),
];
/// What is special about each report.
const WRITTEN: [&str; 3] = ["capsule_tools", "capsule_repaired", "capsule_web"];
/// The kept capsules: those that name no port of this machine.
const KEPT: [&str; 2] = ["capsule_tools", "capsule_repaired"];

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pipelines")
}

/// Reads the first page that a search has found before it says which are worth it.
#[derive(Debug)]
struct Reader;

impl Writer for Reader {
    fn write(&self, prompt: &Prompt) -> Turn {
        let is_read = |it: &Part| matches!(it, Part::Call { name, .. } if name == "ReadPage");
        let has_read = prompt.turns.iter().flat_map(|it| &it.parts).any(is_read);
        if prompt.tools.iter().any(|it| it.name == "ReadPage") && prompt.has_results() && !has_read {
            return Turn::call("ReadPage", json!({ "ref": "w1" }));
        }
        SimWriter::Faithful.write(prompt)
    }
}

/// A written report of this kind: with the tools of the writer, sent back once, or with pages of the web.
async fn written(name: &str) -> (Office, Capsule) {
    let office = Office::of(Backend::Sqlite, &Wants { web: true, ..Wants::default() }).await;
    office.channel(&SAID, &[]).await;
    if name == "capsule_repaired" {
        office.sim.models().set_writer(Scripted::new([Turn::text("{\"report\": []}")]));
    }
    if name == "capsule_web" {
        office.sim.models().set_writer(Reader);
        let text = "The harbor has twelve berths for ferries. Four of them are dredged every year before the season begins.";
        office.sim.web().publish(WebPage::new("/harbor/ferries", "Ferries of the harbor", text));
    }
    let report_type = if name == "capsule_web" { "research_brief" } else { "status_report" };
    let description = Some("Berths of the harbor".to_owned());
    let report = office.create(CreateDeliverable { description, ..CreateDeliverable::new(report_type, "Harbor") }).await;
    let outcome = office.run(&report).await.unwrap();
    assert_eq!(outcome.status, RunStatus::Delivered, "{:?}", outcome.error);
    let version = outcome.version.unwrap();
    let ran = version.state.ran.as_ref().unwrap();
    assert_eq!(ran.repaired, name == "capsule_repaired");
    assert_eq!(version.state.usage().searches > 0, name == "capsule_web");
    let capsule = office.yarnnn.deliverables().capsule(office.user.id, version.id).await.unwrap();
    assert!(name == "capsule_repaired" || capsule.exchanges.len() > 1, "a tool was asked for");
    let web = capsule.items.iter().filter(|it| it.platform == "web").count();
    assert_eq!(web > 0, name == "capsule_web", "{:?}", capsule.items);
    (office, capsule)
}

/// An installation in which nothing is stored, and whose providers are a port where nobody listens.
async fn nowhere(backend: Backend) -> Office {
    Office::of(backend, &Wants { base: Some(closed_port()), ..Wants::default() }).await
}

async fn replay(office: &Office, capsule: &Capsule, fork: Fork) -> Result<Replayed, Error> {
    office.yarnnn.deliverables().replay(&office.yarnnn.stage_cx(), office.user.id, capsule, fork).await
}

fn is_faithful(replayed: &Replayed, capsule: &Capsule) {
    assert_eq!(replayed.differing, Vec::<String>::new());
    assert_eq!((&replayed.after, &replayed.before), (&capsule.version.final_content, &capsule.version.final_content));
    assert_eq!((&replayed.parted, replayed.recorded_calls as usize), (&None, capsule.exchanges.len()));
    assert_eq!(replayed.usage.calls, 0);
}

#[tokio::test]
async fn a_report_is_written_again_from_a_file_on_an_empty_database_without_a_provider() {
    for name in WRITTEN {
        let (office, capsule) = written(name).await;
        let file = capsule.to_json().unwrap();
        let asked = office.asked();
        let away = office.opened(&Wants { base: Some(closed_port()), ..Wants::default() }).await;
        is_faithful(&replay(&away, &capsule, Fork::default()).await.unwrap(), &capsule);
        assert_eq!(away.asked(), asked, "{name}");
        for backend in Backend::BOTH {
            let empty = nowhere(backend).await;
            let read = Capsule::parse(&file).unwrap();
            assert_eq!(read, capsule, "{name}");
            is_faithful(&replay(&empty, &read, Fork::default()).await.unwrap(), &read);
            assert!(empty.ledger().await.is_empty() && empty.delivered().is_empty(), "{name}: a replay leaves nothing behind");
            empty.close().await;
        }
    }
}

/// A delivered status report over [`SAID`].
async fn delivered(backend: Backend) -> (Office, VersionId) {
    let office = Office::of(backend, &Wants::default()).await;
    office.channel(&SAID, &[]).await;
    let outcome = office.run(&office.status_report().await).await.unwrap();
    assert_eq!(outcome.status, RunStatus::Delivered, "{:?}", outcome.error);
    (office, outcome.version.unwrap().id)
}

async fn capsule_of(office: &Office, version: VersionId) -> Result<Capsule, Error> {
    office.yarnnn.deliverables().capsule(office.user.id, version).await
}

#[tokio::test]
async fn what_became_of_the_rows_since_changes_no_byte() {
    for backend in Backend::BOTH {
        let (office, version) = delivered(backend).await;
        let before = capsule_of(&office, version).await.unwrap();
        for change in [
            "update platform_content set resource_name = '#renamed', author = 'Somebody else', title = 'A title', \
             metadata = '{\"thread_ts\": \"1.2\", \"reactions\": [{\"name\": \"tada\", \"count\": 9}]}'",
            "delete from platform_content",
        ] {
            office.sql(change).await;
            let capsule = capsule_of(&office, version).await.unwrap();
            assert_eq!(capsule, before, "{change}");
            is_faithful(&replay(&office, &capsule, Fork::default()).await.unwrap(), &capsule);
        }
        office.close().await;
    }
}

#[tokio::test]
async fn a_run_that_goes_on_writes_from_what_it_had_gathered() {
    for backend in Backend::BOTH {
        let away = Office::of(backend, &Wants { base: Some(closed_port()), ..Wants::default() }).await;
        away.channel(&SAID, &[]).await;
        let report = away.status_report().await;
        away.run(&report).await.unwrap_err();
        away.sql("update platform_content set resource_name = '#renamed' where item_id = 'a'").await;
        away.sql("delete from platform_content where item_id <> 'a'").await;
        let office = away.opened(&Wants::default()).await;
        let outcome = office.run(&report).await.unwrap();
        assert_eq!((outcome.status, outcome.resumed), (RunStatus::Delivered, true), "{:?}", outcome.error);
        let version = outcome.version.unwrap();
        let text = version.final_content.unwrap();
        assert!(SAID.iter().all(|(_, said)| text.contains(said)) && !text.contains("renamed"), "{text}");
        let capsule = capsule_of(&office, version.id).await.unwrap();
        is_faithful(&replay(&office, &capsule, Fork::default()).await.unwrap(), &capsule);
        office.close().await;
    }
}

#[tokio::test]
async fn what_was_taken_back_is_not_replayed_and_that_is_said() {
    for backend in Backend::BOTH {
        let (office, version) = delivered(backend).await;
        office.clock.advance(chrono::TimeDelta::days(2));
        office.channel(&SAID[1..], &["a"]).await;
        let error = capsule_of(&office, version).await.unwrap_err().to_string();
        assert!(error.contains("version 1 cannot be repeated") && error.contains("was removed on 2026-03-04"), "{error}");
        office.close().await;
    }
}

/// Versions of earlier releases recorded nothing: their rows are read, as long as they are there.
#[tokio::test]
async fn a_version_that_recorded_nothing_is_replayed_from_its_rows() {
    for backend in Backend::BOTH {
        let (office, version) = delivered(backend).await;
        let recorded = capsule_of(&office, version).await.unwrap();
        office.sql("delete from version_material").await;
        let capsule = capsule_of(&office, version).await.unwrap();
        assert_eq!(capsule, recorded);
        is_faithful(&replay(&office, &capsule, Fork::default()).await.unwrap(), &capsule);
        office.sql("delete from platform_content where item_id = 'a'").await;
        let error = capsule_of(&office, version).await.unwrap_err().to_string();
        assert!(error.contains("1 of the 3 items that it was written from are no longer stored"), "{error}");
        office.close().await;
    }
}

#[tokio::test]
async fn another_wording_names_the_first_message_that_differs() {
    let (_, capsule) = written("capsule_tools").await;
    let office = nowhere(Backend::Sqlite).await;
    let own = Prompts::default();
    let system = Prompts { system: own.system.replace("Be concise.", "Be brief."), ..own.clone() };
    let report = Prompts { report: own.report.replace("Write the", "Compose the"), ..own };
    for (prompts, place, line) in [
        (system, "call 1: the system message differs first, in line", "Be brief."),
        (report, "call 1: message 1 differs first, in line 1:", "Compose the status report"),
    ] {
        let fork = Fork { prompts: Some(prompts.clone()), ..Fork::default() };
        let error = replay(&office, &capsule, fork).await.unwrap_err().to_string();
        assert!(error.contains(place) && error.contains(line), "{error}");
        let fork = Fork { prompts: Some(prompts), model: Some(Arc::new(ExtractiveModel::new())), ..Fork::default() };
        let replayed = replay(&office, &capsule, fork).await.unwrap();
        let parted = replayed.parted.unwrap();
        assert!(parted.contains(place) && parted.contains(line), "{parted}");
        assert!(
            replayed.recorded_calls == 0 && replayed.after.contains("Written without a language model"),
            "{}",
            replayed.after
        );
        assert!(
            ["draft", "report"].iter().all(|it| replayed.differing.iter().any(|that| that == it)),
            "{:?}",
            replayed.differing
        );
    }
}

#[tokio::test]
async fn a_change_in_a_later_message_is_named_there() {
    let (_, mut capsule) = written("capsule_tools").await;
    let office = nowhere(Backend::Sqlite).await;
    // As if the writer had said something else before it was told what the tools found.
    let calls = capsule.exchanges.len();
    let last = capsule.exchanges.last_mut().unwrap();
    let messages = last.request.messages.len();
    last.request.messages.push(last.request.messages[0].clone());
    let error = replay(&office, &capsule, Fork::default()).await.unwrap_err().to_string();
    assert!(error.contains(&format!("call {calls}: message {} is not there now", messages + 1)), "{error}");
}

#[tokio::test]
async fn a_byte_that_is_not_the_same_is_found() {
    let (_, mut capsule) = written("capsule_tools").await;
    let office = nowhere(Backend::Sqlite).await;
    let key = capsule.messages[0].key.clone();
    capsule.messages[0].files[0].content.push(' ');
    let replayed = replay(&office, &capsule, Fork::default()).await.unwrap();
    assert_eq!(replayed.differing, [key]);
    capsule.version.final_content.push(' ');
    assert!(replay(&office, &capsule, Fork::default()).await.unwrap().differing.contains(&"report".to_owned()));
}

/// The same history gives the same capsule.
#[tokio::test]
async fn the_kept_capsules_are_written_again() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../fixtures/pipelines");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for name in KEPT {
        let (_, mut capsule) = written(name).await;
        // The folder of this run is another one in the next.
        capsule.messages.iter_mut().for_each(|it| "outbox".clone_into(&mut it.target));
        let json = capsule.to_json().unwrap();
        settings.bind(|| insta::assert_binary_snapshot!(&format!("{name}.json"), json.into_bytes()));
    }
}

fn kept(name: &str) -> String {
    std::fs::read_to_string(fixtures().join(format!("{name}.snap.json"))).unwrap()
}

/// A capsule of an earlier program still gives its report; if the program asks otherwise now, the error names the message.
#[tokio::test]
async fn the_kept_capsules_replay() {
    let office = nowhere(Backend::Sqlite).await;
    for name in KEPT {
        let kept = Capsule::parse(&kept(name)).unwrap();
        is_faithful(&replay(&office, &kept, Fork::default()).await.unwrap(), &kept);
    }
}

/// The texts of what was asked: call and message, both counted from 1, and where they stand in the file. What tools found is taken
/// from there when a report is replayed, and cannot differ.
fn asked_texts(capsule: &serde_json::Value) -> Vec<(usize, usize, String)> {
    let mut texts = Vec::new();
    for (call, exchange) in capsule["exchanges"].as_array().unwrap().iter().enumerate() {
        for (message, asked) in exchange["request"]["messages"].as_array().unwrap().iter().enumerate() {
            for part in 0..asked["content"].as_array().unwrap().len() {
                for text in ["text", "material/0/text", "tool_call/input/query"] {
                    let at = format!("/exchanges/{call}/request/messages/{message}/content/{part}/{text}");
                    texts.extend(capsule.pointer(&at).map(|_| (call + 1, message + 1, at)));
                }
            }
        }
    }
    texts
}

#[tokio::test]
async fn one_byte_of_what_was_asked_is_named_by_its_call_and_message() {
    let office = nowhere(Backend::Sqlite).await;
    let mut changed = 0;
    for name in KEPT {
        let whole: serde_json::Value = serde_json::from_str(&kept(name)).unwrap();
        for (call, message, at) in asked_texts(&whole) {
            let mut other = whole.clone();
            let text = other.pointer(&at).unwrap().as_str().unwrap().to_owned();
            let last = if text.ends_with('~') { '-' } else { '~' };
            let kept = text.char_indices().last().unwrap().0;
            *other.pointer_mut(&at).unwrap() = json!(format!("{}{last}", &text[..kept]));
            let capsule = Capsule::parse(&other.to_string()).unwrap();
            let error = replay(&office, &capsule, Fork::default()).await.expect_err(&at).to_string();
            assert!(error.contains(&format!("call {call}: message {message} differs first")), "{name}, {at}: {error}");
            changed += 1;
        }
    }
    assert!(changed > 8, "{changed} texts");
}

#[test]
fn what_is_no_capsule_is_refused() {
    for (text, reason) in [("", "no capsule"), ("{}", "no capsule"), ("[1]", "no capsule")] {
        let error = Capsule::parse(text).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
    let kept = kept("capsule_tools");
    let later = kept.replacen("\"format\": 1", "\"format\": 2", 1);
    assert!(Capsule::parse(&later).unwrap_err().to_string().contains("this version reads format 1"));
}
