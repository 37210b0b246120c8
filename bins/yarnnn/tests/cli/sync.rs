//! Syncing what is connected: everything comes in, changes are followed, and nothing fails in silence.

use serde_json::{Value, json};
use yarnnn::Config;
use yarnnn::connections::Provider;
use yarnnn::platform_sync::{SyncConnection, SyncRequest, SyncTrigger};
use yarnnn_sim::Fault;
use yarnnn_sim::notion::Place;

use super::support::Backend;
use super::support::live::{Live, SLACK_SCOPES, by_platform, mail, resource};

async fn everything_comes_in_once(backend: Backend) {
    let live = Live::connected(backend).await;
    let first = live.json(&["sync"], 0);
    let order: Vec<_> = first["platforms"].as_array().unwrap().iter().map(|it| it["platform"].as_str().unwrap()).collect();
    assert_eq!(order, ["slack", "gmail", "notion", "calendar"]);
    insta::assert_json_snapshot!("first_sync", first, {
        ".platforms[].account" => "[account]",
        ".platforms[].resources[].resource_id" => "[id]",
    });
    assert_eq!(live.contents("slack").await, ["I bring two.", "The meadow is dry again.", "Who brings the kites?"]);
    assert!(live.contents("gmail").await[0].contains("three hundred visitors"));
    assert!(live.contents("notion").await.concat().contains("eighty metres"));
    assert!(live.contents("calendar").await[0].contains("Kite rehearsal"));

    let second = live.sync(0);
    for platform in order {
        let it = &second[platform];
        assert_eq!(
            (it["outcome"].as_str(), &it["items_synced"], &it["error"]),
            (Some("ok_empty"), &json!(0), &json!(null)),
            "{it:#}"
        );
        assert!(it["account"].is_string(), "who proves that it is empty: {it:#}");
    }
    live.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_comes_in_once_on_sqlite() {
    everything_comes_in_once(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_comes_in_once_on_postgres() {
    everything_comes_in_once(Backend::Postgres).await;
}

async fn changes_are_followed(backend: Backend) {
    let live = Live::connected(backend).await;
    live.sync(0);
    assert_eq!((live.contents("calendar").await.len(), live.contents("notion").await.len()), (1, 2));
    let (slack, team) = (live.sim.slack(), &live.team);
    slack.reply(&team.general, &team.question, &team.ana, "Then I bring the string.");
    slack.edit(&team.general, &team.question, "Who brings the big kites?");
    let gone = slack.snapshot(&team.random)[0].ts.clone();
    slack.delete(&team.random, &gone);
    live.sim.gmail().deliver(&mail("Weather", "Wind from the west."), &["INBOX"]);
    assert!(live.sim.calendar().cancel("primary", &team.event));
    live.sim.notion().trash(&team.page).unwrap();
    // Something must be shown: an integration that sees nothing at all is no empty one.
    live.sim.notion().add_page(Place::Workspace, "Winter", vec![]).unwrap();

    let said = live.sync(0);
    assert_eq!(live.contents("slack").await, ["I bring two.", "Then I bring the string.", "Who brings the big kites?"]);
    assert_eq!(
        (&said["slack"]["items_synced"], &resource(&said["slack"], "#random")["gone"]),
        (&json!(2), &json!(1)),
        "{said:#}"
    );
    assert_eq!(live.contents("gmail").await.len(), 2);
    assert!(live.contents("calendar").await.is_empty(), "{said:#}");
    let pages = live.contents("notion").await;
    assert!(pages.len() == 1 && pages[0].contains("Bread"), "{pages:?} {said:#}");

    // The last page that was shared: nobody can tell an empty workspace from one that shows nothing.
    for page in live.sim.notion().snapshot().keys() {
        live.sim.notion().unshare(page).unwrap();
    }
    let said = live.sync(1);
    assert_eq!(said["notion"]["outcome"], "degraded", "{said:#}");
    assert!(said["notion"]["error"].as_str().unwrap().contains("share one"), "{said:#}");
    live.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_followed_on_sqlite() {
    changes_are_followed(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_followed_on_postgres() {
    changes_are_followed(Backend::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_platform_can_be_asked_for() {
    let live = Live::connected(Backend::Sqlite).await;
    let only = |arguments: &[&str]| {
        let said = live.json(&[&["sync"], arguments].concat(), 0);
        let names = said["platforms"].as_array().unwrap().iter().map(|it| it["platform"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(only(&["gmail"]), ["gmail"]);
    assert_eq!(only(&["google"]), ["gmail", "calendar"]);
    assert_eq!(only(&["notion", "slack"]), ["slack", "notion"]);
    assert!(live.json(&["sync", "teams"], 2)["error"]["message"].as_str().unwrap().contains("teams"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_connected_is_a_matter_of_configuration() {
    let live = Live::new(Backend::Sqlite).await;
    let said = live.json(&["sync"], 3);
    assert_eq!(said["error"]["code"], "not_connected");
    assert!(said["error"]["message"].as_str().unwrap().contains("yarnnn connect"), "{said}");
    live.connect("slack", &live.sim.tokens().slack(&SLACK_SCOPES), 0);
    let said = live.json(&["sync", "notion"], 3);
    assert!(said["error"]["message"].as_str().unwrap().contains("yarnnn connect notion"), "{said}");
    let said = by_platform(&live.json(&["sync", "slack", "notion"], 1));
    assert_eq!((said["slack"]["outcome"].as_str(), said["notion"]["outcome"].as_str()), (Some("ok"), Some("failed")));
}

async fn what_cannot_be_read_is_said(backend: Backend) {
    let (live, token) = Live::with_slack(backend).await;
    live.sync(0);
    let missing = live.json_with(&[("INTEGRATION_ENCRYPTION_KEY", None)], &["sync"], 3);
    assert!(missing["error"]["message"].as_str().unwrap().contains("doctor --new-key"), "{missing}");
    let other = yarnnn::store::SealKeys::generate();
    for arguments in [&["sync"][..], &["sync", "--detach"], &["work", "--until-idle"]] {
        let wrong = live.json_with(&[("INTEGRATION_ENCRYPTION_KEY", Some(&other))], arguments, 3);
        let message = wrong["error"]["message"].as_str().unwrap();
        assert!(message.starts_with("INTEGRATION_ENCRYPTION_KEY: none of its keys opens"), "{message}");
        assert!(message.contains("`yarnnn doctor`"), "{message}");
    }
    live.sync(0);

    live.sim.faults().times("slack.conversations.history", 20, Fault::Html);
    let degraded = live.sync(1);
    assert_eq!(degraded["slack"]["outcome"], "failed", "{degraded:#}");
    assert!(degraded["slack"]["error"].as_str().unwrap().contains("conversations.history"), "{degraded:#}");
    live.sim.faults().clear();
    live.sim.slack().remove_channel(&live.team.random);
    let degraded = live.sync(1);
    assert_eq!(degraded["slack"]["outcome"], "degraded", "{degraded:#}");
    assert_eq!(resource(&degraded["slack"], "#general")["outcome"], "ok_empty");

    live.sim.tokens().revoke(&token);
    let revoked = live.sync(1);
    assert_eq!(revoked["slack"]["outcome"], "failed");
    assert!(revoked["slack"]["error"].as_str().unwrap().contains("yarnnn connect slack"), "{revoked:#}");
    assert_eq!(live.contents("slack").await.len(), 3, "what was stored stays");
    live.connect("slack", &live.sim.tokens().slack(&SLACK_SCOPES), 0);
    assert_eq!(live.sync(0)["slack"]["outcome"], "ok_empty");
    live.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_said_on_sqlite() {
    what_cannot_be_read_is_said(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_said_on_postgres() {
    what_cannot_be_read_is_said(Backend::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_can_be_left_to_a_worker() {
    let (live, _) = Live::with_slack(Backend::Sqlite).await;
    let said = live.json(&["sync", "--detach"], 0);
    let job = said["jobs"][0]["job_id"].as_str().unwrap().to_owned();
    assert_eq!(live.json(&["sync", "--detach"], 0)["jobs"][0]["job_id"], job, "one at a time");
    assert!(live.contents("slack").await.is_empty());
    let keyless = live.json_with(&[("INTEGRATION_ENCRYPTION_KEY", None)], &["work", "--until-idle"], 3);
    assert!(keyless["error"]["message"].as_str().unwrap().contains("INTEGRATION_ENCRYPTION_KEY"), "{keyless}");
    live.json(&["work", "--until-idle"], 0);
    let job: Value = live.json(&["jobs", "show", &job], 0);
    assert_eq!((job["job"]["status"].as_str(), &job["job"]["result"][0]["items_synced"]), (Some("succeeded"), &json!(3)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_clock_has_queued_goes_first() {
    let (live, _) = Live::with_slack(Backend::Sqlite).await;
    let url = live.installation.url.clone();
    let config = Config::from_lookup(&|name| (name == "DATABASE_URL").then(|| url.clone())).unwrap();
    let yarnnn = yarnnn::connect(&config).await.unwrap();
    let user = yarnnn.local_user().await.unwrap().id;
    let request = SyncRequest { user, provider: Provider::Slack, platform: None, trigger: SyncTrigger::Scheduled };
    yarnnn.jobs().enqueue(Some(user), &SyncConnection(request)).await.unwrap();
    let said = live.sync(0);
    assert_eq!(said["slack"]["outcome"], "ok_empty", "the one that waited has read it: {said:#}");
    assert_eq!(live.contents("slack").await.len(), 3);
    assert_eq!(live.installation.texts("select status from job_queue").await, ["succeeded", "succeeded"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_see_tables_and_progress() {
    let (live, _) = Live::with_slack(Backend::Sqlite).await;
    let said = live.yarnnn(&["sync"]).expect(0);
    assert!(said.stdout.contains("#general") && said.stdout.contains("ok: 3 items new or changed"), "{}", said.stdout);
    assert!(said.stderr.contains("slack: ok"), "plain lines where there is no terminal: {}", said.stderr);
}
