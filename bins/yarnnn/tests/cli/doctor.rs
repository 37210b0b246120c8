//! `doctor` finds what is wrong and says so by name; `plan` says what a run would do and does nothing.

use serde_json::{Value, json};

use super::exports::{AS_OF, create, imported, message, put};
use super::support::{Backend, Installation, assert_same};

/// What `doctor` says of its problems.
fn problems(said: &Value) -> Vec<String> {
    let checks = said["checks"].as_array().expect("checks").iter().filter(|it| it["problem"] == true);
    let line =
        |it: &Value| format!("{}: {}", it["name"].as_str().unwrap_or_default(), it["finding"].as_str().unwrap_or_default());
    let problems: Vec<_> = checks.map(line).collect();
    assert_eq!(said["problems"].as_u64(), Some(problems.len() as u64));
    problems
}

async fn a_sound_installation_is_sound(backend: Backend) {
    let empty = Installation::new(backend).await;
    assert_eq!(problems(&empty.json(&["doctor"], 0)), [""; 0]);
    empty.close().await;

    let (installation, _) = imported(backend).await;
    create(&installation, "Weekly");
    installation.json(&["run", "Weekly", "--as-of", AS_OF], 0);
    let before = installation.dump().await;
    let said = installation.json(&["doctor"], 0);
    assert_eq!(problems(&said), [""; 0]);
    let sources: Vec<_> = said["sources"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(sources.len(), 4, "{sources:?}");
    let text = said.to_string();
    assert!(text.contains("slack 6 items in 6 revisions") && text.contains("1 versions"), "{text}");
    assert_same(&installation.dump().await, &before, "looking changes nothing");
    installation.close().await;
}

#[tokio::test]
async fn a_sound_installation_is_sound_on_sqlite() {
    a_sound_installation_is_sound(Backend::Sqlite).await;
}

#[tokio::test]
async fn a_sound_installation_is_sound_on_postgres() {
    a_sound_installation_is_sound(Backend::Postgres).await;
}

#[tokio::test]
async fn what_could_not_be_read_is_a_problem_until_it_can() {
    let (installation, exports) = imported(Backend::Sqlite).await;
    exports.add_day("2024-05-11", "[{\"ts\": \"1715");
    installation.yarnnn(&exports.import()).expect(1);
    let found = problems(&installation.json(&["doctor"], 1));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("source: slack:C2 (#kites)") && found[0].contains("2024-05-11.json"), "{found:?}");
    let shown = installation.yarnnn(&["doctor"]).expect(1).stdout;
    assert!(shown.contains("problem source"), "{shown}");

    exports.add_day("2024-05-11", &format!("[{}]", message("U1", "1715418000.000100", "The sky is clear.")));
    installation.yarnnn(&exports.import()).expect(0);
    assert_eq!(problems(&installation.json(&["doctor"], 0)), [""; 0]);
}

#[tokio::test]
async fn a_delivery_that_has_not_arrived_is_a_problem() {
    let (installation, _) = imported(Backend::Sqlite).await;
    create(&installation, "Weekly");
    put(&installation.outbox(), "I am a file");
    installation.json(&["run", "Weekly", "--as-of", AS_OF], 1);
    let found = problems(&installation.json(&["doctor"], 1));
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("outbox: ") && found[0].contains("YARNNN_OUTBOX_DIR"), "{found:?}");
    assert!(found[1].starts_with("deliveries: 1 message"), "{found:?}");
}

#[tokio::test]
async fn a_plan_tells_and_does_nothing() {
    let (installation, exports) = imported(Backend::Sqlite).await;
    let id = create(&installation, "Weekly");
    let before = installation.dump().await;
    let plan = installation.json(&["plan", "Weekly", "--as-of", AS_OF, "--prompt"], 0);
    assert_eq!((plan["deliverable_id"].as_str(), &plan["would_write"]), (Some(id.as_str()), &json!(true)));
    assert_eq!((plan["items"].as_u64(), plan["window_moved"].as_bool()), (Some(9), Some(false)), "the meeting is later");
    assert_eq!((plan["model"].as_str(), plan["strategy"].as_str()), (Some("extractive"), Some("cross_platform")));
    assert!(plan["window"]["from"].as_str().unwrap().starts_with("2024-05-06T08:00:00"), "{plan}");
    let prompt = plan["prompt"].as_str().unwrap();
    assert!(prompt.contains("<material>") && prompt.contains("&lt;script src="), "{prompt}");
    assert_eq!(prompt.matches("<item ref=").count(), 9);
    assert_same(&installation.dump().await, &before, "nothing changes");
    assert!(!installation.outbox().exists());

    installation.json(&["run", "Weekly", "--as-of", AS_OF], 0);
    assert_eq!(installation.json(&["plan", "Weekly", "--as-of", AS_OF], 0)["would_write"], false);
    let shown = installation.yarnnn(&["plan", "Weekly", "--as-of", AS_OF]).expect(0).stdout;
    assert!(shown.contains("a run would write nothing"), "{shown}");
    exports.add_day("2024-05-12", &format!("[{}]", message("U1", "1715504400.000100", "The meadow is dry again.")));
    installation.yarnnn(&exports.import()).expect(0);
    assert_eq!(installation.json(&["plan", "Weekly", "--as-of", AS_OF], 0)["would_write"], true);
}

#[tokio::test]
async fn migrating_twice_changes_nothing() {
    let installation = Installation::new(Backend::Sqlite).await;
    let first = installation.json(&["migrate"], 0);
    let before = installation.dump().await;
    assert_eq!(installation.json(&["migrate"], 0), first);
    assert_same(&installation.dump().await, &before, "nothing changes");
    // What is up to date needs no migration.
    installation.json_with(&[("YARNNN_MIGRATE", "off")], &["search", "kite"], 0);
}
