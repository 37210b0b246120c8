//! What the contract cannot say of connections: what stands in the rows, what keys open, and rows of older installations.
#![cfg(all(feature = "sqlite", feature = "postgres"))]
#![expect(clippy::unwrap_used, reason = "tests panic when something is amiss")]
#![expect(clippy::disallowed_methods, reason = "tests find their Postgres by an environment variable")]

mod common;

use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};
use yarnnn_core::StoreError;
use yarnnn_core::activity::ActivityKind;
use yarnnn_core::connections::{ConnectionChange, ConnectionStatus, Provider};
use yarnnn_core::contract::Ports;
use yarnnn_core::contract::connection_fixtures::{account, both, connected, secrets, take, taken};
use yarnnn_core::contract::fixtures::{
    ANA, begin, ben, channel, everything, first_page, fresh, line, live, message, minute, texts,
};
use yarnnn_core::id::{ConnectionId, UserId};
use yarnnn_core::sdk::Stores;
use yarnnn_core::sync::{BeginRun, PageCommit, RunMode};
use yarnnn_store::{SealKeys, SqlStore};

use common::{file_url, ports, sqlite_file, with_postgres};

/// Key and token of the Fernet specification (`generate.json`), whose text is `hello`.
const FERNET_KEY: &str = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
const FERNET_TOKEN: &str = "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==";

async fn raw(folder: &tempfile::TempDir) -> SqliteConnection {
    SqliteConnection::connect(&file_url(folder)).await.unwrap()
}

async fn execute(raw: &mut SqliteConnection, sql: &str) {
    sqlx::query(AssertSqlSafe(sql)).execute(raw).await.unwrap();
}

async fn scalar<T>(raw: &mut SqliteConnection, sql: &str) -> T
where
    T: Send + Unpin + for<'r> sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
{
    sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(raw).await.unwrap()
}

/// The ports of a store with these keys.
fn sealed_by(store: &SqlStore, setting: &str) -> Ports {
    let keys = SealKeys::parse(setting).unwrap();
    Ports::new(Stores::of(store.clone().with_seal(keys)), Ports::clock())
}

/// Puts a row in as an older installation would have.
async fn older_row(raw: &mut SqliteConnection, platform: &str, status: &str, created: &str, metadata: &str) -> ConnectionId {
    let id = fresh();
    let landscape =
        r#"{"resources": [{"id": "INBOX", "name": "Inbox", "type": "label", "metadata": {}}], "selected_sources": ["INBOX"]}"#;
    execute(
        raw,
        &format!(
            "insert into platform_connections (id, user_id, platform, status, credentials_encrypted, refresh_token_encrypted, \
            metadata, landscape, created_at, updated_at) values ('{id}', '{ANA}', '{platform}', '{status}', '{FERNET_TOKEN}', \
            '{FERNET_TOKEN}', '{metadata}', '{landscape}', '{created}', '{created}')"
        ),
    )
    .await;
    ConnectionId::from_uuid(id)
}

#[tokio::test]
async fn a_sealed_value_cannot_be_moved() {
    let (store, folder) = sqlite_file().await;
    let (ports, mut raw) = (ports(store), raw(&folder).await);
    let ben = ben(&ports).await;
    let google = connected(&ports, "ana@example.com").await;
    let slack = ports.connections.connect(account(ANA, Provider::Slack, "T1")).await.unwrap().connection;
    let bens = ports.connections.connect(account(ben, Provider::Google, "ben@example.com")).await.unwrap().connection;
    let from = |field: &str| format!("(select {field} from platform_connections where id = '{}')", google.id);
    let moves = [
        (slack.clone(), "credentials_encrypted", from("credentials_encrypted")),
        (slack, "refresh_token_encrypted", from("refresh_token_encrypted")),
        (bens.clone(), "credentials_encrypted", from("credentials_encrypted")),
        (google.clone(), "refresh_token_encrypted", from("credentials_encrypted")),
        (google.clone(), "credentials_encrypted", from("refresh_token_encrypted")),
    ];
    for (to, field, value) in moves {
        let was: String = scalar(&mut raw, &format!("select {field} from platform_connections where id = '{}'", to.id)).await;
        execute(&mut raw, &format!("update platform_connections set {field} = {value} where id = '{}'", to.id)).await;
        let error = ports.credentials.credentials(to.user, to.id).await.unwrap_err();
        assert!(matches!(error, StoreError::Corrupt { .. }) && !error.to_string().contains("of ana"), "{error}");
        assert!(ports.credentials.take_refresh(&take(&to)).await.is_err());
        execute(&mut raw, &format!("update platform_connections set {field} = '{was}' where id = '{}'", to.id)).await;
        ports.credentials.credentials(to.user, to.id).await.unwrap();
    }
    execute(&mut raw, &format!("delete from platform_connections where id = '{}'", bens.id)).await;
    execute(&mut raw, &format!("update platform_connections set user_id = '{ben}' where id = '{}'", google.id)).await;
    assert!(matches!(ports.credentials.credentials(ben, google.id).await, Err(StoreError::Corrupt { .. })));
}

