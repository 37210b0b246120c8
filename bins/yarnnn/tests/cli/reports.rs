//! Reports: every sentence traces to its source and keeps doing so; nothing new gives no report; a key gives one for ever.

use serde_json::Value;
use yarnnn::hash::Sha256;

use super::exports::{AS_OF, DECISION, create, imported, message};
use super::support::{Backend, Installation, assert_same};

fn run(installation: &Installation, further: &[&str]) -> Value {
    let arguments = ["run", "Weekly"].iter().chain(further).copied().collect::<Vec<_>>();
    installation.json(&arguments, 0)
}

fn number(of: &Value) -> usize {
    of.as_u64().and_then(|it| it.try_into().ok()).expect("a count")
}

/// The delivered Markdown of a run.
fn markdown(outcome: &Value) -> String {
    let files = outcome["files"].as_array().expect("files");
    let path = files.iter().filter_map(Value::as_str).find(|it| it.ends_with(".md")).expect("a Markdown file");
    std::fs::read_to_string(path).expect("the report is there")
}

/// Every sentence with evidence quotes bytes that stand in the stored revision; computed here, not by the program.
async fn quotes_stand(installation: &Installation, verification: &Value) {
    for sentence in verification["sentences"].as_array().unwrap() {
        for evidence in sentence["evidence"].as_array().unwrap() {
            let id = evidence["content_id"].as_str().unwrap();
            let rows = installation.texts(&format!("select content from platform_content where id = '{id}'")).await;
            let content = rows.first().expect("the row is there");
            let span = number(&evidence["start"])..number(&evidence["end"]);
            assert_eq!(content.get(span), evidence["quote"].as_str(), "{sentence}");
            assert_eq!(evidence["revision"].as_str().unwrap(), Sha256::of(content).to_string());
        }
    }
}

/// The states of the sentences, in order, and whether they quote the item.
fn states(verification: &Value, item: &str) -> Vec<(String, bool)> {
    let sentences = verification["sentences"].as_array().unwrap().iter();
    sentences
        .map(|it| {
            let quotes = it["evidence"].as_array().unwrap().iter().any(|it| it["content_id"] == item);
            (it["state"].as_str().unwrap().to_owned(), quotes)
        })
        .collect()
}

fn assert_changed(verification: &Value, item: &str, word: &str) {
    let states = states(verification, item);
    assert!(states.iter().any(|(_, quotes)| *quotes) && states.iter().any(|(_, quotes)| !*quotes), "{states:?}");
    for (state, quotes) in &states {
        assert_eq!(state, if *quotes { word } else { "verified" }, "{verification:#}");
    }
    let quoting = states.iter().filter(|(_, quotes)| *quotes).count();
    assert_eq!(number(&verification[word]), quoting);
    assert_eq!(number(&verification["verified"]), states.len() - quoting);
}

async fn a_report_is_traced(backend: Backend) {
    let (installation, exports) = imported(backend).await;
    let deliverable = create(&installation, "Weekly");
    let first = run(&installation, &["--as-of", AS_OF]);
    assert_eq!((first["status"].as_str(), first["deliverable_id"].as_str()), (Some("delivered"), Some(deliverable.as_str())));
    assert!(number(&first["sentences"]) >= 6, "{first}");
    assert_eq!(number(&first["sentences"]), number(&first["with_evidence"]) + number(&first["inference"]));
    assert_eq!((number(&first["inference"]), number(&first["model_calls"])), (0, 0));
    assert_eq!(first["deliveries"][0]["state"], "sent");
    assert_eq!(installation.delivered().len(), 3);
    assert!(markdown(&first).contains(DECISION), "{}", markdown(&first));

    // Every sentence stands.
    let version = first["version_id"].as_str().unwrap();
    let verified = installation.json(&["verify", version], 0);
    assert_eq!(verified["verified"], first["with_evidence"]);
    assert_eq!((number(&verified["drifted"]), number(&verified["withdrawn"])), (0, 0));
    quotes_stand(&installation, &verified).await;

    // Nothing new: no version, no files. By force there is one.
    let before = (installation.dump().await, installation.delivered());
    let again = run(&installation, &["--as-of", AS_OF]);
    assert_eq!((again["status"].as_str(), &again["version_id"]), (Some("no_news"), &Value::Null));
    assert_eq!(again["files"], serde_json::json!([]));
    assert_same(&installation.dump().await, &before.0, "a run without news");
    assert!(installation.delivered() == before.1);
    let forced = run(&installation, &["--as-of", AS_OF, "--force"]);
    assert_eq!((number(&forced["version_number"]), installation.delivered().len()), (2, 6));

    // A key is one version for ever, also when there is news, which a run without a key reports.
    let keyed = run(&installation, &["--as-of", AS_OF, "--key", "week-19", "--force"]);
    exports
        .add_day("2024-05-12", &format!("[{}]", message("U1", "1715504400.000100", "The meadow is dry again and we can fly.")));
    installation.yarnnn(&exports.import()).expect(0);
    let before = installation.delivered();
    let repeated = run(&installation, &["--as-of", AS_OF, "--key", "week-19"]);
    assert_eq!(repeated["version_id"], keyed["version_id"]);
    assert!(installation.delivered() == before, "the same key delivers nothing again");
    assert_eq!(number(&run(&installation, &["--as-of", AS_OF])["version_number"]), 4);

    // One changed byte, then a deleted row: exactly the sentences that quote the item.
    let find = format!("select cast(id as text) from platform_content where content = '{DECISION}'");
    let item = installation.texts(&find).await.remove(0);
    let change = "update platform_content set content = replace(content, 'weak on', 'wEak on')";
    assert_eq!(installation.change(&format!("{change} where id = '{item}'")).await, 1);
    assert_changed(&installation.json(&["verify", version], 1), &item, "drifted");
    let shown = installation.yarnnn(&["verify", version]).expect(1);
    assert!(shown.stdout.contains("drifted   We decided to move"), "{}", shown.stdout);
    assert_eq!(installation.change(&format!("delete from platform_content where id = '{item}'")).await, 1);
    assert_changed(&installation.json(&["verify", version], 1), &item, "withdrawn");
    installation.close().await;
}

