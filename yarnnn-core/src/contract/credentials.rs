//! Facts of [`CredentialStore`](crate::connections::CredentialStore). The lease is by the store's clock, which facts move.

use std::time::Duration;

use chrono::TimeDelta;
use futures::future::join_all;
use serde_json::json;

use super::Ports;
use super::connection_fixtures::{TURN, account, both, connected, object, secrets, take, taken, wait};
use super::fixtures::{ANA, ben, fresh, is_conflict, is_missing, minute};
use crate::connections::{
    Connection, ConnectionChange, Credentials, NewConnection, Provider, RefreshTurn, StoredCredentials, TakeRefresh,
};
use crate::id::ConnectionId;

async fn current(ports: &Ports, connection: &Connection) -> StoredCredentials {
    ports.credentials.credentials(connection.user, connection.id).await.unwrap()
}

/// Both texts of the credentials, and how often they were replaced.
async fn now(ports: &Ports, connection: &Connection) -> (String, String, i64) {
    let stored = current(ports, connection).await;
    let (access, refresh) = both(&stored);
    (access.unwrap_or_default(), refresh.unwrap_or_default(), stored.generation)
}

fn told(access: &str, refresh: &str, generation: i64) -> (String, String, i64) {
    (access.to_owned(), refresh.to_owned(), generation)
}

/// Secrets read back as they were given, and those that were not given are not there.
pub async fn credentials_read_back_as_they_were_given(ports: &Ports) {
    let access = "xoxb-1 “ü”\n".to_owned() + &"y".repeat(3_000);
    let new = NewConnection { credentials: secrets(&access, "1//r"), ..account(ANA, Provider::Google, "a") };
    let google = ports.connections.connect(new).await.unwrap().connection;
    let stored = current(ports, &google).await;
    assert_eq!((both(&stored), stored.generation), ((Some(access), Some("1//r".to_owned())), 1));
    assert_eq!(stored.credentials.expires_at, Some(minute(60)));
    let credentials = Credentials { access: None, refresh: None, expires_at: None };
    let metadata = object(json!({"expires_at": "2020-01-01T00:00:00Z"}));
    let new = NewConnection { credentials, metadata, ..account(ANA, Provider::Slack, "T") };
    let slack = ports.connections.connect(new).await.unwrap().connection;
    let stored = current(ports, &slack).await;
    assert_eq!((both(&stored), stored.credentials.expires_at), ((None, None), None));
}

/// Nobody reads, refreshes or replaces those of another.
pub async fn credentials_are_shown_to_their_owner(ports: &Ports) {
    let (ben, connection) = (ben(ports).await, connected(ports, "a").await);
    let mine = take(&connection);
    let theirs = TakeRefresh { user: ben, ..mine };
    assert!(is_missing(&ports.credentials.credentials(ben, connection.id).await));
    assert!(is_missing(&ports.credentials.take_refresh(&theirs).await));
    taken(ports, &mine).await;
    assert!(is_missing(&ports.credentials.replace(&theirs, secrets("stolen", "")).await));
    ports.credentials.give_up(&theirs).await.unwrap();
    assert!(wait(ports, &take(&connection)).await.is_some());
    assert!(is_missing(&ports.credentials.credentials(ANA, ConnectionId::from_uuid(fresh())).await));
}

/// Of many who ask at once, one is told to refresh, with what to refresh by; the others wait. Again and again.
pub async fn take_refresh_at_once_tells_one(ports: &Ports) {
    let connection = connected(ports, "a").await;
    // Who has a connection to the database already loses no time on the way.
    join_all((0..8).map(|_| current(ports, &connection))).await;
    for generation in 1..=12 {
        let takes: Vec<_> = (0..8).map(|_| TakeRefresh { generation, ..take(&connection) }).collect();
        let turns = join_all(takes.iter().map(|it| ports.credentials.take_refresh(it))).await;
        let turns: Vec<_> = turns.into_iter().map(Result::unwrap).collect();
        let mine = turns.iter().zip(&takes).filter_map(|(turn, take)| match turn {
            RefreshTurn::Yours(stored) => Some((stored, take)),
            _ => None,
        });
        let mine: Vec<_> = mine.collect();
        assert_eq!(mine.len(), 1, "{turns:?}");
        assert_eq!((both(mine[0].0).1.as_deref(), mine[0].0.generation), (Some("refresh of a"), generation));
        assert_eq!(turns.iter().filter(|it| matches!(it, RefreshTurn::Wait { .. })).count(), 7, "{turns:?}");
        ports.credentials.replace(mine[0].1, secrets("next", "")).await.unwrap();
    }
}

