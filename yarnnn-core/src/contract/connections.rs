//! Facts of [`ConnectionStore`](crate::connections::ConnectionStore).

use futures::future::join_all;
use serde_json::json;

use super::Ports;
use super::connection_fixtures::{account, both, connected, landscape, object, secrets};
use super::fixtures::{
    ANA, begin, ben, everything, first_page, fresh, is_conflict, is_missing, last_page, line, message, minute, opened, queued,
    resource, row, texts, verified, written,
};
use super::ledger_fixtures::{Told, account as of_version, answered, asked_about, call, calls_of, next_version, reserved, used};
use crate::activity::ActivityKind;
use crate::connections::{Connection, ConnectionChange, ConnectionStatus, Credentials, NewConnection, Provider};
use crate::deliverables::Version;
use crate::evidence::{Evidence, SentenceRecord};
use crate::hash::Sha256;
use crate::id::{ConnectionId, ContentId, UserId};
use crate::llm::CallState;
use crate::platform::Cursor;
use crate::sync::{BeginRun, Finished, Origin, PageCommit, Progress, RunHandle, RunMode};

async fn activity(ports: &Ports) -> Vec<(ActivityKind, String)> {
    ports.activity.recent(ANA, 9).await.unwrap().into_iter().map(|it| (it.kind, it.summary)).collect()
}

/// The connections of a user, by provider and account.
async fn accounts(ports: &Ports, user: UserId) -> Vec<(Provider, String)> {
    let connections = ports.connections.connections(user).await.unwrap();
    connections.into_iter().map(|it| (it.provider, it.account_id().unwrap().to_owned())).collect()
}

/// Stores one item of a resource at minute 1; answers its row.
async fn stored(ports: &Ports, user: UserId, name: &str, origin: Origin) -> ContentId {
    let new = message("1", &format!("{name} {}", origin.as_str()));
    let id = new.id;
    let run = begin(ports, user, &resource(name)).await;
    let finished = Finished { cursor: Some(Cursor::new("c1")), ..Finished::default() };
    let page = PageCommit { origin, progress: Progress::Finished(finished), ..last_page(&run, vec![new], 1) };
    ports.content.commit(page).await.unwrap();
    id
}

/// Writes a report that cites the row; with `queue` it is also retained for it.
async fn cite(ports: &Ports, cited: ContentId, queue: bool) {
    let version = opened(ports).await;
    let evidence = Evidence { content_id: cited, revision: Sha256::of("x"), start: 0, end: 1, quote: "q".to_owned() };
    let record = SentenceRecord { index: 0, text: "So it is.".to_owned(), evidence: vec![evidence] };
    ports.versions.advance(written(version.id)).await.unwrap();
    ports.versions.advance(verified(version.id, vec![record])).await.unwrap();
    if queue {
        ports.versions.advance(queued(version.id, vec![], vec![cited])).await.unwrap();
    }
}

async fn resources(ports: &Ports) -> Vec<String> {
    ports.content.coverage(ANA, &[]).await.unwrap().into_iter().map(|it| it.resource.to_string()).collect()
}

async fn exists(ports: &Ports, id: ContentId) -> bool {
    !ports.content.find(ANA, &[id]).await.unwrap().is_empty()
}

/// Content of both of Google's platforms, of another provider, of another user, and of a person's own files.
async fn everywhere(ports: &Ports) -> UserId {
    let ben = ben(ports).await;
    for name in ["gmail:INBOX", "calendar:team", "slack:C1"] {
        stored(ports, ANA, name, Origin::Live).await;
        stored(ports, ben, name, Origin::Live).await;
    }
    stored(ports, ANA, "gmail:archive", Origin::Import).await;
    ben
}

/// Versions, each with an item that its model was told of and another that it was not: a mail, a mail that is cited, an imported
/// mail, a message in Slack.
async fn told_of_everything(ports: &Ports) -> Vec<(Version, Told)> {
    let mut told = vec![];
    let mut version = opened(ports).await;
    for (name, origin, is_cited) in [
        ("gmail:INBOX", Origin::Live, false),
        ("calendar:team", Origin::Live, true),
        ("gmail:archive", Origin::Import, false),
        ("slack:C1", Origin::Live, false),
    ] {
        let item = Told { id: stored(ports, ANA, name, origin).await, platform: resource(name).platform() };
        if is_cited {
            cite(ports, item.id, true).await;
        }
        version = if told.is_empty() { version } else { next_version(ports, &version).await };
        for request in [call(of_version(&version), 70), asked_about(&version, &item)] {
            let call = reserved(ports, request).await;
            ports.model_ledger.settle(ANA, call, answered(31), minute(9)).await.unwrap();
        }
        told.push((version.clone(), item));
    }
    told
}

