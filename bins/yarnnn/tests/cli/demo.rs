//! The demo: offline, in one folder, the same when repeated, and pages that load nothing.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use yarnnn::store::SqlStore;

use super::support::{Said, assert_same, files};

fn demo(folder: &Path) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_yarnnn"));
    command.args(["demo", "--out", "demo", "--json"]).current_dir(folder).env_clear().stdin(Stdio::null());
    Said::from(command.output().expect("the program starts")).expect(0).json()
}

/// All rows but those that say when was looked at what, which moves with the clock, and what was connected again.
async fn dump(folder: &Path) -> Vec<String> {
    let url = format!("sqlite://{}", folder.join("demo/demo.db").display());
    let rows = SqlStore::connect(&url).await.expect("the database opens").dump().await.expect("the database is dumped");
    let moves = ["sync_registry", "platform_connections", "activity_log"];
    rows.into_iter().filter(|it| !moves.iter().any(|name| it.starts_with(name))).collect()
}

#[tokio::test]
async fn the_demo_leaves_reports_and_a_second_one_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let first = demo(folder.path());
    let reports: Vec<_> = first["reports"].as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()).collect();
    assert_eq!(reports.len(), 6);
    assert!(reports.iter().all(|it| Path::new(it).is_file()), "{reports:?}");
    let platforms = |it: &Value| it["sync"]["platforms"].as_array().unwrap().clone();
    let outcomes = |it: &Value| platforms(it).iter().map(|it| it["outcome"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(outcomes(&first), ["ok"; 4], "{first:#}");
    assert!(platforms(&first).iter().all(|it| it["items_synced"].as_u64().unwrap() > 5), "{first:#}");
    assert!(first["exports"].as_array().unwrap().iter().all(|it| Path::new(it.as_str().unwrap()).is_file()));
    for run in first["runs"].as_array().unwrap() {
        assert_eq!(
            (run["status"].as_str(), run["model"].as_str()),
            (Some("delivered"), Some("simulated/claude-sonnet-5-5")),
            "{run}"
        );
        assert!(run["with_evidence"].as_u64().unwrap() > 10 && run["inference"].as_u64().unwrap() < 3, "{run}");
        assert!(run["model_calls"].as_u64().unwrap() > 1 && run["cost_usd"].as_f64().unwrap() > 0.0, "it asks for tools: {run}");
    }
    let sum = |name: &str| first["runs"].as_array().unwrap().iter().map(|it| it[name].as_u64().unwrap()).sum::<u64>();
    assert_eq!(first["evidence"]["verified"].as_u64(), Some(sum("with_evidence")), "{first:#}");
    let model = &first["model"];
    assert_eq!((model["calls"].as_u64(), &model["calls_now"]), (Some(sum("model_calls")), &model["calls"]), "{model}");
    assert_eq!((model["simulated"].as_bool(), model["input_tokens"].as_u64()), (Some(true), Some(sum("input_tokens"))));
    let outbox = folder.path().join("demo/outbox");
    let (before, rows) = (files(&outbox), dump(folder.path()).await);
    assert!(rows.iter().any(|it| it.starts_with("platform_content") && it.contains("<script>")), "the sample is hostile too");

    let second = demo(folder.path());
    assert_eq!(second["reports"], first["reports"]);
    assert_eq!(outcomes(&second), ["ok_empty"; 4], "{second:#}");
    let ids = |it: &Value| it["runs"].as_array().unwrap().iter().map(|it| it["version_id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&second), ids(&first));
    assert!(files(&outbox) == before, "the same files with the same bytes");
    assert_same(&dump(folder.path()).await, &rows, "a second demo");
    assert_eq!(second["model"]["calls_now"], 0, "what is written is not written again");

    let pages: Vec<_> = before.iter().filter(|(name, _)| name.ends_with(".html")).collect();
    assert_eq!(pages.len(), 2);
    for (_, page) in pages {
        assert_loads_nothing(page);
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "everything is under its folder");
}

/// A writer of one's own is used, and said.
#[test]
fn the_demo_writes_with_what_the_environment_names() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_yarnnn"));
    command.args(["demo", "--json"]).current_dir(folder.path()).env_clear().stdin(Stdio::null());
    command.env("YARNNN_MODEL_WRITER", "extractive");
    let said = Said::from(command.output().unwrap()).expect(0);
    assert!(said.stderr.contains("written by extractive, as your environment says"), "{}", said.stderr);
    let said = said.json();
    assert_eq!((said["model"]["calls"].as_u64(), said["model"]["simulated"].as_bool()), (Some(0), Some(false)), "{said:#}");
    assert_eq!(said["evidence"]["inference"], 0);
    command.env("YARNNN_MODEL_WRITER", "anthropic/claude-sonnet-5-5").args(["--out", "other"]);
    let said = Said::from(command.output().unwrap()).expect(3).json();
    assert!(said["error"]["message"].as_str().unwrap().starts_with("ANTHROPIC_API_KEY: "), "{said}");
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("demo"), "I am a file").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_yarnnn"));
    command.args(["demo", "--out", "demo"]).current_dir(folder.path()).env_clear().stdin(Stdio::null());
    let said = Said::from(command.output().unwrap()).expect(1);
    assert!(said.stderr.contains("demo"), "{}", said.stderr);
}

/// Fails when a page has anything that runs, or that a browser would load. Sources' text is escaped, so that every `<` is ours.
pub(crate) fn assert_loads_nothing(page: &str) {
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    for tag in page.split('<').skip(1) {
        let inside = tag.split('>').next().expect("a tag");
        let name = inside.trim_start_matches(['/', '!']).split(|it: char| !it.is_alphanumeric()).next().expect("a name");
        *names.entry(name).or_default() += 1;
        for forbidden in ["src=", "url(", "http:", "https:", "javascript:", "@import", " on"] {
            assert!(!inside.contains(forbidden), "<{inside}>");
        }
        let links = inside.split("href=\"").skip(1);
        links.for_each(|target| assert!(target.starts_with("#source-"), "<{inside}>"));
    }
    let ours = [
        "DOCTYPE", "a", "body", "div", "h1", "h2", "h3", "head", "html", "li", "meta", "p", "span", "strong", "table", "td",
        "title", "tr", "ul",
    ];
    assert!(names.keys().all(|it| ours.contains(it)), "{names:?}");
}
