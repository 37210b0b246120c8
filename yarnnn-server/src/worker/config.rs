//! How a worker works: how much at once, how often it looks, how long it may take to stop.

use std::time::Duration;

use yarnnn_core::id::IdGen;
use yarnnn_core::jobs::WorkerId;

/// How a worker works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerConfig {
    /// The service; several workers may share it.
    pub name: String,
    /// This worker, see [`worker_id`].
    pub id: WorkerId,
    /// Version of the program, for the board of workers.
    pub version: String,
    /// Slots: jobs of weight one that run at once.
    pub concurrency: u32,
    /// Only these lanes; none for any.
    pub lanes: Option<Vec<String>>,
    /// How long a job is held without a renewal.
    pub lease: Duration,
    /// How often leases are renewed. Never more than a third of the lease, so that two renewals may fail.
    pub beat: Duration,
    /// How often it looks for work when nothing wakes it.
    pub poll: Duration,
    /// How often it looks for workers that are gone.
    pub rescue_every: Duration,
    /// How long stopping may take in all.
    pub drain: Duration,
    /// How long a job that somebody asked to stop may go on before its code is ended by force.
    pub cancel_grace: Duration,
    /// How many jobs of one owner it runs at once, so that one tenant cannot starve the others; none for any number.
    pub owner_limit: Option<u32>,
    /// The most that is claimed or written by one call.
    pub batch: u32,
}

impl WorkerConfig {
    /// How long stopping may take in all, unless set otherwise: less than the 30 s that supervisors grant.
    pub const DRAIN: Duration = Duration::from_secs(25);

    /// The defaults of a worker of this service: 50 slots, leases of 15 s, 25 s to stop.
    pub fn new(name: impl Into<String>, ids: &dyn IdGen) -> Self {
        let name = name.into();
        let config = Self {
            id: worker_id(&name, ids),
            name,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            concurrency: 1,
            lanes: None,
            lease: Duration::from_secs(15),
            beat: Duration::from_secs(5),
            poll: Duration::from_secs(1),
            rescue_every: Duration::from_millis(500),
            drain: Self::DRAIN,
            cancel_grace: Duration::from_secs(30),
            owner_limit: None,
            batch: 100,
        };
        config.with_concurrency(50)
    }

    /// With so many slots, a quarter of them for one owner; with many, more of them by one call.
    #[must_use]
    pub fn with_concurrency(self, concurrency: u32) -> Self {
        Self { concurrency, owner_limit: Some((concurrency / 4).max(1)), batch: (concurrency / 2).clamp(100, 500), ..self }
    }

    /// Without what would make a worker stand still or lose its leases.
    pub(super) fn sound(mut self) -> Self {
        const SHORTEST: Duration = Duration::from_millis(10);
        self.concurrency = self.concurrency.max(1);
        self.batch = self.batch.max(1);
        self.lease = self.lease.max(SHORTEST * 3);
        self.beat = self.beat.clamp(SHORTEST, self.lease / 3);
        self.poll = self.poll.max(SHORTEST);
        self.rescue_every = self.rescue_every.max(SHORTEST);
        self
    }
}

/// A worker's id: the service and what makes this process another than its replicas, which share the name.
pub fn worker_id(name: &str, ids: &dyn IdGen) -> WorkerId {
    // The low half of a time-ordered id is random; the high half is the same for processes that start together.
    let suffix = ids.uuid().as_u128() & 0xffff_ffff;
    WorkerId::new(format!("{name}-{suffix:08x}"))
}

#[cfg(test)]
mod tests {
    use yarnnn_core::id::RandomIds;

    use super::*;

    #[test]
    fn replicas_of_one_name_are_told_apart() {
        let (one, other) = (worker_id("srv", &RandomIds), worker_id("srv", &RandomIds));
        assert_ne!(one, other);
        assert_eq!(one.as_str().len(), "srv-01234567".len(), "{one}");
    }

    #[test]
    fn a_lease_outlives_two_failed_renewals() {
        let config = WorkerConfig { beat: Duration::from_mins(1), ..WorkerConfig::new("w", &RandomIds) };
        assert_eq!(config.sound().beat, Duration::from_secs(5));
    }

    #[test]
    fn one_owner_has_a_quarter_of_the_slots() {
        let config = WorkerConfig::new("w", &RandomIds);
        assert_eq!((config.concurrency, config.owner_limit), (50, Some(12)));
        assert_eq!(config.with_concurrency(2).owner_limit, Some(1));
    }
}
