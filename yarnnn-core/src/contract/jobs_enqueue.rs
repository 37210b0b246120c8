//! Facts of [`JobQueue::enqueue`](crate::jobs::JobQueue::enqueue) but for idempotency keys, which have a suite of their own.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::Ports;
use super::fixtures::ANA;
use super::job_fixtures::{anything, claimed, end, history, job, job_of, now, pass, put, refused, stored, taken};
use crate::jobs::payload::{MAX_KEY_CHARS, MAX_PAYLOAD_BYTES};
use crate::jobs::{Enqueued, JobKey, JobPolicy, JobStatus, KeyHolds, NewJob, Outcome, Start};

/// A job reads back as it was given, and waits.
pub async fn enqueue_stores_jobs_as_they_were(ports: &Ports) {
    let new = NewJob {
        payload: json!({ "ids": [1, -2, 9_007_199_254_740_993_i64], "Ä “x” \u{1f4e8}": { "at": 0.5, "no": null, "text": "a\n\t\"b\"\\" } }),
        lane: "slow".to_owned(),
        priority: 9,
        owner: Some(ANA),
        key: Some(JobKey { key: "report/1".to_owned(), holds: KeyHolds::Active }),
        policy: JobPolicy { max_reschedules: 3, ..JobPolicy::exora() },
        correlation: "request-1".to_owned(),
        ..job()
    };
    let id = put(ports, new.clone()).await;
    let record = stored(ports, id).await;
    assert_eq!((record.id, &record.kind, &record.lane, record.priority), (id, &new.kind, &new.lane, 9));
    assert_eq!((record.owner, &record.payload, &record.policy), (Some(ANA), &new.payload, &new.policy));
    assert_eq!((record.key.as_deref(), record.correlation.as_str(), record.parent), (Some("report/1"), "request-1", None));
    assert_eq!((record.status, record.attempt, record.crashes, record.reschedules), (JobStatus::Queued, 0, 0, 0));
    assert_eq!((record.run_at, record.created_at), (now(ports), now(ports)));
    assert_eq!((record.started_at, record.finished_at, record.worker, record.lease_until), (None, None, None, None));
    assert_eq!((record.progress, record.result, record.error, record.cause), (None, None, None, None));
    assert!(!record.cancel_requested && !record.expired);
    assert_eq!(history(ports, id).await, ["enqueued"]);
}

/// A job without owner and key has none, and is its own correlation.
pub async fn enqueue_leaves_out_what_was_not_given(ports: &Ports) {
    let id = put(ports, job()).await;
    let record = stored(ports, id).await;
    assert_eq!((record.owner, record.key, record.parent), (None, None, None));
    assert_eq!((record.correlation, record.lane.as_str(), record.priority), (id.to_string(), "default", 5));
}

/// One answer per job, in the order given; no jobs are no answers.
pub async fn enqueue_answers_in_the_order_given(ports: &Ports) {
    let jobs: Vec<_> = (1..=10).rev().map(|priority| NewJob { priority, ..job() }).collect();
    let expected: Vec<_> = jobs.iter().map(|it| Enqueued::New(it.id)).collect();
    assert_eq!(ports.jobs.enqueue(jobs).await.unwrap(), expected);
    assert_eq!(ports.jobs.enqueue(vec![]).await.unwrap(), []);
}

/// Any name is a kind: a program that does not know it may be older than the job.
pub async fn enqueue_takes_any_kind(ports: &Ports) {
    for kind in ["k", "Größe/v2 (x)", "drop table", "shell_file_processing2"] {
        let id = put(ports, job_of(kind)).await;
        assert_eq!(stored(ports, id).await.kind, kind);
    }
}

/// A job waits for its instant or for as long as was said, by the store's clock; an instant that has passed is now.
pub async fn enqueue_starts_when_told(ports: &Ports) {
    let start = now(ports);
    let at = put(ports, NewJob { start: Start::At(start + TimeDelta::microseconds(20_000_001)), ..job() }).await;
    let after = put(ports, NewJob { start: Start::After(Duration::from_micros(10_000_001)), ..job() }).await;
    let passed = put(ports, NewJob { start: Start::At(start - TimeDelta::days(1)), ..job() }).await;
    assert_eq!(stored(ports, at).await.run_at, start + TimeDelta::microseconds(20_000_001));
    assert_eq!(stored(ports, after).await.run_at, start + TimeDelta::microseconds(10_000_001));
    assert_eq!(taken(ports, anything(10)).await, [passed]);
    pass(ports, 10);
    assert!(taken(ports, anything(10)).await.is_empty());
    pass(ports, 1);
    assert_eq!(taken(ports, anything(10)).await, [after]);
    pass(ports, 10);
    assert_eq!(taken(ports, anything(10)).await, [at]);
}

