//! What is decided before a transaction begins, the same for both drivers: whether a job may be stored, and what an outcome
//! makes of its row.

use yarnnn_core::id::IdGen;
use yarnnn_core::jobs::payload::{self, Refusal};
use yarnnn_core::jobs::{DEFAULT_LANE, JobStatus, Lease, NewJob, Outcome, Settlement};

use crate::text::{cleaned, cleaned_json};

/// Types whose lanes are fixed, with the lane of those that name none first.
const FIXED_LANES: [(&str, [&str; 2]); 2] =
    [("shell_file_processing", ["standard_queue", "fast_queue"]), ("ai_processing", ["ai_queue_simple", "ai_queue_complex"])];

/// The jobs as they are stored.
///
/// # Errors
/// The first rule that one of them breaks.
pub(super) fn prepare(jobs: Vec<NewJob>) -> Result<Vec<NewJob>, Refusal> {
    jobs.into_iter().map(prepared).collect()
}

fn prepared(mut job: NewJob) -> Result<NewJob, Refusal> {
    payload::check(&job)?;
    if let Some(lanes) = fixed_lanes(&job.kind) {
        if job.lane == DEFAULT_LANE {
            lanes[0].clone_into(&mut job.lane);
        }
        if !lanes.contains(&job.lane.as_str()) {
            let problem = format!("{} has the lanes {} and {}, not {}", job.kind, lanes[0], lanes[1], job.lane);
            return Err(Refusal::new("wrong_lane", problem));
        }
    }
    if let Some(key) = &mut job.key {
        key.key = cleaned(std::mem::take(&mut key.key));
    }
    Ok(NewJob {
        kind: cleaned(job.kind),
        lane: cleaned(job.lane),
        correlation: cleaned(job.correlation),
        payload: cleaned_json(job.payload),
        ..job
    })
}

/// The lanes of a type that has lanes of its own.
pub(super) fn fixed_lanes(kind: &str) -> Option<[&'static str; 2]> {
    FIXED_LANES.into_iter().find(|(it, _)| *it == kind).map(|(_, lanes)| lanes)
}

/// What each outcome makes of its job. A follow-up that must not be stored fails the job that wants it.
pub(super) fn settle(done: Vec<(Lease, Outcome)>, ids: &dyn IdGen) -> Vec<(Lease, Settlement)> {
    done.into_iter().map(|(lease, outcome)| settled(lease, outcome, draw(ids))).collect()
}

fn settled(lease: Lease, outcome: Outcome, draw: f64) -> (Lease, Settlement) {
    let mut settlement = Settlement::of(outcome, &lease, draw);
    match prepare(std::mem::take(&mut settlement.follow_up)) {
        Ok(follow_up) => settlement.follow_up = follow_up,
        Err(refusal) => settlement = refused(&lease, &refusal.to_string()),
    }
    settlement.error = settlement.error.map(cleaned);
    settlement.result = settlement.result.map(cleaned_json);
    (lease, settlement)
}

/// The end of a job whose follow-up was refused.
pub(super) fn refused(lease: &Lease, why: &str) -> Settlement {
    Settlement::of(Outcome::failed(format!("a job that follows from it was refused: {why}")), lease, 0.0)
}

/// A number from 0 to 1: the 53 low bits of an id, which are random.
fn draw(ids: &dyn IdGen) -> f64 {
    const LOW: u128 = 0xffff_ffff;
    let bits = ids.uuid().as_u128();
    let part = |bits: u128| f64::from(u32::try_from(bits).unwrap_or(0));
    part((bits >> 32) & 0x1f_ffff).mul_add(4_294_967_296.0, part(bits & LOW)) / 9_007_199_254_740_992.0
}

/// Whether a settlement leaves a job that may run again.
pub(super) const fn waits(status: JobStatus) -> bool {
    matches!(status, JobStatus::Queued | JobStatus::Retrying)
}

/// Whether writing these makes anything ready.
pub(super) fn makes_ready(settled: &[(Lease, Settlement)]) -> bool {
    settled.iter().any(|(_, it)| waits(it.status) || !it.follow_up.is_empty())
}

/// Why a job stands where it stands now, for its history.
pub(super) fn reason(settlement: &Settlement) -> Option<String> {
    settlement.error.clone().or_else(|| settlement.cause.map(str::to_owned))
}

/// The digest by which payloads are told apart.
#[cfg(feature = "sqlite")]
pub(super) fn digest(payload: &serde_json::Value) -> String {
    yarnnn_core::hash::Sha256::of(crate::text::sorted_json(payload.clone()).to_string()).to_string()
}
