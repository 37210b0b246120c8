//! Facts of [`JobQueue::enqueue`](crate::jobs::JobQueue::enqueue) under an idempotency key.

use futures::future::join_all;
use serde_json::json;

use super::Ports;
use super::fixtures::ANA;
use super::job_fixtures::{
    anything, backoff, claimed, done, end, ended, is_key_conflict, job_of, keyed, now, pass, put, running, someone, stored,
    taken, try_put, two_tries,
};
use crate::jobs::{Enqueued, JobStatus, KeyHolds, NewJob, Outcome};

const HOLDS: [KeyHolds; 3] = [KeyHolds::Active, KeyHolds::Forever, KeyHolds::Window(60)];

fn other_payload(job: NewJob) -> NewJob {
    NewJob { payload: json!({ "deliverable": 8 }), ..job }
}

/// The key's job is answered, and nothing is stored; what else the second call says does not matter.
pub async fn enqueue_of_a_known_key_answers_its_job(ports: &Ports) {
    for (number, holds) in HOLDS.into_iter().enumerate() {
        let key = format!("k{number}");
        let first = put(ports, keyed(&key, holds)).await;
        let before = stored(ports, first).await;
        let second = NewJob { priority: 9, lane: "slow".to_owned(), ..keyed(&key, holds) };
        let id = second.id;
        assert_eq!(try_put(ports, second).await.unwrap(), Enqueued::Existing(first));
        assert_eq!(ports.jobs.get(id).await.unwrap(), None);
        assert_eq!(stored(ports, first).await, before);
    }
}

/// The key with another payload is a conflict, and the whole batch is not stored.
pub async fn enqueue_of_a_known_key_with_another_payload_is_a_conflict(ports: &Ports) {
    for (number, holds) in HOLDS.into_iter().enumerate() {
        let key = format!("k{number}");
        put(ports, keyed(&key, holds)).await;
        let free = format!("free{number}");
        let batch = vec![keyed(&free, holds), other_payload(keyed(&key, holds)), job_of("other")];
        let ids: Vec<_> = batch.iter().map(|it| it.id).collect();
        assert!(is_key_conflict(&ports.jobs.enqueue(batch).await, &key));
        for id in ids {
            assert_eq!(ports.jobs.get(id).await.unwrap(), None, "{holds:?}");
        }
        put(ports, other_payload(keyed(&free, holds))).await;
    }
}

/// One key twice in a batch is one job.
pub async fn enqueue_of_a_key_twice_in_a_batch_is_one_job(ports: &Ports) {
    let batch = vec![keyed("k", KeyHolds::Active), keyed("l", KeyHolds::Active), keyed("k", KeyHolds::Active)];
    let (first, second) = (batch[0].id, batch[1].id);
    let answers = ports.jobs.enqueue(batch).await.unwrap();
    assert_eq!(answers, [Enqueued::New(first), Enqueued::New(second), Enqueued::Existing(first)]);
    let batch = vec![keyed("m", KeyHolds::Active), other_payload(keyed("m", KeyHolds::Active))];
    let id = batch[0].id;
    assert!(is_key_conflict(&ports.jobs.enqueue(batch).await, "m"));
    assert_eq!(ports.jobs.get(id).await.unwrap(), None);
    assert_eq!(taken(ports, anything(9)).await.len(), 2);
}

/// Keys of different kinds and owners never meet, whatever their names.
pub async fn enqueue_keeps_keys_of_kinds_and_owners_apart(ports: &Ports) {
    let key = |key: &str, kind: &str, owner| NewJob { kind: kind.to_owned(), owner, ..keyed(key, KeyHolds::Forever) };
    let ben = Some(someone());
    for owner in [None, Some(ANA), ben] {
        for (kind, text) in [("a", "b/c"), ("a/b", "c"), ("a:b", "c"), ("a", "b:c"), ("a", "c")] {
            put(ports, key(text, kind, owner)).await;
        }
    }
    assert!(matches!(try_put(ports, key("c", "a", ben)).await.unwrap(), Enqueued::Existing(_)));
    put(ports, job_of("a")).await;
}

/// An active key counts while its job waits, runs or waits for another try.
pub async fn enqueue_under_an_active_key_is_held_while_its_job_lives(ports: &Ports) {
    let again = || keyed("k", KeyHolds::Active);
    let run = running(ports, NewJob { policy: two_tries(), ..again() }).await;
    let id = run.job.id;
    assert_eq!(try_put(ports, again()).await.unwrap(), Enqueued::Existing(id), "running");
    end(ports, &run.lease, backoff()).await;
    assert_eq!(stored(ports, id).await.status, JobStatus::Retrying);
    assert_eq!(try_put(ports, again()).await.unwrap(), Enqueued::Existing(id), "retrying");
    assert!(is_key_conflict(&try_put(ports, other_payload(again())).await, "k"));
    pass(ports, 10);
    let run = claimed(ports, id).await;
    end(ports, &run.lease, Outcome::Snoozed { until: now(ports) }).await;
    assert_eq!(try_put(ports, again()).await.unwrap(), Enqueued::Existing(id), "put off");
}

