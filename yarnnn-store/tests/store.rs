//! What the contract cannot say: migrations, several stores on one database, the dump, and what `doctor` shows.
#![cfg(all(feature = "sqlite", feature = "postgres"))]
#![expect(clippy::unwrap_used, reason = "tests panic when something is amiss")]
#![expect(clippy::disallowed_methods, reason = "tests find their Postgres by an environment variable")]

mod common;

use chrono::TimeDelta;
use futures::future::join_all;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use sqlx::{Connection as _, PgConnection, SqliteConnection};
use yarnnn_core::StoreError;
use yarnnn_core::accounts::NewUser;
use yarnnn_core::activity::ActivityKind;
use yarnnn_core::contract::Ports;
use yarnnn_core::contract::connection_fixtures::connected;
use yarnnn_core::contract::fixtures::{
    ANA, begin, channel, clean, everything, finished, first_page, fresh, gone, import, last_page, letter, line, live, message,
    minute, opened, queued, resource, row, sentence, staged, texts, verified, verified_version, written,
};
use yarnnn_core::contract::ledger_fixtures::{account, answered, call, calls_of, reserved};
use yarnnn_core::contract::version_material::opened_with;
use yarnnn_core::contract::versions::{decision, staged_on};
use yarnnn_core::deliverables::VersionStatus;
use yarnnn_core::delivery::Settlement;
use yarnnn_core::id::UserId;
use yarnnn_core::platform::{Cursor, Gap, GapKind, Interval, Quarantined, Resource, ResourceKind};
use yarnnn_core::search::SearchQuery;
use yarnnn_core::sync::{Finished, Origin, PageCommit, Progress, Retain, RetainReason, RunPart};
use yarnnn_store::SqlStore;

use common::{file_url, ports, sqlite_file, with_postgres};

fn migrations(dialect: &str) -> Vec<String> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(dialect);
    let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn both_folders_hold_the_same_migrations() {
    assert_eq!(migrations("sqlite"), migrations("postgres"));
    for (name, number) in migrations("sqlite").iter().zip(1..) {
        assert!(name.starts_with(&format!("{number:04}_")), "{name}");
    }
}

#[tokio::test]
async fn migrating_again_changes_nothing() {
    let (store, folder) = sqlite_file().await;
    let before = store.dump().await.unwrap();
    store.migrate().await.unwrap();
    let reopened = SqlStore::connect(&file_url(&folder)).await.unwrap();
    reopened.migrate().await.unwrap();
    assert_eq!(reopened.dump().await.unwrap(), before);
    assert_eq!(reopened.schema_version().await.unwrap(), store.latest_schema_version());
    with_postgres(|url| async move {
        let store = SqlStore::connect(&url).await.unwrap();
        assert_eq!(store.schema_version().await.unwrap(), 0);
        store.migrate().await.unwrap();
        store.migrate().await.unwrap();
        assert_eq!(store.schema_version().await.unwrap(), store.latest_schema_version());
    })
    .await;
}

