//! Choosing what is synced, within the tier's limit; and whose days it goes by.

use serde_json::{Value, json};

use super::support::Backend;
use super::support::live::{Live, SLACK_SCOPES, resource};

fn of<'a>(said: &'a Value, name: &str) -> &'a Value {
    let all = said["sources"].as_array().unwrap();
    all.iter().find(|it| it["name"] == name).unwrap_or_else(|| panic!("{name}: {said:#}"))
}

async fn sources_are_listed_and_chosen(backend: Backend) {
    let live = Live::connected(backend).await;
    let before = live.json(&["sources", "slack"], 0);
    assert_eq!(before["sources"].as_array().unwrap().len(), 2);
    let general = of(&before, "#general");
    assert_eq!((&general["selected"], general["coverage"].as_str()), (&json!(true), Some("uncovered")));
    live.sync(0);
    let after = live.json(&["sources"], 0);
    assert_eq!(of(&after, "#general")["coverage"], "covered", "{after:#}");
    assert!(of(&after, "#general")["last_synced_at"].is_string());

    let chosen = live.json(&["sources", "select", "slack:#random"], 0);
    assert_eq!(
        (&chosen["success"], &chosen["selected_sources"]),
        (&json!(true), &json!([format!("slack:{}", live.team.random)]))
    );
    let said = live.sync(0);
    assert_eq!(said["slack"]["resources"].as_array().unwrap().len(), 1, "{said:#}");
    assert_eq!(said["gmail"]["resources"].as_array().unwrap().len(), 4, "others stay as they are");

    assert_eq!(live.json(&["sources", "select", "slack:C404"], 1)["error"]["code"], "not_found");
    assert_eq!(live.json(&["sources", "select", "C404"], 2)["error"]["code"], "usage");
    let filled = live.json(&["sources", "fill"], 0);
    let slack = filled["platforms"].as_array().unwrap().iter().find(|it| it["platform"] == "slack").unwrap().clone();
    assert_eq!((&slack["previous"], slack["added"].as_array().unwrap().len(), &slack["limit"]), (&json!(1), 1, &json!(null)));

    live.json(&["sources", "exclude", "slack:general"], 0);
    let said = live.sync(0);
    assert_eq!(said["slack"]["resources"].as_array().unwrap().len(), 1, "{said:#}");
    assert_eq!(resource(&said["slack"], "#random")["outcome"], "ok_empty");
    assert_eq!(of(&live.json(&["sources"], 0), "#general")["coverage"], "excluded");
    live.json(&["sources", "include", &format!("slack:{}", live.team.general)], 0);
    assert_eq!(live.sync(0)["slack"]["resources"].as_array().unwrap().len(), 2);
    live.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sources_are_listed_and_chosen_on_sqlite() {
    sources_are_listed_and_chosen(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sources_are_listed_and_chosen_on_postgres() {
    sources_are_listed_and_chosen(Backend::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_choice_over_the_limit_is_cut_and_says_so() {
    let live = Live::new(Backend::Sqlite).await;
    for number in 0..6 {
        let channel = live.sim.slack().add_channel(&format!("c{number}"), false, &[&live.team.ben]);
        live.sim.slack().bot_joins(&channel);
    }
    let token = live.sim.tokens().slack(&SLACK_SCOPES);
    let user = ["--user", "free@example.org"];
    let connect = [&user[..], &["connect", "slack", "--token-env", "TOKEN"]].concat();
    let said = live.json_with(&[("TOKEN", Some(&token))], &connect, 0);
    assert_eq!((&said["platforms"][0]["resources"], &said["platforms"][0]["selected"]), (&json!(8), &json!(5)));
    let wanted = ["slack:c0", "slack:c1", "slack:c2", "slack:c3", "slack:c4", "slack:c5"];
    let said = live.json(&[&user[..], &["sources", "select"], &wanted].concat(), 1);
    assert_eq!((&said["success"], said["selected_sources"].as_array().unwrap().len()), (&json!(false), 5));
    assert_eq!(said["over_limit"].as_array().unwrap().len(), 1);
    assert!(said["message"].as_str().unwrap().contains("the tier free (5 of slack)"), "{said:#}");
    let names: Vec<_> = live.json(&[&user[..], &["sources"]].concat(), 0)["sources"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["selected"] == true)
        .map(|it| it["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["#c0", "#c1", "#c2", "#c3", "#c4"]);
    assert!(live.json(&["sources"], 0)["sources"].as_array().unwrap().is_empty(), "another user's");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_zone_is_set_or_refused() {
    let live = Live::new(Backend::Sqlite).await;
    let said = live.json(&["settings"], 0);
    assert_eq!(
        (said["tier"].as_str(), said["timezone"].as_str(), said["sync_frequency"].as_str()),
        (Some("pro"), Some("UTC"), Some("hourly"))
    );
    let refused = live.json(&["settings", "--timezone", "Mars/Olympus"], 2);
    assert!(refused["error"]["message"].as_str().unwrap().contains("Mars/Olympus"), "{refused}");
    assert_eq!(live.json(&["settings", "--timezone", "europe berlin"], 2)["error"]["code"], "usage");
    assert_eq!(live.json(&["settings", "--timezone", "Asia/Kolkata"], 0)["timezone"], "Asia/Kolkata");
    let said = live.json(&["settings"], 0);
    assert_eq!(said["timezone"], "Asia/Kolkata");
    assert!(said["next_sync_at"].as_str().unwrap().contains(":30:00"), "the full hour there: {said}");
}