/// An active key is free when its job has ended, however it ended, and also for another payload.
pub async fn enqueue_under_an_active_key_is_free_after_the_end(ports: &Ports) {
    let report = json!({ "need": "consent" });
    let ends = [
        done(),
        Outcome::failed("no".to_owned()),
        Outcome::NeedsUser { report: report.clone() },
        Outcome::NeedsOperator { report },
        Outcome::Cancelled,
    ];
    for outcome in ends {
        let ended = ended(ports, keyed("k", KeyHolds::Active), outcome).await;
        assert!(ended.status.is_terminal());
        let next = put(ports, other_payload(keyed("k", KeyHolds::Active))).await;
        assert!(is_key_conflict(&try_put(ports, keyed("k", KeyHolds::Active)).await, "k"), "the key is the new job's");
        ports.job_admin.cancel(next, "operator").await.unwrap();
    }
}

/// A key for ever counts when its job has ended, and when it was purged.
pub async fn enqueue_under_a_key_for_ever_meets_a_job_long_gone(ports: &Ports) {
    let id = ended(ports, keyed("k", KeyHolds::Forever), done()).await.id;
    let again = || keyed("k", KeyHolds::Forever);
    assert_eq!(try_put(ports, again()).await.unwrap(), Enqueued::Existing(id));
    pass(ports, 86_400 * 400);
    assert_eq!(ports.job_admin.purge(now(ports), &JobStatus::ALL, 10).await.unwrap(), 1);
    assert_eq!(ports.jobs.get(id).await.unwrap(), None);
    assert_eq!(try_put(ports, again()).await.unwrap(), Enqueued::Existing(id));
    assert!(is_key_conflict(&try_put(ports, other_payload(again())).await, "k"));
}

/// A key with a window counts for that long from its first use, not from its last, and also when its job has ended.
pub async fn enqueue_under_a_key_with_a_window_counts_from_its_first_use(ports: &Ports) {
    let again = || keyed("k", KeyHolds::Window(60));
    let first = ended(ports, again(), done()).await.id;
    pass(ports, 30);
    assert_eq!(try_put(ports, again()).await.unwrap(), Enqueued::Existing(first));
    pass(ports, 29);
    assert_eq!(try_put(ports, again()).await.unwrap(), Enqueued::Existing(first));
    assert!(is_key_conflict(&try_put(ports, other_payload(again())).await, "k"));
    pass(ports, 2);
    let second = put(ports, other_payload(again())).await;
    pass(ports, 59);
    assert_eq!(try_put(ports, other_payload(again())).await.unwrap(), Enqueued::Existing(second));
}

/// Of many who use one key at once, one makes the job and all learn its id.
pub async fn enqueue_at_once_under_one_key_makes_one_job(ports: &Ports) {
    for holds in HOLDS {
        let key = format!("{holds:?}");
        let tasks = (0..20).map(|_| {
            let (ports, job) = (ports.clone(), keyed(&key, holds));
            tokio::spawn(async move { try_put(&ports, job).await.unwrap() })
        });
        let answers: Vec<_> = join_all(tasks).await.into_iter().map(Result::unwrap).collect();
        let new: Vec<_> = answers.iter().filter(|it| matches!(it, Enqueued::New(_))).collect();
        assert_eq!(new.len(), 1, "{answers:?}");
        assert!(answers.iter().all(|it| it.id() == new[0].id()), "{answers:?}");
    }
    assert_eq!(taken(ports, anything(100)).await.len(), HOLDS.len());
}

/// Of many who use one key for different payloads at once, one makes the job and the others learn of the conflict.
pub async fn enqueue_at_once_of_other_payloads_makes_one_job(ports: &Ports) {
    let tasks = (0..10).map(|number| {
        let ports = ports.clone();
        let job = NewJob { payload: json!({ "number": number }), ..keyed("k", KeyHolds::Active) };
        tokio::spawn(async move { try_put(&ports, job).await })
    });
    let answers: Vec<_> = join_all(tasks).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(answers.iter().filter(|it| matches!(it, Ok(Enqueued::New(_)))).count(), 1, "{answers:?}");
    assert_eq!(answers.iter().filter(|it| is_key_conflict(it, "k")).count(), 9, "{answers:?}");
}
