//! Schedules: what is due runs once, moves on, and is not due again.

use serde_json::{Value, json};

use super::exports::imported;
use super::support::{Backend, Installation};

const DUE: &str = "2024-05-13T07:00:00.000000Z";

fn scheduled(installation: &Installation) -> Value {
    let create = ["deliverables", "create", "--type", "status_report", "--title", "Weekly", "--schedule", "weekly"];
    installation.json(&[&create[..], &["--at", "09:00", "--day", "monday", "--tz", "Europe/Berlin"]].concat(), 0)
}

async fn make_due(installation: &Installation) {
    assert_eq!(installation.change(&format!("update deliverables set next_run_at = '{DUE}'")).await, 1);
}

fn next_run(installation: &Installation) -> String {
    installation.json(&["deliverables", "show", "Weekly"], 0)["next_run_at"].as_str().expect("a next run").to_owned()
}

async fn what_is_due_runs_once(backend: Backend) {
    let (installation, exports) = imported(backend).await;
    let created = scheduled(&installation);
    assert_eq!(created["schedule"]["timezone"], "Europe/Berlin");
    let planned = next_run(&installation);
    assert!(planned.as_str() > DUE, "{planned}");
    assert_eq!(installation.json(&["run", "--due"], 0), json!({ "runs": [] }));

    make_due(&installation).await;
    let ran = installation.json(&["run", "--due"], 0);
    assert_eq!(ran["runs"].as_array().unwrap().len(), 1);
    assert_eq!(ran["runs"][0]["status"], "delivered");
    assert!(ran["runs"][0]["due_at"].as_str().unwrap().starts_with("2024-05-13T07:00:00"), "{ran}");
    assert_eq!(next_run(&installation), planned, "the next Monday is the same as before");
    assert_eq!(installation.delivered().len(), 3);
    assert_eq!(installation.json(&["run", "--due"], 0), json!({ "runs": [] }));
    assert!(installation.yarnnn(&["run", "--due"]).expect(0).stdout.contains("nothing is due"));

    // A slot is fired once: a program that believes it is still due only moves it on.
    make_due(&installation).await;
    assert_eq!(installation.json(&["run", "--due"], 0), json!({ "runs": [] }));
    assert_eq!((installation.delivered().len(), next_run(&installation)), (3, planned.clone()));

    // The next slot has no news, and moves on all the same.
    installation.change("update deliverables set next_run_at = '2024-05-20T07:00:00.000000Z'").await;
    assert_eq!(installation.json(&["run", "--due"], 0)["runs"][0]["status"], "no_news");
    assert_eq!(next_run(&installation), planned);

    // The one after has.
    let said = super::exports::message("U1", "1715504400.000100", "The meadow is dry again and we can fly tomorrow.");
    exports.add_day("2024-05-12", &format!("[{said}]"));
    installation.yarnnn(&exports.import()).expect(0);
    installation.change("update deliverables set next_run_at = '2024-05-27T07:00:00.000000Z'").await;
    let ran = installation.json(&["run", "--due"], 0);
    assert_eq!((ran["runs"][0]["status"].as_str(), ran["runs"][0]["version_number"].as_u64()), (Some("delivered"), Some(2)));
    installation.close().await;
}

#[tokio::test]
async fn what_is_due_runs_once_on_sqlite() {
    what_is_due_runs_once(Backend::Sqlite).await;
}

#[tokio::test]
async fn what_is_due_runs_once_on_postgres() {
    what_is_due_runs_once(Backend::Postgres).await;
}

#[tokio::test]
async fn a_paused_deliverable_is_never_due() {
    let (installation, _) = imported(Backend::Sqlite).await;
    scheduled(&installation);
    make_due(&installation).await;
    installation.json(&["deliverables", "pause", "Weekly"], 0);
    assert_eq!(installation.json(&["run", "--due"], 0), json!({ "runs": [] }));
    installation.json(&["deliverables", "pause", "Weekly", "--resume"], 0);
    assert_eq!(
        installation.json(&["run", "--due"], 0),
        json!({ "runs": [] }),
        "what was missed while it was paused stays missed"
    );
    make_due(&installation).await;
    assert_eq!(installation.json(&["run", "--due"], 0)["runs"][0]["status"], "delivered");
}

#[tokio::test]
async fn a_due_report_that_cannot_be_delivered_is_said_and_can_be_sent_later() {
    let (installation, _) = imported(Backend::Sqlite).await;
    scheduled(&installation);
    make_due(&installation).await;
    super::exports::put(&installation.outbox(), "I am a file");
    let failed = installation.json(&["run", "--due"], 1);
    assert_eq!(failed["runs"][0]["status"], "failed");
    std::fs::remove_file(installation.outbox()).unwrap();
    let sent = installation.json(&["run", "Weekly"], 0);
    assert_eq!((&sent["version_id"], installation.delivered().len()), (&failed["runs"][0]["version_id"], 3));
}

