//! Keys on both back-ends: what they open, and what is sealed anew when it is used.
#![cfg(all(feature = "sqlite", feature = "postgres"))]
#![expect(clippy::unwrap_used, reason = "tests panic when something is amiss")]
#![expect(clippy::disallowed_methods, reason = "tests find their Postgres by an environment variable")]

#[expect(dead_code, reason = "every test program uses its own part")]
mod common;

use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};
use yarnnn_core::StoreError;
use yarnnn_core::connections::Provider;
use yarnnn_core::contract::Ports;
use yarnnn_core::contract::connection_fixtures::{account, both, connected, secrets, take};
use yarnnn_core::contract::fixtures::ANA;
use yarnnn_core::sdk::Stores;
use yarnnn_store::{SealKeys, SqlStore};

use common::{file_url, sqlite_file, with_postgres};

/// Key and token of the Fernet specification (`generate.json`), whose text is `hello`.
const FERNET_KEY: &str = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
const FERNET_TOKEN: &str = "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==";
const SECRETS: &str = "select coalesce(credentials_encrypted, '') || ' ' || coalesce(refresh_token_encrypted, '') \
    from platform_connections order by id";

/// A store, and its rows as they stand there.
struct Bench {
    store: SqlStore,
    url: String,
}

/// Runs a test on a fresh store of each back-end.
async fn on_both(test: impl AsyncFn(&Bench)) {
    let (store, folder) = sqlite_file().await;
    test(&Bench { store, url: file_url(&folder) }).await;
    with_postgres(|url| async {
        let store = SqlStore::connect(&url).await.unwrap();
        store.migrate().await.unwrap();
        test(&Bench { store, url }).await;
    })
    .await;
}

impl Bench {
    /// The ports with these keys.
    fn with(&self, keys: &str) -> Ports {
        Ports::new(Stores::of(self.store.clone().with_seal(SealKeys::parse(keys).unwrap())), Ports::clock())
    }

    async fn change(&self, sql: &str) {
        let sql = AssertSqlSafe(sql.to_owned());
        if self.url.starts_with("sqlite") {
            sqlx::query(sql).execute(&mut SqliteConnection::connect(&self.url).await.unwrap()).await.unwrap();
        } else {
            sqlx::query(sql).execute(&mut PgConnection::connect(&self.url).await.unwrap()).await.unwrap();
        }
    }

    /// The sealed values, access and refresh token, of each connection.
    async fn secrets(&self) -> Vec<String> {
        if self.url.starts_with("sqlite") {
            sqlx::query_scalar(SECRETS).fetch_all(&mut SqliteConnection::connect(&self.url).await.unwrap()).await.unwrap()
        } else {
            sqlx::query_scalar(SECRETS).fetch_all(&mut PgConnection::connect(&self.url).await.unwrap()).await.unwrap()
        }
    }

    async fn seal_with_fernet(&self) {
        self.change(&format!("update platform_connections set credentials_encrypted = '{FERNET_TOKEN}'")).await;
    }

    /// What trying the keys says, if it is that none opens anything.
    async fn locked(&self, keys: &str) -> Option<String> {
        match self.with(keys).credentials.try_keys().await {
            Ok(()) => None,
            Err(error @ StoreError::Locked { .. }) => Some(error.to_string()),
            Err(error) => panic!("{error}"),
        }
    }
}

/// A connection whose tokens do not end, as Notion's.
async fn lasting(ports: &Ports) -> yarnnn_core::connections::Connection {
    let mut new = account(ANA, Provider::Notion, "a");
    new.credentials = yarnnn_core::connections::Credentials { expires_at: None, ..secrets("hello", "") };
    ports.connections.connect(new).await.unwrap().connection
}

