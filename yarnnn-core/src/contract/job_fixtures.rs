//! What facts about jobs are told with: a job, a worker, a claim, an end.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::Ports;
use super::fixtures::fresh;
use crate::clock::Clock as _;
use crate::id::{JobId, UserId};
use crate::jobs::payload::Refusal;
use crate::jobs::{
    Claim, Claimed, EnqueueError, Enqueued, Jitter, JobKey, JobPolicy, JobRecord, JobStatus, KeyHolds, Lease, NewJob, Outcome,
    Rescued, RetryPolicy, WorkerId, Written,
};

/// The kind of most jobs.
pub const KIND: &str = "report";
/// The length of every lease.
pub const LEASE: Duration = Duration::from_secs(15);

/// A job of the common kind that may run at once.
pub fn job() -> NewJob {
    job_of(KIND)
}

/// A job of a kind that may run at once.
pub fn job_of(kind: &str) -> NewJob {
    NewJob::new(JobId::from_uuid(fresh()), kind, json!({ "deliverable": 7 }))
}

/// A job of an owner.
pub fn job_for(owner: UserId) -> NewJob {
    NewJob { owner: Some(owner), ..job() }
}

/// A job under a key.
pub fn keyed(key: &str, holds: KeyHolds) -> NewJob {
    NewJob { key: Some(JobKey { key: key.to_owned(), holds }), ..job() }
}

/// So many jobs of one owner.
pub fn backlog(owner: UserId, count: usize) -> Vec<NewJob> {
    (0..count).map(|_| job_for(owner)).collect()
}

/// An owner whom nobody knows yet; jobs need no account.
pub fn someone() -> UserId {
    UserId::from_uuid(fresh())
}

/// Two tries, with a wait of ten seconds between them, to the microsecond.
pub fn two_tries() -> JobPolicy {
    JobPolicy { max_attempts: 2, retry: RetryPolicy::Fixed { seconds: vec![10.0], jitter: Jitter::None }, ..JobPolicy::default() }
}

/// The worker that most facts are told by.
pub fn me() -> WorkerId {
    WorkerId::new("host/boot/1/start/me")
}

/// Another one.
pub fn other() -> WorkerId {
    WorkerId::new("host/boot/2/start/other")
}

/// A failure that may pass.
pub fn backoff() -> Outcome {
    Outcome::Backoff { error: "the line was busy".to_owned() }
}

/// A success without a word.
pub fn done() -> Outcome {
    Outcome::done(json!({ "sent": 1 }))
}

/// The store's now.
pub fn now(ports: &Ports) -> DateTime<Utc> {
    ports.clock.now()
}

/// Lets seconds pass.
pub fn pass(ports: &Ports, seconds: i64) {
    ports.clock.advance(TimeDelta::seconds(seconds));
}

/// Stores one new job.
pub async fn put(ports: &Ports, job: NewJob) -> JobId {
    let id = job.id;
    assert_eq!(ports.jobs.enqueue(vec![job]).await.unwrap(), [Enqueued::New(id)]);
    id
}

/// What becomes of one job that is enqueued.
pub async fn try_put(ports: &Ports, job: NewJob) -> Result<Enqueued, EnqueueError> {
    let mut answers = ports.jobs.enqueue(vec![job]).await?;
    assert_eq!(answers.len(), 1);
    Ok(answers.remove(0))
}

/// The rule that a job is refused by.
pub async fn refused(ports: &Ports, jobs: Vec<NewJob>) -> Refusal {
    match ports.jobs.enqueue(jobs).await {
        Err(EnqueueError::Refused(refusal)) => refusal,
        answer => panic!("not refused: {answer:?}"),
    }
}

/// Whether the key was used for another payload.
pub fn is_key_conflict<T>(answer: &Result<T, EnqueueError>, of: &str) -> bool {
    matches!(answer, Err(EnqueueError::Conflict { key }) if key == of)
}

/// The job as it stands.
pub async fn stored(ports: &Ports, job: JobId) -> JobRecord {
    ports.jobs.get(job).await.unwrap().unwrap()
}

/// Where the job stands.
pub async fn status(ports: &Ports, job: JobId) -> JobStatus {
    stored(ports, job).await.status
}

/// Whatever is due, for the first worker.
pub fn anything(limit: u32) -> Claim {
    Claim::any(me(), limit, LEASE)
}

/// One job, by id, for a worker.
pub fn only(job: JobId, worker: WorkerId) -> Claim {
    Claim { only: Some(job), ..Claim::any(worker, 1, LEASE) }
}

/// A job in quarantine, for the first worker.
pub fn alone() -> Claim {
    Claim { alone: true, ..anything(10) }
}

/// The jobs that a claim takes, in its order.
pub async fn taken(ports: &Ports, claim: Claim) -> Vec<JobId> {
    ports.jobs.claim(claim).await.unwrap().into_iter().map(|it| it.job.id).collect()
}

/// Claims one job that is due.
pub async fn claimed(ports: &Ports, job: JobId) -> Claimed {
    claimed_by(ports, job, me()).await
}

/// Claims one job that is due for a worker.
pub async fn claimed_by(ports: &Ports, job: JobId, worker: WorkerId) -> Claimed {
    let mut answers = ports.jobs.claim(only(job, worker)).await.unwrap();
    assert_eq!(answers.len(), 1, "{job} cannot be claimed");
    answers.remove(0)
}

/// Stores a new job and claims it.
pub async fn running(ports: &Ports, job: NewJob) -> Claimed {
    let id = put(ports, job).await;
    claimed(ports, id).await
}

/// Ends one run.
pub async fn end(ports: &Ports, lease: &Lease, outcome: Outcome) -> Written {
    let mut answers = ports.jobs.finish(vec![(lease.clone(), outcome)]).await.unwrap();
    assert_eq!(answers.len(), 1);
    answers.remove(0)
}

/// Runs a new job to this end; answers how it stands then.
pub async fn ended(ports: &Ports, job: NewJob, outcome: Outcome) -> JobRecord {
    let run = running(ports, job).await;
    assert_eq!(end(ports, &run.lease, outcome).await, Written::Done);
    stored(ports, run.job.id).await
}

/// The process of a worker dies under a job, which is due, and the job is taken back.
pub async fn crash(ports: &Ports, job: JobId) -> Rescued {
    claimed(ports, job).await;
    let mut answers = ports.jobs.rescue(&[me()]).await.unwrap();
    assert_eq!(answers.len(), 1, "{answers:?}");
    answers.remove(0)
}

/// A job whose process died twice, due in a second.
pub async fn quarantined(ports: &Ports, job: NewJob) -> JobId {
    let id = put(ports, job).await;
    crash(ports, id).await;
    assert_eq!(crash(ports, id).await.crashes, 2);
    id
}

/// What happened to a job, by name, oldest first; nothing of a job that is not there.
pub async fn history(ports: &Ports, job: JobId) -> Vec<String> {
    ports.job_admin.events(job).await.unwrap_or_default().into_iter().map(|it| it.event).collect()
}