async fn migrate_at_once(url: &str) {
    let stores = join_all((0..4).map(|_| SqlStore::connect(url))).await;
    let stores: Vec<_> = stores.into_iter().map(Result::unwrap).collect();
    for outcome in join_all(stores.iter().map(SqlStore::migrate)).await {
        outcome.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_programs_may_migrate_at_once() {
    let folder = tempfile::tempdir().unwrap();
    migrate_at_once(&file_url(&folder)).await;
    with_postgres(|url| async move { migrate_at_once(&url).await }).await;
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused() {
    const NEWER: &str = "insert into _sqlx_migrations (version, description, installed_on, success, checksum, execution_time) \
        values (9999, 'later', '2030-01-01', true, $1, 1)";
    let (store, folder) = sqlite_file().await;
    let mut raw = SqliteConnection::connect(&file_url(&folder)).await.unwrap();
    sqlx::query(NEWER).bind(vec![0_u8]).execute(&mut raw).await.unwrap();
    let error = store.migrate().await.unwrap_err();
    insta::assert_snapshot!(error, @"the database refused or holds unreadable data (a database of a newer version): it has migration 9999, and this program knows migrations up to 22; use the newer program");
    assert_eq!(store.schema_version().await.unwrap(), 9999);
    with_postgres(|url| async move {
        let store = SqlStore::connect(&url).await.unwrap();
        store.migrate().await.unwrap();
        let mut raw = PgConnection::connect(&url).await.unwrap();
        sqlx::query(NEWER).bind(vec![0_u8]).execute(&mut raw).await.unwrap();
        assert!(store.migrate().await.unwrap_err().to_string().contains("migration 9999"));
    })
    .await;
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("yarnnn.db"), "this is a letter, not a database".repeat(100)).unwrap();
    let outcome = SqlStore::connect(&file_url(&folder)).await;
    assert!(matches!(outcome, Err(StoreError::Corrupt { .. })), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_programs_work_beside_each_other_on_one_file() {
    let (first, folder) = sqlite_file().await;
    let second = SqlStore::connect(&file_url(&folder)).await.unwrap();
    let programs = [ports(first), ports(second)];
    let work = (0..8).map(|number| {
        let ports = programs[number % 2].clone();
        async move {
            let run = begin(&ports, ANA, &resource(&format!("slack:C{number}"))).await;
            for page in 0..6 {
                let items = (0..20).map(|item| message(&format!("{page}.{item}"), "budget")).collect();
                ports.content.commit(first_page(&run, items, page)).await.unwrap();
                texts(&ports, &everything(ANA)).await;
            }
        }
    });
    join_all(work).await;
    for ports in &programs {
        assert_eq!(texts(ports, &everything(ANA)).await.len(), 960);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_do_not_wait_for_a_writer_on_a_file() {
    let (store, folder) = sqlite_file().await;
    let ports = ports(store);
    live(&ports, vec![message("1", "committed")], 1).await;
    let mut raw = SqliteConnection::connect(&file_url(&folder)).await.unwrap();
    let mut writer = raw.begin_with("begin immediate").await.unwrap();
    sqlx::query("update platform_content set content = 'not yet'").execute(&mut *writer).await.unwrap();
    assert_eq!(texts(&ports, &everything(ANA)).await, ["committed"]);
    writer.commit().await.unwrap();
    assert_eq!(texts(&ports, &everything(ANA)).await, ["not yet"]);
}

#[tokio::test]
async fn people_can_read_the_file() {
    let (store, folder) = sqlite_file().await;
    let ports = ports(store);
    live(&ports, vec![message("1", "x")], 1).await;
    let mut raw = SqliteConnection::connect(&file_url(&folder)).await.unwrap();
    let row: (String, String, String) =
        sqlx::query_as("select user_id, source_timestamp, metadata from platform_content").fetch_one(&mut raw).await.unwrap();
    assert_eq!(row.0, "00000000-0000-4000-8000-000000000001");
    assert_eq!((row.1.as_str(), row.2.as_str()), ("2026-02-02T02:40:00.123456Z", r#"{"ts":"1"}"#));
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_named() {
    let (store, folder) = sqlite_file().await;
    let ports = ports(store);
    let new = message("1", "x");
    let id = new.id;
    live(&ports, vec![new], 1).await;
    let mut raw = SqliteConnection::connect(&file_url(&folder)).await.unwrap();
    for damage in ["content_hash = 'short'", "source_timestamp = 'yesterday'", "metadata = '{'"] {
        sqlx::query(sqlx::AssertSqlSafe(format!("update platform_content set {damage}"))).execute(&mut raw).await.unwrap();
        let outcome = ports.content.find(ANA, &[id]).await;
        assert!(matches!(outcome, Err(StoreError::Corrupt { .. })), "{damage}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_user_takes_everything_along() {
    let (store, folder) = sqlite_file().await;
    history(&ports(store.clone())).await;
    let mut raw = SqliteConnection::connect(&file_url(&folder)).await.unwrap();
    sqlx::query("delete from users").execute(&mut raw).await.unwrap();
    let left = store.dump().await.unwrap();
    assert!(left.iter().all(|line| line.starts_with("_sqlx_migrations ")), "{left:#?}");
    let words: i64 = sqlx::query_scalar("select count(*) from platform_content_search").fetch_one(&mut raw).await.unwrap();
    assert_eq!(words, 0);
}

/// One history with everything in it: edits there and back, deletions, an import again, a report and its delivery.
async fn history(ports: &Ports) {
    let ben = NewUser { id: UserId::from_uuid(fresh()), email: "Ben@example.com".parse().unwrap(), at: minute(0) };
    ports.accounts.ensure(ben).await.unwrap();
    let mut second = message("2", "imported\0 “zwei”");
    second.item.metadata = serde_json::json!({"z": 1, "a": {"é": [1.5, null, true]}, "thread": "T\0"});
    let first = message("1", "A");
    let cited = first.id;
    live(ports, vec![first], 1).await;
    live(ports, vec![message("1", "B")], 2).await;
    live(ports, vec![message("1", "A")], 3).await;
    for minutes in [4, 5] {
        import(ports, vec![second.clone(), message("3", "to be withdrawn")], minutes).await;
    }
    live(ports, vec![message("4", "to be deleted")], 6).await;
    gone(ports, &["3", "4"], 7).await;
    last_run(ports).await;
    ports.accounts.set_timezone(ANA, "Europe/Lisbon", minute(9)).await.unwrap();
    let kept = Resource::new(resource("slack:C2"), "#random", ResourceKind::Channel);
    ports.content.exclude(ANA, &kept, true, minute(9)).await.unwrap();
    connected(ports, "ana@example.com").await;
    report(ports, cited).await;
    let retain = Retain { user: ANA, ids: vec![cited], reason: RetainReason::UserImport, reference: None, at: minute(30) };
    ports.content.retain(&retain).await.unwrap();
    clean(ports, ANA, minute(3) + TimeDelta::days(14)).await;
}

/// A run of a mailbox that saw gaps and unreadable records.
async fn last_run(ports: &Ports) {
    let run = begin(ports, ANA, &resource("gmail:INBOX")).await;
    let page = PageCommit {
        origin: Origin::Import,
        quarantined: vec![Quarantined { item: "inbox.mbox#7".to_owned(), reason: "no header".to_owned() }],
        covered: vec![Interval { from: minute(-60), to: minute(-30) }],
        gaps: vec![Gap { kind: GapKind::Unreadable, from: Some(minute(-40)), to: None, reason: "inbox.mbox".to_owned() }],
        ..first_page(&run, vec![], 8)
    };
    ports.content.commit(page).await.unwrap();
    let finished = Finished {
        cursor: Some(Cursor::new("c1")),
        item_count: 1,
        source_latest_at: Some(minute(-31)),
        error: Some("1 record could not be read".to_owned()),
        part: RunPart::New,
        audited: None,
        activity: Some(line(ActivityKind::PlatformSynced, fresh(), "Synced gmail")),
    };
    let page = PageCommit {
        covered: vec![Interval { from: minute(-30), to: minute(0) }],
        progress: Progress::Finished(finished),
        ..last_page(&run, vec![message("m1", "mail")], 9)
    };
    ports.content.commit(page).await.unwrap();
}

async fn report(ports: &Ports, cited: yarnnn_core::id::ContentId) {
    let version = opened(ports).await;
    ports.versions.advance(written(version.id)).await.unwrap();
    let sentences = vec![sentence(0, "A moved.", &["A"]), sentence(1, "So be it.", &[])];
    ports.versions.advance(verified(version.id, sentences)).await.unwrap();
    let letters = vec![letter(&format!("{}/1/folder", version.deliverable))];
    ports.versions.advance(queued(version.id, letters, vec![cited])).await.unwrap();
    let message = ports.outbox.messages(ANA, version.id).await.unwrap().pop().unwrap();
    ports.outbox.start(ANA, message.id, minute(11)).await.unwrap();
    let sent = Settlement::Sent { external_id: "out/report.md".to_owned() };
    ports.outbox.settle(ANA, message.id, 1, sent, minute(12)).await.unwrap();
    ports.versions.advance(finished(version.id)).await.unwrap();
}

#[tokio::test]
async fn one_history_leaves_the_same_rows_on_both_back_ends() {
    let (store, _folder) = sqlite_file().await;
    history(&ports(store.clone())).await;
    let sqlite = store.dump().await.unwrap();
    insta::assert_snapshot!("history", sqlite.join("\n"));
    with_postgres(|url| async move {
        let store = SqlStore::connect(&url).await.unwrap();
        store.migrate().await.unwrap();
        history(&ports(store.clone())).await;
        assert_eq!(store.dump().await.unwrap(), sqlite);
        insta::assert_debug_snapshot!("stats", store.stats(ANA).await.unwrap());
        store.integrity().await.unwrap();
    })
    .await;
    insta::assert_debug_snapshot!("stats", store.stats(ANA).await.unwrap());
    store.integrity().await.unwrap();
}

/// Texts of any kind, some of which share words.
fn any_texts() -> impl Strategy<Value = Vec<String>> {
    let word = prop_oneof!["(plan|Plans|planned|é|deploy-ed|C\\+\\+|a@b.c|東京|\u{0}|the)", any::<String>(), "\\PC{0,6}"];
    prop::collection::vec(prop::collection::vec(word, 1..5).prop_map(|words| words.join(" ")), 4..9)
}

/// For each text as a query, what is found, by text.
async fn found(ports: &Ports, texts: &[String]) -> Vec<Vec<String>> {
    let mut answers = vec![];
    for text in texts {
        let (user, text) = (ANA, text.clone());
        let query = SearchQuery {
            user,
            text,
            platforms: vec![],
            resources: vec![],
            author: None,
            within: None,
            at: minute(0),
            limit: 99,
        };
        let ids: Vec<_> = ports.search.search(&query).await.unwrap().iter().map(|it| it.id).collect();
        let mut items: Vec<_> = ports.content.find(ANA, &ids).await.unwrap().into_iter().map(|it| it.item_id).collect();
        items.sort();
        answers.push(items);
    }
    answers
}

#[tokio::test]
async fn any_text_is_kept_and_found_alike_on_both_back_ends() {
    let sqlite = ports(SqlStore::in_memory().await.unwrap());
    with_postgres(|url| async move {
        let store = SqlStore::connect(&url).await.unwrap();
        store.migrate().await.unwrap();
        let postgres = ports(store);
        let mut runner = TestRunner::deterministic();
        for _ in 0..40 {
            let texts = any_texts().new_tree(&mut runner).unwrap().current();
            for ports in [&sqlite, &postgres] {
                import(ports, texts.iter().map(|text| message(text, text)).collect(), 1).await;
            }
            let (left, right) = (found(&sqlite, &texts).await, found(&postgres, &texts).await);
            assert_eq!(left, right, "{texts:?}");
            for (text, items) in texts.iter().zip(left) {
                let is_itself = items.contains(&text.replace('\0', "\u{fffd}"));
                assert!(is_itself || (items.is_empty() && !text.contains(|ch: char| ch.is_ascii_alphanumeric())), "{text:?}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_store_in_memory_is_there_at_once_and_gone_when_closed() {
    let store = SqlStore::in_memory().await.unwrap();
    let ports = ports(store.clone());
    live(&ports, vec![message("1", "x")], 1).await;
    assert_eq!(ports.content.coverage(ANA, &[channel()]).await.unwrap().len(), 1);
    store.close().await;
    assert!(ports.content.coverage(ANA, &[]).await.unwrap_err().is_transient());
}

/// The row of a version that waits for a person.
async fn staged_row(store: &SqlStore) -> String {
    let ports = ports(store.clone());
    let version = verified_version(&ports).await;
    ports.versions.advance(staged(version.id)).await.unwrap();
    store.dump().await.unwrap().into_iter().find(|it| it.starts_with("deliverable_versions ")).unwrap()
}

#[tokio::test]
async fn a_staged_version_knows_since_when_it_waits() {
    let (store, _folder) = sqlite_file().await;
    let row = staged_row(&store).await;
    assert!(row.contains("\"staged_at\":\"") && row.contains("\"delivered_at\":null"), "{row}");
    with_postgres(|url| async move {
        let store = SqlStore::connect(&url).await.unwrap();
        store.migrate().await.unwrap();
        let row = staged_row(&store).await;
        assert!(row.contains("\"staged_at\":\"") && row.contains("\"delivered_at\":null"), "{row}");
    })
    .await;
}

/// Who records material waits then for a lock that this test has, with the rows of content already locked.
const WAIT_WHILE_GATHERING: &str = "create function wait_here() returns trigger language plpgsql as \
    'begin perform pg_advisory_xact_lock(7); return new; end'; \
    create trigger wait_here after insert on version_material for each row execute function wait_here(); \
    select pg_advisory_lock(7)";
const WAITING: &str = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";

/// Returns when so many wait for a lock.
async fn until_waiting(count: i64, watch: &mut PgConnection) {
    while sqlx::query_scalar::<_, i64>(WAITING).fetch_one(&mut *watch).await.unwrap() < count {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_run_gathers_at_that_moment_is_kept_when_a_version_is_rejected() {
    with_postgres(|url| async move {
        let store = SqlStore::connect(&url).await.unwrap();
        store.migrate().await.unwrap();
        let ports = ports(store);
        let item = message("1", "x");
        let id = item.id;
        live(&ports, vec![item.clone()], 1).await;
        let version = staged_on(&ports, &[id]).await;
        let (mut holds, mut watch) = (PgConnection::connect(&url).await.unwrap(), PgConnection::connect(&url).await.unwrap());
        sqlx::raw_sql(WAIT_WHILE_GATHERING).execute(&mut holds).await.unwrap();
        let (gathers, rejects) = (ports.clone(), ports.clone());
        let gathers = tokio::spawn(async move { opened_with(&gathers, &[&item]).await });
        until_waiting(1, &mut watch).await;
        let rejects =
            tokio::spawn(async move { rejects.versions.decide(decision(&version, VersionStatus::Rejected)).await.unwrap() });
        until_waiting(2, &mut watch).await;
        sqlx::raw_sql("select pg_advisory_unlock(7)").execute(&mut holds).await.unwrap();
        gathers.await.unwrap();
        assert_eq!(rejects.await.unwrap().status, VersionStatus::Rejected);
        assert!(row(&ports, id).await.retained, "the run that has just begun is written from it");
    })
    .await;
}

/// Calls of versions that are gone, of which only what they cost is left.
const LEFT: &str = "select count(*) from model_calls where version_id is null and deliverable_id is not null \
    and spent_micro_usd = 31 and input_tokens = 1000 and request is null and response is null";

async fn answered_call(store: SqlStore) -> Ports {
    let ports = ports(store);
    let version = opened(&ports).await;
    let call = reserved(&ports, call(account(&version), 70)).await;
    ports.model_ledger.settle(ANA, call, answered(31), minute(9)).await.unwrap();
    assert!(calls_of(&ports, version.id).await[0].response.is_some());
    ports
}

#[tokio::test]
async fn what_was_asked_and_answered_goes_with_its_version() {
    let (store, folder) = sqlite_file().await;
    answered_call(store).await;
    let mut raw = SqliteConnection::connect(&file_url(&folder)).await.unwrap();
    sqlx::query("delete from deliverable_versions").execute(&mut raw).await.unwrap();
    assert_eq!(sqlx::query_scalar::<_, i64>(LEFT).fetch_one(&mut raw).await.unwrap(), 1);
    with_postgres(|url| async move {
        let store = SqlStore::connect(&url).await.unwrap();
        store.migrate().await.unwrap();
        answered_call(store).await;
        let mut raw = PgConnection::connect(&url).await.unwrap();
        sqlx::query("delete from deliverable_versions").execute(&mut raw).await.unwrap();
        assert_eq!(sqlx::query_scalar::<_, i64>(LEFT).fetch_one(&mut raw).await.unwrap(), 1);
    })
    .await;
}