#[tokio::test]
async fn a_slot_that_failed_stays_due_while_its_report_may_still_be_sent() {
    let (installation, _) = imported(Backend::Sqlite).await;
    scheduled(&installation);
    make_due(&installation).await;
    super::exports::put(&installation.outbox(), "I am a file");
    let failed = installation.json(&["run", "--due"], 1);
    assert_eq!(installation.texts("select outcome from deliverable_slots").await, ["failed"]);
    std::fs::remove_file(installation.outbox()).unwrap();
    let sent = installation.json(&["run", "--due"], 0);
    assert_eq!(
        (&sent["runs"][0]["status"], &sent["runs"][0]["version_id"]),
        (&json!("delivered"), &failed["runs"][0]["version_id"])
    );
    assert_eq!(installation.texts("select outcome from deliverable_slots").await, ["delivered"]);
    assert_eq!(installation.json(&["run", "--due"], 0), json!({ "runs": [] }));
}

#[tokio::test]
async fn a_run_that_ended_before_it_had_a_version_is_shown() {
    let installation = Installation::new(Backend::Sqlite).await;
    scheduled(&installation);
    assert_eq!(installation.json(&["deliverables", "show", "Weekly"], 0)["failures"], json!([]));
    make_due(&installation).await;
    installation.json(&["run", "--due"], 1);
    let shown = installation.json(&["deliverables", "show", "Weekly"], 0);
    assert_eq!((shown["versions"].as_array().unwrap().len(), shown["failures"].as_array().unwrap().len()), (0, 1), "{shown}");
    assert!(shown["failures"][0]["error"].as_str().unwrap().contains("has nothing to read"), "{shown}");
    assert!(shown["failures"][0]["job_id"].is_string() && shown["failures"][0]["at"].is_string(), "{shown}");
    let text = installation.yarnnn(&["deliverables", "show", "Weekly"]).expect(0).stdout;
    assert!(text.contains("Weekly ended without a report: \"Weekly\" has nothing to read"), "{text}");
}