/// Others wait until the lease ends, are told for how long, and then one of them is told.
pub async fn take_refresh_waits_for_the_end_of_a_lease(ports: &Ports) {
    let connection = connected(ports, "a").await;
    taken(ports, &take(&connection)).await;
    let next = take(&connection);
    assert_eq!(wait(ports, &next).await, Some(TURN));
    ports.clock.advance(TimeDelta::seconds(29));
    assert_eq!(wait(ports, &next).await, Some(Duration::from_secs(1)));
    ports.clock.advance(TimeDelta::seconds(1));
    taken(ports, &next).await;
    assert_eq!(wait(ports, &take(&connection)).await, Some(TURN));
}

/// Who asks to replace what was replaced meanwhile is answered the newer ones, and takes no lease.
pub async fn take_refresh_of_what_was_replaced_answers_the_newer(ports: &Ports) {
    let connection = connected(ports, "a").await;
    let (first, late) = (take(&connection), take(&connection));
    taken(ports, &first).await;
    ports.credentials.replace(&first, secrets("a2", "r2")).await.unwrap();
    match ports.credentials.take_refresh(&late).await.unwrap() {
        RefreshTurn::Newer(stored) => assert_eq!((both(&stored).0.as_deref(), stored.generation), (Some("a2"), 2)),
        other => panic!("{other:?}"),
    }
    taken(ports, &TakeRefresh { generation: 2, ..take(&connection) }).await;
}

/// Turns of different connections have nothing to do with each other.
pub async fn take_refresh_keeps_connections_apart(ports: &Ports) {
    let google = connected(ports, "a").await;
    let slack = ports.connections.connect(account(ANA, Provider::Slack, "T")).await.unwrap().connection;
    taken(ports, &take(&google)).await;
    taken(ports, &take(&slack)).await;
}

/// What was bought is stored, counted and answered, and the lease is over.
pub async fn replace_stores_what_was_bought(ports: &Ports) {
    let connection = connected(ports, "a").await;
    let first = take(&connection);
    taken(ports, &first).await;
    let bought = Credentials { expires_at: Some(minute(90)), ..secrets("a2", "r2") };
    let stored = ports.credentials.replace(&first, bought).await.unwrap();
    assert_eq!((both(&stored), stored.generation), ((Some("a2".to_owned()), Some("r2".to_owned())), 2));
    assert_eq!(now(ports, &connection).await, told("a2", "r2", 2));
    assert_eq!(current(ports, &connection).await.credentials.expires_at, Some(minute(90)));
    taken(ports, &TakeRefresh { generation: 2, ..take(&connection) }).await;
}

/// A refresh token that nothing replaces stays.
pub async fn replace_keeps_the_refresh_token_when_there_is_no_new_one(ports: &Ports) {
    let connection = connected(ports, "a").await;
    let first = take(&connection);
    taken(ports, &first).await;
    let stored = ports.credentials.replace(&first, secrets("a2", "")).await.unwrap();
    assert_eq!(both(&stored), (Some("a2".to_owned()), Some("refresh of a".to_owned())));
    assert_eq!(now(ports, &connection).await, told("a2", "refresh of a", 2));
}

