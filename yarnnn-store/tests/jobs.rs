//! What the contract of the job ports cannot see: several programs on one file, backlogs of many owners, keepers, and
//! jobs that commit with what they follow from.
#![cfg(feature = "sqlite")]
#![expect(clippy::unwrap_used, reason = "tests panic when something is amiss")]

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::join_all;
use serde_json::json;
use sqlx::{Connection as _, SqliteConnection};
use yarnnn_core::StoreError;
use yarnnn_core::contract::Ports;
use yarnnn_core::contract::fixtures::{ANA, begin, channel, everything, first_page, message};
use yarnnn_core::id::{IdGen as _, JobId, RandomIds, UserId};
use yarnnn_core::jobs::{
    Claim, Claimed, JobAdmin as _, JobKey, JobQueue as _, JobStatus, KeyHolds, NewJob, OpenLeaseKeeper as _, Outcome, Renewed,
    WakeUps as _, WorkerId, Written,
};
use yarnnn_core::sdk::Stores;
use yarnnn_core::sync::PageCommit;
use yarnnn_store::SqlStore;

const LEASE: Duration = Duration::from_secs(15);

fn url(folder: &tempfile::TempDir) -> String {
    format!("sqlite://{}", folder.path().join("yarnnn.db").display())
}

async fn in_a_file() -> (SqlStore, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqlStore::connect(&url(&folder)).await.unwrap();
    store.migrate().await.unwrap();
    (store, folder)
}

fn job(kind: &str) -> NewJob {
    NewJob::new(JobId::fresh(&RandomIds), kind, json!({ "n": 1 }))
}

fn owned(kind: &str, owner: UserId) -> NewJob {
    NewJob { owner: Some(owner), ..job(kind) }
}

fn someone() -> UserId {
    UserId::from_uuid(RandomIds.uuid())
}

fn worker(name: &str) -> WorkerId {
    WorkerId::new(name)
}

