//! Facts of [`JobQueue::finish`](crate::jobs::JobQueue::finish): who no longer holds the lease changes nothing.

use futures::future::join_all;
use serde_json::json;

use super::Ports;
use super::fixtures::fresh;
use super::job_fixtures::{
    anything, backoff, claimed, claimed_by, done, end, history, job, me, now, other, pass, put, running, status, stored,
};
use crate::id::{JobId, RunToken};
use crate::jobs::{JobStatus, Lease, NewJob, Outcome, Written};

fn follow_up(child: NewJob) -> Outcome {
    Outcome::Succeeded { result: json!({ "late": true }), follow_up: vec![child] }
}

/// Every outcome there is, with a follow-up where it can have one.
fn outcomes(ports: &Ports, child: &NewJob) -> Vec<Outcome> {
    let report = json!({ "late": true });
    vec![
        follow_up(child.clone()),
        Outcome::RetryAt { at: now(ports), error: "late".to_owned() },
        backoff(),
        Outcome::NeedsUser { report: report.clone() },
        Outcome::NeedsOperator { report },
        Outcome::failed("late".to_owned()),
        Outcome::Snoozed { until: now(ports) },
        Outcome::HandedBack,
        Outcome::Cancelled,
    ]
}

/// Every way to end a run under this lease is lost, and leaves the job and its history as they are.
async fn changes_nothing(ports: &Ports, lease: &Lease) {
    let before = (ports.jobs.get(lease.job).await.unwrap(), history(ports, lease.job).await);
    let child = job();
    for outcome in outcomes(ports, &child) {
        let said = format!("{outcome:?}");
        assert_eq!(end(ports, lease, outcome).await, Written::LeaseLost, "{said}");
        assert_eq!((ports.jobs.get(lease.job).await.unwrap(), history(ports, lease.job).await), before, "{said}");
    }
    assert_eq!(ports.jobs.get(child.id).await.unwrap(), None, "what follows from a lost run is lost too");
}

/// Another token changes nothing, nor does another worker with the token.
pub async fn finish_needs_the_token_and_the_worker(ports: &Ports) {
    let run = running(ports, job()).await;
    changes_nothing(ports, &Lease { token: RunToken::from_uuid(fresh()), ..run.lease.clone() }).await;
    changes_nothing(ports, &Lease { worker: other(), ..run.lease.clone() }).await;
    changes_nothing(ports, &Lease { job: JobId::from_uuid(fresh()), ..run.lease.clone() }).await;
    assert_eq!(end(ports, &run.lease, done()).await, Written::Done);
}

/// A token of one job is worthless for another.
pub async fn finish_needs_the_token_of_that_job(ports: &Ports) {
    let (one, two) = (running(ports, job()).await, running(ports, job()).await);
    changes_nothing(ports, &Lease { job: two.job.id, ..one.lease }).await;
    assert_eq!(status(ports, two.job.id).await, JobStatus::Running);
}

/// A run ends once.
pub async fn finish_twice_changes_nothing(ports: &Ports) {
    let child = job();
    for outcome in outcomes(ports, &child) {
        let run = running(ports, job()).await;
        assert_eq!(end(ports, &run.lease, outcome).await, Written::Done);
        changes_nothing(ports, &run.lease).await;
        let _ended_where_it_waits = ports.job_admin.cancel(run.job.id, "operator").await;
    }
}

/// A run ends once, also when it is said twice in one call: the first word counts.
pub async fn finish_twice_in_one_call_ends_once(ports: &Ports) {
    let run = running(ports, job()).await;
    let child = job();
    let both = vec![(run.lease.clone(), done()), (run.lease.clone(), follow_up(child.clone()))];
    assert_eq!(ports.jobs.finish(both).await.unwrap(), [Written::Done, Written::LeaseLost]);
    assert_eq!(stored(ports, run.job.id).await.result, Some(json!({ "sent": 1 })));
    assert_eq!(ports.jobs.get(child.id).await.unwrap(), None);
    assert_eq!(history(ports, run.job.id).await, ["enqueued", "claimed", "succeeded"]);
}