/// Who never had the lease, or lost it to another, replaces nothing.
pub async fn replace_needs_the_lease(ports: &Ports) {
    let connection = connected(ports, "a").await;
    let (early, late) = (take(&connection), take(&connection));
    assert!(is_conflict(&ports.credentials.replace(&early, secrets("a2", "r2")).await));
    taken(ports, &early).await;
    ports.clock.advance(TimeDelta::seconds(30));
    taken(ports, &late).await;
    assert!(is_conflict(&ports.credentials.replace(&early, secrets("stale", "stale")).await));
    assert_eq!(now(ports, &connection).await, told("access of a", "refresh of a", 1));
    ports.credentials.replace(&late, secrets("a2", "r2")).await.unwrap();
    for lost in [&early, &late] {
        assert!(is_conflict(&ports.credentials.replace(lost, secrets("stale", "stale")).await));
    }
    assert_eq!(now(ports, &connection).await, told("a2", "r2", 2));
}

/// A lease that ended and that nobody took is as good as one that lasts: what was bought must not be lost.
pub async fn replace_after_the_end_of_a_lease_that_nobody_took_counts(ports: &Ports) {
    let connection = connected(ports, "a").await;
    let first = take(&connection);
    taken(ports, &first).await;
    ports.clock.advance(TimeDelta::hours(1));
    ports.credentials.replace(&first, secrets("a2", "r2")).await.unwrap();
    assert_eq!(now(ports, &connection).await, told("a2", "r2", 2));
}

/// A connection that was made anew meanwhile keeps what it was made with.
pub async fn replace_after_a_new_connection_is_a_conflict(ports: &Ports) {
    let connection = connected(ports, "a").await;
    let first = take(&connection);
    taken(ports, &first).await;
    connected(ports, "b").await;
    assert!(is_conflict(&ports.credentials.replace(&first, secrets("of a", "of a")).await));
    assert_eq!(now(ports, &connection).await, told("access of b", "refresh of b", 2));
    taken(ports, &TakeRefresh { generation: 2, ..take(&connection) }).await;
}

/// A refresh changes nothing of the row that others have read: what they save from it is no conflict.
pub async fn replace_leaves_the_row_as_others_read_it(ports: &Ports) {
    let connection = connected(ports, "a").await;
    let first = take(&connection);
    taken(ports, &first).await;
    ports.credentials.replace(&first, Credentials { expires_at: None, ..secrets("a2", "r2") }).await.unwrap();
    let saved = ports.connections.save(ConnectionChange::of(&connection, minute(1))).await.unwrap();
    assert_eq!((saved.account_id(), saved.account_name(), saved.scopes()), (Some("a"), Some("The a"), vec!["read", "write"]));
    assert_eq!(current(ports, &connection).await.credentials.expires_at, None);
}

/// The keys that sealed what is connected are those of this store; where nothing is connected, any are.
pub async fn try_keys_opens_what_was_connected(ports: &Ports) {
    ports.credentials.try_keys().await.unwrap();
    connected(ports, "ana@example.com").await;
    ports.credentials.try_keys().await.unwrap();
}

/// Who gives up lets the next try, with the same credentials.
pub async fn give_up_lets_the_next_try(ports: &Ports) {
    let connection = connected(ports, "a").await;
    let (first, next) = (take(&connection), take(&connection));
    taken(ports, &first).await;
    ports.credentials.give_up(&first).await.unwrap();
    assert_eq!(taken(ports, &next).await.generation, 1);
    assert!(is_conflict(&ports.credentials.replace(&first, secrets("a2", "r2")).await));
    assert_eq!(now(ports, &connection).await, told("access of a", "refresh of a", 1));
}

/// Who lost the lease ends that of nobody else.
pub async fn give_up_of_a_lost_lease_changes_nothing(ports: &Ports) {
    let connection = connected(ports, "a").await;
    let (first, next) = (take(&connection), take(&connection));
    taken(ports, &first).await;
    ports.clock.advance(TimeDelta::seconds(30));
    taken(ports, &next).await;
    ports.credentials.give_up(&first).await.unwrap();
    assert_eq!(wait(ports, &take(&connection)).await, Some(TURN));
    ports.credentials.replace(&next, secrets("a2", "r2")).await.unwrap();
}