/// What is left of [`told_of_everything`] after Google's content is gone.
async fn only_googles_is_forgotten(ports: &Ports, told: &[(Version, Told)]) {
    for ((version, item), stays) in told.iter().zip([false, false, true, true]) {
        for call in calls_of(ports, version.id).await.into_iter().take(2) {
            assert_eq!((call.request.is_some(), call.response.is_some()), (stays, stays), "{}", item.platform);
            assert_eq!((call.state, call.usage, call.ended_at.is_some()), (CallState::Answered, used(31), true));
        }
    }
}

/// What is left of [`everywhere`] after Google's content is gone.
async fn only_googles_is_gone(ports: &Ports, ben: UserId) {
    let mut left = texts(ports, &everything(ANA)).await;
    left.sort();
    assert_eq!(left, ["gmail:archive import", "slack:C1 live"]);
    assert_eq!(resources(ports).await, ["slack:C1"]);
    assert_eq!(texts(ports, &everything(ben)).await.len(), 3);
    assert_eq!(ports.content.coverage(ben, &[]).await.unwrap().len(), 3);
}

/// A connection reads back as it was stored, and the log tells of it.
pub async fn connect_stores_what_was_given(ports: &Ports) {
    let new = NewConnection {
        metadata: object(json!({"account_name": "Ana “Á”", "scope": "a,b c", "nested": {"z": [1, 2.5, null]}})),
        ..account(ANA, Provider::Google, "ana@example.com")
    };
    let id = new.id;
    let done = ports.connections.connect(new).await.unwrap();
    assert_eq!((done.replaced, done.purged), (false, 0));
    let Connection { user, provider, status, ref last_error, last_synced_at, created_at, .. } = done.connection;
    assert_eq!((done.connection.id, user, provider, status), (id, ANA, Provider::Google, ConnectionStatus::Active));
    assert_eq!((last_error, last_synced_at, created_at), (&None, None, minute(0)));
    assert_eq!((&done.connection.landscape, done.connection.landscape_discovered_at), (&landscape(), Some(minute(0))));
    assert_eq!((done.connection.account_id(), done.connection.account_name()), (Some("ana@example.com"), Some("Ana “Á”")));
    assert_eq!(done.connection.scopes(), ["a", "b", "c"]);
    assert_eq!(done.connection.metadata["nested"], json!({"z": [1, 2.5, null]}));
    assert_eq!(ports.connections.connections(ANA).await.unwrap(), [done.connection]);
    assert_eq!(activity(ports).await, [(ActivityKind::IntegrationConnected, "Connected".to_owned())]);
}

/// Somebody who does not exist cannot connect.
pub async fn connect_needs_a_user(ports: &Ports) {
    let new = account(UserId::from_uuid(fresh()), Provider::Slack, "T1");
    assert!(is_missing(&ports.connections.connect(new).await));
}

/// The same account once more: everything that came from it stays, and it is active again.
pub async fn connect_again_with_the_same_account_keeps_everything(ports: &Ports) {
    let first = connected(ports, "ana@example.com").await;
    everywhere(ports).await;
    let (content, known) = (texts(ports, &everything(ANA)).await, resources(ports).await);
    let change = ConnectionChange {
        status: Some((ConnectionStatus::Expired, Some("connect again".to_owned()))),
        last_synced_at: Some(minute(2)),
        ..ConnectionChange::of(&first, minute(2))
    };
    ports.connections.save(change).await.unwrap();
    let again = NewConnection {
        credentials: secrets("next access", ""),
        metadata: object(json!({"scope": "read"})),
        at: minute(9),
        ..account(ANA, Provider::Google, "ana@example.com")
    };
    let done = ports.connections.connect(again).await.unwrap();
    assert_eq!((done.replaced, done.purged, done.connection.id), (true, 0, first.id));
    assert_eq!((done.connection.status, done.connection.last_error.clone()), (ConnectionStatus::Active, None));
    assert_eq!((done.connection.last_synced_at, done.connection.created_at), (Some(minute(2)), minute(0)));
    assert_eq!((done.connection.account_name(), done.connection.scopes()), (Some("The ana@example.com"), vec!["read"]));
    assert!(done.connection.version > first.version + 1);
    let kept = ports.credentials.credentials(ANA, first.id).await.unwrap();
    assert_eq!(both(&kept), (Some("next access".to_owned()), Some("refresh of ana@example.com".to_owned())));
    assert_eq!((texts(ports, &everything(ANA)).await, resources(ports).await), (content, known));
}

