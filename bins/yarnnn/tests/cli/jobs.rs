//! Background jobs from the command line: what `--detach` leaves, what `jobs` shows and does, what `work` carries out.

use serde_json::{Value, json};

use super::exports::{AS_OF, Exports, create, imported};
use super::support::{Backend, Installation};

const NOBODY: &str = "01890000-0000-7000-8000-0000000000ff";

/// Enqueues an import for a worker; answers its job.
pub(crate) fn detached(installation: &Installation) -> String {
    let exports = Exports::write(&installation.folder.path().join("exports"));
    let said = installation.json(&[&exports.import()[..], &["--detach"]].concat(), 0);
    assert_eq!(said["status"], "queued", "{said}");
    assert_eq!(said.as_object().unwrap().keys().collect::<Vec<_>>(), ["job_id", "status"]);
    said["job_id"].as_str().unwrap().to_owned()
}

/// Stores a job as a program of another version, or a person with a database client, might.
async fn insert(installation: &Installation, id: &str, kind: &str, payload: &Value) {
    let at = "'2026-01-01T00:00:00.000000Z'";
    let columns = "id, job_type, job_name, job_payload, scheduled_at, correlation_id, created_at, updated_at";
    let row = format!("'{id}', '{kind}', '{kind}', '{payload}', {at}, 'by hand', {at}, {at}");
    assert_eq!(installation.change(&format!("insert into job_queue ({columns}) values ({row})")).await, 1);
}

fn show(installation: &Installation, id: &str) -> Value {
    installation.json(&["jobs", "show", id], 0)
}

fn history(shown: &Value) -> Vec<&str> {
    shown["events"].as_array().unwrap().iter().map(|it| it["event"].as_str().unwrap()).collect()
}