#[tokio::test]
async fn a_report_on_sqlite_is_traced_from_import_to_withdrawal() {
    a_report_is_traced(Backend::Sqlite).await;
}

#[tokio::test]
async fn a_report_on_postgres_is_traced_from_import_to_withdrawal() {
    a_report_is_traced(Backend::Postgres).await;
}

#[tokio::test]
async fn a_report_is_written_for_its_instant() {
    let (installation, _) = imported(Backend::Sqlite).await;
    create(&installation, "Weekly");
    let early = markdown(&run(&installation, &["--as-of", "2024-05-09T00:00:00Z"]));
    assert!(early.contains("as of 9 May 2024, 00:00"), "{early}");
    assert!(early.contains(DECISION) && !early.contains("The new winch is blocked"), "{early}");
    let late = markdown(&run(&installation, &["--as-of", "2024-05-16"]));
    assert!(late.contains("The new winch is blocked") && !late.contains(DECISION), "{late}");
    assert!(!late.contains("Nothing newer is stored"), "{late}");
}

#[tokio::test]
async fn an_empty_window_moves_to_the_newest_item_and_says_so() {
    let (installation, _) = imported(Backend::Sqlite).await;
    create(&installation, "Weekly");
    let moved = run(&installation, &[]);
    let text = markdown(&moved);
    assert!(text.contains("Nothing newer is stored, so this report covers the last stretch that has content."), "{text}");
    assert!(text.contains("as of 14 May 2024, 17:00"), "the newest item is the board meeting: {text}");
    assert_eq!(run(&installation, &[])["status"], "no_news");
}

#[tokio::test]
async fn with_nothing_stored_there_is_no_version() {
    let installation = Installation::new(Backend::Sqlite).await;
    create(&installation, "Weekly");
    let before = installation.dump().await;
    let error = installation.json(&["run", "Weekly"], 1);
    assert_eq!(error["error"]["code"], "failed");
    let message = error["error"]["message"].as_str().unwrap();
    assert!(message.contains("\"Weekly\" has nothing to read") && message.contains("import"), "{message}");
    assert_same(&installation.dump().await, &before, "nothing changes");
    assert!(!installation.outbox().exists());
}

#[tokio::test]
async fn only_listed_sources_are_read() {
    let (installation, _) = imported(Backend::Sqlite).await;
    let arguments = ["deliverables", "create", "--type", "slack_channel_digest", "--title", "Kites", "--source", "slack:#kites"];
    let created = installation.json(&arguments, 0);
    assert_eq!(created["sources"][0]["resource"], "slack:C2");
    let text = markdown(&installation.json(&["run", "kites", "--as-of", AS_OF], 0));
    assert!(text.contains("first-aid kit") && !text.contains(DECISION), "{text}");
    assert!(text.contains("Read 2 items from 1 of 1 source."), "{text}");
}

#[tokio::test]
async fn hostile_text_stays_text() {
    let (installation, _) = imported(Backend::Sqlite).await;
    create(&installation, "Weekly </title><script>alert(1)</script>");
    installation.json(&["run", "weekly </title><script>alert(1)</script>", "--as-of", AS_OF], 0);
    let delivered = installation.delivered();
    let page = &delivered.iter().find(|(name, _)| name.ends_with(".html")).expect("a page").1;
    assert!(page.contains("runs &lt;script src=&quot;https:"), "{page}");
    super::demo::assert_loads_nothing(page);
    let mail = &delivered.iter().find(|(name, _)| name.ends_with(".eml")).expect("a mail").1;
    assert_eq!(mail.lines().filter(|it| it.starts_with("Subject:")).count(), 1);
}

#[tokio::test]
async fn what_is_shown_of_a_deliverable_is_what_happened() {
    let (installation, _) = imported(Backend::Sqlite).await;
    let id = create(&installation, "Weekly");
    let outcome = run(&installation, &["--as-of", AS_OF]);
    let shown = installation.json(&["deliverables", "show", &id], 0);
    let version = &shown["versions"][0];
    assert_eq!((&version["version_id"], &version["number"]), (&outcome["version_id"], &outcome["version_number"]));
    assert_eq!((version["status"].as_str(), version["step"].as_str()), (Some("delivered"), Some("finished")));
    assert_eq!(version["tally"]["with_evidence"], outcome["with_evidence"]);
    let table = installation.yarnnn(&["deliverables", "show", "weekly"]).expect(0).stdout;
    assert!(table.contains(outcome["version_id"].as_str().unwrap()), "{table}");
}

/// A mail without a date belongs to no week, and is reported all the same.
#[tokio::test]
async fn an_undated_mail_is_reported() {
    let installation = Installation::new(Backend::Sqlite).await;
    let mail = installation.folder.path().join("undated.eml");
    super::exports::put(
        &mail,
        "From: ana@example.com\nSubject: Press\nMessage-ID: <1@x>\n\nWe decided to repair the press before the harvest begins.\n",
    );
    installation.json(&["import", mail.to_str().unwrap()], 0);
    installation.json(&["deliverables", "create", "--type", "gmail_inbox_brief", "--title", "Inbox"], 0);
    let ran = installation.json(&["run", "Inbox"], 0);
    assert_eq!((ran["status"].as_str(), ran["with_evidence"].as_u64()), (Some("delivered"), Some(1)), "{ran}");
}