/// Another account: what came live from the former one goes, on all platforms of the provider, and nothing else.
pub async fn connect_of_another_account_takes_what_came_from_the_former(ports: &Ports) {
    let first = connected(ports, "ana@example.com").await;
    let ben = everywhere(ports).await;
    let change = ConnectionChange { last_synced_at: Some(minute(2)), ..ConnectionChange::of(&first, minute(2)) };
    ports.connections.save(change).await.unwrap();
    let other = NewConnection { credentials: secrets("other access", ""), ..account(ANA, Provider::Google, "ana@other.com") };
    let done = ports.connections.connect(other).await.unwrap();
    assert_eq!((done.replaced, done.purged, done.connection.id), (true, 2, first.id));
    assert_eq!((done.connection.account_id(), done.connection.last_synced_at), (Some("ana@other.com"), None));
    let kept = ports.credentials.credentials(ANA, first.id).await.unwrap();
    assert_eq!(both(&kept), (Some("other access".to_owned()), None));
    only_googles_is_gone(ports, ben).await;
}

/// What a person imported is shown again when the revisions that the former account had put in its place go, also where a report
/// cites one of those.
pub async fn connect_of_another_account_shows_what_was_imported_again(ports: &Ports) {
    connected(ports, "ana@example.com").await;
    for name in ["gmail:INBOX", "calendar:team"] {
        stored(ports, ANA, name, Origin::Import).await;
        let cited = stored(ports, ANA, name, Origin::Live).await;
        if name == "gmail:INBOX" {
            cite(ports, cited, false).await;
        }
    }
    let other = NewConnection { at: minute(20), ..account(ANA, Provider::Google, "ana@other.com") };
    assert_eq!(ports.connections.connect(other).await.unwrap().purged, 2);
    let mut shown = texts(ports, &everything(ANA)).await;
    shown.sort();
    assert_eq!(shown, ["calendar:team import", "gmail:INBOX import"]);
}

/// What reports cite is withdrawn and retained, whether the report has gone out or not.
pub async fn connect_of_another_account_withdraws_what_reports_cite(ports: &Ports) {
    connected(ports, "ana@example.com").await;
    let mut cited = vec![];
    for (name, queue) in [("gmail:INBOX", true), ("calendar:team", false)] {
        let id = stored(ports, ANA, name, Origin::Live).await;
        cite(ports, id, queue).await;
        cited.push(id);
    }
    let other = NewConnection { at: minute(20), ..account(ANA, Provider::Google, "ana@other.com") };
    assert_eq!(ports.connections.connect(other).await.unwrap().purged, 2);
    for id in cited {
        let kept = row(ports, id).await;
        assert_eq!((kept.withdrawn_at, kept.retained, kept.expires_at), (Some(minute(20)), true, None));
    }
    assert_eq!(texts(ports, &everything(ANA)).await, [""; 0]);
    let third = NewConnection { at: minute(30), ..account(ANA, Provider::Google, "ana@third.com") };
    assert_eq!(ports.connections.connect(third).await.unwrap().purged, 0, "once is enough");
}

/// A run of the former account can no longer commit, not even when the new one has begun its own.
pub async fn connect_of_another_account_fences_runs_under_way(ports: &Ports) {
    connected(ports, "ana@example.com").await;
    let early = begin(ports, ANA, &resource("gmail:INBOX")).await;
    connected(ports, "ana@other.com").await;
    assert!(is_conflict(&ports.content.commit(last_page(&early, vec![message("1", "theirs")], 1)).await));
    let late = begin(ports, ANA, &resource("gmail:INBOX")).await;
    assert_eq!(late.cursor, None);
    assert!(is_conflict(&ports.content.commit(last_page(&early, vec![message("1", "theirs")], 1)).await));
    ports.content.commit(last_page(&late, vec![message("2", "ours")], 1)).await.unwrap();
    assert_eq!(texts(ports, &everything(ANA)).await, ["ours"]);
}

