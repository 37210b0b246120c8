//! The real program: it is set by environment alone, works what others enqueued, shows its health, and ends when told to.
#![allow(clippy::unwrap_used, reason = "what is not there fails the test")]

mod installation;

use std::net::{Ipv4Addr, TcpListener};
use std::process::Child;

use serde_json::json;

use installation::{Backend, Installation, Running, ended, get, healthy};

/// A port that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

async fn what_others_enqueued_is_worked(backend: Backend) {
    let installation = Installation::new(backend).await;
    let port = free_port();
    let variables = [("HEALTH_CHECK_PORT", port.to_string()), ("HOST", "127.0.0.1".into()), ("WORKER_ID", "srv".into())];
    let worker = Running::start(&installation, &variables);
    let job = installation.enqueue_import().await;
    installation.until(&format!("select status from job_queue where id = '{job}'"), &["succeeded"]).await;
    assert_eq!(installation.home.texts("select content from platform_content").await.len(), 1, "the mail is stored");

    let page = healthy(port);
    assert!(page["worker_id"].as_str().unwrap().starts_with("srv-"), "{page:#}");
    assert_eq!(installation.home.texts("select worker_id from job_workers").await, [page["worker_id"].as_str().unwrap()]);
    assert!(page["active_jobs"].is_u64(), "{page:#}");
    let beat = page["last_heartbeat"].as_str().unwrap();
    assert!(beat.ends_with('Z') && beat.contains('T'), "{beat}");
    assert_eq!(
        (&page["api_capacity"]["openai"], &page["api_capacity"]["google_vision"]),
        (&json!("available"), &json!("available"))
    );

    assert_eq!(worker.told_to_stop("TERM").code, 0);
    assert!(installation.home.texts("select worker_id from job_workers").await.is_empty(), "it is not on the board any more");
    installation.home.close().await;
}

#[tokio::test]
async fn what_others_enqueued_is_worked_on_sqlite() {
    what_others_enqueued_is_worked(Backend::Sqlite).await;
}

#[tokio::test]
async fn what_others_enqueued_is_worked_on_postgres() {
    what_others_enqueued_is_worked(Backend::Postgres).await;
}

#[tokio::test]
async fn the_health_page_says_when_a_provider_cannot_be_called() {
    let installation = Installation::new(Backend::Sqlite).await;
    let port = free_port();
    // The page looks every few seconds: what is to be seen is there before.
    installation.enqueue_import().await;
    installation.home.change("update api_rate_limits set concurrent_requests = 0 where provider_name = 'openai'").await;
    installation.home.change("update api_rate_limits set status = 'disabled' where provider_name = 'google'").await;
    let worker = Running::start(&installation, &[("HEALTH_CHECK_PORT", port.to_string()), ("HOST", "127.0.0.1".into())]);
    installation.until("select name from job_workers", &["yarnnn-worker"]).await;
    let page = healthy(port);
    let capacity = &page["api_capacity"];
    assert_eq!((&capacity["openai"], &capacity["google_vision"]), (&json!("rate_limited"), &json!("disabled")));
    assert_eq!(get(port, "/nothing").0, 404);
    assert_eq!(worker.told_to_stop("INT").code, 0, "Ctrl-C ends it as well");
}

#[tokio::test]
async fn wrong_settings_end_it_with_their_name() {
    let installation = Installation::new(Backend::Sqlite).await;
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let taken = taken.local_addr().unwrap().port().to_string();
    let nobody = format!("redis://127.0.0.1:{}", free_port());
    for (variable, value) in [
        ("DATABASE_URL", "nonsense"),
        ("DATABASE_URL", "mysql://localhost/yarnnn"),
        ("WORKER_CONCURRENCY", "0"),
        ("WORKER_CONCURRENCY", "many"),
        ("WORKER_LANES", ","),
        ("HEALTH_CHECK_PORT", "70000"),
        ("HEALTH_CHECK_PORT", &taken),
        ("REDIS_URL", "http://localhost"),
        ("REDIS_URL", &nobody),
        ("REDIS_OPTIONAL", "perhaps"),
    ] {
        let said = ended(spawn(&installation, &[(variable, value.to_owned()), ("HOST", "127.0.0.1".to_owned())]));
        assert_eq!(said.code, 3, "{variable}={value}: {}", said.stderr);
        assert!(said.stderr.contains(variable), "{variable}={value}: {}", said.stderr);
        assert!(said.stdout.is_empty());
    }
}