/// A run whose job was taken back changes nothing: not while the job waits, not while another runs it, not after its end.
pub async fn finish_after_a_rescue_changes_nothing(ports: &Ports) {
    let late = running(ports, job()).await;
    pass(ports, 16);
    assert_eq!(ports.jobs.rescue(&[]).await.unwrap().len(), 1);
    changes_nothing(ports, &late.lease).await;
    let next = claimed_by(ports, late.job.id, other()).await;
    changes_nothing(ports, &late.lease).await;
    assert_eq!(end(ports, &next.lease, done()).await, Written::Done);
    changes_nothing(ports, &late.lease).await;
}

/// The same worker that claims a job again has a new lease, and its old one is worth nothing.
pub async fn finish_after_a_claim_by_the_same_worker_changes_nothing(ports: &Ports) {
    let late = running(ports, job()).await;
    ports.jobs.rescue(&[me()]).await.unwrap();
    let next = claimed(ports, late.job.id).await;
    assert_eq!(late.lease.attempt, next.lease.attempt, "the number of the try is no token");
    changes_nothing(ports, &late.lease).await;
    assert_eq!(end(ports, &next.lease, done()).await, Written::Done);
}

/// A lease that ended but that nobody took still counts.
pub async fn finish_after_the_end_of_a_lease_that_nobody_took_counts(ports: &Ports) {
    let run = running(ports, job()).await;
    pass(ports, 3_600);
    assert_eq!(end(ports, &run.lease, done()).await, Written::Done);
    assert_eq!(status(ports, run.job.id).await, JobStatus::Succeeded);
}

/// A lost lease does not disturb the others of its call; the answers are in the order given.
pub async fn finish_answers_each_for_itself(ports: &Ports) {
    let (one, two, three) = (running(ports, job()).await, running(ports, job()).await, running(ports, job()).await);
    let stranger = Lease { token: RunToken::from_uuid(fresh()), ..two.lease.clone() };
    let (child, lost_child) = (job(), job());
    let call = vec![
        (stranger.clone(), follow_up(lost_child.clone())),
        (one.lease.clone(), follow_up(child.clone())),
        (stranger, backoff()),
        (three.lease.clone(), Outcome::failed("no".to_owned())),
    ];
    let answers = ports.jobs.finish(call).await.unwrap();
    assert_eq!(answers, [Written::LeaseLost, Written::Done, Written::LeaseLost, Written::Done]);
    assert_eq!(status(ports, one.job.id).await, JobStatus::Succeeded);
    assert_eq!(stored(ports, two.job.id).await, two.job);
    assert_eq!(status(ports, three.job.id).await, JobStatus::Failed);
    assert_eq!(status(ports, child.id).await, JobStatus::Queued);
    assert_eq!(ports.jobs.get(lost_child.id).await.unwrap(), None);
    assert_eq!(ports.jobs.finish(vec![]).await.unwrap(), []);
}

/// A large call ends every run of it, and what each says stays with its job.
pub async fn finish_takes_a_large_call(ports: &Ports) {
    ports.jobs.enqueue((0..300).map(|_| job()).collect()).await.unwrap();
    let runs = ports.jobs.claim(anything(300)).await.unwrap();
    let call = runs.iter().enumerate().map(|(number, it)| (it.lease.clone(), Outcome::done(json!({ "number": number }))));
    let answers = ports.jobs.finish(call.collect()).await.unwrap();
    assert_eq!(answers, vec![Written::Done; 300]);
    for (number, run) in runs.iter().enumerate() {
        assert_eq!(stored(ports, run.job.id).await.result, Some(json!({ "number": number })));
    }
}

/// Of many who end one run at once, one does.
pub async fn finish_at_once_ends_once(ports: &Ports) {
    let id = put(ports, job()).await;
    let run = claimed(ports, id).await;
    let tasks = (0..8).map(|number| {
        let (ports, lease) = (ports.clone(), run.lease.clone());
        tokio::spawn(async move { end(&ports, &lease, Outcome::done(json!({ "number": number }))).await })
    });
    let answers: Vec<_> = join_all(tasks).await.into_iter().map(Result::unwrap).collect();
    let winner = answers.iter().position(|it| *it == Written::Done);
    assert_eq!(answers.iter().filter(|it| **it == Written::Done).count(), 1, "{answers:?}");
    assert_eq!(stored(ports, id).await.result, winner.map(|number| json!({ "number": number })));
    assert_eq!(history(ports, id).await, ["enqueued", "claimed", "succeeded"]);
}
