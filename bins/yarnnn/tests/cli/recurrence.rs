//! Schedules on the command line: what is made, changed, listed and looked ahead at.

use serde_json::{Value, json};

use super::exports::imported;
use super::support::{Backend, Installation};

const CREATE: [&str; 4] = ["deliverables", "create", "--type", "status_report"];

fn create(installation: &Installation, further: &[&str]) -> Value {
    installation.json(&[&CREATE[..], further].concat(), 0)
}

fn edit(installation: &Installation, further: &[&str]) -> Value {
    installation.json(&[&["deliverables", "edit"], further].concat(), 0)
}

/// Minute of an instant as printed.
fn minute(instant: &Value) -> u32 {
    let text = instant.as_str().expect("an instant");
    text.split(':').nth(1).and_then(|it| it.parse().ok()).expect("an instant has a minute")
}

#[tokio::test]
async fn a_look_ahead_tells_what_the_clocks_do_and_makes_nothing() {
    let installation = Installation::new(Backend::Sqlite).await;
    let preview = |further: &[&str]| {
        let slots = installation.json(&[&["schedules", "preview", "--count", "2"], further].concat(), 0)["slots"].clone();
        let slot = |it: &Value| (it["local"].as_str().unwrap().to_owned(), it["remark"].as_str().unwrap_or("").to_owned());
        slots.as_array().unwrap().iter().map(slot).collect::<Vec<_>>()
    };
    let zone = ["--tz", "America/New_York"];
    let pair = |local: &str, remark: &str| (local.to_owned(), remark.to_owned());
    let spring = preview(&[&["--schedule", "daily", "--at", "02:30", "--from", "2026-03-08"], &zone[..]].concat());
    let moved = [pair("2026-03-08T03:00:00-04:00", "moved: 02:30 does not exist"), pair("2026-03-09T02:30:00-04:00", "")];
    assert_eq!(spring, moved);
    assert_eq!(preview(&[&["--cron", "30 2 * * *", "--from", "2026-03-08"], &zone[..]].concat()), moved);
    let autumn = preview(&[&["--schedule", "daily", "--at", "01:30", "--from", "2026-11-01"], &zone[..]].concat());
    assert_eq!(autumn, [pair("2026-11-01T01:30:00-04:00", "first of two 01:30"), pair("2026-11-02T01:30:00-05:00", "")]);
    assert!(!installation.folder.path().join("test.db").exists(), "nothing is made");
    let weekly = ["schedules", "preview", "--schedule", "weekly", "--from", "2026-03-02"];
    let said = installation.yarnnn(&weekly).expect(0).stdout;
    assert!(said.contains("Every Monday at 09:00 (UTC)") && said.contains("Mon 2026-03-02 09:00") && said.contains("of its own"));
    installation.yarnnn(&["settings", "--timezone", "Europe/Berlin"]).expect(0);
    let said = installation.yarnnn(&weekly).expect(0).stdout;
    assert!(said.contains("Every Monday at 09:00 (Europe/Berlin)") && said.contains("2026-03-02 08:00"), "{said}");
}

#[tokio::test]
async fn a_schedule_is_in_the_zone_of_its_owner_unless_another_is_named() {
    let (installation, _exports) = imported(Backend::Sqlite).await;
    create(&installation, &["--title", "Early", "--schedule", "daily", "--at", "07:00"]);
    installation.yarnnn(&["settings", "--timezone", "Asia/Seoul"]).expect(0);
    let zone = |it: &Value| it["schedule"]["timezone"].as_str().unwrap().to_owned();
    assert_eq!(zone(&create(&installation, &["--title", "Home", "--schedule", "daily"])), "Asia/Seoul");
    assert_eq!(zone(&create(&installation, &["--title", "Line", "--cron", "0 7 * * mon"])), "Asia/Seoul");
    assert_eq!(zone(&create(&installation, &["--title", "Away", "--schedule", "daily", "--tz", "UTC"])), "UTC");
    assert_eq!(zone(&edit(&installation, &["Early", "--at", "08:00"])), "UTC", "what it has stays");
    create(&installation, &["--title", "Plain"]);
    assert_eq!(zone(&edit(&installation, &["Plain", "--schedule", "weekly"])), "Asia/Seoul");
}

