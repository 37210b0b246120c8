//! Trigger: a pass by hand, and what users see and choose of signals.

use chrono::{DateTime, TimeDelta, Utc};

use super::job::SignalProcessing;
use super::model::{CandidateQuery, Pass, PreferenceChange, SignalPreferences, SignalRecord, SignalsFilter, TakeTurn, Turn};
use super::run::Signals;
use crate::accounts::{Tier, User};
use crate::error::Error;
use crate::id::{JobId, UserId};
use crate::jobs::new_job;

/// How long after a pass by hand another may be asked for (dossier §5.5).
const COOL_DOWN: TimeDelta = TimeDelta::minutes(5);
/// Users that are read at once.
const PAGE: u32 = 500;

/// What came of asking for a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TriggerAnswer {
    /// This job does it.
    Started(JobId),
    /// One was asked for a little while ago.
    RateLimited {
        /// When.
        last_run_at: DateTime<Utc>,
        /// When another may be.
        next_eligible_at: DateTime<Utc>,
    },
    /// Nothing is connected, and nothing was imported.
    NoPlatforms,
    /// The user's tier has no signals.
    TierRestricted,
}

impl Signals {
    /// Asks for a pass by hand: the tier must have signals, there must be something to look at, and the last pass by hand must be five
    /// minutes ago, whatever came of it.
    ///
    /// # Errors
    /// `Busy` when a pass by hand with another filter is under way; those of the store.
    pub async fn trigger(&self, user: &User, filter: SignalsFilter) -> Result<TriggerAnswer, Error> {
        if user.tier == Tier::Free {
            return Ok(TriggerAnswer::TierRestricted);
        }
        let query = CandidateQuery { user: Some(user.id), limit: 1, ..CandidateQuery::default() };
        if self.parts.signals.candidates(query).await?.is_empty() {
            return Ok(TriggerAnswer::NoPlatforms);
        }
        let job = new_job(self.parts.ids.as_ref(), Some(user.id), &SignalProcessing::manual(user.id, filter));
        let job = job.map_err(|error| Error::Failed(format!("the pass cannot be enqueued: {error}")))?;
        let at = self.parts.clock.now();
        match self.parts.signals.take_turn(TakeTurn { user: user.id, cool_down: COOL_DOWN, job, at }).await? {
            Turn::Granted(id) => Ok(TriggerAnswer::Started(id)),
            Turn::TooSoon { last } => Ok(TriggerAnswer::RateLimited { last_run_at: last, next_eligible_at: last + COOL_DOWN }),
        }
    }

    /// Whose hourly pass there is: users of a tier that has signals, with a live connection or stored content; sorted by id.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn users_due(&self) -> Result<Vec<UserId>, Error> {
        let mut users: Vec<UserId> = Vec::new();
        loop {
            let query = CandidateQuery { user: None, paying: true, after: users.last().copied(), limit: PAGE };
            let page = self.parts.signals.candidates(query).await?;
            let is_last = page.len() < PAGE as usize;
            users.extend(page);
            if is_last {
                return Ok(users);
            }
        }
    }

    /// The newest passes of a user, and what was acted upon.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn list(&self, user: UserId, limit: u32) -> Result<(Vec<Pass>, Vec<SignalRecord>), Error> {
        let signals = &self.parts.signals;
        Ok((signals.passes(user, limit).await?, signals.history(user, limit).await?))
    }

    /// What a user wants to be told, after the change if there is one.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn preferences(&self, user: UserId, change: PreferenceChange) -> Result<SignalPreferences, Error> {
        let signals = &self.parts.signals;
        if change == PreferenceChange::default() {
            return Ok(signals.preferences(user).await?);
        }
        Ok(signals.set_preferences(user, change, self.parts.clock.now()).await?)
    }
}