/// What is read in the name of a connection is stored only while it stands for the account that was read, run by run and page
/// by page: a sync under way brings nothing of a former account back.
pub async fn runs_end_with_the_account_that_they_read(ports: &Ports) {
    let of = |connection: &Connection, name: &str| BeginRun {
        user: ANA,
        resource: resource(name),
        resource_name: name.to_owned(),
        mode: RunMode::Incremental,
        connection: Some((connection.id, connection.epoch)),
        at: minute(0),
    };
    let first = connected(ports, "ana@example.com").await;
    let early = ports.content.begin(of(&first, "gmail:INBOX")).await.unwrap();
    ports.content.commit(first_page(&early, vec![message("1", "theirs")], 1)).await.unwrap();
    assert_eq!(connected(ports, "ana@example.com").await.epoch, first.epoch, "the same account goes on");
    ports.content.commit(first_page(&early, vec![message("2", "theirs")], 1)).await.unwrap();
    let second = connected(ports, "ana@other.com").await;
    assert!(second.id == first.id && second.epoch > first.epoch);
    assert!(is_conflict(&ports.content.begin(of(&first, "calendar:team")).await), "a resource that was not begun yet");
    let late = ports.content.begin(of(&second, "gmail:INBOX")).await.unwrap();
    let stale = RunHandle { connection: early.connection, ..late.clone() };
    assert!(is_conflict(&ports.content.commit(last_page(&stale, vec![message("3", "theirs")], 1)).await));
    ports.content.commit(last_page(&late, vec![message("4", "ours")], 1)).await.unwrap();
    assert_eq!(texts(ports, &everything(ANA)).await, ["ours"]);
    let farewell = line(ActivityKind::IntegrationDisconnected, fresh(), "Disconnected");
    ports.connections.disconnect(ANA, Provider::Google, farewell, minute(20)).await.unwrap();
    assert!(is_conflict(&ports.content.begin(of(&second, "calendar:team")).await));
    assert!(is_conflict(&ports.content.commit(last_page(&late, vec![message("5", "ours")], 2)).await));
    assert_eq!((texts(ports, &everything(ANA)).await.len(), resources(ports).await.len()), (0, 0));
}

/// What models were told of the former account is forgotten with it, and nothing when the same account is connected again.
pub async fn connect_of_another_account_forgets_what_models_were_told(ports: &Ports) {
    connected(ports, "ana@example.com").await;
    let told = told_of_everything(ports).await;
    connected(ports, "ana@example.com").await;
    for (version, _) in &told {
        assert!(calls_of(ports, version.id).await.iter().all(|it| it.request.is_some()));
    }
    connected(ports, "ana@other.com").await;
    only_googles_is_forgotten(ports, &told).await;
}

/// Storing a connection is one transaction.
pub async fn connect_is_all_or_nothing(ports: &Ports) {
    let first = account(ANA, Provider::Google, "ana@example.com");
    let taken = first.activity.id;
    let first = ports.connections.connect(first).await.unwrap().connection;
    stored(ports, ANA, "gmail:INBOX", Origin::Live).await;
    let mut other = account(ANA, Provider::Google, "ana@other.com");
    other.activity.id = taken;
    assert!(is_conflict(&ports.connections.connect(other).await));
    assert_eq!(ports.connections.connections(ANA).await.unwrap(), std::slice::from_ref(&first));
    assert_eq!(texts(ports, &everything(ANA)).await, ["gmail:INBOX live"]);
    assert_eq!(ports.credentials.credentials(ANA, first.id).await.unwrap().generation, 1);
}

/// Of many who connect at once one row is left, with the secrets of the account that it names.
pub async fn connect_at_once_leaves_one_row(ports: &Ports) {
    let new = (0..6).map(|it| account(ANA, Provider::Google, &format!("{it}@example.com")));
    for done in join_all(new.map(|it| ports.connections.connect(it))).await {
        done.unwrap();
    }
    let left = ports.connections.connections(ANA).await.unwrap().pop().unwrap();
    assert_eq!(accounts(ports, ANA).await.len(), 1);
    let access = both(&ports.credentials.credentials(ANA, left.id).await.unwrap()).0;
    assert_eq!(access, Some(format!("access of {}", left.account_id().unwrap())));
}

