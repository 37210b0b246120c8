//! A pass: extract → reason → filter → execute, resumed wherever an earlier try left it.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::filter::{Known, filter};
use super::model::{OpenPass, Pass, PassTrigger, Shown, SignalsFilter};
use super::outcome::{PassOutcome, PassStatus};
use super::prompt::{LINES, LINES_SINCE, Sight, question};
use super::reason::ask;
use super::refs::Refs;
use super::store::SignalStore;
use crate::accounts::{AccountStore, Tier, User};
use crate::activity::ActivityLog;
use crate::clock::Clock;
use crate::connections::ConnectionStore;
use crate::deliverables::{DeliverableStore, VersionStore};
use crate::error::{Error, StoreError};
use crate::id::{DeliverableId, IdGen, PassId, UserId};
use crate::llm::LanguageModel;
use crate::sync::ContentStore;

/// Fewer items than these are nothing to ask about (dossier §5.2).
pub(super) const LEAST_ITEMS: u32 = 3;
/// Records that are read to see what was acted upon already.
const HISTORY: u32 = 500;

/// What the feature needs.
#[derive(Clone)]
pub struct SignalsParts {
    /// Passes and their history.
    pub signals: Arc<dyn SignalStore>,
    /// Users and tiers.
    pub accounts: Arc<dyn AccountStore>,
    /// What happened lately.
    pub activity: Arc<dyn ActivityLog>,
    /// What of connected accounts is selected.
    pub connections: Arc<dyn ConnectionStore>,
    /// Stored items.
    pub content: Arc<dyn ContentStore>,
    /// The reports that there are.
    pub deliverables: Arc<dyn DeliverableStore>,
    /// What they say.
    pub versions: Arc<dyn VersionStore>,
    /// Who is asked; none where there is no model.
    pub model: Option<Arc<dyn LanguageModel>>,
    /// Whether mails can be sent.
    pub sends_mail: bool,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub ids: Arc<dyn IdGen>,
}

/// The feature. Cheap to clone.
#[derive(Clone)]
pub struct Signals {
    pub(super) parts: Arc<SignalsParts>,
}

impl fmt::Debug for Signals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signals").field("model", &self.parts.model).finish_non_exhaustive()
    }
}

/// Which pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PassRequest {
    /// Its id: the same for every try.
    pub pass: PassId,
    /// Whose content.
    pub user: UserId,
    /// Which platforms.
    pub filter: SignalsFilter,
    /// What started it.
    pub trigger: PassTrigger,
    /// The hour that it is for; none for a pass at any time. When that has passed, nobody is asked any more.
    pub hour: Option<DateTime<Utc>>,
    /// Whether there is no try after this one: what might pass is then told as what ended it.
    pub last_try: bool,
}

impl Signals {
    /// Runs on the given parts.
    pub fn new(parts: SignalsParts) -> Self {
        Self { parts: Arc::new(parts) }
    }