#[tokio::test]
async fn no_secret_stands_in_the_file() {
    let (store, folder) = sqlite_file().await;
    let (ports, key) = (ports(store.clone()), "sk-this-is-a-secret");
    let mut new = account(ANA, Provider::Google, "ana@example.com");
    new.credentials = secrets(&format!("{key}-access"), &format!("{key}-refresh"));
    let connection = ports.connections.connect(new).await.unwrap().connection;
    let first = take(&connection);
    taken(&ports, &first).await;
    ports.credentials.replace(&first, secrets(&format!("{key}-2"), &format!("{key}-3"))).await.unwrap();
    let state = ports.oauth_states.issue(ANA, Provider::Google, minute(0)).await.unwrap();
    let dump = store.dump().await.unwrap().join("\n");
    assert!(dump.contains("<sealed>") && !dump.contains(key) && !dump.contains("v1:"));
    assert!(!format!("{store:?}{connection:?}").contains(key));
    store.close().await;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        for secret in [key, state.as_str()] {
            assert!(!bytes.windows(secret.len()).any(|it| it == secret.as_bytes()));
        }
    }
}

#[tokio::test]
async fn without_a_key_only_what_needs_credentials_is_locked() {
    let (store, _folder) = sqlite_file().await;
    let connection = connected(&ports(store.clone()), "ana@example.com").await;
    let locked = Ports::new(Stores::of(store), Ports::clock());
    let take = take(&connection);
    let errors = [
        locked.connections.connect(account(ANA, Provider::Slack, "T1")).await.map(|_| ()),
        locked.credentials.credentials(ANA, connection.id).await.map(|_| ()),
        locked.credentials.take_refresh(&take).await.map(|_| ()),
        locked.credentials.replace(&take, secrets("a", "r")).await.map(|_| ()),
    ];
    for error in errors {
        let error = error.unwrap_err();
        assert!(
            matches!(error, StoreError::Locked { .. }) && error.to_string().contains("INTEGRATION_ENCRYPTION_KEY"),
            "{error}"
        );
    }
    assert_eq!(locked.connections.connections(ANA).await.unwrap().len(), 1);
    assert_eq!(locked.connections.live(None, 9).await.unwrap().len(), 1);
    locked.connections.save(ConnectionChange::of(&connection, minute(1))).await.unwrap();
    locked.credentials.give_up(&take).await.unwrap();
    let farewell = line(ActivityKind::IntegrationDisconnected, fresh(), "Disconnected");
    assert_eq!(locked.connections.disconnect(ANA, Provider::Google, farewell, minute(2)).await.unwrap(), Some(0));
}

#[tokio::test]
async fn keys_change_without_a_new_sign_in() {
    let (store, folder) = sqlite_file().await;
    let (old, new) = (SealKeys::generate(), SealKeys::generate());
    let connection = connected(&sealed_by(&store, &old), "a").await;
    let strange = sealed_by(&store, &new).credentials.credentials(ANA, connection.id).await.unwrap_err();
    assert!(
        matches!(strange, StoreError::Locked { .. }) && strange.to_string().contains("INTEGRATION_ENCRYPTION_KEY"),
        "{strange}"
    );
    let turning = sealed_by(&store, &format!("{new},{old}"));
    let first = take(&connection);
    assert_eq!(both(&taken(&turning, &first).await).0.as_deref(), Some("access of a"));
    turning.credentials.replace(&first, secrets("a2", "")).await.unwrap();
    let stored = sealed_by(&store, &new).credentials.credentials(ANA, connection.id).await.unwrap();
    assert_eq!(both(&stored), (Some("a2".to_owned()), Some("refresh of a".to_owned())));
    let refresh: String = scalar(&mut raw(&folder).await, "select refresh_token_encrypted from platform_connections").await;
    assert!(refresh.starts_with("v1:"), "{refresh}");
}