fn spawn(installation: &Installation, variables: &[(&str, String)]) -> Child {
    installation.command(variables).spawn().unwrap()
}

#[tokio::test]
async fn a_database_that_does_not_answer_ends_it_and_its_password_is_not_shown() {
    let installation = Installation::new(Backend::Sqlite).await;
    let url = format!("postgres://someone:hunter2@127.0.0.1:{}/yarnnn", free_port());
    let said = ended(spawn(&installation, &[("DATABASE_URL", url)]));
    assert_eq!(said.code, 3, "{}", said.stderr);
    assert!(said.stderr.contains("127.0.0.1") && !said.stderr.contains("hunter2"), "{}", said.stderr);
}

#[tokio::test]
async fn it_works_without_a_redis_that_may_be_absent() {
    let installation = Installation::new(Backend::Sqlite).await;
    let redis = format!("redis://127.0.0.1:{}", free_port());
    let worker = Running::start(&installation, &[("REDIS_URL", redis), ("REDIS_OPTIONAL", "true".into())]);
    let job = installation.enqueue_import().await;
    installation.until(&format!("select status from job_queue where id = '{job}'"), &["succeeded"]).await;
    assert_eq!(worker.told_to_stop("TERM").code, 0);
}

async fn workers_with_one_name_are_two(backend: Backend) {
    let installation = Installation::new(backend).await;
    installation.enqueue_import().await;
    let name = [("WORKER_ID", "srv-one".to_owned())];
    let workers = [Running::start(&installation, &name), Running::start(&installation, &name)];
    installation.until("select name from job_workers", &["srv-one", "srv-one"]).await;
    let mut ids = installation.home.texts("select worker_id from job_workers").await;
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 2);
    assert!(ids.iter().all(|it| it.starts_with("srv-one-")), "{ids:?}");
    for worker in workers {
        assert_eq!(worker.told_to_stop("TERM").code, 0);
    }
    installation.home.close().await;
}

#[tokio::test]
async fn workers_with_one_name_are_two_on_sqlite() {
    workers_with_one_name_are_two(Backend::Sqlite).await;
}

#[tokio::test]
async fn workers_with_one_name_are_two_on_postgres() {
    workers_with_one_name_are_two(Backend::Postgres).await;
}

#[tokio::test]
async fn without_the_key_of_what_is_connected_it_does_not_start() {
    let installation = Installation::new(Backend::Sqlite).await;
    installation.enqueue_import().await;
    installation
        .home
        .change(
            "insert into platform_connections (id, user_id, platform, status, credentials_encrypted, created_at, updated_at) \
             select '00000000-0000-0000-0000-00000000000a', id, 'slack', 'active', 'gAAAA', '2026-01-01T00:00:00.000000Z', \
             '2026-01-01T00:00:00.000000Z' from users",
        )
        .await;
    let said = ended(spawn(&installation, &[]));
    assert_eq!(said.code, 3, "{}", said.stderr);
    assert!(said.stderr.contains("INTEGRATION_ENCRYPTION_KEY") && said.stderr.contains("doctor --new-key"), "{}", said.stderr);
    let key = yarnnn::store::SealKeys::generate();
    let said = ended(spawn(&installation, &[("INTEGRATION_ENCRYPTION_KEY", key.clone())]));
    assert!(said.code == 3 && said.stderr.contains("INTEGRATION_ENCRYPTION_KEY: none"), "another key: {}", said.stderr);
    installation.home.change("update platform_connections set credentials_encrypted = null").await;
    let worker = Running::start(&installation, &[("INTEGRATION_ENCRYPTION_KEY", key)]);
    installation.until("select name from job_workers", &["yarnnn-worker"]).await;
    assert_eq!(worker.told_to_stop("TERM").code, 0);
}
