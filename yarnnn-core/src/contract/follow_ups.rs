//! Facts of what stores and enqueues in one go: a page of content, a step of a version. Either both are there, or neither.

use futures::future::join_all;
use serde_json::json;

use super::Ports;
use super::fixtures::{
    ANA, begin, channel, everything, is_conflict, last_page, live, message, opened, sentence, texts, verified, written,
};
use super::job_fixtures::{anything, history, job, job_for, keyed, now, put, status, stored, taken};
use crate::deliverables::{Step, StepCommit};
use crate::id::JobId;
use crate::jobs::{JobStatus, KeyHolds, NewJob};
use crate::pipeline::Holder;
use crate::sync::{NewItem, PageCommit, RunHandle};

fn page(run: &RunHandle, items: Vec<NewItem>, follow_up: Vec<NewJob>) -> PageCommit {
    PageCommit { follow_up, ..last_page(run, items, 1) }
}

/// What makes a whole call fail: a job that is refused, and one whose key stands for other work.
async fn cannot_follow(ports: &Ports) -> [NewJob; 2] {
    put(ports, keyed("taken", KeyHolds::Forever)).await;
    let other = NewJob { payload: json!({ "deliverable": 8 }), ..keyed("taken", KeyHolds::Forever) };
    [NewJob { priority: 0, ..job() }, other]
}

async fn is_nowhere(ports: &Ports, job: JobId) -> bool {
    ports.jobs.get(job).await.unwrap().is_none() && history(ports, job).await.is_empty()
}

/// Jobs that follow from a page are there with its items.
pub async fn commit_enqueues_what_follows(ports: &Ports) {
    let jobs = [job_for(ANA), job()];
    let ids = jobs.each_ref().map(|it| it.id);
    let run = begin(ports, ANA, &channel()).await;
    ports.content.commit(page(&run, vec![message("1", "x")], jobs.to_vec())).await.unwrap();
    assert_eq!(texts(ports, &everything(ANA)).await, ["x"]);
    for id in ids {
        let record = stored(ports, id).await;
        assert_eq!((record.status, record.created_at), (JobStatus::Queued, now(ports)));
        assert_eq!(history(ports, id).await, ["enqueued"]);
    }
    assert_eq!(taken(ports, anything(9)).await, ids);
}

/// What follows from a page is not enqueued a second time when its key stands for it.
pub async fn commit_does_not_repeat_what_follows(ports: &Ports) {
    let first = put(ports, keyed("k", KeyHolds::Forever)).await;
    let run = begin(ports, ANA, &channel()).await;
    ports.content.commit(page(&run, vec![message("1", "x")], vec![keyed("k", KeyHolds::Forever)])).await.unwrap();
    assert_eq!(texts(ports, &everything(ANA)).await, ["x"]);
    assert_eq!(taken(ports, anything(9)).await, [first]);
}

/// A page of a run that was fenced off, or that cannot be stored, leaves no job.
pub async fn commit_that_fails_enqueues_nothing(ports: &Ports) {
    let known = message("1", "x");
    let clash = NewItem { id: known.id, ..message("2", "y") };
    live(ports, vec![known], 1).await;
    let early = begin(ports, ANA, &channel()).await;
    let run = begin(ports, ANA, &channel()).await;
    for (run, items) in [(&early, vec![message("3", "late")]), (&run, vec![clash])] {
        let job = job();
        let id = job.id;
        assert!(is_conflict(&ports.content.commit(page(run, items, vec![job])).await));
        assert!(is_nowhere(ports, id).await);
    }
    assert!(taken(ports, anything(9)).await.is_empty());
}

/// A page from which something follows that cannot be enqueued is not stored.
pub async fn commit_with_a_job_that_is_refused_stores_nothing(ports: &Ports) {
    let run = begin(ports, ANA, &channel()).await;
    for bad in cannot_follow(ports).await {
        let good = job();
        let id = good.id;
        assert!(ports.content.commit(page(&run, vec![message("1", "x")], vec![good, bad])).await.is_err());
        assert_eq!(texts(ports, &everything(ANA)).await, [""; 0]);
        assert!(is_nowhere(ports, id).await);
    }
    ports.content.commit(page(&run, vec![message("1", "x")], vec![])).await.unwrap();
}

/// Jobs that follow from a step are there with it.
pub async fn advance_enqueues_what_follows(ports: &Ports) {
    let version = opened(ports).await;
    let next = job_for(ANA);
    let id = next.id;
    ports.versions.advance(StepCommit { follow_up: vec![next], ..written(version.id) }).await.unwrap();
    assert_eq!(ports.versions.version(ANA, version.id).await.unwrap().step, Step::Written);
    assert_eq!((status(ports, id).await, history(ports, id).await), (JobStatus::Queued, vec!["enqueued".to_owned()]));
}

/// A step that is not taken, for whatever reason, leaves no job.
pub async fn advance_that_fails_enqueues_nothing(ports: &Ports) {
    let version = opened(ports).await;
    let twice = vec![sentence(0, "A.", &["q"]), sentence(0, "B.", &[])];
    let stranger = StepCommit { holder: Holder::new("host/boot/2/start"), ..written(version.id) };
    ports.versions.advance(written(version.id)).await.unwrap();
    for commit in [stranger, written(version.id), verified(version.id, twice)] {
        let job = job();
        let id = job.id;
        assert!(ports.versions.advance(StepCommit { follow_up: vec![job], ..commit }).await.is_err());
        assert!(is_nowhere(ports, id).await);
    }
}

/// A step from which something follows that cannot be enqueued is not taken.
pub async fn advance_with_a_job_that_is_refused_stands_still(ports: &Ports) {
    let version = opened(ports).await;
    for bad in cannot_follow(ports).await {
        let good = job();
        let id = good.id;
        assert!(ports.versions.advance(StepCommit { follow_up: vec![good, bad], ..written(version.id) }).await.is_err());
        assert_eq!(ports.versions.version(ANA, version.id).await.unwrap().step, Step::Gathered);
        assert!(is_nowhere(ports, id).await);
    }
    ports.versions.advance(written(version.id)).await.unwrap();
}

/// Of many who take one step at once, only the jobs of the one who does are there.
pub async fn advance_at_once_enqueues_once(ports: &Ports) {
    let version = opened(ports).await;
    let jobs: Vec<_> = (0..8).map(|_| job()).collect();
    let steps = jobs.iter().map(|it| StepCommit { follow_up: vec![it.clone()], ..written(version.id) });
    let answers = join_all(steps.map(|it| ports.versions.advance(it))).await;
    let expected: Vec<_> = jobs.iter().zip(&answers).filter(|(_, answer)| answer.is_ok()).map(|(job, _)| job.id).collect();
    assert_eq!(expected.len(), 1, "{answers:?}");
    assert_eq!(taken(ports, anything(9)).await, expected);
}
