//! Reports that wait for a person, and what a reader gets when nothing is new.

use serde_json::Value;
use yarnnn_sim::models::{Scripted, Turn};

use super::exports::AS_OF;
use super::modelled::{Modelled, markdown};

fn version(of: &Value) -> &str {
    of["version_id"].as_str().unwrap_or_else(|| panic!("no version: {of:#}"))
}

/// A report whose reader wants more proven than is: its writer concludes something that nobody said.
async fn concluding() -> Modelled {
    let it = Modelled::with_report(&["--min-evidence", "100"]).await;
    it.sim.models().set_writer(Scripted::new([Turn::text("## Summary\n\n- All of this went rather well for everybody.\n")]));
    it
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_of_which_too_little_is_proven_waits_and_is_sent_without_being_written_again() {
    let it = concluding().await;
    let held = it.run(&[], 1);
    assert_eq!((held["status"].as_str(), held["inference"].as_u64() > Some(0)), (Some("staged"), true), "{held:#}");
    assert!(held["error"].as_str().unwrap().contains("the reader wants 100 of a hundred"), "{held:#}");
    assert!(!it.installation.outbox().exists());
    let calls = it.calls();
    let again = it.said(&[], &["run", "Weekly", "--as-of", AS_OF], 1).stdout;
    assert!(again.contains(&format!("yarnnn deliverables approve {}", version(&held))), "{again}");
    assert_eq!(it.calls(), calls, "another one would say the same");
    assert_eq!(it.newest()["status"], "staged");

    it.json(&["deliverables", "approve", version(&held)], 0);
    let sent = it.run(&[], 0);
    assert_eq!((version(&sent), sent["status"].as_str()), (version(&held), Some("delivered")));
    assert_eq!((it.calls(), it.installation.delivered().len()), (calls, 3));
    // What is sent cannot be taken back, nor decided about again.
    let said = it.json(&["deliverables", "reject", version(&held)], 2);
    assert!(said["error"]["message"].as_str().unwrap().contains("version 1 waits for nobody: it is delivered"), "{said:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_is_rejected_is_never_sent() {
    let it = concluding().await;
    let held = it.run(&[], 1);
    it.json(&["deliverables", "reject", version(&held)], 0);
    assert_eq!(it.newest()["status"], "rejected");
    assert!(!it.installation.outbox().exists());
    let calls = it.calls();
    assert_eq!((it.run(&[], 0)["status"].as_str(), it.calls()), (Some("no_news"), calls), "what is rejected is not told again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_who_wants_to_know_gets_one_line_when_nothing_is_new() {
    let it = Modelled::with_report(&["--when-quiet", "line"]).await;
    let first = it.run(&[], 0);
    let (calls, delivered) = (it.calls(), it.installation.delivered().len());
    let quiet = it.run(&[], 0);
    assert_eq!((quiet["status"].as_str(), quiet["model_calls"].as_u64()), (Some("delivered"), Some(0)), "{quiet:#}");
    assert_ne!(version(&quiet), version(&first));
    assert_eq!((it.calls(), it.installation.delivered().len()), (calls, 2 * delivered));
    let text = markdown(&quiet);
    assert!(text.contains("Written without a language model: nothing is new."), "{text}");
    // The line is no report: what comes next is told as ever.
    it.hear("The meadow is dry again and we can fly the large kites tomorrow.");
    assert!(markdown(&it.run(&[], 0)).contains("The meadow is dry again"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_is_listed_and_leaves_nothing_to_decide() {
    let it = Modelled::with_report(&[]).await;
    let sent = it.run(&[], 0);
    let listed = it.json(&["outbox", "list", version(&sent)], 0);
    let message = &listed["messages"][0];
    assert_eq!(
        (message["state"].as_str(), message["channel"].as_str(), message["attempts"].as_u64()),
        (Some("sent"), Some("folder"), Some(1))
    );
    let id = message["message_id"].as_str().unwrap();
    for word in ["arrived", "send-again"] {
        let said = it.json(&["outbox", word, id], 2);
        assert!(said["error"]["message"].as_str().unwrap().contains("is not held"), "{said:#}");
    }
    assert_eq!(it.json(&["outbox", "list", version(&sent)], 0), listed);
    it.json(&["outbox", "arrived", "01900000-0000-7000-8000-000000000000"], 1);
    // Another user's version and messages do not exist.
    it.json(&["--user", "ben@example.org", "outbox", "list", version(&sent)], 1);
    it.json(&["--user", "ben@example.org", "outbox", "arrived", id], 1);
    it.json(&["--user", "ben@example.org", "replay", version(&sent)], 1);
    it.json(&["--user", "ben@example.org", "deliverables", "approve", version(&sent)], 1);
}
