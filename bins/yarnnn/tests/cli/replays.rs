//! Replay: a version written again from what was recorded, byte for byte and offline; another wording or another model goes its
//! own way from the first message that differs.

use super::exports::put;
use super::modelled::Modelled;

#[tokio::test(flavor = "multi_thread")]
async fn a_version_is_written_again_without_its_provider() {
    let mut it = Modelled::with_report(&[]).await;
    let version = it.run(&[], 0)["version_id"].as_str().unwrap().to_owned();
    let (calls, delivered) = (it.calls(), it.installation.delivered());
    it.stop_provider().await;
    let again = it.json(&["replay", &version, "--save", "capsule.json"], 0);
    assert_eq!((again["same"].as_bool(), again["recorded_calls"].as_u64()), (Some(true), Some(calls as u64)), "{again:#}");
    assert_eq!((again["model_calls"].as_u64(), again["diff"].as_str()), (Some(0), Some("")));
    let said = it.said(&[], &["replay", &version], 0).stdout;
    assert!(said.contains("the same, byte for byte: draft, report and every message"), "{said}");
    assert!(it.installation.delivered() == delivered, "nothing is sent");

    // From the file alone, where nothing of it is stored.
    let empty = super::support::Installation::new(super::support::Backend::Sqlite).await;
    let file = it.installation.folder.path().join("capsule.json");
    let (file, outbox) = (file.to_str().unwrap(), it.installation.outbox().display().to_string());
    let elsewhere = empty.json_with(&[("YARNNN_OUTBOX_DIR", &outbox)], &["replay", "--capsule", file], 0);
    assert_eq!(elsewhere["same"], true, "{elsewhere:#}");

    // One changed byte of what was recorded is noticed.
    let text = std::fs::read_to_string(file).unwrap();
    put(&empty.folder.path().join("edited.json"), &text.replace("the wind is too weak", "the wind is too loud"));
    let edited = empty.yarnnn(&["--json", "replay", "--capsule", "edited.json"]);
    assert_eq!(edited.code, 1, "{}", edited.stdout);
    put(&empty.folder.path().join("torn.json"), &text[..200]);
    assert_ne!(empty.yarnnn(&["--json", "replay", "--capsule", "torn.json"]).code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_prompt_names_the_first_message_that_differs_and_a_model_writes_on() {
    let it = Modelled::with_report(&[]).await;
    let version = it.run(&[], 0)["version_id"].as_str().unwrap().to_owned();
    let (calls, delivered) = (it.calls(), it.installation.delivered());
    put(&it.installation.folder.path().join("brief.md"), "You write very short reports.");
    let said = it.json(&["replay", &version, "--prompt", "brief.md"], 1);
    let message = said["error"]["message"].as_str().unwrap();
    assert!(message.contains("call 1: the system message differs first, in line 1"), "{message}");
    assert!(message.contains("You write very short reports."), "{message}");
    assert_eq!(it.calls(), calls, "nobody was asked");

    let forked = it.json(&["replay", &version, "--prompt", "brief.md", "--model", "claude-sonnet-5-5"], 0);
    assert!(forked["parted"].as_str().unwrap().starts_with("call 1: the system message differs first"), "{forked:#}");
    assert!(forked["model_calls"].as_u64().unwrap() > 0 && it.calls() > calls, "{forked:#}");

    // Another model is asked everything, and what it said is no part of the run.
    let calls = it.calls();
    let forked = it.json(&["replay", &version, "--model", "claude-haiku-5-5"], 0);
    assert_eq!(forked["recorded_calls"], 0, "{forked:#}");
    assert!(
        forked["parted"].as_str().unwrap().contains("anthropic/claude-haiku-5-5 is asked instead of anthropic/claude-sonnet-5-5")
    );
    assert_eq!(forked["model_calls"].as_u64(), Some((it.calls() - calls) as u64));
    let diff = forked["diff"].as_str().unwrap();
    assert!(
        diff.contains("-*Written by anthropic/claude-sonnet-5-5.*") && diff.contains("+*Written by anthropic/claude-haiku-5-5.*"),
        "{diff}"
    );
    let shown = it.said(&[], &["replay", &version, "--model", "claude-haiku-5-5"], 0).stdout;
    assert!(
        shown.contains("--- recorded\n+++ now\n") && shown.contains("new calls: ") && shown.contains(" written, $"),
        "{shown}"
    );
    assert!(it.installation.delivered() == delivered, "nothing is sent");
    assert_eq!(it.json(&["replay", &version], 0)["same"], true);
    let known = it.json(&["costs"], 0)["total"]["calls"].as_u64();
    assert_eq!(known, Some(it.calls() as u64), "every call is in the ledger");
}