#[tokio::test]
async fn what_fernet_sealed_is_read_and_sealed_anew() {
    let (store, folder) = sqlite_file().await;
    let mut raw = raw(&folder).await;
    let id = older_row(&mut raw, "gmail", "connected", "2025-01-01T00:00:00.000000Z", r#"{"email": "ana@example.com"}"#).await;
    let ports = sealed_by(&store, &format!("{},{FERNET_KEY}", SealKeys::generate()));
    let hello = Some("hello".to_owned());
    assert_eq!(both(&ports.credentials.credentials(ANA, id).await.unwrap()), (hello.clone(), hello.clone()));
    let connection = ports.connections.connections(ANA).await.unwrap().remove(0);
    let first = take(&connection);
    taken(&ports, &first).await;
    ports.credentials.replace(&first, secrets("a2", "")).await.unwrap();
    assert_eq!(both(&ports.credentials.credentials(ANA, id).await.unwrap()), (Some("a2".to_owned()), hello));
    for field in ["credentials_encrypted", "refresh_token_encrypted"] {
        let stored: String = scalar(&mut raw, &format!("select {field} from platform_connections")).await;
        assert!(stored.starts_with("v1:"), "{stored}");
    }
    let others = sealed_by(&store, &SealKeys::generate());
    assert!(matches!(others.credentials.credentials(ANA, id).await, Err(StoreError::Locked { .. })));
}

#[tokio::test]
async fn rows_of_older_installations_are_googles() {
    let (store, folder) = sqlite_file().await;
    let (ports, mut raw) = (ports(store), raw(&folder).await);
    let mail = older_row(&mut raw, "gmail", "connected", "2025-01-01T00:00:00.000000Z", r#"{"email": "ana@example.com"}"#).await;
    older_row(&mut raw, "linkedin", "active", "2025-01-01T00:00:00.000000Z", "{}").await;
    let found = ports.connections.connections(ANA).await.unwrap();
    assert_eq!(
        (found.len(), found[0].id, found[0].provider, found[0].status),
        (1, mail, Provider::Google, ConnectionStatus::Active)
    );
    assert_eq!(found[0].landscape.selected, ["gmail:INBOX".parse().unwrap()]);
    assert_eq!(ports.connections.live(None, 9).await.unwrap(), [Ok(found[0].clone())]);
    let newer = older_row(&mut raw, "google", "expired", "2025-06-01T00:00:00.000000Z", r#"{"email": "ana@example.com"}"#).await;
    assert_eq!(ports.connections.connections(ANA).await.unwrap()[0].id, newer);
    assert_eq!(ports.connections.live(None, 9).await.unwrap(), []);
    live(&ports, vec![message("1", "Slack's")], 1).await;
    let done = ports.connections.connect(account(ANA, Provider::Google, "ana@example.com")).await.unwrap();
    assert_eq!((done.connection.id, done.replaced, done.purged), (newer, true, 0));
    assert_eq!(done.connection.epoch, 1, "known by the provider's own key, it is the same account");
    let rows: i64 = scalar(&mut raw, "select count(*) from platform_connections where platform <> 'linkedin'").await;
    let settings: String =
        scalar(&mut raw, "select platform || settings from platform_connections where platform <> 'linkedin'").await;
    assert_eq!((rows, settings.as_str()), (1, "google{}"));
}

/// One bad entry costs that entry, one bad row that row: the others are read, and the person can connect again or disconnect.
#[tokio::test]
async fn what_cannot_be_read_stops_nobody() {
    let (store, folder) = sqlite_file().await;
    let (ports, mut raw) = (ports(store), raw(&folder).await);
    let ben = ben(&ports).await;
    let bens = ports.connections.connect(account(ben, Provider::Slack, "T1")).await.unwrap().connection;
    let row = older_row(&mut raw, "gmail", "active", "2025-01-01T00:00:00.000000Z", "{}").await;
    let set = |sql: &str| format!("update platform_connections set {sql} where id = '{row}'");
    let entry = |name: &str, kind: &str| format!(r#"{{"id": "INBOX", "name": {name}, "type": "{kind}"}}"#);
    let inbox = vec!["gmail:INBOX".parse().unwrap()];
    for (landscape, expected) in [
        ("null".to_owned(), vec![]),
        ("[]".to_owned(), vec![]),
        (r#"{"resources": null, "selected_sources": 7}"#.to_owned(), vec![]),
        (format!(r#"{{"resources": [{}], "selected_sources": ["INBOX", null]}}"#, entry("null", "label")), inbox.clone()),
        (
            format!(
                r#"{{"resources": [{}, {}, 5], "selected_sources": [{}, {}]}}"#,
                entry("\"a\"", "thread"),
                entry("\"b\"", "label"),
                entry("null", "label"),
                entry("\"x\"", "thread")
            ),
            inbox,
        ),
    ] {
        execute(&mut raw, &set(&format!("landscape = '{landscape}'"))).await;
        let read = ports.connections.connections(ANA).await.unwrap().remove(0);
        assert_eq!(read.landscape.selected, expected, "{landscape}");
    }
    for broken in ["metadata = '{'", "metadata = '{}', landscape = '{'", "landscape = null, created_at = 'once'"] {
        execute(&mut raw, &set(broken)).await;
        let mut live = ports.connections.live(None, 9).await.unwrap();
        live.sort_by_key(Result::is_ok);
        assert_eq!((live[0].as_ref().unwrap_err().id, live[1].as_ref()), (row, Ok(&bens)), "{broken}");
        assert_eq!(live.len(), 2);
    }
    let done = ports.connections.connect(account(ANA, Provider::Google, "ana@example.com")).await.unwrap();
    assert_eq!(ports.connections.connections(ANA).await.unwrap(), std::slice::from_ref(&done.connection));
    execute(&mut raw, "update platform_connections set created_at = 'once'").await;
    let farewell = line(ActivityKind::IntegrationDisconnected, fresh(), "Disconnected");
    assert_eq!(ports.connections.disconnect(ANA, Provider::Google, farewell, minute(2)).await.unwrap(), Some(0));
    assert_eq!(scalar::<i64>(&mut raw, "select count(*) from platform_connections").await, 1);
}

#[tokio::test]
async fn settings_outlive_another_account() {
    let (store, folder) = sqlite_file().await;
    let (ports, mut raw) = (ports(store), raw(&folder).await);
    older_row(&mut raw, "gmail", "active", "2025-01-01T00:00:00.000000Z", r#"{"designated_email": "team@example.com"}"#).await;
    execute(&mut raw, r#"update platform_connections set settings = '{"digest": true}'"#).await;
    let done = ports.connections.connect(account(ANA, Provider::Google, "ana@example.com")).await.unwrap();
    assert_eq!(done.connection.metadata.get("designated_email"), None, "it was said of the former account");
    let row: String = scalar(&mut raw, "select platform || settings from platform_connections").await;
    assert_eq!(row, r#"google{"digest": true}"#);
}

#[tokio::test]
async fn a_program_that_dies_in_a_rebuild_leaves_no_trace() {
    let (store, folder) = sqlite_file().await;
    let mut raw = raw(&folder).await;
    let first = ports(store.clone());
    live(&first, vec![message("1", "old")], 1).await;
    connected(&first, "a").await;
    let (resource, resource_name, mode) = (channel(), "#general".to_owned(), RunMode::Rebuild);
    let run = BeginRun { user: ANA, resource, resource_name, mode, connection: None, at: minute(0) };
    for _ in 0..2 {
        let run = first.content.begin(run.clone()).await.unwrap();
        let page = PageCommit { gone: vec!["1".to_owned()], ..first_page(&run, vec![message("2", "new")], 2) };
        first.content.commit(page).await.unwrap();
        let kept: i64 = scalar(&mut raw, "select count(*) from content_shadow").await;
        assert_eq!(kept, 1, "only the newest run's");
    }
    store.close().await;
    let second = ports(SqlStore::connect(&file_url(&folder)).await.unwrap());
    assert_eq!(texts(&second, &everything(ANA)).await, ["old"]);
    begin(&second, ANA, &channel()).await;
    assert_eq!(scalar::<i64>(&mut raw, "select count(*) from content_shadow").await, 0);
}

/// The migrations of a dialect up to number 7.
async fn released(dialect: &str) -> Migrator {
    let (all, some) =
        (std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(dialect), tempfile::tempdir().unwrap());
    for entry in std::fs::read_dir(all).unwrap().map(Result::unwrap) {
        if entry.file_name().to_str().unwrap() < "0008" {
            std::fs::copy(entry.path(), some.path().join(entry.file_name())).unwrap();
        }
    }
    Migrator::new(some.path()).await.unwrap()
}

const OLDER_LINE: &str = "insert into activity_log (id, user_id, event_type, event_ref, summary, created_at) \
    select '00000000-0000-4000-8000-00000000000a', id, 'platform_synced', id, 'before', '2026-01-02T00:00:00.000000Z' from users";
const OLDER_CONNECTION: &str = "insert into platform_connections (id, user_id, platform, created_at, updated_at) \
    select id, id, 'slack', '2026-01-02T00:00:00.000000Z', '2026-01-02T00:00:00.000000Z' from users";

/// A migrated database holds what it held, and takes what it takes now.
async fn holds_what_it_held(store: SqlStore) {
    store.migrate().await.unwrap();
    let ports = ports(store);
    let known = ports.connections.connections(ANA).await.unwrap().remove(0);
    assert_eq!((known.provider, known.version), (Provider::Slack, 1));
    connected(&ports, "a").await;
    let lines = ports.activity.recent(UserId::LOCAL, 9).await.unwrap();
    let mut told: Vec<_> = lines.iter().map(|it| (it.kind, it.summary.as_str())).collect();
    told.sort_by_key(|it| it.1);
    assert_eq!(told, [(ActivityKind::IntegrationConnected, "Connected"), (ActivityKind::PlatformSynced, "before")]);
}

#[tokio::test]
async fn a_database_of_the_version_before_keeps_its_rows() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqlStore::connect(&file_url(&folder)).await.unwrap();
    let mut sqlite = raw(&folder).await;
    released("sqlite").await.run(&mut sqlite).await.unwrap();
    for sql in [OLDER_LINE, OLDER_CONNECTION] {
        execute(&mut sqlite, sql).await;
    }
    holds_what_it_held(store).await;
    with_postgres(|url| async move {
        let mut postgres = sqlx::PgConnection::connect(&url).await.unwrap();
        released("postgres").await.run(&mut postgres).await.unwrap();
        for sql in [OLDER_LINE, OLDER_CONNECTION] {
            let sql =
                sql.replace("'00000000-0000-4000-8000-00000000000a'", "cast('00000000-0000-4000-8000-00000000000a' as uuid)");
            let sql = sql.replace("'2026-01-02T00:00:00.000000Z'", "cast('2026-01-02' as timestamptz)");
            sqlx::query(AssertSqlSafe(sql)).execute(&mut postgres).await.unwrap();
        }
        postgres.close().await.unwrap();
        holds_what_it_held(SqlStore::connect(&url).await.unwrap()).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_time_is_the_databases_own() {
    with_postgres(|url| async move {
        let keys = SealKeys::parse(&SealKeys::generate()).unwrap();
        let store = SqlStore::connect(&url).await.unwrap().with_seal(keys);
        store.migrate().await.unwrap();
        let ports = Ports::new(Stores::of(store), Ports::clock());
        let connection = connected(&ports, "a").await;
        taken(&ports, &take(&connection)).await;
        let mut raw = sqlx::PgConnection::connect(&url).await.unwrap();
        let ahead: bool = sqlx::query_scalar(
            "select refresh_until between clock_timestamp() and clock_timestamp() + interval '30 seconds' from platform_connections",
        )
        .fetch_one(&mut raw)
        .await
        .unwrap();
        assert!(ahead);
    })
    .await;
}

/// Of a stored secret only its bytes count: how old it is, or would be, says nothing.
#[tokio::test]
async fn the_vectors_of_the_fernet_specification_open_or_fail_as_it_says_but_for_their_age() {
    #[expect(clippy::disallowed_methods, reason = "a developer says where the vectors are, which may not be kept here")]
    let Some(vectors) = std::env::var_os("YARNNN_CONFORMANCE_DIR") else {
        eprintln!("YARNNN_CONFORMANCE_DIR is not set: of the Fernet vectors only the one that stands in this file was read");
        return;
    };
    let (store, folder) = sqlite_file().await;
    let mut raw = raw(&folder).await;
    let id = older_row(&mut raw, "gmail", "connected", "2025-01-01T00:00:00.000000Z", r#"{"email": "ana@example.com"}"#).await;
    let mut read = 0;
    for file in ["generate.json", "verify.json", "invalid.json"] {
        let text = std::fs::read(std::path::Path::new(&vectors).join("fernet").join(file)).unwrap();
        for vector in serde_json::from_slice::<Vec<serde_json::Value>>(&text).unwrap() {
            let (token, secret) = (vector["token"].as_str().unwrap(), vector["secret"].as_str().unwrap());
            let described = vector["desc"].as_str().unwrap_or_default();
            execute(&mut raw, &format!("update platform_connections set credentials_encrypted = '{token}'")).await;
            let ports = sealed_by(&store, &format!("{},{secret}", SealKeys::generate()));
            let opened = ports.credentials.credentials(ANA, id).await.ok().and_then(|it| both(&it).0);
            let is_whole = file != "invalid.json" || described.contains("expired") || described.contains("clock skew");
            assert_eq!(opened.is_some(), is_whole, "{file}: {described}");
            assert!(vector["src"].as_str().is_none_or(|it| opened.as_deref() == Some(it)), "{file}: {opened:?}");
            read += 1;
        }
    }
    assert_eq!(read, 10);
}