    /// Looks through a user's content once, and does what the program can vouch for. A pass that has ended is answered as it is; one
    /// that an earlier try left asks no model a second time. One whose hour has passed asks nobody: after an outage there is one for
    /// each hour of it, and all of them would look at what there is now.
    ///
    /// # Errors
    /// Those of the stores; a model that cannot be asked for the time being, unless this is the last try. Anything else of a model is
    /// told in the outcome.
    pub async fn run(&self, request: &PassRequest) -> Result<Pass, Error> {
        let parts = &self.parts;
        let (user, now) = (parts.accounts.user(request.user).await?, parts.clock.now());
        let has_signals = user.tier != Tier::Free;
        let is_over = |at: DateTime<Utc>| request.hour.is_some_and(|it| at - it >= TimeDelta::hours(1));
        let looks = has_signals && !is_over(now);
        let shown = if looks { parts.extract(user.id, request.filter, now).await? } else { Shown::default() };
        let PassRequest { pass: id, filter, trigger, .. } = *request;
        let pass = parts.signals.begin(OpenPass { id, user: user.id, filter, trigger, shown, at: now }).await?;
        if pass.outcome.is_some() {
            return Ok(pass);
        }
        // One that was begun in its hour and is tried again after it goes on: it may have been paid for.
        let is_late = is_over(pass.started_at);
        let ends_at_once = match (pass.shown.total(), &parts.model) {
            _ if !has_signals => Some(PassStatus::TierRestricted),
            _ if is_late => Some(PassStatus::TooLate),
            (0..LEAST_ITEMS, _) => Some(PassStatus::TooFewItems),
            (_, None) => Some(PassStatus::NoModel),
            _ => None,
        };
        match (ends_at_once, &parts.model) {
            (None, Some(model)) => self.reason(&user, &pass, model.as_ref(), request.last_try).await,
            (status, _) => {
                let status = status.unwrap_or(PassStatus::NoModel);
                let outcome = PassOutcome::of(status, pass.filter, pass.shown.total());
                Ok(parts.signals.commit(parts.commit_of(&user, &pass, &[], outcome)?).await?)
            }
        }
    }

    async fn reason(&self, user: &User, pass: &Pass, model: &dyn LanguageModel, last_try: bool) -> Result<Pass, Error> {
        let parts = &self.parts;
        let sight = parts.sight(pass).await?;
        let reasoned = ask(model, &question(pass, &sight)?, last_try).await?;
        let (deliverables, resources) = (parts.deliverables.list(user.id).await?, parts.in_scope(user.id).await?);
        let recent = parts.recent(user.id).await?;
        let known =
            Known { sight: &sight, deliverables: &deliverables, resources: &resources, recent: &recent, now: pass.started_at };
        let (chosen, dropped) = filter(&reasoned.answer, &known);
        let outcome = PassOutcome {
            signals_evaluated: reasoned.answer.named,
            dropped,
            reasoning_summary: reasoned.answer.reasoning.clone(),
            error: reasoned.error,
            model: Some(reasoned.model),
            ..PassOutcome::of(reasoned.status, pass.filter, pass.shown.total())
        };
        Ok(parts.signals.commit(parts.commit_of(user, pass, &chosen, outcome)?).await?)
    }
}

/// What a reference is about, without the deliverable that was set going for it.
fn without_target(reference: &str) -> &str {
    let about = reference.split_once('/').filter(|(id, _)| id.parse::<DeliverableId>().is_ok());
    about.map_or(reference, |(_, about)| about)
}

impl SignalsParts {
    /// Everything that the question of a pass shows.
    pub(super) async fn sight(&self, pass: &Pass) -> Result<Sight, Error> {
        let user = pass.user;
        let mut deliverables = Vec::new();
        for (place, id) in pass.shown.deliverables.iter().enumerate() {
            let found = match self.deliverables.get(user, *id).await {
                Err(StoreError::NotFound { .. }) => continue,
                found => found?,
            };
            let newest = self.versions.recent(user, *id, 1).await?.pop();
            deliverables.push((place, found, newest));
        }
        Ok(Sight {
            items: self.shown_items(user, &pass.shown).await?,
            deliverables,
            activity: self.activity.deeds(user, pass.started_at - LINES_SINCE, LINES).await?,
            noticed: self.recent(user).await?.iter().map(|(_, it)| without_target(it).to_owned()).collect(),
            preferences: self.signals.preferences(user).await?,
            refs: Refs::of(pass),
        })
    }

    /// What was acted upon within its window: type and reference.
    pub(super) async fn recent(&self, user: UserId) -> Result<HashSet<(String, String)>, Error> {
        let now = self.clock.now();
        let history = self.signals.history(user, HISTORY).await?.into_iter();
        Ok(history.filter(|it| it.holds(now)).map(|it| (it.signal_type, it.signal_ref)).collect())
    }
}