#[tokio::test]
async fn the_days_of_a_report_are_those_of_its_schedule_or_of_its_owner() {
    let (installation, _exports) = imported(Backend::Sqlite).await;
    create(&installation, &["--title", "Plain"]);
    create(&installation, &["--title", "Timed", "--schedule", "daily", "--tz", "Asia/Tokyo"]);
    let as_of = |title: &str| {
        let ran = installation.json(&["run", title, "--force"], 0);
        let files = ran["files"].as_array().unwrap().iter().filter_map(Value::as_str);
        let file = files.clone().find(|it| it.ends_with(".md")).unwrap_or_else(|| panic!("{ran}"));
        let text = std::fs::read_to_string(installation.folder.path().join(file)).unwrap();
        text.lines().find_map(|it| Some(it.split_once("as of ")?.1.to_owned())).unwrap()
    };
    assert!(as_of("Plain").ends_with("(UTC)"));
    installation.yarnnn(&["settings", "--timezone", "Asia/Seoul"]).expect(0);
    let home = as_of("Plain");
    assert!(home.ends_with("(Asia/Seoul)"), "{home}");
    let timed = as_of("Timed");
    assert!(timed.ends_with("(Asia/Tokyo)"), "{timed}");
}

#[tokio::test]
async fn a_report_without_a_time_gets_a_minute_of_its_own() {
    let (installation, _exports) = imported(Backend::Sqlite).await;
    let created = create(&installation, &["--title", "Free", "--schedule", "daily"]);
    assert_eq!(created["schedule"]["pinned"], false);
    let time = created["schedule"]["time"].as_str().unwrap();
    assert!(time.starts_with("09:") && created["next_run_at"].as_str().unwrap().contains(&format!("T{time}:00")), "{created}");
    let listed = installation.json(&["schedules", "list"], 0)["schedules"][0].clone();
    assert_eq!((&listed["pinned"], &listed["next_run_at"]), (&json!(false), &created["next_run_at"]));
    // Another frequency keeps its minute, and pinning one is kept as well.
    assert_eq!(edit(&installation, &["Free", "--schedule", "weekly"])["schedule"]["time"], time);
    let pinned = edit(&installation, &["Free", "--at", "10:30"]);
    assert_eq!((&pinned["schedule"]["time"], &pinned["schedule"]["pinned"]), (&json!("10:30"), &Value::Null));
    assert_eq!(minute(&pinned["next_run_at"]), 30);
}

async fn an_edit_changes_what_is_given(backend: Backend) {
    let (installation, _exports) = imported(backend).await;
    assert_eq!(installation.json(&["schedules", "list"], 0), json!({ "schedules": [] }));
    let made = create(&installation, &["--title", "Weekly", "--cron", "0 9 * * mon-fri", "--tz", "Europe/Berlin"]);
    assert_eq!((&made["schedule"]["frequency"], &made["schedule"]["cron"]), (&json!("custom"), &json!("0 9 * * mon-fri")));

    let folder = installation.folder.path().join("here");
    let to =
        ["Weekly", "--title", "Mornings", "--folder", folder.to_str().unwrap(), "--min-evidence", "40", "--when-quiet", "line"];
    let edited = edit(&installation, &to);
    assert_eq!((&edited["title"], &edited["min_evidence_percent"]), (&json!("Mornings"), &json!(40)));
    assert_eq!((&edited["says_when_quiet"], &edited["next_run_at"]), (&json!(true), &made["next_run_at"]));
    assert!(edited["destination"].as_str().unwrap().ends_with("here"), "{edited}");

    // What was due by the old schedule is not run by the new one.
    installation.change("update deliverables set next_run_at = '2024-05-13T07:00:00.000000Z'").await;
    let monthly = edit(&installation, &["Mornings", "--schedule", "monthly", "--day", "friday", "--at", "17:30"]);
    assert_eq!((&monthly["schedule"]["timezone"], &monthly["schedule"]["cron"]), (&json!("Europe/Berlin"), &Value::Null));
    assert_eq!(installation.json(&["run", "--due"], 0), json!({ "runs": [] }));
    let listed = installation.json(&["schedules", "list"], 0)["schedules"][0].clone();
    assert!(listed["next_run_local"].as_str().unwrap().contains("T17:30:00"), "{listed}");
    // A look ahead begins with the run that is next, and may show what a change would do.
    let preview = |further: &[&str]| installation.json(&[&["schedules", "preview", "Mornings"], further].concat(), 0);
    assert_eq!(preview(&[])["slots"][0]["at"], listed["next_run_at"]);
    assert_eq!(preview(&["--at", "08:15"])["schedule"]["time"], "08:15");
    assert_eq!(installation.json(&["schedules", "list"], 0)["schedules"][0], listed, "a look changes nothing");

    let manual = edit(&installation, &["Mornings", "--no-schedule"]);
    assert_eq!((&manual["schedule"], &manual["next_run_at"]), (&Value::Null, &Value::Null));
    assert_eq!(installation.json(&["schedules", "list"], 0), json!({ "schedules": [] }));
    installation.close().await;
}

