//! `yarnnn signals`: a look without asking, a pass by hand, what passes did, and what one wants to be told.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use yarnnn::clock::{Clock as _, SystemClock};
use yarnnn_sim::models::{Referring, Turn};

use super::exports::message;
use super::modelled::Modelled;
use super::support::Backend;

#[tokio::test(flavor = "multi_thread")]
async fn a_pass_by_hand_is_told_and_listed() {
    let office = Modelled::new(Backend::Sqlite).await;
    let plan = office.json(&["signals", "run", "--dry-run"], 0);
    assert_eq!((&plan["status"], &plan["model"]), (&json!("dry_run"), &json!("anthropic/claude-haiku-5-5")));
    assert!(plan["prompt_characters"].as_u64().unwrap() > 500 && plan["cost_usd"].is_array(), "{plan}");
    assert_eq!(office.json(&["signals", "list"], 0), json!({ "passes": [], "history": [] }), "a dry run stores nothing");
    let ran = office.json(&["signals", "run"], 0);
    assert_eq!(ran["signals_detected"], plan["signals_detected"]);
    let again = office.json(&["signals", "run"], 0);
    assert!(again["status"] == "rate_limited" && again["next_eligible_at"].is_string(), "{again}");
    let listed = office.json(&["signals", "list"], 0);
    assert_eq!((listed["passes"].as_array().unwrap().len(), &listed["passes"][0]["pass_id"]), (1, &ran["pass_id"]));
    let text = office.said(&[], &["signals", "list"], 0).stdout;
    assert!(text.contains("manual"), "{text}");
    let free = office.json(&["--user", "ben@example.com", "signals", "run"], 1);
    assert_eq!(free["status"], "tier_restricted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pass_whose_report_waits_for_a_person_ends_as_the_run_does() {
    let office = Modelled::with_report(&["--min-evidence", "100"]).await;
    let now = SystemClock.now();
    let said = ["The meadow is dry.", "The kites are mended.", "The wind comes from the north."].iter().zip(1..);
    let said = said.map(|(text, minutes)| message("U1", &format!("{}.000100", now.timestamp() - 60 * minutes), text));
    office.exports.add_day(&now.format("%Y-%m-%d").to_string(), &format!("[{}]", said.collect::<Vec<_>>().join(",")));
    let slack = office.exports.slack.to_str().unwrap();
    office.json(&["import", "--window", &format!("{}..{}", day(now, -1), day(now, 2)), slack], 0);
    let set_going = json!({ "actions": [{
        "action_type": "trigger_existing", "trigger_deliverable": "d1", "about": ["s1"], "confidence": 0.9, "reasoning": "News.",
    }], "reasoning": "News." });
    let unproven = "## Summary\n\n- All of this went rather well for everybody.\n";
    office.sim.models().set_writer(Referring::new([set_going.to_string(), unproven.into(), unproven.into()].map(Turn::text)));
    let ran = office.json(&["signals", "run"], 1);
    assert_eq!((&ran["existing_triggered"], &ran["runs"][0]["run"]["status"]), (&json!(1), &json!("staged")), "{ran:#}");
    let by_hand = office.json(&["run", "Weekly"], 1);
    assert_eq!(by_hand["status"], "staged", "{by_hand:#}");
}

fn day(now: DateTime<Utc>, days: i64) -> String {
    (now + TimeDelta::days(days)).format("%Y-%m-%d").to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_model_nobody_is_asked() {
    let office = Modelled::new(Backend::Sqlite).await;
    let keyless = [("YARNNN_MODEL_FAST", "extractive")];
    let plan = office.json_with(&keyless, &["signals", "run", "--dry-run"], 0);
    assert!(plan["model"].is_null() && plan["stopped_by"].is_string(), "{plan}");
    office.json_with(&keyless, &["signals", "run"], 0);
    assert_eq!(office.sim.models().calls().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn preferences_are_shown_and_changed() {
    let office = Modelled::new(Backend::Sqlite).await;
    let on = json!({ "signal_meeting_prep": true, "signal_silence_alert": true, "signal_contact_drift": true });
    assert_eq!(office.json(&["signals", "preferences"], 0), on);
    let off = office.json(&["signals", "preferences", "--meeting-prep", "off", "--contact-drift", "on"], 0);
    assert_eq!(off, json!({ "signal_meeting_prep": false, "signal_silence_alert": true, "signal_contact_drift": true }));
    assert_eq!(office.json(&["signals", "preferences"], 0), off);
    office.said(&[], &["signals", "preferences", "--meeting-prep", "maybe"], 2);
    office.said(&[], &["signals", "run", "--filter", "everything"], 2);
}