/// Sorted by provider, whatever was connected first.
pub async fn connections_are_sorted_by_provider(ports: &Ports) {
    for provider in [Provider::Google, Provider::Slack, Provider::Notion] {
        ports.connections.connect(account(ANA, provider, "one")).await.unwrap();
    }
    let found: Vec<_> = accounts(ports, ANA).await.into_iter().map(|it| it.0).collect();
    assert!(found.is_sorted() && found.len() == 3, "{found:?}");
}

/// Everybody sees their own.
pub async fn connections_are_shown_to_their_owner(ports: &Ports) {
    let ben = ben(ports).await;
    ports.connections.connect(account(ben, Provider::Slack, "Ben's")).await.unwrap();
    ports.connections.connect(account(ANA, Provider::Slack, "Ana's")).await.unwrap();
    assert_eq!(accounts(ports, ANA).await, [(Provider::Slack, "Ana's".to_owned())]);
    assert_eq!(accounts(ports, ben).await, [(Provider::Slack, "Ben's".to_owned())]);
    assert_eq!(accounts(ports, UserId::from_uuid(fresh())).await, []);
}

/// Active connections of all users, page by page in the order of their ids.
pub async fn live_is_by_id_and_passes_over_what_is_not_active(ports: &Ports) {
    let ben = ben(ports).await;
    let mut ids = vec![];
    for (user, provider) in [(ANA, Provider::Slack), (ben, Provider::Slack), (ANA, Provider::Google), (ben, Provider::Notion)] {
        ids.push(ports.connections.connect(account(user, provider, "one")).await.unwrap().connection.id);
    }
    let expired = ports.connections.connections(ANA).await.unwrap().remove(0);
    let status = Some((ConnectionStatus::Expired, None));
    ports.connections.save(ConnectionChange { status, ..ConnectionChange::of(&expired, minute(1)) }).await.unwrap();
    ids.retain(|it| *it != expired.id);
    ids.sort();
    let live = |after, limit| async move {
        let found = ports.connections.live(after, limit).await.unwrap();
        found.into_iter().map(|it| it.unwrap().id).collect::<Vec<_>>()
    };
    assert_eq!(live(None, 9).await, ids);
    assert_eq!(live(None, 2).await, ids[..2]);
    assert_eq!(live(Some(ids[1]), 2).await, ids[2..]);
    assert_eq!(live(Some(ids[2]), 2).await, []);
}

/// What is given changes, and what is not given stays.
pub async fn save_changes_what_is_given(ports: &Ports) {
    let first = connected(ports, "ana@example.com").await;
    let nothing = ports.connections.save(ConnectionChange::of(&first, minute(1))).await.unwrap();
    assert_eq!(nothing, Connection { version: first.version + 1, ..first.clone() });
    let mut seen = landscape();
    seen.selected.clear();
    let change = ConnectionChange {
        status: Some((ConnectionStatus::Error, Some("é".repeat(600)))),
        landscape: Some(seen.clone()),
        last_synced_at: Some(minute(2)),
        activity: Some(line(ActivityKind::PlatformSynced, fresh(), "synced")),
        ..ConnectionChange::of(&nothing, minute(3))
    };
    let changed = ports.connections.save(change).await.unwrap();
    assert_eq!((changed.status, changed.last_error.clone()), (ConnectionStatus::Error, Some("é".repeat(500))));
    assert_eq!((&changed.landscape, changed.landscape_discovered_at), (&seen, Some(minute(3))));
    assert_eq!((changed.last_synced_at, &changed.metadata), (Some(minute(2)), &first.metadata));
    assert_eq!(activity(ports).await[0].1, "synced");
    let status = Some((ConnectionStatus::Active, None));
    let well = ports.connections.save(ConnectionChange { status, ..ConnectionChange::of(&changed, minute(4)) }).await.unwrap();
    assert_eq!((well.status, well.last_error.clone(), &well.landscape), (ConnectionStatus::Active, None, &seen));
    assert_eq!(ports.connections.connections(ANA).await.unwrap(), [well]);
}