fn broken() -> Vec<(&'static str, NewJob)> {
    let payload = |payload: Value| NewJob { payload, ..job() };
    let key = |key: String| NewJob { key: Some(JobKey { key, holds: KeyHolds::Forever }), ..job() };
    vec![
        ("blank_kind", job_of("")),
        ("blank_kind", job_of(" \t")),
        ("blank_lane", NewJob { lane: " ".to_owned(), ..job() }),
        ("bad_priority", NewJob { priority: 0, ..job() }),
        ("bad_priority", NewJob { priority: 11, ..job() }),
        ("bad_key", key(String::new())),
        ("bad_key", key(" ".to_owned())),
        ("bad_key", key("é".repeat(MAX_KEY_CHARS + 1))),
        ("empty_payload", payload(Value::Null)),
        ("empty_payload", payload(json!([{ "id": 1 }]))),
        ("empty_payload", payload(json!("text"))),
        ("payload_too_large", payload(json!({ "a": "x".repeat(MAX_PAYLOAD_BYTES - 7) }))),
        ("payload_has_secret", payload(json!({ "deep": [{ "token": format!("xoxb-{}", "1234567890-abc") }] }))),
    ]
}

/// What breaks a rule is refused by the rule's name, and is not there.
pub async fn enqueue_refuses_what_breaks_a_rule(ports: &Ports) {
    for (rule, bad) in broken() {
        let id = bad.id;
        assert_eq!(refused(ports, vec![bad]).await.name, rule);
        assert_eq!(ports.jobs.get(id).await.unwrap(), None, "{rule}");
    }
}

/// What just keeps to the rules is taken.
pub async fn enqueue_takes_what_just_keeps_to_the_rules(ports: &Ports) {
    let key = Some(JobKey { key: "é".repeat(MAX_KEY_CHARS), holds: KeyHolds::Forever });
    put(ports, NewJob { key, ..job() }).await;
    put(ports, NewJob { payload: json!({}), priority: 1, ..job() }).await;
    let payload = json!({ "a": "x".repeat(MAX_PAYLOAD_BYTES - 8) });
    assert_eq!(payload.to_string().len(), MAX_PAYLOAD_BYTES);
    put(ports, NewJob { payload, priority: 10, ..job() }).await;
}

/// Two kinds have lanes of their own, and run in no other; no other kind is held to lanes.
pub async fn enqueue_refuses_the_wrong_lane(ports: &Ports) {
    let lanes = ["fast_queue", "standard_queue", "ai_queue_simple", "ai_queue_complex", "slow"];
    for (kind, own) in [("shell_file_processing", &lanes[..2]), ("ai_processing", &lanes[2..4])] {
        for lane in lanes {
            let new = NewJob { lane: lane.to_owned(), ..job_of(kind) };
            let id = new.id;
            if own.contains(&lane) {
                put(ports, new).await;
                assert_eq!(stored(ports, id).await.lane, lane);
            } else {
                assert_eq!(refused(ports, vec![new]).await.name, "wrong_lane", "{kind} in {lane}");
                assert_eq!(ports.jobs.get(id).await.unwrap(), None);
            }
        }
    }
    put(ports, NewJob { lane: "slow".to_owned(), ..job() }).await;
}

/// One job that is refused leaves none of its batch, wherever it stands.
pub async fn enqueue_is_all_or_nothing(ports: &Ports) {
    let wrong_lane = NewJob { lane: "slow".to_owned(), ..job_of("ai_processing") };
    for (rule, bad) in broken().into_iter().chain([("wrong_lane", wrong_lane)]) {
        let batch = vec![job(), bad, job()];
        let ids: Vec<_> = batch.iter().map(|it| it.id).collect();
        assert_eq!(refused(ports, batch).await.name, rule);
        for id in ids {
            assert_eq!(ports.jobs.get(id).await.unwrap(), None, "{rule}");
            assert!(history(ports, id).await.is_empty());
        }
    }
    assert!(taken(ports, anything(100)).await.is_empty());
}

/// A job that follows from another has its correlation and its owner, unless it has an owner of its own.
pub async fn enqueue_keeps_who_caused_a_job(ports: &Ports) {
    let first = put(ports, NewJob { owner: Some(ANA), correlation: "request-1".to_owned(), ..job() }).await;
    let run = claimed(ports, first).await;
    let child = put(ports, job().child_of(&run.job)).await;
    let record = stored(ports, child).await;
    assert_eq!((record.correlation.as_str(), record.parent, record.owner), ("request-1", Some(first), Some(ANA)));
    let grandchild = put(ports, job().child_of(&record)).await;
    let record = stored(ports, grandchild).await;
    assert_eq!((record.correlation.as_str(), record.parent), ("request-1", Some(child)));
    end(ports, &run.lease, Outcome::HandedBack).await;
}
