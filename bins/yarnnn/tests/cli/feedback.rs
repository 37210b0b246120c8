//! What people make of reports, from the command line: edits that show in the next prompt, and reports that come and go.

use serde_json::Value;

use super::exports::AS_OF;
use super::modelled::{Modelled, markdown};
use super::support::Backend;

const WISH: &str = "Name the owner of every open question.";

fn version(of: &Value) -> &str {
    of["version_id"].as_str().unwrap_or_else(|| panic!("no version: {of:#}"))
}

/// Writes an edited report and answers where.
fn edited(it: &Modelled, text: &str) -> String {
    let path = it.installation.folder.path().join("edited.md");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_is_shown_and_told_to_the_next_writer() {
    let it = Modelled::with_report(&[]).await;
    let first = it.run(&[], 0);
    let report = markdown(&first);
    let path = edited(&it, &report.replacen("\n## Sources", &format!("\n- {WISH}\n\n## Sources"), 1));
    let arguments = ["deliverables", "feedback", version(&first), "--edited", &path, "--note", "Shorter, please.", "--approve"];
    let given = it.json(&arguments, 0);
    assert_eq!(given["edit_categories"]["additions"], serde_json::json!([WISH]));
    assert!(given["edit_distance_score"].as_f64() > Some(0.0) && given["approved_at"].is_string(), "{given:#}");
    assert_eq!(markdown(&first), report, "what was delivered stays");

    let shown = it.json(&["deliverables", "show", "Weekly"], 0);
    assert_eq!(shown["learned_preferences"][0], serde_json::json!({ "kind": "said", "text": "Shorter, please." }));
    assert_eq!(shown["learned_preferences"][1], serde_json::json!({ "kind": "added", "text": WISH }));
    assert_eq!((&shown["quality"]["latest"], &shown["feedback"][0]["number"]), (&given["edit_distance_score"], &1.into()));
    let table = it.said(&[], &["deliverables", "show", "Weekly"], 0).stdout;
    assert!(table.contains("learnt from version 1") && table.contains(WISH), "{table}");
    it.hear("The meadow is dry again and we can fly the large kites tomorrow.");
    let prompt = it.said(&[], &["plan", "Weekly", "--as-of", AS_OF, "--prompt"], 0).stdout;
    assert!(prompt.contains(&format!("<wish kind=\"added\">{WISH}</wish>")), "{prompt}");
    // Nobody else says anything about it.
    it.json(&["--user", "ben@example.org", "deliverables", "feedback", version(&first), "--note", "mine"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_does_not_learn_says_so() {
    let it = Modelled::with_report(&["--no-learning"]).await;
    let first = it.run(&[], 0);
    it.hear("The meadow is dry again and we can fly the large kites tomorrow.");
    let plan = ["plan", "Weekly", "--as-of", AS_OF, "--prompt"];
    let before = it.said(&[], &plan, 0).stdout;
    it.json(&["deliverables", "feedback", version(&first), "--note", "Shorter, please."], 0);
    assert_eq!(it.said(&[], &plan, 0).stdout, before);
    let table = it.said(&[], &["deliverables", "show", "Weekly"], 0).stdout;
    assert!(table.contains("does not learn from edits") && !table.contains("Shorter"), "{table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_the_next_writer_is_told_is_called_learnt() {
    let it = Modelled::with_report(&[]).await;
    let runs: Vec<Value> = (0..5).map(|_| it.run(&["--force"], 0)).collect();
    let give = |number: usize, further: &[&str]| {
        let note = format!("Wish number {number}.");
        let arguments = ["deliverables", "feedback", version(&runs[number]), "--note", &note];
        it.said(&[], &[&arguments[..], further].concat(), 0).stdout
    };
    for (number, run) in runs.iter().enumerate().skip(1) {
        let added = [0, 1, 2].map(|line| format!("- Line {line} of the reader, for number {number}.\n")).concat();
        let text = markdown(run).replacen("\n## Sources", &format!("\n{added}\n## Sources"), 1);
        let said = give(number, &["--edited", &edited(&it, &text)]);
        assert!(said.contains("the next reports learn from it"), "{said}");
    }
    // It is read, and says something of a kind that others say too; the ten lines that the next writer is told are theirs.
    let said = give(0, &[]);
    assert!(said.contains("there is nothing in it to learn"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn feedback_that_cannot_be_is_refused() {
    let it = Modelled::with_report(&[]).await;
    let first = it.run(&[], 0);
    let feedback = |further: &[&str], code| it.json(&[&["deliverables", "feedback", version(&first)], further].concat(), code);
    feedback(&[], 2);
    feedback(&["--edited", "/nowhere/at/all.md"], 1);
    let path = edited(&it, &"x".repeat(1_000_001));
    assert!(feedback(&["--edited", &path], 2)["error"]["message"].as_str().unwrap().contains("1000001 bytes"));
    feedback(&["--note", "  "], 2);
    it.json(&["deliverables", "feedback", "no-id", "--note", "x"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_come_and_go() {
    let it = Modelled::new(Backend::Sqlite).await;
    let id = it.create("Weekly", &[]);
    let refused = it.json(&["deliverables", "promote", "Weekly", "--schedule", "daily"], 2);
    assert!(refused["error"]["message"].as_str().unwrap().contains("only what a signal made"), "{refused:#}");
    it.installation.change("update deliverables set origin = 'signal_emergent'").await;
    let promoted = it.json(&["deliverables", "promote", &id, "--schedule", "daily", "--at", "07:30"], 0);
    assert_eq!((promoted["trigger"].as_str(), promoted["origin"].as_str()), (Some("schedule"), Some("signal_emergent")));
    assert!(promoted["next_run_at"].is_string() && promoted["schedule"]["time"] == "07:30", "{promoted:#}");
    it.json(&["deliverables", "promote", &id, "--schedule", "hourly"], 2);

    assert_eq!(it.json(&["deliverables", "suggested"], 0)["suggestions"], serde_json::json!([]));
    let some = "01900000-0000-7000-8000-000000000000";
    it.json(&["deliverables", "enable", some], 1);
    it.json(&["deliverables", "dismiss", some], 1);
    it.json(&["deliverables", "archive", "Weekly"], 0);
    assert_eq!(it.json(&["deliverables", "list"], 0)["deliverables"], serde_json::json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn mails_are_chosen() {
    let it = Modelled::new(Backend::Sqlite).await;
    let all = it.json(&["preferences"], 0);
    assert_eq!((&all["email_deliverable_failed"], &all["email_deliverable_ready"]), (&true.into(), &true.into()));
    it.json(&["preferences", "--email-failed", "off"], 0);
    let fewer = it.json(&["preferences", "--email-ready", "on"], 0);
    assert_eq!((&fewer["email_deliverable_failed"], &fewer["email_deliverable_ready"]), (&false.into(), &true.into()));
    assert_eq!(it.json(&["--user", "ben@example.org", "preferences"], 0), all, "each their own");
    it.json(&["preferences", "--email-failed", "perhaps"], 2);
}