#[tokio::test]
async fn an_edit_changes_what_is_given_on_sqlite() {
    an_edit_changes_what_is_given(Backend::Sqlite).await;
}

#[tokio::test]
async fn an_edit_changes_what_is_given_on_postgres() {
    an_edit_changes_what_is_given(Backend::Postgres).await;
}

/// A tier that has become smaller keeps what runs: more of it is not scheduled, and a title may still change.
#[tokio::test]
async fn scheduling_asks_the_tier() {
    let installation = Installation::new(Backend::Sqlite).await;
    let ben = |further: &[&str], code: i32| installation.json(&[&["--user", "ben@example.com"], further].concat(), code);
    for title in ["A", "B"] {
        ben(&[&CREATE[..], &["--title", title]].concat(), 0);
    }
    ben(&["deliverables", "edit", "A", "--schedule", "daily"], 0);
    ben(&["deliverables", "pause", "A"], 0);
    ben(&[&CREATE[..], &["--title", "C"]].concat(), 0);
    assert_eq!(installation.change("update deliverables set status = 'active' where title = 'A'").await, 1);
    let refused = ben(&["deliverables", "edit", "B", "--schedule", "daily"], 2);
    assert!(refused["error"]["message"].as_str().unwrap().starts_with("the free tier allows 2"), "{refused}");
    assert_eq!(ben(&["deliverables", "edit", "B", "--title", "Other"], 0)["title"], "Other");
    let paused = ben(&["deliverables", "pause", "A"], 0);
    assert_eq!(paused["status"], "paused");
    assert_eq!(ben(&["schedules", "list"], 0)["schedules"][0]["next_run_at"], Value::Null);
}

/// What an older installation left behind does not stop anything.
#[tokio::test]
async fn a_schedule_that_cannot_be_read_is_weekly() {
    let (installation, _exports) = imported(Backend::Sqlite).await;
    create(&installation, &["--title", "Old", "--schedule", "daily", "--at", "10:00"]);
    for (stored, said) in [
        (r#"{"frequency": "hourly", "timezone": "Mars/Base", "time": null}"#, "Every Monday at 09:00 (UTC)"),
        (r#"{"frequency": "daily", "cron": "0 0 30 2 *"}"#, "Daily at 09:00 (UTC)"),
        (r#"{"frequency": "daily", "cron": "*/5 * * * *"}"#, "By cron */5 * * * * (UTC)"),
    ] {
        assert_eq!(installation.change(&format!("update deliverables set schedule = '{stored}'")).await, 1);
        assert_eq!(installation.json(&["schedules", "list"], 0)["schedules"][0]["description"], said);
    }
    assert_eq!(installation.change("update deliverables set schedule = '{}'").await, 1);
    assert_eq!(installation.json(&["schedules", "list"], 0), json!({ "schedules": [] }));
}
