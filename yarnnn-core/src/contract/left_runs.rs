//! Facts of [`LeftRuns`](crate::deliverables::LeftRuns).

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::Ports;
use super::fixtures::{ANA, ben, created, failed, fresh, hold, line, me, minute, open_after, opened};
use super::job_fixtures::{self, backoff, claimed, pass, put};
use crate::activity::{ActivityKind, NewActivity};
use crate::clock::Clock as _;
use crate::deliverables::{DeadRun, RunDeliverable, Step, StepCommit, Version};
use crate::id::{JobId, UserId, VersionId};
use crate::jobs::{Job as _, JobPolicy, JobStatus, NewJob, Outcome};

fn run_of(owner: UserId, payload: Value) -> NewJob {
    let policy = JobPolicy { max_attempts: 1, ..JobPolicy::default() };
    NewJob { owner: Some(owner), policy, ..NewJob::new(JobId::from_uuid(fresh()), RunDeliverable::KIND, payload) }
}

/// A job that ended in this way.
async fn ended(ports: &Ports, job: NewJob, outcome: Outcome) -> JobId {
    let id = put(ports, job).await;
    let claimed = claimed(ports, id).await;
    job_fixtures::end(ports, &claimed.lease, outcome).await;
    id
}

async fn dead(ports: &Ports, owner: UserId) -> JobId {
    let id = ended(ports, run_of(owner, json!({ "deliverable": "d", "slot": null })), backoff()).await;
    assert_eq!(job_fixtures::status(ports, id).await, JobStatus::Dead);
    id
}

async fn untold(ports: &Ports) -> Vec<DeadRun> {
    let now = ports.clock.now();
    ports.left_runs.untold(now - TimeDelta::days(1), now, None, 9).await.unwrap()
}

/// Dead runs with an owner: no slots, no other kind, and nothing that ended otherwise.
pub async fn untold_is_what_died_without_a_word(ports: &Ports) {
    let mut job = run_of(ANA, json!({ "deliverable": "d" }));
    job.owner = None;
    ended(ports, job, backoff()).await;
    ended(ports, run_of(ANA, json!({ "slot": "2026-01-05T09:00:00Z" })), backoff()).await;
    ended(ports, NewJob { kind: "another".to_owned(), ..run_of(ANA, json!({ "deliverable": "d" })) }, backoff()).await;
    for outcome in [Outcome::failed("no"), Outcome::NeedsUser { report: json!({}) }, job_fixtures::done()] {
        ended(ports, run_of(ANA, json!({ "deliverable": "d" })), outcome).await;
    }
    ports.job_admin.cancel(put(ports, run_of(ANA, json!({ "deliverable": "d" }))).await, "test").await.unwrap();
    assert_eq!(untold(ports).await, []);
    let job = dead(ports, ANA).await;
    let [found] = untold(ports).await.try_into().unwrap();
    let payload = json!({ "deliverable": "d", "slot": null });
    let expected = DeadRun { job, owner: ANA, payload, error: "the line was busy".to_owned(), ended_at: ports.clock.now() };
    assert_eq!(found, expected);
    ports.job_admin.retry(job, "test").await.unwrap();
    assert_eq!(untold(ports).await, [], "it may still succeed");
}

/// A line of its owner's under its id tells of it; no other does.
pub async fn untold_leaves_out_what_was_told(ports: &Ports) {
    let (ben, job) = (ben(ports).await, dead(ports, ANA).await);
    let told = |kind, key| line(kind, key, "ended without a report");
    for (user, kind, key) in [
        (ben, ActivityKind::DeliverableRun, job.as_uuid()),
        (ANA, ActivityKind::DeliverableScheduled, job.as_uuid()),
        (ANA, ActivityKind::DeliverableRun, fresh()),
    ] {
        ports.notices.log(user, told(kind, key), minute(1)).await.unwrap();
    }
    assert_eq!(untold(ports).await.len(), 1);
    ports.notices.log(ANA, told(ActivityKind::DeliverableRun, job.as_uuid()), minute(1)).await.unwrap();
    assert_eq!(untold(ports).await, []);
}

