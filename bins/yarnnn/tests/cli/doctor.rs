//! `doctor` finds what is wrong and says so by name; `plan` says what a run would do and does nothing.

use serde_json::{Value, json};
use yarnnn_sim::Fault;

use super::exports::{AS_OF, create, imported, message, put};
use super::support::live::Live;
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
async fn a_clock_that_does_not_tick_is_a_problem_once_a_report_is_overdue() {
    let (installation, _) = imported(Backend::Sqlite).await;
    let schedules = |said: &Value| {
        let checks = said["checks"].as_array().unwrap().iter().find(|it| it["name"] == "schedules");
        checks.map(|it| it["finding"].as_str().unwrap().to_owned())
    };
    create(&installation, "By hand");
    assert_eq!(schedules(&installation.json(&["doctor"], 0)), None);
    let daily = ["deliverables", "create", "--title", "Daily", "--type", "status_report", "--schedule", "daily", "--at", "09:00"];
    installation.json(&daily, 0);
    assert_eq!(schedules(&installation.json(&["doctor"], 0)).unwrap(), "1 active; no tick was ever made");
    installation.change("update deliverables set next_run_at = '2026-01-05T09:00:00.000000Z' where title = 'Daily'").await;
    let found = schedules(&installation.json(&["doctor"], 1)).unwrap();
    assert!(found.starts_with("1 report is overdue and no tick was ever made: let cron start"), "{found}");
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
    assert!(prompt.contains("<material-") && prompt.contains("&lt;script src="), "{prompt}");
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

#[tokio::test]
async fn a_new_key_needs_nothing_and_is_all_that_is_said() {
    let installation = Installation::new(Backend::Sqlite).await;
    let (first, second) =
        (installation.yarnnn(&["doctor", "--new-key"]).expect(0), installation.yarnnn(&["doctor", "--new-key"]).expect(0));
    assert_eq!((first.stdout.trim().len(), first.stdout.lines().count()), (44, 1));
    assert_ne!(first.stdout, second.stdout);
    let variables = [("INTEGRATION_ENCRYPTION_KEY", first.stdout.as_str())];
    assert_eq!(problems(&installation.json_with(&variables, &["doctor"], 0)), [""; 0]);
    let broken = installation.json_with(
        &[("INTEGRATION_ENCRYPTION_KEY", "changeme"), ("DATABASE_URL", "nonsense")],
        &["doctor", "--new-key"],
        0,
    );
    assert_eq!(broken["key"].as_str().map(str::len), Some(44), "also where everything else is wrong");
}

async fn what_is_connected_is_looked_at(backend: Backend) {
    let live = Live::connected(backend).await;
    live.sync(0);
    let said = live.json(&["doctor"], 0);
    assert_eq!(problems(&said), [""; 0]);
    let text = said.to_string();
    for part in
        ["SLACK_BASE_URL is http://127.0.0.1", "slack answers as", "gmail answers as ana@example.org", "notion answers as"]
    {
        assert!(text.contains(part), "{part}: {said:#}");
    }
    let keyless = problems(&live.json_with(&[("INTEGRATION_ENCRYPTION_KEY", None)], &["doctor"], 3));
    assert!(keyless.iter().any(|it| it.starts_with("key: INTEGRATION_ENCRYPTION_KEY")), "{keyless:?}");
    let other = yarnnn::store::SealKeys::generate();
    let wrong = problems(&live.json_with(&[("INTEGRATION_ENCRYPTION_KEY", Some(&other))], &["doctor"], 3));
    assert_eq!(wrong.iter().filter(|it| it.contains("INTEGRATION_ENCRYPTION_KEY")).count(), 4, "{wrong:?}");
    assert_eq!(wrong.iter().filter(|it| it.starts_with("connection: ") && it.contains("--lost-key")).count(), 3, "{wrong:?}");
    let appless = problems(&live.json_with(&[("GOOGLE_CLIENT_ID", None)], &["doctor"], 1));
    assert!(appless.iter().any(|it| it.starts_with("app: GOOGLE_CLIENT_ID")), "{appless:?}");

    // Nothing was synced since yesterday, although a pro's sources are read every hour.
    let longer_ago = "update sync_registry set last_synced_at = '2020-02-02T02:02:00.000000Z' where platform = 'slack' and resource_name = '#general'";
    assert_eq!(live.installation.change(longer_ago).await, 1);
    let frozen = problems(&live.json(&["doctor"], 1));
    assert_eq!(frozen.len(), 1, "{frozen:?}");
    assert!(
        frozen[0].starts_with("frozen: slack:") && frozen[0].contains("#general") && frozen[0].contains("2020-02-02 02:02"),
        "{frozen:?}"
    );
    live.sync(0);
    assert_eq!(problems(&live.json(&["doctor"], 0)), [""; 0]);
    live.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_connected_is_looked_at_on_sqlite() {
    what_is_connected_is_looked_at(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_connected_is_looked_at_on_postgres() {
    what_is_connected_is_looked_at(Backend::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_ended_and_scopes_that_went_are_problems() {
    let (live, token) = Live::with_slack(Backend::Sqlite).await;
    live.sync(0);
    live.sim.tokens().set_scopes(&token, &["channels:read", "users:read"]);
    let found = problems(&live.json(&["doctor"], 1));
    assert!(found.iter().any(|it| it.contains("channels:history")), "{found:?}");
    live.sim.tokens().revoke(&token);
    let found = problems(&live.json(&["doctor"], 1));
    assert!(found.iter().any(|it| it.starts_with("connection: slack") && it.contains("yarnnn connect slack")), "{found:?}");

    let secret = live.sim.tokens().notion();
    live.connect("notion", &secret, 0);
    live.sim.tokens().revoke(&secret);
    live.sync(1);
    let found = problems(&live.json(&["doctor"], 1));
    let expired = found.iter().find(|it| it.starts_with("connection: notion is expired"));
    assert!(expired.is_some_and(|it| it.contains("yarnnn connect notion")), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_fails_is_named_with_its_reason() {
    let (live, _) = Live::with_slack(Backend::Sqlite).await;
    live.sync(0);
    live.sim.faults().always("slack.conversations.history", Fault::MalformedJson);
    live.sync(1);
    let found = problems(&live.json(&["doctor"], 1));
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().all(|it| it.starts_with("frozen: slack:") && it.contains("conversations.history")), "{found:?}");
    live.sim.faults().clear();
    live.sim.slack().remove_channel(&live.team.random);
    live.sync(1);
    // It was dropped from what is synced: nobody has to do anything about it.
    live.sync(0);
    let said = live.json(&["doctor"], 0);
    assert!(said.to_string().contains("(#random)") && said.to_string().contains("no longer synced"), "{said:#}");
}
