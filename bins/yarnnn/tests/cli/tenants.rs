//! Tenants: a user sees nothing of another one, whatever id or name is given.

use serde_json::json;

use super::exports::{AS_OF, create, imported};
use super::support::{Backend, Installation, assert_same};

const BEN: [&str; 2] = ["--user", "ben@example.com"];

fn as_ben(installation: &Installation, arguments: &[&str], code: i32) -> serde_json::Value {
    installation.json(&[&BEN[..], arguments].concat(), code)
}

async fn another_users_things_do_not_exist(backend: Backend) {
    let (installation, exports) = imported(backend).await;
    let id = create(&installation, "Weekly");
    let outcome = installation.json(&["run", "Weekly", "--as-of", AS_OF], 0);
    let version = outcome["version_id"].as_str().unwrap();
    // Ben exists from his first command on.
    assert_eq!(as_ben(&installation, &["search", "festival"], 0), json!({ "results": [] }));
    let before = (installation.dump().await, installation.delivered());

    assert_eq!(as_ben(&installation, &["deliverables", "list"], 0), json!({ "deliverables": [] }));
    let foreign: [&[&str]; 8] = [
        &["deliverables", "show", &id],
        &["deliverables", "show", "Weekly"],
        &["deliverables", "pause", &id],
        &["deliverables", "pause", &id, "--resume"],
        &["plan", &id],
        &["run", &id, "--as-of", AS_OF, "--force"],
        &["run", "Weekly"],
        &["verify", version],
    ];
    for arguments in foreign {
        let said = as_ben(&installation, arguments, 1);
        assert_eq!(said["error"]["code"], "not_found", "{arguments:?}: {said}");
    }
    assert_eq!(as_ben(&installation, &["run", "--due"], 0), json!({ "runs": [] }));
    assert_eq!(as_ben(&installation, &["doctor"], 0)["sources"], json!([]));
    let sourced = ["deliverables", "create", "--type", "custom", "--title", "Spy", "--source", "slack:C1"];
    let said = as_ben(&installation, &sourced, 2);
    assert!(!said.to_string().contains("general"), "another user's sources are not even named: {said}");
    assert_same(&installation.dump().await, &before.0, "nothing was touched");
    assert!(installation.delivered() == before.1);

    // The same exports are his own when he imports them.
    let import = exports.import();
    assert_eq!(as_ben(&installation, &import, 0)["totals"]["new"], 10);
    let own = as_ben(&installation, &["search", "festival", "wind"], 0);
    let local = installation.json(&["search", "festival", "wind"], 0);
    assert_eq!((own["results"].as_array().unwrap().len(), local["results"].as_array().unwrap().len()), (1, 1));
    assert_ne!(own["results"][0]["content_id"], local["results"][0]["content_id"]);
    installation.close().await;
}

#[tokio::test]
async fn another_users_things_do_not_exist_on_sqlite() {
    another_users_things_do_not_exist(Backend::Sqlite).await;
}

#[tokio::test]
async fn another_users_things_do_not_exist_on_postgres() {
    another_users_things_do_not_exist(Backend::Postgres).await;
}

#[tokio::test]
async fn an_address_is_one_user_whatever_its_case() {
    let (installation, exports) = imported(Backend::Sqlite).await;
    as_ben(&installation, &exports.import(), 0);
    let found = installation.json(&["--user", "Ben@Example.COM", "search", "festival"], 0);
    assert_eq!(found["results"].as_array().unwrap().len(), 3, "{found}");
}

#[tokio::test]
async fn the_free_tier_has_two_active_deliverables() {
    let installation = Installation::new(Backend::Sqlite).await;
    let make = |title: &str, code| as_ben(&installation, &["deliverables", "create", "--type", "custom", "--title", title], code);
    make("One", 0);
    make("Two", 0);
    let refused = make("Three", 2);
    let message = refused["error"]["message"].as_str().unwrap();
    assert!(message.contains("the free tier allows 2 active deliverables"), "{message}");
    as_ben(&installation, &["deliverables", "pause", "One"], 0);
    make("Three", 0);
    let resumed = as_ben(&installation, &["deliverables", "pause", "One", "--resume"], 2);
    assert!(resumed["error"]["message"].as_str().unwrap().contains("allows 2"), "{resumed}");
    let list = as_ben(&installation, &["deliverables", "list"], 0);
    let statuses: Vec<_> = list["deliverables"].as_array().unwrap().iter().map(|it| it["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["paused", "active", "active"]);
    // The local user pays for more.
    for title in ["One", "Two", "Three", "Four"] {
        create(&installation, title);
    }
}