#[tokio::test]
async fn what_never_ends_is_sealed_anew_when_it_is_used() {
    on_both(async |bench| {
        let (old, new) = (SealKeys::generate(), SealKeys::generate());
        let connection = lasting(&bench.with(&old)).await;
        let hello = (Some("hello".to_owned()), None);
        for (before, is_fernet) in [(old.as_str(), false), (FERNET_KEY, true)] {
            if is_fernet {
                bench.seal_with_fernet().await;
            }
            let was = bench.secrets().await;
            let ports = bench.with(&format!("{new},{before}"));
            let read = ports.credentials.credentials(ANA, connection.id).await.unwrap();
            assert_eq!((both(&read), read.generation), (hello.clone(), 1));
            let now = bench.secrets().await;
            assert!(now != was && now[0].starts_with("v1:") && now[0].ends_with(' '), "what is none stays none: {now:?}");
            let alone = bench.with(&new);
            assert_eq!(both(&alone.credentials.credentials(ANA, connection.id).await.unwrap()), hello, "the older key can go");
            assert_eq!(bench.secrets().await, now, "once is enough");
            assert_eq!(alone.connections.connections(ANA).await.unwrap()[0], connection, "the row is as others read it");
        }
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_opened_stays_as_it_is() {
    on_both(async |bench| {
        let connection = lasting(&bench.with(&SealKeys::generate())).await;
        for _ in 0..2 {
            let was = bench.secrets().await;
            assert!(bench.with(&SealKeys::generate()).credentials.credentials(ANA, connection.id).await.is_err());
            assert_eq!(bench.secrets().await, was);
            bench.seal_with_fernet().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_others_bought_meanwhile_is_not_sealed_over() {
    with_postgres(|url| async move {
        let store = SqlStore::connect(&url).await.unwrap();
        store.migrate().await.unwrap();
        let bench = Bench { store, url };
        let (old, new) = (SealKeys::generate(), SealKeys::generate());
        let ports = bench.with(&format!("{new},{old}"));
        let connection = connected(&bench.with(&old), "a").await;
        let was = bench.secrets().await;
        // Two, as a transaction sees who waits as it saw it first.
        let mut other = PgConnection::connect(&bench.url).await.unwrap();
        let mut watch = PgConnection::connect(&bench.url).await.unwrap();
        let bought = "update platform_connections set credentials_encrypted = 'bought', credential_generation = 1";
        sqlx::raw_sql(AssertSqlSafe(format!("begin; {bought}"))).execute(&mut other).await.unwrap();
        let read = tokio::spawn(async move { ports.credentials.credentials(ANA, connection.id).await });
        // It has read the former row, and waits for this one to be written.
        let waits =
            "select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')";
        while !sqlx::query_scalar::<_, bool>(waits).fetch_one(&mut watch).await.unwrap() {
            assert!(!read.is_finished(), "nothing was sealed anew");
        }
        sqlx::raw_sql("commit").execute(&mut other).await.unwrap();
        assert_eq!(both(&read.await.unwrap().unwrap()).0.as_deref(), Some("access of a"));
        let refresh = was[0].split_once(' ').unwrap().1;
        assert_eq!(bench.secrets().await, [format!("bought {refresh}")]);
    })
    .await;
}

#[tokio::test]
async fn keys_that_open_nothing_are_told_and_one_that_opens_something_will_do() {
    on_both(async |bench| {
        let (first, second, other) = (SealKeys::generate(), SealKeys::generate(), SealKeys::generate());
        let keyless = Ports::new(Stores::of(bench.store.clone()), Ports::clock());
        keyless.credentials.try_keys().await.unwrap();
        assert_eq!(bench.locked(&other).await, None, "nothing is connected");
        let google = connected(&bench.with(&first), "a").await;
        let said = bench.locked(&other).await.unwrap();
        assert!(said.contains("INTEGRATION_ENCRYPTION_KEY") && said.contains("it was sealed with key"), "{said}");
        assert!(matches!(keyless.credentials.try_keys().await, Err(StoreError::Locked { .. })));
        assert_eq!(bench.locked(&format!("{other},{first}")).await, None);
        bench.with(&second).connections.connect(account(ANA, Provider::Slack, "T1")).await.unwrap();
        for keys in [&first, &second] {
            assert_eq!(bench.locked(keys).await, None, "the other connection is its own business");
        }
        assert!(bench.locked(&other).await.is_some());

        // The first refresh is done by whoever has no access token yet: that one is tried then.
        bench.change("update platform_connections set credentials_encrypted = ''").await;
        assert_eq!((bench.locked(&first).await, bench.locked(&other).await.is_some()), (None, true));
        bench.seal_with_fernet().await;
        assert!(bench.locked(&first).await.unwrap().contains("older installation"));
        assert_eq!(bench.locked(FERNET_KEY).await, None);
        bench.change("update platform_connections set status = 'expired'").await;
        assert_eq!(bench.locked(&other).await, None, "what is not active has to be connected again anyway");

        bench.change("update platform_connections set status = 'connected', credentials_encrypted = null").await;
        bench.change(&format!("delete from platform_connections where platform = '{}'", Provider::Slack)).await;
        assert!(bench.locked(&second).await.is_some());
        let damaged = "update platform_connections set refresh_token_encrypted = refresh_token_encrypted || 'A'";
        bench.change(damaged).await;
        assert_eq!(bench.locked(&first).await, None, "a damaged value does not make a wrong key");
        assert!(bench.with(&first).credentials.take_refresh(&take(&google)).await.is_err());
    })
    .await;
}