async fn claim_all(store: SqlStore, name: String) -> Vec<Claimed> {
    let mut claimed = vec![];
    loop {
        let next = store.claim(Claim::any(worker(&name), 7, LEASE)).await.unwrap();
        if next.is_empty() {
            return claimed;
        }
        let done = next.iter().map(|it| (it.lease.clone(), Outcome::done(json!({})))).collect();
        assert!(store.finish(done).await.unwrap().iter().all(|it| *it == Written::Done));
        claimed.extend(next);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_programs_on_one_file_run_each_job_once() {
    let (first, folder) = in_a_file().await;
    let second = SqlStore::connect(&url(&folder)).await.unwrap();
    let jobs: Vec<_> = (0..500).map(|_| job("once")).collect();
    let ids: BTreeSet<_> = jobs.iter().map(|it| it.id).collect();
    first.enqueue(jobs).await.unwrap();
    let programs = [first, second];
    let tasks = (0..8).map(|it| tokio::spawn(claim_all(programs[it % 2].clone(), format!("w{it}"))));
    let claimed: Vec<_> = join_all(tasks).await.into_iter().flat_map(Result::unwrap).map(|it| it.job.id).collect();
    assert_eq!(claimed.len(), 500);
    assert_eq!(claimed.into_iter().collect::<BTreeSet<_>>(), ids);
}

#[tokio::test]
async fn a_page_that_is_refused_leaves_no_job_and_a_refused_job_no_page() {
    let store = SqlStore::in_memory().await.unwrap();
    let ports = Ports::new(Stores::of(store.clone()), Ports::clock());
    let (early, late) = (begin(&ports, ANA, &channel()).await, begin(&ports, ANA, &channel()).await);
    let follow_up = vec![job("follows")];
    let id = follow_up[0].id;
    let page = PageCommit { follow_up: follow_up.clone(), ..first_page(&early, vec![message("1", "late")], 1) };
    assert!(matches!(ports.content.commit(page).await, Err(StoreError::Conflict { .. })));
    assert_eq!(store.get(id).await.unwrap(), None);

    let bad = vec![NewJob { payload: json!(null), ..job("bad") }];
    let page = PageCommit { follow_up: bad, ..first_page(&late, vec![message("1", "on time")], 1) };
    assert!(matches!(ports.content.commit(page).await, Err(StoreError::Corrupt { .. })));
    // Refused by the table itself, after the page was written.
    let key = Some(JobKey { key: "k".to_owned(), holds: KeyHolds::Active });
    store.enqueue(vec![NewJob { key: key.clone(), ..job("keyed") }]).await.unwrap();
    let taken = vec![NewJob { key, payload: json!({ "n": 2 }), ..job("keyed") }];
    let page = PageCommit { follow_up: taken, ..first_page(&late, vec![message("1", "on time")], 1) };
    assert!(matches!(ports.content.commit(page).await, Err(StoreError::Conflict { .. })));
    assert!(ports.content.query(&everything(ANA)).await.unwrap().is_empty());

    let page = PageCommit { follow_up, ..first_page(&late, vec![message("1", "on time")], 1) };
    ports.content.commit(page).await.unwrap();
    assert_eq!(store.get(id).await.unwrap().unwrap().status, JobStatus::Queued);
}

#[tokio::test]
async fn a_follow_up_that_is_refused_fails_its_job_and_no_other() {
    let store = SqlStore::in_memory().await.unwrap();
    let key = |n: u32| NewJob {
        key: Some(JobKey { key: "k".to_owned(), holds: KeyHolds::Active }),
        payload: json!({ "n": n }),
        ..job("keyed")
    };
    store.enqueue(vec![job("a"), job("b"), job("c"), NewJob { priority: 1, ..key(1) }]).await.unwrap();
    let claimed = store.claim(Claim::any(worker("w"), 3, LEASE)).await.unwrap();
    let before = job("before");
    let lost = before.id;
    let follow_ups = [vec![before, key(2)], vec![NewJob { priority: 0, ..job("bad") }], vec![key(1)]];
    let done = claimed.iter().zip(follow_ups);
    let done = done.map(|(it, follow_up)| (it.lease.clone(), Outcome::Succeeded { result: json!(1), follow_up })).collect();
    assert_eq!(store.finish(done).await.unwrap(), [Written::Done; 3]);
    let mut states = vec![];
    for it in &claimed {
        let job = store.get(it.job.id).await.unwrap().unwrap();
        states.push((job.status, job.error.is_some_and(|it| it.contains("refused"))));
    }
    assert_eq!(states, [(JobStatus::Failed, true), (JobStatus::Failed, true), (JobStatus::Succeeded, false)]);
    assert_eq!(store.get(lost).await.unwrap(), None);
    let history = store.events(claimed[0].job.id).await.unwrap();
    assert_eq!(history.iter().map(|it| it.event.as_str()).collect::<Vec<_>>(), ["enqueued", "claimed", "failed"]);
}

#[tokio::test]
async fn an_owner_without_room_hides_nobody() {
    let store = SqlStore::in_memory().await.unwrap();
    let greedy = someone();
    store.enqueue((0..3_000).map(|_| owned("work", greedy)).collect()).await.unwrap();
    let small: Vec<_> = (0..100).map(|_| owned("work", someone())).collect();
    let mut wanted: BTreeSet<_> = small.iter().map(|it| it.id).collect();
    store.enqueue(small).await.unwrap();
    for _ in 0..12 {
        let claim = Claim { owner_limit: Some(2), ..Claim::any(worker("w"), 10, LEASE) };
        let claimed = store.claim(claim).await.unwrap();
        assert!(claimed.iter().filter(|it| it.job.owner == Some(greedy)).count() <= 2);
        wanted.retain(|id| claimed.iter().all(|it| it.job.id != *id));
    }
    assert!(wanted.is_empty(), "{} were passed over", wanted.len());
}

#[tokio::test]
async fn more_owners_than_one_look_takes_in_all_get_their_turn() {
    let store = SqlStore::in_memory().await.unwrap();
    let owners: Vec<_> = (0..700).map(|_| someone()).collect();
    // The first owners in the order of the index always have more to do.
    let jobs = |count: usize| owners[..count].iter().flat_map(|owner| (0..2).map(|_| owned("work", *owner))).collect::<Vec<_>>();
    store.enqueue((0..200).map(|_| owned("work", owners[0])).collect()).await.unwrap();
    store.enqueue(jobs(700)).await.unwrap();
    let mut served = BTreeSet::new();
    for turn in 0..60 {
        let claim = Claim { owner_limit: Some(1), ..Claim::any(worker(&format!("w{turn}")), 40, LEASE) };
        let claimed = store.claim(claim).await.unwrap();
        served.extend(claimed.iter().filter_map(|it| it.job.owner));
        let done = claimed.into_iter().map(|it| (it.lease, Outcome::HandedBack)).collect();
        store.finish(done).await.unwrap();
    }
    assert_eq!(served.len(), 700);
}

#[tokio::test]
async fn a_kind_that_is_often_due_hides_no_owner_of_another() {
    let store = SqlStore::in_memory().await.unwrap();
    let (greedy, modest) = (someone(), someone());
    store.enqueue((0..300).map(|_| owned("flood", greedy)).collect()).await.unwrap();
    let behind = owned("flood", modest);
    let id = behind.id;
    store.enqueue(vec![behind]).await.unwrap();
    store.enqueue((0..50).map(|_| job("stream")).collect()).await.unwrap();
    let claim = Claim { owner_limit: Some(1), ..Claim::any(worker("w"), 5, LEASE) };
    let claimed = store.claim(claim).await.unwrap();
    assert!(claimed.iter().any(|it| it.job.id == id), "it was due before the stream");
}

#[tokio::test]
async fn a_keeper_renews_while_all_other_connections_are_taken() {
    let (store, _folder) = in_a_file().await;
    store.enqueue(vec![job("long")]).await.unwrap();
    let claimed = store.claim(Claim::any(worker("w"), 1, LEASE)).await.unwrap();
    let lease = [(claimed[0].job.id, claimed[0].lease.token)];
    let mut keeper = store.open().await.unwrap();
    store.close().await;
    assert!(store.get(lease[0].0).await.is_err());
    assert_eq!(keeper.renew(&worker("w"), &lease).await.unwrap(), [Renewed::Held]);
    assert_eq!(keeper.renew(&worker("v"), &lease).await.unwrap(), [Renewed::Lost]);
}

#[tokio::test]
async fn a_keeper_that_could_not_write_writes_when_it_can() {
    let (store, folder) = in_a_file().await;
    store.enqueue(vec![job("long")]).await.unwrap();
    let claimed = store.claim(Claim::any(worker("w"), 1, LEASE)).await.unwrap();
    let lease = [(claimed[0].job.id, claimed[0].lease.token)];
    let mut keeper = store.open().await.unwrap();
    let mut raw = SqliteConnection::connect(&url(&folder)).await.unwrap();
    let writer = raw.begin_with("begin immediate").await.unwrap();
    assert!(keeper.renew(&worker("w"), &lease).await.unwrap_err().is_transient());
    writer.rollback().await.unwrap();
    assert_eq!(keeper.renew(&worker("w"), &lease).await.unwrap(), [Renewed::Held]);
}

#[tokio::test]
async fn a_clone_of_a_store_wakes_the_listeners_of_another() {
    let store = SqlStore::in_memory().await.unwrap();
    let mut listener = store.listen().await.unwrap();
    store.clone().enqueue(vec![job("a")]).await.unwrap();
    tokio::time::timeout(Duration::from_secs(5), listener.woken()).await.unwrap().unwrap();
}