/// Nor is one that was told of by an earlier release, whose lines have the job among what they tell.
pub async fn untold_knows_lines_of_earlier_releases(ports: &Ports) {
    let job = dead(ports, ANA).await;
    let metadata = json!({ "job_id": job });
    let old = NewActivity { metadata, ..line(ActivityKind::DeliverableRun, fresh(), "ended without a report") };
    ports.notices.log(ANA, old, minute(1)).await.unwrap();
    assert_eq!(untold(ports).await, []);
}

/// Whose report ended since, however, whoever brought it there: nothing is left to tell. One with a key is known by that.
pub async fn untold_leaves_out_what_others_ended(ports: &Ports) {
    let (version, other) = (opened(ports).await, opened(ports).await);
    for key in [json!(null), json!("by hand")] {
        ended(ports, run_of(ANA, json!({ "deliverable": version.deliverable, "key": key, "slot": null })), backoff()).await;
    }
    ports.versions.advance(failed_at(other.id, ports.clock.now())).await.unwrap();
    assert_eq!(untold(ports).await.len(), 2, "another's");
    ports.versions.advance(failed_at(version.id, ports.clock.now())).await.unwrap();
    let [left] = untold(ports).await.try_into().unwrap();
    assert_eq!(left.payload["key"], "by hand");
}

fn failed_at(version: VersionId, at: DateTime<Utc>) -> StepCommit {
    StepCommit { at, ..failed(version, Step::Gathered) }
}

/// Of everybody, between two instants, page by page.
pub async fn untold_goes_on_from_a_place(ports: &Ports) {
    let ben = ben(ports).await;
    let mut all = vec![];
    for owner in [ANA, ben, ANA] {
        all.push(dead(ports, owner).await);
    }
    let first = ports.clock.now();
    pass(ports, 60);
    all.push(dead(ports, ANA).await);
    let second = ports.clock.now();
    all[..3].sort();
    let (mut seen, mut after) = (vec![], None);
    while let Some(dead) = ports.left_runs.untold(first, second, after, 1).await.unwrap().pop() {
        after = Some((dead.ended_at, dead.job));
        seen.push(dead.job);
    }
    assert_eq!(seen, all);
    let between = async |since, before| ports.left_runs.untold(since, before, None, 9).await.unwrap().len();
    let moment = TimeDelta::microseconds(1);
    assert_eq!((between(first, second - moment).await, between(first + moment, second).await), (3, 1));
}

async fn left(ports: &Ports, minutes: i64) -> Vec<Version> {
    let mut versions = vec![];
    for it in ports.left_runs.left(minute(minutes), None, 9).await.unwrap() {
        let version = ports.versions.version(it.user, it.version).await.unwrap();
        assert_eq!(version.deliverable, it.deliverable);
        versions.push(version);
    }
    versions
}

/// A version whose run has not ended and that nobody was at since; to hold it is to be at it.
pub async fn left_is_what_nobody_goes_on_with(ports: &Ports) {
    let (open, ended) = (opened(ports).await, opened(ports).await);
    ports.versions.advance(failed(ended.id, Step::Gathered)).await.unwrap();
    assert_eq!(left(ports, 0).await, std::slice::from_ref(&open));
    assert_eq!(left(ports, -1).await, []);
    let held = ports.versions.hold(hold(open.id, &me(), 30)).await.unwrap();
    assert_eq!((left(ports, 29).await, left(ports, 30).await), (vec![], vec![held]));
}

/// Of everybody, page by page.
pub async fn left_goes_on_from_a_place(ports: &Ports) {
    let ben = ben(ports).await;
    let mut all = vec![];
    for user in [ANA, ben, ANA] {
        all.push(ports.versions.open(open_after(user, created(ports, user).await, 0)).await.unwrap().id);
    }
    all.sort();
    let (mut seen, mut after) = (vec![], None);
    while let Some(left) = ports.left_runs.left(minute(9), after, 1).await.unwrap().pop() {
        after = Some((left.since, left.version));
        seen.push(left.version);
    }
    assert_eq!(seen, all);
}