/// A change of what was read before another change is a conflict, and so is one of a row that is not there or not one's own.
pub async fn save_compares_before_it_writes(ports: &Ports) {
    let (ben, first) = (ben(ports).await, connected(ports, "ana@example.com").await);
    let now = ports.connections.save(ConnectionChange::of(&first, minute(1))).await.unwrap();
    let change = || ConnectionChange {
        status: Some((ConnectionStatus::Revoked, None)),
        activity: Some(line(ActivityKind::PlatformSynced, fresh(), "too late")),
        ..ConnectionChange::of(&now, minute(2))
    };
    assert!(is_conflict(&ports.connections.save(ConnectionChange { version: first.version, ..change() }).await));
    assert!(is_conflict(&ports.connections.save(ConnectionChange { user: ben, ..change() }).await));
    let unknown = ConnectionId::from_uuid(fresh());
    assert!(is_conflict(&ports.connections.save(ConnectionChange { id: unknown, ..change() }).await));
    assert_eq!(ports.connections.connections(ANA).await.unwrap(), [now]);
    assert_eq!(activity(ports).await.len(), 1);
}

/// Of changes of the same version at once, one is written.
pub async fn save_at_once_succeeds_once(ports: &Ports) {
    let first = connected(ports, "ana@example.com").await;
    let saved = join_all((0..8).map(|it| ports.connections.save(ConnectionChange::of(&first, minute(it))))).await;
    assert_eq!(saved.iter().filter(|it| it.is_ok()).count(), 1, "{saved:?}");
    assert!(saved.iter().all(|it| it.is_ok() || is_conflict(it)), "{saved:?}");
}

/// An account of Google's is known by the id that does not change, where it is told: its address can be changed, or be another's.
pub async fn connect_knows_an_account_by_the_id_that_stays(ports: &Ports) {
    let told = |address: &str, sub: &str| {
        let mut new = account(ANA, Provider::Google, address);
        if !sub.is_empty() {
            new.metadata.insert("sub".to_owned(), sub.into());
        }
        new
    };
    let steps = [
        ("ana@example.com", "", "is new", 1),
        ("ana@example.com", "118", "only tells more", 1),
        ("ana@new.example", "118", "has another address", 1),
        ("ana@new.example", "", "tells less, and is known by its address", 1),
        ("ana@new.example", "227", "has the address of the former", 2),
    ];
    for (address, sub, what, epoch) in steps {
        let done = ports.connections.connect(told(address, sub)).await.unwrap().connection;
        assert_eq!((done.epoch, done.account_id()), (epoch, Some(address)), "an account that {what}");
    }
}

/// What was excluded of an account is excluded when it is connected again, and means nothing of another.
pub async fn connect_of_an_account_that_returns_excludes_the_same(ports: &Ports) {
    let team = landscape().resources.remove(0);
    let excluded = async || {
        let known = ports.content.coverage(ANA, &[]).await.unwrap();
        known.into_iter().filter(|it| it.excluded).map(|it| it.resource_name).collect::<Vec<_>>()
    };
    connected(ports, "ana@example.com").await;
    ports.content.exclude(ANA, &team, true, minute(1)).await.unwrap();
    let farewell = line(ActivityKind::IntegrationDisconnected, fresh(), "Disconnected");
    ports.connections.disconnect(ANA, Provider::Google, farewell, minute(2)).await.unwrap();
    for (account, names) in [("team@example.com", vec![]), ("ana@example.com", vec!["TEAM"]), ("team@example.com", vec![])] {
        connected(ports, account).await;
        assert_eq!(excluded().await, names, "{account}");
    }
    let ben = ben(ports).await;
    ports.connections.connect(account(ben, Provider::Google, "ana@example.com")).await.unwrap();
    assert!(ports.content.coverage(ben, &[]).await.unwrap().is_empty(), "everybody for themselves");
}