#[tokio::test]
async fn one_that_fails_does_not_hold_up_the_others() {
    let (installation, _) = imported(Backend::Sqlite).await;
    let blocked = installation.folder.path().join("blocked");
    super::exports::put(&blocked, "I am a file");
    let create = ["deliverables", "create", "--type", "status_report", "--schedule", "daily", "--title"];
    installation.yarnnn(&[&create[..], &["Blocked", "--folder", blocked.to_str().unwrap()]].concat()).expect(0);
    installation.yarnnn(&[&create[..], &["Fine"]].concat()).expect(0);
    installation.change(&format!("update deliverables set next_run_at = '{DUE}'")).await;
    let ran = installation.json(&["run", "--due"], 1);
    let statuses: Vec<_> = ran["runs"].as_array().unwrap().iter().map(|it| it["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["failed", "delivered"]);
}

#[tokio::test]
async fn a_slot_whose_run_was_cancelled_is_not_started_again() {
    let (installation, _) = imported(Backend::Sqlite).await;
    scheduled(&installation);
    make_due(&installation).await;
    let queued = installation.json(&["run", "--due", "--detach"], 0);
    installation.json(&["jobs", "cancel", queued["queued"][0]["job_id"].as_str().unwrap()], 0);
    assert_eq!(installation.json(&["run", "--due"], 0), json!({ "runs": [] }));
    assert_eq!(installation.delivered().len(), 0);
    installation.change("update deliverables set next_run_at = '2024-05-20T07:00:00.000000Z'").await;
    assert_eq!(installation.json(&["run", "--due"], 0)["runs"][0]["status"], "delivered", "the next one is");
}

#[tokio::test]
async fn what_was_cancelled_may_be_run_by_hand() {
    let (installation, _) = imported(Backend::Sqlite).await;
    scheduled(&installation);
    make_due(&installation).await;
    let queued = installation.json(&["run", "--due", "--detach"], 0);
    installation.json(&["jobs", "cancel", queued["queued"][0]["job_id"].as_str().unwrap()], 0);
    assert_eq!(installation.json(&["run", "Weekly"], 0)["status"], "delivered");
}

async fn a_slot_whose_job_is_gone_has_one_more(backend: Backend) {
    let (installation, _) = imported(backend).await;
    scheduled(&installation);
    make_due(&installation).await;
    let detached = || installation.json(&["run", "--due", "--detach"], 0)["queued"][0]["job_id"].as_str().unwrap().to_owned();
    let first = detached();
    assert_eq!(installation.change("delete from job_queue where job_type = 'deliverable_generate'").await, 1);
    let second = detached();
    assert_ne!(second, first);
    assert_eq!(detached(), second, "the slot has it now");
    assert_eq!(installation.json(&["run", "--due"], 0)["runs"][0]["status"], "delivered");
    let jobs = "select status from job_queue where job_type = 'deliverable_generate'";
    assert_eq!(installation.texts(jobs).await, ["succeeded"]);
    installation.close().await;
}

#[tokio::test]
async fn a_slot_whose_job_is_gone_has_one_more_on_sqlite() {
    a_slot_whose_job_is_gone_has_one_more(Backend::Sqlite).await;
}

#[tokio::test]
async fn a_slot_whose_job_is_gone_has_one_more_on_postgres() {
    a_slot_whose_job_is_gone_has_one_more(Backend::Postgres).await;
}

#[tokio::test]
async fn one_that_cannot_be_queued_does_not_hold_up_the_others() {
    let (installation, _) = imported(Backend::Sqlite).await;
    for title in ["Stuck", "Fine"] {
        let create = ["deliverables", "create", "--type", "status_report", "--schedule", "daily", "--title", title];
        installation.yarnnn(&create).expect(0);
    }
    installation.change(&format!("update deliverables set next_run_at = '{DUE}'")).await;
    assert_eq!(installation.json(&["run", "--due", "--detach"], 0)["queued"].as_array().unwrap().len(), 2);
    let stuck = "update job_queue set status = 'dead' where id = (select job_id from deliverable_slots as s \
        join deliverables as d on d.id = s.deliverable_id where d.title = 'Stuck')";
    assert_eq!(installation.change(stuck).await, 1);
    installation
        .change(
            "create trigger stuck before update on job_queue when old.status = 'dead' begin select raise(abort, 'stuck'); end",
        )
        .await;
    let said = installation.json(&["run", "--due", "--detach"], 1);
    assert_eq!((said["runs"].as_array().unwrap().len(), said["queued"].as_array().unwrap().len()), (1, 1), "{said}");
    assert_eq!(said["runs"][0]["status"], "failed");
    assert!(said["runs"][0]["error"].as_str().unwrap().starts_with("it is not queued: "), "{said}");
    assert!(installation.yarnnn(&["run", "--due", "--detach"]).expect(1).stdout.contains("it is not queued: "));
}

/// Resuming what was never paused moves nothing: an overdue slot stays due.
#[tokio::test]
async fn resuming_an_active_deliverable_keeps_its_slot() {
    let (installation, _) = imported(Backend::Sqlite).await;
    scheduled(&installation);
    make_due(&installation).await;
    installation.json(&["deliverables", "pause", "Weekly", "--resume"], 0);
    assert_eq!(installation.json(&["run", "--due"], 0)["runs"][0]["status"], "delivered");
}

/// A report about the past does not use up the news of the present.
#[tokio::test]
async fn a_report_about_the_past_leaves_the_next_slot_its_news() {
    let (installation, exports) = imported(Backend::Sqlite).await;
    scheduled(&installation);
    let source = "update deliverables set sources = (select json_array(json_object('type', 'integration_import', 'provider', platform, \
        'resource_id', resource_id, 'resource_name', resource_name)) from sync_registry where platform = 'slack' and resource_name = '#kites')";
    assert_eq!(installation.change(source).await, 1);
    exports.add_day(
        "2024-05-12",
        &format!("[{}]", super::exports::message("U1", "1715504400.000100", "The meadow is dry again today.")),
    );
    installation.yarnnn(&exports.import()).expect(0);
    installation.json(&["run", "Weekly", "--as-of", "2024-05-11T00:00:00Z"], 0);
    make_due(&installation).await;
    assert_eq!(installation.json(&["run", "--due"], 0)["runs"][0]["status"], "delivered");
}

/// A tick leaves no mail in a folder where nobody looks.
#[tokio::test]
async fn a_due_mail_without_a_mail_service_stops_the_tick_in_production() {
    let (installation, _) = imported(Backend::Sqlite).await;
    installation.json(
        &[
            "deliverables",
            "create",
            "--type",
            "status_report",
            "--title",
            "Mailed",
            "--schedule",
            "daily",
            "--email",
            "ana@example.com",
        ],
        0,
    );
    make_due(&installation).await;
    let said = installation.json_with(&[("APP_ENV", "production")], &["run", "--due"], 3);
    assert!(said["error"]["message"].as_str().unwrap().starts_with("RESEND_API_KEY: "), "{said}");
    assert!(installation.delivered().is_empty());
    assert_eq!(installation.json(&["run", "--due"], 0)["runs"][0]["status"], "delivered", "the slot is still there");
}

/// A slot that waits for a worker is for a deliverable that is still active, and still at that slot.
async fn a_slot_of_a_paused_deliverable_sends_nothing(backend: Backend) {
    let (installation, _exports) = imported(backend).await;
    scheduled(&installation);
    make_due(&installation).await;
    installation.yarnnn(&["run", "--due", "--detach"]).expect(0);
    installation.yarnnn(&["deliverables", "pause", "Weekly"]).expect(0);
    assert_eq!(installation.json(&["work", "--until-idle"], 0)["succeeded"], 1);
    assert!(installation.delivered().is_empty(), "it was paused before a worker came to it");
    installation.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slot_of_a_paused_deliverable_sends_nothing_on_sqlite() {
    a_slot_of_a_paused_deliverable_sends_nothing(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slot_of_a_paused_deliverable_sends_nothing_on_postgres() {
    a_slot_of_a_paused_deliverable_sends_nothing(Backend::Postgres).await;
}