fn listed(installation: &Installation, further: &[&str]) -> Vec<String> {
    let list = installation.json(&[&["jobs", "list"], further].concat(), 0);
    list["jobs"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect()
}

fn idle(installation: &Installation, code: i32) -> Value {
    installation.json(&["work", "--until-idle"], code)
}

async fn what_is_detached_is_left_and_then_worked(backend: Backend) {
    let installation = Installation::new(backend).await;
    let import = detached(&installation);
    let shown = show(&installation, &import);
    assert_eq!(
        (&shown["job"]["status"], &shown["job"]["kind"], &shown["job"]["attempt"]),
        (&json!("queued"), &json!("import_exports"), &json!(0))
    );
    assert_eq!(history(&shown), ["enqueued"]);
    assert_eq!(detached(&installation), import, "the same import again is the same job");
    assert_eq!(installation.json(&["search", "festival"], 0)["results"], json!([]), "nothing has run");

    let worked = idle(&installation, 0);
    let wanted = json!({"succeeded": 1, "failed": 0, "later": 0, "unknown_kinds": {}, "interrupted": false});
    assert_eq!(worked, wanted);
    let shown = show(&installation, &import);
    assert_eq!((&shown["job"]["status"], &shown["job"]["attempt"]), (&json!("succeeded"), &json!(1)));
    assert_eq!(shown["job"]["result"]["totals"]["new"], 10, "{shown:#}");
    assert_eq!(history(&shown), ["enqueued", "retried", "claimed", "succeeded"], "asked for twice, done once");

    create(&installation, "Weekly");
    let said = installation.json(&["run", "Weekly", "--as-of", AS_OF, "--detach"], 0);
    let run = said["job_id"].as_str().unwrap().to_owned();
    assert_eq!(said, json!({"job_id": run, "status": "queued"}));
    assert!(installation.delivered().is_empty());
    assert_eq!(idle(&installation, 0)["succeeded"], 1);
    assert_eq!(installation.delivered().len(), 3);
    assert_eq!(show(&installation, &run)["job"]["status"], "succeeded");
    assert_eq!(listed(&installation, &[]), [run.clone(), import.clone()], "newest first");
    assert_eq!(listed(&installation, &["--kind", "import_exports"]), [import]);
    assert_eq!(listed(&installation, &["--limit", "1"]), [run]);
    assert_eq!(idle(&installation, 0)["succeeded"], 0, "nothing is left");
    installation.close().await;
}

#[tokio::test]
async fn what_is_detached_is_left_and_then_worked_on_sqlite() {
    what_is_detached_is_left_and_then_worked(Backend::Sqlite).await;
}

#[tokio::test]
async fn what_is_detached_is_left_and_then_worked_on_postgres() {
    what_is_detached_is_left_and_then_worked(Backend::Postgres).await;
}

async fn jobs_are_stopped_run_again_and_deleted(backend: Backend) {
    let installation = Installation::new(backend).await;
    let id = detached(&installation);
    let status = |installation: &Installation| show(installation, &id)["job"]["status"].as_str().unwrap().to_owned();

    assert_eq!(installation.json(&["jobs", "cancel", &id], 0), json!({"job_id": id, "status": "cancelled"}));
    assert_eq!(status(&installation), "cancelled");
    assert_eq!(installation.json(&["jobs", "cancel", &id], 1)["error"]["code"], "busy", "it has ended");
    assert_eq!(idle(&installation, 0)["succeeded"], 0, "what was cancelled is not run");

    assert_eq!(installation.json(&["jobs", "retry", &id], 0), json!({"job_id": id, "status": "queued"}));
    assert_eq!(listed(&installation, &["--status", "queued", "--status", "failed"]), [id.as_str()]);
    assert_eq!(listed(&installation, &["--status", "cancelled"]), [""; 0]);
    assert_eq!(idle(&installation, 0)["succeeded"], 1);
    assert_eq!(installation.json(&["jobs", "retry", &id], 1)["error"]["code"], "busy", "it is done");
    let shown = show(&installation, &id);
    assert_eq!(history(&shown).first(), Some(&"enqueued"));
    assert_eq!(history(&shown).last(), Some(&"succeeded"));
    let actors: Vec<_> = shown["events"].as_array().unwrap().iter().filter_map(|it| it["actor"].as_str()).collect();
    assert!(actors.contains(&"operator"), "who did it is said: {shown:#}");

    assert_eq!(installation.json(&["jobs", "purge", "--before", "2020-01-01"], 0), json!({"purged": 0}));
    assert_eq!(status(&installation), "succeeded");
    let tomorrow = "9999-01-01";
    assert_eq!(installation.json(&["jobs", "purge", "--before", tomorrow], 2)["error"]["code"], "usage");
    let others = installation.json(&["jobs", "purge", "--before", "2020-01-01", "--status", "dead", "--status", "failed"], 0);
    assert_eq!(others, json!({"purged": 0}));
    installation.change("update job_queue set completed_at = '2019-12-31T00:00:00.000000Z'").await;
    assert_eq!(installation.json(&["jobs", "purge", "--before", "2020-01-01", "--status", "failed"], 0), json!({"purged": 0}));
    assert_eq!(installation.json(&["jobs", "purge", "--before", "2020-01-01"], 0), json!({"purged": 1}));
    assert_eq!(installation.json(&["jobs", "show", &id], 1)["error"]["code"], "not_found");
    assert_eq!(listed(&installation, &[]), [""; 0]);
    installation.close().await;
}

#[tokio::test]
async fn jobs_are_stopped_run_again_and_deleted_on_sqlite() {
    jobs_are_stopped_run_again_and_deleted(Backend::Sqlite).await;
}

#[tokio::test]
async fn jobs_are_stopped_run_again_and_deleted_on_postgres() {
    jobs_are_stopped_run_again_and_deleted(Backend::Postgres).await;
}

#[tokio::test]
async fn wrong_words_are_usage_and_unknown_jobs_are_not_found() {
    let installation = Installation::new(Backend::Sqlite).await;
    for verb in ["show", "retry", "cancel"] {
        assert_eq!(installation.json(&["jobs", verb, "nonsense"], 2)["error"]["code"], "usage", "{verb}");
        assert_eq!(installation.json(&["jobs", verb, NOBODY], 1)["error"]["code"], "not_found", "{verb}");
        installation.yarnnn(&["jobs", verb]).expect(2);
    }
    for arguments in [
        &["jobs", "list", "--status", "sleeping"][..],
        &["jobs", "list", "--status", "Queued"],
        &["jobs", "list", "--limit", "0"],
        &["jobs", "purge"],
        &["jobs", "purge", "--before", "soon"],
        &["jobs", "purge", "--before", "2020-01-01", "--status", "queued"],
        &["jobs", "purge", "--before", "2020-01-01", "--status", "running"],
        &["jobs", "purge", "--before", "2020-01-01", "--status", "sleeping"],
        &["jobs"],
        &["work", "--until-idle", "--concurrency", "0"],
        &["work", "--until-idle", "--concurrency", "many"],
    ] {
        let said = installation.json(arguments, 2);
        assert!(said["error"]["message"].is_string(), "{arguments:?}: {said}");
    }
    let said = installation.json(&["jobs", "list", "--status", "sleeping"], 2);
    let message = said["error"]["message"].as_str().unwrap();
    assert!(message.contains("sleeping") && message.contains("needs_human"), "{message}");
}

#[tokio::test]
async fn people_read_tables() {
    let installation = Installation::new(Backend::Sqlite).await;
    assert_eq!(installation.yarnnn(&["jobs", "list"]).expect(0).stdout.trim(), "no jobs");
    let id = detached(&installation);
    let table = installation.yarnnn(&["jobs", "list"]).expect(0).stdout;
    for word in ["job", "kind", "status", "tries", "due", "last error", &id, "import_exports", "queued"] {
        assert!(table.contains(word), "{word} in {table}");
    }
    let shown = installation.yarnnn(&["jobs", "show", &id]).expect(0).stdout;
    for word in [&id, "import_exports", "queued", "0 of 3", "enqueued", "club.ics"] {
        assert!(shown.contains(word), "{word} in {shown}");
    }
    assert!(installation.yarnnn(&["jobs", "cancel", &id]).expect(0).stdout.contains("cancelled"));
    assert!(installation.yarnnn(&["jobs", "retry", &id]).expect(0).stdout.contains("queued"));
    let worked = installation.yarnnn(&["work", "--until-idle"]).expect(0).stdout;
    assert!(worked.contains("1 jobs succeeded"), "{worked}");
    assert!(installation.yarnnn(&["jobs", "purge", "--before", "2020-01-01"]).expect(0).stdout.contains("0 jobs deleted"));
    let lost = installation.yarnnn(&["jobs", "show", NOBODY]).expect(1);
    assert!(lost.stdout.is_empty() && lost.stderr.contains(NOBODY), "{}", lost.stderr);
}

async fn what_nobody_knows_is_left_and_what_cannot_be_read_fails(backend: Backend) {
    let installation = Installation::new(backend).await;
    installation.json(&["migrate"], 0);
    let (newer, broken) = ("01890000-0000-7000-8000-0000000000a1", "01890000-0000-7000-8000-0000000000a2");
    insert(&installation, newer, "from_a_newer_version", &json!({"a": 1})).await;
    insert(&installation, broken, "import_exports", &json!({"paths": "not a list"})).await;
    let import = detached(&installation);
    let worked = idle(&installation, 1);
    assert_eq!((&worked["succeeded"], &worked["failed"]), (&json!(1), &json!(1)), "{worked}");
    assert_eq!(worked["unknown_kinds"], json!({"from_a_newer_version": 1}));

    assert_eq!(show(&installation, &import)["job"]["status"], "succeeded");
    let shown = show(&installation, newer);
    assert_eq!((&shown["job"]["status"], &shown["job"]["attempt"]), (&json!("queued"), &json!(0)), "left for who knows it");
    assert_eq!(history(&shown), [""; 0]);
    let shown = show(&installation, broken);
    assert_eq!((&shown["job"]["status"], &shown["job"]["attempt"]), (&json!("failed"), &json!(1)), "tried once, and for good");
    let error = shown["job"]["error"].as_str().unwrap();
    assert!(error.contains("payload"), "the reason is said: {error}");
    assert_eq!(history(&shown), ["claimed", "failed"]);

    let text = installation.yarnnn(&["work", "--until-idle"]).expect(0).stdout;
    assert!(text.contains("1 jobs of kind from_a_newer_version"), "{text}");
    installation.close().await;
}

#[tokio::test]
async fn what_nobody_knows_is_left_and_what_cannot_be_read_fails_on_sqlite() {
    what_nobody_knows_is_left_and_what_cannot_be_read_fails(Backend::Sqlite).await;
}

#[tokio::test]
async fn what_nobody_knows_is_left_and_what_cannot_be_read_fails_on_postgres() {
    what_nobody_knows_is_left_and_what_cannot_be_read_fails(Backend::Postgres).await;
}

#[tokio::test]
async fn only_the_lanes_that_are_asked_for_are_worked() {
    let installation = Installation::new(Backend::Sqlite).await;
    let id = detached(&installation);
    let worked = installation.json(&["work", "--until-idle", "--lane", "elsewhere"], 0);
    assert_eq!(worked["succeeded"], 0);
    assert_eq!(show(&installation, &id)["job"]["status"], "queued");
    assert_eq!(installation.json(&["work", "--until-idle", "--lane", "elsewhere", "--lane", "default"], 0)["succeeded"], 1);
}

async fn a_users_jobs_are_the_users_own(backend: Backend) {
    let (installation, _) = imported(backend).await;
    create(&installation, "Weekly");
    let run = installation.json(&["run", "Weekly", "--as-of", AS_OF, "--detach"], 0)["job_id"].as_str().unwrap().to_owned();
    let ben = ["--user", "ben@example.com"];
    let as_ben = |arguments: &[&str], code| installation.json(&[&ben[..], arguments].concat(), code);
    assert_eq!(as_ben(&["jobs", "list"], 0), json!({"jobs": []}));
    let own = as_ben(&["import", installation.folder.path().join("exports").to_str().unwrap(), "--detach"], 0);
    let own = own["job_id"].as_str().unwrap().to_owned();
    let bens = as_ben(&["jobs", "list"], 0);
    let bens: Vec<_> = bens["jobs"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect();
    assert_eq!(bens, [own.as_str()]);
    assert_eq!(listed(&installation, &["--status", "queued"]), [own.clone(), run.clone()], "without a user: everybody's");

    installation.change("update job_queue set completed_at = '2019-12-31T00:00:00.000000Z' where status = 'succeeded'").await;
    let before = installation.dump().await;
    for verb in ["show", "retry", "cancel"] {
        assert_eq!(as_ben(&["jobs", verb, &run], 1)["error"]["code"], "not_found", "{verb}");
    }
    let ended = listed(&installation, &["--status", "succeeded"]);
    as_ben(&["jobs", "purge", "--before", "2020-01-01"], 2);
    assert_eq!(listed(&installation, &["--status", "succeeded"]), ended, "another user's jobs are not deleted");
    super::support::assert_same(&installation.dump().await, &before, "nothing was touched");
    assert_eq!(as_ben(&["jobs", "cancel", &own], 0)["status"], "cancelled");
    assert_eq!(show(&installation, &run)["job"]["status"], "queued");
    installation.close().await;
}

#[tokio::test]
async fn a_users_jobs_are_the_users_own_on_sqlite() {
    a_users_jobs_are_the_users_own(Backend::Sqlite).await;
}

#[tokio::test]
async fn a_users_jobs_are_the_users_own_on_postgres() {
    a_users_jobs_are_the_users_own(Backend::Postgres).await;
}