/// What was selected of an account is told until it is connected again.
pub async fn selected_before_is_what_the_account_had(ports: &Ports) {
    let before = async |user, account: &str| {
        let all = ports.connections.selected_before(user, Provider::Google, account).await.unwrap();
        all.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let ben = ben(ports).await;
    let chosen = ["calendar:private"];
    connected(ports, "ana@example.com").await;
    assert_eq!(before(ANA, "ana@example.com").await, [""; 0], "it is connected");
    let farewell = line(ActivityKind::IntegrationDisconnected, fresh(), "Disconnected");
    ports.connections.disconnect(ANA, Provider::Google, farewell, minute(2)).await.unwrap();
    assert_eq!(before(ANA, "ana@example.com").await, chosen);
    assert_eq!((before(ben, "ana@example.com").await, before(ANA, "team@example.com").await), (vec![], vec![]));
    connected(ports, "team@example.com").await;
    connected(ports, "ana@example.com").await;
    assert_eq!(
        (before(ANA, "ana@example.com").await, before(ANA, "team@example.com").await),
        (vec![], vec![chosen[0].to_owned()])
    );
}

/// The row, its secrets and what came from it go; the log tells of it.
pub async fn disconnect_takes_everything_along(ports: &Ports) {
    let first = connected(ports, "ana@example.com").await;
    let ben = everywhere(ports).await;
    let cited = stored(ports, ANA, "calendar:cited", Origin::Live).await;
    cite(ports, cited, true).await;
    let farewell = line(ActivityKind::IntegrationDisconnected, fresh(), "Disconnected");
    let gone = ports.connections.disconnect(ANA, Provider::Google, farewell, minute(20)).await.unwrap();
    assert_eq!(gone, Some(3));
    assert_eq!(ports.connections.connections(ANA).await.unwrap(), []);
    assert!(is_missing(&ports.credentials.credentials(ANA, first.id).await));
    assert!(exists(ports, cited).await && row(ports, cited).await.withdrawn_at == Some(minute(20)));
    only_googles_is_gone(ports, ben).await;
    assert_eq!(activity(ports).await[0], (ActivityKind::IntegrationDisconnected, "Disconnected".to_owned()));
}

/// What models were told of it and answered goes too, with all calls of those versions, and what they cost stays. What others
/// were told stays, as what was told of items that stay does.
pub async fn disconnect_forgets_what_models_were_told(ports: &Ports) {
    connected(ports, "ana@example.com").await;
    let told = told_of_everything(ports).await;
    let late = reserved(ports, asked_about(&told[0].0, &told[0].1)).await;
    let farewell = line(ActivityKind::IntegrationDisconnected, fresh(), "Disconnected");
    ports.connections.disconnect(ANA, Provider::Google, farewell, minute(20)).await.unwrap();
    ports.model_ledger.settle(ANA, late, answered(7), minute(21)).await.unwrap();
    only_googles_is_forgotten(ports, &told).await;
    let late = calls_of(ports, told[0].0.id).await.into_iter().find(|it| it.id == late).unwrap();
    assert_eq!((late.usage, late.response), (used(7), None), "an answer that comes later is not kept either");
}

/// Where nothing is connected nothing happens; nobody disconnects another.
pub async fn disconnect_of_nothing_changes_nothing(ports: &Ports) {
    let ben = ben(ports).await;
    connected(ports, "ana@example.com").await;
    stored(ports, ANA, "gmail:INBOX", Origin::Live).await;
    for (user, provider) in [(ANA, Provider::Slack), (ben, Provider::Google)] {
        let farewell = line(ActivityKind::IntegrationDisconnected, fresh(), "Disconnected");
        assert_eq!(ports.connections.disconnect(user, provider, farewell, minute(2)).await.unwrap(), None);
    }
    assert_eq!((accounts(ports, ANA).await.len(), activity(ports).await.len()), (1, 1));
    assert_eq!(texts(ports, &everything(ANA)).await, ["gmail:INBOX live"]);
}

/// After a disconnection the account can be connected again, without what it had before.
pub async fn disconnect_leaves_room_for_a_new_connection(ports: &Ports) {
    let first = connected(ports, "ana@example.com").await;
    let farewell = line(ActivityKind::IntegrationDisconnected, fresh(), "Disconnected");
    ports.connections.disconnect(ANA, Provider::Google, farewell, minute(2)).await.unwrap();
    let credentials = Credentials { refresh: None, ..secrets("next access", "") };
    let new = NewConnection { credentials, ..account(ANA, Provider::Google, "ana@example.com") };
    let done = ports.connections.connect(new).await.unwrap();
    assert!(!done.replaced && done.connection.id != first.id);
    let stored = ports.credentials.credentials(ANA, done.connection.id).await.unwrap();
    assert_eq!(both(&stored), (Some("next access".to_owned()), None));
}
